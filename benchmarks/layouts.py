"""Layouts beside every sort order that one or two columns give.

Each workload is a stream over the shop's items, tuned on one half and judged on the other: conditions on several columns, on one of
several, conditions that repeat, and conditions on tables that items are joined to. A rival is a table of the columns that the stream
reads, in an order; single keys and pairs are all tried on the judged half itself, and the best is told. The bytes that each takes
stand beside it. Row groups are counted by DuckDB, times are medians, every answer is compared. Rivals hand out rows in any order,
Sartor in that of the table. No order reads fewer row groups than those that the rows asked for would fill: the selectivity bound.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import permutations
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb

from benchmarks import drift
from sartor.components.layouts import cells
from sartor.components.layouts.curves import HILBERT, Z_ORDER
from sartor.components.layouts.propose import parts_of_grid
from sartor.components.layouts.serve import LAYOUTS
from sartor.core.constants import ROW_GROUP_ROWS
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Column, TableName, quote
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.workload.shop import make_shop

Progress = Callable[[str, float], None]
COLUMNS = ("load_order", "best_single_key", "best_two_keys", "zorder", "hilbert", "grid", "expert", "sartor")
_TRAINED, _JUDGED, _RUNS = 300, 30, 3
"""Statements of the half that is learned from, those drawn from the other, and runs of each. Sixty to learn from took 1.3 s in all on
a fast machine: nothing pays its building back there."""

_STORAGE = 2.0
"""Sartor's budget, of the bytes of the best single key: its copies keep the numbers of rows, and are foretold to take up to 1.4 times
what they do."""
_SUMMED_UP = ("total_s", "row_groups", "build_s", "bytes")
_DAYS = 1_000
_DESCRIBING = ("products", "orders", "customers")


@dataclass(frozen=True, slots=True)
class Workload:
    """A stream of statements over `items`.

    Attributes:
        reads: the columns that its statements read.
        keys: those that rivals are sorted by.
        hottest: those that the curves go through.
        statement: draws one.
        scattered: the rows come in no order, so that load order helps no column.
        passing: how many rows pass a statement's conditions, by its answer; None where that does not tell.
    """

    name: str
    reads: tuple[str, ...]
    keys: tuple[str, ...]
    hottest: tuple[str, ...]
    statement: Callable[[random.Random, int], str]
    passing: Callable[[list[tuple[Any, ...]]], int] | None
    scattered: bool = False


@dataclass(slots=True)
class Pruned:
    """Row groups that statements read of layouts with several dimensions, beside what they would have to read.

    Attributes:
        least: for statements that filter all dimensions of their layout the selectivity bound; for those that filter one of d
            N to the power of (d - 1) / d, N being the row groups of the table.
    """

    statements: int = 0
    row_groups: int = 0
    least: float = 0.0

    def add(self, row_groups: int, least: float) -> None:
        self.statements += 1
        self.row_groups += row_groups
        self.least += least


@dataclass(slots=True)
class Figures:
    """What one way took for the judged half."""

    total_s: float = 0.0
    row_groups: int = 0
    build_s: float = 0.0
    bytes: int = 0
    order: list[str] = field(default_factory=list)
    all_dimensions: Pruned = field(default_factory=Pruned)
    one_dimension: Pruned = field(default_factory=Pruned)


_SUMMED = "SELECT count(*), sum(quantity), min(price), max(order_id) FROM items WHERE"


def _several(pick: random.Random, products: int) -> str:
    """Ranges of two or three columns at once."""
    first, day, cents = pick.randrange(products), pick.randrange(_DAYS), pick.randrange(5, 200)
    product = f"product_id BETWEEN {first} AND {first + products // 25}"
    shipped = f"shipped BETWEEN DATE '2022-01-01' + {day} AND DATE '2022-01-01' + {day + 40}"
    weight = f"weight BETWEEN {cents / 10} AND {cents / 10 + 1.5}"
    condition = " AND ".join(pick.choice([(product, shipped), (product, weight), (shipped, weight), (product, shipped, weight)]))
    return f"{_SUMMED} {condition}"


def _one(pick: random.Random, products: int) -> str:
    """A narrow range of one column, each of three as often."""
    first, day, cents = pick.randrange(products), pick.randrange(_DAYS), pick.randrange(5, 2000)
    condition = pick.choice(
        [
            f"product_id BETWEEN {first} AND {first + products // 1000}",
            f"shipped BETWEEN DATE '2022-01-01' + {day} AND DATE '2022-01-01' + {day + 1}",
            f"weight BETWEEN {cents / 100} AND {cents / 100 + 0.01}",
        ]
    )
    return f"{_SUMMED} {condition}"


_REPEATED = (
    "note LIKE '%damaged box 8_'",
    "note LIKE '%before delivery 77%'",
    "quantity = 5 AND weight * 2.0 > 39.7",
    "weight < quantity * 0.05",
    "returned AND note LIKE '%express%'",
    "lower(note) IN ('gift 7', 'gift 70', 'second try 333')",
)


def _repeated(pick: random.Random, products: int) -> str:
    """Conditions that zone maps do not see through, the same few again and again."""
    columns = pick.choice(["order_id, product_id, price", "order_id, note"])
    return f"SELECT {columns} FROM items WHERE {pick.choice(_REPEATED)}"


_JOINED = (
    "JOIN products p ON i.product_id = p.id WHERE p.category = 'category 3'",
    "JOIN products p ON i.product_id = p.id WHERE p.category = 'category 7' AND p.price > 40",
    "JOIN products p ON i.product_id = p.id WHERE p.brand IN ('brand 5', 'brand 55')",
    "JOIN orders o ON i.order_id = o.id WHERE o.status = 'cancelled'",
    "JOIN orders o ON i.order_id = o.id JOIN customers c ON o.customer_id = c.id WHERE c.segment = 'business'",
    "JOIN products p ON i.product_id = p.id JOIN orders o ON i.order_id = o.id "
    "WHERE p.category = 'category 3' AND o.status = 'cancelled'",
)


def _star(pick: random.Random, products: int) -> str:
    """The items that conditions on their products, orders and customers let through, the same few again and again."""
    columns, behind = pick.choice(
        [
            ("DISTINCT i.order_id, i.note", "ORDER BY i.order_id, i.note"),
            ("i.warehouse, count(*), bit_xor(i.order_id), min(i.note)", "GROUP BY i.warehouse ORDER BY i.warehouse"),
        ]
    )
    return f"SELECT {columns} FROM items i {pick.choice(_JOINED)} {behind}"


def _counted(answer: list[tuple[Any, ...]]) -> int:
    return int(answer[0][0])


_RANGED = ("order_id", "quantity", "price", "product_id", "shipped", "weight")
_NOTED = ("order_id", "product_id", "quantity", "price", "warehouse", "returned", "weight", "note")
_STARRED = ("order_id", "product_id", "warehouse", "note")
_DIMENSIONS = ("product_id", "shipped", "weight")
_MIXED = ("product_id", "weight")
WORKLOADS = (
    Workload("several ranges", _RANGED, _DIMENSIONS, _DIMENSIONS, _several, _counted),
    Workload("several ranges, scattered", _RANGED, _DIMENSIONS, _DIMENSIONS, _several, _counted, scattered=True),
    Workload("one range of three", _RANGED, _DIMENSIONS, _DIMENSIONS, _one, _counted),
    Workload(
        "conditions that repeat", _NOTED, ("note", "product_id", "weight", "warehouse"), ("product_id", "weight"), _repeated, len
    ),
    Workload("star joins", _STARRED, _STARRED, ("product_id", "order_id"), _star, None),
)


def measure(rows: int, seed: int, threads: int, seconds: float, progress: Progress) -> dict[str, Any]:
    """Figures of each way, summed over the workloads and for each; totals of one that drifts; `wrong` counts answers that differ."""
    totals, each = {name: Figures() for name in COLUMNS}, {}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.duckdb"
        with duckdb.connect(str(path), config={"threads": threads}) as connection:
            progress("making the shop", 0.0)
            make_shop(connection, rows, seed)
            ((products,),) = connection.execute("SELECT count(*) FROM products").fetchall()
        for number, workload in enumerate(WORKLOADS):
            pick = random.Random(seed * 1000 + number)
            trained, judged = ([workload.statement(pick, products) for _ in range(count)] for count in (_TRAINED, _JUDGED))
            with _copied(path, workload, threads) as copy:
                found, expected = _rivals(copy, workload, judged, threads, progress)
            with _copied(path, workload, threads) as copy:
                progress(f"{workload.name}: sartor", 0.9)
                storage = int(found["best_single_key"].bytes * _STORAGE)
                found["sartor"], differ = _sartor(copy, workload, trained, judged, expected, threads, seconds, storage)
                wrong += differ
            each[workload.name] = {name: asdict(found[name]) for name in COLUMNS} | {"bound": _bound(workload, expected)}
            for name in COLUMNS:
                for part in _SUMMED_UP:
                    setattr(totals[name], part, getattr(totals[name], part) + getattr(found[name], part))
        progress("drift", 0.95)
        found_drift = drift.measure(path, seed, threads, seconds, progress, lambda: _copied(path, WORKLOADS[1], threads))
        wrong += found_drift["wrong"]
    summed = {name: {part: value for part, value in asdict(figures).items() if part in _SUMMED_UP} for name, figures in totals.items()}
    return {"rows": rows, "seed": seed, "threads": threads, "wrong": wrong, **summed, "workloads": each, "drift": found_drift}


@contextmanager
def _copied(path: Path, workload: Workload, threads: int) -> Iterator[Path]:
    """The shop for one workload, and nothing left of it afterwards."""
    copy = path.with_name("copy.duckdb")
    shutil.copy(path, copy)
    try:
        if workload.scattered:
            with duckdb.connect(str(copy), config={"threads": threads}) as connection:
                connection.execute("CREATE TABLE scattered AS FROM items ORDER BY hash(order_id, line)")
                connection.execute("DROP TABLE items; ALTER TABLE scattered RENAME TO items; CHECKPOINT")
        yield copy
    finally:
        copy.unlink(missing_ok=True)
        shutil.rmtree(copy.with_name(copy.name + ".sartor"), ignore_errors=True)  # what was observed of the workload before


def _rivals(
    path: Path, workload: Workload, judged: Sequence[str], threads: int, progress: Progress
) -> tuple[dict[str, Figures], list[Any]]:
    """Load order, every key, every pair, both curves and an even grid; and the answers."""
    columns = ", ".join(workload.reads)
    plain = f"SELECT {columns} FROM items"
    with duckdb.connect(str(path), config={"threads": threads}) as connection:
        expected = [sorted(connection.execute(text).fetchall(), key=repr) for text in judged]
        ((rows,),) = connection.execute("SELECT count(*) FROM items").fetchall()
        figures = {"load_order": _judged(connection, judged, "items")}
        kinds = {"best_single_key": 1, "best_two_keys": 2}
        for name, length in kinds.items():
            found = []
            for keys in permutations(workload.keys, length):
                progress(f"{workload.name}: {' and '.join(keys)}", 0.1)
                one = _table(connection, OrderedQuery(plain, keys), judged)
                one.order = list(keys)
                found.append(one)
            figures[name] = min(found, key=lambda one: one.total_s)
        source = TableName(path.stem, "main", "items")
        described = {name: kind for name, kind, *_ in connection.execute("DESCRIBE items").fetchall()}
        schema = [Column(name, described[name]) for name in workload.reads]
        cut = len(workload.hottest) - 1
        even = parts_of_grid(rows, cut)
        actions = {
            "zorder": cells.curve(Z_ORDER, source, schema, workload.hottest, frozenset()),
            "hilbert": cells.curve(HILBERT, source, schema, workload.hottest, frozenset()),
            "grid": cells.grid(source, schema, workload.hottest, (even[len(even) // 2],) * cut, frozenset()),
        }
        pruning = _Pruning(workload, rows, expected, lambda: workload.hottest)
        for name, action in actions.items():
            progress(f"{workload.name}: {name}", 0.1)
            figures[name] = _table(connection, cells.copy(action).build_query(), judged, pruning)
            figures[name].order = list(workload.hottest)
    figures["expert"] = min((figures[name] for name in kinds), key=lambda one: one.total_s)
    return figures, expected


def _bound(workload: Workload, answers: Sequence[list[tuple[Any, ...]]]) -> int | None:
    """The row groups that the rows asked for would fill if they stood together, at least one for each statement."""
    if workload.passing is None:
        return None
    return sum(_filled(workload.passing(answer)) for answer in answers)


def _filled(rows: int) -> int:
    """The row groups that so many rows fill, at least one."""
    return max(1, -(-rows // int(ROW_GROUP_ROWS.default)))


@dataclass(frozen=True, slots=True)
class _Pruning:
    """Tells how far layouts with several dimensions are from what their dimensions allow.

    Attributes:
        rows: of the table.
        dimensions: those of what answered the last statement; one or none if that is no layout with several.
    """

    workload: Workload
    rows: int
    expected: Sequence[list[tuple[Any, ...]]]
    dimensions: Callable[[], Sequence[str]]

    def note(self, figures: Figures, number: int, text: str, row_groups: int) -> None:
        """Take the statement of that number in."""
        dimensions, filtered = set(self.dimensions()), set(_FILTERED.findall(text))
        if len(dimensions) < 2 or self.workload.passing is None:
            return
        if dimensions <= filtered:
            figures.all_dimensions.add(row_groups, _filled(self.workload.passing(self.expected[number])))
        elif len(dimensions & filtered) == 1:
            share = (len(dimensions) - 1) / len(dimensions)
            figures.one_dimension.add(row_groups, _filled(self.rows) ** share)


_FILTERED = re.compile(r"(\w+) BETWEEN")


def _table(
    connection: duckdb.DuckDBPyConnection, query: OrderedQuery, judged: Sequence[str], pruning: _Pruning | None = None
) -> Figures:
    """A table in an order: what building it takes, layouts as Sartor builds them, and the judged half of it."""
    engine = DuckDBEngine(connection.cursor())
    connection.execute("CHECKPOINT")
    before = _used(connection)
    started = perf_counter()
    with engine.transaction():
        engine.create(f'{quote(engine.database)}."main"."rival"', query)
    connection.execute("CHECKPOINT")
    spent = perf_counter() - started
    engine.close()
    figures = _judged(connection, judged, "rival", pruning)
    figures.build_s, figures.bytes = spent, _used(connection) - before
    connection.execute("DROP TABLE rival")
    return figures


def _used(connection: duckdb.DuckDBPyConnection) -> int:
    ((size, blocks),) = connection.execute("SELECT block_size, used_blocks FROM pragma_database_size()").fetchall()
    return int(size * blocks)


def _judged(connection: Any, judged: Sequence[str], table: str, pruning: _Pruning | None = None) -> Figures:
    figures = Figures()
    for number, text in enumerate(judged):
        asked = text.replace("FROM items", f"FROM {table}")
        read = row_groups(connection, asked)
        figures.row_groups += read
        figures.total_s += _seconds(connection, asked)
        if pruning is not None:
            pruning.note(figures, number, text, read)
    return figures


def _seconds(connection: Any, text: str) -> float:
    runs = []
    for _ in range(_RUNS):
        started = perf_counter()
        connection.execute(text).fetchall()
        runs.append(perf_counter() - started)
    return median(runs)


def _sartor(
    path: Path,
    workload: Workload,
    trained: Sequence[str],
    judged: Sequence[str],
    expected: Sequence[Any],
    threads: int,
    seconds: float,
    storage: int,
) -> tuple[Figures, int]:
    import sartor
    from sartor.interfaces.connection import session_of

    with sartor.connect(str(path), config={"threads": threads}, layouts=True, keep_results=False) as connection:
        for text in trained:
            connection.execute(text).fetchall()
        report = connection.tune(seconds=seconds, storage=storage)
        wrong = 0
        for text, rows in zip(judged, expected, strict=True):
            wrong += sorted(connection.execute(text).fetchall(), key=repr) != rows
        session = session_of(connection)

        def dimensions() -> Sequence[str]:
            objects = session.database.design.objects
            answered = [objects[one].action for one in (session.pending.alternative if session.pending else ()) if one in objects]
            found = [action.get("dimensions") for action in answered if action.component == LAYOUTS and cells.is_cells(action)]
            return found[0] if len(found) == len(answered) == 1 else ()

        ((rows_in_all,),) = connection.execute("SELECT count(*) FROM items").fetchall()
        figures = _judged(connection, judged, "items", _Pruning(workload, rows_in_all, expected, dimensions))
        for text, rows in zip(judged, expected, strict=True):
            wrong += sorted(connection.execute(text).fetchall(), key=repr) != rows
        built = session.database.design.objects.values()
        figures.build_s, figures.bytes = report.seconds, sum(derived.bytes_stored for derived in built)
        figures.order = [line.split(" (")[0] for line in report.built]
    return figures, wrong


def row_groups(connection: Any, text: str) -> int:
    """How many row groups of items or of a copy a statement reads, by DuckDB's own profile of what is run."""
    ((_, plan),) = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {text}").fetchall()
    pending, found = [json.loads(plan)], 0
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if (node.get("extra_info") or {}).get("Table", "").rpartition(".")[2] not in _DESCRIBING:
                found += int(node.get("row_groups_scanned", 0))
            pending += node.values()
        elif isinstance(node, list):
            pending += node
    return found


def failures(figures: dict[str, Any]) -> list[str]:
    """What does not hold whatever the machine: answers, and that Sartor reads no more row groups than the best single key.

    Where that reads one for each statement, as of a table of a single row group, no order reads less.

    >>> failures({"wrong": 1, "workloads": {"a": {"sartor": {"row_groups": 50}, "best_single_key": {"row_groups": 40}}}})
    ['1 answers differ', 'a: 50 row groups, 40 by the best single key']
    """
    found = [f"{figures['wrong']} answers differ"] * bool(figures["wrong"])
    for name, ways in figures["workloads"].items():
        ours, single = ways["sartor"]["row_groups"], ways["best_single_key"]["row_groups"]
        if ours > single > _JUDGED:
            found.append(f"{name}: {ours} row groups, {single} by the best single key")
    return found
