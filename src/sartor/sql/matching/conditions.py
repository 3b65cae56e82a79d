"""Conditions: the view's have to follow from the statement's, the rest of the statement's are asked of the view's keys."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sartor.core.block import QueryBlock, Term, column_text
from sartor.core.view import Condition, ViewDefinition, key_column
from sartor.sql.matching.aligned import put_aligned
from sartor.sql.matching.classes import Classes
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Differs, Match, Within
from sartor.sql.rewrite import Splice

_LITERAL = re.compile(r"'((?:[^']|'')*)'|(-?\d+(?:\.\d+)?)")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}")

Value = Decimal | str
Range = tuple[Value | None, bool, Value | None, bool]
"""The least value, whether it belongs to it, the largest, whether it belongs to it; None for no end."""


def put_conditions(block: QueryBlock, view: ViewDefinition, columns: Columns, match: Match) -> None:
    """Put the statement's conditions into the view's terms.

    Raises:
        Differs: a condition of the view does not follow, or one of the statement needs what the view does not hold.
    """
    held: set[str] = set()  # conditions that hold in each of the view's rows
    for column in dict.fromkeys(condition.column for condition in view.conditions if condition.operator):
        ours = [condition for condition in view.conditions if condition.operator and condition.column == column]
        _put_bounds(block, ours, columns, match, held)
    by_text = {term.text: term for term in block.filters}
    for condition in view.conditions:
        if condition.operator or _follows(condition, block):
            continue
        same = by_text.get(condition.text)
        if same is None or same.first < 0:
            raise Differs(f"the view holds only rows with {condition.text}")
        match.guards += columns.same(same)
        if not columns.can(same):
            held.add(same.text)
    for term in block.filters:
        if term.text in held:
            match.splices.append(Splice(term.first, term.last, "TRUE"))
        elif not put_aligned(term, view, columns, match):
            columns.put(term, match)
    _put_equalities(block, columns, match, view)


def _put_bounds(block: QueryBlock, ours: Sequence[Condition], columns: Columns, match: Match, held: set[str]) -> None:
    """The conditions of a view on one column: the statement's have to imply them, or to be the same where the column is no key."""
    theirs = [term for term in block.filters if _is_on(term, ours[0], columns)]
    bounds = tuple(term.bound for term in theirs if term.bound is not None)
    if not bounds:
        raise Differs(f"the view holds only rows with {ours[0].text}")
    keys = all(columns.can(term) for term in theirs)
    if not keys and any(term.first < 0 for term in theirs):
        raise Differs(f"a condition on {ours[0].column[1]} is not found in the text")
    match.guards.append(Within(bounds, tuple(ours), exactly=not keys))
    if not keys:
        held |= {term.text for term in theirs}


def _is_on(term: Term, condition: Condition, columns: Columns) -> bool:
    """Whether a statement's condition is a bound on the column of one of the view."""
    bound = term.bound
    if bound is None or bound.kind != condition.kind:
        return False
    return bound.column == condition.column or columns.alike.are_equal(bound.column, condition.column)


def _follows(condition: Condition, block: QueryBlock) -> bool:
    """Whether a condition of the view is that a column is not NULL, which any comparison of it with a value implies."""
    compared = {column_text(term.bound.column) for term in block.filters if term.bound is not None}
    return any(condition.text == f"NOT {column} IS NULL" for column in compared)


def _put_equalities(block: QueryBlock, columns: Columns, match: Match, view: ViewDefinition) -> None:
    """Equalities that the view's join holds are left out, others are asked of its keys."""
    held = Classes(view.equalities)
    for one in block.equalities:
        in_from = one.first < 0 or block.from_[0] <= one.first <= block.from_[1]
        if held.are_equal(one.left, one.right):
            if not in_from:
                match.splices.append(Splice(one.first, one.last, "TRUE"))
            continue
        places = [place for place in (columns.key(one.left), columns.key(one.right)) if place is not None]
        if len(places) < 2 or columns.key(one.left) == columns.key(one.right):
            raise Differs(f"the view does not join by {one.left[1]} = {one.right[1]}")
        match.keys |= set(places)
        left, right = (f"{ALIAS}.{key_column(place)}" for place in places)
        if in_from:
            match.joined.append(f"{left} = {right}")
        else:
            match.splices.append(Splice(one.first, one.last, f"{left} = {right}"))


def implies(guard: Within, words: tuple[str, ...]) -> bool:
    """Whether a statement's conditions on a column imply those of the view, or are the same.

    Args:
        words: the tokens of the statement; literals are read from them.
    """
    inner = _admitted([(bound.operator, bound.values(words), bound.kind) for bound in guard.bounds])
    outer = _admitted([(one.operator, one.values, one.kind) for one in guard.conditions])
    if inner is None or outer is None:
        return False
    return inner == outer if guard.exactly else _lies_in(inner, outer)


Admitted = Range | frozenset[Value]
"""The values that conditions admit: a range, or some values."""


def _admitted(conditions: Sequence[tuple[str, tuple[str, ...], str]]) -> Admitted | None:
    """What several conditions admit together; None where that is not understood."""
    found: Admitted = (None, False, None, False)
    for operator, values, kind in conditions:
        one = _set(operator, values, kind) or _range(operator, values, kind)
        if one is None:
            return None
        found = _both(found, one)
    return found


def _both(one: Admitted, other: Admitted) -> Admitted:
    if isinstance(one, frozenset):
        return frozenset(value for value in one if _lies_in(frozenset((value,)), other))
    if isinstance(other, frozenset):
        return _both(other, one)
    low, low_in = max((one[:2], other[:2]), key=lambda end: _LowEnd(*end))
    high, high_in = min((one[2:], other[2:]), key=lambda end: _HighEnd(*end))
    return low, low_in, high, high_in


def _lies_in(inner: Admitted, outer: Admitted) -> bool:
    if isinstance(outer, frozenset):
        return isinstance(inner, frozenset) and inner <= outer
    if isinstance(inner, frozenset):
        return all(_covers(outer, (value, True, value, True)) for value in inner)
    return _covers(outer, inner)


def _covers(wide: Range, narrow: Range) -> bool:
    low, low_in, high, high_in = wide
    least, least_in, most, most_in = narrow
    below = low is None or (least is not None and (low < least or (low == least and (low_in or not least_in))))  # type: ignore[operator]
    above = high is None or (most is not None and (most < high or (most == high and (high_in or not most_in))))  # type: ignore[operator]
    return below and above


def _range(operator: str, values: tuple[str, ...], kind: str) -> Range | None:
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


def _set(operator: str, values: tuple[str, ...], kind: str) -> frozenset[Value] | None:
    if operator == "=":
        one = _value(values[0], kind)
        return None if one is None else frozenset((one,))
    if operator != "in":
        return None
    inside = values[0].strip()[1:-1]
    parts = [match[0] for match in _LITERAL.finditer(inside)]
    if len(_LITERAL.sub("", inside).replace(" ", "").replace(",", "")) or len(parts) != _inside_count(inside):
        return None
    found = [_value(part, kind) for part in parts]
    return None if any(value is None for value in found) else frozenset(value for value in found if value is not None)


def _inside_count(inside: str) -> int:
    """How many values a list of literals holds."""
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
    if len(word) < len("''") or word[0] != "'" or word[-1] != "'":
        return None  # written in another way, with escapes perhaps
    text = word[1:-1].replace("''", "'")
    if kind == "date":
        return text if _DAY.fullmatch(text) else None
    if kind == "timestamp":
        moment = f"{text} 00:00:00" if _DAY.fullmatch(text) else text
        return moment if _MOMENT.fullmatch(moment) else None
    return text


@dataclass(frozen=True, slots=True)
class _LowEnd:
    """The lower end of a range, in the order of how much it leaves out."""

    value: Value | None
    inside: bool

    def __lt__(self, other: _LowEnd) -> bool:
        if self.value is None or other.value is None:
            return self.value is None and other.value is not None
        return self.value < other.value or (self.value == other.value and self.inside and not other.inside)  # type: ignore[operator]


@dataclass(frozen=True, slots=True)
class _HighEnd:
    """The upper end of a range, in the order of how little it lets in."""

    value: Value | None
    inside: bool

    def __lt__(self, other: _HighEnd) -> bool:
        if self.value is None or other.value is None:
            return self.value is not None and other.value is None
        return self.value < other.value or (self.value == other.value and not self.inside and other.inside)  # type: ignore[operator]
