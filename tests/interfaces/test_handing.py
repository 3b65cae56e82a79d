"""Literals that were not seen before are handed over beside a text that is parsed once: answers, types and errors stay plain's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import numpy
import pytest

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import TableName
from sartor.interfaces import known
from sartor.interfaces.connection import session_of
from sartor.interfaces.handing import Handed
from sartor.sql.operands import values
from tests.freshness.support import database_of
from tests.profiles import row_groups
from tests.views.support import install

_TABLE = """
CREATE TABLE t AS SELECT i AS id, (i % 300 - 150)::SMALLINT AS s, (i % 40)::UTINYINT AS u, (i % 90)::BIGINT AS b,
    CASE WHEN i % 50 = 0 THEN NULL WHEN i % 51 = 0 THEN DATE 'infinity' ELSE DATE '2020-01-01' + (i % 400)::INTEGER END AS d,
    TIMESTAMP '2020-01-01' + INTERVAL 1 HOUR * (i % 500) AS m, ((i % 200) / 8)::DECIMAL(9,3) AS n, (i % 7)::DECIMAL(38,1) AS wide,
    (i % 30 / 4)::FLOAT AS f, (i % 30 / 4)::DOUBLE AS g, CASE WHEN i % 20 = 0 THEN NULL ELSE 'it''s ' || (i % 25) END AS v,
    'a' || (i % 6) AS w, i % 3 = 0 AS o, (i % 12)::HUGEINT AS h
    FROM range(4000) r(i)
"""
_HANDED = [
    ("s = {}", ("3", "-7", "150", "40000", "0")),
    ("{} < s", ("3", "-7", "100")),
    ("s BETWEEN {} AND 20", ("-7", "19", "21")),
    ("s IN {}", ("(1, 2)", "(5)", "(3, 4)", "(6)", "( 7 , -9 )", "( 7 , -10 )", "(-149)", "(-148)")),
    ("u >= {}", ("3", "300", "-1", "2.5")),
    ("b <> 5 AND b <= {}", ("3", "70", "999999999")),
    ("d >= DATE '{}'", ("2020-03-01", "1992-02-29", "9999-12-31")),
    ("d < '{}'", ("2020-03-01", "2021-01-31")),
    ("d BETWEEN DATE '{}' AND DATE '2020-12-31'", ("2020-03-01", "2020-12-31", "2021-01-01")),
    ("d IN ('{}', '2020-05-05')", ("2020-03-01", "2020-05-05")),
    ("m >= TIMESTAMP '{}'", ("2020-01-05 03:00:00", "2020-01-09")),
    ("m < '{}'", ("2020-01-05 03:00:00", "2020-01-09")),
    ("m >= DATE '{}'", ("2020-01-05", "2020-01-09")),
    ("n > {}", ("3", "3.125", "0.5", "-0.001")),
    ("w = '{}'", ("a1", "", "nobody", "é", "$sartor_value_0")),
    ("w IN ('{}', 'a3')", ("a1", "a, b", "(")),
    ("v LIKE '{}'", ("%1%", "%", "_t%2", "")),
    ("v NOT LIKE '{}'", ("%1%", "%2%")),
    ("o AND s > {}", ("1", "2")),
    ("(s > {})", ("1", "2")),
]
_KEPT = [
    ("f > {}", ("3", "2.5")),
    ("g > {}", ("3", "2.5")),
    ("wide > {}", ("3", "2.5")),
    ("h > {}", ("3", "5")),
    ("s > {}", ("3000000000", "1e3")),
    ("s + 1 > {}", ("3", "4")),
    ("(s > {} OR u = 1)", ("3", "4")),
    ("NOT s > {}", ("3", "4")),
    ("v = '{}'", ("it''s 3", "it''s 4")),
    ("d > '{}'", ("infinity", "2020-2-3", "  2020-02-03")),
    ("d > DATE '2020-02-03' + {}", ("3", "4")),
    ("v ILIKE '{}'", ("%1%", "IT%2")),
]
_GROUPED = "SELECT w, count(*) AS c, sum(n) AS total, min(s) AS least FROM t WHERE {} GROUP BY w ORDER BY w"
_ROWS = "SELECT * EXCLUDE (f) FROM t WHERE {} ORDER BY id"


@pytest.fixture(autouse=True)
def nothing_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long anything takes does not decide what is tested."""
    monkeypatch.setattr(known, "is_suspect", lambda plain, served: False)


@pytest.fixture(scope="module")
def con() -> Iterator[Any]:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(_TABLE)
        connection.execute("ALTER TABLE t ADD PRIMARY KEY (id)")
        yield connection


def _outcome(connection: Any, text: str, parameters: Any = None) -> Any:
    try:
        connection.execute(text, parameters)
        return [(name, str(kind)) for name, kind, *_ in connection.description], connection.fetchall()
    except duckdb.Error as error:
        return type(error), str(error)


def _asked(con: Any, text: str, parameters: Any = None) -> Any:
    """The call of a statement; its answer is plain's in any case."""
    given = _outcome(con, text, parameters)
    call = session_of(con).pending
    cursor = duckdb.DuckDBPyConnection.cursor(con)
    assert given == _outcome(cursor, text, parameters), text
    return call


def _serve(con: Any, text: str, condition: str, first: str) -> None:
    """Something that answers a template, which is asked twice with its first literal."""
    con.undo()
    if text is _GROUPED:
        columns = "w, s, u, b, d, m, n, wide, v, o, h"
        install(con, f"SELECT {columns}, count(*) AS c, sum(n) AS total, min(s) AS least FROM t GROUP BY {columns}")
    else:
        key = condition.removeprefix("NOT ").strip("(").split()[0]
        columns = tuple(name for name, *_ in con.execute("DESCRIBE t").fetchall())
        source = TableName(database_of(con).engine().database, "main", "t")
        database_of(con).install(sorted_copy(source, columns, (key if key in columns else "s",), frozenset()))
    for _ in range(2):
        _asked(con, text.format(condition.format(first)))


@pytest.mark.parametrize("text", [_GROUPED, _ROWS])
@pytest.mark.parametrize(("condition", "literals"), _HANDED)
def test_values_are_handed_over(con: Any, text: str, condition: str, literals: tuple[str, ...]) -> None:
    _serve(con, text, condition, literals[0])
    served = 0
    for literal in literals[1:]:
        call = _asked(con, text.format(condition.format(literal)))
        if call.instead is not None:
            assert call.handed is not None
            assert call.served
            served += 1
    assert served or text is _ROWS  # where a condition of this shape skips nothing, a copy is not read


@pytest.mark.parametrize("text", [_GROUPED, _ROWS])
@pytest.mark.parametrize(("condition", "literals"), _KEPT)
def test_others_stay_in_the_text(con: Any, text: str, condition: str, literals: tuple[str, ...]) -> None:
    _serve(con, text, condition, literals[0])
    for literal in literals:
        assert _asked(con, text.format(condition.format(literal))).handed is None


@pytest.mark.parametrize("literal", ["DATE '2023-02-30'", "'no day'", "'2020-13-01'"])
def test_what_is_no_value_raises_as_it_did(con: Any, literal: str) -> None:
    _serve(con, _GROUPED, "d >= {}", "'2020-02-02'")
    assert _asked(con, _GROUPED.format(f"d >= '2020-02-{len(literal):02}'")).handed is not None
    assert _outcome(con, _GROUPED.format(f"d >= {literal}"))[0] is duckdb.ConversionException


def test_the_rest_of_a_statement_is_its_own(con: Any) -> None:
    text = "SELECT w, count(*) + {} AS c FROM t WHERE s > {} GROUP BY w HAVING count(*) > {} ORDER BY w"
    _serve(con, _GROUPED, "s > {}", "3")
    for literals in ((1, 3, 5), (1, 4, 5), (2, 5, 5), (2, 6, 70), (1, 7, 70), (3, 8, 5), (1, 9, 5)):
        call = _asked(con, text.format(*literals))
    assert call.handed is not None
    assert list(call.values.values()) == [9]


def test_more_texts_than_are_kept(con: Any) -> None:
    text = "SELECT w, count(*) + {} AS c FROM t WHERE s > {} GROUP BY w ORDER BY w"
    _serve(con, _GROUPED, "s > {}", "3")
    for number in range(45):
        call = _asked(con, text.format(number % 40, number))
    assert call.handed is not None


def test_a_text_that_was_asked_before_is_sent_as_it_is(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    calls = [_asked(con, _GROUPED.format("s > 11")) for _ in range(3)]
    assert [call.handed is not None for call in calls] == [True, False, False]
    assert all(call.served for call in calls)


def test_parameters_of_the_users_own_are_left_alone(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    for text, given in (
        ("s > ? AND u < 7", [[4], [5], [6]]),
        ("s > $sartor_value_0 AND u < 7", [{"sartor_value_0": n} for n in (4, 5, 6)]),
    ):
        for parameters in given:
            call = _asked(con, _GROUPED.format(text), parameters)
            assert call.handed is None
        assert call.served
    for parameters in (numpy.array([4, 5]), (4, 5), [], {}):
        _asked(con, _GROUPED.format("s > ? AND u < ?"), parameters)
    assert _outcome(con, _GROUPED.format("s > $sartor_value_0 AND u < 8"))[0] is duckdb.InvalidInputException


def test_literals_that_the_view_does_not_hold_are_not_answered_by_it(con: Any) -> None:
    con.undo()
    install(con, "SELECT w, d, count(*) AS c FROM t WHERE d >= DATE '2020-06-01' GROUP BY w, d")
    text = "SELECT w, count(*) AS c FROM t WHERE d >= DATE '{}' GROUP BY w ORDER BY w"
    for day in ("2020-07-01", "2020-07-02"):
        _asked(con, text.format(day))
    for day, served in (
        ("2020-07-03", True),
        ("2020-05-31", False),
        ("2020-06-01", True),
        ("2020-01-05", False),
        ("2020-08-01", True),
    ):
        call = _asked(con, text.format(day))
        assert (call.handed is not None, call.instead is not None) == (served, served), day


def test_a_condition_that_always_holds_takes_no_value(con: Any) -> None:
    con.undo()
    install(con, "SELECT w, u, count(*) AS c FROM t WHERE s > 3 GROUP BY w, u")
    text = "SELECT w, count(*) AS c FROM t WHERE s > 3 AND u < {} GROUP BY w ORDER BY w"
    calls = [_asked(con, text.format(number)) for number in (20, 21, 22)]
    assert calls[-1].handed is not None
    assert len(calls[-1].handed.names) == 1
    assert len(calls[-1].values) == 2


def test_rows_appended_since_are_there(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    for number in range(4, 16):
        if number % 3 == 0:
            con.execute(f"INSERT INTO t (id, s, n, w) VALUES ({90000 + number}, {number * 20}, 1, 'a{number % 4}')")
        call = _asked(con, _GROUPED.format(f"s > {number * 9}"))
        assert call.handed is not None
    con.execute("DELETE FROM t WHERE id >= 90000")
    con.refresh()


def test_inside_a_transaction_the_text_is_sent(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    _asked(con, _GROUPED.format("s > 4"))
    con.execute("BEGIN")
    try:
        calls = [session_of(con.execute(_GROUPED.format(f"s > {number}"))).pending for number in (4, 5)]
    finally:
        con.execute("COMMIT")
    assert [call.handed for call in calls] == [None, None]
    assert calls[0].served  # it has run before


def test_ties_are_looked_for_in_a_statements_own_words(con: Any) -> None:
    con.undo()
    install(con, "SELECT u, b, s, count(*) AS c FROM t GROUP BY u, b, s")
    text = "SELECT u, b, count(*) AS c FROM t WHERE s > {} GROUP BY u, b ORDER BY c DESC LIMIT 3"
    assert [_asked(con, text.format(number)).handed for number in (1, 2, 3, 4)] == [None] * 4


def test_keys_that_tell_rows_apart_leave_no_ties(con: Any) -> None:
    con.undo()
    install(con, "SELECT id, w, s, sum(n) AS total FROM t GROUP BY id, w, s")
    text = "SELECT id, w, sum(n) AS total FROM t WHERE s > {} GROUP BY id, w ORDER BY total DESC, id LIMIT 30"
    calls = [_asked(con, text.format(number)) for number in (1, 2, 3, 4)]
    assert calls[-1].handed is not None
    assert calls[-1].served


def test_a_verified_key_tells_rows_apart_while_it_is_one(con: Any) -> None:
    con.undo()
    con.execute("CREATE TABLE p AS SELECT i AS id, 'p' || (i % 900) AS name, (i % 60)::INTEGER AS s, i % 5 AS n FROM range(900) r(i)")
    database = database_of(con)
    assert database.install_key(TableName(database.engine().database, "main", "p"), frozenset(("id",))) is not None
    install(con, "SELECT id, name, s, sum(n) AS total FROM p GROUP BY id, name, s")
    text = "SELECT id, name, sum(n) AS total FROM p WHERE s > {} GROUP BY id, name ORDER BY total DESC, id LIMIT 30"
    calls = [_asked(con, text.format(number)) for number in (1, 2, 3, 4)]
    assert calls[-1].handed is not None
    con.execute("INSERT INTO p VALUES (7, 'another', 50, 4), (8, 'another', 50, 4)")
    assert [_asked(con, text.format(number)).handed for number in (5, 6, 7)] == [None] * 3
    con.execute("DROP TABLE p")


def test_explain_shows_literals(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    plan = con.execute(f"EXPLAIN {_GROUPED.format('s > 77')}").fetchall()[0][1]
    assert "views_" in plan
    assert "77" in plan


def test_a_value_skips_row_groups_as_a_literal_does(con: Any) -> None:
    con.execute("CREATE TABLE large AS SELECT i AS id, (hash(i) % 1000)::BIGINT AS k FROM range(500_000) r(i)")
    con.undo()
    source = TableName(database_of(con).engine().database, "main", "large")
    database_of(con).install(sorted_copy(source, ("id", "k"), ("k",), frozenset()))
    text = "SELECT count(*) AS n, sum(id) AS total FROM large WHERE k = {}"
    call = [_asked(con, text.format(number)) for number in (1, 2, 3)][-1]
    assert call.handed is not None
    assert row_groups(con, call.handed.compiled.text, call.values) == 1
    con.execute("DROP TABLE large")


def test_what_duckdb_refuses_is_run_plain_and_then_with_its_literals(con: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    monkeypatch.setattr(Handed, "takes", lambda self, given: {"nothing": 1})
    calls = [_asked(con, _GROUPED.format(f"s > {number}")) for number in (31, 32)]
    assert [call.served for call in calls] == [False, True]
    assert calls[1].handed is None
    assert "its literals stay in it" in str(con.ledger().fetchall())


def test_purge_lets_go_of_the_texts(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    call = _asked(con, _GROUPED.format("s > 41"))
    assert call.known.template.handing is not None
    con.purge()
    assert call.known.template.handing is None


def test_several_threads_share_a_text(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    expected = {n: duckdb.DuckDBPyConnection.cursor(con).execute(_GROUPED.format(f"s > {n}")).fetchall() for n in range(50, 110)}
    cursors = [con.cursor() for _ in range(4)]

    def ask(which: int) -> bool:
        return all(cursors[which].execute(_GROUPED.format(f"s > {n}")).fetchall() == expected[n] for n in list(expected)[which::4])

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(4)))


def test_relations_and_scripts_send_texts(con: Any) -> None:
    _serve(con, _GROUPED, "s > {}", "3")
    for number, send in ((61, con.sql), (62, con.query)):
        relation = send(_GROUPED.format(f"s > {number}"))
        assert relation.fetchall() == duckdb.DuckDBPyConnection.cursor(con).execute(_GROUPED.format(f"s > {number}")).fetchall()


def test_values_of_odd_words_are_not_told() -> None:
    from sartor.core.block import Operand

    for kind, word in (
        ("number", "1e3"),
        ("number", "1."),
        ("number", ".5"),
        ("number", "1234567890"),
        ("number", "('a')"),
        ("number", "(1, 2"),
        ("number", "(1 /* two */, 2)"),
        ("text", "$$a$$"),
        ("text", "('a' 'b')"),
        ("text", "('it''s')"),
        ("date", "'2020-1-1'"),
        ("date", "'0000-01-01'"),
        ("timestamp", "'2020-01-01 25:00:00'"),
        ("timestamp", "'2020-01-01T00:00:00'"),
        ("timestamp", "'2020-01-01 00:00:00.5'"),
    ):
        assert values(Operand(0, 0, kind), [word]) is None, word
