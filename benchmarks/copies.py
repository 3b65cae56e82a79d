"""`python -m benchmarks copies`: copies made inside a file by ORDER BY and by a stream through the kernels, in turns.

Sorted copies, and layouts by cells; beside these a copy of the same columns by one key is made by ORDER BY, as anybody could.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb

from benchmarks.files import loaded, working_folder
from benchmarks.statement import BenchmarkError, Options, Suite
from sartor.components.layouts import cells
from sartor.components.layouts.curves import HILBERT, Z_ORDER
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Column, TableName, quote
from sartor.engines.duckdb.create import is_streamed, stream
from sartor.engines.duckdb.engine import DuckDBEngine

Way = Callable[[DuckDBEngine, str, OrderedQuery], None]


@dataclass(frozen=True, slots=True)
class Case:
    """A copy.

    Attributes:
        key: what it is ordered by, or a layout is cut by.
        columns: what it holds beside the row number; empty for all of the table's.
        kind: of a layout; empty for a sorted copy.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...] = ()
    kind: str = ""

    @property
    def name(self) -> str:
        """
        >>> Case("items", ("a", "b"), ("a", "b", "c")).name
        'items by a, b: 3 columns'
        """
        return f"{self.table} by {self.kind and f'{self.kind} of '}{', '.join(self.key)}: {len(self.columns) or 'all'} columns"

    def query(self, engine: DuckDBEngine) -> OrderedQuery:
        if not self.kind:
            return self._by(self.key)
        source = TableName(engine.database, "main", self.table)
        schema = [Column(name, kind) for name, kind, *_ in engine.rows(f"DESCRIBE {source}") if name in self.columns]
        made = (
            cells.grid(source, schema, self.key, _PARTS, frozenset())
            if self.kind == cells.GRID
            else cells.curve(self.kind, source, schema, self.key, frozenset())
        )
        return cells.copy(made).build_query()

    def by_one_key(self) -> OrderedQuery:
        return self._by(self.key[:1])

    def _by(self, key: tuple[str, ...]) -> OrderedQuery:
        columns = ", ".join(map(quote, self.columns)) or "*"
        return OrderedQuery(f"SELECT {columns}, rowid AS sartor_row FROM {quote(self.table)}", key, scans=True)


_ITEMS = ("product_id", "shipped", "price", "quantity", "order_id")
_WEIGHED = (*_ITEMS, "weight")
_BY_THREE = ("product_id", "shipped", "weight")
_PARTS = (5, 5)  # of a grid's first columns
CASES = {
    "shop": (
        Case("items", ("product_id",), _ITEMS),
        Case("items", ("shipped",), _ITEMS),
        Case("items", ("warehouse", "product_id"), (*_ITEMS, "warehouse")),
        Case("items", ("note",), ("note", "product_id", "price")),
        Case("items", ("product_id",)),
        *(Case("items", _BY_THREE, _WEIGHED, kind) for kind in (Z_ORDER, HILBERT, cells.GRID)),
    ),
    "tpch": (
        Case("lineitem", ("l_shipdate",), ("l_shipdate", "l_quantity", "l_extendedprice", "l_discount")),
        Case("lineitem", ("l_partkey",), ("l_partkey", "l_suppkey", "l_quantity", "l_extendedprice", "l_discount", "l_shipdate")),
        Case("lineitem", ("l_shipmode", "l_shipdate"), ("l_shipmode", "l_shipdate", "l_receiptdate", "l_orderkey")),
        Case("lineitem", ("l_partkey",)),
    ),
}


def measure(suite: Suite, options: Options, cache: Path | None, repetitions: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Median seconds of each way, the commit included, and of storing rows that are in order already, which no way can do without."""
    if suite.name not in CASES:
        raise BenchmarkError(f"{suite.name} has no large table to copy; choose {' or '.join(CASES)}")
    found = []
    with working_folder(cache) as folder:
        path = folder / "copies.duckdb"
        shutil.copy(loaded(suite, options, cache), path)
        with duckdb.connect(path, config={"threads": options.threads}) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS sartor")
            engine = DuckDBEngine(connection.cursor())
            try:
                for case in CASES[suite.name]:
                    found.append(_record(engine, case, repetitions))
                    tell(_line(found[-1]))
            finally:
                engine.close()
    return {"suite": suite.name, "scale": options.scale, "threads": options.threads, "records": found}


def _record(engine: DuckDBEngine, case: Case, repetitions: int) -> dict[str, Any]:
    query = case.query(engine)
    ways: dict[str, tuple[Way, OrderedQuery]] = {"order by": (_order_by, query), "stream": (_stream, query)}
    if case.kind:
        ways["one key"] = _order_by, case.by_one_key()
    chosen = "stream" if is_streamed(engine, query) else "order by"
    with _made(engine, _stream, query):  # compiles what has to be
        pass
    times: dict[str, list[float]] = {name: [] for name in (*ways, "in order")}
    for turn in range(repetitions):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            with _made(engine, *ways[name]) as (relation, seconds):
                times[name].append(seconds)
                if name == "order by":
                    with _made(engine, _order_by, OrderedQuery(f"SELECT * FROM {relation}"), "again") as (_, seconds):
                        times["in order"].append(seconds)
    middle = {name: median(taken) for name, taken in times.items()}
    return {
        "case": case.name,
        **asdict(case),
        "rows": engine.rows(f"SELECT count(*) FROM {quote(case.table)}")[0][0],
        "seconds": middle,
        "raw": times,
        "ratio": middle["order by"] / middle["stream"],
        "most": middle["order by"] / middle["in order"],
        "chosen": chosen,
    }


@contextmanager
def _made(engine: DuckDBEngine, way: Way, query: OrderedQuery, name: str = "copy") -> Iterator[tuple[str, float]]:
    """A table made in one transaction, and what that took; dropped at the end."""
    relation = f'{quote(engine.database)}."sartor".{quote(name)}'
    began = perf_counter()
    with engine.transaction():
        way(engine, relation, query)
    yield relation, perf_counter() - began
    engine.execute(f"DROP TABLE {relation}")
    engine.execute("CHECKPOINT")


def _order_by(engine: DuckDBEngine, relation: str, query: OrderedQuery) -> None:
    engine.execute(f"CREATE TABLE {relation} AS {query.sql}")


def _stream(engine: DuckDBEngine, relation: str, query: OrderedQuery) -> None:
    engine.execute(f"CREATE TABLE {relation} AS {query.kept} WITH NO DATA")
    if not stream(engine, relation, query):
        raise BenchmarkError("there is not enough memory to stream; choose a smaller --scale")


def _line(record: dict[str, Any]) -> str:
    seconds = record["seconds"]
    line = (
        f"{record['case']:<62} ORDER BY {seconds['order by']:6.2f} s   stream {seconds['stream']:6.2f} s   {record['ratio']:.2f} times"
        f"   (in order already {seconds['in order']:6.2f} s: at most {record['most']:.2f}; chosen: {record['chosen']})"
    )
    if "one key" in seconds:
        line += f"   by one key {seconds['one key']:.2f} s, {seconds[record['chosen']] / seconds['one key']:.2f} times as long"
    return line
