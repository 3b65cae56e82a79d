"""Conjuncts of WHERE whose truth may be stored beside each row: found in the statement's own tokens.

Which words make a conjunct is guessed by cutting WHERE at its ANDs, and believed only if those words, read alone, are the conjunct.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sartor.core.predicate import Written
from sartor.core.table import TableInfo, TableName
from sartor.sql.algebra.steady import is_steady
from sartor.sql.algebra.terms import Reader
from sartor.sql.fingerprint import Fingerprint

_ENDS = frozenset("GROUP HAVING ORDER LIMIT OFFSET QUALIFY WINDOW UNION EXCEPT INTERSECT USING".split())
_OPENS, _CLOSES = frozenset(("(", "[", "{", "CASE")), frozenset((")", "]", "}", "END"))


def written(
    select: exp.Select,
    condition: exp.Expression,
    info: TableInfo,
    alias: str,
    printed: Fingerprint,
    words: Sequence[str],
) -> Written | None:
    """Where a conjunct of a SELECT's WHERE stands, if its truth may be stored; it reads columns of this table alone.

    None for what may raise, changes from session to session or holds a parameter, and where a row that fails it is not simply left
    out.

    Args:
        alias: the table's, lower-case.
    """
    where = select.args.get("where")
    if where is None or not isinstance(info.source, TableName):
        return None
    if not _is_kept(select, alias):
        return None

    def type_of(node: exp.Column) -> str:
        column = info.column(node.name)
        return column.type.upper() if column is not None else ""

    if not is_steady(condition, type_of):
        return None
    reader = Reader(printed, tuple(words), "", lambda column: None, {})
    first = _first_token(where, reader)
    inside = _first_token(condition, reader)
    while first >= 0 and words[first].upper() != "WHERE":
        first -= 1
    if first < 0:
        return None
    span = next((span for span in _parts(words, first + 1) if span[0] <= inside <= span[1]), None)
    if span is None or not _is(condition, words[span[0] : span[1] + 1]):
        return None
    columns = []
    for column in condition.find_all(exp.Column):
        place, known = reader.span(column), info.column(column.name)
        if known is None or not span[0] <= place[0] <= place[1] <= span[1]:
            return None
        columns.append((*place, known.name))
    found = Written(*span, tuple(sorted(columns)))
    return Written(*span, found.columns, found.text(words))


def _is_kept(select: exp.Select, alias: str) -> bool:
    """Whether each row of the FROM clause holds a row of this table: then those that fail a conjunct may go before the join as well.

    A row that an outer join may leave empty can pass `a IS NULL OR …` just because the rows that failed were left out.
    """
    sides = {(join.side or "").upper() for join in select.args.get("joins") or []}
    if not sides - {""}:
        return True
    first = select.args["from_"].this
    return sides <= {"", "LEFT"} and isinstance(first, exp.Table) and first.alias_or_name.lower() == alias


def _first_token(node: exp.Expression, reader: Reader) -> int:
    """The first token of an expression that the parser tells the place of; -1 if it tells none."""
    return reader.token_at(min((leaf.meta["start"] for leaf in node.walk() if "start" in leaf.meta), default=None))


def _parts(words: Sequence[str], first: int) -> Iterator[tuple[int, int]]:
    """WHERE, cut at its ANDs, also at those in parentheses around whole parts: the first and the last token of each part."""
    for start, end in _cut(words, first):
        if words[start] == "(" and _closing(words, start) == end:
            yield from _parts(words, start + 1)
        else:
            yield start, end


def _closing(words: Sequence[str], opening: int) -> int:
    """The token that closes the parenthesis that this one opens; -1 if none does."""
    depth = 0
    for place in range(opening, len(words)):
        depth += (words[place] == "(") - (words[place] == ")")
        if depth == 0:
            return place
    return -1


def _cut(words: Sequence[str], first: int) -> Iterator[tuple[int, int]]:
    """The first and the last token of each part between ANDs, up to the end of WHERE or of the parenthesis around it."""
    depth = between = 0
    start = place = first
    while place < len(words):
        word = words[place].upper()
        if depth == 0 and (word in _ENDS or word in _CLOSES or word == ";"):
            break
        depth += (word in _OPENS) - (word in _CLOSES)
        if depth == 0 and word == "BETWEEN":
            between += 1
        elif depth == 0 and word == "AND" and between:
            between -= 1
        elif depth == 0 and word == "AND" and start < place:
            yield start, place - 1
            start = place + 1
        place += 1
    if start < place:
        yield start, place - 1


def _is(condition: exp.Expression, words: Sequence[str]) -> bool:
    try:
        return bool(sqlglot.parse_one(" ".join(words), read="duckdb") == condition)
    except SqlglotError:
        return False
