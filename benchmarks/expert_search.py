"""The expert's design by exhaustive search: every single and two-column sort order of every table, measured.

The search knows the judged half. It builds each order as a sorted copy of the columns that the statements need, measures every
template that reads the table, and then chooses the set of copies that takes the fewest seconds in total, with building and
the upkeep of writes counted, within the storage. The design kept by hand as SQL is measured the same way; the better one wins.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from math import inf
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp

from benchmarks.columns import ask
from benchmarks.files import bytes_of, loaded, stored_bytes, working_folder
from benchmarks.runner import Progress
from benchmarks.sorted_copies import (
    SortedCopy,
    mentioned_columns,
    mentions,
    read_hand_made,
    rewritten,
    single_writes,
    write_target,
)
from benchmarks.statement import Options, Statement, Suite

ROW_GROUP = 122_880  # a table of one row group has nothing to skip
VECTOR = 2_048  # rows that DuckDB reads at once: within so few rows a second key changes nothing
SAMPLES = 3  # statements measured of each template
_HOPELESS = 1.1  # times plain: a first run that is slower is not repeated
_USEFUL = 0.9  # times plain: an order that is not faster than this is of no use alone
MOST_COPIES = 6


@dataclass(slots=True)
class Tried:
    """What one copy costs and what each template takes with it."""

    copy: SortedCopy
    build_seconds: float
    bytes_stored: int
    upkeep_seconds: float
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def cost(self) -> float:
        return self.build_seconds + self.upkeep_seconds


def search(
    suite: Suite,
    options: Options,
    cache: Path | None,
    progress: Progress,
    smallest_table: int = ROW_GROUP,
    quick: bool = False,
) -> dict[str, Any]:
    """Measure all orders; gives the design as it is committed.

    Args:
        smallest_table: tables with so few rows are left as they are.
        quick: leave out pairs whose first key alone speeds nothing up.
    """
    base = loaded(suite, options, cache)
    with working_folder(cache) as folder:
        path = folder / "expert.duckdb"
        shutil.copyfile(base, path)
        connection = duckdb.connect(str(path), config={"threads": options.threads})
        try:
            stream = suite.stream(connection, options)
            reads = [one for one in stream.judged if not one.writes]
            samples = _samples(reads)
            counts = {name: sum(one.name == name for one in reads) for name in samples}
            plain = {name: [_seconds(connection, one, None) for one in chosen] for name, chosen in samples.items()}
            candidates = _candidates(connection, stream.judged, smallest_table)
            hand = [_narrowed(connection, copy, stream.judged) for copy in read_hand_made(suite)]
            writes = _write_seconds(connection, [one for one in stream.judged if one.writes])
            tried: list[Tried] = []
            useful: set[tuple[str, str]] = set()
            for number, copy in enumerate([*hand, *(copy for copy in candidates if copy not in hand)]):
                progress(f"trying {copy.name}", number / (len(hand) + len(candidates)))
                if quick and number >= len(hand) and len(copy.keys) > 1 and (copy.table, copy.keys[0]) not in useful:
                    continue
                tried.append(_try(connection, copy, samples, plain, writes))
                if len(copy.keys) == 1 and any(tried[-1].seconds[name] < _USEFUL * mean(plain[name]) for name in tried[-1].seconds):
                    useful.add((copy.table, copy.keys[0]))
        finally:
            connection.close()
    means = {name: mean(seconds) for name, seconds in plain.items()}
    options = replace(options, storage=f"{bytes_of(options.storage, base.stat().st_size)}B")
    return _document(options, means, counts, tried, tried[: len(hand)]) | {"quick": quick}


def _document(
    options: Options, plain: dict[str, float], counts: dict[str, int], tried: list[Tried], hand: list[Tried]
) -> dict[str, Any]:
    limit = bytes_of(options.storage)
    searched = choose(plain, counts, tried, limit)
    by_hand = choose(plain, counts, hand, limit)
    totals = {name: total(plain, counts, chosen) for name, chosen in (("search", searched), ("hand", by_hand))}
    origin = "hand" if totals["hand"] < totals["search"] else "search"
    chosen = by_hand if origin == "hand" else searched
    return {
        "origin": origin,
        "scale": options.scale,
        "seed": options.seed,
        "threads": options.threads,
        "storage": options.storage,
        "orders_tried": len(tried),
        "plain_s": total(plain, counts, ()),
        "hand_s": totals["hand"],
        "search_s": totals["search"],
        "chosen_s": totals[origin],
        "copies": [
            {
                "table": one.copy.table,
                "keys": list(one.copy.keys),
                "columns": list(one.copy.columns),
                "build_s": one.build_seconds,
                "upkeep_s": one.upkeep_seconds,
                "bytes": one.bytes_stored,
                "sql": one.copy.create,
            }
            for one in chosen
        ],
    }


def total(plain: dict[str, float], counts: dict[str, int], chosen: Sequence[Tried]) -> float:
    """Seconds of the judged half with these copies: of each table the best copy, their gains added."""
    seconds = sum(one.cost for one in chosen)
    for name, base in plain.items():
        gains: dict[str, float] = {}
        for one in chosen:
            gain = base - one.seconds.get(name, base)
            gains[one.copy.table] = max(gain, gains.get(one.copy.table, 0.0))
        seconds += counts[name] * max(base - sum(gains.values()), 0.0)
    return seconds


def choose(plain: dict[str, float], counts: dict[str, int], tried: Sequence[Tried], limit: int) -> tuple[Tried, ...]:
    """The set of copies with the fewest seconds within `limit` bytes: add the best one, try to swap, until nothing helps."""
    chosen: tuple[Tried, ...] = ()
    best = total(plain, counts, chosen)
    while True:
        neighbours = [chosen[:i] + chosen[i + 1 :] for i in range(len(chosen))]
        if len(chosen) < MOST_COPIES:
            neighbours.append(chosen)
        sets = [(*kept, one) for kept, one in product(neighbours, tried) if all(one is not other for other in kept)] + neighbours[
            : len(chosen)
        ]
        fitting = [one for one in sets if sum(tried.bytes_stored for tried in one) <= limit]
        found = min(fitting, key=lambda one: total(plain, counts, one), default=chosen)
        seconds = total(plain, counts, found)
        if seconds >= best:
            return chosen
        chosen, best = found, seconds


def _samples(reads: Sequence[Statement]) -> dict[str, list[Statement]]:
    gathered: dict[str, list[Statement]] = {}
    for statement in reads:
        chosen = gathered.setdefault(statement.name, [])
        if len(chosen) < SAMPLES and mentions(statement.text):
            chosen.append(statement)
    return {name: chosen for name, chosen in gathered.items() if chosen}


def _seconds(connection: duckdb.DuckDBPyConnection, statement: Statement, copy: SortedCopy | None, plain: float = inf) -> float:
    """The better of two warm runs; where a first run is no faster than `plain` already, that."""
    text = rewritten(statement.text, (copy,) if copy else ())
    first = ask(connection, text, statement.parameters)
    if first.error or first.seconds > _HOPELESS * plain:
        return plain
    answers = [ask(connection, text, statement.parameters) for _ in range(2)]
    return min(answer.seconds for answer in answers)


def _candidates(connection: duckdb.DuckDBPyConnection, statements: Sequence[Statement], smallest: int) -> list[SortedCopy]:
    """Single and two-column orders over the columns that conditions, joins and groups name.

    A second key is left out where the first one alone already tells rows apart down to a vector.
    """
    wanted = _asked_columns(statements)
    copies = []
    tables = connection.execute(
        "SELECT table_name, estimated_size FROM duckdb_tables() WHERE schema_name = 'main' ORDER BY table_name"
    ).fetchall()
    for table, rows in tables:
        if rows <= smallest:
            continue
        columns = _columns(connection, table)
        needed = mentioned_columns(statements, table.lower(), columns)
        keys = [column for column in columns if column.lower() in wanted]
        counts = connection.execute(
            "SELECT " + ", ".join([f'approx_count_distinct("{key}")' for key in keys] or ["0"]) + f' FROM "{table}"'
        ).fetchone()
        distinct = dict(zip(keys, counts or (), strict=False))
        for first in keys:
            copies.append(SortedCopy(table, (first,), needed))
            if rows / max(distinct[first], 1) > VECTOR:
                copies += [SortedCopy(table, (first, second), needed) for second in keys if second != first]
    return copies


def _asked_columns(statements: Sequence[Statement]) -> set[str]:
    asked: set[str] = set()
    for statement in {one.name: one for one in statements if not one.writes}.values():
        tree = sqlglot.parse_one(statement.text, dialect="duckdb")
        for part in tree.find_all(exp.Where, exp.Join, exp.Group):
            asked |= {column.name.lower() for column in part.find_all(exp.Column)}
            asked |= {name.name.lower() for name in part.args.get("using") or ()}
    return asked


def _narrowed(connection: duckdb.DuckDBPyConnection, copy: SortedCopy, statements: Sequence[Statement]) -> SortedCopy:
    """A copy made by hand with only the columns that are needed, as the others have."""
    if copy.columns:
        return copy
    needed = mentioned_columns(statements, copy.table.lower(), _columns(connection, copy.table))
    return SortedCopy(copy.table, copy.keys, (*needed, *(key for key in copy.keys if key not in needed)))


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    text = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND schema_name = 'main' ORDER BY column_index"
    return [row[0] for row in connection.execute(text, [table]).fetchall()]


def _write_seconds(connection: duckdb.DuckDBPyConnection, writes: Sequence[Statement]) -> dict[str, float]:
    """Seconds of all writes to each table: what one copy of it costs in upkeep. Everything is rolled back."""
    seconds: dict[str, float] = {}
    counts: dict[str, int] = {}
    for statement in writes:
        counts[statement.name] = counts.get(statement.name, 0) + 1
    for name, statement in {one.name: one for one in writes}.items():
        connection.execute("BEGIN")
        for text in single_writes(statement.text):
            _, table = write_target(text)
            seconds[table] = seconds.get(table, 0.0) + counts[name] * ask(connection, text, statement.parameters).seconds
        connection.execute("ROLLBACK")
    return seconds


def _try(
    connection: duckdb.DuckDBPyConnection,
    copy: SortedCopy,
    samples: dict[str, list[Statement]],
    plain: dict[str, list[float]],
    writes: dict[str, float],
) -> Tried:
    started = perf_counter()
    connection.execute(copy.create)
    connection.execute("CHECKPOINT")
    built = perf_counter() - started
    bytes_stored = stored_bytes(connection, copy.name)
    tried = Tried(copy, built, bytes_stored, writes.get(copy.table.lower(), 0.0))
    for name, chosen in samples.items():
        if any(mention.table == copy.table.lower() for mention in mentions(chosen[0].text)):
            pairs = zip(chosen, plain[name], strict=True)
            tried.seconds[name] = mean(_seconds(connection, one, copy, seconds) for one, seconds in pairs)
    connection.execute(f'DROP TABLE "{copy.name}"')
    return tried
