"""`python -m benchmarks copies`: sorted copies made inside a file by ORDER BY and by a stream through the kernels, in turns."""

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
from sartor.core.ordered import OrderedQuery
from sartor.core.table import quote
from sartor.engines.duckdb.create import is_streamed, stream
from sartor.engines.duckdb.engine import DuckDBEngine

Way = Callable[[DuckDBEngine, str, OrderedQuery], None]
_WARM_ROWS = 300_000


@dataclass(frozen=True, slots=True)
class Case:
    """A copy.

    Attributes:
        columns: what it holds beside the row number; empty for all of the table's.
    """

    table: str
    key: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """
        >>> Case("items", ("a", "b"), ("a", "b", "c")).name
        'items by a, b: 3 columns'
        """
        return f"{self.table} by {', '.join(self.key)}: {len(self.columns) or 'all'} columns"

    def query(self, rows: int | None = None) -> OrderedQuery:
        columns = ", ".join(map(quote, self.columns)) or "*"
        where = "" if rows is None else f" WHERE rowid < {rows}"
        return OrderedQuery(f"SELECT {columns}, rowid AS sartor_row FROM {quote(self.table)}{where}", self.key, scans=True)


_ITEMS = ("product_id", "shipped", "price", "quantity", "order_id")
CASES = {
    "shop": (
        Case("items", ("product_id",), _ITEMS),
        Case("items", ("shipped",), _ITEMS),
        Case("items", ("warehouse", "product_id"), (*_ITEMS, "warehouse")),
        Case("items", ("note",), ("note", "product_id", "price")),
        Case("items", ("product_id",)),
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
    query, ways = case.query(), {"order by": _order_by, "stream": _stream}
    chosen = "stream" if is_streamed(engine, query) else "order by"
    with _made(engine, _stream, case.query(_WARM_ROWS)):  # compiles what has to be
        pass
    times: dict[str, list[float]] = {name: [] for name in (*ways, "in order")}
    for turn in range(repetitions):
        for name in list(ways)[:: 1 if turn % 2 == 0 else -1]:
            with _made(engine, ways[name], query) as (relation, seconds):
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
    engine.execute(f"CREATE TABLE {relation} AS {query.select} WITH NO DATA")
    if not stream(engine, relation, query):
        raise BenchmarkError("there is not enough memory to stream; choose a smaller --scale")


def _line(record: dict[str, Any]) -> str:
    seconds = record["seconds"]
    return (
        f"{record['case']:<46} ORDER BY {seconds['order by']:6.2f} s   stream {seconds['stream']:6.2f} s   {record['ratio']:.2f} times"
        f"   (in order already {seconds['in order']:6.2f} s: at most {record['most']:.2f}; chosen: {record['chosen']})"
    )
