"""Days of a shop: dashboards by day that repeat with a heavy tail, ad-hoc questions, inserts in between, loads by night.

The templates are drawn by a seeded grammar over the shop's schema: which dimensions restrict, how selective (log-uniform), with
which operator, what is summed and grouped. How often each is asked follows Zipf; its literals change from run to run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sartor.workload.shop import CATEGORIES, CHANNELS, DAYS, FIRST_DAY, REGIONS, WAREHOUSES

_TEMPLATES = 32
_ADDED_EACH_DAY = 6
_NOTES = ("gift", "fragile", "express", "damaged", "call", "second")
_NIGHT = 2 * 3600.0


@dataclass(frozen=True, slots=True)
class StreamStatement:
    """One statement of a day.

    Attributes:
        at_seconds: after the first day's midnight.
        kind: "read" or "write".
        seen: its template is one of the habits, not new on this day.
    """

    at_seconds: float
    name: str
    text: str
    parameters: list[Any] | None
    kind: str
    seen: bool


@dataclass(frozen=True, slots=True)
class ShopTemplate:
    """A question that is asked again and again; `ask` draws its literals."""

    name: str
    ask: Callable[[random.Random], tuple[str, list[Any] | None]]


def templates(seed: int, count: int) -> list[ShopTemplate]:
    """The first templates of a seed's grammar; a longer list begins with the shorter one."""
    draw = random.Random(f"templates {seed}")
    makers = (_look_up, _items_by_product, _items_by_date, _revenue, _orders_of_customers, _top, _joined, _notes, _report)
    found = []
    for number in range(count):
        maker = makers[number % len(makers)] if number < 2 * len(makers) else draw.choice(makers)
        found.append(ShopTemplate(f"{maker.__name__.strip('_')} {number}", maker(draw)))
    return found


def day(seed: int, day_number: int, statements: int, *, unseen_share: float = 0.1) -> Iterator[StreamStatement]:
    """The statements of one day, in the order of time; the same for a seed.

    Args:
        unseen_share: the share of reads whose template is new on this day.
    """
    draw = random.Random(f"day {seed} {day_number}")
    habits = templates(seed, _TEMPLATES)
    added = templates(seed * 1000 + day_number, _ADDED_EACH_DAY)
    order = random.Random(f"habits {seed}").sample(range(len(habits)), len(habits))
    weights = [1.0 / (1 + order[place]) ** 0.9 for place in range(len(habits))]
    midnight = (day_number - 1) * 86_400.0
    yield from _night(draw, day_number, midnight)
    moments = sorted(_moment(draw) for _ in range(statements))
    for number, moment in enumerate(moments):
        at = midnight + moment
        if draw.random() < 0.03:
            yield StreamStatement(at, "insert an order", _order(draw, day_number, number), None, "write", True)
            continue
        new = draw.random() < unseen_share
        template = draw.choice(added) if new else draw.choices(habits, weights)[0]
        text, parameters = template.ask(draw)
        name = f"new on day {day_number}: {template.name}" if new else template.name
        yield StreamStatement(at, name, text, parameters, "read", not new)


def _moment(draw: random.Random) -> float:
    """Most is asked in working hours."""
    hour = draw.gauss(13.0, 3.0) if draw.random() < 0.85 else draw.uniform(3.0, 24.0)
    return min(86_399.0, max(3.0, hour) * 3600.0)


# Writes ---------------------------------------------------------------------------------------------------------------


def _night(draw: random.Random, day_number: int, midnight: float) -> Iterator[StreamStatement]:
    """The night's load: corrections of yesterday, then the new orders with their items in two bulk inserts."""
    first = _identifier(day_number, 0)
    today = f"DATE '{FIRST_DAY}' + {DAYS + day_number}"
    back = draw.randrange(1000)
    writes = [
        ("close old orders", f"UPDATE orders SET status = 'paid' WHERE status = 'open' AND id % 1000 = {back}"),
        (
            "load orders",
            f"INSERT INTO orders SELECT {first} + i, (hash(i + {day_number}) % (SELECT count(*) FROM customers))::INTEGER, "
            f"({today})::TIMESTAMP + to_seconds((i * 60)::BIGINT), {today}, 'store', 'paid', 20 + i % 90 FROM range(500) t(i)",
        ),
        (
            "load items",
            f"INSERT INTO items SELECT {first} + i // 2, (1 + i % 2)::SMALLINT, "
            f"(hash(i + {day_number}) % (SELECT count(*) FROM products))::INTEGER, (1 + i % 3)::SMALLINT, 5 + i % 70, 0, {today}, "
            f"(i % {WAREHOUSES})::SMALLINT, FALSE, 1.5, NULL FROM range(1000) t(i)",
        ),
    ]
    for number, (name, text) in enumerate(writes):
        yield StreamStatement(midnight + _NIGHT + number, name, text, None, "write", True)


def _order(draw: random.Random, day_number: int, number: int) -> str:
    identifier = _identifier(day_number, 1000 + number)
    product = int(1000 * draw.random() ** 3)
    moment = f"DATE '{FIRST_DAY}' + {DAYS + day_number}"
    return (
        f"INSERT INTO orders VALUES ({identifier}, {draw.randrange(1000)}, {moment}, {moment}, 'web', 'open', 49.90); "
        f"INSERT INTO items VALUES ({identifier}, 1, {product}, {draw.randrange(1, 5)}, 24.95, 0, NULL, "
        f"{draw.randrange(WAREHOUSES)}, FALSE, 2.5, NULL)"
    )


def _identifier(day_number: int, number: int) -> int:
    return 10**9 + day_number * 10**6 + number


# Reads: each maker draws a template's shape and returns what draws its literals -------------------------------------------


def _product(draw: random.Random) -> int:
    return int(5000 * draw.random() ** 3)


def _date(draw: random.Random, back: int = DAYS) -> date:
    """A day of the shop's three years, recent ones more often."""
    return date.fromisoformat(FIRST_DAY) + timedelta(days=DAYS - 1 - int(back * draw.random() ** 2))


def _width(draw: random.Random, low: float, high: float) -> int:
    """Log-uniform between two widths."""
    return max(1, int(low * (high / low) ** draw.random()))


def _look_up(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    if draw.random() < 0.5:
        text = "SELECT id, day, channel, status, total FROM orders WHERE customer_id = ? ORDER BY id"
        return lambda r: (text, [int(10_000 * r.random() ** 2)])
    columns = draw.choice(["*", "order_id, line, quantity, price", "order_id, shipped, warehouse, returned"])
    return lambda r: (f"SELECT {columns} FROM items WHERE product_id = {_product(r)} AND returned", None)


def _items_by_product(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    span = _width(draw, 1, 60)
    group = draw.choice(["warehouse", "quantity", "returned", "discount"])
    measure = draw.choice(["sum(quantity * price)", "sum(quantity)", "avg(price)"])

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        low = _product(r)
        return (
            f"SELECT {group}, count(*) AS items, {measure} AS measure FROM items "
            f"WHERE product_id BETWEEN {low} AND {low + span} GROUP BY {group} ORDER BY {group}",
            None,
        )

    return ask


def _items_by_date(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    days = _width(draw, 1, 90)
    group = draw.choice(["shipped", "warehouse", "returned"])
    extra = draw.choice(["", " AND returned", " AND discount > 0.10"])

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        low = _date(r)
        return (
            f"SELECT {group}, count(*) AS items, sum(quantity * price) AS revenue FROM items "
            f"WHERE shipped BETWEEN DATE '{low}' AND DATE '{low + timedelta(days=days)}'{extra} GROUP BY {group} ORDER BY {group}",
            None,
        )

    return ask


def _revenue(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    warehouses = draw.randrange(1, 4)

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        chosen = ", ".join(str(one) for one in r.sample(range(WAREHOUSES), warehouses))
        low = _date(r, 400)
        return (
            f"SELECT warehouse, sum(quantity * price * (1 - discount)) AS revenue, count(DISTINCT order_id) AS orders FROM items "
            f"WHERE warehouse IN ({chosen}) AND shipped >= DATE '{low}' GROUP BY warehouse ORDER BY warehouse",
            None,
        )

    return ask


def _orders_of_customers(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    span = _width(draw, 1, 200)
    text = (
        "SELECT status, count(*) AS orders, sum(total) AS total, max(day) AS last FROM orders "
        "WHERE customer_id BETWEEN ? AND ? GROUP BY status ORDER BY status"
    )

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        low = int(10_000 * r.random() ** 2)
        return text, [low, low + span]

    return ask


def _top(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    limit = draw.choice([5, 10, 20])
    key = draw.choice(["product_id", "warehouse", "note"])

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        low = _date(r)
        return (
            f"SELECT {key}, sum(quantity * price) AS revenue FROM items WHERE shipped = DATE '{low}' "
            f"GROUP BY {key} ORDER BY revenue DESC, {key} LIMIT {limit}",
            None,
        )

    return ask


def _joined(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    kind = draw.choice(["category", "customer", "region"])

    def ask(r: random.Random) -> tuple[str, list[Any] | None]:
        low = _date(r)
        match kind:
            case "category":
                return (
                    f"SELECT p.brand, sum(i.quantity * i.price) AS revenue FROM items i JOIN products p ON i.product_id = p.id "
                    f"WHERE p.category = 'category {r.randrange(CATEGORIES)}' AND i.shipped BETWEEN DATE '{low}' AND "
                    f"DATE '{low + timedelta(days=30)}' GROUP BY p.brand ORDER BY p.brand",
                    None,
                )
            case "customer":
                return (
                    f"SELECT i.product_id, sum(i.quantity) AS quantity FROM orders o JOIN items i ON i.order_id = o.id "
                    f"WHERE o.customer_id = {int(10_000 * r.random() ** 2)} GROUP BY i.product_id ORDER BY i.product_id",
                    None,
                )
            case _:
                return (
                    f"SELECT c.region, o.channel, count(*) AS orders, sum(o.total) AS total FROM orders o "
                    f"JOIN customers c ON o.customer_id = c.id WHERE o.day >= DATE '{low}' AND c.region = '{r.choice(REGIONS)}' "
                    "GROUP BY c.region, o.channel ORDER BY c.region, o.channel",
                    None,
                )

    return ask


def _notes(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    columns = draw.choice(["count(*) AS items, count(DISTINCT warehouse) AS warehouses", "warehouse, count(*) AS items"])
    group = " GROUP BY warehouse ORDER BY warehouse" if columns.startswith("warehouse") else ""
    return lambda r: (
        f"SELECT {columns} FROM items WHERE note LIKE '{r.choice(_NOTES)}%{r.randrange(900)}'{group}",
        None,
    )


def _report(draw: random.Random) -> Callable[[random.Random], tuple[str, list[Any] | None]]:
    """A question about everything, which no sort order helps."""
    if draw.random() < 0.5:
        return lambda r: (
            f"SELECT channel, count(*) AS orders, sum(total) AS total FROM orders WHERE channel <> '{r.choice(CHANNELS)}' "
            "GROUP BY channel ORDER BY channel",
            None,
        )
    return lambda r: (
        f"SELECT warehouse, count(*) AS items FROM items WHERE quantity > {r.randrange(1, 4)} GROUP BY warehouse ORDER BY warehouse",
        None,
    )
