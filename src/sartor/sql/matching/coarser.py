"""A coarser part of a date from a finer one: `year(d)` is the year of a key that holds `date_trunc('month', d)`."""

from __future__ import annotations

from functools import lru_cache

from sartor.core.block import ColumnOf, Term, column_text
from sartor.core.view import ViewDefinition, key_column, part_column
from sartor.sql.date_parts import TELLS, UNITS
from sartor.sql.matching.beginnings import UNITS as STORED
from sartor.sql.matching.beginnings import beginning
from sartor.sql.matching.classes import Classes
from sartor.sql.matching.found import Part


def part_of(term: Term, view: ViewDefinition, alike: Classes) -> Part | None:
    """How a part of a date follows from a key of a view; None if no key tells it.

    The key is cast to the type of the date, so that the part is of plain's type. That never raises: what date_trunc gives lies between
    the days of the column, and infinity stays infinity. Rows appended since give the part of the date itself, for date_trunc raises on
    days far away that `year` takes.
    """
    if not term.unit or not term.sql:
        return None
    column = next(term.columns())
    place = next((found for other in alike.in_turn(column) if (found := finer_key(other, term.unit, view)) is not None), None)
    if place is None:
        return None
    key = f"CAST({key_column(place)} AS {view.type_of(column)})"
    return Part(part_column(term.text), term.sql.replace(column_text(column), key), term.sql)


@lru_cache(maxsize=4096)
def finer_key(column: ColumnOf, needed: str, view: ViewDefinition) -> int | None:
    """The position of the key that holds the coarsest beginnings of a column's days or moments that tell a unit."""
    kind = view.type_of(column)
    for unit in UNITS:
        for text in _texts(column, unit, kind) if needed in TELLS[unit] else ():
            if text in view.key_of:
                return view.key_of[text]
    return None


def _texts(column: ColumnOf, unit: str, kind: str) -> list[str]:
    """The keys that hold the beginnings of a unit, in canonical form."""
    name = column_text(column)
    texts = [f"DATE_TRUNC('{unit.upper()}', {name})"]
    texts += [beginning(column, unit, kind).text] if unit in STORED else []
    return [*texts, f"CAST({name} AS DATE)"] if (unit, kind) == ("day", "TIMESTAMP") else texts
