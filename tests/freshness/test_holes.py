"""Each hole that the design names, as a test of its own: what was built is never stale, and is used again when it may be."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import duckdb
import pytest

import sartor
from sartor.freshness.registry import Registry
from sartor.freshness.usable import Use
from sartor.freshness.watch import Watch
from tests.freshness.support import COUNT, LOOK_UP, ask, copy_of, database_of, opened, plain, warm


def test_a_current_copy_answers_whole() -> None:
    with opened() as con:
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        assert ask(con, LOOK_UP) == (plain(con, LOOK_UP), (Use.WHOLE,))


def test_appended_rows_are_added_by_the_statement() -> None:
    with opened() as con:
        warm(con)
        con.execute("INSERT INTO t VALUES (1, 7), (NULL, 7)")
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        assert ask(con, LOOK_UP) == (plain(con, LOOK_UP), (Use.RESIDUAL,))
        assert con.refresh() == 1
        assert ask(con) == (plain(con), (Use.WHOLE,))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE t SET b = 7 WHERE a = 3",
        "DELETE FROM t WHERE b = 7",
        "TRUNCATE t",
        "MERGE INTO t USING (SELECT 5 AS a) u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 7",
        "WITH gone AS (DELETE FROM t WHERE a = 8 RETURNING *) SELECT count(*) FROM gone",
        "EXPLAIN ANALYZE UPDATE t SET b = 7 WHERE a = 4",
        "BEGIN; UPDATE t SET b = 7 WHERE a = 9; COMMIT",
        "CREATE OR REPLACE TABLE t AS SELECT range AS a, 7 AS b FROM range(10)",
        "ALTER TABLE t ALTER b TYPE BIGINT",
        "DROP TABLE t; CREATE TABLE t AS SELECT 1 AS a, 7 AS b",
        "ALTER TABLE t RENAME TO u; CREATE TABLE t AS SELECT 1 AS a, 7 AS b",
    ],
)
def test_after_a_mutation_plain_is_run_until_the_refresh(change: str) -> None:
    with opened() as con:
        warm(con)
        con.execute(change).fetchall()
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        rows, how = ask(con)
        assert rows == plain(con)
        assert how == (Use.WHOLE,)


def test_what_a_script_prepares_is_not_followed() -> None:
    with opened() as con:
        warm(con)
        con.execute("PREPARE p AS UPDATE t SET b = 7 WHERE a = 6; EXECUTE p").fetchall()
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), ())


def test_row_ids_that_a_checkpoint_moved(tmp_path: Path) -> None:
    """Delete nine tenths, refresh, close, insert ten: a literal high water would miss the new rows."""
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        con.execute("DELETE FROM t WHERE a % 10 <> 0")
        con.refresh()
    with sartor.connect(path) as con:
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        con.execute("CHECKPOINT")
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        assert ask(con, LOOK_UP) == (plain(con, LOOK_UP), (Use.RESIDUAL,))
        con.refresh()
        assert ask(con, LOOK_UP) == (plain(con, LOOK_UP), (Use.WHOLE,))


def test_an_empty_table_that_fills() -> None:
    with opened(rows=0) as con:
        warm(con)
        con.execute("INSERT INTO t VALUES (1, 7)")
        assert ask(con) == (plain(con), (Use.RESIDUAL,))


def test_an_old_snapshot_sees_object_and_state_together() -> None:
    with opened() as con, con.cursor() as reader:
        warm(reader)
        con.execute("INSERT INTO t VALUES (1, 7)")
        warm(reader)
        reader.execute("BEGIN")
        before = ask(reader)
        con.execute("INSERT INTO t VALUES (2, 7)")
        con.refresh()
        assert ask(reader)[0] == before[0]
        reader.execute("COMMIT")
        assert ask(reader)[0] == plain(con)


def test_a_transaction_that_has_written_runs_plain() -> None:
    with opened() as con:
        warm(con)
        con.execute("BEGIN")
        con.execute("INSERT INTO t VALUES (1, 7)")
        inside = con.execute(COUNT).fetchall()
        con.execute("ROLLBACK")
        assert inside[0][0] == plain(con)[0][0] + 1
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_nothing_new_is_sent_inside_a_transaction() -> None:
    """An alternative that never ran might raise, and an error would abort the user's transaction."""
    with opened() as con:
        con.execute("BEGIN")
        for _ in range(3):
            assert ask(con)[1] == ()
        con.execute("COMMIT")
        warm(con)
        con.execute("BEGIN")
        assert ask(con)[1] == (Use.WHOLE,)
        con.execute("COMMIT")


def test_a_write_between_sending_and_answering_discards_the_result() -> None:
    """A commit window opens after the decision and before the check: the served result must not reach the user."""
    with opened() as con, con.cursor() as writer:
        warm(con)
        database = database_of(con)
        look, calls = database.look_for_unseen_writes, []

        def look_and_write() -> None:
            calls.append(1)
            if len(calls) == 2:  # the look after the statement has run
                database.look_for_unseen_writes = look  # type: ignore[method-assign]
                writer.execute("UPDATE t SET b = 7 WHERE a < 50")
            look()

        database.look_for_unseen_writes = look_and_write  # type: ignore[method-assign]
        rows, how = ask(con)
        assert (rows, how) == (plain(con), ())


def test_while_a_window_is_open_nothing_is_served() -> None:
    with opened() as con:
        warm(con)
        window = database_of(con).registry.window(mutates=frozenset({"t"}))
        assert ask(con)[1] == ()
        window.close()
        assert ask(con)[1] == ()


def test_an_open_appender_counts_as_appending() -> None:
    with opened() as con:
        warm(con)
        with con.appender("t") as appender:
            appender.append_row(1, 7)
            appender.flush()
            assert ask(con.cursor())[0] == plain(con)
        warm(con)
        assert ask(con) == (plain(con), (Use.RESIDUAL,))


def test_names_that_mean_something_else() -> None:
    with opened() as con:
        warm(con)
        con.execute("CREATE TEMP TABLE t AS SELECT 1 AS a, 7 AS b")
        assert ask(con) == ([(1, 1)], ())
        con.execute("DROP TABLE temp.t")
        other = con.cursor()
        other.execute("CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 2 AS a, 7 AS b")
        other.execute("USE s")
        assert ask(other) == ([(1, 2)], ())
        other.close()


def test_a_write_past_sartor_is_noticed(tmp_path: Path) -> None:
    for place in (":memory:", tmp_path / "t.duckdb"):
        with opened(place) as con:
            warm(con)
            duckdb.execute("UPDATE t SET b = 7 WHERE a < 100", connection=con)
            assert ask(con) == (plain(con), ())
            fresh = con.cursor()
            assert ask(fresh) == (plain(con), ())
            con.refresh()
            warm(fresh)
            assert ask(fresh) == (plain(con), (Use.WHOLE,))
            fresh.close()


def test_a_write_past_sartor_does_not_hide_behind_what_sartor_does_next(tmp_path: Path) -> None:
    """Refreshing opens a window of Sartor's own, and closing notes what is current: both look first."""
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        duckdb.execute("UPDATE t SET b = 7 WHERE a < 100", connection=con)
        con.refresh()
        fresh = con.cursor()
        warm(fresh)
        assert ask(fresh) == (plain(con), (Use.WHOLE,))
        duckdb.execute("UPDATE t SET b = 8 WHERE a < 100", connection=con)
        fresh.close()
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con)[0] == plain(con)


def test_a_file_that_plain_duckdb_changed_in_between(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    opened(path).close()
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con)[1] == (Use.WHOLE,)
    with duckdb.connect(path) as other:
        other.execute("UPDATE t SET b = 7 WHERE a < 100")
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_a_file_that_was_killed_is_verified_before_it_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    code = (
        "from tests.freshness.support import *\n"
        f"con = opened({str(path)!r})\nwarm(con)\ncon.execute('INSERT INTO t VALUES (1, 7)')\nprint('ready', flush=True)\ninput()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_root())
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    child.send_signal(signal.SIGKILL)
    child.communicate()
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        assert ask(con)[0] == plain(con)
        assert ask(con)[1] != ()


def test_a_second_process_is_refused_after_every_kind_of_call(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        for call in (
            lambda: warm(con),
            con.refresh,
            con.design,
            con.workload,
            con.ledger,
            con.purge,
            lambda: con.tune(seconds=5),
            con.undo,
            lambda: con.cursor().close(),
        ):
            call()
            code = f"import duckdb\ntry:\n    duckdb.connect({str(path)!r})\nexcept duckdb.IOException:\n    print('refused')"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            assert done.stdout == "refused\n"


def test_a_file_with_two_links_is_served_plain(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    opened(path).close()
    os.link(path, tmp_path / "other.duckdb")
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con) == (plain(con), ())


def test_shared_files_rest_after_a_foreign_commit(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    opened(path).close()
    with sartor.connect(path, shared=True) as con, duckdb.connect(path) as other:
        warm(con)
        assert ask(con)[0] == plain(con)
        other.execute("UPDATE t SET b = 7 WHERE a < 100")
        assert ask(con) == (plain(con), ())


def test_many_threads_read_what_one_writes() -> None:
    with opened(rows=50_000) as con:
        warm(con)
        wrong: list[object] = []
        done = threading.Event()

        def read(cursor: duckdb.DuckDBPyConnection) -> None:
            """Rows only ever grow by pairs, so an odd count is a stale or torn answer."""
            last = 0
            while not done.is_set():
                (count,) = cursor.execute("SELECT count(*) FROM t WHERE b = 2000").fetchall()[0]
                if count % 2 or count < last:
                    wrong.append((last, count))
                last = count

        readers = [threading.Thread(target=read, args=(con.cursor(),)) for _ in range(2)]
        for reader in readers:
            reader.start()
        for number in range(60):
            con.execute("INSERT INTO t VALUES (1, 2000), (2, 2000)")
            if number % 10 == 9:
                con.refresh()
            if number % 20 == 19:
                con.execute("UPDATE t SET a = 5 WHERE a = 4")
        done.set()
        for reader in readers:
            reader.join()
        assert wrong == []
        assert ask(con, "SELECT count(*) FROM t WHERE b = 2000")[0] == [(120,)]


def test_undo_leaves_exactly_the_users_objects(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        warm(con)
        assert con.undo().objects == 1
        assert ask(con) == (plain(con), ())
    with duckdb.connect(path) as other:
        assert other.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall() == [("main", "t")]
        assert other.execute("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'sartor'").fetchall() == [(0,)]


def test_a_schema_of_that_name_is_left_alone() -> None:
    with sartor.connect() as con:
        con.execute("CREATE SCHEMA sartor; CREATE TABLE sartor.mine (a INTEGER); CREATE TABLE t (a INTEGER, b INTEGER)")
        with pytest.raises(sartor.DatabaseUnavailable, match="rename it"):
            copy_of(con)
        assert con.execute("SELECT count(*) FROM sartor.mine").fetchall() == [(0,)]


def _root() -> Path:
    return Path(__file__).parents[2]


def test_an_older_picture_never_takes_the_place_of_a_newer_one() -> None:
    """Two windows close at once: the thread that looked first is stopped before it has written down what it saw."""
    looked, go_on = threading.Event(), threading.Event()

    class Counting:
        count = 0

        def changes(self) -> int:
            seen = self.count
            if threading.current_thread().name == "stopped":
                looked.set()
                assert go_on.wait(60)
            return seen

    engine = Counting()
    watch = Watch(cast(Any, engine), None, shared=False)
    engine.count = 10
    stopped = threading.Thread(target=watch.settle, name="stopped")
    stopped.start()
    assert looked.wait(60)
    engine.count = 11
    later = threading.Thread(target=watch.settle)
    later.start()
    later.join(0.05)  # it is through, if nothing holds it back
    go_on.set()
    stopped.join()
    later.join()
    assert watch.accounts_for(Registry())
