"""Ctrl-C between any two steps: nothing is answered otherwise, nothing waits for ever, nothing of Sartor's stays open."""

from __future__ import annotations

from collections.abc import Iterator
from threading import get_ident
from typing import Any

import pytest

import sartor
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.freshness import refresh, stored
from sartor.interfaces import serving
from sartor.interfaces.connection import session_of
from tests.freshness.support import database_of, plain
from tests.views.support import install, is_served

SUMS = "SELECT g, count(*), sum(n) FROM t GROUP BY g ORDER BY g"


@pytest.fixture
def con() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS n, range % 3 AS g FROM range(1000)")
        install(connection, SUMS)
        assert is_served(connection, SUMS)
        yield connection


class _Client:
    """A connection at which Ctrl-C comes once, while a text runs or just after, as DuckDB's client tells it."""

    def __init__(self, real: Any, text: str, *, runs: bool) -> None:
        self._real, self.text, self._runs = real, text, runs

    def execute(self, text: str, parameters: Any = None) -> Any:
        if text != self.text:
            return self._real.execute(text, parameters)
        self.text = ""
        if self._runs:
            self._real.execute(text, parameters)
        raise RuntimeError("Query interrupted")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _insert(engine: DuckDBEngine, *, fails: bool) -> None:
    with engine.transaction():
        engine.execute("INSERT INTO t VALUES (1, 1)")
        if fails:
            raise ZeroDivisionError


@pytest.mark.parametrize("runs", [False, True])
@pytest.mark.parametrize("text", ["BEGIN TRANSACTION", "COMMIT", "ROLLBACK"])
def test_no_transaction_stays_open(con: Any, text: str, runs: bool) -> None:
    engine = database_of(con).engine()
    assert isinstance(engine, DuckDBEngine)
    real = engine.connection
    engine.connection = _Client(real, text, runs=runs)  # type: ignore[assignment]
    try:
        with pytest.raises((KeyboardInterrupt, ZeroDivisionError)):
            _insert(engine, fails=text == "ROLLBACK")
        ((rows,),) = engine.rows("SELECT count(*) FROM t")
        assert rows == (1001 if text == "COMMIT" and runs else 1000)
        with engine.transaction():  # there is none, so that one may begin
            pass
    finally:
        engine.connection = real


@pytest.mark.parametrize("step", ["append_tail", "build"])
def test_what_was_committed_before_ctrl_c_is_not_counted_twice(con: Any, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    con.execute("INSERT INTO t VALUES (7000, 1)" if step == "append_tail" else "UPDATE t SET n = 5 WHERE n = 7")
    real = getattr(refresh, step)

    def interrupted(*arguments: Any) -> Any:
        real(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(refresh, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        con.refresh()
    monkeypatch.undo()
    for text in ("INSERT INTO t VALUES (9000, 1)", "INSERT INTO t VALUES (9001, 2)"):
        for _ in range(3):
            assert con.execute(SUMS).fetchall() == plain(con, SUMS)
        con.execute(text)
    con.refresh()
    assert is_served(con, SUMS)


def test_what_can_not_be_looked_at_after_ctrl_c_is_used_no_more(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    con.execute("INSERT INTO t VALUES (7000, 1)")
    real = refresh.append_tail

    def interrupted(*arguments: Any) -> Any:
        real(*arguments)
        raise KeyboardInterrupt

    def again(_engine: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(refresh, "append_tail", interrupted)
    monkeypatch.setattr(stored, "load", again)
    with pytest.raises(KeyboardInterrupt):
        con.refresh()
    monkeypatch.undo()
    assert not is_served(con, SUMS)
    con.refresh()
    assert is_served(con, SUMS)


def test_ctrl_c_while_a_statement_is_decided_on_leaves_nothing_open(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    for name, text in (("_take_alternative", SUMS), ("_open_window", "INSERT INTO t VALUES (1, 1)")):
        monkeypatch.setattr(serving, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            con.execute(text)
        monkeypatch.undo()
        session = session_of(con)
        assert (session.busy, session.naming, session.database.registry.state.open) == (False, 0, 0)
    install(con, "SELECT g, max(n) FROM t GROUP BY g")
    assert is_served(con, SUMS)


def test_ctrl_c_while_a_checkpoint_waits_holds_the_predicate_cache_off_no_longer(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    predicates = database_of(con).predicates
    monkeypatch.setattr(predicates, "_looking", True)
    monkeypatch.setattr(predicates, "_interrupt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        con.execute("CHECKPOINT")
    assert predicates._held_off == 0


def test_nobody_waits_for_a_statement_that_ctrl_c_ended_on_the_same_thread(con: Any) -> None:
    session_of(con).naming = get_ident()
    install(con, "SELECT g, max(n) FROM t GROUP BY g")
    assert is_served(con, SUMS)


@pytest.mark.parametrize("kept", [False, True])
def test_rows_of_an_appender_count_when_their_transaction_commits(kept: bool) -> None:
    with sartor.connect(config={"threads": 1}, keep_results=kept) as con:
        con.execute("CREATE TABLE t AS SELECT range AS n, range % 3 AS g FROM range(1000)")
        if not kept:
            install(con, SUMS)
        other = con.cursor()
        for inside in (False, True):
            appender = None if inside else con.appender("t")
            con.execute("BEGIN")
            with appender or con.appender("t") as appender:
                appender.append_row(5_000_000, 1)
            con.cursor().refresh()
            for _ in range(3):
                assert other.execute(SUMS).fetchall() == plain(other, SUMS)
            con.execute("COMMIT")
            for _ in range(3):
                assert other.execute(SUMS).fetchall() == plain(other, SUMS)
            con.execute("BEGIN")
            del appender  # it was closed: this transaction has nothing of it
            assert not session_of(con).transaction.wrote
            con.execute("COMMIT")
