"""Which statements are answered from a view: each section of the fixtures as it says, and without a difference from plain.

Sections are tried one view at a time in a database of their file, whose rows no section changes. `test_after_writes` then puts
all views of a file in force at once and writes to every table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest
from fuzz.compare import Answer, answer, difference
from views.sections import RULES, SCHEMA, Section, every, sections

import sartor
from sartor.components.views.define import view_of
from sartor.core.view import definition_of
from sartor.interfaces.connection import session_of
from sartor.sql.analyse import analyse
from sartor.sql.matching.lossless import lacking

VERIFIED = "verified_inclusions"
TIMES = 3  # a template is analysed when it is asked again

APPENDS = """
INSERT INTO stores VALUES (13, 'Oslo', 'east', NULL, NULL, 9), (14, NULL, 'north', '2024-01-01', TRUE, NULL);
INSERT INTO products VALUES (41, 'new', NULL, 'acme', 3.5, -0.0, 13), (42, 'newer', 'games', 'Zeta', NULL, 'nan', 1);
INSERT INTO promotions VALUES (7, 'summer', 0.5);
INSERT INTO customers VALUES (100, 'gold', NULL, '2024-02-02'), (169, NULL, 'Oslo', NULL);
INSERT INTO sales SELECT sale_id + 5000, CASE WHEN sale_id % 5 = 0 THEN 13 ELSE store_id END, 1 + sale_id % 42,
    CASE WHEN sale_id % 3 = 0 THEN 7 END, 15 - ship_store, customer_id + 1, sold + 40, moment - INTERVAL 3 DAY,
    CASE WHEN sale_id % 4 = 0 THEN 'fax' ELSE channel END, 6 - units, quantity - 60, points * 2, amount + 90, discount / 3, -score,
    NOT returned, upper(note) FROM sales WHERE sale_id % 9 = 0;
INSERT INTO reviews VALUES (1, 5, 'Ok'), (13, NULL, NULL);
INSERT INTO returns SELECT sale_id, store_id, note, amount, sold FROM sales WHERE sale_id % 50 = 0;
INSERT INTO archive.sales SELECT sale_id, store_id, product_id, sold, channel, units, quantity, amount FROM sales WHERE sale_id > 5900;
"""
UPDATES = """
UPDATE stores SET city = 'Moss', sqm = sqm + 1, is_open = NOT is_open WHERE store_id % 2 = 0;
UPDATE products SET category = 'tools', price = price + 1 WHERE product_id % 4 = 1;
UPDATE promotions SET label = NULL, rate = 0.25 WHERE promo_id = 2;
UPDATE customers SET segment = 'blue' WHERE customer_id < 120;
UPDATE sales SET channel = 'app', quantity = NULL, amount = amount - 1, discount = discount + 1 WHERE sale_id % 6 = 0;
UPDATE reviews SET title = upper(title) WHERE stars = 2;
UPDATE returns SET refund = 1 WHERE store_id = 1;
UPDATE archive.sales SET units = 9, channel = NULL WHERE store_id = 2;
"""
DELETES = """
DELETE FROM sales WHERE channel = 'web' AND sale_id % 3 > 0 OR store_id IN (4, 13);
DELETE FROM customers WHERE segment IS NULL;
DELETE FROM reviews WHERE title = 'LATE';
DELETE FROM returns WHERE refund = 1;
DELETE FROM archive.sales WHERE units = 9;
"""


class Shop:
    """A database of the fixtures' schema, a connection that is served and one that is plain."""

    def __init__(self) -> None:
        self.connection: Any = sartor.connect(":memory:", config={"threads": 1})
        self.connection.execute(SCHEMA.read_text())
        self.plain = duckdb.DuckDBPyConnection.cursor(self.connection)
        self.database = session_of(self.connection).database
        self._expected: dict[str, Answer] = {}

    def close(self) -> None:
        self.plain.close()
        self.connection.close()

    def install(self, view: str) -> int | None:
        """Build a view; its number, or None if it can not be one."""
        with self.database.engine_lock:
            action = view_of(view, self.database.catalog())
        return None if action is None else self.database.install(action).identifier

    def verify(self, section: Section) -> None:
        """Look on the data for inclusions that the section's view lacks, for the rule that is about them."""
        if section.rule != VERIFIED:
            return
        with self.database.engine_lock:
            catalog = self.database.catalog()
            view = view_of(section.view, catalog)
            blocks = analyse(section.query, catalog).blocks
        for block in blocks if view is not None else ():
            if set(block.inner) < set(definition_of(view).inner):
                for inclusion in lacking(block, definition_of(view)):
                    self.database.install_inclusion(inclusion)

    def clear(self) -> None:
        """Drop what was installed, and forget what was asked: how long it took tells nothing of the next section."""
        if self.database.design.objects:
            self.database.undo()
        self.database.templates.clear()
        self.database.texts.clear()

    def expected(self, query: str) -> Answer:
        """Plain's answer, as long as nothing is written."""
        if query not in self._expected:
            self._expected[query] = answer(self.plain.execute(query))
        return self._expected[query]

    def write(self, script: str) -> None:
        for statement in script.split(";\n"):
            if statement.strip():
                self.connection.execute(statement)
        self._expected.clear()

    def ask(self, section: Section) -> tuple[str | None, frozenset[int]]:
        """How the answer differs from plain's, and the numbers of the views that it comes from."""
        self.connection.execute(section.query)
        pending = session_of(self.connection).pending
        given = answer(self.connection)
        used = frozenset(pending.alternative) if pending is not None else frozenset()
        return difference(self.expected(section.query), given, ordered=section.ordered, floats=True), used


@pytest.fixture(scope="module")
def shops() -> Iterator[Callable[[str], Shop]]:
    """One database for the sections of a file, the last one asked for."""
    opened: dict[str, Shop] = {}

    def shop(rule: str) -> Shop:
        if rule not in opened:
            for other in [*opened]:
                opened.pop(other).close()
            opened[rule] = Shop()
        return opened[rule]

    yield shop
    for other in opened.values():
        other.close()


@pytest.mark.parametrize("rule", RULES)
def test_runs(rule: str) -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(SCHEMA.read_text())
        for section in sections(rule):
            for statement in (section.view, section.query):
                first = answer(connection.execute(statement))
                again = answer(connection.execute(statement))
                assert difference(first, again, ordered=section.ordered, floats=False) is None, str(section)


def test_the_fixtures_hold_enough_of_each() -> None:
    names = [str(section) for section in every()]
    assert len(set(names)) == len(names)
    assert len({(section.view, section.query) for section in every()}) == len(names)
    assert len(every("match")) >= 210
    assert len(every("differ")) >= 105


@pytest.mark.parametrize("section", every("match"), ids=str)
def test_match(shops: Callable[[str], Shop], section: Section) -> None:
    shop = shops(section.rule)
    shop.clear()
    view = shop.install(section.view)
    shop.verify(section)
    assert view is not None, "it can not be a view"
    asked = [shop.ask(section) for _ in range(TIMES)]
    assert [different for different, _ in asked] == [None] * TIMES
    assert asked[-1][1] == {view}, f"it was not answered from the view{_told(shop)}"


@pytest.mark.parametrize("section", every("differ", "notyet"), ids=str)
def test_differ(shops: Callable[[str], Shop], section: Section) -> None:
    shop = shops(section.rule)
    shop.clear()
    view = shop.install(section.view)
    shop.verify(section)
    asked = [shop.ask(section) for _ in range(TIMES)]
    assert [different for different, _ in asked] == [None] * TIMES
    told = f"make it a match: it was answered from the view, which was not known to be found ({section.why})"
    assert view is None or not asked[-1][1], told if section.kind == "notyet" else f"it was answered from the view: {section.why}"


@pytest.mark.parametrize("rule", RULES)
def test_after_writes(rule: str) -> None:
    shop = Shop()
    try:
        for view in dict.fromkeys(section.view for section in sections(rule)):
            shop.install(view)
        _agrees(shop, rule)
        _agrees(shop, rule)
        for section in sections(rule):
            shop.verify(section)
        _agrees(shop, rule)
        for script in (APPENDS, UPDATES, DELETES):
            shop.write(script)
            _agrees(shop, rule)
            shop.database.refresh()
            _agrees(shop, rule)
    finally:
        shop.close()


def test_a_temporary_table_is_another_table() -> None:
    shop = Shop()
    section = Section("names_types", "differ", "temp", "", "", "SELECT channel, sum(units) FROM sales GROUP BY channel")
    try:
        assert shop.install("SELECT channel, store_id, sum(units) FROM sales GROUP BY channel, store_id") is not None
        assert [shop.ask(section)[0] for _ in range(TIMES)] == [None] * TIMES
        shop.connection.execute("CREATE TEMP TABLE sales AS SELECT 'x' AS channel, 1::SMALLINT AS units")
        for _ in range(TIMES):
            assert shop.connection.execute(section.query).fetchall() == [("x", 1)]
    finally:
        shop.close()


def test_another_schema_is_another_table() -> None:
    shop = Shop()
    section = Section("names_types", "differ", "schema", "", "", "SELECT channel, sum(units) FROM sales GROUP BY channel")
    try:
        assert shop.install("SELECT channel, store_id, sum(units) FROM sales GROUP BY channel, store_id") is not None
        assert [shop.ask(section)[0] for _ in range(TIMES)] == [None] * TIMES
        shop.connection.execute("SET schema = 'archive'")
        expected = shop.plain.execute("SELECT channel, sum(units) FROM archive.sales GROUP BY channel").fetchall()
        for _ in range(TIMES):
            assert sorted(shop.connection.execute(section.query).fetchall(), key=str) == sorted(expected, key=str)
    finally:
        shop.close()


def test_rows_of_an_open_transaction_are_seen_by_it_alone() -> None:
    shop = Shop()
    query = "SELECT count(*) AS n FROM sales WHERE channel = 'fax'"
    try:
        assert shop.install("SELECT channel, count(*) FROM sales GROUP BY channel") is not None
        for _ in range(TIMES):
            assert shop.connection.execute(query).fetchall() == [(0,)]
        shop.connection.execute("BEGIN")
        shop.connection.execute("UPDATE sales SET channel = 'fax' WHERE sale_id = 5")
        assert shop.connection.execute(query).fetchall() == [(1,)]
        other = shop.connection.cursor()
        assert other.execute(query).fetchall() == [(0,)]
        other.close()
        shop.connection.execute("ROLLBACK")
        assert shop.connection.execute(query).fetchall() == [(0,)]
    finally:
        shop.close()


def _agrees(shop: Shop, rule: str) -> None:
    for section in sections(rule):
        different, _ = shop.ask(section)
        assert different is None, f"{section}: {different}"


def _told(shop: Shop) -> str:
    """The last alternative that raised, as the ledger holds it."""
    failed = [decision for decision in shop.database.ledger.decisions() if decision.kind == "fall_back"]
    return f": {failed[-1]}" if failed else ""
