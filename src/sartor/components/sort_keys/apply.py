"""What a sorted copy stores: columns of its table, the row id beside them, ordered by its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN, DerivedObject
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Column, FileScan, Source, quote
from sartor.engines.base import Engine
from sartor.freshness.changes import SIGN, Change, Unmended
from sartor.freshness.residual import appended_since, relation


def sorted_copy(
    source: Source,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    templates: frozenset[str],
    *,
    then_by_row: bool = False,
    schema: tuple[Column, ...] = (),
) -> Action:
    """The action that makes a copy of these columns, in catalog order, sorted by this key; without a key in the order of the table.

    Args:
        schema: of files, all columns: the catalog does not hold them.
        then_by_row: rows that are equal in the key keep the order of the table. Where one value of the key fills row groups,
            what the table's own order skips is skipped within them too; it makes the sort a quarter slower.
    """
    definition: tuple[tuple[str, Any], ...] = (("columns", columns), ("key", key), ("then_by_row", then_by_row))
    if isinstance(source, FileScan):
        definition = (*definition, ("schema", tuple((column.name, column.type) for column in schema)))
    return Action("sort_keys", source, definition, templates)


def build_query(action: Action) -> OrderedQuery:
    """A copy's rows, in the copy's order.

    The types of the columns are the table's own.
    """
    return _query(action, "", "rowid")


def tail_query(derived: DerivedObject) -> str:
    """The SELECT of the rows appended since, in the copy's order.

    Where the table has lost rows, rows may have moved down since: the numbers of new rows must still come after all numbers
    given before.
    """
    shift = f" + (SELECT coalesce(max({quote(ORDER_COLUMN)}), -1) + 1 FROM {relation(derived)})"
    return _query(derived.action, appended_since(derived), "rowid" + ("" if derived.coverage.dense else shift)).sql


def mend(engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
    """Take the rows that are gone out of a copy, and put those that came behind the sorted ones; returns how many came.

    Raises:
        Unmended: these are no rows with their numbers.
    """
    if changes.keys() != {0} or changes[0].only_appended:
        raise Unmended
    columns = [*derived.action.get("columns"), ORDER_COLUMN]
    held, names, number = relation(derived), ", ".join(map(quote, columns)), quote(ORDER_COLUMN)
    rows = changes[0].came_and_gone(columns)
    engine.execute(f"DELETE FROM {held} WHERE {number} IN (SELECT {number} FROM ({rows}) WHERE {SIGN} < 0)")
    appended = f"SELECT {names} FROM ({rows}) WHERE {SIGN} > 0"
    came = engine.rows(f"INSERT INTO {held} ({names}) {_ordered(derived.action, appended).sql}")
    return int(came[0][0])


def _query(action: Action, rows: str, row_number: str) -> OrderedQuery:
    columns = ", ".join(quote(column) for column in action.get("columns"))
    separator = ", " if columns else ""
    number = quote(ORDER_COLUMN)
    if isinstance(action.source, FileScan):
        numbered = f"SELECT *, row_number() OVER () - 1 AS {number} FROM {action.source}"
        return _ordered(action, f"SELECT {columns}{separator}{number} FROM ({numbered})")
    where = f" WHERE {rows}" if rows else ""
    return _ordered(action, f"SELECT {columns}{separator}{row_number} AS {number} FROM {action.source}{where}")


def _ordered(action: Action, select: str) -> OrderedQuery:
    then = ORDER_COLUMN if action.get("then_by_row") else ""
    return OrderedQuery(select, tuple(action.get("key")), then, scans=not isinstance(action.source, FileScan))
