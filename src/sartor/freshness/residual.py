"""The SELECT that hands out a table's rows from a copy of it, and the rows appended since from the table itself.

And, for objects of any number of tables, the conditions that tell the rows which an object covers from those appended since.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.analysis import RowOrder
from sartor.core.derived import ORDER_COLUMN, SCHEMA, STATE_TABLE, DerivedObject
from sartor.core.table import TableName, quote
from sartor.freshness.usable import Use

_AFTER_ALL_COPIED = 1 << 62  # added to the row id of an appended row: row ids stay below 2**56, and the sum below 2**63


def content(derived: DerivedObject, columns: Sequence[str], order: RowOrder, how: Use, only: str = "") -> str:
    """The rows of the object's table, as a SELECT without parentheses or alias.

    Args:
        columns: the names to hand out, as the catalog spells them; the object covers all of them.
        order: BASE hands the rows out in the order of the base table. DuckDB keeps the inner ORDER BY.
        how: WHOLE or RESIDUAL, as `use` said.
        only: a condition on the stored rows, over the columns of the object, that leaves out what the statement itself would; rows
            appended since are read whatever it says.

    The high water is read from the state table by the statement itself, so that object and residual belong to one snapshot
    however often the object has had a tail appended since this text was made.
    """
    names = ", ".join(quote(column) for column in columns) or quote(ORDER_COLUMN)
    held = f"{relation(derived)} WHERE {only}" if only else relation(derived)
    if order is RowOrder.FREE:
        stored = f"SELECT {names} FROM {held}"
        if how is Use.WHOLE:
            return stored
        return f"{stored} UNION ALL SELECT {_appended(columns)} FROM {_base(derived)} WHERE {appended_since(derived)}"
    number = quote(ORDER_COLUMN)
    if how is Use.WHOLE:
        return f"SELECT {names} FROM {held} ORDER BY {number} ASC"
    return (
        f"SELECT {names} FROM (SELECT {_with_number(names, columns)} FROM {held} UNION ALL "
        f"SELECT {_with_number(names, columns, f'rowid + {_AFTER_ALL_COPIED} AS {number}')} "
        f"FROM {_base(derived)} WHERE {appended_since(derived)}) ORDER BY {number} ASC"
    )


def relation(derived: DerivedObject) -> str:
    """The full name of the object's table."""
    return f"{quote(derived.action.source.database)}.{quote(SCHEMA)}.{quote(derived.table)}"


def appended_since(derived: DerivedObject, place: int = 0, row: str = "rowid") -> str:
    """The condition that holds for exactly those rows of a table which the object does not cover.

    Args:
        place: of the table among the object's sources.
        row: the table's row id as the statement knows it, such as `"t".rowid`.
    """
    return f"{row} > {_last_covered(derived, place)}"


def covered_before(derived: DerivedObject, place: int = 0, row: str = "rowid") -> str:
    """The condition that holds for exactly those rows of a table which the object covers: the complement of `appended_since`."""
    return f"{row} <= {_last_covered(derived, place)}"


def _last_covered(derived: DerivedObject, place: int) -> str:
    """The row id, in the statement's own snapshot, of the last row covered of a table; -1 if none is.

    NULL only where the object may not be used: it is gone, or rows that it covers are.

    Where the table never lost a row up to the high water, covered rows can not move. Else a checkpoint may have moved them
    down, in the same order; with the mutation count unchanged the rows covered are still the first ones, so the statement
    finds the last of them by its position.

    Where the text may tell it, it does: a look into the state table takes 0.4 ms.
    """
    source, coverage = derived.action.sources[place], derived.coverages[place]
    assert isinstance(source, TableName), "files have no residual"
    state = f"{quote(derived.action.source.database)}.{quote(SCHEMA)}.{quote(STATE_TABLE)}"
    where = f"WHERE identifier = {derived.identifier} AND generation = {derived.generation} AND place = {place}"
    if coverage.dense and coverage.told:
        return str(coverage.high_water)
    if coverage.dense:
        return f"(SELECT high_water FROM {state} {where})"
    position = f"(SELECT rows_covered - 1 FROM {state} {where})"
    if coverage.rows:
        return f"(SELECT rowid FROM {source} LIMIT 1 OFFSET {position})"
    # No row was covered, but a tail may have been appended by the time of the snapshot; an offset of -1 would raise.
    some = f"(SELECT least(rows_covered, 1) FROM {state} {where})"
    return f"coalesce((SELECT rowid FROM {source} LIMIT {some} OFFSET greatest({position}, 0)), -1)"


def _base(derived: DerivedObject) -> str:
    return str(derived.action.source)


def _appended(columns: Sequence[str]) -> str:
    return ", ".join(quote(column) for column in columns) or "rowid"


def _with_number(names: str, columns: Sequence[str], number: str = quote(ORDER_COLUMN)) -> str:
    return f"{names}, {number}" if columns else number
