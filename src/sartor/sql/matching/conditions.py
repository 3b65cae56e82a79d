"""Conditions: the view's have to follow from the statement's, the rest of the statement's are asked of the view's keys."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from sartor.core.block import Bound, QueryBlock, Term
from sartor.core.view import Condition, ViewDefinition, key_column
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Differs, Match, Within
from sartor.sql.matching.joins import Classes
from sartor.sql.rewrite import Splice

_LITERAL = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

Value = Decimal | str
Range = tuple[Value | None, bool, Value | None, bool]
"""The least value, whether it belongs to it, the largest, whether it belongs to it; None for no end."""


def put_conditions(block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> None:
    """Put the statement's conditions into the view's terms.

    Raises:
        Differs: a condition of the view does not follow, or one of the statement needs what the view does not hold.
    """
    by_text = {term.text: term for term in block.filters}
    held: set[str] = set()  # conditions that hold in each of the view's rows, whatever the literals
    for condition in view.conditions:
        same = by_text.get(condition.text)
        implying = [term.bound for term in block.filters if _may_imply(term, condition, columns) and columns.can(term)]
        if implying and implying[0] is not None:
            match.guards.append(Within(implying[0], condition))
        elif same is not None and same.first >= 0:
            match.guards += columns.same(same)
            if not columns.can(same):
                held.add(same.text)
        else:
            raise Differs(f"the view holds only rows with {condition.text}")
    for term in block.filters:
        if term.text in held:
            match.splices.append(Splice(term.first, term.last, "TRUE"))
        else:
            columns.put(term, match)
    _put_equalities(block, columns, match, view)


def _put_equalities(block: QueryBlock, columns: Columns, match: Match, view: ViewDefinition) -> None:
    held = Classes(view.equalities)
    for one in block.equalities:
        if held.are_equal(one.left, one.right):
            if one.first >= 0 and not block.from_[0] <= one.first <= block.from_[1]:
                match.splices.append(Splice(one.first, one.last, "TRUE"))
            continue
        places = columns.key(one.left), columns.key(one.right)
        if None in places or one.first < 0 or block.from_[0] <= one.first <= block.from_[1]:
            raise Differs(f"the view does not join by {one.left[1]} = {one.right[1]}")
        match.keys |= {place for place in places if place is not None}
        left, right = (f"{ALIAS}.{key_column(place)}" for place in places if place is not None)
        match.splices.append(Splice(one.first, one.last, f"{left} = {right}"))


def _may_imply(term: Term, condition: Condition, columns: Columns) -> bool:
    bound = term.bound
    if bound is None or not condition.operator or bound.kind != condition.kind:
        return False
    return bound.column == condition.column or columns.alike.are_equal(bound.column, condition.column)


def implies(bound: Bound, condition: Condition, words: tuple[str, ...]) -> bool:
    """Whether a statement's condition implies one of the view.

    Args:
        words: the tokens of the statement; literals are read from them.
    """
    values = [words[token] for token in bound.tokens]
    inner, outer = _set(bound.operator, values, bound.kind), _set(condition.operator, condition.values, condition.kind)
    if inner is not None and outer is not None:
        return inner <= outer
    wide = _range(condition.operator, condition.values, condition.kind)
    if wide is None:
        return False
    if inner is not None:
        return all(_covers(wide, (value, True, value, True)) for value in inner)
    narrow = _range(bound.operator, values, bound.kind)
    return narrow is not None and _covers(wide, narrow)


def _covers(wide: Range, narrow: Range) -> bool:
    low, low_in, high, high_in = wide
    least, least_in, most, most_in = narrow
    below = low is None or (least is not None and (low < least or (low == least and (low_in or not least_in))))  # type: ignore[operator]
    above = high is None or (most is not None and (most < high or (most == high and (high_in or not most_in))))  # type: ignore[operator]
    return below and above


def _range(operator: str, values: list[str] | tuple[str, ...], kind: str) -> Range | None:
    found = [_value(value, kind) for value in values]
    if any(value is None for value in found):
        return None
    match operator:
        case "=":
            return found[0], True, found[0], True
        case "<" | "<=":
            return None, False, found[0], operator == "<="
        case ">" | ">=":
            return found[0], operator == ">=", None, False
        case "between":
            return found[0], True, found[1], True
        case _:
            return None


def _set(operator: str, values: list[str] | tuple[str, ...], kind: str) -> frozenset[Value] | None:
    if operator == "=":
        one = _value(values[0], kind)
        return None if one is None else frozenset((one,))
    if operator != "in":
        return None
    inside = values[0].strip()[1:-1]
    parts = [match[0] for match in _LITERAL.finditer(inside)]
    if len(_LITERAL.sub("", inside).replace(" ", "").replace(",", "")) or len(parts) != inside_count(inside):
        return None
    found = [_value(part, kind) for part in parts]
    return None if any(value is None for value in found) else frozenset(value for value in found if value is not None)


def inside_count(inside: str) -> int:
    """How many values a list of literals holds.

    >>> inside_count("'a,b', 'c'"), inside_count("1,2, 3")
    (2, 3)
    """
    return _LITERAL.sub("", inside).count(",") + 1


def _value(word: str, kind: str) -> Value | None:
    """A literal's value as it compares: numbers by size, texts and days by their characters.

    Texts compare by bytes of UTF-8 in DuckDB, which is the order of their code points.
    """
    if kind == "number":
        try:
            return Decimal(word)
        except InvalidOperation:
            return None
    text = word[1:-1].replace("''", "'") if word[:1] == "'" else word
    if kind == "date":
        return text if _DAY.fullmatch(text) else None
    return text
