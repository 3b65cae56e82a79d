"""Copies of columns of one table, whatever order they are in: what they store, and how they are brought up to date.

Sorted copies and layouts are both that. Beside the columns of the table a copy may hold hidden ones, computed from each row, that it
is ordered by; whoever reads a copy names what is to be handed out, and never those.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sartor.components.base import Component
from sartor.core.action import Action, Estimate
from sartor.core.constants import BLOCK_FILL, BUILD_SECONDS_PER_CELL, BUILD_SECONDS_PER_TEXT, COMPRESSED_SHARE
from sartor.core.derived import ORDER_COLUMN, DerivedObject
from sartor.core.evidence import Evidence
from sartor.core.ordered import Cells, Computed, OrderedQuery
from sartor.core.table import Catalog, FileScan, TableInfo, quote
from sartor.core.width import Width
from sartor.engines.base import Engine
from sartor.freshness.changes import SIGN, Change, Unmended
from sartor.freshness.residual import appended_since, relation

_WIDTHS = {
    "BIGINT": 8,
    "INTEGER": 4,
    "SMALLINT": 2,
    "TINYINT": 1,
    "DOUBLE": 8,
    "FLOAT": 4,
    "DATE": 4,
    "TIMESTAMP": 8,
    "DECIMAL": 8,
    "BOOLEAN": 1,
    "VARCHAR": 16,
}


@dataclass(frozen=True, slots=True)
class Copy:
    """What a copy stores.

    Attributes:
        action: its definition holds the `columns`.
        key: what it is ordered by: columns of its table, and hidden ones.
        hidden: for each hidden column the expression that gives it. Those that `Action.hidden` does not name only tell the order, and
            are not stored.
        beside: a FROM item of one row that these expressions read besides the columns of the table; empty if they read none.
        cells: what the only hidden column is, if its expression is the place of a cell and the copy is ordered by it alone.
        then_by_row: rows that are equal in the key keep the order of the table.
    """

    action: Action
    key: tuple[str, ...]
    hidden: tuple[tuple[str, str], ...] = ()
    beside: str = ""
    cells: Cells | None = None
    then_by_row: bool = False

    @property
    def narrow(self) -> tuple[str, ...]:
        """The stored columns of which each row group holds a narrow range: those of the cells, else the first one of the key."""
        if self.cells:
            return self.cells.columns
        stored = (*self.action.get("columns"), *self.action.hidden)
        return tuple(name for name in self.key if name in stored)[:1]

    def build_query(self) -> OrderedQuery:
        """Its rows, in its order; the types of the table's columns are the table's own."""
        return self._query("", "rowid")

    def tail_query(self, derived: DerivedObject) -> str:
        """The SELECT of the rows appended since, in the copy's order.

        Where the table has lost rows, rows may have moved down since: the numbers of new rows must still come after all numbers
        given before.
        """
        shift = f" + (SELECT coalesce(max({quote(ORDER_COLUMN)}), -1) + 1 FROM {relation(derived)})"
        return self._query(appended_since(derived), "rowid" + ("" if derived.coverage.dense else shift)).sql

    def mend(self, engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
        """Take the rows that are gone out of the copy, and put those that came behind the sorted ones; returns how many came.

        Raises:
            Unmended: these are no rows with their numbers, or those in the copy are not known to be the same numbers.
        """
        if changes.keys() != {0} or changes[0].only_appended or self.action.others:
            raise Unmended
        held, number = relation(derived), quote(ORDER_COLUMN)
        columns = [*self.action.get("columns"), ORDER_COLUMN]
        rows = changes[0].came_and_gone(columns)
        engine.execute(f"DELETE FROM {held} WHERE {number} IN (SELECT {number} FROM ({rows}) WHERE {SIGN} < 0)")
        came = f"SELECT {self._selected(number)} FROM {self._from(f'({rows})')} WHERE {SIGN} > 0"
        names = ", ".join(map(quote, [*self.action.get("columns"), *self.action.hidden, ORDER_COLUMN]))
        return int(engine.rows(f"INSERT INTO {held} ({names}) {self._ordered(came).sql}")[0][0])

    def _query(self, rows: str, row_number: str) -> OrderedQuery:
        source, number = self.action.source, quote(ORDER_COLUMN)
        if isinstance(source, FileScan):
            numbered = f"(SELECT *, row_number() OVER () - 1 AS {number} FROM {source})"
            return self._ordered(f"SELECT {self._selected(number)} FROM {self._from(numbered)}")
        where = f" WHERE {rows}" if rows else ""
        numbered = f"{row_number} AS {number}"
        query = self._ordered(f"SELECT {self._selected(numbered)} FROM {self._from(str(source))}{where}")
        if not self.hidden:
            return replace(query, scans=True)
        plain = f"SELECT {', '.join([*map(quote, self.action.get('columns')), numbered])} FROM {source}{where}"
        return replace(query, computed=Computed(tuple(name for name, _ in self.hidden), plain, ORDER_COLUMN, self.cells))

    def _selected(self, number: str) -> str:
        """The select list: columns, hidden columns, the number of the row."""
        hidden = (f"{expression} AS {quote(name)}" for name, expression in self.hidden)
        return ", ".join([*map(quote, self.action.get("columns")), *hidden, number])

    def _from(self, rows: str) -> str:
        return f"{rows}, {self.beside}" if self.beside else rows

    def _ordered(self, select: str) -> OrderedQuery:
        unstored = tuple(name for name, _ in self.hidden if name not in self.action.hidden)
        return OrderedQuery(select, self.key, ORDER_COLUMN if self.then_by_row else "", unstored=unstored)


class CopyComponent(Component):
    """A component whose objects are copies of columns of one table."""

    @abstractmethod
    def copy(self, action: Action) -> Copy:
        """What an object of this action stores."""

    def build_query(self, action: Action) -> OrderedQuery:
        return self.copy(action).build_query()

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        return self.copy(derived.action).tail_query(derived)

    def mend(self, engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
        return self.copy(derived.action).mend(engine, derived, changes)


def _bytes_stored(action: Action, rows: float, info: TableInfo | None, sorted_by: str, *, keeps_order: bool) -> float:
    """What a copy takes: each column by the range of its values, the one that rows are sorted by by how close they lie then.

    Columns of which nothing is known take a share of the width of their type.
    """
    bits = Width(steps=rows).bits(rows, runs=keeps_order)  # the number of the row
    for name in action.get("columns"):
        width = info.widths.get(name.lower()) if info is not None else None
        column = info.column(name) if info is not None else None
        kind = column.type.partition("(")[0] if column is not None else "VARCHAR"
        flat = 8.0 * _WIDTHS.get(kind, 8) * COMPRESSED_SHARE.default
        bits += width.bits(rows, runs=name == sorted_by) if width is not None else flat
    return rows * bits / 8.0 / BLOCK_FILL.default


def cost(
    action: Action,
    saved: dict[str, Evidence],
    rows: float,
    catalog: Catalog,
    *,
    sorted_by: str = "",
    hidden_seconds: float = 0.0,
    share: float = 1.0,
    keeps_order: bool = False,
) -> Estimate:
    """What a copy saves and costs.

    Args:
        saved: per template digest, seconds on each run.
        rows: of its source.
        sorted_by: the column that comes first in its order.
        hidden_seconds: what computing its hidden columns takes for each row.
        share: of the time that sorting and storing take.
        keeps_order: the rows stand in the order of the table.
    """
    info = catalog.info(action.source)
    columns = [info.column(name) if info is not None else None for name in action.get("columns")]
    types = [column.type.partition("(")[0] if column is not None else "VARCHAR" for column in columns]
    texts = sum(kind == "VARCHAR" or kind not in _WIDTHS for kind in types)
    cells = (len(types) - texts + 1) * BUILD_SECONDS_PER_CELL.default + texts * BUILD_SECONDS_PER_TEXT.default
    row_seconds = share * (cells + hidden_seconds)
    return Estimate(
        action,
        saved,
        Evidence(row_seconds * rows, "predicted", "cells"),
        Evidence(_bytes_stored(action, rows, info, sorted_by, keeps_order=keeps_order), "predicted", "widths of columns"),
        Evidence(row_seconds, "predicted", "cells"),
    )
