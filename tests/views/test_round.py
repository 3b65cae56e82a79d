"""Views from candidates to answers: proposed, estimated, chosen, proved, kept current, dropped."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.views.estimate import estimate
from sartor.components.views.propose import propose
from sartor.components.views.sample import draw, draw_rows, largest
from sartor.core.view import ViewDefinition, definition_of
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database

BY_MONTH = "SELECT date_trunc('month', o.day) AS month, sum(i.amount) AS total FROM items i JOIN orders o ON i.order_id = o.id"


def opened() -> Any:
    connection = sartor.connect(":memory:", config={"threads": 1})
    connection.execute(
        "CREATE TABLE orders AS SELECT i AS id, DATE '2024-01-01' + (i % 300)::INTEGER AS day, ['n', 's', 'w'][1 + i % 3] AS region "
        "FROM range(20000) t(i)"
    )
    connection.execute(
        "CREATE TABLE items AS "
        "SELECT i % 20000 AS order_id, (i % 97)::DECIMAL(9, 2) AS amount, i % 11 AS product FROM range(400000) t(i)"
    )
    return connection


def database_of(connection: Any) -> Database:
    return session_of(connection).database


def asked(connection: Any, times: int = 8) -> None:
    """A workload of two templates, literals changing."""
    for number in range(times):
        connection.execute(f"{BY_MONTH} WHERE o.region = '{'nsw'[number % 3]}' GROUP BY 1 ORDER BY 1").fetchall()
        connection.execute(
            f"SELECT product, count(*) AS n FROM items WHERE product <> {number} GROUP BY product ORDER BY product"
        ).fetchall()
    session_of(connection).database.observer.take_in()


def test_candidates_hold_the_columns_of_conditions_and_the_expressions_that_are_read() -> None:
    connection = opened()
    asked(connection)
    database = database_of(connection)
    with database.engine_lock:
        catalog = database.catalog()
        workload = database.log.workload().analysed(catalog)
        views = [definition_of(action) for action in propose(workload, catalog)]
    keys = [{key.text for key in view.keys} for view in views]
    assert {'"main.orders"."region"', 'DATE_TRUNC(\'MONTH\', "main.orders"."day")'} in keys
    assert {'"main.orders"."region"', '"main.orders"."day"'} in keys
    assert {'"main.items"."product"'} in keys
    assert all(view.schemas for view in views)


def proposed(connection: Any) -> list[ViewDefinition]:
    database = database_of(connection)
    session_of(connection).database.observer.take_in()
    with database.engine_lock:
        catalog = database.catalog()
        return [definition_of(action) for action in propose(database.log.workload().analysed(catalog), catalog)]


def test_a_condition_with_the_same_literals_in_all_statements_may_be_the_views_own() -> None:
    connection = opened()
    for product in (3, 5, 8):
        connection.execute(f"SELECT sum(amount) FROM items WHERE product = {product} AND order_id BETWEEN 10 AND 900").fetchall()
    found = {tuple(key.text for key in view.keys): [one.operator for one in view.conditions] for view in proposed(connection)}
    assert found == {
        ('"main.items"."product"', '"main.items"."order_id"'): [],
        ('"main.items"."product"',): ["between"],
    }


def test_one_statement_tells_nothing_of_which_literals_stay() -> None:
    connection = opened()
    connection.execute("SELECT sum(amount) FROM items WHERE product = 3").fetchall()
    assert all(not view.conditions for view in proposed(connection))


def test_an_expression_is_stored_whatever_the_order_is_asked_for() -> None:
    connection = opened()
    for number in (5, 50):
        connection.execute(
            f"SELECT o.region, month(o.day) AS month, count(*) FROM orders o WHERE o.id < {number} "
            "GROUP BY o.region, month(o.day) ORDER BY o.region, month DESC"
        ).fetchall()
    assert {'"main.orders"."region"', 'MONTH("main.orders"."day")', '"main.orders"."id"'} in [
        {key.text for key in view.keys} for view in proposed(connection)
    ]


def test_views_that_share_a_fine_key_are_united_however_little_they_took() -> None:
    connection = opened()
    for heavier in ("count(*)", "sum(id)", "min(id)", "max(id)", "min(day)", "max(day)", "min(region)", "max(region)", "count(day)"):
        for _ in range(5):
            connection.execute(f"SELECT month(day), {heavier} FROM orders GROUP BY month(day)").fetchall()
    for keys, measure in (("id, region", "sum(id)"), ("region, id", "max(day)")):
        connection.execute(f"SELECT {keys}, {measure} FROM orders WHERE id < 3 GROUP BY {keys}").fetchall()
    pairs = [
        {state.function for state in view.states} for view in proposed(connection) if len(view.states) == 2 and len(view.keys) == 2
    ]
    assert {"sum", "max"} in pairs


@pytest.mark.parametrize(("key", "groups"), [("product", 11), ("order_id", 20_000), ("amount", 97)])
def test_a_sample_foretells_the_number_of_groups(key: str, groups: int) -> None:
    connection = opened()
    database = database_of(connection)
    connection.execute(f"SELECT {key}, count(*) FROM items GROUP BY {key}").fetchall()
    session_of(connection).database.observer.take_in()
    with database.engine_lock:
        catalog = database.catalog()
        actions = propose(database.log.workload().analysed(catalog), catalog)
        view = definition_of(actions[0])
        rows = draw_rows(database.engine(), [view], catalog)
        sample = draw([view], rows, largest(view, catalog))
        found = sample.of(view).groups(view)
        for drawn in (sample, rows):
            drawn.drop()
    assert groups / 2 <= found <= groups * 2


def test_an_estimate_tells_size_gain_and_cost() -> None:
    connection = opened()
    asked(connection)
    database = database_of(connection)
    with database.engine_lock:
        catalog = database.catalog()
        workload = database.log.workload().analysed(catalog)
        actions = propose(workload, catalog)
        estimates = estimate(actions, workload, catalog, database.engine())
        left = database.engine().rows("SELECT count(*) FROM duckdb_tables() WHERE table_name IN ('sartor_join', 'sartor_rows')")
    assert [one.action for one in estimates] == actions
    assert all(one.bytes_stored.value > 0 and one.build_seconds.value > 0 for one in estimates)
    assert any(one.seconds_saved for one in estimates)
    assert left == [(0,)]


def test_the_columns_of_an_outer_join_are_sampled_too() -> None:
    connection = opened()
    connection.execute("CREATE TABLE regions AS SELECT unnest(['n', 's']) AS code, unnest([1, 2]) AS least")
    text = "SELECT month(o.day), count(*) FROM orders o LEFT JOIN regions r ON r.code = o.region AND o.id > r.least GROUP BY 1"
    for _ in range(5):
        connection.execute(text).fetchall()
    database_of(connection).observer.take_in()
    with database_of(connection).engine_lock:
        catalog = database_of(connection).catalog()
        workload = database_of(connection).log.workload().analysed(catalog)
        found = estimate(propose(workload, catalog), workload, catalog, database_of(connection).engine())
    assert found
    assert all(0 < one.bytes_stored.value < 1e6 for one in found)


@pytest.mark.usefixtures("trials_win")
def test_a_round_builds_views_that_answer_other_literals_and_stay_current() -> None:
    connection = opened()
    asked(connection, 60)
    report = connection.tune(seconds=30)
    assert any(line.startswith("views of") for line in report.built), str(report)
    plain = duckdb.DuckDBPyConnection.cursor(connection)
    text = f"{BY_MONTH} WHERE o.region IN ('n', 'w') GROUP BY 1 ORDER BY 1"
    writes = (
        "INSERT INTO items SELECT i, 7, 3 FROM range(50) t(i)",
        "INSERT INTO orders VALUES (20001, DATE '2024-12-24', 'w'); INSERT INTO items VALUES (20001, 5, 1), (20001, NULL, NULL)",
        "UPDATE orders SET region = NULL WHERE id % 7 = 0",
        "DELETE FROM items WHERE order_id < 100",
    )
    for write in writes:
        for _ in range(2):
            assert connection.execute(text).fetchall() == plain.execute(text).fetchall()
        connection.execute(write)
        assert connection.execute(text).fetchall() == plain.execute(text).fetchall()
        connection.refresh()
    assert connection.execute(text).fetchall() == plain.execute(text).fetchall()
    assert all(line.freshness == "current" for line in connection.design().lines)
    connection.undo()
    assert plain.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchone() == (0,)


@pytest.mark.usefixtures("trials_win")
def test_a_view_whose_table_goes_or_changes_its_columns_is_dropped() -> None:
    connection = opened()
    asked(connection)
    connection.tune(seconds=30)
    connection.execute("ALTER TABLE orders RENAME COLUMN region TO area")
    text = f"{BY_MONTH} WHERE o.area = 'n' GROUP BY 1 ORDER BY 1"
    plain = duckdb.DuckDBPyConnection.cursor(connection)
    assert connection.execute(text).fetchall() == plain.execute(text).fetchall()
    connection.execute("DROP TABLE items")
    connection.refresh()
    assert [line.source for line in connection.design().lines if "items" in line.source] == []


def test_a_condition_that_holds_a_query_does_not_hinder_the_estimate() -> None:
    connection = opened()
    inner = "SELECT order_id FROM items GROUP BY order_id HAVING sum(amount) > {}"
    text = "SELECT o.region, sum(i.amount) FROM items i JOIN orders o ON i.order_id = o.id WHERE o.id IN ({}) GROUP BY o.region"
    for number in range(4):
        connection.execute(text.format(inner.format(number))).fetchall()
    report = connection.tune(seconds=20, mode="report")
    assert not [one for one in report.refused if "estimated" in one.reason]
    connection.close()
