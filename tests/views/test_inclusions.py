"""A view of a table more answers while it is known, declared or verified, that each row has exactly one there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import sartor
from sartor.core.table import Inclusion, TableName
from sartor.freshness.usable import Use
from sartor.interfaces import refreshing, serving
from tests.freshness.support import ask, database_of, plain
from tests.views.support import install, is_served

VIEW = (
    "SELECT o.region, o.id % 7 AS a, i.product, i.order_id, sum(i.amount), count(*) FROM items i JOIN orders o ON i.order_id = o.id "
    "GROUP BY ALL"
)
ALONE = "SELECT product, sum(amount) AS total, count(*) AS n FROM items GROUP BY product ORDER BY product"
BY_KEY = "SELECT count(*) AS n, max(order_id) AS last FROM items WHERE order_id >= 40"
SCHEMA = """
CREATE TABLE orders AS SELECT i::INTEGER AS id, i % 7 AS shop, ['n', 's', 'w'][1 + i % 3] AS region FROM range(200) r(i);
CREATE TABLE items AS
    SELECT (i % 200)::INTEGER AS order_id, i % 200 % 7 AS shop, i % 11 AS product, i % 97 AS amount FROM range(3000) r(i);
"""


@pytest.fixture
def con() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(SCHEMA)
        install(connection, VIEW)
        yield connection


def verify(con: Any, child: str = "items", parent: str = "orders", *pairs: tuple[str, str]) -> Any:
    database = database_of(con)
    names = (TableName(database.engine().database, "main", name) for name in (child, parent))
    return database.install_inclusion(Inclusion(*names, pairs or (("order_id", "id"),)))


def test_it_answers_once_the_inclusion_is_known(con: Any) -> None:
    assert not is_served(con, ALONE)
    assert "not known that each row of main.items has exactly one" in con.explain_rewrite(ALONE).considered[0].reason
    assert verify(con) is not None
    for text in (ALONE, BY_KEY):
        assert is_served(con, text)
        assert ask(con, text)[1] == (Use.WHOLE,)
    assert con.explain_rewrite(ALONE).considered[0].status == "chosen"


@pytest.mark.parametrize("row", ["(7, 0, 3, 5)", "(900, 0, 3, 5)", "(NULL, NULL, 3, 5)"])
def test_rows_appended_need_no_parent_until_the_view_is_refreshed(con: Any, row: str) -> None:
    verify(con)
    assert is_served(con, ALONE)
    assert is_served(con, BY_KEY)
    con.execute(f"INSERT INTO items VALUES {row}")
    for text in (ALONE, BY_KEY):
        assert is_served(con, text)
        assert ask(con, text)[1] == (Use.RESIDUAL,)
        con.execute("BEGIN")
        con.execute("SELECT count(*) FROM orders").fetchall()
        assert con.execute(text).fetchall() == plain(con, text)
        con.execute("COMMIT")
    con.refresh()
    for text in (ALONE, BY_KEY):
        assert is_served(con, text) is row.startswith("(7")


@pytest.mark.parametrize("row", ["(500, 0, 'n')", "(7, 0, 'n')", "(NULL, 0, 'n')"])
def test_rows_appended_to_the_parent(con: Any, row: str) -> None:
    verify(con)
    assert is_served(con, ALONE)
    con.execute(f"INSERT INTO orders VALUES {row}")
    assert is_served(con, ALONE)
    con.execute("INSERT INTO items VALUES (7, 0, 3, 5), (800, 0, 4, 5)")
    assert is_served(con, ALONE)
    con.execute("INSERT INTO orders VALUES (800, 0, 's')")
    assert is_served(con, ALONE)
    con.refresh()
    assert is_served(con, ALONE) is row.startswith("(500")


def test_a_view_that_was_refreshed_without_its_fact_is_not_believed(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fact = verify(con)
    view = next(iter(database_of(con).design.objects))
    assert is_served(con, ALONE)
    con.execute("INSERT INTO items VALUES (900, 0, 3, 5)")
    monkeypatch.setattr(refreshing, "_tells_of", lambda *arguments: False)
    database_of(con).refresh(frozenset((view,)))
    assert fact.identifier in database_of(con).design.objects
    assert not is_served(con, ALONE)
    assert "was found of other rows" in con.explain_rewrite(ALONE).considered[0].reason
    monkeypatch.undo()
    con.execute("INSERT INTO items VALUES (7, 0, 3, 5)")
    database_of(con).refresh(frozenset((view,)))
    assert fact.identifier not in database_of(con).design.objects
    assert not is_served(con, ALONE)


def test_a_fact_of_a_later_moment_tells_nothing_of_a_view_that_lost_rows(con: Any) -> None:
    con.execute("INSERT INTO items VALUES (900, 0, 3, 5)")
    con.refresh()
    con.execute("INSERT INTO orders VALUES (900, 0, 'n')")
    assert verify(con) is not None
    assert not is_served(con, ALONE)
    con.refresh()
    assert is_served(con, ALONE)


def test_a_fact_of_an_earlier_moment_tells_nothing_of_parents_that_came_twice(con: Any) -> None:
    assert verify(con) is not None
    con.execute("INSERT INTO orders SELECT * FROM orders WHERE id = 7")
    install(con, VIEW.replace("o.id % 7", "o.id % 5"))
    for _ in range(3):
        assert con.execute(ALONE).fetchall() == plain(con, ALONE)


@pytest.mark.parametrize(
    ("write", "holds"),
    [
        ("DELETE FROM orders WHERE id = 7", False),
        ("UPDATE orders SET id = 6 WHERE id = 7", False),
        ("UPDATE orders SET region = 'n' WHERE id = 7", True),
        ("DELETE FROM items WHERE product = 7", True),
        ("UPDATE items SET order_id = 900 WHERE product = 7", False),
        ("UPDATE items SET order_id = NULL WHERE product = 7", False),
        ("TRUNCATE items", True),
        ("TRUNCATE orders", False),
    ],
)
def test_other_writes(con: Any, write: str, holds: bool) -> None:
    verify(con)
    assert is_served(con, ALONE)
    con.execute(write)
    assert not is_served(con, ALONE)
    con.execute("INSERT INTO items VALUES (8, 1, 3, 5)")
    assert not is_served(con, ALONE)
    con.refresh()
    assert is_served(con, ALONE) is (holds or ("TRUNCATE orders" in write and False))


def test_a_column_of_another_type_is_another_column(con: Any) -> None:
    verify(con)
    assert is_served(con, ALONE)
    con.execute("ALTER TABLE orders ALTER id TYPE VARCHAR USING lpad(id::VARCHAR, 3, '0')")
    con.execute("INSERT INTO orders SELECT '0' || id, shop, region FROM orders")
    for _ in range(3):
        assert con.execute(ALONE).fetchall() == plain(con, ALONE)
    con.refresh()
    assert not is_served(con, ALONE)
    assert verify(con) is None


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ("SELECT 1", True),
        ("INSERT INTO items VALUES (NULL, 1, 2, 3)", False),
        ("INSERT INTO items VALUES (-1, 1, 2, 3)", False),
        ("INSERT INTO orders VALUES (7, 1, 'n')", False),
        ("DELETE FROM orders WHERE id = 199", False),
        ("DELETE FROM items", True),
        ("ALTER TABLE items ALTER order_id TYPE BIGINT", False),
        ("ALTER TABLE items ALTER order_id TYPE DOUBLE; ALTER TABLE orders ALTER id TYPE DOUBLE", False),
        ("ALTER TABLE items ALTER order_id TYPE VARCHAR; ALTER TABLE orders ALTER id TYPE VARCHAR", True),
    ],
)
def test_what_holds(con: Any, change: str, holds: bool) -> None:
    con.execute(change)
    assert (verify(con) is not None) is holds


def test_several_columns(con: Any) -> None:
    con.execute("UPDATE orders SET id = id // 7")
    text = VIEW.replace("i.order_id = o.id", "i.order_id = o.id AND i.shop = o.shop")
    con.execute("UPDATE items SET order_id = order_id // 7")
    con.undo()
    install(con, text)
    assert verify(con) is None, "orders of all shops have one number"
    assert verify(con, "items", "orders", ("order_id", "id"), ("shop", "shop")) is not None
    assert is_served(con, ALONE)
    con.execute("INSERT INTO items VALUES (1, NULL, 3, 5), (1, 1, 3, 5), (90, 1, 3, 5)")
    assert is_served(con, ALONE)
    con.refresh()
    assert not is_served(con, ALONE)
    con.execute("DELETE FROM items WHERE shop IS NULL OR order_id = 90")
    con.refresh()
    assert verify(con, "items", "orders", ("order_id", "id"), ("shop", "shop")) is not None
    assert is_served(con, ALONE)
    con.execute("INSERT INTO orders VALUES (1, 9, 'n')")
    con.refresh()
    assert is_served(con, ALONE), "another shop's"
    con.execute("INSERT INTO orders VALUES (1, 9, 's')")
    con.refresh()
    assert not is_served(con, ALONE)


def test_a_chain(con: Any) -> None:
    con.execute("CREATE TABLE shops AS SELECT i AS shop, 'c' || i AS city FROM range(7) r(i)")
    con.undo()
    install(
        con,
        "SELECT s.city, o.region, i.product, sum(i.amount), count(*) FROM items i JOIN orders o ON i.order_id = o.id "
        "JOIN shops s ON o.shop = s.shop GROUP BY ALL",
    )
    joined = "SELECT o.region, count(*) AS n FROM items i JOIN orders o ON i.order_id = o.id GROUP BY o.region ORDER BY o.region"
    assert verify(con) is not None
    assert not is_served(con, ALONE)
    assert not is_served(con, joined)
    assert verify(con, "orders", "shops", ("shop", "shop")) is not None
    assert is_served(con, ALONE)
    assert is_served(con, joined)
    for write in ("INSERT INTO orders VALUES (300, 99, 'n')", "INSERT INTO items VALUES (300, 99, 1, 1), (400, 1, 1, 1)"):
        con.execute(write)
        assert is_served(con, ALONE)
        assert is_served(con, joined)
    con.refresh()
    assert not is_served(con, ALONE)
    assert not is_served(con, joined)


def test_a_table_that_refers_to_itself(con: Any) -> None:
    con.execute("CREATE TABLE staff AS SELECT i::INTEGER AS id, (i // 3)::INTEGER AS boss, i % 4 AS level FROM range(60) r(i)")
    install(con, "SELECT s.level, b.level AS above, count(*), sum(s.id) FROM staff s JOIN staff b ON s.boss = b.id GROUP BY ALL")
    text = "SELECT level, count(*) AS n, sum(id) AS ids FROM staff GROUP BY level ORDER BY level"
    assert not is_served(con, text)
    assert verify(con, "staff", "staff", ("boss", "id")) is not None
    assert is_served(con, text)
    con.execute("INSERT INTO staff VALUES (60, 99, 1), (61, 5, 2), (62, NULL, 2), (5, 5, 3)")
    assert is_served(con, text)
    con.refresh()
    assert not is_served(con, text)


def test_a_parent_joined_twice_and_conditions_on_it(con: Any) -> None:
    con.undo()
    for join in (
        "JOIN orders o ON i.order_id = o.id AND i.shop = o.shop",
        "JOIN orders o ON i.order_id = o.id WHERE o.region <> 'n'",
        "JOIN orders o ON i.shop = o.shop",
        "CROSS JOIN orders o",
        "JOIN orders o ON i.order_id = o.id JOIN orders p ON o.id = p.shop",
    ):
        view = f"SELECT o.region, i.product, count(*), sum(i.amount) FROM items i {join} GROUP BY ALL"
        install(con, view)
        assert verify(con) is not None
        assert not is_served(con, ALONE), view
        con.undo()
    install(
        con,
        "SELECT o.region, p.id AS other, i.product, count(*), sum(i.amount) FROM items i JOIN orders o ON i.order_id = o.id "
        "JOIN orders p ON i.shop = p.id GROUP BY ALL",
    )
    assert verify(con) is not None
    assert not is_served(con, ALONE)
    assert verify(con, "items", "orders", ("shop", "id")) is None, "its type is another"


def test_columns_that_are_equal_only_by_the_parent(con: Any) -> None:
    con.execute("CREATE TABLE moves AS SELECT order_id AS here, order_id AS there, amount FROM items")
    install(con, "SELECT o.id, m.amount, count(*) FROM moves m JOIN orders o ON m.here = o.id AND m.there = o.id GROUP BY ALL")
    verify(con, "moves", "orders", ("here", "id"), ("there", "id"))
    for text in ("SELECT max(here) AS h, max(there) AS t FROM moves", "SELECT count(*) AS n FROM moves WHERE here = there"):
        is_served(con, text)
        con.execute("INSERT INTO moves VALUES (300, 400, 1), (NULL, 500, 1)")
        is_served(con, text)


def test_a_key_that_only_the_parent_has_needs_the_parent(con: Any) -> None:
    con.undo()
    install(
        con, "SELECT o.id, o.region, i.product, count(*), sum(i.amount) FROM items i JOIN orders o ON i.order_id = o.id GROUP BY ALL"
    )
    assert verify(con) is not None
    assert is_served(con, BY_KEY)
    con.execute("INSERT INTO items VALUES (900, 0, 3, 5), (7, 0, 3, 5)")
    assert is_served(con, BY_KEY), "it is the child's as well"
    assert ask(con, BY_KEY)[1] == (Use.RESIDUAL,)
    assert not is_served(con, "SELECT shop, count(*) AS n FROM items GROUP BY shop ORDER BY shop")


def test_a_transaction_that_began_before(con: Any) -> None:
    verify(con)
    assert is_served(con, ALONE)
    with con.cursor() as other:
        con.execute("BEGIN")
        before = con.execute(ALONE).fetchall()
        other.execute("INSERT INTO items VALUES (900, 0, 3, 5)")
        assert con.execute(ALONE).fetchall() == before
        database_of(con).refresh()
        assert con.execute(ALONE).fetchall() == before
        con.execute("COMMIT")
        assert con.execute(ALONE).fetchall() == plain(con, ALONE) != before
        con.execute("BEGIN")
        con.execute("INSERT INTO items VALUES (901, 0, 3, 5)")
        assert con.execute(ALONE).fetchall() != plain(other, ALONE)
        con.execute("ROLLBACK")
        assert con.execute(ALONE).fetchall() == plain(con, ALONE)


def test_a_refresh_between_deciding_and_reading(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tail that it appends lost an orphan, which was to be told from the rows appended since."""
    verify(con)
    assert is_served(con, ALONE)
    con.execute("INSERT INTO items VALUES (900, 0, 3, 5), (7, 0, 3, 5)")
    assert is_served(con, ALONE)
    covered = "SELECT sum(rows_covered) FROM sartor.state"
    before, begin, working = plain(con, covered), serving.begin, Thread(target=con.refresh)

    def begin_and_let_refresh(*arguments: Any, **named: Any) -> Any:
        call = begin(*arguments, **named)
        if call.instead is not None and not working.ident:
            working.start()
            while plain(con, covered) == before:
                pass
        return call

    monkeypatch.setattr(serving, "begin", begin_and_let_refresh)
    rows = con.execute(ALONE).fetchall()
    working.join()
    assert rows == plain(con, ALONE)
    assert not is_served(con, ALONE)


@pytest.mark.parametrize("between", ["", "INSERT INTO items VALUES (900, 0, 3, 5)", "DELETE FROM orders WHERE id = 3"])
def test_it_is_kept_in_the_file(tmp_path: Path, between: str) -> None:
    path = tmp_path / "t.duckdb"
    with sartor.connect(path) as con:
        con.execute(SCHEMA)
        install(con, VIEW)
        verify(con)
        assert is_served(con, ALONE)
        if between:
            con.execute(between)
    with sartor.connect(path) as con:
        assert is_served(con, ALONE) is not between.startswith("DELETE")
        con.execute("INSERT INTO items VALUES (901, 0, 3, 5)")
        assert is_served(con, ALONE) is not between.startswith("DELETE")
        con.refresh()
        assert not is_served(con, ALONE)


@pytest.mark.usefixtures("trials_win")
def test_a_round_verifies_what_lets_one_view_answer_two_templates(con: Any) -> None:
    con.undo()
    con.execute("INSERT INTO items SELECT order_id, shop, product, 5 FROM items, range(20)")
    joined = (
        "SELECT o.region, i.order_id, sum(i.amount) AS n FROM items i JOIN orders o ON i.order_id = o.id WHERE i.product <> {} "
        "GROUP BY ALL"
    )
    alone = "SELECT order_id, product, sum(amount) AS n FROM items WHERE product <> {} GROUP BY ALL"
    for number in range(60):
        con.execute(joined.format(number % 5)).fetchall()
        con.execute(alone.format(number % 5)).fetchall()
    con.tune(seconds=60)
    assert [line.component for line in con.design().lines] == ["inclusion", "views"]
    assert any(one.kind == "fact" and "inclusion of memory.main.items" in str(one) for one in database_of(con).ledger.decisions())
    for text in (joined, alone):
        assert is_served(con, f"{text.format(1)} ORDER BY ALL") or is_served(con, text.format(2))
    con.execute("INSERT INTO items VALUES (900, 0, 3, 5)")
    assert sorted(con.execute(alone.format(1)).fetchall()) == sorted(plain(con, alone.format(1)))
    con.tune(seconds=60)
    assert "inclusion" not in [line.component for line in con.design().lines]
    assert sorted(con.execute(alone.format(1)).fetchall()) == sorted(plain(con, alone.format(1)))
