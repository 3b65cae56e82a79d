"""Look-ups by a key: plain DuckDB with its own indexes on the keys, and Sartor without them, in turns; every answer compared.

Both files hold the same shop. Sartor observes some look-ups of each template, is tuned once, and is asked the same as plain then.
"""

from __future__ import annotations

import gc
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import duckdb
import numpy as np

from sartor.workload.shop import make_shop, sizes

TIMES = 5.0
KEYS_A_SECOND = 1e6
OBSERVED = 2_000  # so many pay reading the tables anew in every process
TURN = 20  # statements of one connection before it is the other's turn
BATCH = 1_000_000
Draw = Callable[[random.Random], list[Any]]


def measure(items: int, repetitions: int, threads: int) -> dict[str, Any]:
    """Medians in microseconds of `execute(sql, values).fetchall()` for each template, and keys a second of `lookup`."""
    import sartor

    config = {"threads": threads}
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{name}.duckdb") for name in ("plain", "tailored")]
        for path in paths:
            with duckdb.connect(path) as connection:
                make_shop(connection, items, 1)
                if path == paths[0]:
                    connection.execute("CREATE INDEX by_customer ON orders (customer_id)")
                    connection.execute("CREATE INDEX by_name ON customers (name)")
        plain, tailored = duckdb.connect(paths[0], config=config), sartor.connect(paths[1], config=config, keep_results=False)
        try:
            draw = random.Random(1)
            templates = _templates(items)
            for text, values in templates.values():
                for _ in range(OBSERVED):
                    _ask(tailored, text, values(draw))
            started = perf_counter()
            report = tailored.tune(seconds=120, storage="4GB")
            figures: dict[str, Any] = {"threads": threads, "items": items, "tune_s": perf_counter() - started, "built": report.built}
            figures["templates"] = [
                {"name": name, **_one(plain, tailored, text, values, repetitions, TURN)} for name, (text, values) in templates.items()
            ]
            # Each statement after one of the other connection's, so that what it needs is in no cache of the processor.
            figures["cold"] = {"name": "order", **_one(plain, tailored, *templates["order"], repetitions, 1)}
            figures["wrong"] = sum(line["wrong"] for line in (*figures["templates"], figures["cold"]))
            figures["batches"] = [_batch(tailored, items, columns) for columns in (["day", "total"], ["status", "channel"])]
        finally:
            plain.close()
            tailored.close()
    return figures


def failures(figures: dict[str, Any]) -> list[str]:
    """What is slower than it has to be, or wrong."""
    slow = [f"{line['name']} is {line['times']:.1f} times as fast" for line in figures["templates"] if line["times"] < TIMES]
    slow += [f"lookup answers {line['keys_a_second']:,.0f} keys a second" for line in figures["batches"] if not _is_fast(line)]
    return slow + [f"{figures['wrong']} answers differ"] * bool(figures["wrong"])


def _is_fast(line: dict[str, Any]) -> bool:
    return bool(line["keys_a_second"] >= KEYS_A_SECOND and line["same"])


def _templates(items: int) -> dict[str, tuple[str, Draw]]:
    customers, _, orders = sizes(items)

    def order(draw: random.Random) -> list[Any]:
        return [draw.randrange(orders)]

    return {
        "order": ("SELECT * FROM orders WHERE id = ?", order),
        "three orders": (
            "SELECT id, status, total FROM orders WHERE id IN (?, ?, ?)",
            lambda draw: [draw.randrange(orders) for _ in range(3)],
        ),
        "none": ("SELECT * FROM orders WHERE id = ?", lambda draw: [orders + draw.randrange(orders)]),
        "orders of a customer": ("SELECT id, day, total FROM orders WHERE customer_id = ?", lambda draw: [draw.randrange(customers)]),
        "customer by name": ("SELECT * FROM customers WHERE name = ?", lambda draw: [f"customer {draw.randrange(customers)}"]),
    }


def _one(plain: Any, tailored: Any, text: str, values: Draw, repetitions: int, turn: int) -> dict[str, Any]:
    """Both connections in turns of so many statements, the same for both; `wrong` counts answers that differ."""
    draw = random.Random(2)
    seconds: dict[str, list[float]] = {"plain": [], "sartor": []}
    wrong = 0
    gc.collect()
    gc.disable()
    try:
        for number in range(repetitions // turn):
            asked = [values(draw) for _ in range(turn)]
            answers: dict[str, list[Any]] = {}
            for name, connection in (("plain", plain), ("sartor", tailored))[:: 1 if number % 2 else -1]:
                runs = [_ask(connection, text, one) for one in asked]
                seconds[name] += [spent for spent, _ in runs]
                answers[name] = [rows for _, rows in runs]
            wrong += sum(one != other for one, other in zip(answers["plain"], answers["sartor"], strict=True))
    finally:
        gc.enable()
    base, ours = median(seconds["plain"]) * 1e6, median(seconds["sartor"]) * 1e6
    return {"n": len(seconds["plain"]), "plain_us": base, "sartor_us": ours, "times": base / ours, "wrong": wrong}


def _ask(connection: Any, text: str, values: list[Any]) -> tuple[float, list[Any]]:
    started = perf_counter()
    rows = connection.execute(text, values).fetchall()
    return perf_counter() - started, rows


def _batch(tailored: Any, items: int, columns: list[str]) -> dict[str, Any]:
    """A million keys at once, beside the join that answers them without an index."""
    keys = np.random.default_rng(3).integers(0, sizes(items)[2], BATCH)
    spent = []
    for _ in range(5):
        started = perf_counter()
        found = tailored.lookup("orders", keys, columns)
        spent.append(perf_counter() - started)
    tailored.begin()  # nothing is looked up inside a transaction
    started = perf_counter()
    joined = tailored.lookup("orders", keys, columns)
    join = perf_counter() - started
    tailored.rollback()
    rate, slow = BATCH / median(spent), BATCH / join
    return {"columns": columns, "keys": BATCH, "keys_a_second": rate, "join_keys_a_second": slow, "same": found.equals(joined)}
