"""Upkeep by itself: what is due is done while nobody asks, and never in anybody's way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.point_lookup.apply import held_columns
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import Column, TableName
from sartor.freshness.usable import Use, use
from sartor.interfaces import database as databases
from sartor.interfaces import keeper as keeping
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database
from sartor.interfaces.keeper import Keeper
from sartor.tuner import upkeep as policy
from sartor.tuner.upkeep import Task

ROWS = 5_000
PATIENCE = 60  # seconds that a test waits for the thread before it fails


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "IDLE_SECONDS", replace(policy.IDLE_SECONDS, default=0.0))
    monkeypatch.setattr(keeping, "IDLE_LOOK_SECONDS", replace(keeping.IDLE_LOOK_SECONDS, default=0.0))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    with sartor.connect(tmp_path / "data.duckdb") as connection:
        connection.execute(f"CREATE TABLE t AS SELECT i AS k, (i * 7919 % {ROWS})::INTEGER AS v FROM range({ROWS}) r(i)")
        yield connection


def _copied(connection: Any) -> Database:
    database = session_of(connection).database
    database.install(sorted_copy(TableName("data", "main", "t"), ("k", "v"), ("v",), frozenset()))
    return database


def _uses(database: Database) -> set[Use]:
    return {use(derived, database.registry.state) for derived in database.design.objects.values()}


def test_deleted_rows_do_not_stay_in_memory(connection: Any) -> None:
    database = session_of(connection).database
    columns = (Column("k", "BIGINT"), Column("v", "INTEGER"))
    held = database.install(held_columns(TableName("data", "main", "t"), "k", columns))
    keeper = Keeper(database)
    assert keeper.look() is Task.NOTHING
    assert database.design.objects[held.identifier].content is not None
    connection.execute("DELETE FROM t WHERE k = 1")
    assert keeper.look() is Task.NOTHING
    assert database.design.objects[held.identifier].content is None


def test_a_copy_of_deleted_rows_is_rebuilt(connection: Any) -> None:
    database = _copied(connection)
    keeper = Keeper(database)
    assert keeper.look() is Task.NOTHING
    connection.execute("DELETE FROM t WHERE v < 10")
    assert _uses(database) == {Use.NO}
    assert keeper.look() is Task.REFRESH
    assert _uses(database) == {Use.WHOLE}
    assert connection.execute("SELECT count(*) FROM t WHERE v < 20").fetchall() == [(10,)]


def test_appended_rows_are_taken_in_once_that_pays(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = _copied(connection)
    database.keeper = keeper = Keeper(database)
    connection.execute("INSERT INTO t VALUES (-1, 5)")
    assert keeper.look() is Task.NOTHING
    monkeypatch.setattr(policy, "REFRESH_SECONDS", replace(policy.REFRESH_SECONDS, default=1e-9))
    monkeypatch.setattr(policy, "RESIDUAL_SECONDS", replace(policy.RESIDUAL_SECONDS, default=1.0))
    for _ in range(4):
        assert connection.execute("SELECT count(*) FROM t WHERE v = 5").fetchall() == [(2,)]
    assert keeper.look() is Task.REFRESH
    assert _uses(database) == {Use.WHOLE}


def test_nothing_begins_while_somebody_works(connection: Any) -> None:
    keeper = Keeper(session_of(connection).database)
    connection.begin()
    assert keeper._idle_seconds() == 0.0
    connection.rollback()
    session_of(connection).busy = True
    assert keeper._idle_seconds() == 0.0
    session_of(connection).busy = False
    assert keeper._idle_seconds() > 0.0


def test_a_round_is_made_when_enough_was_read(connection: Any) -> None:
    database = session_of(connection).database
    database.keeper = keeper = Keeper(database)
    for _ in range(3):
        connection.execute("SELECT sum(v) FROM t WHERE v = 5").fetchall()
    connection.execute("SELECT 1").fetchall()
    assert keeper.look() is Task.NOTHING
    assert 0.0 < keeper.upkeep.read_seconds < 5.0
    keeper.upkeep.read_seconds = 6.0
    assert keeper.look() is Task.TUNE
    assert keeper.look() is Task.NOTHING
    assert ("round",) in connection.ledger().project("kind").fetchall()


def test_whoever_waits_for_what_a_round_holds_ends_it(connection: Any) -> None:
    database = session_of(connection).database
    database.keeper = keeper = Keeper(database)
    keeper.give_way()
    with pytest.raises(KeyboardInterrupt):
        keeper._clock()
    keeper.look()
    assert keeper._clock() <= keeper._clock()
    connection.design()
    with pytest.raises(KeyboardInterrupt):
        keeper._clock()


def test_it_works_by_itself_and_ends_with_the_last_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    refresh = Database.refresh

    def told(database: Database, only: frozenset[int] | None = None, each: Callable[[int, float], None] | None = None) -> int:
        count = refresh(database, only, each)
        if only:
            done.set()
        return count

    monkeypatch.setattr(Database, "refresh", told)
    monkeypatch.setattr(keeping, "IDLE_LOOK_SECONDS", replace(keeping.IDLE_LOOK_SECONDS, default=0.001))
    connection = sartor.connect(tmp_path / "data.duckdb", autotune=True)
    connection.execute("CREATE TABLE t AS SELECT i AS k, i AS v FROM range(100) r(i)")
    database = _copied(connection)
    keeper = database.keeper
    assert keeper is not None
    connection.execute("DELETE FROM t WHERE v = 7")
    assert done.wait(PATIENCE)
    assert connection.execute("SELECT count(*) FROM t").fetchall() == [(99,)]
    connection.close()
    assert not keeper._thread.is_alive()


def test_what_goes_wrong_in_idle_time_is_told_and_stays_there(connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    database = session_of(connection).database

    def fail(keeper: Keeper) -> Task:
        raise ValueError("a defect")

    monkeypatch.setattr(Keeper, "look", fail)
    keeper = Keeper(database)
    keeper._run()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    told = connection.ledger().project("summary").fetchall()
    assert ("nothing is done in idle time any more: a defect",) in told


def test_a_database_that_can_not_be_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "data.duckdb"
    sartor.connect(path).close()
    for options in ({"read_only": True}, {"mode": "off"}):
        with sartor.connect(path, autotune=True, **options) as connection:
            assert session_of(connection).database.keeper is None


def test_a_connection_that_a_thread_of_ours_collects_blocks_nobody(tmp_path: Path) -> None:
    """Whoever closes a database waits for the keeper, and holds what closing another one needs."""
    other = sartor.connect(tmp_path / "other.duckdb")
    other.execute("CREATE TABLE t AS SELECT 1 AS i")
    held = [other]
    del other
    collecting = threading.Thread(target=held.clear, name="sartor-keeper")
    with databases._OPEN_LOCK:
        collecting.start()
        collecting.join(20)
        assert not collecting.is_alive()
        leaving = [thread for thread in threading.enumerate() if thread.name == "leaving"]
    for thread in leaving:
        thread.join()
    with duckdb.connect(str(tmp_path / "other.duckdb")) as plain:  # it was closed
        assert plain.execute("SELECT i FROM t").fetchall() == [(1,)]
