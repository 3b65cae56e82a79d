"""Copies ordered by what tables joined to theirs say: fewer row groups are read, and never after one of those tables has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import sartor
from sartor.components.layouts import truth_bits
from sartor.components.layouts.conditions import conditions, others
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.interfaces.connection import Connection, session_of
from sartor.sql.analyse import analyse
from tests.layouts.support import install, opened, plain, proposed, served
from tests.profiles import row_groups

_MORE = """
CREATE TABLE shops AS SELECT i AS shop, CASE WHEN i % 9 = 0 THEN NULL ELSE 'city ' || (i % 12) END AS city, i % 5 AS town
    FROM range(100) r(i);
CREATE TABLE towns AS SELECT i AS town, 'land ' || (i % 2) AS land FROM range(5) r(i);
CREATE TABLE sales AS SELECT i AS id, CASE WHEN hash(i) % 40 = 0 THEN NULL ELSE (hash(i + 1) % 120)::INTEGER END AS shop,
    (hash(i + 2) % 100)::INTEGER AS other, (hash(i + 3) % 1000)::INTEGER AS v, 'note ' || (i % 50) AS note FROM range(400000) r(i);
INSERT INTO shops VALUES (NULL, 'city 3', 1), (7, 'city 3', 2), (7, 'city 3', 1), (3, NULL, NULL);
"""
_JOIN = "FROM sales f JOIN shops d ON f.shop = d.shop"
_CITY = f"SELECT count(*), sum(f.v), min(f.id) {_JOIN} WHERE d.city = 'city 3'"
_LIKE = f"SELECT count(*), sum(f.v), min(f.id) {_JOIN} WHERE d.city LIKE 'city 1_'"
_FAR = "SELECT count(*), sum(v) FROM sales f JOIN shops s ON f.shop = s.shop JOIN towns t ON t.town = s.town WHERE t.land = 'land 1'"
_INSTALLED = (_CITY, _LIKE, _FAR)
SERVED = [
    *_INSTALLED,
    "SELECT count(*), sum(v) FROM sales, shops WHERE sales.shop = shops.shop AND city = 'city 3'",
    "SELECT count(*), sum(v) FROM shops JOIN sales USING (shop) WHERE city = 'city 3' AND v < 500",
    "SELECT count(*) FROM shops d CROSS JOIN sales f WHERE d.shop = f.shop AND d.city = 'city 3' AND d.town > 0",
    f"SELECT DISTINCT f.id, d.town {_JOIN} WHERE d.city = 'city 3' AND f.v < 30 ORDER BY f.id, d.town",
    f"SELECT d.town, count(*) {_JOIN} WHERE d.city = 'city 3' GROUP BY d.town ORDER BY d.town",
    "SELECT count(*) FROM sales f JOIN shops a ON f.shop = a.shop JOIN shops b ON f.other = b.shop "
    "WHERE a.city = 'city 3' AND b.city = 'city 5'",
    f"SELECT count(*) FROM towns WHERE town IN (SELECT d.town {_JOIN} WHERE d.city = 'city 3' AND f.v = 7)",
    f"WITH u AS (SELECT f.v {_JOIN} WHERE d.city = 'city 3') SELECT count(*), sum(v) FROM u WHERE v < 100",
    f"SELECT count(*) {_JOIN} WHERE d.city = 'city 3' AND f.v > ? ",
]
PLAIN = [
    _CITY.replace("city 3", "city 4"),  # other literals
    "SELECT count(*) FROM sales f JOIN shops d ON f.other = d.shop WHERE d.city = 'city 3'",  # another key
    "SELECT count(*) FROM sales f JOIN shops d ON f.shop = d.town WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f JOIN shops d ON f.shop = d.shop + 1 WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f JOIN shops d ON f.shop <= d.shop WHERE d.city = 'city 3' AND f.v = 3",
    "SELECT count(*) FROM sales f JOIN shops d ON f.shop = d.shop OR f.v = 3 WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f LEFT JOIN shops d ON f.shop = d.shop WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f LEFT JOIN shops d ON f.shop = d.shop AND d.city = 'city 3'",
    "SELECT count(*) FROM shops d LEFT JOIN sales f ON f.shop = d.shop WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f FULL JOIN shops d ON f.shop = d.shop WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f JOIN shops d ON f.shop = d.shop RIGHT JOIN towns t ON t.town = d.town WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f WHERE EXISTS (SELECT 1 FROM shops d WHERE d.shop = f.shop AND d.city = 'city 3')",
    "SELECT count(*) FROM sales f WHERE f.shop NOT IN (SELECT d.shop FROM shops d WHERE d.city = 'city 3')",
    f"SELECT count(*) {_JOIN} WHERE d.city = 'city 3' OR f.v = 3",
    f"SELECT count(*) {_JOIN} WHERE NOT (d.city = 'city 3')",
    f"SELECT count(*) FILTER (WHERE d.city = 'city 3') {_JOIN}",
    f"SELECT count(*) {_JOIN} AND d.city = 'city 3'",
    "SELECT count(*) FROM sales f JOIN (SELECT * FROM shops) d ON f.shop = d.shop WHERE d.city = 'city 3'",
    "SELECT count(*) FROM sales f JOIN shops d USING (shop) JOIN sales g USING (shop) WHERE d.city = 'city 3' AND g.v = 3 AND f.v = 3",
    "WITH shops AS (SELECT 1 AS shop, 'city 3' AS city) SELECT count(*) FROM sales f JOIN shops d ON f.shop = d.shop "
    "WHERE d.city = 'city 3'",
]


def _joined(connection: Connection, *texts: str, table: str = "sales") -> DerivedObject:
    """A layout of a whole table by the conditions that statements imply for it."""
    database = session_of(connection).database
    with database.engine_lock:
        catalog = database.catalog()
        info = catalog.resolve((table,))
        found = []
        for text in texts:
            analysis = analyse(text, catalog)
            (place,) = [number for number, one in enumerate(analysis.references) if one.source.name == table]
            found += conditions(analysis, place)
    assert info is not None
    assert isinstance(info.source, TableName)
    bits = tuple(dict.fromkeys(one.example for one in found))
    return database.install(truth_bits.truth_bits(info.source, info.columns, bits, (), frozenset(), others(found, catalog)))


def _opened(path: Path | str = ":memory:") -> Connection:
    connection = opened(path)
    connection.execute(_MORE)
    return connection


@pytest.fixture(params=["file", "memory"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    with _opened(tmp_path / "t.duckdb" if request.param == "file" else ":memory:") as found:
        _joined(found, *_INSTALLED)
        yield found


def _all(connection: Connection) -> list[bool]:
    return [served(connection, text) for text in _INSTALLED]


def test_answers_are_plain_duckdbs() -> None:
    with _opened() as connection:
        layout = _joined(connection, *_INSTALLED)
        assert [source.name for source in layout.action.sources] == ["sales", "shops", "towns"]
        assert layout.action.strict == {1, 2}
        for text in SERVED:
            assert served(connection, text, [50] if "?" in text else None), text
        for text in PLAIN:
            assert not served(connection, text), text


def test_fewer_row_groups_are_read_than_any_order_of_its_own_columns_lets() -> None:
    with _opened() as connection:
        before = [row_groups(connection, text) for text in (_CITY, _LIKE)]
        _joined(connection, _CITY, _LIKE)
        assert all(served(connection, text) for text in (_CITY, _LIKE))
        assert before == [4 + 1, 4 + 1]
        assert [row_groups(connection, text) for text in (_CITY, _LIKE)] == [1 + 1, 2 + 1]


def test_two_ways_to_one_table_are_two_conditions() -> None:
    text = (
        "SELECT count(*) FROM sales f JOIN shops a ON f.shop = a.shop JOIN shops b ON f.other = b.shop "
        "WHERE a.city = 'city 3' AND b.city = 'city 5'"
    )
    with _opened() as connection:
        layout = _joined(connection, text)
        assert len(layout.action.get("bits")) == 2
        assert served(connection, text)
        assert connection.explain_rewrite(text).text.count("sartor_key_") == 2
        assert row_groups(connection, text) == 1 + 2


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO shops VALUES (110, 'city 3', 1)",  # rows without a partner get one
        "INSERT INTO shops VALUES (5000, 'city 4', 1)",
        "UPDATE shops SET city = 'city 3' WHERE shop = 4",
        "UPDATE shops SET town = 2",
        "DELETE FROM shops WHERE city IS NULL",
        "TRUNCATE shops",
        "INSERT INTO towns VALUES (5, 'land 1')",
        "MERGE INTO towns t USING (SELECT 1 AS town) s ON t.town = s.town WHEN MATCHED THEN UPDATE SET land = 'land 1'",
        "CREATE OR REPLACE TABLE towns AS SELECT town, 'land 1' AS land FROM towns",
        "BEGIN; UPDATE shops SET city = 'city 3'; COMMIT",
    ],
)
def test_a_change_of_a_table_that_is_looked_into_ends_it_at_once(connection: Connection, change: str) -> None:
    assert all(_all(connection))
    connection.execute(change)
    assert not any(_all(connection))
    connection.refresh()
    assert all(_all(connection))


def test_a_transaction_that_changes_such_a_table_reads_it_plain(connection: Connection) -> None:
    assert all(_all(connection))
    other = connection.cursor()
    connection.execute("BEGIN")
    connection.execute("UPDATE shops SET city = 'city 3' WHERE shop = 4")
    assert not any(_all(connection))
    for text in _INSTALLED:
        served(other, text)
    connection.execute("ROLLBACK")
    _all(connection)
    other.execute("BEGIN")
    _all(other)
    connection.execute("INSERT INTO shops VALUES (111, 'city 3', 0)")
    for text in _INSTALLED:
        served(other, text)
    other.execute("COMMIT")
    other.close()


def test_rows_appended_to_its_own_table_are_read_and_given_bits(connection: Connection) -> None:
    connection.execute("INSERT INTO sales VALUES (-1, 3, 3, 0, 'a'), (-2, NULL, 3, 0, 'a'), (-3, 4, 3, 0, 'a')")
    assert all(_all(connection))
    (layout,) = session_of(connection).database.design.objects.values()
    connection.refresh()
    assert all(_all(connection))
    assert connection.execute(_CITY).fetchall()[0][2] == -1
    (fresh,) = session_of(connection).database.design.objects.values()
    assert (fresh.generation, fresh.coverage.unsorted) == (layout.generation, 3)
    connection.execute("UPDATE sales SET shop = 3 WHERE id < 1000; DELETE FROM sales WHERE id BETWEEN 5 AND 900")
    assert not any(_all(connection))
    connection.refresh()
    assert all(_all(connection))


def test_a_scattered_delete_and_a_checkpoint(connection: Connection) -> None:
    install(connection, "note LIKE '%7'", table="sales")  # tells what has changed
    connection.execute("DELETE FROM sales WHERE id % 10 <> 0")
    connection.refresh()
    connection.execute("CHECKPOINT")
    connection.execute("INSERT INTO sales SELECT -id, 3, 3, 3, note FROM sales LIMIT 9")
    _all(connection)
    connection.refresh()
    assert all(_all(connection))
    connection.execute("UPDATE sales SET shop = 3 WHERE id % 100 = 0; CHECKPOINT")
    connection.refresh()
    assert all(_all(connection))


def test_a_shadow_and_other_columns(connection: Connection) -> None:
    assert all(_all(connection))
    connection.execute("CREATE TEMP TABLE shops AS SELECT 3 AS shop, 'city 3' AS city, 1 AS town")
    assert not any(_all(connection))
    connection.execute("DROP TABLE temp.shops")
    connection.execute("ALTER TABLE shops ALTER city TYPE BLOB USING encode(city)")
    connection.refresh()
    assert not session_of(connection).database.design.objects


@pytest.mark.parametrize("change", ["", "INSERT INTO shops VALUES (112, 'city 3', 1)", "UPDATE sales SET shop = 3 WHERE id = 0"])
def test_reopened(tmp_path: Path, change: str) -> None:
    path = tmp_path / "t.duckdb"
    with _opened(path) as connection:
        _joined(connection, *_INSTALLED)
    with sartor.connect(path, config={"threads": 1}) as connection:
        assert all(_all(connection))
    with duckdb.connect(path) as other:
        other.execute(change or "CREATE TABLE unrelated AS SELECT 1 AS x")
    moved = path.with_name("main.duckdb")  # a database of the name of its schema
    path.rename(moved)
    with sartor.connect(moved, config={"threads": 1}) as connection:
        assert not any(_all(connection))
        connection.refresh()
        assert all(_all(connection))


def test_keys_that_are_compared_by_a_cast_or_a_collation_are_none() -> None:
    with _opened() as connection:
        connection.execute("CREATE TABLE named AS SELECT shop::VARCHAR AS shop, city FROM shops")
        connection.execute(
            "CREATE TABLE collated (name VARCHAR COLLATE NOCASE, city VARCHAR); CREATE TABLE names AS SELECT 'a' AS name"
        )
        database = session_of(connection).database
        for text in (
            "SELECT count(*) FROM sales f JOIN named d ON f.shop = d.shop WHERE d.city = 'city 3'",
            "SELECT count(*) FROM names f JOIN collated d ON f.name = d.name WHERE d.city = 'city 3'",
        ):
            with database.engine_lock:
                analysis = analyse(text, database.catalog())
            assert conditions(analysis, 0) == []


def test_conditions_of_joined_tables_are_proposed_for_the_table_with_more_rows() -> None:
    with _opened() as connection:
        for text in _INSTALLED * 3:
            connection.execute(text).fetchall()
        found, _ = proposed(connection, lambda action: action.get("kind") == truth_bits.KIND)
        assert {action.source.name for action in found} == {"sales", "shops"}
        assert {source.name for action in found for source in action.others} == {"shops", "towns"}


def test_a_round_builds_them() -> None:
    with _opened() as connection:
        connection.execute("INSERT INTO sales SELECT id + 400000, shop, other, v, note FROM sales; INSERT INTO sales FROM sales")
        texts = [f"SELECT bit_xor(f.v), min(f.note) {_JOIN} WHERE d.city = '{city}'" for city in ("city 3", "city 4")]
        for text in texts * 40:
            connection.execute(text).fetchall()
        before = [row_groups(connection, text) for text in texts]
        session_of(connection).database.silent = frozenset({"sort_keys"})  # a sorted copy of the shops may be enough
        report = connection.tune(seconds=120)
        assert any("IN (SELECT" in line for line in report.built), report.refused
        for text in texts:
            assert served(connection, text)
        assert sum(row_groups(connection, text) for text in texts) * 2 < sum(before)
        assert plain(connection, texts[0])[1]
