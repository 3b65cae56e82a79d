"""Results that are kept: handed out again while nothing that decides them has changed, and never else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pytest

import sartor
from sartor.interfaces import results
from sartor.interfaces.connection import session_of
from sartor.interfaces.session import SESSIONS

_GROUPED = "SELECT g, count(*), sum(i) FROM t GROUP BY g ORDER BY g"


@pytest.fixture
def connection(kept_at_once: None) -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as found:
        found.execute("CREATE TABLE t AS SELECT range AS i, range % 3 AS g, DATE '2024-01-01' AS d FROM range(100)")
        yield found


def _is_kept(connection: Any, text: str, parameters: Any = None) -> bool:
    """Whether a text that was asked four times is answered by what was kept; its answers are all the same."""
    answers = [connection.execute(text, parameters).fetchall() for _ in range(4)]
    assert all(answer == answers[0] for answer in answers)
    session = SESSIONS.get(id(connection))
    pending = session.pending if session is not None else None
    return pending is not None and results.KEPT in pending.alternative


def test_what_is_asked_again_is_handed_out_again(connection: Any) -> None:
    assert _is_kept(connection, _GROUPED)
    assert _is_kept(connection.cursor(), _GROUPED)
    assert connection.execute(_GROUPED).df().shape == (3, 3)


@pytest.mark.parametrize("change", ["INSERT INTO t VALUES (7, 1, NULL)", "UPDATE t SET g = 1", "DELETE FROM t", "DROP TABLE t"])
def test_after_a_change_it_is_asked_anew(connection: Any, change: str) -> None:
    assert _is_kept(connection, _GROUPED)
    before = connection.execute(_GROUPED).fetchall()
    connection.cursor().execute(change)
    if change.startswith("DROP"):
        connection.execute("CREATE TABLE t AS SELECT 1 AS i, 1 AS g")
    assert connection.execute(_GROUPED).fetchall() != before


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*), current_date FROM t",
        "SELECT count(*), now() FROM t",
        "SELECT random() FROM t LIMIT 1",
        "SELECT count(*) FROM v",
        "SELECT count(*) FROM duckdb_tables()",
        "SELECT list(i) FROM t",
        "SELECT DATE 'infinity' FROM t LIMIT 1",
        "SELECT INTERVAL 1 DAY FROM t LIMIT 1",
    ],
)
def test_what_depends_on_more_than_rows_or_does_not_come_back_is_not_kept(connection: Any, text: str) -> None:
    connection.execute("CREATE VIEW v AS SELECT * FROM t")
    for _ in range(4):
        connection.execute(text).fetchall()
    assert results.KEPT not in session_of(connection).pending.alternative


def test_parameters_of_other_types_are_other_statements(connection: Any) -> None:
    text = "SELECT ? AS given, count(*) FROM t"
    assert _is_kept(connection, text, [1])
    assert connection.execute(text, [True]).fetchall() == [(True, 100)]
    assert type(connection.execute(text, [True]).fetchall()[0][0]) is bool


def test_a_transaction_reads_its_own_snapshot(connection: Any) -> None:
    assert _is_kept(connection, _GROUPED)
    connection.begin()
    assert not _is_kept(connection, _GROUPED)
    connection.rollback()


def test_a_setting_that_may_show_in_answers_ends_it(connection: Any) -> None:
    assert _is_kept(connection, _GROUPED)
    connection.execute("SET threads = 1")
    assert _is_kept(connection, _GROUPED)
    connection.cursor().execute("SET GLOBAL default_null_order = 'nulls_first'")
    assert not _is_kept(connection, _GROUPED)


def test_large_results_are_not_kept_and_the_first_go_first(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = session_of(connection).database
    assert not _is_kept(connection, "SELECT a.i, b.i FROM t a JOIN t b ON a.g = b.g ORDER BY ALL")
    assert not _is_kept(connection, "SELECT repeat('x', 3000000) || i FROM t LIMIT 1")
    assert _is_kept(connection, _GROUPED)
    assert 0 < database.results.bytes < 10_000
    monkeypatch.setattr(results, "KEPT_BYTES", replace(results.KEPT_BYTES, default=database.results.bytes + 100))
    monkeypatch.setattr(results, "KEPT_SHARE", replace(results.KEPT_SHARE, default=1.0))
    other = "SELECT g, max(i) FROM t GROUP BY g ORDER BY g"
    assert _is_kept(connection, other)
    assert [text for text, _ in database.results._kept] == [other]
    assert database.results.bytes == sum(kept.bytes for kept in database.results._kept.values())


def test_a_result_that_has_grown_is_fetched_by_whoever_asked(connection: Any) -> None:
    text = "SELECT i FROM t WHERE i < ?"
    assert _is_kept(connection, text, [5])
    connection.execute("INSERT INTO t SELECT range, 1, NULL FROM range(5000)")
    assert connection.execute(text, [5]).df().shape == (10, 1)
    assert connection.execute(text, [5000]).fetchone() == (0,)
    assert len(connection.fetchall()) == 5099
    before = session_of(connection).database.results.bytes
    for _ in range(3):
        assert len(connection.execute(text, [4000]).fetchall()) == 4100
    connection.execute("INSERT INTO t SELECT 1, 1, NULL FROM range(5000)")
    assert connection.execute(text, [5]).df().shape == (5010, 1)
    assert session_of(connection).database.results.bytes <= before


def test_rows_that_were_deleted_do_not_stay(connection: Any) -> None:
    from sartor.interfaces.keeper import Keeper

    kept = session_of(connection).database.results._kept
    assert _is_kept(connection, _GROUPED)
    connection.execute("DELETE FROM t WHERE i = 1")
    Keeper(session_of(connection).database).look()
    assert not kept
    assert _is_kept(connection, _GROUPED)
    connection.purge()
    assert not kept


@pytest.mark.parametrize(
    "hide",
    [
        "CREATE TEMP TABLE t AS SELECT 7 AS i, 7 AS g, DATE '2024-01-01' AS d",
        "CREATE TEMP VIEW t AS SELECT 7 AS i, 7 AS g",
        "CREATE TEMP MACRO count(x) AS 7",
        "CREATE TEMP TABLE other AS SELECT 1 AS i",
    ],
)
@pytest.mark.parametrize("hides_first", [True, False])
def test_what_a_name_means_on_one_connection_it_means_on_no_other(connection: Any, hide: str, hides_first: bool) -> None:
    text = "SELECT g, count(i) FROM t GROUP BY g ORDER BY g"
    other = connection.cursor()
    expected = duckdb.DuckDBPyConnection.cursor(connection).execute(text).fetchall()
    other.execute(hide)
    hidden = duckdb.DuckDBPyConnection.execute(other, text).fetchall()
    for _ in range(2):
        for one in (other, connection) if hides_first else (connection, other):
            for _ in range(4):
                assert one.execute(text).fetchall() == (hidden if one is other else expected)


@pytest.mark.parametrize(
    "text",
    [
        "WITH v AS (SELECT i FROM v WHERE i > 1) SELECT count(*) FROM v",
        "SELECT (SELECT count(*) FROM v) + (SELECT count(*) FROM (WITH v AS (SELECT 1 AS x) SELECT * FROM v) w)",
        "WITH w AS (SELECT count(*) AS n FROM v), v AS (SELECT 1 AS x) SELECT n, x FROM w, v",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT count(*) FROM v)) SELECT max(n) FROM r",
    ],
)
def test_a_view_that_has_the_name_of_a_common_table_expression(connection: Any, text: str) -> None:
    connection.execute("CREATE VIEW v AS SELECT * FROM t")
    plain = duckdb.DuckDBPyConnection.cursor(connection)
    for _ in range(4):
        connection.execute(text).fetchall()
    connection.execute("INSERT INTO t SELECT range, 1, NULL FROM range(7)")
    assert connection.execute(text).fetchall() == plain.execute(text).fetchall()


def test_common_table_expressions_are_no_hindrance(connection: Any) -> None:
    text = "WITH a AS (SELECT g, i FROM t), b AS (SELECT g, count(*) AS n FROM a GROUP BY g) SELECT * FROM b ORDER BY g"
    assert _is_kept(connection, text)
    connection.execute("INSERT INTO t VALUES (7, 1, NULL)")
    assert connection.execute(text).fetchall() == [(0, 34), (1, 34), (2, 33)]


def test_what_is_generated_or_written_by_triggers_is_not_kept(connection: Any) -> None:
    connection.execute("CREATE TABLE made (a INTEGER, b AS (random()))")
    connection.execute("INSERT INTO made SELECT range FROM range(9)")
    connection.execute("SELECT a FROM made ORDER BY a").fetchall()
    for _ in range(4):
        connection.execute("SELECT sum(b) FROM made").fetchall()
    assert results.KEPT not in session_of(connection).pending.alternative
    connection.execute("CREATE TRIGGER fired AFTER INSERT ON t FOR EACH STATEMENT INSERT INTO made VALUES (1)")
    text = "SELECT count(a) FROM made"
    for number in range(4):
        assert connection.execute(text).fetchall() == [(9 + number,)]
        connection.execute("INSERT INTO t VALUES (7, 1, NULL)")


@pytest.mark.parametrize(
    "statement", ["EXPLAIN SELECT 1", "SHOW TABLES", "SET VARIABLE x = 1", "PREPARE p AS SELECT 1", "VACUUM", "selct 1"]
)
def test_what_can_not_show_in_answers_does_not_end_it(connection: Any, statement: str) -> None:
    assert _is_kept(connection, _GROUPED)
    try:
        connection.execute(statement).fetchall()
    except duckdb.ParserException:
        assert statement == "selct 1"
    assert _is_kept(connection, _GROUPED)


def test_variables_are_not_kept(connection: Any) -> None:
    text = "SELECT count(*), getvariable('x') FROM t"
    for number in range(6):
        connection.execute(f"SET VARIABLE x = {number}")
        assert connection.execute(text).fetchall() == [(100, number)]


def test_a_commit_or_a_mistyped_statement_leaves_the_result_in_place(connection: Any) -> None:
    assert _is_kept(connection, _GROUPED)
    expected = connection.execute(_GROUPED).fetchall()
    connection.execute(_GROUPED)
    connection.commit()
    assert connection.fetchall() == expected
    connection.execute(_GROUPED)
    with pytest.raises(duckdb.ParserException):
        connection.execute("selct 1")
    assert connection.fetchall() == expected
    connection.execute(_GROUPED).description.clear()
    assert connection.execute(_GROUPED).df().shape == (3, 3)


def test_what_has_an_effect_is_run_once(connection: Any) -> None:
    runs: list[int] = []

    def noted(value: int) -> int:
        runs.append(value)
        return value

    connection.create_function("noted", noted, ["BIGINT"], "BIGINT", side_effects=True)
    for asked in range(1, 6):
        connection.execute("SELECT noted(1) FROM t LIMIT 1").fetchall()
        assert len(runs) == asked
    for _ in range(5):
        connection.execute("SELECT DATE 'infinity', max(i) FROM t").fetchall()
    assert session_of(connection).database.texts["SELECT DATE 'infinity', max(i) FROM t"].never_kept


@pytest.mark.parametrize("options", [{"keep_results": False}, {"mode": "report"}, {"mode": "off"}])
def test_nothing_is_kept_where_that_was_asked_for(kept_at_once: None, options: dict[str, Any]) -> None:
    with sartor.connect(**options) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS i, range % 3 AS g FROM range(100)")
        assert not _is_kept(connection, _GROUPED)


def test_what_was_fetched_by_ones_is_kept_where_one_is_all(connection: Any) -> None:
    def fetch(text: str) -> bool:
        rows = [connection.execute(text).fetchone() for _ in range(4)]
        assert rows == [rows[0]] * 4
        return results.KEPT in session_of(connection).pending.alternative

    assert fetch("SELECT count(*), sum(i) AS s FROM t WHERE g = 1")
    assert fetch("SELECT 1 + max(i) FROM t WHERE i > (SELECT min(i) FROM t GROUP BY g ORDER BY 1 LIMIT 1)")
    assert not fetch("SELECT i FROM t WHERE g = 1 ORDER BY i")
    assert not fetch("SELECT count(*) FROM t GROUP BY g ORDER BY 1")
    assert not fetch("SELECT sum(i) OVER () FROM t")
    assert not fetch("SELECT unnest([min(i), max(i)]) FROM t")


@pytest.mark.parametrize("fetch", [lambda found: found.df(), lambda found: found.fetch_df(), lambda found: found.fetchnumpy()])
def test_frames_are_kept_where_they_took_long(connection: Any, monkeypatch: pytest.MonkeyPatch, fetch: Any) -> None:
    def is_kept() -> bool:
        shown = [str(fetch(connection.execute(_GROUPED))) for _ in range(4)]
        assert shown == [shown[0]] * 4
        return results.KEPT in session_of(connection).pending.alternative

    for least in (math.inf, 0.0):
        for name in ("KEPT_FRAME_SECONDS", "KEPT_FRAME_ROW_SECONDS"):
            monkeypatch.setattr(results, name, replace(getattr(results, name), default=least))
        assert is_kept() == (least == 0.0)


def test_what_is_too_quick_is_fetched_by_whoever_asked(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = session_of(connection).database.texts
    assert _is_kept(connection, _GROUPED)
    monkeypatch.setattr(results, "KEPT_SECONDS", replace(results.KEPT_SECONDS, default=math.inf))
    connection.execute("INSERT INTO t VALUES (7, 1, NULL)")
    for _ in range(3):
        connection.execute(_GROUPED).fetchall()
        assert not known[_GROUPED].small


def test_what_changes_faster_than_it_is_asked_is_kept_half_as_often(connection: Any) -> None:
    kept, fetched = session_of(connection).database.results._kept, []
    for _ in range(8):
        connection.execute("INSERT INTO t VALUES (7, 1, NULL)")
        connection.execute(_GROUPED)
        fetched.append(session_of(connection).answer is not None)
        connection.fetchall()
    assert fetched[2:].count(True) == fetched[2:].count(False)
    assert len(kept) <= 1
