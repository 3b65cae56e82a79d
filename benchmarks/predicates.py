"""Conditions that are asked again: plain DuckDB and Sartor in turns, nothing tuned, nothing reorganised; every answer compared.

Where few rows pass and lie together, the second time has to be faster; where remembering can not help it must not be slower. What is
added to statements that nothing is remembered for is measured on the same connection, beside all that is.
"""

from __future__ import annotations

import gc
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb

from benchmarks.answers import same_rows
from benchmarks.overhead import LIMITS_US, added, create_small, too_slow

TIMES = 5.0
SLOWER = 1.1
ROUNDS = 5  # in which everything is forgotten before
CLUSTER = 20_000  # rows of one load, which lie together
OVERHEAD_REPETITIONS = 900  # of a repeated text that nothing is remembered for
SAME = 1e-10  # of a sum of doubles: their sequence may be another
_EVENTS = (
    "SELECT i AS id, TIMESTAMP '2024-01-01' + INTERVAL (i // 3) SECOND AS moment, (i // {cluster})::INTEGER AS load, "
    "(hash(i) % 1000)::INTEGER AS sensor, (hash(i + 1) % 100000) / 100.0 AS value, "
    "CASE WHEN i // {cluster} % 100 = 7 THEN 'incident ' || (i // {cluster}) ELSE 'all is well ' || (hash(i + 2) % 50) END AS note, "
    "(hash(i + 4) % 500 * 2 + (i // {cluster} % 125 = 11)::INTEGER)::INTEGER AS device, "
    "CASE WHEN i // {cluster} % 50 IN (3, 4) AND i % 3 = 0 THEN 5000 ELSE hash(i + 3) % 10000 END::INTEGER AS code "
    "FROM range({rows}) r(i)"
)
_LOADS = "SELECT i::INTEGER AS load, CASE WHEN i % 125 = 11 THEN 'bad' ELSE 'good' END AS quality FROM range({loads}) r(i)"

_DEVICES = "SELECT i::INTEGER AS device, CASE WHEN i % 2 = 1 THEN 'new' ELSE 'old' END AS model FROM range(1000) r(i)"


@dataclass(frozen=True, slots=True)
class Case:
    """A statement, and whether few rows that lie together pass its condition.

    Attributes:
        other: literals to put in the place of `{}`, others each time; none if the same is asked again.
    """

    name: str
    text: str
    helps: bool
    other: bool = False


CASES = (
    Case("text", "SELECT count(*), sum(value) FROM events WHERE note LIKE '%cident%'", helps=True),
    Case("text, its rows", "SELECT id, note FROM events WHERE note LIKE '%cident 107' AND value < 10", helps=True),
    Case(
        "expression",
        "SELECT sensor % 10 AS s, avg(value) FROM events WHERE upper(right(note, 3)) = '107' GROUP BY s",
        helps=True,
    ),
    Case("two columns", "SELECT count(*), max(value) FROM events WHERE load * 1000 + sensor BETWEEN 33000 AND 34999", helps=True),
    Case(
        "join", "SELECT count(*), sum(e.value) FROM events e JOIN devices d ON d.device = e.device WHERE d.model = 'new'", helps=True
    ),
    Case(
        "set", "SELECT count(*), sum(value) FROM events WHERE device IN (SELECT device FROM devices WHERE model = 'new')", helps=True
    ),
    Case("rows all over", "SELECT count(*), sum(value) FROM events WHERE sensor = 77", helps=False),
    Case("text all over", "SELECT count(*), sum(value) FROM events WHERE note LIKE '%well 7'", helps=False),
    Case("most rows", "SELECT count(*), sum(value) FROM events WHERE sensor < 600", helps=False),
    Case("no condition", "SELECT count(*), sum(value), max(sensor) FROM events", helps=False),
    Case("zone maps do it", "SELECT count(*), sum(value) FROM events WHERE id BETWEEN 100000 AND 900000", helps=False),
    Case("a value that is frequent somewhere", "SELECT count(*), sum(value) FROM events WHERE code = 5000", helps=False),
    Case(
        "a join does it", "SELECT count(*), sum(e.value) FROM events e JOIN loads l USING (load) WHERE l.quality = 'bad'", helps=False
    ),
    Case("join of most rows", "SELECT count(*) FROM events e JOIN loads l ON l.load = e.load WHERE l.quality = 'good'", helps=False),
    Case("other literals each time", "SELECT count(*), sum(value) FROM events WHERE note LIKE '%ident {}'", helps=False, other=True),
)


def measure(rows: int, repetitions: int, threads: int) -> dict[str, Any]:
    """Medians in milliseconds for each case, and in microseconds what is added to other statements."""
    import sartor
    from sartor.interfaces.connection import session_of

    config = {"threads": threads}
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.duckdb") for name in ("plain", "tailored")]
        for path in paths:
            with duckdb.connect(path) as connection:
                connection.execute(f"CREATE TABLE events AS {_EVENTS.format(cluster=CLUSTER, rows=rows)}")
                connection.execute(f"CREATE TABLE loads AS {_LOADS.format(loads=rows // CLUSTER)}")
                connection.execute(f"CREATE TABLE devices AS {_DEVICES}")
                create_small(connection)
        plain, tailored = (
            duckdb.connect(paths[0], config=config),
            sartor.connect(paths[1], config=config, predicate_cache=True, keep_results=False),
        )
        remembers = session_of(tailored).database.predicates
        try:
            figures: dict[str, Any] = {"rows": rows, "threads": threads, "repetitions": repetitions}
            figures["cases"] = [_one(plain, tailored, remembers, case, repetitions) for case in CASES]
            figures["remembered"] = len(remembers.store)
            figures |= added(plain, tailored, OVERHEAD_REPETITIONS)
        finally:
            plain.close()
            tailored.close()
    figures["wrong"] = sum(line["wrong"] for line in figures["cases"])
    return figures


def failures(figures: dict[str, Any]) -> list[str]:
    """What is slower than it has to be, or wrong.

    >>> line = {"name": "a", "helps": True, "times": 4.0, "second_times": 6.0, "wrong": 0}
    >>> failures({"cases": [line], "wrong": 0} | dict.fromkeys(LIMITS_US, 0.0))
    ['a is 4.0 times as fast']
    """
    found = []
    for line in figures["cases"]:
        if line["helps"] and min(line["times"], line["second_times"]) < TIMES:
            found.append(f"{line['name']} is {min(line['times'], line['second_times']):.1f} times as fast")
        if not line["helps"] and line["times"] < 1 / SLOWER:
            found.append(f"{line['name']} takes {1 / line['times']:.2f} times as long")
    found += [f"{name} is over {LIMITS_US[name]:g} µs" for name in too_slow(figures)]
    return found + [f"{figures['wrong']} answers differ"] * bool(figures["wrong"])


def _one(plain: Any, tailored: Any, remembers: Any, case: Case, repetitions: int) -> dict[str, Any]:
    """One case: a few times its first run, what is looked for behind it and its second run; then both connections in turns."""
    _ask(plain, case.text)  # so that both files are in memory
    firsts, looks, seconds_runs, wrong = [], [], [], 0
    for _ in range(ROUNDS):
        remembers.forget()
        first, expected = _ask(tailored, case.text)
        started = perf_counter()
        remembers.wait()
        looks.append(perf_counter() - started)
        second, again = _ask(tailored, case.text)
        firsts.append(first)
        seconds_runs.append(second)
        wrong += not same_rows(expected, again, SAME)
    second = median(seconds_runs)
    seconds: dict[str, list[float]] = {"plain": [], "sartor": []}
    served = 0
    gc.collect()
    gc.disable()
    try:
        for number in range(repetitions):
            text = case.text.format(number) if case.other else case.text
            answers = {}
            for name, connection in (("plain", plain), ("sartor", tailored))[:: 1 if number % 2 else -1]:
                spent, answers[name] = _ask(connection, text)
                seconds[name].append(spent)
            served += _was_ranged(tailored)
            wrong += not same_rows(answers["plain"], answers["sartor"], SAME)
    finally:
        gc.enable()
    base, ours = median(seconds["plain"]) * 1e3, median(seconds["sartor"]) * 1e3
    return {
        "name": case.name,
        "helps": case.helps,
        "first_ms": median(firsts) * 1e3,
        "looked_ms": median(looks) * 1e3,
        "second_ms": second * 1e3,
        "plain_ms": base,
        "sartor_ms": ours,
        "times": base / ours,
        "second_times": base / second / 1e3,
        "served": served,
        "wrong": wrong,
    }


def _ask(connection: Any, text: str) -> tuple[float, list[Any]]:
    started = perf_counter()
    rows = connection.execute(text).fetchall()
    return perf_counter() - started, rows


def _was_ranged(connection: Any) -> bool:
    from sartor.interfaces.connection import session_of

    pending = session_of(connection).pending
    return pending is not None and pending.ranged is not None
