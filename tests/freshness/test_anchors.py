"""Row ids that a checkpoint may move: the stored high water is used only where none has, at whatever moment a checkpoint comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

from sartor.freshness.usable import Use
from sartor.interfaces import serving
from sartor.interfaces.call import Call
from sartor.interfaces.connection import session_of
from sartor.interfaces.database import Database
from sartor.sql.classify import classify
from tests.freshness.support import COUNT, LOOK_UP, ask, database_of, opened, plain, warm

NO_CHECKPOINT = {"threads": 1, "checkpoint_threshold": "10GB"}  # but those that a test asks for
LAST = "SELECT max(rowid) FROM t"


@contextmanager
def loose(path: Path, **options: Any) -> Iterator[Any]:
    """A table that lost nine tenths of its rows, with a copy made after that and rows appended since; nothing has moved yet."""
    with opened(path, config={**NO_CHECKPOINT, **options}) as con:
        con.execute("DELETE FROM t WHERE a % 10 <> 0")
        con.refresh()
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        yield con


@contextmanager
def once(owner: Any, name: str, act: Callable[[], object], *, before: bool) -> Iterator[None]:
    """Do something once, before or after the next call of a function."""
    original = getattr(owner, name)
    done: list[bool] = []

    def wrapped(*arguments: Any, **options: Any) -> Any:
        first = not done
        done.append(True)
        if first and before:
            act()
        result = original(*arguments, **options)
        if first and not before:
            act()
        return result

    with mock.patch.object(owner, name, wrapped):
        yield


def sent(con: Any, text: str = COUNT) -> str:
    """The text that answers a statement now; empty if it runs plain."""
    call = serving.begin(session_of(con), text, None)
    call.end()
    session_of(con).pending = None
    return call.instead or ""


@pytest.mark.parametrize("text", [COUNT, LOOK_UP])
def test_while_no_checkpoint_came_the_high_water_holds(tmp_path: Path, text: str) -> None:
    with loose(tmp_path / "t.duckdb") as con:
        assert "OFFSET" not in sent(con, text)
        assert "SELECT high_water" not in sent(con, text)  # it is told
        assert ask(con, text) == (plain(con, text), (Use.RESIDUAL,))
        last = plain(con, LAST)
        con.execute("CHECKPOINT")
        assert plain(con, LAST) != last  # the checkpoint moved rows, else this shows nothing
        assert "OFFSET" in sent(con, text)
        assert ask(con, text) == (plain(con, text), (Use.RESIDUAL,))


@pytest.mark.parametrize("text", [COUNT, LOOK_UP])
def test_a_checkpoint_between_deciding_and_sending(tmp_path: Path, text: str) -> None:
    with loose(tmp_path / "t.duckdb") as con, con.cursor() as other:
        with once(serving, "begin", lambda: other.execute("CHECKPOINT"), before=False):
            assert ask(con, text) == (plain(con, text), ())
        assert ask(con, text) == (plain(con, text), (Use.RESIDUAL,))


@pytest.mark.parametrize("text", [COUNT, LOOK_UP])
def test_a_checkpoint_between_answering_and_looking(tmp_path: Path, text: str) -> None:
    with (
        loose(tmp_path / "t.duckdb") as con,
        con.cursor() as other,
        once(Call, "still_right", lambda: other.execute("CHECKPOINT"), before=True),
    ):
        assert ask(con, text) == (plain(con, text), ())


def test_a_checkpoint_that_is_under_way(tmp_path: Path) -> None:
    """Row ids may have moved before the header shows it: nothing is told by them while a window is open."""
    with loose(tmp_path / "t.duckdb") as con:
        window = database_of(con).registry.window()
        assert ask(con) == (plain(con), ())
        window.close()
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        with once(serving, "begin", lambda: database_of(con).registry.window(), before=False):
            assert ask(con) == (plain(con), ())


def test_a_write_that_raised_counts_as_a_checkpoint(tmp_path: Path) -> None:
    with loose(tmp_path / "t.duckdb") as con:
        with pytest.raises(duckdb.Error):
            con.execute("INSERT INTO t VALUES ('no number', 7)")
        assert "OFFSET" in sent(con)


def test_a_refresh_finds_the_last_row_anew(tmp_path: Path) -> None:
    with loose(tmp_path / "t.duckdb") as con:
        con.execute("CHECKPOINT")
        con.refresh()
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        con.execute("CREATE TABLE o AS SELECT 1 AS a")
        con.execute("CHECKPOINT")
        assert "OFFSET" in sent(con)
        con.refresh()
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        assert "OFFSET" not in sent(con)
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        assert ask(con, LOOK_UP) == (plain(con, LOOK_UP), (Use.RESIDUAL,))


def test_in_memory_and_in_transactions_rows_are_found_by_their_position(tmp_path: Path) -> None:
    with loose(tmp_path / "t.duckdb") as con:
        con.execute("CHECKPOINT")
        warm(con)  # a transaction uses texts that ran before
        con.execute("BEGIN")
        assert "OFFSET" in sent(con)
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        con.execute("COMMIT")
    with opened() as con:
        con.execute("DELETE FROM t WHERE a % 10 <> 0")
        con.refresh()
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        assert "OFFSET" in sent(con)
        con.execute("CHECKPOINT")
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        with con.cursor() as other, once(serving, "begin", lambda: other.execute("CHECKPOINT"), before=False):
            assert ask(con) == (plain(con), ())


def test_a_tail_is_not_appended_by_an_anchor_that_moved(tmp_path: Path) -> None:
    """A checkpoint between the search for the last row covered and the reading of those behind it."""
    from sartor.freshness import refresh

    with loose(tmp_path / "t.duckdb") as con, con.cursor() as other:
        con.execute("CREATE TABLE o AS SELECT 1 AS a")
        with once(refresh, "loose", lambda: other.execute("CHECKPOINT"), before=True):
            con.refresh()
        warm(con)
        assert ask(con)[0] == plain(con)
        assert ask(con, LOOK_UP)[0] == plain(con, LOOK_UP)
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        assert ask(con, LOOK_UP)[0] == plain(con, LOOK_UP)


@pytest.mark.parametrize("threshold", ["1KB", "100KB", "1MB"])
def test_checkpoints_that_come_by_themselves(tmp_path: Path, threshold: str) -> None:
    with loose(tmp_path / "t.duckdb", checkpoint_threshold=threshold) as con:
        for number in range(24):
            con.execute(f"INSERT INTO t SELECT range, 7 FROM range({number * 500 + 1})")
            for text in (COUNT, LOOK_UP):
                assert ask(con, text)[0] == plain(con, text)
            if number % 4 == 1:
                con.execute(f"DELETE FROM t WHERE hash(a, {number}) % 3 <> 0")
            if number % 4 > 1:
                con.refresh()
            for text in (COUNT, LOOK_UP):
                assert ask(con, text)[0] == plain(con, text)


def test_checkpoints_from_another_thread(tmp_path: Path) -> None:
    """One thread deletes, refreshes, appends and checkpoints; rows only ever come and go by pairs."""
    with loose(tmp_path / "t.duckdb") as con:
        wrong: list[object] = []
        over = threading.Event()
        pairs = "SELECT count(*) FROM t WHERE b = 2000"
        listed = "SELECT a FROM t WHERE b = 2000"
        con.execute("INSERT INTO t SELECT range, 2000 FROM range(2)")
        warm(con, pairs, listed)

        def read(cursor: Any) -> None:
            while not over.is_set():
                (count,) = cursor.execute(pairs).fetchall()[0]
                rows = cursor.execute(listed).fetchall()
                if count % 2 or len(rows) % 2:
                    wrong.append((count, len(rows)))

        readers = [threading.Thread(target=read, args=(con.cursor(),)) for _ in range(2)]
        for reader in readers:
            reader.start()
        try:
            for number in range(20):
                con.execute(f"INSERT INTO t SELECT range, {number} FROM range(30000)")
                con.execute(f"DELETE FROM t WHERE b = {number}")
                con.refresh()
                for _ in range(5):
                    con.execute("INSERT INTO t VALUES (1, 2000), (2, 2000)")
                with suppress(duckdb.TransactionException):  # DuckDB may take a reader for a writer
                    con.execute("CHECKPOINT")
        finally:
            over.set()
            for reader in readers:
                reader.join()
        assert wrong == []
        assert ask(con, pairs)[0] == [(202,)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a, b FROM t WHERE b BETWEEN 5 AND 900",
        "SELECT a, b FROM t WHERE b BETWEEN 5 AND 900 UNION ALL SELECT a, b FROM t WHERE b = 7",
        "SELECT a, 1 AS b FROM u UNION ALL SELECT a, b FROM t WHERE b = 7",
    ],
)
def test_a_checkpoint_while_a_result_is_streamed(tmp_path: Path, text: str) -> None:
    """Every residual is read before the first row is out, for what replaces a table is sorted or aggregated."""
    with loose(tmp_path / "t.duckdb") as con, con.cursor() as other:
        con.execute("CREATE TABLE u AS SELECT range AS a FROM range(300000)")
        warm(con, text)
        expected, last = plain(con, text), plain(con, LAST)
        con.execute(text)
        pending = session_of(con).pending
        assert pending is not None
        assert set(pending.how) == {Use.RESIDUAL}
        first = con.fetchmany(5)
        other.execute("CHECKPOINT")
        assert first + con.fetchall() == expected
        assert plain(con, LAST) != last


@pytest.mark.parametrize("place", ["memory", "file"])
def test_a_select_that_writes_commits_when_it_is_fetched(tmp_path: Path, place: str) -> None:
    """Its window stays open until then: a refresh in between would take the rows that are about to go for current."""
    with opened(":memory:" if place == "memory" else tmp_path / "t.duckdb", config=NO_CHECKPOINT) as con, con.cursor() as writer:
        warm(con)
        before = plain(con)
        writer.execute("WITH gone AS (DELETE FROM t WHERE a < 200000 RETURNING *) SELECT * FROM gone")
        assert plain(con) == before  # nothing is committed yet, else this shows nothing
        con.refresh()
        close = database_of(con).window(classify("INSERT INTO o VALUES (1)"))  # somebody else's, behind which a commit may hide
        writer.fetchall()
        close()
        assert plain(con) != before
        assert ask(con)[0] == plain(con)
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_a_stream_that_is_left_ends_with_the_next_statement(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb", config=NO_CHECKPOINT) as con, con.cursor() as writer:
        warm(con)
        writer.execute("WITH gone AS (DELETE FROM t WHERE a < 200000 RETURNING *) SELECT * FROM gone")
        assert database_of(con).registry.state.open == 1
        assert ask(con) == (plain(con), ())
        writer.execute("SELECT 1").fetchall()
        assert database_of(con).registry.state.open == 0
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_the_guard_is_what_these_tests_see(tmp_path: Path) -> None:
    """Without the look at the header a checkpoint between deciding and sending makes the answer wrong."""
    with (
        loose(tmp_path / "t.duckdb") as con,
        con.cursor() as other,
        mock.patch.object(Database, "rows_stood", return_value=True),
        once(serving, "begin", lambda: other.execute("CHECKPOINT"), before=False),
    ):
        assert ask(con)[0] != plain(con)


@pytest.mark.parametrize("text", [COUNT, LOOK_UP])
@pytest.mark.parametrize("moment", ["begin", "still_right"])
def test_a_tail_that_is_appended_to_the_copy_meanwhile(tmp_path: Path, text: str, moment: str) -> None:
    """The text tells where the rows covered end, so it is right only while they end there: a tail is in, and not yet published."""
    with opened(tmp_path / "t.duckdb", config=NO_CHECKPOINT) as con, con.cursor() as other:
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con, text)
        assert ask(con, text) == (plain(con, text), (Use.RESIDUAL,))
        refreshing = threading.Thread(target=other.refresh)
        committed = threading.Event()

        def append() -> None:
            refreshing.start()
            assert committed.wait(30)

        owner: Any = serving if moment == "begin" else Call
        with (
            once(Database, "publish", committed.set, before=True),
            once(owner, moment, append, before=moment == "still_right"),
        ):
            assert ask(con, text) == (plain(con, text), ())
        refreshing.join(30)
        warm(con, text)
        assert ask(con, text) == (plain(con, text), (Use.WHOLE,))


def test_while_sartor_writes_the_text_tells_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb", config=NO_CHECKPOINT) as con:
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        assert "SELECT high_water" not in sent(con)
        window = database_of(con).registry.window(own=True)
        assert "SELECT high_water" in sent(con)
        window.close()


def test_what_ran_is_proven_for_a_transaction(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb", config=NO_CHECKPOINT) as con:
        con.execute("INSERT INTO t SELECT range, 7 FROM range(10)")
        warm(con)
        con.execute("BEGIN")
        assert "SELECT high_water" in sent(con)
        assert ask(con) == (plain(con), (Use.RESIDUAL,))
        con.execute("COMMIT")
