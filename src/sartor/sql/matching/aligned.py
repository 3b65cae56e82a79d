"""Ranges of days that begin and end with a year, a quarter, a month: a key that holds the beginnings tells them.

`d >= DATE '2024-03-01'` holds for the same rows as the same of the beginning of d's month, and there are fewer months than days.
"""

from __future__ import annotations

import re

from sartor.core.block import Bound, Term
from sartor.core.view import ViewDefinition, key_column
from sartor.sql.matching.beginnings import UNITS, key_of_beginnings
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Aligned, Match
from sartor.sql.matching.whole import TIMES
from sartor.sql.rewrite import Splice

_BEGINNING = {
    unit: re.compile(rf"'(?!0000)\d{{4}}-{day}( 00:00:00)?'")
    for unit, day in zip(UNITS, ("01-01", "(01|04|07|10)-01", r"\d\d-01", r"\d\d-\d\d"), strict=True)
}
_OPERATORS = (">=", "<")


def put_aligned(term: Term, view: ViewDefinition, columns: Columns, match: Match) -> bool:
    """Ask a bound of the key that holds beginnings of a unit; says whether there is one. Its literal has to be such a beginning."""
    bound = term.bound
    if bound is None or not can_align(bound, view.type_of(bound.column)) or columns.key(bound.column) is not None or not term.parts:
        return False
    for column in columns.alike.in_turn(bound.column):
        found = key_of_beginnings(column, view)
        if found is not None and is_aligned(bound, found[1], columns.words):
            place, unit = found
            read = term.parts[0]
            match.keys.add(place)
            match.splices.append(Splice(read.first, read.last, f"{ALIAS}.{key_column(place)}"))
            match.guards.append(Aligned(bound, unit))
            return True
    return False


def can_align(bound: Bound, kind: str) -> bool:
    """Whether a bound on a column of this type may be asked of beginnings."""
    return bound.operator in _OPERATORS and kind in TIMES and bound.kind in ("date", "timestamp")


def is_aligned(bound: Bound, unit: str, words: tuple[str, ...]) -> bool:
    """Whether a statement's literal is the beginning of a unit, between the years 1 and 9999.

    >>> is_aligned(Bound(("main.o", "d"), ">=", ((0, 0),), "date"), "quarter", ("'2024-04-01'",))
    True
    """
    return all(_BEGINNING[unit].fullmatch(value) for value in bound.values(words))
