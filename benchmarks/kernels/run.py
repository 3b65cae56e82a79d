"""`python -m benchmarks kernels`: each number of threads in a process of its own, since Polars asks for it only once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.kernels.columns import DISTRIBUTIONS, REAL

TASKS = ("argsort", "sort", "recluster", "lookup")
QUERIES = 1_000_000
TEXT_ROWS_MOST = 1_000_000
RECLUSTER_ROWS = 100_000  # smaller tables are nobody's pain
WIDE = tuple(name for name in DISTRIBUTIONS if name in ("uniform", "ids", "clusters", "lognormal"))


def measure(sizes: list[int], threads: list[int], tasks: list[str], types: list[str], data: Path | None) -> dict[str, Any]:
    """All records; each is printed as it comes."""
    records = []
    for count in threads:
        asked = {"sizes": sizes, "threads": count, "tasks": tasks, "types": types, "data": str(data) if data else None}
        command = [sys.executable, "-m", "benchmarks.kernels.run", json.dumps(asked)]
        environment = os.environ | {"POLARS_MAX_THREADS": str(count)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
            assert child.stdout is not None
            for line in child.stdout:
                records.append(json.loads(line))
                print(_line(records[-1]), flush=True)
        if child.returncode:
            raise RuntimeError(f"the run with {count} threads ended with status {child.returncode}")
    return {"records": records, "targets": targets(records), "data": str(data) if data else "no real columns: --data was not given"}


def targets(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is promised, what was measured, and where it was least."""
    found = []
    for name, wanted, chosen, rival in _promises():
        values = [(value, record) for record in records if chosen(record) and (value := _ratio(record, rival)) is not None]
        if values:
            value, record = min(values, key=lambda pair: pair[0])
            found.append({"target": name, "wanted": wanted, "least": value, "held": value >= wanted, "at": _name(record)})
    return found


def _promises() -> Iterator[tuple[str, float, Any, str]]:
    def is_(task: str, threads: int = 0, rows: int = 0, columns: tuple[str, ...] = (), **more: Any) -> Any:
        return lambda record: (
            record["task"] == task
            and record["threads"] in ((threads,) if threads else (1, 2))
            and record["rows"] >= rows
            and (not columns or record["column"] in columns)
            and all(record.get(name) == value for name, value in more.items())
        )

    large = 10_000_000
    numbers = {"type": "int64"}
    yield "argsort, one thread, against np.argsort", 4.5, is_("argsort", 1, large, WIDE, **numbers), "np.argsort"
    yield "argsort, two threads, against np.argsort", 8.0, is_("argsort", 2, large, WIDE, **numbers), "np.argsort"
    yield "argsort against Polars", 4.0, is_("argsort", 0, large, WIDE, **numbers), "polars"
    yield "argsort against the best of NumPy's", 0.95, is_("argsort", 0, 10_000), "numpy"
    yield "sort against np.sort", 0.95, is_("sort", 0, 10_000), "np.sort"
    yield "sort, two threads, few duplicates", 1.4, is_("sort", 2, large, WIDE), "np.sort"
    yield "recluster against DuckDB, numbers", 3.3, is_("recluster", 2, table="numbers"), "duckdb"
    yield "recluster against Polars, numbers", 2.5, is_("recluster", 2, columns=("uniform",), table="numbers"), "polars"
    yield "recluster against DuckDB, with text", 2.0, is_("recluster", 2, table="2 of text"), "duckdb"
    yield "random look-ups, one thread, against np.searchsorted", 11.0, is_("lookup", 1, order="random"), "np.searchsorted"
    yield "sorted look-ups, one thread, against np.searchsorted", 1.8, is_("lookup", 1, order="sorted"), "np.searchsorted"


def _ratio(record: dict[str, Any], rival: str) -> float | None:
    ratios = record["ratio"]
    if rival == "numpy":
        known = [value for name, value in ratios.items() if name.startswith("np.")]
        return min(known) if known else None
    return ratios.get(rival)


def _name(record: dict[str, Any]) -> str:
    details = [str(record[key]) for key in ("type", "order", "table", "keys") if key in record]
    return f"{record['task']} {record['column']} {' '.join(details)} {record['rows']} rows, {record['threads']} threads"


def _line(record: dict[str, Any]) -> str:
    times = ", ".join(f"{way} {taken:g}" for way, taken in record["nanoseconds_per_row"].items())
    scratch = record["scratch_share_of_input"]["sartor"]
    return f"{_name(record)}: ns a row {times}" + ("" if scratch is None else f"; scratch {scratch:g} of the input")


def _child(asked: dict[str, Any]) -> None:
    """Measure with one number of threads; a record a line."""
    count = asked["threads"]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])
    import pyarrow as pa

    from benchmarks.kernels import tasks
    from benchmarks.kernels.columns import real_columns, words

    pa.set_cpu_count(count)
    types = tuple(asked["types"])
    for rows in asked["sizes"]:
        if "argsort" in asked["tasks"]:
            _print(tasks.argsorts(rows, count, types))
            if rows <= TEXT_ROWS_MOST:
                _print(iter([tasks.argsort("words", words(rows), count, "text")]))
        if "sort" in asked["tasks"]:
            _print(tasks.sorts(rows, count, types))
        if "recluster" in asked["tasks"] and rows >= RECLUSTER_ROWS:
            _print(tasks.reclusters(rows, count))
        if "lookup" in asked["tasks"]:
            _print(tasks.lookups(rows, count, min(QUERIES, rows)))
    if asked["data"]:
        columns = real_columns(Path(asked["data"]))
        _print(tasks.argsort(name, columns[name], count, str(columns[name].type)) for name in REAL)


def _print(records: Iterator[dict[str, Any]]) -> None:
    for record in records:
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    _child(json.loads(sys.argv[1]))
