"""Views that are mended after deletes and updates hold exactly what building them anew gives, under the same generation."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.auxiliary_copies.apply import auxiliary_copy
from sartor.components.sort_keys.apply import sorted_copy
from sartor.components.views import mend
from sartor.components.views.apply import build_query, definition
from sartor.core.action import Action
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.core.view import AT_FIRST, AT_LAST, ROWS, VIEWS, key_column, state_column
from sartor.freshness.residual import relation
from tests.freshness.support import database_of, plain
from tests.views.support import install

OF_ONE = "SELECT k, g, count(*), count(x), sum(x), min(x), max(d), sum(n), bool_or(b) FROM t GROUP BY k, g"
WHOLE = "SELECT count(*), sum(x), min(x), avg(n) FROM t"
FILTERED = "SELECT g, count(*), sum(n), max(x) FROM t WHERE x > 10 GROUP BY g"
OF_TWO = "SELECT u.name, t.g, count(*), sum(t.x), sum(u.y), min(t.x), max(u.y) FROM t JOIN u ON t.k = u.k GROUP BY u.name, t.g"
OF_THREE = "SELECT v.label, count(*), sum(t.n), count(u.y) FROM t JOIN u ON t.k = u.k JOIN v ON u.v = v.id GROUP BY v.label"
WITH_ITSELF = "SELECT a.name, b.v, count(*), sum(b.y) FROM u AS a JOIN u AS b ON a.k = b.k GROUP BY a.name, b.v"
OUTER = "SELECT t.g, count(*), sum(t.n), max(v.label) FROM t LEFT JOIN v ON v.id = t.g GROUP BY t.g"
AT_LASTS = "SELECT g, d, count(*), count(DISTINCT x), count(DISTINCT k), sum(n), bool_or(b) FROM t GROUP BY g, d ALONG d"
AT_FIRSTS = "SELECT x, count(DISTINCT k), min(d) FROM t WHERE x > -15 GROUP BY x ALONG -x"
MOMENTS = "SELECT k, g, count(*), stddev(x), variance(n) FROM t GROUP BY k, g"
VIEWS_MADE = (OF_ONE, WHOLE, FILTERED, OF_TWO, OF_THREE, WITH_ITSELF, AT_LASTS, AT_FIRSTS, MOMENTS, OUTER)


def _auxiliary(source: TableName, columns: tuple[str, ...], key: tuple[str, ...], templates: frozenset[str]) -> Action:
    return auxiliary_copy(source, columns)


Copies = Callable[[TableName, tuple[str, ...], tuple[str, ...], frozenset[str]], Action]


def made(path: Path, views: tuple[str, ...] = VIEWS_MADE, *, copies: Copies | None = sorted_copy) -> Any:
    """Three tables full of NULLs, ties and small groups, copies of two of them, and views."""
    con = sartor.connect(path, config={"threads": 1, "checkpoint_threshold": "10GB"})
    con.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, k INTEGER, g INTEGER, x INTEGER, n DECIMAL(9,2), d DATE, b BOOLEAN)")
    con.execute(
        "INSERT INTO t SELECT i, nullif(hash(i) % 60, 0), nullif(i % 7, 3), CASE WHEN i % 11 < 4 THEN i % 40 - 20 END, "
        "nullif(i % 9, 2) - 4, DATE '2024-01-01' + (i % 30)::INTEGER, nullif(i % 5, 1) = 2 FROM range(6000) r(i)"
    )
    con.execute("CREATE TABLE u (id INTEGER, k INTEGER, name VARCHAR, y BIGINT, v INTEGER)")
    con.execute("INSERT INTO u SELECT i, nullif(i % 50, 9), nullif('n' || i % 8, 'n3'), nullif(i % 6, 1), i % 5 FROM range(100) r(i)")
    con.execute("CREATE TABLE v AS SELECT i AS id, 'l' || i % 3 AS label FROM range(5) r(i)")
    database = database_of(con)
    home = database.engine().database
    if copies is not None:
        database.install(copies(TableName(home, "main", "t"), ("k", "g", "x", "n", "d", "b"), ("k",), frozenset()))
        database.install(copies(TableName(home, "main", "u"), ("k", "name", "y", "v"), ("name",), frozenset()))
    for text in views:
        text, _, along = text.partition(" ALONG ")
        function = AT_FIRST if along.startswith("-") else AT_LAST
        install(con, text, along=along.removeprefix("-"), function=function)
    con.refresh()
    return con


def views_of(con: Any) -> list[DerivedObject]:
    return [derived for derived in database_of(con).design.objects.values() if derived.action.component == VIEWS]


def right(con: Any) -> None:
    """Each view holds what building it anew gives; groups may come in several parts."""
    for derived in views_of(con):
        view = definition(derived.action)
        keys = [key_column(place) for place in range(len(view.keys))]
        parts = [
            f"{'sum' if s.is_placed or s.function == 'count' else s.function}({state_column(p)})::VARCHAR"
            for p, s in enumerate(view.states)
        ]
        columns = ", ".join([*keys, *parts, f"sum({ROWS})"])
        merged = f"SELECT {columns} FROM {{}}" + (f" GROUP BY {', '.join(keys)}" if keys else " HAVING count(*) > 0")
        held, fresh = merged.format(relation(derived)), merged.format(f"({build_query(derived.action).sql})")
        both = f"({held} EXCEPT ALL {fresh}) UNION ALL ({fresh} EXCEPT ALL {held})"
        assert plain(con, both) == [], (view, plain(con, both)[:4])
        moved = any(state.is_placed for state in view.states)  # what moved from one group to another is no row of either
        assert plain(con, f"SELECT count(*) FROM {relation(derived)} WHERE {ROWS} < {0 if moved else 1}") == [(0,)]


def generations(con: Any) -> list[int]:
    return [derived.generation for derived in views_of(con)]


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM t WHERE id % 100 = 3",
        "DELETE FROM t WHERE g = 5 AND k = 7",
        "DELETE FROM t WHERE g = 5",  # the last of a group
        "UPDATE t SET x = NULL WHERE id % 100 = 3",
        "UPDATE t SET x = -x WHERE id % 100 = 3",
        "UPDATE t SET g = 99, k = 100 WHERE id % 100 = 3",
        "UPDATE t SET b = NOT b WHERE id % 100 = 3",
        "UPDATE t SET id = id + 1000000 WHERE id % 100 = 3",
        "UPDATE u SET y = 7 WHERE id = 3",
        "UPDATE u SET name = NULL, v = 1 WHERE id < 3",
        "DELETE FROM u WHERE id IN (3, 50)",
        "DELETE FROM t WHERE id % 100 = 3; DELETE FROM u WHERE id = 3; INSERT INTO t (id, k, x) VALUES (-1, 3, -50); "
        "INSERT INTO u VALUES (200, 3, 'n1', -7, 2)",
        "INSERT INTO t (id, k, x) VALUES (-1, 3, -50), (-2, NULL, NULL); UPDATE u SET k = 3 WHERE id = 4; "
        "INSERT INTO v VALUES (77, 'l9')",
        "BEGIN; DELETE FROM t WHERE id = 5; UPDATE t SET n = 3 WHERE id = 6; INSERT INTO t (id, k) VALUES (1000005, 7); COMMIT",
    ],
)
def test_views_are_mended(tmp_path: Path, change: str) -> None:
    outer = "INSERT INTO v" in change
    with made(tmp_path / "t.duckdb", VIEWS_MADE[:-1] if outer else VIEWS_MADE) as con:
        before = generations(con)
        for part in change.split("; "):
            con.execute(part)
        con.refresh()
        right(con)
        assert generations(con) == before
        con.execute("DELETE FROM t WHERE id % 100 = 8")
        con.execute("INSERT INTO u VALUES (300, 3, 'n1', -7, 2)")
        con.refresh()
        right(con)
        assert generations(con) == before


def test_without_a_copy_of_the_table_a_view_is_built_anew(tmp_path: Path) -> None:
    with made(tmp_path / "t.duckdb", (OF_TWO,), copies=None) as con:
        con.execute("DELETE FROM t WHERE id = 3")
        con.refresh()
        right(con)
        assert generations(con) == [2]


def test_a_view_that_read_more_than_any_copy_holds_is_built_anew(tmp_path: Path) -> None:
    with made(tmp_path / "t.duckdb", (OF_ONE, "SELECT id % 2, count(*) FROM t GROUP BY 1")) as con:
        con.execute("DELETE FROM t WHERE id = 3")
        con.refresh()
        right(con)
        assert generations(con) == [1, 2]


def test_a_copy_without_the_column_of_an_outer_join_tells_nothing_of_it(tmp_path: Path) -> None:
    """Rows whose column of the ON clause alone was updated have another partner."""
    outer = "SELECT t.k, count(*), max(v.label) FROM t LEFT JOIN v ON v.id = t.g AND t.x > -30 GROUP BY t.k"
    with made(tmp_path / "t.duckdb", (outer,), copies=None) as con:
        source = TableName(database_of(con).engine().database, "main", "t")
        database_of(con).install(sorted_copy(source, ("k", "n"), ("k",), frozenset()))
        con.execute("UPDATE t SET g = (g + 1) % 5 WHERE id % 3 = 0")
        con.refresh()
        right(con)
        con.execute("UPDATE t SET x = -40 WHERE id % 5 = 0")
        con.refresh()
        right(con)


def test_the_outer_table_of_a_left_join_has_no_arithmetic(tmp_path: Path) -> None:
    with made(tmp_path / "t.duckdb", (OUTER,)) as con:
        con.execute("INSERT INTO v VALUES (6, 'l9')")
        con.execute("DELETE FROM t WHERE id = 3")
        con.refresh()
        right(con)
        assert generations(con) == [2]


def test_what_is_mended_serves_the_right_answers(tmp_path: Path) -> None:
    text = "SELECT g, count(*) AS n, sum(x) AS x, min(x) AS least FROM t GROUP BY g ORDER BY g NULLS FIRST"
    with made(tmp_path / "t.duckdb", (OF_ONE,)) as con:
        con.execute("DELETE FROM t WHERE id % 700 = 3")
        con.refresh()
        for _ in range(3):
            assert con.execute(text).fetchall() == plain(con, text)
        assert "views_" in str(con.explain_rewrite(text))


def test_a_large_view_is_sorted_again_where_too_much_stands_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mend, "ROW_GROUP_ROWS", replace(mend.ROW_GROUP_ROWS, default=100))
    text = "SELECT k, x, count(*), sum(n), max(d) FROM t WHERE k > 5 GROUP BY k, x"
    with made(tmp_path / "t.duckdb", (text, OF_ONE, AT_LASTS)) as con:
        for place, change in enumerate(("DELETE FROM t WHERE id % 100 = 3", "UPDATE t SET k = 70 - k WHERE id % 100 = 4"), 1):
            con.execute(change)
            con.execute(f"INSERT INTO t SELECT id + {place}000000, k, g, x, n, d, b FROM t WHERE id % 100 = 5 AND id < 6000")
            con.refresh()
            right(con)
            assert generations(con) == [1, 1, 1]
        for derived in views_of(con):
            view = definition(derived.action)
            assert derived.coverage.unsorted == 0
            stored = plain(con, f"SELECT {', '.join(map(key_column, view.sorted_by))} FROM {relation(derived)}")
            assert stored == sorted(stored, key=lambda row: [(value is None, value) for value in row])


def test_parts_of_groups_are_told_after_sorting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mend, "ROW_GROUP_ROWS", replace(mend.ROW_GROUP_ROWS, default=100))
    text = "SELECT k, x, count(*), sum(n), max(d) FROM t GROUP BY k, x"
    with made(tmp_path / "t.duckdb", (text,)) as con:
        con.execute("INSERT INTO t SELECT id + 1000000, k, g, x, n, d, b FROM t WHERE id % 100 = 5 AND id < 6000")
        con.refresh()
        parts = views_of(con)[0].coverage.unsorted
        con.execute("DELETE FROM t WHERE id % 100 = 3")
        con.refresh()
        assert generations(con) == [1]
        assert 0 < views_of(con)[0].coverage.unsorted <= parts
        for _ in range(3):
            assert sorted(con.execute(text).fetchall(), key=repr) == sorted(plain(con, text), key=repr)


@pytest.mark.parametrize("copies", [sorted_copy, _auxiliary])
def test_writes_at_random(tmp_path: Path, copies: Copies) -> None:
    """Deletes, updates, appends, checkpoints and refreshes in any order; most refreshes build nothing."""
    draw = random.Random(7)
    kept = 0
    with made(tmp_path / "t.duckdb", copies=copies) as con:
        for number in range(60):
            before = generations(con)
            for _ in range(draw.randrange(1, 6)):
                where = f"WHERE hash(id, {draw.randrange(10**6)}) % 700 = 0"
                con.execute(
                    draw.choice(
                        (
                            f"DELETE FROM t {where}",
                            f"DELETE FROM t WHERE id BETWEEN {number * 60} AND {number * 60 + 20}",
                            f"UPDATE t SET x = {draw.choice(('NULL', '-x', 'x + 3', '0'))} {where}",
                            f"UPDATE t SET n = n + 1, g = nullif((g + 1) % 7, 3) {where}",
                            f"UPDATE t SET d = d + 1, b = NOT b {where}",
                            f"UPDATE t SET id = id + 1000000 {where}",
                            f"DELETE FROM u WHERE id = {draw.randrange(100)}",
                            f"UPDATE u SET y = {draw.choice(('NULL', '-y', '5'))} WHERE id = {draw.randrange(100)}",
                            f"UPDATE u SET k = {draw.randrange(60)} WHERE id = {draw.randrange(100)}",
                            "INSERT INTO t SELECT max(id) + 1, 3, 1, -2, 3, DATE '2024-01-05', TRUE FROM t",
                            "INSERT INTO t SELECT max(id) + 1 + i, i, i, i, NULL, NULL, NULL FROM t, range(9) r(i) GROUP BY i",
                            "INSERT INTO u SELECT 100 + count(*), 3, 'n1', 4, 2 FROM u",
                            "CHECKPOINT" if draw.random() < 0.2 else "SELECT 1",
                        )
                    )
                ).fetchall()
            con.refresh()
            right(con)
            kept += before == generations(con)
        assert kept > 30
