"""Results that are kept: handed out again while nothing that decides them has changed, and never else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import sartor
from sartor.interfaces import results
from sartor.interfaces.connection import session_of

_GROUPED = "SELECT g, count(*), sum(i) FROM t GROUP BY g ORDER BY g"


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("KEPT_SECONDS", "KEPT_ANALYSED_SECONDS"):
        monkeypatch.setattr(results, name, replace(getattr(results, name), default=0.0))
    with sartor.connect(config={"threads": 1}, keep_results=True) as found:
        found.execute("CREATE TABLE t AS SELECT range AS i, range % 3 AS g, DATE '2024-01-01' AS d FROM range(100)")
        yield found


def _is_kept(connection: Any, text: str, parameters: Any = None) -> bool:
    """Whether a text that was asked four times is answered by what was kept; its answers are all the same."""
    answers = [connection.execute(text, parameters).fetchall() for _ in range(4)]
    assert all(answer == answers[0] for answer in answers)
    pending = session_of(connection).pending
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


def test_large_results_are_not_kept_and_all_are_forgotten_when_they_are_too_many(
    connection: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sartor.interfaces import database

    assert not _is_kept(connection, "SELECT a.i, b.i FROM t a JOIN t b ON a.g = b.g ORDER BY ALL")
    assert _is_kept(connection, _GROUPED)
    monkeypatch.setattr(database, "KEPT_VALUES_IN_ALL", replace(database.KEPT_VALUES_IN_ALL, default=10))
    _is_kept(connection, "SELECT i, g FROM t ORDER BY i")
    assert session_of(connection).database.texts[_GROUPED].results is None


def test_nothing_is_kept_unless_it_is_asked_for() -> None:
    with sartor.connect() as connection:
        assert not _is_kept(connection, "SELECT count(*) FROM range(1000000)")
