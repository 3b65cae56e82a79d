"""A workload whose dominant dimension changes half-way, beside every copy that stays as it is.

The stream asks mostly ranges of one column of the shop's items, whose rows lie scattered, and after its first half mostly those of
another. The storage holds one copy. A static rival is a table of the columns that the stream reads, sorted by one of them before the
first statement and kept; Sartor tunes after each part. Totals count building and tuning. What a table in load order takes stands
beside them. A statement shows the ten dearest items of a range: were all of its rows fetched, making Python's objects of them would be
most of each total, whatever the order of the rows.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

Progress = Callable[[str, float], None]
PARTS, STATEMENTS = 24, 250
_READ = ("order_id", "quantity", "price", "product_id", "shipped")
KEYS = ("product_id", "shipped")
_DAYS, _DOMINANT = 1_000, 0.9
_LARGE = 1_000_000  # rows from which the stream is long enough to tell something


def stream(seed: int, products: int, statements: int = STATEMENTS) -> Iterator[list[str]]:
    """The parts of the stream; in the second half another column is asked most."""
    pick = random.Random(seed)
    for part in range(PARTS):
        dominant = KEYS[0] if part < PARTS // 2 else KEYS[1]
        yield [_statement(pick, dominant if pick.random() < _DOMINANT else pick.choice(KEYS), products) for _ in range(statements)]


def _statement(pick: random.Random, column: str, products: int) -> str:
    first, day = pick.randrange(products), pick.randrange(_DAYS)
    condition = {
        "product_id": f"product_id BETWEEN {first} AND {first + products // 5000}",
        "shipped": f"shipped BETWEEN DATE '2022-01-01' + {day} AND DATE '2022-01-01' + {day}",
    }[column]
    shown = "price, order_id, product_id, shipped"
    return f"SELECT {shown} FROM items WHERE {condition} ORDER BY price DESC, order_id, product_id, shipped LIMIT 10"


def measure(path: Path, seed: int, threads: int, seconds: float, progress: Progress, copied: Any) -> dict[str, Any]:
    """Totals of each way: `{"static": {key: seconds}, "load_order", "best_static", "sartor", "saved", "moves", "wrong"}`.

    Args:
        path: a shop; it is left as it is.
        copied: gives a copy of it with its items scattered, that is gone afterwards.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        ((products, rows),) = connection.execute("SELECT (SELECT count(*) FROM products), count(*) FROM items").fetchall()
    parts = list(stream(seed, products, STATEMENTS if rows >= _LARGE else STATEMENTS // 10))
    with copied() as copy, duckdb.connect(str(copy), config={"threads": threads}) as connection:
        progress("drift: load order", 0.9)
        load_order, expected = _asked(connection, parts, "items")
        static, sizes = {}, []
        for key in KEYS:
            progress(f"drift: by {key}", 0.9)
            before = _used(connection)
            started = perf_counter()
            connection.execute(f"CREATE TABLE rival AS SELECT {', '.join(_READ)} FROM items ORDER BY {key}; CHECKPOINT")
            built = perf_counter() - started
            sizes.append(_used(connection) - before)
            static[key] = built + _asked(connection, parts, "rival")[0]
            connection.execute("DROP TABLE rival; CHECKPOINT")
    progress("drift: sartor", 0.95)
    with copied() as copy:
        sartor = _sartor(copy, parts, threads, seconds, expected, max(sizes))
    best = min(static.values())
    return {
        "load_order": load_order,
        "static": static,
        "best_static": best,
        **sartor,
        "saved": 1.0 - sartor["sartor"] / best,
        "saved_untuned": 1.0 - (sartor["queries"] + sartor["building"]) / best,
    }


def _sartor(
    path: Path, parts: Sequence[Sequence[str]], threads: int, seconds: float, expected: Sequence[Any], size: int
) -> dict[str, Any]:
    import sartor
    from sartor.interfaces.connection import session_of

    queries = building = 0.0
    rounds: list[float] = []
    told: list[str] = []
    wrong, place = 0, 0
    with sartor.connect(str(path), config={"threads": threads}, layouts=True, keep_results=False) as connection:
        for part in parts:
            for text in part:
                started = perf_counter()
                rows = connection.execute(text).fetchall()
                queries += perf_counter() - started
                wrong += _sum(rows) != expected[place]
                place += 1
            report = connection.tune(seconds=seconds, storage=int(size * _ROOM))
            building += report.build_seconds
            rounds.append(report.seconds)
        decisions = session_of(connection).database.ledger.decisions()
        told = [f"{one.kind}: {one.summary}" for one in decisions if one.kind in ("keep", "drift")]
        standing = [", ".join(one.action.get("key")) for one in session_of(connection).database.design.objects.values()]
    moves = sum("it moves" in line for line in told)
    return {
        "sartor": queries + sum(rounds),
        "queries": queries,
        "building": building,
        "rounds": rounds,
        "moves": moves,
        "standing": standing,
        "told": told,
        "wrong": wrong,
    }


_ROOM = 2.5  # the storage, of the largest rival: what is foretold of one copy fits, two do not, for each keeps row ids beside


def _asked(connection: Any, parts: Sequence[Sequence[str]], table: str) -> tuple[float, list[Any]]:
    seconds, answers = 0.0, []
    for text in (text for part in parts for text in part):
        asked = text.replace("FROM items", f"FROM {table}")
        started = perf_counter()
        rows = connection.execute(asked).fetchall()
        seconds += perf_counter() - started
        answers.append(_sum(rows))
    return seconds, answers


def _sum(rows: Sequence[tuple[Any, ...]]) -> tuple[int, int]:
    """What rows have in common whatever order they come in, in this process."""
    return len(rows), sum(map(hash, rows))


def _used(connection: duckdb.DuckDBPyConnection) -> int:
    ((size, blocks),) = connection.execute("SELECT block_size, used_blocks FROM pragma_database_size()").fetchall()
    return int(size * blocks)
