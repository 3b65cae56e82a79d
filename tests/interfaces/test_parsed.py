"""Statements reach DuckDB as its parser understands them: nothing shows that, and no answer rests on what a text meant before."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import duckdb
import pytest

import sartor
from sartor.interfaces import sending
from sartor.interfaces.connection import session_of

_TABLE = "CREATE TABLE t AS SELECT i % 7 AS g, i AS v, 'n' || i AS name FROM range(50) r(i)"
_TEXTS = {
    "SELECT v / 4 FROM t ORDER BY v LIMIT 5": None,
    "  SELECT current_query() ;  -- told as it was written": None,
    "SELECT count(*) FROM t WHERE g = ? AND v > ?": [3, 10],
    "SELECT count(*) FROM t WHERE g = $g AND v > $v": {"g": 3, "v": 10},
    "SELECT count(*) FROM t WHERE g = ?": [],
    "SELECT 1 AS a; SELECT 2 AS b": None,
    "SELECT 1;": None,
    "": None,
    "-- nothing": None,
    "PIVOT t ON g USING sum(v)": None,
    "FROM t SELECT g ORDER BY ALL LIMIT 3": None,
    "VALUES (1, 2), (3, 4)": None,
    "EXPLAIN SELECT nope FROM t": None,
    "DESCRIBE SELECT v FROM t": None,
    "SELEC 1": None,
    "SELECT 'é', nope FROM t": None,
    "SELECT v FROM t\nWHERE nope = 1": None,
    "SELECT 'x'::INTEGER": None,
    "SELECT name::INTEGER FROM t": None,
    "SELECT error('told')": None,
    "SELECT 9223372036854775807 + v FROM t": None,
    "SELECT * FROM nowhere": None,
}


@pytest.fixture
def both() -> Iterator[tuple[Any, Any]]:
    with sartor.connect(config={"threads": 1}) as con, duckdb.connect(config={"threads": 1}) as plain:
        for connection in (con, plain):
            connection.execute(_TABLE)
        yield con, plain


def _outcome(connection: Any, text: str, parameters: Any) -> Any:
    try:
        connection.execute(text, parameters)
        columns = connection.description
        return columns and [(column[0], str(column[1])) for column in columns], columns and connection.fetchall()
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("text", _TEXTS)
def test_nothing_shows_how_a_text_was_sent(both: tuple[Any, Any], text: str) -> None:
    con, plain = both
    expected = _outcome(plain, text, _TEXTS[text])
    for _ in range(3):
        assert _outcome(con, text, _TEXTS[text]) == expected


def test_what_was_parsed_is_not_parsed_again(both: tuple[Any, Any]) -> None:
    con, _ = both
    text = "SELECT sum(v) FROM t"
    for _ in range(2):
        con.execute(text)
    kept = session_of(con).database.texts[text].parsed
    assert kept is not None
    con.execute(text)
    assert session_of(con).database.texts[text].parsed is kept


@pytest.mark.parametrize(
    "setting", ["SET integer_division = true", "SET preserve_identifier_case = false", "SET default_order = 'desc'"]
)
def test_a_text_means_what_the_settings_say(both: tuple[Any, Any], setting: str) -> None:
    text = "SELECT V / 4 AS Quarter, g FROM t ORDER BY v, g LIMIT 9"
    for statement in (None, setting, setting.partition("=")[0].replace("SET", "RESET")):
        for connection in both:
            if statement is not None:
                connection.execute(statement)
        expected = _outcome(both[1], text, None)
        for _ in range(3):
            assert _outcome(both[0], text, None) == expected


def test_a_setting_of_another_connection_counts(both: tuple[Any, Any]) -> None:
    con, _ = both
    text = "SELECT v / 4 FROM t WHERE v = 7"
    for _ in range(3):
        assert con.execute(text).fetchall() == [(1.75,)]
    con.cursor().execute("SET GLOBAL integer_division = true")
    for _ in range(3):
        assert con.execute(text).fetchall() == [(1,)]


def test_a_table_that_is_another_one_by_now(both: tuple[Any, Any]) -> None:
    con, plain = both
    text = "SELECT * FROM t ORDER BY ALL LIMIT 4"
    for statement in (
        None,
        "CREATE OR REPLACE TABLE t AS SELECT 'x' AS other",
        "DROP TABLE t",
        _TABLE,
        "CREATE TEMP VIEW t AS SELECT 1 AS v",
    ):
        for connection in both:
            with suppress(duckdb.Error):
                connection.execute(statement or "")
        for _ in range(3):
            assert _outcome(con, text, None) == _outcome(plain, text, None)


def test_threads_share_what_was_parsed(both: tuple[Any, Any]) -> None:
    con, _ = both
    texts = ["SELECT g, sum(v) FROM t WHERE v > ? GROUP BY g ORDER BY g", "SELECT count(*) FROM t WHERE v > ?"]
    asked = [(text, bound) for text in texts for bound in range(40)] * 4
    expected = [con.execute(text, [bound]).fetchall() for text, bound in asked]

    def answers(cursor: Any) -> list[Any]:
        return [cursor.execute(text, [bound]).fetchall() for text, bound in asked]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(answers, [con.cursor() for _ in range(4)])) == [expected] * 4


def test_frames_of_the_caller_are_found(both: tuple[Any, Any]) -> None:
    import pyarrow

    con, _ = both
    for value in (1, 2, 3):
        frame = pyarrow.table({"x": [value]})
        assert con.execute("SELECT x FROM frame").fetchall() == [(frame["x"][0].as_py(),)]


def test_a_text_that_can_not_be_parsed_is_sent_as_it_is(both: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    con, _ = both
    sent = []

    class Client(duckdb.DuckDBPyConnection):
        def extract_statements(self, query: str) -> list[Any]:
            sent.append(query)
            raise duckdb.InterruptException("now")

    monkeypatch.setattr(sending, "PLAIN", Client)
    assert con.execute("SELECT 7").fetchall() == [(7,)]
    assert sent == ["SELECT 7"]
