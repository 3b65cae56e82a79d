"""Which statements are run with remembered row ids, that they read fewer row groups then, and that the answer is plain DuckDB's."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sartor
from sartor.interfaces.connection import session_of
from tests.predicate_cache.support import ask, cache, entries, opened, plain, ranged
from tests.profiles import row_groups

pytestmark = pytest.mark.usefixtures("remembered")
SERVED: list[tuple[str, Any]] = [
    ("SELECT count(*), sum(m) FROM facts WHERE s LIKE '%x7y%'", None),
    ("SELECT id, s FROM facts WHERE contains(s, 'x7y') AND r < 300", None),
    ("SELECT * FROM facts AS t WHERE length(s) = 3 LIMIT 7", None),
    ("SELECT id FROM facts f WHERE f.r + f.batch < 7", None),
    ("SELECT batch, count(*) FROM facts WHERE year(d) = 2024 AND r = 5 GROUP BY batch ORDER BY batch", None),
    ("SELECT count(*) FROM facts WHERE batch = ?", [7]),
    ("SELECT count(*) FROM facts WHERE batch = ?", [2**70]),
    ("SELECT max(id) FROM facts WHERE s = $1 AND batch < $2", ["x7y", 9]),
    ("SELECT max(id) FROM facts WHERE s = $name", {"name": "x7y"}),
    ("SELECT count(*) FROM facts WHERE d > ?", [datetime.date(2024, 3, 1)]),
    ("SELECT sum(f.m), count(*) FROM facts f JOIN dims d ON d.batch = f.batch WHERE d.g = 3", None),
    ("SELECT count(*) FROM facts f, dims d WHERE f.batch = d.batch AND d.name = 'n9'", None),
    ("SELECT count(*) FROM facts JOIN dims USING (batch) JOIN regions USING (region) WHERE g = 3 AND label = 'r1'", None),
    ("SELECT count(*), count(name) FROM facts f LEFT JOIN dims d ON d.batch = f.batch AND d.g = 3 WHERE f.s LIKE '%7y'", None),
    ("SELECT count(*) FROM facts WHERE batch IN (SELECT batch FROM dims WHERE g = 3)", None),
    ("SELECT count(*) FROM facts f WHERE EXISTS (SELECT 1 FROM dims d WHERE d.batch = f.batch AND d.g = 2)", None),
    ("WITH u AS (SELECT id, r FROM facts WHERE s LIKE '%x3%') SELECT count(*), max(r) FROM u", None),
    ("SELECT max(n) FROM (SELECT r, count(*) AS n FROM facts WHERE s LIKE '%x3%' GROUP BY r) q", None),
    ("SELECT count(*) FROM facts WHERE batch = 3 UNION ALL SELECT count(*) FROM facts WHERE batch = 4", None),
    ("SELECT count(*) FROM facts WHERE s = 'no such'", None),
    ("SELECT DISTINCT batch FROM facts WHERE r < 3 ORDER BY batch", None),
    ("SELECT count(*) FROM facts -- remark\n WHERE -- another\n batch = 3 -- the last", None),
    ('SELECT count(*) FROM main.facts AS "Odd ""one" WHERE "Odd ""one".batch = 3', None),
]

PLAIN: list[tuple[str, Any]] = [
    ("SELECT count(*) FROM facts", None),
    ("SELECT count(*) FROM facts WHERE batch = 3 AND random() < 2", None),
    ("SELECT count(*) FROM facts WHERE d < current_date", None),
    ("SELECT count(*) FROM facts WHERE rowid < 5", None),
    ("SELECT count(*) FROM seen WHERE batch = 3", None),
    ("SELECT count(*) FROM facts f RIGHT JOIN dims d ON d.batch = f.batch AND f.r = 3", None),
    ("SELECT count(*) FROM dims d LEFT JOIN facts f ON d.batch = f.batch AND f.r = 3 WHERE f.id IS NULL AND d.g = 90", None),
    ("SELECT count(*) FROM facts f FULL JOIN dims d ON d.batch = f.batch WHERE f.r = 3", None),
    ("SELECT count(*) FROM facts a JOIN facts b ON a.id = b.id + 1 WHERE a.batch = 3", None),
    ("SELECT count(*) FROM facts WHERE batch = 3 AND id > (SELECT avg(id) FROM facts)", None),
    ("SELECT batch * 2 AS z, id FROM facts WHERE z = 6", None),
    ("SELECT count(*) FROM facts WHERE batch = ?", [3.0]),
    ("SELECT id FROM facts WHERE batch = 3 ORDER BY r LIMIT 3", None),
    ("SELECT id FROM facts WHERE batch = 3 ORDER BY r", None),
    ("SELECT 1", None),
]


@pytest.mark.parametrize(("text", "parameters"), SERVED)
def test_served(text: str, parameters: Any) -> None:
    with opened() as connection:
        ask(connection, text, parameters)
        assert ranged(connection, text, parameters)


@pytest.mark.parametrize(("text", "parameters"), PLAIN)
def test_not_served(text: str, parameters: Any) -> None:
    with opened() as connection:
        ask(connection, text, parameters)
        if "LEFT JOIN facts" in text:  # rows of the table on the left may be left out, those of the other one may not
            assert {entry.derived.action.source.name for entry in entries(connection)} <= {"dims"}
        else:
            assert not ranged(connection, text, parameters)
            assert not entries(connection)
        assert not cache(connection).off


def test_a_common_table_expression_of_a_tables_name_is_not_that_table() -> None:
    with opened() as connection:
        ask(connection, "SELECT count(*) FROM dims WHERE g = 3")
        text = "WITH dims AS (SELECT 3 AS g) SELECT count(*) FROM dims WHERE g = 3"
        assert ask(connection, text) == [(1,)]
        ask(connection, "WITH dims AS (SELECT 3 AS batch) SELECT count(*) FROM facts WHERE batch IN (SELECT batch FROM dims)")


def test_the_second_time_fewer_row_groups_are_read() -> None:
    with sartor.connect(config={"threads": 1}, predicate_cache=True) as connection:
        connection.execute("CREATE TABLE wide AS SELECT i AS id, 'x' || (i // 50000) || 'y' AS s FROM range(1500000) r(i)")
        text = "SELECT count(*) FROM wide WHERE contains(s, 'x9y')"
        assert row_groups(connection, text) > 10
        ask(connection, text, times=1)
        assert row_groups(connection, text) <= 3  # those of the rows, and the last one, behind which rows may come
        assert ask(connection, text) == [(50_000,)]


def test_what_one_statement_told_serves_all_with_the_same_from_and_where() -> None:
    with opened() as connection:
        ask(connection, "SELECT count(*) FROM facts WHERE s LIKE '%x7y%'")
        ask(connection, "SELECT sum(r) FROM facts WHERE s LIKE '%x8y%'", times=2)
        assert len(entries(connection)) == 2
        assert ranged(connection, "SELECT sum(r) FROM facts WHERE s LIKE '%x7y%'")


def test_the_first_literals_are_remembered_at_once_and_others_when_they_come_again() -> None:
    with opened() as connection:
        text = "SELECT count(*) FROM facts WHERE s LIKE '%x{}y%'"
        for number in range(5):
            ask(connection, text.format(number), times=1)
        assert len(entries(connection)) == 1
        ask(connection, text.format(4), times=1)
        assert ranged(connection, text.format(4))
        assert not ranged(connection, text.format(3))
        assert ranged(connection, text.format(0))


def test_values_of_other_types_are_other_values() -> None:
    with opened() as connection:
        connection.execute("CREATE TABLE codes AS SELECT '0' || (i % 3) AS code FROM range(9) r(i)")
        text = "SELECT count(*) FROM codes WHERE code = ?"
        assert ask(connection, text, [1]) == [(3,)]
        assert ask(connection, text, ["1"]) == [(0,)]
        assert ask(connection, text, ["01"]) == [(3,)]
        assert ask(connection, text, [1]) == [(3,)]


def test_relations_are_served() -> None:
    with opened() as connection:
        for _ in range(3):
            found = (
                connection.sql("SELECT * FROM facts WHERE s LIKE '%x7y%'").filter("r < 100").aggregate("count(*), sum(m)").fetchall()
            )
            cache(connection).wait()
        session = session_of(connection)
        assert session.pending is not None
        assert session.pending.ranged is not None
        assert found == plain(connection, "SELECT count(*), sum(m) FROM facts WHERE s LIKE '%x7y%' AND r < 100")


def test_every_way_to_fetch() -> None:
    text = "SELECT id, s, d, m, f FROM facts WHERE batch = 7"
    with opened() as connection:
        ask(connection, text)
        expected = plain(connection, text)
        assert connection.execute(text).fetchone() == expected[0]
        assert connection.execute(text).fetchmany(5) == expected[:5]
        assert list(connection.execute(text).df()["id"]) == [row[0] for row in expected]
        assert connection.sql(text).arrow().read_all().num_rows == len(expected)
        assert [column[0] for column in connection.execute(text).description] == ["id", "s", "d", "m", "f"]
        assert ranged(connection, text)


def test_explain_shows_what_is_run() -> None:
    text = "SELECT count(*) FROM facts WHERE batch = 7"
    with opened() as connection:
        ask(connection, text)
        assert "rowid" in connection.execute(f"EXPLAIN {text}").fetchall()[0][1]


def test_the_users_error_stays_the_engines() -> None:
    with opened() as connection:
        for text in ("SELECT no_such FROM facts WHERE batch = 7", "SELECT count(*) FROM facts WHERE CAST(s AS INTEGER) = 7"):
            for _ in range(3):
                with pytest.raises(duckdb.Error) as ours:
                    connection.execute(text).fetchall()
                with pytest.raises(duckdb.Error) as theirs:
                    plain(connection, text)
                assert (type(ours.value), str(ours.value)) == (type(theirs.value), str(theirs.value))
                cache(connection).wait()
        assert not entries(connection)


def test_a_file_is_served_after_it_was_closed_and_read_only(tmp_path: Path) -> None:
    path, text = tmp_path / "a.duckdb", "SELECT count(*), min(id) FROM facts WHERE s LIKE '%x7y%'"
    with opened(path) as connection:
        ask(connection, text)
        assert ranged(connection, text)
    before = path.read_bytes()
    with sartor.connect(path, read_only=True, predicate_cache=True) as connection:
        ask(connection, text)
        assert ranged(connection, text)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", ["off", "report"])
def test_no_other_mode_remembers(mode: str) -> None:
    text = "SELECT count(*) FROM facts WHERE s LIKE '%x7y%'"
    with opened(mode=mode) as connection:
        for _ in range(3):
            connection.execute(text).fetchall()
            cache(connection).wait()
        assert not entries(connection)
