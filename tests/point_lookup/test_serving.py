"""Look-ups through `execute`: the same answers as plain DuckDB, and none when something else is meant or something changed."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sartor
from sartor.freshness.usable import Use
from sartor.interfaces.connection import session_of
from sartor.interfaces.holding import Holding
from tests.point_lookup.support import COLUMNS, ask, held, hold, looked_up, opened

_STAR = "SELECT * FROM t WHERE k = ?"


def test_rows_come_in_the_order_of_the_table_with_duckdbs_names_and_types() -> None:
    with opened() as connection:
        expected = connection.execute(_STAR, [1]).fetchall()
        described = connection.description
        hold(connection)
        assert ask(connection, _STAR, [1]) == expected
        assert looked_up(connection)
        assert connection.description == described
        assert expected[0] == (1, "a", Decimal("1.50"), datetime.date(2024, 1, 1))
        assert ask(connection, "SELECT s FROM t WHERE k IN (2, 1, 1)") == [("a",), (None,), ("b",)]
        assert looked_up(connection)


@pytest.mark.parametrize("key", ["k", "s", "d"])
def test_every_kind_of_key(key: str) -> None:
    values: dict[str, Any] = {"k": 2, "s": "b", "d": datetime.date(1, 1, 1)}
    with opened() as connection:
        hold(connection, key)
        text = f"SELECT m, k FROM t WHERE {key} = ?"
        expected = duckdb.DuckDBPyConnection.execute(connection, text, [values[key]]).fetchall()
        assert ask(connection, text, [values[key]]) == expected
        assert len(expected) == 1
        assert looked_up(connection)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, Decimal(1), 2**40])
def test_what_has_to_be_cast_is_left_to_duckdb(value: object) -> None:
    with opened() as connection:
        expected = connection.execute(_STAR, [value]).fetchall()
        hold(connection)
        assert ask(connection, _STAR, [value]) == expected
        assert not looked_up(connection)


@pytest.mark.parametrize("parameters", [[], [1, 2], {"a": 1}, 5, None])
def test_wrong_parameters_raise_what_duckdb_raises(parameters: object) -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        with pytest.raises(duckdb.Error) as given:
            connection.execute(_STAR, parameters)
        with pytest.raises(duckdb.Error) as expected:
            duckdb.DuckDBPyConnection.execute(connection, _STAR, parameters)
        assert (type(given.value), str(given.value)) == (type(expected.value), str(expected.value))


def test_named_parameters() -> None:
    with opened() as connection:
        hold(connection)
        assert ask(connection, "SELECT s FROM t WHERE k = $id", {"id": 1}) == [("a",), ("b",)]
        assert looked_up(connection)
        assert ask(connection, "SELECT s FROM t WHERE k = $1", [1]) == [("a",), ("b",)]
        assert looked_up(connection)


@pytest.mark.parametrize(
    "change",
    ["UPDATE t SET s = 'new' WHERE k = 1", "DELETE FROM t WHERE s = 'a'", "INSERT INTO t VALUES (1, 'c', 4, NULL)", "TRUNCATE t"],
)
def test_after_a_change_the_rows_are_those_of_now(change: str) -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.cursor().execute(change)
        expected = duckdb.DuckDBPyConnection.execute(connection, _STAR, [1]).fetchall()
        assert connection.execute(_STAR, [1]).fetchall() == expected
        assert not looked_up(connection)
        connection.refresh()
        assert connection.execute(_STAR, [1]).fetchall() == expected
        assert looked_up(connection)


def test_rows_that_came_behind_are_added_without_reading_the_others_again() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        before = held(connection).content
        for number in range(9):
            connection.execute("INSERT INTO t VALUES (?, 'more', 1, NULL)", [number])
            connection.refresh()
            assert held(connection).generation == 1
        assert ask(connection, "SELECT s FROM t WHERE k = ?", [1]) == [("a",), ("b",), ("more",)]
        assert len(before.parts) == 1
        assert sum(part.table.num_rows for part in before.parts) == 3
        assert len(held(connection).content.parts) <= 3


def test_a_transaction_reads_its_own_snapshot() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.begin()
        assert ask(connection, _STAR, [2]) == [(2, None, None, None)]
        assert not looked_up(connection)
        connection.cursor().execute("DELETE FROM t WHERE k = 2")
        assert ask(connection, _STAR, [2]) == [(2, None, None, None)]
        connection.commit()
        assert ask(connection, _STAR, [2]) == []


def test_a_temporary_table_of_that_name_is_not_looked_up() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS k")
        assert ask(connection, _STAR, [1]) == [(1,)]
        assert not looked_up(connection)


def test_what_is_run_past_the_connections_methods_has_its_own_result() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.execute(_STAR, [1])
        duckdb.execute("SELECT 42", connection=connection)
        assert connection.fetchall() == [(42,)]
        connection.execute(_STAR, [1])
        with pytest.raises(duckdb.InvalidInputException):
            duckdb.fetchall(connection=connection)
        assert len(connection.fetchall()) == 2


def test_an_added_column_is_shown_at_once() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [2])
        connection.execute("ALTER TABLE t ADD COLUMN extra INTEGER DEFAULT 7")
        assert ask(connection, _STAR, [2]) == [(2, None, None, None, 7)]


def test_a_profile_that_is_asked_for_is_of_the_statement_itself() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.execute("PRAGMA enable_profiling = 'no_output'")
        ask(connection, _STAR, [1])
        assert not looked_up(connection)


def test_a_profile_asked_for_by_the_method_is_of_the_statement_itself() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.enable_profiling()
        connection.execute(_STAR, [1]).fetchall()
        assert not looked_up(connection)
        connection.disable_profiling()


def test_dates_that_python_has_no_value_for_are_not_held() -> None:
    from sartor.components.point_lookup.content import Unreadable

    with opened() as connection:
        connection.execute("INSERT INTO t VALUES (5, 'x', 1, DATE 'infinity')")
        with pytest.raises(Unreadable):
            hold(connection)
        hold(connection, columns=COLUMNS[:3])
        assert ask(connection, "SELECT s FROM t WHERE k = 5") == [("x",)]
        assert looked_up(connection)


def test_an_empty_table_is_held_and_grows() -> None:
    with opened() as connection:
        connection.execute("TRUNCATE t")
        hold(connection)
        assert ask(connection, _STAR, [1]) == []
        assert looked_up(connection)
        connection.execute("INSERT INTO t VALUES (1, 'z', 2, NULL)")
        connection.refresh()
        assert ask(connection, _STAR, [1]) == [(1, "z", Decimal("2.00"), None)]
        assert looked_up(connection)


def test_purge_lets_go_of_what_was_deleted() -> None:
    with opened() as connection:
        hold(connection)
        connection.execute("DELETE FROM t WHERE k = 1")
        assert connection.purge() == 1
        assert held(connection).content is None
        assert ask(connection, _STAR, [1]) == []
        connection.refresh()
        assert held(connection).content is not None


def test_undo_forgets_what_is_held() -> None:
    with opened() as connection:
        hold(connection)
        ask(connection, _STAR, [1])
        connection.undo()
        assert len(ask(connection, _STAR, [1])) == 2
        assert not looked_up(connection)


def test_the_next_process_holds_it_again_once_it_was_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "shop.duckdb"
    with opened(path) as connection:
        hold(connection)
    monkeypatch.setattr(Holding, "_cost", lambda *_: 0.0)
    with sartor.connect(path) as connection:
        assert held(connection).content is None
        assert len(ask(connection, _STAR, [1])) == 2
        session_of(connection).database.holding.wait()
        assert held(connection).content is not None
        assert len(ask(connection, _STAR, [1])) == 2
        assert looked_up(connection)


def test_it_is_read_again_when_missing_it_has_cost_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as connection:
        derived = hold(connection)
        database = session_of(connection).database
        connection.execute("UPDATE t SET s = 'u' WHERE k = 2")
        database.holding.missed(derived.identifier, derived.build_seconds / 2)
        database.holding.wait()
        assert database.design_report().lines[0].freshness == "not used until refreshed"
        database.holding.missed(derived.identifier, derived.build_seconds)
        database.holding.wait()
        assert database.design_report().lines[0].freshness == "current"


def test_what_can_not_be_held_any_more_is_given_up_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as connection:
        derived = hold(connection)
        database = session_of(connection).database
        connection.execute("UPDATE t SET d = DATE 'infinity' WHERE k = 2")
        database.holding.missed(derived.identifier, 1e9)
        database.holding.wait()
        assert any("not held in memory any more" in decision.summary for decision in database.ledger.decisions())
        assert ask(connection, "SELECT k FROM t WHERE k = ?", [1]) == [(1,), (1,)]


def test_a_write_while_it_is_read_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from sartor.engines.duckdb.engine import DuckDBEngine
    from sartor.freshness.refresh import Overtaken

    with opened() as connection:
        run, other = DuckDBEngine.run, connection.cursor()

        def between(engine: DuckDBEngine, *arguments: Any) -> Any:
            found = run(engine, *arguments)
            other.execute(change)
            return found

        monkeypatch.setattr(DuckDBEngine, "run", between)
        change = "DELETE FROM t WHERE k = 1"
        with pytest.raises(Overtaken):
            hold(connection)
        change = "INSERT INTO t VALUES (2, 'late', 1, NULL)"
        hold(connection)
        monkeypatch.undo()
        assert len(connection.execute(_STAR, [2]).fetchall()) == 2
        from sartor.freshness.usable import use

        assert use(held(connection), session_of(connection).database.registry.state) is Use.RESIDUAL
        connection.refresh()
        assert len(ask(connection, _STAR, [2])) == 2
        assert looked_up(connection)


def test_a_round_holds_what_is_looked_up_often(trials_win: None) -> None:
    with opened() as connection:
        connection.execute("INSERT INTO t SELECT range, 'r' || range, range / 7, DATE '2024-01-01' FROM range(100, 5000)")
        for number in range(400):
            connection.execute(_STAR, [number]).fetchall()
        report = connection.tune(seconds=60)
        assert [line for line in report.built if "point_lookup" in line], report
        assert ask(connection, _STAR, [101]) == [(101, "r101", Decimal("14.43"), datetime.date(2024, 1, 1))]
        assert looked_up(connection)
        assert "chosen" in str(connection.explain_rewrite(_STAR))
