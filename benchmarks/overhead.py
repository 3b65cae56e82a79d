"""What Sartor adds to a statement: medians of paired differences to plain DuckDB, in one run, interleaved.

Both connections ask the same real but small question of files with the same rows, in turns, who goes first alternating, with
the garbage collector off. Sartor has watched, tuned and serves a sorted copy of another table meanwhile, so the way through
the house is the one of a tailored database, not of an empty one. Results are not kept: one that is handed out again
is not sent at all.
"""

from __future__ import annotations

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from time import perf_counter_ns
from typing import Any

import duckdb

LIMITS_US = {
    "repeated_us": 50.0,
    "new_literals_us": 500.0,
    "new_template_first_us": 100.0,
    "new_template_second_us": 3000.0,
}
SMALL_ROWS = 1000
FACT_ROWS = 400_000
OBSERVED = 200
WARM_UP = 50
Texts = Callable[[int], tuple[str, ...]]


def measure(repetitions: int) -> dict[str, Any]:
    """Microseconds by which a statement is slower through Sartor, for each of the four ways."""
    import sartor

    with tempfile.TemporaryDirectory() as folder:
        for name in ("plain", "sartor"):
            _fill(Path(folder) / name / "data.duckdb")
        plain = duckdb.connect(f"{folder}/plain/data.duckdb", config={"threads": 1})
        tailored = sartor.connect(f"{folder}/sartor/data.duckdb", config={"threads": 1}, keep_results=False)
        try:
            for number in range(OBSERVED):
                tailored.execute(f"SELECT sum(amount) FROM facts WHERE customer = {number}").fetchall()
            tailored.tune(seconds=20, storage="500MB")
            figures: dict[str, Any] = {"threads": 1, "repetitions": repetitions, "built": _built(tailored)}
            figures |= added(plain, tailored, repetitions)
        finally:
            plain.close()
            tailored.close()
    return figures


def added(plain: duckdb.DuckDBPyConnection, tailored: duckdb.DuckDBPyConnection, repetitions: int) -> dict[str, float]:
    """The figures of two connections whose databases both hold the table of `create_small`.

    Args:
        repetitions: of the repeated text; there are a third as many of the other ways.
    """
    figures: dict[str, float] = {}
    for number in range(WARM_UP):
        _pair(plain, tailored, f"SELECT count(*) FROM small WHERE id > {number}", number)
    for name, texts in _ways().items():
        differences = _differences(plain, tailored, texts, repetitions if name == "repeated_us" else repetitions // 3)
        last = list(zip(*differences, strict=True))
        if name == "new_template":
            figures["new_template_first_us"], figures["new_template_second_us"] = map(median, last)
            figures["new_template_first_mean_us"], figures["new_template_second_mean_us"] = map(fmean, last)
        else:
            figures[name] = median(last[-1])
            figures[name.replace("_us", "_mean_us")] = fmean(last[-1])
    return figures


def create_small(connection: duckdb.DuckDBPyConnection) -> None:
    """The table that is asked."""
    connection.execute(
        "CREATE TABLE small AS SELECT range AS id, 'name ' || range AS name, (range * 7 % 1000)::DOUBLE AS price "
        f"FROM range({SMALL_ROWS})"
    )


def too_slow(figures: dict[str, Any]) -> list[str]:
    """Names of the figures that are over their limit.

    >>> too_slow({name: 1.0 for name in LIMITS_US} | {"repeated_us": 51.0})
    ['repeated_us']
    """
    return [name for name, limit in LIMITS_US.items() if figures[name] > limit]


def _ways() -> dict[str, Texts]:
    """For each way the texts of its n-th repetition; all are point look-ups."""

    def repeated(number: int) -> tuple[str, ...]:
        return ("SELECT id, name, price FROM small WHERE id = 500",)

    def new_literals(number: int) -> tuple[str, ...]:
        return (f"SELECT id, name, price FROM small WHERE id = {number % SMALL_ROWS} AND price < {number + 10_000}",)

    def new_template(number: int) -> tuple[str, ...]:
        text = f"SELECT id, name AS name_{number}, price FROM small WHERE id = "
        return text + str(number % SMALL_ROWS), text + str((number + 7) % SMALL_ROWS)

    return {"repeated_us": repeated, "new_literals_us": new_literals, "new_template": new_template}


def _differences(
    plain: duckdb.DuckDBPyConnection, tailored: duckdb.DuckDBPyConnection, texts: Texts, repetitions: int
) -> list[list[float]]:
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        return [[_pair(plain, tailored, text, number) for text in texts(number)] for number in range(repetitions)]
    finally:
        if collecting:
            gc.enable()


def _pair(plain: duckdb.DuckDBPyConnection, tailored: duckdb.DuckDBPyConnection, text: str, number: int) -> float:
    """Microseconds of the tailored connection over the plain one."""
    if number % 2:
        slow, base = _nanoseconds(tailored, text), _nanoseconds(plain, text)
    else:
        base, slow = _nanoseconds(plain, text), _nanoseconds(tailored, text)
    return (slow - base) / 1000


def _nanoseconds(connection: duckdb.DuckDBPyConnection, text: str) -> int:
    started = perf_counter_ns()
    connection.execute(text).fetchall()
    return perf_counter_ns() - started


def _fill(path: Path) -> None:
    path.parent.mkdir()
    connection = duckdb.connect(str(path))
    create_small(connection)
    connection.execute(
        f"CREATE TABLE facts AS SELECT range * 7919 % 2000 AS customer, range AS day, range % 97 AS amount FROM range({FACT_ROWS})"
    )
    connection.close()


def _built(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchone()
    return int(row[0]) if row else 0
