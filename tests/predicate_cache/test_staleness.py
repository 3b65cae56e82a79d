"""Every way in which remembered row ids may go stale: the answer is plain DuckDB's each time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pytest

import sartor
from sartor.components.predicate_cache import serve
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.interfaces.call import Call
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database
from sartor.interfaces.predicates import Predicates, Ranged
from tests.predicate_cache.support import ask, cache, entries, opened, plain, ranged

pytestmark = pytest.mark.usefixtures("remembered")
TEXT = "SELECT count(*), sum(id), min(s) FROM facts WHERE contains(s, 'x7y')"
JOIN = "SELECT count(*), sum(f.id) FROM facts f JOIN dims d ON d.batch = f.batch WHERE d.g = 3"
NEW = "INSERT INTO facts SELECT id + 100000, batch, r, s, d, m, f, region FROM facts WHERE batch = 7 AND r < 500"


def remember(connection: Any, text: str = TEXT) -> None:
    ask(connection, text, times=2)
    assert ranged(connection, text)


def test_appended_rows_are_read() -> None:
    with opened() as connection:
        remember(connection)
        for _ in range(3):
            connection.execute(NEW)
            assert ranged(connection, TEXT)


def test_rows_that_another_connection_appends_are_read() -> None:
    with opened() as connection, connection.cursor() as other:
        remember(connection)
        other.execute("BEGIN")
        other.execute(NEW)
        assert ranged(connection, TEXT)
        other.execute("COMMIT")
        assert ranged(connection, TEXT)
        with other.appender("facts") as appender:
            appender.append_row(1, 7, 3, "x7y", None, None, None, None)
        assert ranged(connection, TEXT)


@pytest.mark.parametrize(
    "write",
    [
        "UPDATE facts SET s = 'x7y' WHERE batch = 20",
        "UPDATE facts SET s = 'other' WHERE batch = 7 AND r < 500",
        "DELETE FROM facts WHERE batch = 7 AND r < 500",
        "DELETE FROM facts WHERE id % 3 = 0",
        "TRUNCATE facts",
        "MERGE INTO facts USING (SELECT 5 AS id) n ON facts.id = n.id WHEN MATCHED THEN UPDATE SET s = 'x7y'",
        "CREATE OR REPLACE TABLE facts AS SELECT range AS id, 'x7y' AS s FROM range(9)",
        "BEGIN; UPDATE facts SET s = 'x7y' WHERE batch = 21; COMMIT",
        "ALTER TABLE facts ALTER s SET DATA TYPE VARCHAR USING 'x7y'",
    ],
)
def test_after_any_other_write_they_are_found_anew(write: str, tmp_path: Path) -> None:
    with opened(tmp_path / "a.duckdb") as connection:
        remember(connection)
        connection.execute(write)
        assert not ranged(connection, TEXT)
        cache(connection).wait()
        ask(connection, TEXT)
        assert ranged(connection, TEXT)


@pytest.mark.parametrize(
    "write", ["INSERT INTO dims VALUES (20, 3, 'new')", "UPDATE dims SET g = 3 WHERE batch = 30", "DELETE FROM dims"]
)
def test_any_write_to_another_table_of_the_condition_counts(write: str) -> None:
    with opened() as connection:
        remember(connection, JOIN)
        connection.execute("INSERT INTO regions VALUES (7, 'r7')")
        assert ranged(connection, JOIN)
        connection.execute(NEW)
        assert ranged(connection, JOIN)
        connection.execute(write)
        assert not ranged(connection, JOIN)
        ask(connection, JOIN)


def test_a_checkpoint_moves_the_rows_of_a_table_that_lost_some(tmp_path: Path) -> None:
    with opened(tmp_path / "a.duckdb") as connection:
        connection.execute(
            "INSERT INTO facts SELECT id, batch + 40, r, 'x' || (batch + 40) || 'y', d, m, f, region FROM facts, range(9)"
        )
        text = TEXT.replace("x7y", "x67y")
        connection.execute("DELETE FROM facts WHERE batch < 60 AND id % 10 <> 0")
        remember(connection, text)
        before = _row_ids(connection)
        connection.execute("CHECKPOINT")
        assert _row_ids(connection) != before, "no row has moved: this test tests nothing"
        assert not ranged(connection, text)
        connection.execute(NEW)
        ask(connection, text)
        remember(connection, text)


def test_a_checkpoint_does_not_matter_to_a_table_that_lost_none(tmp_path: Path) -> None:
    with opened(tmp_path / "a.duckdb") as connection:
        remember(connection)
        connection.execute("CHECKPOINT")
        connection.execute(NEW)
        connection.execute("CHECKPOINT")
        assert ranged(connection, TEXT)


def test_in_memory_nothing_is_remembered_of_a_table_that_lost_rows() -> None:
    with opened() as connection:
        connection.execute("DELETE FROM facts WHERE id % 3 = 0")
        ask(connection, TEXT)
        assert not entries(connection)


def _row_ids(connection: Any) -> Any:
    return plain(connection, "SELECT max(rowid), sum(rowid)::BIGINT FROM facts")


@pytest.mark.parametrize(
    "definitions",
    [
        ["CREATE INDEX an_index ON facts (batch)"],
        ["ALTER TABLE facts ADD COLUMN extra INTEGER DEFAULT 3"],
        ["ALTER TABLE facts DROP COLUMN m"],
        ["ALTER TABLE facts RENAME TO gone", "CREATE TABLE facts AS SELECT range AS id, 'x7y' AS s FROM range(70000)"],
        ["ALTER TABLE facts RENAME TO gone", "CREATE VIEW facts AS SELECT id, 'x7y' AS s FROM gone"],
        ["ALTER TABLE facts RENAME COLUMN s TO t", "ALTER TABLE facts ADD COLUMN s VARCHAR DEFAULT 'x7y'"],
        ["CREATE MACRO contains(a, b) AS true"],
        ["CREATE TEMP TABLE facts AS SELECT 1 AS id, 'x7y' AS s"],
        ["CREATE TEMP VIEW facts AS SELECT 1 AS id, 'x7y' AS s"],
        ["BEGIN", "ALTER TABLE facts DROP COLUMN s", "ALTER TABLE facts ADD COLUMN s VARCHAR DEFAULT 'x7y'", "COMMIT"],
        ["BEGIN", "DROP TABLE facts", "ROLLBACK"],
    ],
)
def test_definitions(definitions: list[str]) -> None:
    with opened() as connection:
        remember(connection)
        for text in definitions:
            connection.execute(text)
        ask(connection, TEXT)


def test_a_definition_of_something_else_does_not_lose_what_is_remembered() -> None:
    with opened() as connection:
        remember(connection)
        (before,) = entries(connection)
        connection.execute("CREATE TEMP TABLE something AS SELECT 1 AS a")
        ask(connection, TEXT, times=1)
        assert ranged(connection, TEXT)
        assert [entry.derived for entry in entries(connection)] == [before.derived]


def test_a_registered_frame_hides_the_table() -> None:
    with opened() as connection:
        remember(connection)
        connection.register("facts", pyarrow.table({"id": [1], "s": ["x7y"]}))
        ask(connection, TEXT)
        connection.unregister("facts")
        ask(connection, TEXT)


def test_a_transaction_reads_its_own_rows_and_its_own_snapshot() -> None:
    with opened() as connection, connection.cursor() as other:
        remember(connection)
        other.execute("BEGIN")
        ask(other, TEXT)
        connection.execute("UPDATE facts SET s = 'x7y' WHERE batch = 20")
        ask(other, TEXT)
        other.execute("COMMIT")
        ask(other, TEXT)
        for end in ("ROLLBACK", "COMMIT"):
            other.execute("BEGIN")
            other.execute("UPDATE facts SET s = 'x7y' WHERE batch = 22")
            other.execute(NEW)
            ask(other, TEXT)
            ask(connection, TEXT)
            other.execute(end)
            ask(other, TEXT)
            ask(connection, TEXT)


def test_a_write_past_sartor_is_noticed() -> None:
    with opened() as connection:
        remember(connection)
        duckdb.execute("UPDATE facts SET s = 'x7y' WHERE batch = 20", connection=connection)
        assert not ranged(connection, TEXT)


def test_another_connection_to_a_shared_file_is_noticed(tmp_path: Path) -> None:
    with opened(tmp_path / "a.duckdb", shared=True) as connection:
        other = duckdb.connect(str(tmp_path / "a.duckdb"), config={"threads": 1})
        ask(connection, TEXT)
        for _ in range(3):
            other.execute("UPDATE facts SET s = 'x7y' WHERE batch = 20")
            ask(connection, TEXT)
            other.execute("UPDATE facts SET s = 'x20y' WHERE batch = 20")
            ask(connection, TEXT)
        other.close()


@pytest.mark.parametrize("setting", ["SET TimeZone = 'Asia/Tokyo'", "SET default_null_order = 'nulls_first'", "RESET TimeZone"])
def test_a_setting_that_may_show_in_a_condition_ends_it(setting: str) -> None:
    with opened() as connection, connection.cursor() as other:
        connection.execute(
            "CREATE TABLE moments AS SELECT TIMESTAMPTZ '2024-01-01 00:00+00' + INTERVAL (i) HOUR AS moment FROM range(900) r(i)"
        )
        text = "SELECT count(*) FROM moments WHERE CAST(moment AS DATE) = DATE '2024-01-09'"
        ask(connection, text)
        other.execute(setting)
        ask(other, text)
        ask(connection, text)
        assert not ranged(other, text)
        assert cache(connection).off


def test_settings_that_can_not_show_are_none_of_its_business() -> None:
    with opened() as connection:
        remember(connection)
        for text in ("SET threads = 1", "SET enable_progress_bar = false", "CHECKPOINT", "PREPARE p AS SELECT 1"):
            connection.execute(text)
        ask(connection, TEXT, times=1)
        assert ranged(connection, TEXT)


def test_undo_and_purge_forget() -> None:
    with opened() as connection:
        for forget in (connection.undo, connection.purge):
            remember(connection)
            forget()
            assert not entries(connection)


# Races: what happens between two looks ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "writes",
    [
        ["UPDATE facts SET s = 'x7y' WHERE batch = 20"],
        ["INSERT INTO facts SELECT * FROM facts WHERE batch = 7"],
        ["DROP TABLE facts", "CREATE TABLE facts AS SELECT range AS id, 'x7y' AS s FROM range(90000)"],
        ["ALTER TABLE facts RENAME TO gone", "CREATE VIEW facts AS SELECT id, 'x7y' AS s FROM gone"],
        ["CREATE MACRO contains(a, b) AS true"],
    ],
)
def test_a_write_between_the_look_and_the_snapshot(monkeypatch: pytest.MonkeyPatch, writes: list[str]) -> None:
    with opened() as connection, connection.cursor() as other:
        remember(connection)
        _once(monkeypatch, Ranged, "holds", after=lambda: [other.execute(text) for text in writes])
        given = connection.execute(TEXT).fetchall()
        assert given == plain(connection, TEXT)


def test_a_checkpoint_between_the_look_and_the_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "a.duckdb") as connection, connection.cursor() as other:
        connection.execute(
            "INSERT INTO facts SELECT id, batch + 40, r, 'x' || (batch + 40) || 'y', d, m, f, region FROM facts, range(9)"
        )
        text = TEXT.replace("x7y", "x67y")
        connection.execute("DELETE FROM facts WHERE batch < 60 AND id % 10 <> 0")
        remember(connection, text)
        before = _row_ids(connection)
        _once(monkeypatch, Ranged, "holds", after=lambda: other.execute("CHECKPOINT"))
        given = connection.execute(text).fetchall()
        assert _row_ids(connection) != before, "no row has moved: this test tests nothing"
        assert given == plain(connection, text)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "write",
    [
        "UPDATE facts SET s = 'x7y' WHERE batch = 20",
        "INSERT INTO facts SELECT * FROM facts WHERE batch = 7",
        "DELETE FROM facts WHERE batch = 7 AND r < 500",
        "INSERT INTO dims VALUES (20, 3, 'new')",
        "ALTER TABLE facts ALTER s SET DATA TYPE VARCHAR USING 'x7y'",
        "FORCE CHECKPOINT",
    ],
)
@pytest.mark.parametrize("text", [TEXT, JOIN])
def test_a_write_while_they_are_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, write: str, when: str) -> None:
    """Also where a definition does not wait until nobody looks: the counts of writes tell."""
    monkeypatch.setattr(Predicates, "hold_off", lambda _: lambda: None)
    with opened(tmp_path / "a.duckdb") as connection, connection.cursor() as other:
        connection.execute("DELETE FROM facts WHERE batch < 5 AND id % 10 <> 0")
        _once(monkeypatch, DuckDBEngine, "run", **{when: lambda: other.execute(write)})
        connection.execute(text).fetchall()
        cache(connection).wait()
        ask(connection, text)


def test_a_commit_under_way_while_they_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window of a write is open from before until after the row ids were looked for."""
    with opened() as connection:
        database = session_of(connection).database
        close: list[Callable[[], None]] = []
        _once(monkeypatch, DuckDBEngine, "run", before=lambda: close.append(_window(database)))
        connection.execute(TEXT).fetchall()
        cache(connection).wait()
        assert not entries(connection)
        close[0]()
        ask(connection, TEXT)


def _window(database: Database) -> Callable[[], None]:
    return database.registry.window(mutates=frozenset({"facts"})).close


def _once(
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    *,
    before: Callable[[], object] | None = None,
    after: Callable[[], object] | None = None,
) -> None:
    """Something happens before or after a method is called the next time, and only then."""
    method, waiting = getattr(owner, name), [True]

    def call(self: Any, *arguments: Any, **options: Any) -> Any:
        now = waiting[0]
        waiting[0] = False
        if now and before is not None:
            before()
        found = method(self, *arguments, **options)
        if now and after is not None:
            after()
        return found

    monkeypatch.setattr(owner, name, call)


def test_readers_and_writers_at_once(tmp_path: Path) -> None:
    """Each snapshot holds pairs of rows that cancel out, whatever the writers do; no reader may see half of one."""
    with sartor.connect(tmp_path / "a.duckdb", config={"threads": 1}, predicate_cache=True) as connection:
        connection.execute(
            "CREATE TABLE pairs AS SELECT i // 2 AS pair, (i % 2) * 2 - 1 AS v, 'a' || (i // 4000) AS tag FROM range(40000) r(i)"
        )
        wrong: list[Any] = []
        done = threading.Event()

        def read() -> None:
            with connection.cursor() as own:
                while not done.is_set():
                    for number in (3, 5):
                        found = own.execute(
                            f"SELECT count(*) % 2, coalesce(sum(v), 0) FROM pairs WHERE contains(tag, 'a{number}')"
                        ).fetchall()
                        if found != [(0, 0)]:
                            wrong.append(found)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            for number in range(60):
                pair = 17_000 + number
                connection.execute(f"INSERT INTO pairs VALUES ({90_000 + number}, 1, 'a3'), ({90_000 + number}, -1, 'a3')")
                connection.execute(f"UPDATE pairs SET tag = 'a{3 + number % 3}' WHERE pair = {pair}")
                if number % 5 == 0:
                    connection.execute(f"DELETE FROM pairs WHERE pair % 7 = {number // 5 % 7} AND pair < 8000")
                    connection.execute("FORCE CHECKPOINT")
        finally:
            done.set()
            for reader in readers:
                reader.join()
        assert wrong == []


@pytest.mark.parametrize("text", ["CHECKPOINT", "CREATE INDEX an_index ON facts (id); DROP INDEX an_index"])
def test_nothing_is_refused_because_they_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """DuckDB refuses a checkpoint while somebody reads what was changed since: not because Sartor does."""
    begun = threading.Event()
    with opened(tmp_path / "a.duckdb") as connection:
        long = "SELECT count(*) FROM facts a, regions g WHERE a.region = g.region AND a.id IN (SELECT b.r * c.r FROM facts b, facts c)"
        _once(monkeypatch, DuckDBEngine, "run", before=begun.set)
        connection.execute("SELECT 1").fetchall()
        cache(connection).observe(_pending(connection, long))
        assert begun.wait(timeout=60)
        for number in range(5):
            connection.execute(f"UPDATE facts SET s = 'other' WHERE id = {number}")
            connection.execute(text)
        cache(connection).wait()
        assert not entries(connection)
        ask(connection, TEXT)


def _pending(connection: Any, text: str) -> Any:
    """A statement as if it had been run."""
    session = session_of(connection)
    known = session.database.recognise(text)
    call = Call(session, known, known.effects, None, 0.0)
    call.seconds = 1.0
    return call


# Failures -----------------------------------------------------------------------------------------------------------


def test_a_text_that_raises_is_run_plain_and_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as connection:
        ask(connection, TEXT, times=1)
        monkeypatch.setattr(serve, "condition", lambda ranges, high_water: "no_such_column")
        assert not ranged(connection, TEXT)
        assert not entries(connection)
        assert any("remembered row ids raised" in decision.summary for decision in session_of(connection).database.ledger.decisions())


def test_looking_for_them_may_fail_in_any_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened() as connection:
        monkeypatch.setattr(DuckDBEngine, "run", lambda *_: 1 / 0)
        connection.execute(TEXT).fetchall()
        cache(connection).wait()
        assert cache(connection).off
        ask(connection, TEXT)


def test_closing_while_they_are_looked_for() -> None:
    connection = opened()
    connection.execute("SELECT count(*) FROM facts a, facts b WHERE a.batch = b.r AND a.batch = 7").fetchall()
    connection.execute(TEXT).fetchall()
    connection.close()
    assert not any(thread.name == "sartor-predicates" for thread in threading.enumerate())
