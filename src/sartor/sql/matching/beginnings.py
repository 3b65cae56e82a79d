"""Keys that hold the beginnings of years, quarters, months or days in the place of days or moments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from sartor.core.block import ColumnOf, column_text
from sartor.core.view import KeyColumn, ViewDefinition

UNITS = ("year", "quarter", "month", "day")
"""From the coarsest on."""
_OF = " of "
_KINDS = ("DATE", "TIMESTAMP")


@lru_cache(maxsize=4096)
def key_of_beginnings(column: ColumnOf, view: ViewDefinition) -> tuple[int, str] | None:
    """The position of a key that holds the beginnings of units in which a column's days lie, and the unit."""
    kind = view.type_of(column)
    places = ((view.key_of.get(beginnings_of(column_text(column), unit)), unit) for unit in UNITS if kind in _KINDS)
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


def beginnings_of(name: str, unit: str) -> str:
    """The canonical form of a key that holds the beginnings of units.

    Args:
        name: of the column, in canonical form.
    """
    return f"{unit}{_OF}{name}"


def beginning(column: ColumnOf, unit: str, kind: str) -> KeyColumn:
    """The key that holds the beginning of the unit in which a day or moment lies; itself outside the years 1 to 9999.

    There date_trunc may raise, and infinity has no year.
    """
    name = column_text(column)
    inside = f"{name} >= {kind} '0001-01-01' AND {name} < {kind} '9999-12-31'"
    return KeyColumn(
        beginnings_of(name, unit), f"CASE WHEN {inside} THEN CAST(date_trunc('{unit}', {name}) AS {kind}) ELSE {name} END", False
    )
