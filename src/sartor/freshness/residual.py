"""The SELECT that hands out a table's rows from a derived object, and the rows appended since from the table itself."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.analysis import RowOrder
from sartor.core.derived import ORDER_COLUMN, SCHEMA, STATE_TABLE, DerivedObject
from sartor.core.table import TableName, quote
from sartor.freshness.usable import Use

_AFTER_ALL_COPIED = 1 << 62  # added to the row id of an appended row: row ids stay below 2**56, and the sum below 2**63


def content(derived: DerivedObject, columns: Sequence[str], order: RowOrder, how: Use) -> str:
    """The rows of the object's table, as a SELECT without parentheses or alias.

    Args:
        columns: the names to hand out, as the catalog spells them; the object covers all of them.
        order: BASE hands the rows out in the order of the base table. DuckDB keeps the inner ORDER BY.
        how: WHOLE or RESIDUAL, as `use` said.

    The high water is read from the state table by the statement itself, so that object and residual belong to one snapshot
    however often the object has had a tail appended since this text was made.
    """
    names = ", ".join(quote(column) for column in columns) or quote(ORDER_COLUMN)
    if order is RowOrder.FREE:
        stored = f"SELECT {names} FROM {relation(derived)}"
        if how is Use.WHOLE:
            return stored
        return f"{stored} UNION ALL SELECT {_appended(columns)} FROM {_base(derived)} WHERE {appended_since(derived)}"
    number = quote(ORDER_COLUMN)
    if how is Use.WHOLE:
        return f"SELECT {names} FROM {relation(derived)} ORDER BY {number} ASC"
    return (
        f"SELECT {names} FROM (SELECT {_with_number(names, columns)} FROM {relation(derived)} UNION ALL "
        f"SELECT {_with_number(names, columns, f'rowid + {_AFTER_ALL_COPIED} AS {number}')} "
        f"FROM {_base(derived)} WHERE {appended_since(derived)}) ORDER BY {number} ASC"
    )


def relation(derived: DerivedObject) -> str:
    """The full name of the object's table."""
    return f"{quote(derived.action.source.database)}.{quote(SCHEMA)}.{quote(derived.table)}"


def appended_since(derived: DerivedObject) -> str:
    """The condition on the base table's row id that holds for exactly the rows that the object does not cover.

    Where the table never lost a row up to the high water, covered rows can not move. Else a checkpoint may have moved them
    down, in the same order; with the mutation count unchanged the rows covered are still the first ones, so the statement
    finds the last of them by its position.
    """
    where = f"WHERE identifier = {derived.identifier} AND generation = {derived.generation}"
    assert isinstance(derived.action.source, TableName), "files have no residual"
    state = f"{quote(derived.action.source.database)}.{quote(SCHEMA)}.{quote(STATE_TABLE)}"
    if derived.coverage.dense:
        return f"rowid > (SELECT high_water FROM {state} {where})"
    position = f"(SELECT rows_covered - 1 FROM {state} {where})"
    return f"rowid > (SELECT rowid FROM {_base(derived)} LIMIT 1 OFFSET {position})"


def _base(derived: DerivedObject) -> str:
    return str(derived.action.source)


def _appended(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns) or "rowid"


def _with_number(names: str, columns: Sequence[str], number: str = quote(ORDER_COLUMN)) -> str:
    return f"{names}, {number}" if columns else number
