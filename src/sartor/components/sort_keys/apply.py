"""What a sorted copy stores: columns of its table, the row id beside them, ordered by its key."""

from __future__ import annotations

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN
from sartor.core.table import FileScan, Source, quote


def sorted_copy(source: Source, columns: tuple[str, ...], key: tuple[str, ...], templates: frozenset[str]) -> Action:
    """The action that makes a copy of these columns, in catalog order, sorted by this key."""
    return Action("sort_keys", source, (("columns", columns), ("key", key)), templates)


def build_query(action: Action, rows: str = "") -> str:
    """The SELECT of a copy's rows, in the copy's order.

    Rows that are equal in the key keep the order of the table, so that equal tables give equal copies. The types of the
    columns are the table's own.
    """
    columns = ", ".join(quote(column) for column in action.get("columns"))
    separator = ", " if columns else ""
    order = ", ".join(f"{quote(column)} ASC NULLS LAST" for column in action.get("key"))
    number = quote(ORDER_COLUMN)
    if isinstance(action.source, FileScan):
        numbered = f"SELECT *, row_number() OVER () - 1 AS {number} FROM {action.source}"
        return f"SELECT {columns}{separator}{number} FROM ({numbered}) ORDER BY {order}, {number} ASC"
    where = f" WHERE {rows}" if rows else ""
    return f"SELECT {columns}{separator}rowid AS {number} FROM {action.source}{where} ORDER BY {order}, rowid ASC"
