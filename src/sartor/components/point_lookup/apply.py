"""What is held in memory for look-ups: columns of a table, the row id behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Column, TableName, quote

if TYPE_CHECKING:
    import pyarrow as pa

    from sartor.components.point_lookup.content import Content


def held_columns(source: TableName, key: str, columns: tuple[Column, ...], templates: frozenset[str] = frozenset()) -> Action:
    """The action that holds these columns, in catalog order, for look-ups by the key, which is one of them."""
    definition = (
        ("columns", tuple(column.name for column in columns)),
        ("key", (key,)),
        ("schema", tuple((column.name, column.type) for column in columns)),
        ("in_memory", True),
    )
    return Action("point_lookup", source, definition, templates)


def build_query(action: Action) -> OrderedQuery:
    """The rows to hold, as they come."""
    return OrderedQuery(select(action), scans=True)


def select(action: Action, rows: str = "") -> str:
    """The SELECT of rows.

    Args:
        rows: a condition on the row id; all rows if it is empty.
    """
    columns = ", ".join(quote(column) for column in action.get("columns"))
    where = f" WHERE {rows}" if rows else ""
    return f"SELECT {columns}, rowid AS {quote(ORDER_COLUMN)} FROM {action.source}{where}"


def hold(action: Action, rows: pa.Table, before: Content | None) -> Content:
    """The rows of `build_query`, ready to be looked up.

    Args:
        before: what is held already, if these are the rows that came behind it.

    Raises:
        Unreadable: there is a date or a time that Python has no value for.
    """
    from sartor.components.point_lookup import content

    return content.hold(rows, action.get("key")[0]) if before is None else before.extended(rows)
