"""Tails of copies: sorted again before they are read in vain, and not so often that rewriting is more than a few times what came."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pytest

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.constants import ROW_GROUP_ROWS, TAIL_SHARE
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.freshness import refresh
from sartor.freshness.refresh import Overtaken
from sartor.freshness.usable import Use
from sartor.interfaces import refreshing
from tests.freshness.support import COUNT, ask, copy_of, database_of, opened, plain, warm
from tests.profiles import row_groups

_BASE, _SHORT = 500_000, 70_000


def _append(connection: Any, rows: int, key: str = "(hash(range) % 1000)::INTEGER") -> None:
    connection.execute(f"INSERT INTO t SELECT range + (SELECT count(*) FROM t), {key} FROM range({rows})")
    connection.refresh()


def _copy(connection: Any) -> DerivedObject:
    (copy,) = database_of(connection).design.objects.values()
    return copy


@pytest.mark.parametrize("where", ["file", "memory"])
def test_many_short_runs_are_sorted_again(where: str, tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb" if where == "file" else ":memory:", _BASE) as con:
        warm(con)
        for _ in range(3):
            _append(con, _SHORT)
        long = _copy(con)
        assert (long.generation, long.coverage.unsorted) == (1, 3 * _SHORT)
        for _ in range(2):
            _append(con, _SHORT)
        fresh = _copy(con)
        assert (fresh.generation, fresh.coverage.rows) == (2, _BASE + 5 * _SHORT)
        assert fresh.coverage.unsorted < 2 * _SHORT
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        assert any("was sorted again" in one.summary for one in database_of(con).ledger.decisions() if one.kind == "refresh")
        named = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sartor' AND table_name LIKE 'sort%'"
        assert con.execute(named).fetchall() == [(fresh.table,)]
        assert con.execute(f"SELECT count(*) FROM sartor.{fresh.table}").fetchall() == [(fresh.coverage.rows,)]
    if where == "file":
        with sartor.connect(tmp_path / "t.duckdb") as con:
            warm(con)
            assert ask(con) == (plain(con), (Use.WHOLE,))


def test_what_is_read_and_what_is_written_are_bounded() -> None:
    build, written, appended = refresh.build, 0, 0

    def counted(*given: Any, **options: Any) -> DerivedObject:
        nonlocal written
        fresh = build(*given, **options)
        written += fresh.coverage.rows
        return fresh

    with opened(rows=200_000) as con, mock.patch.object(refresh, "build", counted):
        warm(con)
        for rows in (30_000, 1_000, 60_000, 60_000, 20_000, 90_000, 40_000, 5_000, 70_000, 300_000, 10_000, 80_000, 90_000, 50_000):
            _append(con, rows)
            appended += rows
            coverage = _copy(con).coverage
            long = max(TAIL_SHARE.default * (coverage.rows - coverage.unsorted), ROW_GROUP_ROWS.default)
            assert coverage.unsorted <= long or row_groups(con, COUNT) <= 5
            assert ask(con)[0] == plain(con)
    assert written > 0
    assert appended + written <= (2 + 1 / TAIL_SHARE.default) * appended


def test_one_large_run_is_skipped_by_its_own_bounds_and_stays() -> None:
    with opened(rows=_BASE) as con:
        warm(con)
        _append(con, _BASE)
        copy = _copy(con)
        assert (copy.generation, copy.coverage.unsorted) == (1, _BASE)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        assert row_groups(con, COUNT) <= 3


def test_rows_that_come_in_the_order_of_the_key_stay_as_they_lie() -> None:
    with sartor.connect() as con:
        con.execute("CREATE TABLE t AS SELECT range AS a, range AS b FROM range(300000)")
        copy_of(con)
        for _ in range(10):
            _append(con, 30_000, "(SELECT max(b) + 1 FROM t) + range")
        copy = _copy(con)
        assert (copy.generation, copy.coverage.unsorted) == (1, 300_000)
        text = "SELECT count(*) FROM t WHERE b BETWEEN 450000 AND 450100"
        warm(con, text)
        assert row_groups(con, text) == 1


def test_texts_and_types_whose_bounds_are_not_told() -> None:
    for kind, value in (("VARCHAR", "'key ' || (hash(range) % 1000)"), ("UUID", "lpad(hash(range)::VARCHAR, 32, '0')")):
        with sartor.connect() as con:
            con.execute(f"CREATE TABLE t AS SELECT range AS a, ({value})::{kind} AS b FROM range(200000)")
            copy_of(con)
            for _ in range(5):
                _append(con, _SHORT, f"({value})::{kind}")
            copy = _copy(con)
            assert copy.generation >= 2
            assert con.execute(f"SELECT count(*), count(DISTINCT a) FROM sartor.{copy.table}").fetchall() == [(550_000, 550_000)]


@pytest.mark.parametrize("error", [Overtaken(), duckdb.IOException("the disk is full")])
def test_what_can_not_be_sorted_again_stays_as_it_is(error: Exception) -> None:
    with opened(rows=200_000) as con:
        warm(con)
        with mock.patch.object(refresh, "build", side_effect=error):
            for _ in range(5):
                _append(con, _SHORT)
        copy = _copy(con)
        assert (copy.generation, copy.coverage.unsorted) == (1, 5 * _SHORT)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        assert any("could not be sorted again" in one.summary for one in database_of(con).ledger.decisions())


def test_what_it_takes_is_not_what_the_next_refresh_is_expected_to_take() -> None:
    order: list[str] = []
    with opened(rows=200_000) as con:
        sort_again = refreshing._sort_again

        def noted(*given: Any) -> None:
            order.append("sorted")
            sort_again(*given)

        con.execute("INSERT INTO t SELECT range, range FROM range(200000)")
        with mock.patch.object(refreshing, "_sort_again", noted):
            refreshing.refresh(database_of(con), None, lambda identifier, seconds: order.append("told"))
    assert order == ["told", "sorted"]


def test_a_copy_of_another_order_than_its_key_is_none_of_these() -> None:
    with sartor.connect() as con:
        con.execute("CREATE TABLE t AS SELECT range AS a, (hash(range) % 1000)::INTEGER AS b FROM range(200000)")
        name = TableName(database_of(con).engine().database, "main", "t")
        database_of(con).install(sorted_copy(name, ("a", "b"), (), frozenset()))
        for _ in range(5):
            _append(con, _SHORT)
        assert _copy(con).generation == 1
