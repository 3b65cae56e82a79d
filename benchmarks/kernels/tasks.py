"""What is measured: argsort, sort, recluster and look-ups, each beside its competitors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

import sartor
from benchmarks.kernels.columns import DISTRIBUTIONS, HARD, column, words
from benchmarks.kernels.measure import Ways, contest, peak_bytes
from sartor.kernels import recluster
from sartor.kernels.search import interleaved

Record = dict[str, Any]
LARGE = 2_000_000  # rows from which a competitor's run is not repeated much
OURS = "sartor"


def record(task: str, name: str, rows: int, threads: int, ways: Ways, sizes: tuple[int, int], **more: Any) -> Record:
    """One line of the report; sizes are the bytes of input and output. Memory comes first: others give theirs back when they like."""
    peaks = {}
    for way, do in ways.items():
        peak = peak_bytes(do) if rows >= LARGE else None
        peaks[way] = None if peak is None else round((peak - sizes[1]) / sizes[0], 2)
    seconds = contest(ways, 3 if rows >= LARGE else 9)
    rivals = {way: taken for way, taken in seconds.items() if way != OURS}
    best = min(rivals, key=lambda way: rivals[way])
    return {
        "task": task,
        "column": name,
        "rows": rows,
        "threads": threads,
        "nanoseconds_per_row": {way: round(taken * 1e9 / rows, 2) for way, taken in seconds.items()},
        "ratio": {way: round(taken / seconds[OURS], 2) for way, taken in rivals.items()},
        "best_competitor": best,
        "scratch_share_of_input": peaks,
        **more,
    }


def argsorts(rows: int, threads: int, dtypes: tuple[str, ...]) -> Iterator[Record]:
    """Row numbers in order, of each distribution and type."""
    for dtype in dtypes:
        for name in (*DISTRIBUTIONS, *HARD):
            if name == "nan" and dtype[0] != "f":
                continue
            yield argsort(name, column(name, rows, dtype), threads, dtype)


def argsort(name: str, values: Any, threads: int, dtype: str) -> Record:
    """One column, checked once against NumPy's stable sort where NumPy has the type."""
    arrow = values if isinstance(values, pa.Array) else pa.array(values)
    series = pl.Series(values if isinstance(values, np.ndarray) else pl.from_arrow(arrow))
    rows = len(arrow)
    ways: Ways = {OURS: lambda: sartor.argsort(values, threads=threads)}
    if isinstance(values, np.ndarray):
        ways["np.argsort"] = lambda: np.argsort(values)
        ways["np.argsort stable"] = lambda: np.argsort(values, kind="stable")
        if not np.array_equal(ways[OURS](), np.argsort(values, kind="stable")):
            raise AssertionError(f"a wrong order of {name} {dtype}, {rows} rows, {threads} threads")
    ways["polars"] = lambda: series.arg_sort()
    ways["pyarrow"] = lambda: pc.sort_indices(arrow)
    return record("argsort", name, rows, threads, ways, (values.nbytes, 8 * rows), type=dtype)


def sorts(rows: int, threads: int, dtypes: tuple[str, ...]) -> Iterator[Record]:
    """The keys in order, of each distribution and type."""
    for dtype in dtypes:
        for name in (*DISTRIBUTIONS, *HARD):
            if name == "nan" and dtype[0] != "f":
                continue
            values = column(name, rows, dtype)
            series = pl.Series(values)
            ways: Ways = {
                OURS: lambda values=values: sartor.sort(values, threads=threads),
                "np.sort": lambda values=values: np.sort(values),
                "polars": lambda series=series: series.sort(),
            }
            if not np.array_equal(ways[OURS](), np.sort(values), equal_nan=dtype[0] == "f"):
                raise AssertionError(f"a wrong order of {name} {dtype}, {rows} rows, {threads} threads")
            yield record("sort", name, rows, threads, ways, (values.nbytes, values.nbytes), type=dtype)


def reclusters(rows: int, threads: int) -> Iterator[Record]:
    """A table of eight columns in the order of one, of numbers alone and with two columns of text."""
    draw = np.random.default_rng(0)
    for name in ("uniform", "zipf", "timestamps"):
        for text in (False, True):
            columns: dict[str, Any] = {"key": column(name, rows)}
            for number in range(7):
                columns[f"c{number}"] = draw.integers(0, 10**6, rows) if number % 2 else draw.random(rows)
            if text:
                columns |= {"c0": words(rows, 1), "c1": words(rows, 2)}
            table = pa.table(columns)
            frame = pl.from_arrow(table)
            connection = duckdb.connect(config={"threads": threads})
            connection.register("handed_over", table)
            connection.execute("CREATE TABLE source AS SELECT * FROM handed_over")
            ways: Ways = {
                OURS: lambda table=table: recluster(table, "key", threads=threads),
                "duckdb": lambda on=connection: on.execute("CREATE OR REPLACE TABLE ordered AS SELECT * FROM source ORDER BY key"),
                "polars": lambda frame=frame: frame.sort("key"),
            }
            found, order = ways[OURS](), np.argsort(columns["key"], kind="stable")
            if not all(found[other].equals(table[other].take(pa.array(order))) for other in ("key", "c0", "c3")):
                raise AssertionError(f"a wrong order of the table by {name}")
            del found
            yield record(
                "recluster", name, rows, threads, ways, (table.nbytes, table.nbytes), table="2 of text" if text else "numbers"
            )
            connection.close()


def lookups(rows: int, threads: int, queries: int) -> Iterator[Record]:
    """Lower bounds of random and of sorted keys, half of them present."""
    draw = np.random.default_rng(3)
    for name in DISTRIBUTIONS:
        keys = np.sort(column(name, rows))
        asked = keys[draw.integers(0, rows, queries)] + draw.integers(0, 2, queries)
        index = sartor.LearnedIndex(keys)
        built = sartor.LearnedIndex(keys).built
        for order, batch in (("random", asked), ("sorted", np.sort(asked))):
            ways = _searches(index, keys, batch, threads)
            if not np.array_equal(ways[OURS](), np.searchsorted(keys, batch)):
                raise AssertionError(f"a wrong rank in {name}")
            line = record("lookup", name, queries, threads, ways, (batch.nbytes, batch.nbytes), order=order, keys=rows)
            yield line | {
                "model_share_of_keys": round(built.model_bytes / built.key_bytes, 4),
                "build_nanoseconds_per_key": round(built.seconds * 1e9 / rows, 2),
                "error": built.error,
                "uses_model": built.learned,
            }


def _searches(index: sartor.LearnedIndex, keys: Any, batch: Any, threads: int) -> Ways:
    series, flip, stored = pl.Series(keys), np.uint64(1 << 63), keys.view(np.uint64)
    wanted, found = batch.view(np.uint64) ^ flip, np.empty(batch.size, np.int64)
    return {
        OURS: lambda: index.lower_bound(batch, threads=threads),
        "np.searchsorted": lambda: np.searchsorted(keys, batch),
        "polars": lambda: series.search_sorted(batch),
        "interleaved, no model": lambda: interleaved(stored, flip, wanted, found),
    }
