"""A coarser part of a date from a finer one: `year(d)` is the year of a key that holds `date_trunc('month', d)`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

from sartor.core.block import ColumnOf, Term, column_text
from sartor.core.view import KeyColumn, ViewDefinition, key_column, part_column
from sartor.sql.date_parts import TELLS, UNITS, unit_of
from sartor.sql.matching.beginnings import beginnings_of, holds_beginnings
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
    tells = (text for unit in UNITS if needed in TELLS[unit] for text in _texts(column_text(column), unit))
    return next((view.key_of[text] for text in tells if text in view.key_of), None)


def without_told(keys: Sequence[KeyColumn]) -> list[KeyColumn]:
    """Keys without parts of dates that finer ones of them tell: they make no more groups, and take room."""
    texts = {key.text for key in keys}
    return [key for key in keys if key.is_column or not _is_told(key, texts)]


def _is_told(key: KeyColumn, texts: Collection[str]) -> bool:
    needed, name = _part_of_column(key.text) if not holds_beginnings(key) else ("", "")
    finer = [unit for unit in UNITS if unit != needed and needed in TELLS[unit]]
    return any(text in texts for unit in finer for text in _texts(name, unit))


@lru_cache(maxsize=4096)
def _part_of_column(text: str) -> tuple[str, str]:
    """The unit that tells a part of a date in canonical form, and the column in that form; empty for anything else."""
    node = sqlglot.parse_one(text, read="duckdb")
    needed = unit_of(node, lambda column: "TIMESTAMP")
    column = node.find(exp.Column)
    return (needed, column.sql("duckdb")) if needed and column is not None else ("", "")


def _texts(name: str, unit: str) -> list[str]:
    """The keys that hold the beginnings of a unit, in canonical form.

    Args:
        name: of the column, in that form.
    """
    return [f"DATE_TRUNC('{unit.upper()}', {name})", beginnings_of(name, unit), *([f"CAST({name} AS DATE)"] if unit == "day" else [])]
