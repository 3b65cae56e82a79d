"""Ranges of days that begin and end with a year, a quarter, a month: a key that holds the beginnings tells them.

`d >= DATE '2024-03-01'` holds for the same rows as the same of the beginning of d's month, and there are fewer months than days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from sartor.core.block import Bound, ColumnOf, Term, column_text
from sartor.core.view import KeyColumn, ViewDefinition, key_column
from sartor.sql.matching.columns import Columns
from sartor.sql.matching.found import ALIAS, Aligned, Match
from sartor.sql.matching.whole import TIMES
from sartor.sql.rewrite import Splice

UNITS = ("year", "quarter", "month", "day")
"""From the coarsest on."""
_BEGINNING = {
    unit: re.compile(rf"'(?!0000)\d{{4}}-{day}( 00:00:00)?'")
    for unit, day in zip(UNITS, ("01-01", "(01|04|07|10)-01", r"\d\d-01", r"\d\d-\d\d"), strict=True)
}
_OF = " of "
_OPERATORS = (">=", "<")


def put_aligned(term: Term, view: ViewDefinition, columns: Columns, match: Match) -> bool:
    """Ask a bound of the key that holds beginnings of a unit; says whether there is one. Its literal has to be such a beginning."""
    bound = term.bound
    if bound is None or not can_align(bound, view.type_of(bound.column)) or columns.key(bound.column) is not None or not term.parts:
        return False
    for column in (bound.column, *sorted(columns.alike.of(bound.column))):
        found = key_of_beginnings(column, view)
        if found is not None and is_aligned(bound, found[1], columns.words):
            place, unit = found
            read = term.parts[0]
            match.keys.add(place)
            match.splices.append(Splice(read.first, read.last, f"{ALIAS}.{key_column(place)}"))
            match.guards.append(Aligned(bound, unit))
            return True
    return False


@lru_cache(maxsize=4096)
def key_of_beginnings(column: ColumnOf, view: ViewDefinition) -> tuple[int, str] | None:
    """The position of a key that holds the beginnings of units in which a column's days lie, and the unit."""
    kind = view.type_of(column)
    places = ((view.key_of.get(beginning(column, unit, kind).text), unit) for unit in UNITS if kind in TIMES)
    return next(((place, unit) for place, unit in places if place is not None), None)


def finest(keys: Sequence[KeyColumn]) -> list[KeyColumn]:
    """Keys without those that hold beginnings of coarser units than another one of the same column: a year begins with a month."""
    units = {key.text: key.text.partition(_OF) for key in keys if holds_beginnings(key)}
    least: dict[str, int] = {}
    for unit, _, column in units.values():
        least[column] = max(least.get(column, 0), UNITS.index(unit))
    return [key for key in keys if key.text not in units or UNITS.index(units[key.text][0]) == least[units[key.text][2]]]


def holds_beginnings(key: KeyColumn) -> bool:
    """Whether it is a key that `beginning` makes."""
    return not key.is_column and key.text.partition(_OF)[0] in UNITS


def can_align(bound: Bound, kind: str) -> bool:
    """Whether a bound on a column of this type may be asked of beginnings."""
    return bound.operator in _OPERATORS and kind in TIMES and bound.kind in ("date", "timestamp")


def is_aligned(bound: Bound, unit: str, words: tuple[str, ...]) -> bool:
    """Whether a statement's literal is the beginning of a unit, between the years 1 and 9999.

    >>> is_aligned(Bound(("main.o", "d"), ">=", ((0, 0),), "date"), "quarter", ("'2024-04-01'",))
    True
    """
    return all(_BEGINNING[unit].fullmatch(value) for value in bound.values(words))


def beginning(column: ColumnOf, unit: str, kind: str) -> KeyColumn:
    """The key that holds the beginning of the unit in which a day or moment lies; itself outside the years 1 to 9999.

    There date_trunc may raise, and infinity has no year.
    """
    name = column_text(column)
    inside = f"{name} >= {kind} '0001-01-01' AND {name} < {kind} '9999-12-31'"
    return KeyColumn(
        f"{unit}{_OF}{name}", f"CASE WHEN {inside} THEN CAST(date_trunc('{unit}', {name}) AS {kind}) ELSE {name} END", False
    )
