"""Rows appended since are left out where a statement's own conditions rule them out, and only while nothing more is written."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.sort_keys import serve
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import TableName
from sartor.freshness.extent import Extent
from sartor.freshness.usable import Use
from sartor.interfaces import extents
from sartor.interfaces.connection import session_of
from sartor.interfaces.habit import Habit
from sartor.interfaces.known import Appended
from tests.freshness.support import database_of, plain
from tests.views.support import install

_COLUMNS = ("id", "s", "n", "d", "m", "w", "f")
_TABLE = """
CREATE TABLE t AS SELECT i AS id, (i % 300 - 150)::SMALLINT AS s, ((i % 200) / 8)::DECIMAL(9,3) AS n,
    CASE WHEN i % 51 = 0 THEN DATE 'infinity' ELSE DATE '2020-01-01' + (i % 400)::INTEGER END AS d,
    TIMESTAMP '2020-01-01' + INTERVAL 1 HOUR * (i % 500) AS m, 'a' || (i % 6) AS w, (i % 30 / 4)::DOUBLE AS f
    FROM range(3000) r(i);
CREATE TABLE names AS SELECT i::SMALLINT AS s, 'name ' || (i % 9) AS name FROM range(-150, 150) r(i);
"""
_NEW = (
    "INSERT INTO t VALUES (5000, 40, 1.125, DATE '2022-03-01', TIMESTAMP '2022-03-01 10:00:00.5', 'zz', 2.5), "
    "(5001, 44, 3.5, DATE '2022-03-05', TIMESTAMP '2022-03-04', 'zz', 2.5), (5002, NULL, NULL, NULL, NULL, NULL, NULL)"
)
_CONDITIONS = {  # with values that let no row through which the appended ones lie between, and with such that may let one through
    "s = {}": (("39", "45", "-7", "39.5"), ("40", "42", "44", "42.5")),
    "s < {}": (("39", "40"), ("41", "40.5")),
    "s <= {}": (("39", "39.5"), ("40", "90")),
    "s > {}": (("44", "90"), ("43", "43.5")),
    "{} < s": (("44",), ("43",)),
    "s >= {}": (("45",), ("44",)),
    "s BETWEEN {} AND 39": (("-7", "39", "90"), ()),
    "s BETWEEN 45 AND {}": (("60", "3"), ()),
    "s BETWEEN {} AND 41": (("90",), ("3", "40")),
    "s IN ({}, 46)": (("39", "45"), ("40", "42")),
    "n > {}": (("3.5", "4"), ("3.499",)),
    "n <= {}": (("1.124", "1"), ("1.125",)),
    "d = DATE '{}'": (("2022-02-28", "2022-03-06"), ("2022-03-01", "2022-03-03")),
    "d < '{}'": (("2022-03-01", "2020-05-05"), ("2022-03-02",)),
    "d > DATE '{}'": (("2022-03-05",), ("2022-03-04",)),
    "m >= TIMESTAMP '{}'": (("2022-03-04 00:00:01",), ("2022-03-04",)),
    "m <= '{}'": (("2022-03-01 10:00:00",), ("2022-03-01 10:00:01",)),
}
_ALWAYS_ASKED = (
    "w = 'a1'",  # texts may be compared under a collation
    "f < 1",
    "m < DATE '2020-05-05'",
    "s <> 7",
    "s < 3 OR s > 100",
    "NOT s < 100",
    "s IS NOT NULL",
    "s + 0 < 3",
)


@pytest.fixture
def con(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A table with a copy of it; what was appended is looked at whenever that is asked for."""
    monkeypatch.setattr(Habit, "pays", lambda self, times, saved_seconds: True)
    monkeypatch.setattr(
        serve, "share_kept", lambda reference, joined, derived: 0.5 if derived.action.component == "sort_keys" else 1.0
    )
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(_TABLE)
        name = TableName(database_of(connection).engine().database, "main", "t")
        database_of(connection).install(sorted_copy(name, _COLUMNS, ("s",), frozenset()))
        yield connection


def _asked(con: Any, text: str) -> Appended | None:
    """What a statement did about appended rows, None if nothing answered it or there were none; its answer is plain's in any case."""
    assert sorted(con.execute(text).fetchall(), key=repr) == sorted(plain(con, text), key=repr), text
    call = session_of(con).pending
    assert call is not None
    if Use.RESIDUAL not in call.how:
        return None
    assert (call.appended is Appended.RULED_OUT) == (
        " rowid > " not in call.instead.replace(".rowid >", " rowid >") and not call.told_rows
    )
    return call.appended


def _by_copy(condition: str) -> str:
    return f"SELECT id, s, n FROM t WHERE {condition}"


def _by_view(condition: str) -> str:
    return f"SELECT s, n, d, m, count(*) AS c, max(id) AS most FROM t WHERE {condition} GROUP BY s, n, d, m"


@pytest.mark.parametrize("ask", [_by_copy, _by_view])
@pytest.mark.parametrize("condition", _CONDITIONS)
def test_rows_are_left_out_exactly_where_no_bound_lets_them_through(con: Any, condition: str, ask: Any) -> None:
    if ask is _by_view:
        install(con, "SELECT s, n, d, m, count(*) AS c, max(id) AS most FROM t GROUP BY s, n, d, m")
    ruled_out, asked = _CONDITIONS[condition]
    for value in (*ruled_out, *asked):
        _asked(con, ask(condition.format(value)))
    con.execute(_NEW)
    for expected, values in ((Appended.RULED_OUT, ruled_out), (Appended.ASKED, asked)):
        for value in values:
            assert _asked(con, ask(condition.format(value))) is expected, value


@pytest.mark.parametrize("condition", _ALWAYS_ASKED)
def test_other_conditions_rule_nothing_out(con: Any, condition: str) -> None:
    _asked(con, _by_copy(condition))
    con.execute("INSERT INTO t VALUES (5000, 120, 1, '2022-03-01', '2022-03-01', 'zz', 9)")
    for _ in range(3):
        assert _asked(con, _by_copy(condition)) is Appended.ASKED


def test_a_condition_beside_another_that_rules_nothing_out(con: Any) -> None:
    for text in (_by_copy("w = 'a1' AND s < 7"), _by_copy("s < 7 AND s > -200 AND id <> 3")):
        _asked(con, text)
    con.execute(_NEW)
    for text in (_by_copy("w = 'a1' AND s < 9"), _by_copy("s < 9 AND s > -200 AND id <> 4")):
        assert _asked(con, text) is Appended.RULED_OUT


def test_every_write_makes_it_look_again(con: Any) -> None:
    text = _by_copy("s < 39")
    _asked(con, text)
    con.execute(_NEW)
    assert [_asked(con, text) for _ in range(2)] == [Appended.RULED_OUT] * 2
    other = con.cursor()
    other.execute("BEGIN")
    other.execute("INSERT INTO t (id, s) VALUES (6000, 3)")
    assert _asked(con, text) is Appended.RULED_OUT  # nothing of it is committed
    assert (6000, 3, None) in other.execute(text).fetchall()
    other.execute("COMMIT")
    assert [_asked(con, text) for _ in range(2)] == [Appended.ASKED] * 2
    con.refresh()
    assert _asked(con, text) is None
    con.execute("INSERT INTO t (id, s) VALUES (6001, 90)")
    assert _asked(con, text) is Appended.RULED_OUT
    other.execute("INSERT INTO t (id, s) VALUES (6002, 38)")
    assert _asked(con, text) is Appended.ASKED


def test_writes_past_sartor_are_seen(con: Any) -> None:
    text = _by_copy("s < 39")
    _asked(con, text)
    con.execute(_NEW)
    assert _asked(con, text) is Appended.RULED_OUT
    duckdb.DuckDBPyConnection.execute(con.cursor(), "INSERT INTO t (id, s) VALUES (6000, 3)")
    for _ in range(3):
        _asked(con, text)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("(6000, NULL, NULL, NULL, NULL, NULL, NULL)", Appended.RULED_OUT),
        ("(6000, 40, 1, 'infinity', '2020-01-01', 'a', 1)", Appended.ASKED),
        ("(6000, 40, 1, '-infinity', '2020-01-01', 'a', 1)", Appended.ASKED),
        ("(6000, 40, 1, '20020-01-01', '2020-01-01', 'a', 1)", Appended.ASKED),
        ("(6000, 40, 1, '0044-03-15 (BC)', '2020-01-01', 'a', 1)", Appended.ASKED),
    ],
)
def test_days_that_python_does_not_know(con: Any, rows: str, expected: Appended) -> None:
    _asked(con, _by_copy("d < DATE '2020-02-01'"))
    con.execute(f"INSERT INTO t VALUES {rows}")
    for day in ("2020-02-02", "1992-01-01"):
        assert _asked(con, _by_copy(f"d < DATE '{day}'")) is expected


def test_an_append_of_no_rows_and_a_rollback(con: Any) -> None:
    text = _by_copy("s < 39")
    _asked(con, text)
    con.execute("INSERT INTO t SELECT * FROM t WHERE id < 0")
    assert _asked(con, text) is Appended.RULED_OUT
    con.execute("BEGIN")
    con.execute("INSERT INTO t (id, s) VALUES (6000, 3)")
    assert (6000, 3, None) in con.execute(text).fetchall()
    con.execute("ROLLBACK")
    assert _asked(con, text) is Appended.RULED_OUT


def test_rows_that_have_moved(con: Any) -> None:
    """What a copy covers of a table that lost rows is told by row ids only while no checkpoint may have moved them."""
    text = _by_copy("s < 39")
    _asked(con, text)
    con.execute("DELETE FROM t WHERE id % 3 = 0")
    con.refresh()
    con.execute(_NEW)
    for _ in range(2):
        _asked(con, text)
    con.execute("CHECKPOINT")
    con.execute("INSERT INTO t (id, s) VALUES (6000, 3)")
    for _ in range(2):
        assert _asked(con, text) is not Appended.RULED_OUT


_GROUPS = "SELECT n.name, t.s, count(*) AS c, sum(t.n) AS total FROM t {} JOIN names n ON t.s = n.s {} GROUP BY n.name, t.s"


def test_all_tables_that_moved_have_to_be_ruled_out(con: Any) -> None:
    install(
        con, "SELECT n.name, t.s, n.s, count(*) AS c, sum(t.n) AS total FROM t JOIN names n ON t.s = n.s GROUP BY n.name, t.s, n.s"
    )
    ask = [_GROUPS.format("", f"WHERE t.s < {bound} AND n.s > -{bound}") for bound in (5, 20)]
    for text in ask:
        _asked(con, text)
    con.execute(_NEW)
    assert [_asked(con, text) for text in ask] == [Appended.RULED_OUT] * 2
    con.execute("INSERT INTO names VALUES (0, 'one more')")
    assert Appended.RULED_OUT not in [_asked(con, text) for text in ask]
    con.refresh()
    con.execute("INSERT INTO names VALUES (-99, 'another')")
    con.execute(_NEW)
    assert [_asked(con, text) for text in ask] == [Appended.RULED_OUT] * 2


def test_rows_on_the_left_of_a_left_join(con: Any) -> None:
    install(con, _GROUPS.format("LEFT", ""))
    ask = [_GROUPS.format("LEFT", f"WHERE t.s {bound}") for bound in ("< 5", "< 7", "> 40")]
    for text in ask:
        _asked(con, text)
    con.execute(_NEW)
    con.execute("INSERT INTO t (id, s) VALUES (7000, 1000)")
    assert [_asked(con, text) for text in ask][:2] == [Appended.RULED_OUT] * 2
    assert _asked(con, ask[2]) is not Appended.RULED_OUT
    con.execute("INSERT INTO names VALUES (1000, 'late')")  # it is joined with what stood alone
    for text in ask:
        _asked(con, text)


def test_the_other_place_of_a_table_that_is_read_twice(con: Any) -> None:
    text = "SELECT a.id, b.id FROM t a JOIN t b ON a.id = b.s WHERE a.s < {}"
    _asked(con, text.format(3))
    con.execute("INSERT INTO t (id, s) VALUES (40, 40), (44, 44)")
    for bound in (4, 5):
        _asked(con, text.format(bound))


def test_rows_that_another_object_covers_count_for_one_that_does_not(con: Any) -> None:
    view = "SELECT s, count(*) AS c FROM t{} GROUP BY s"
    con.execute("INSERT INTO t (id, s) VALUES (5000, -140)")  # the copy does not cover it, the view does
    install(con, view.format(""))
    con.execute("INSERT INTO t (id, s) VALUES (5001, 140)")
    for bound in (-42, -43):
        _asked(con, _by_copy(f"s < {bound}"))
    con.execute("INSERT INTO t (id, s) VALUES (5002, 140)")
    _asked(con, view.format(" WHERE s < -40"))
    assert _asked(con, view.format(" WHERE s < -41")) is Appended.RULED_OUT
    held, done = Event(), Event()

    def hold() -> None:  # as a refresh does, or another statement that looks
        with database_of(con).engine_lock:
            held.set()
            done.wait()

    thread = Thread(target=hold)
    thread.start()
    held.wait()
    try:
        assert _asked(con, _by_copy("s < -50")) is Appended.ASKED
    finally:
        done.set()
        thread.join()
    assert _asked(con, _by_copy("s < -50")) is Appended.ASKED
    assert _asked(con, _by_copy("s < -140")) is Appended.RULED_OUT


def test_bounds_read_meanwhile_for_an_object_that_covers_more(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _asked(con, _by_copy("s > 39"))
    con.execute(_NEW)
    read = extents.Extents._read

    def overtaken(self: Any, table: Any, rows: Any, *arguments: Any) -> None:
        read(self, table, rows, *arguments)
        rows.read = 10**9, rows.read[1] | {"s": Extent(-1000, -1000)}

    monkeypatch.setattr(extents.Extents, "_read", overtaken)
    assert _asked(con, _by_copy("s > 42")) is Appended.ASKED


def test_a_column_that_was_compared_and_is_gone(con: Any) -> None:
    database_of(con).install(sorted_copy(TableName("memory", "main", "t"), ("id", "s"), ("s",), frozenset()))
    ask = "SELECT id, s FROM t WHERE s < {}"
    _asked(con, _by_copy("n < 5"))
    con.execute("INSERT INTO t (id, s, n) VALUES (5000, 140, 3)")
    _asked(con, _by_copy("n < 5"))
    con.execute("ALTER TABLE t DROP COLUMN n")
    con.refresh()
    for bound in (30, 31):
        _asked(con, ask.format(bound))
    con.execute("INSERT INTO t (id, s) VALUES (5001, 140)")
    assert _asked(con, ask.format(32)) is Appended.RULED_OUT
    assert not [one for one in database_of(con).ledger.decisions() if "could not be looked at" in one.summary]


def test_what_was_purged_is_let_go_of(con: Any) -> None:
    _asked(con, _by_copy("s < 39"))
    con.execute(_NEW)
    assert _asked(con, _by_copy("s < 39")) is Appended.RULED_OUT
    tables = database_of(con).extents._tables
    assert [table.rows.read is not None for table in tables.values()] == [True]
    con.purge()
    assert not database_of(con).extents._tables


@pytest.mark.parametrize(("condition", "few"), [("s < 39", False), ("s < 90", True)])
def test_they_are_read_less_where_that_rules_nothing_out(con: Any, condition: str, few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Habit, "pays", lambda self, times, saved_seconds: times > 1)  # as if each reading took as long as asking once
    read = extents.Extents._read
    reads = []
    monkeypatch.setattr(extents.Extents, "_read", lambda *arguments: (reads.append(1), read(*arguments)))
    _asked(con, _by_copy(condition))
    for number in range(40):
        con.execute(f"INSERT INTO t (id, s) VALUES ({6000 + number}, 40)")
        for _ in range(5):
            con.execute(_by_copy(condition)).fetchall()
    assert (len(reads) < 10) == few, len(reads)
