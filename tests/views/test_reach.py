"""Appended rows joined with large tables: these are restricted to what the rows can be joined with, and no answer changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest

import sartor
from sartor.components.views import reach
from sartor.components.views.apply import definition
from sartor.components.views.reach import within_reach
from tests.views.support import install, is_served

CHAIN = (
    "SELECT o.channel, c.region, count(*) AS n, sum(i.q) AS q FROM items i JOIN orders o ON i.o = o.o JOIN customers c ON o.c = c.c "
    "GROUP BY o.channel, c.region"
)
OUTER = "SELECT c.region, o.channel, count(*) AS n FROM customers c LEFT JOIN orders o ON o.c = c.c GROUP BY c.region, o.channel"
WIDER = "SELECT w.name, count(*) AS n FROM orders o JOIN wide w ON o.c = w.c GROUP BY w.name"


@pytest.fixture
def con(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Items of orders of customers, with keys that are NULL, come twice, or are in one of the tables alone."""
    monkeypatch.setattr(reach, "RESIDUAL_JOIN_ROWS", replace(reach.RESIDUAL_JOIN_ROWS, default=100))
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE items AS SELECT nullif(i % 700, 5)::INTEGER AS o, i % 11 AS q FROM range(3000) r(i)")
        connection.execute(
            "CREATE TABLE orders AS SELECT nullif(i % 650, 7)::INTEGER AS o, nullif(i % 210, 9)::INTEGER AS c, "
            "'c' || i % 3 AS channel FROM range(900) r(i)"
        )
        connection.execute("CREATE TABLE customers AS SELECT nullif(i, 30)::INTEGER AS c, 'r' || i % 4 AS region FROM range(200) r(i)")
        connection.execute("CREATE TABLE wide AS SELECT i::BIGINT AS c, 'n' || i % 5 AS name FROM range(200) r(i)")
        yield connection


def appended(table: str, draw: random.Random) -> str:
    key = f"CASE WHEN j % 5 > 0 THEN {draw.randrange(600)} + j END"
    rows = f"FROM range({draw.randrange(1, 9)}) r(j)"
    return {
        "items": f"INSERT INTO items SELECT {key}, j {rows}",
        "orders": f"INSERT INTO orders SELECT {key}, {draw.randrange(220)}, 'new' {rows}",
        "customers": f"INSERT INTO customers SELECT {draw.randrange(400)} + j, 'new' {rows}",
    }[table]


@pytest.mark.parametrize("tables", [c for n in (1, 2, 3) for c in combinations(("items", "orders", "customers"), n)])
def test_answers_are_those_of_plain_whatever_tables_grow(con: Any, tables: tuple[str, ...]) -> None:
    draw = random.Random(" ".join(tables))
    install(con, CHAIN)
    text = f"{CHAIN} ORDER BY ALL"
    assert is_served(con, text)
    for _ in range(4):
        for table in tables:
            con.execute(appended(table, draw))
        assert is_served(con, text)
    con.refresh()
    assert is_served(con, text)


def test_rows_of_tables_further_on_are_reached_over_those_between(con: Any) -> None:
    derived = install(con, CHAIN)
    view = definition(derived.action)
    orders, customers = within_reach(derived, view, view.names.index("main.items"))
    assert orders.startswith('"main.orders"."o" IN (SELECT unnest(list(DISTINCT "main.items"."o"))')
    assert customers.startswith('"main.customers"."c" IN (SELECT unnest(list(DISTINCT "main.orders"."c"))')
    assert orders in customers
    assert len(within_reach(derived, view, view.names.index("main.customers"))) == 2


@pytest.mark.parametrize(("text", "table"), [(OUTER, "main.customers"), (WIDER, "main.orders")])
def test_what_may_be_missing_or_is_of_another_type_is_not_restricted(con: Any, text: str, table: str) -> None:
    derived = install(con, text)
    view = definition(derived.action)
    assert within_reach(derived, view, view.names.index(table)) == []
    con.execute("INSERT INTO customers VALUES (3, 'new')")
    con.execute("INSERT INTO orders VALUES (3, 3, 'new')" if text == WIDER else "INSERT INTO items VALUES (1, 1)")
    assert is_served(con, f"{text} ORDER BY ALL")


def test_small_tables_are_not_restricted(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    derived = install(con, CHAIN)
    view = definition(derived.action)
    monkeypatch.setattr(reach, "RESIDUAL_JOIN_ROWS", replace(reach.RESIDUAL_JOIN_ROWS, default=500))
    assert len(within_reach(derived, view, view.names.index("main.items"))) == 1
