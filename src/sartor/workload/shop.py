"""A realistic shop: skewed, correlated, ordered by time, made inside DuckDB and the same for a seed.

Four tables: customers, products, orders and items. Orders come in the order of time, over three years and more of them each
year; items follow their orders. Products and customers are chosen by a heavy tail, regions follow customers, shipping follows the
order, what is returned follows the product.
"""

from __future__ import annotations

import duckdb

DAYS = 1_095
FIRST_DAY = "2022-01-01"
ITEMS_FOR_EACH_ORDER = 2.5
REGIONS = ("north", "south", "east", "west", "abroad")
CHANNELS = ("web", "app", "store", "phone")
CATEGORIES = 40
WAREHOUSES = 24


def sizes(items: int) -> tuple[int, int, int]:
    """How many customers, products and orders a shop of that many items has.

    >>> sizes(1_000_000)
    (40000, 5000, 400000)
    """
    orders = max(1, int(items / ITEMS_FOR_EACH_ORDER))
    return max(10, orders // 10), max(10, min(50_000, items // 200)), orders


def make_shop(connection: duckdb.DuckDBPyConnection, items: int, seed: int) -> None:
    """Make the tables of a shop with that many order items; tables of these names must not be there."""
    customers, products, orders = sizes(items)
    for text in (
        _customers(customers, seed),
        _products(products, seed),
        _orders(orders, customers, seed),
        _items(items, products, seed),
    ):
        for statement in text:
            connection.execute(statement)


def _uniform(what: str, salt: int) -> str:
    """A number in [0, 1) that depends on an expression and a salt alone."""
    return f"(hash({what} * 31 + {salt}) % 1000003) / 1000003.0"


def _one_of(values: tuple[str, ...], share: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f"([{listed}])[1 + ({share} * {len(values)})::INTEGER % {len(values)}]"


def _customers(count: int, seed: int) -> list[str]:
    region = f"pow({_uniform('i', seed)}, 2)"
    return [
        "CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR, region VARCHAR, segment VARCHAR, since DATE)",
        f"INSERT INTO customers SELECT i, 'customer ' || i, {_one_of(REGIONS, region)}, "
        f"CASE WHEN {_uniform('i', seed + 1)} < 0.05 THEN 'business' ELSE 'private' END, "
        f"DATE '{FIRST_DAY}' - 400 + (i % 1400)::INTEGER FROM range({count}) t(i)",
    ]


def _products(count: int, seed: int) -> list[str]:
    return [
        "CREATE TABLE products (id INTEGER PRIMARY KEY, name VARCHAR, category VARCHAR, brand VARCHAR, price DECIMAL(10,2))",
        f"INSERT INTO products SELECT i, 'product ' || i, 'category ' || (hash(i + {seed}) % {CATEGORIES}), "
        f"'brand ' || (i % 97), round(2 + 400 * pow({_uniform('i', seed + 2)}, 3), 2) FROM range({count}) t(i)",
    ]


def _orders(count: int, customers: int, seed: int) -> list[str]:
    day = f"({DAYS} * pow(i / {count}.0, 0.8))"
    channel = f"pow({_uniform('i', seed + 4)}, 1.5)"
    return [
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer_id INTEGER, ordered_at TIMESTAMP, day DATE, channel VARCHAR, "
        "status VARCHAR, total DECIMAL(12,2))",
        f"INSERT INTO orders SELECT i, floor({customers} * pow({_uniform('i', seed + 3)}, 2))::INTEGER, "
        f"TIMESTAMP '{FIRST_DAY}' + to_seconds(floor(86400 * {day})::BIGINT), DATE '{FIRST_DAY}' + floor({day})::INTEGER, "
        f"{_one_of(CHANNELS, channel)}, "
        f"CASE WHEN i > {int(count * 0.995)} THEN 'open' WHEN {_uniform('i', seed + 5)} < 0.03 THEN 'cancelled' ELSE 'paid' END, "
        f"round(5 + 300 * pow({_uniform('i', seed + 6)}, 2), 2) FROM range({count}) t(i)",
    ]


def _items(count: int, products: int, seed: int) -> list[str]:
    order = f"floor(i / {ITEMS_FOR_EACH_ORDER})"
    orders = sizes(count)[2]
    day = f"floor({DAYS} * pow({order} / {orders}.0, 0.8))"
    product = f"floor({products} * pow({_uniform('i', seed + 7)}, 3))"
    return [
        "CREATE TABLE items (order_id BIGINT, line SMALLINT, product_id INTEGER, quantity SMALLINT, price DECIMAL(10,2), "
        "discount DECIMAL(4,2), shipped DATE, warehouse SMALLINT, returned BOOLEAN, weight DOUBLE, note VARCHAR)",
        f"INSERT INTO items SELECT {order}::BIGINT, 1 + (i - ceil({order} * {ITEMS_FOR_EACH_ORDER}))::SMALLINT, "
        f"{product}::INTEGER, 1 + (hash(i + {seed + 8}) % 5)::SMALLINT, round(2 + 400 * pow({_uniform('i', seed + 9)}, 3), 2), "
        f"((hash(i + {seed + 10}) % 4) / 20.0), "
        f"CASE WHEN {_uniform('i', seed + 11)} < 0.02 THEN NULL ELSE DATE '{FIRST_DAY}' + ({day} + 1 + "
        f"hash(i + {seed + 12}) % 6)::INTEGER END, ({product} * 7 + hash(i + {seed + 13}) % 3)::BIGINT % {WAREHOUSES}, "
        f"{_uniform('i', seed + 14)} < 0.02 + 0.06 * ({product}::INTEGER % 13 = 0)::INTEGER, 0.1 + 20 * {_uniform('i', seed + 15)}, "
        f"CASE WHEN hash(i + {seed + 16}) % 10 < 7 THEN NULL ELSE ([ 'gift', 'fragile', 'express', 'damaged box', "
        f"'call before delivery', 'second try'])[1 + (hash(i + {seed + 17}) % 6)::INTEGER] || ' ' || (hash(i + {seed + 18}) % 900) END"
        f" FROM range({count}) t(i)",
    ]
