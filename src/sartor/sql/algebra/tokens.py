"""Where the clauses of a SELECT lie among a template's tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sartor.core.block import Ranking

Span = tuple[int, int]

_AFTER_FROM = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT")
_AFTER_GROUP_BY = ("HAVING", "QUALIFY", "WINDOW", "USING", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", ";")
_DIRECTIONS = ("ASC", "DESC")
_NULLS = ("FIRST", "LAST")


@dataclass(frozen=True, slots=True)
class Clauses:
    """The tokens of a SELECT's output columns, aliases included."""

    select: int
    items: tuple[Span, ...]


def without_alias(words: tuple[str, ...], item: Span) -> Span:
    """The expression of an output column that has an alias.

    >>> without_alias(("a", "as", "b", ",", "c", "d"), (0, 2)), without_alias(("a", "as", "b", ",", "c", "d"), (4, 5))
    ((0, 0), (4, 4))
    """
    first, last = item
    return first, last - 2 if words[last - 1].upper() == "AS" else last - 1


def clauses(words: tuple[str, ...], first_table: int, count: int) -> Clauses | None:
    """The output columns of the SELECT whose FROM clause begins with this token; None where the text is not as expected.

    >>> clauses(("select", "a", ",", "f", "(", "b", ",", "c", ")", "from", "t"), 10, 2)
    Clauses(select=0, items=((1, 1), (3, 8)))
    """
    from_ = first_table - 1
    if from_ < 0 or words[from_].upper() != "FROM":
        return None
    depth, place = 0, from_ - 1
    while place >= 0:
        word = words[place]
        depth += (word == ")") - (word == "(")
        if depth < 0:
            return None
        if depth == 0 and word.upper() == "SELECT":
            break
        place -= 1
    else:
        return None
    first = place + 1
    if words[first].upper() in ("DISTINCT", "ALL"):
        first += 1
    items = tuple(_split(words, first, from_ - 1))
    return Clauses(place, items) if len(items) == count else None


def grouping(words: tuple[str, ...], after: int) -> Span | None:
    """The GROUP BY clause of a SELECT whose FROM clause ends with this token; None where the text is not as expected.

    >>> grouping(("select", "a", "from", "t", "where", "b", "group", "by", "a", ",", "b", "order", "by", "a"), 3)
    (6, 10)
    """
    depth, first, last = 0, -1, len(words) - 1
    for place in range(after + 1, len(words)):
        word = words[place].upper()
        depth += (word == "(") - (word == ")")
        if depth < 0 or (depth == 0 and word in _AFTER_GROUP_BY):
            last = place - 1
            break
        if depth == 0 and word == "GROUP" and words[place + 1 : place + 2] and words[place + 1].upper() == "BY":
            first = place
    return (first, last) if 0 <= first < last - 1 else None


def ranking(words: tuple[str, ...], first_table: int, items: tuple[Span, ...], aliases: tuple[str, ...]) -> Ranking | None:
    """The ORDER BY, LIMIT and OFFSET that end a statement; None where the text is not as expected.

    Args:
        items: the tokens of the output columns, without their aliases.
        aliases: the name of each output column in lower case, empty where it has none.
    """
    depth, order, limit, offset = 0, -1, -1, -1
    for place in range(first_table, len(words)):
        word = words[place].upper()
        depth += (word == "(") - (word == ")")
        if depth == 0 and word == "ORDER":
            order = place
        elif depth == 0 and word == "LIMIT":
            limit = place + 1
        elif depth == 0 and word == "OFFSET":
            offset = place + 1
        elif depth < 0 or word in ("UNION", "EXCEPT", "INTERSECT"):
            return None
    if order < 0 or order + 2 >= len(words) or words[order + 1].upper() != "BY":
        return None
    end = min(place for place in (limit - 1, offset - 1, len(words)) if place > order) - 1
    if any(count >= 0 and not _is_count(words, count) for count in (limit, offset)):
        return None
    keys = []
    for first, last in _split(words, order + 2, end):
        if words[last].upper() in _NULLS and words[last - 1].upper() == "NULLS":
            last -= 2
        if words[last].upper() in _DIRECTIONS:
            last -= 1
        keys.append(_meant(words, first, last, items, aliases))
    if any(key is None or {"?", "$"} & set(words[key[0] : key[1] + 1]) for key in keys):
        return None
    return Ranking(items[-1][1], tuple(key for key in keys if key is not None), (order, end), limit, offset)


def _is_count(words: tuple[str, ...], place: int) -> bool:
    """Whether a plain number stands here and nothing more of its clause."""
    following = words[place + 1].upper() if place + 1 < len(words) else ""
    return place < len(words) and words[place].isdigit() and following in ("", "LIMIT", "OFFSET")


def _meant(words: tuple[str, ...], first: int, last: int, items: tuple[Span, ...], aliases: tuple[str, ...]) -> Span | None:
    """The tokens of what a key of ORDER BY means: an output column by its number or name, or itself."""
    if first > last:
        return None
    if first < last:
        return first, last
    word = words[first]
    if word.upper() == "ALL":
        return None
    if word.isdigit():
        return items[int(word) - 1] if 0 < int(word) <= len(items) else None
    name = (word[1:-1].replace('""', '"') if word[:1] == '"' else word).lower()
    return items[aliases.index(name)] if name in aliases else (first, last)


def _split(words: tuple[str, ...], first: int, last: int) -> Iterator[Span]:
    """The spans between the commas outside parentheses."""
    depth, begin = 0, first
    for place in range(first, last + 1):
        word = words[place]
        depth += (word in ("(", "[", "{")) - (word in (")", "]", "}"))
        if depth == 0 and word == ",":
            yield begin, place - 1
            begin = place + 1
    yield begin, last
