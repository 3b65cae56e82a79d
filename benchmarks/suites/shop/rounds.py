"""Writes between parts of a day: loads of 0.1 % to 1 % new orders, some corrections, a few deletions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import duckdb

from benchmarks.statement import Statement

_FIRST_ID = 2 * 10**9  # above what the days of `sartor.workload.stream` insert
_IDS = 10**7  # set aside for each load
_LAST = 900  # no run has so many rounds
_APPENDED = 0.001  # share of the orders that is appended at the very end, and not taken in
_LEAST, _MOST = -3.0, -2.0  # powers of ten: the share of the orders that a load adds, log-uniform
_CANCELLED = 5  # orders that go in each round
_PAID = 20  # orders whose status changes in each round
_SOLD = 2  # products whose items of one day get another price in each round


@dataclass(frozen=True, slots=True)
class Facts:
    """What the writes are drawn from.

    Attributes:
        cancelled, paid: orders of these kinds, in an order that the seed decides; each is drawn once.
        sold: products with a day on which they were shipped.
        last_day: of the orders.
    """

    orders: int
    customers: int
    products: int
    warehouses: int
    last_day: str
    cancelled: Sequence[int]
    paid: Sequence[int]
    sold: Sequence[tuple[int, str]]


def facts_of(connection: duckdb.DuckDBPyConnection, seed: int, writes: int) -> Facts:
    """What is needed for so many rounds of writes; the data is only read."""

    def one(text: str) -> int:
        row = connection.execute(text).fetchone()
        return int(row[0]) if row else 0

    def orders(status: str, count: int) -> list[int]:
        text = f"SELECT id FROM orders WHERE status = '{status}' ORDER BY hash(id, {seed}), id LIMIT {count}"
        return [row[0] for row in connection.execute(text).fetchall()]

    sold = connection.execute(
        "SELECT product_id, shipped::VARCHAR FROM "
        "(SELECT DISTINCT product_id, shipped FROM items WHERE shipped IS NOT NULL AND order_id % 50 = 7) "
        f"ORDER BY hash(product_id, shipped, {seed}), 1, 2 LIMIT {writes * _SOLD}"
    ).fetchall()
    last = connection.execute("SELECT max(day)::VARCHAR FROM orders").fetchone()
    return Facts(
        one("SELECT count(*) FROM orders"),
        one("SELECT count(*) FROM customers"),
        one("SELECT count(*) FROM products"),
        one("SELECT 1 + max(warehouse) FROM items"),
        last[0] if last else "2025-01-01",
        orders("cancelled", writes * _CANCELLED),
        orders("paid", writes * _PAID),
        sold,
    )


def with_rounds(day: Sequence[Statement], rounds: int, facts: Facts, seed: int, before: int = 0) -> tuple[Statement, ...]:
    """A day in `rounds` parts of equal length, with writes before each part but the first.

    Nobody asks for a while after the last of the writes, so what was built may be refreshed then.

    Args:
        before: how many rounds of writes there were on days before, that these go on from.
    """
    random = Random(f"rounds {seed} {before}")
    cuts = [number * len(day) // rounds for number in range(rounds + 1)]
    result = list(day[: cuts[1]])
    for number in range(1, rounds):
        part = day[cuts[number] : cuts[number + 1]]
        at = part[0].at_seconds if part else 0.0
        writes = [Statement(f"round: {name}", text, None, True, at) for name, text in _writes(random, before + number, facts)]
        result += [*writes[:-1], replace(writes[-1], idle=True), *part]
    return tuple(result)


def appended(facts: Facts, seed: int) -> tuple[Statement, ...]:
    """Writes that add a thousandth of the rows, as one load does, behind those of all rounds."""
    writes = _load(Random(f"appended {seed}"), _LAST, max(1, round(facts.orders * _APPENDED)), facts)
    return tuple(Statement(name, text, None, True) for name, text in writes)


def _writes(random: Random, number: int, facts: Facts) -> list[tuple[str, str]]:
    """What happens before round `number`, counted from 0."""
    orders = max(1, round(facts.orders * 10 ** random.uniform(_LEAST, _MOST)))
    cancelled = _share(facts.cancelled, number, _CANCELLED)
    paid = _share(facts.paid, number, _PAID)
    corrections = [
        (
            "correct prices",
            f"UPDATE items SET price = round(price * 1.{random.randint(1, 20):02}, 2) "
            f"WHERE product_id = {product} AND shipped = DATE '{day}'",
        )
        for product, day in facts.sold[(number - 1) * _SOLD : number * _SOLD]
    ]
    return [
        *_load(random, number, orders, facts),
        ("cancel orders", f"UPDATE orders SET status = 'cancelled' WHERE id IN ({paid})"),
        ("close orders", f"UPDATE orders SET status = 'paid' WHERE status = 'open' AND id % 10 = {number % 10}"),
        *corrections,
        ("delete items", f"DELETE FROM items WHERE order_id IN ({cancelled})"),
        ("delete orders", f"DELETE FROM orders WHERE id IN ({cancelled})"),
    ]


def _load(random: Random, number: int, orders: int, facts: Facts) -> list[tuple[str, str]]:
    """New orders of one day, three and two items to them in turn, with the skew of the data."""
    first, salt = _FIRST_ID + number * _IDS, random.randrange(10**6)
    day = f"DATE '{facts.last_day}' + {2 + number}"

    def uniform(add: int) -> str:
        return f"(hash(i * 31 + {salt + add}) % 1000003) / 1000003.0"

    return [
        (
            "load orders",
            f"INSERT INTO orders SELECT {first} + i, floor({facts.customers} * pow({uniform(0)}, 2))::INTEGER, "
            f"({day})::TIMESTAMP + to_seconds((i * 80000 // {orders})::BIGINT), {day}, "
            f"['web', 'app', 'store', 'phone'][1 + (hash(i + {salt}) % 4)::INTEGER], 'open', round(5 + 300 * pow({uniform(1)}, 2), 2) "
            f"FROM range({orders}) t(i)",
        ),
        (
            "load items",
            f"INSERT INTO items SELECT {first} + i // 5 * 2 + (i % 5) // 3, [1, 2, 3, 1, 2][1 + i % 5], "
            f"floor({facts.products} * pow({uniform(2)}, 3))::INTEGER, 1 + hash(i + {salt + 1}) % 5, "
            f"round(2 + 400 * pow({uniform(3)}, 3), 2), (hash(i + {salt + 2}) % 4) / 20.0, "
            f"CASE WHEN {uniform(4)} < 0.02 THEN NULL ELSE {day} + (1 + hash(i + {salt + 3}) % 6)::INTEGER END, "
            f"hash(i + {salt + 4}) % {facts.warehouses}, {uniform(5)} < 0.02, 0.1 + 20 * {uniform(6)}, "
            f"CASE WHEN hash(i + {salt + 5}) % 10 < 7 THEN NULL ELSE 'gift ' || (hash(i + {salt + 6}) % 900) END "
            f"FROM range({orders * 5 // 2}) t(i)",
        ),
    ]


def _share(identifiers: Sequence[int], number: int, each: int) -> str:
    chosen = identifiers[(number - 1) * each : number * each]
    return ", ".join(map(str, chosen)) or "-1"
