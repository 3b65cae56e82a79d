"""How a statement is answered can be read: by `explain_rewrite`, by EXPLAIN, and by the counters of the design."""

from __future__ import annotations

from typing import Any

import sartor
from sartor.components.views.define import view_of
from sartor.interfaces.connection import session_of

BY_REGION = "SELECT region, sum(amount) AS total FROM sales GROUP BY region ORDER BY region"


def opened() -> tuple[Any, str]:
    """A table with a view of its sums by region and day, and the name of the view's table."""
    connection = sartor.connect(":memory:")
    connection.execute(
        "CREATE TABLE sales AS "
        "SELECT ['n', 's'][1 + i % 2] AS region, i % 7 AS day, (i % 90)::DECIMAL(9, 2) AS amount FROM range(5000) t(i)"
    )
    database = session_of(connection).database
    action = view_of("SELECT region, day, sum(amount) FROM sales GROUP BY ALL", database.catalog())
    assert action is not None
    return connection, database.install(action).table


def test_the_view_that_answers_is_named() -> None:
    connection, table = opened()
    report = connection.explain_rewrite(BY_REGION)
    assert report.plain == ""
    assert table in report.text
    assert [(one.status, one.reason) for one in report.considered] == [("chosen", "")]
    assert "is answered by" in str(report)
    assert report.to_dict()["considered"][0]["status"] == "chosen"


def test_the_first_reason_is_told() -> None:
    connection, _ = opened()
    report = connection.explain_rewrite("SELECT region, min(amount) FROM sales GROUP BY region")
    assert report.text.startswith("SELECT region, min")
    assert [one.status for one in report.considered] == ["refused"]
    assert "keeps no min" in report.considered[0].reason
    assert "row_number" in str(connection.explain_rewrite("SELECT row_number() OVER () FROM sales"))


def test_a_write_is_no_query() -> None:
    connection, _ = opened()
    assert connection.explain_rewrite("DELETE FROM sales").plain == "it is not a query"
    assert connection.execute("SELECT count(*) FROM sales").fetchone() == (5000,)


def test_explain_shows_the_plan_that_is_run() -> None:
    connection, table = opened()
    assert table in connection.execute(f"EXPLAIN {BY_REGION}").fetchall()[0][1]
    assert table in connection.execute(f"explain (format json) {BY_REGION}").fetchall()[0][1]
    connection.execute("DELETE FROM sales WHERE day = 3")
    assert table not in connection.execute(f"EXPLAIN {BY_REGION}").fetchall()[0][1]


def test_the_design_counts_what_was_decided() -> None:
    connection, _ = opened()
    for text in (BY_REGION, "SELECT min(amount) FROM sales"):
        connection.execute(text).fetchall()
        connection.execute(text).fetchall()
    (line,) = connection.design().lines
    assert (line.considered, line.matched, line.chosen) == (2, 1, 1)
    assert "1/2" in str(connection.design())
