"""The shop's items: ranges of several columns and of one of them, conditions that repeat, conditions on what items are joined to."""

from __future__ import annotations

import random
from functools import partial

import duckdb

from benchmarks.layouts.workload import Source, Workload, counted, repeated, star
from benchmarks.suites.shop.suite import Shop

_DAYS = 1_000
_SUMMED = "SELECT count(*), sum(quantity), min(price), max(order_id) FROM items WHERE"


def _several(products: int, pick: random.Random) -> str:
    """Ranges of two or three columns at once."""
    first, day, cents = pick.randrange(products), pick.randrange(_DAYS), pick.randrange(5, 200)
    product = f"product_id BETWEEN {first} AND {first + products // 25}"
    shipped = f"shipped BETWEEN DATE '2022-01-01' + {day} AND DATE '2022-01-01' + {day + 40}"
    weight = f"weight BETWEEN {cents / 10} AND {cents / 10 + 1.5}"
    condition = " AND ".join(pick.choice([(product, shipped), (product, weight), (shipped, weight), (product, shipped, weight)]))
    return f"{_SUMMED} {condition}"


def _one(products: int, pick: random.Random) -> str:
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


_REPEATED = (  # zone maps do not see through them
    "note LIKE '%damaged box 8_'",
    "note LIKE '%before delivery 77%'",
    "quantity = 5 AND weight * 2.0 > 39.7",
    "weight < quantity * 0.05",
    "returned AND note LIKE '%express%'",
    "lower(note) IN ('gift 7', 'gift 70', 'second try 333')",
)


_LISTED = ("order_id, product_id, price", "order_id, note")
_JOINED = (
    "JOIN products p ON i.product_id = p.id WHERE p.category = 'category 3'",
    "JOIN products p ON i.product_id = p.id WHERE p.category = 'category 7' AND p.price > 40",
    "JOIN products p ON i.product_id = p.id WHERE p.brand IN ('brand 5', 'brand 55')",
    "JOIN orders o ON i.order_id = o.id WHERE o.status = 'cancelled'",
    "JOIN orders o ON i.order_id = o.id JOIN customers c ON o.customer_id = c.id WHERE c.segment = 'business'",
    "JOIN products p ON i.product_id = p.id JOIN orders o ON i.order_id = o.id "
    "WHERE p.category = 'category 3' AND o.status = 'cancelled'",
)


_SHOWN = (
    ("DISTINCT i.order_id, i.note", "ORDER BY i.order_id, i.note"),
    ("i.warehouse, count(*), bit_xor(i.order_id), min(i.note)", "GROUP BY i.warehouse ORDER BY i.warehouse"),
)
_RANGED = ("order_id", "quantity", "price", "product_id", "shipped", "weight")
_NOTED = ("order_id", "product_id", "quantity", "price", "warehouse", "returned", "weight", "note")
_STARRED = ("order_id", "product_id", "warehouse", "note")
_DIMENSIONS = ("product_id", "shipped", "weight")
SCATTERED = "hash(order_id, line)"


def workloads(connection: duckdb.DuckDBPyConnection) -> list[Workload]:
    """Those over a shop."""
    ((products,),) = connection.execute("SELECT count(*) FROM products").fetchall()
    items = partial(Workload, table="items", describing=frozenset(("products", "orders", "customers")))
    ranged = partial(items, reads=_RANGED, keys=_DIMENSIONS, hottest=_DIMENSIONS, passing=counted)
    again, joined = partial(repeated, "items", _LISTED, _REPEATED), partial(star, "items i", _SHOWN, _JOINED)
    noted = ("note", "product_id", "weight", "warehouse")
    return [
        ranged("several ranges", statement=partial(_several, products)),
        ranged("several ranges, scattered", statement=partial(_several, products), scattered=SCATTERED),
        ranged("one range of three", statement=partial(_one, products)),
        items("conditions that repeat", reads=_NOTED, keys=noted, hottest=("product_id", "weight"), statement=again, passing=len),
        items("star joins", reads=_STARRED, keys=_STARRED, hottest=("product_id", "order_id"), statement=joined),
    ]


SHOP = Source(Shop(), 1.0, float("inf"), workloads)
