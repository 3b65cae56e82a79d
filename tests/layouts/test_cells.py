"""Copies by cells: the curves through them, what is answered from them, and that every column's zone maps prune."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise, product

import duckdb
import pytest

from sartor.components.layouts import cells, curves
from sartor.core.table import Column, TableName
from sartor.interfaces.connection import Connection, session_of
from tests.layouts.support import install_cells, opened, plain, proposed, served
from tests.profiles import row_groups

_ROWS = 2_000_000
_GROUPS = math.ceil(_ROWS / 122_880)


@pytest.mark.parametrize("kind", curves.CURVES)
@pytest.mark.parametrize(("dimensions", "bits"), [(2, 1), (2, 3), (2, 6), (3, 4), (4, 3)])
def test_a_curve_goes_through_each_cell_once(kind: str, dimensions: int, bits: int) -> None:
    places = curves.places_of(kind, dimensions, bits)
    assert sorted(places) == list(range(1 << dimensions * bits))
    cells = list(product(range(1 << bits), repeat=dimensions))
    along = [cell for _, cell in sorted(zip(places, cells, strict=True))]
    steps = [sum(abs(a - b) for a, b in zip(one, other, strict=True)) for one, other in pairwise(along)]
    if kind == "hilbert":
        assert set(steps) == {1}  # each cell touches the next one
    half = along[: len(along) >> dimensions]
    assert all(coordinate < 1 << (bits - 1) for cell in half for coordinate in cell)  # the first part is a box of half the side


@pytest.mark.parametrize("kind", cells.KINDS)
def test_each_column_prunes(kind: str) -> None:
    with opened() as connection:
        connection.execute(
            "CREATE TABLE wide AS SELECT (sqrt(hash(i) % 1000000))::INTEGER AS a, (hash(i + 1) % 5000)::INTEGER AS b, "
            f"DATE '2020-01-01' + (hash(i + 2) % 2000)::INTEGER AS c, i AS id FROM range({_ROWS}) r(i)"
        )
        install_cells(connection, kind, "a", "b", table="wide")
        one = ["a BETWEEN 700 AND 720", "b BETWEEN 1000 AND 1050", "a < 100", "b = 77"]
        for condition in one:
            text = f"SELECT count(*), sum(id), min(c) FROM wide WHERE {condition}"
            assert served(connection, text)
            assert row_groups(connection, text) <= 2 * math.sqrt(_GROUPS) + 1
        text = "SELECT count(*), sum(id) FROM wide WHERE a BETWEEN 700 AND 720 AND b BETWEEN 1000 AND 1050"
        assert served(connection, text)
        assert row_groups(connection, text) <= 4  # where four boxes meet
        assert not served(connection, "SELECT count(*) FROM wide WHERE c = DATE '2020-05-05'")


@pytest.mark.parametrize(
    ("kind", "dimensions"),
    [
        *product(cells.KINDS, [("r", "q"), ("d", "m", "note"), ("note", "r", "f", "dim")]),
        *product([cells.OUTLIERS], [("r", "q"), ("d", "r"), ("f", "r"), ("r", "note")]),
    ],
)
def test_answers_are_plain_duckdbs(kind: str, dimensions: tuple[str, ...]) -> None:
    with opened() as connection:
        layout = install_cells(connection, kind, *dimensions)
        texts = [
            "SELECT * FROM facts WHERE r BETWEEN 5 AND 7 AND q < 500",
            "SELECT dim, count(*), sum(m) FROM facts WHERE r = 7 AND d >= DATE '2024-06-01' GROUP BY dim ORDER BY dim",
            "SELECT count(*) FROM facts WHERE m IS NULL OR m > 900",
            "SELECT id FROM facts WHERE note IS NULL AND r < 50 LIMIT 9",
            "SELECT count(*), sum(f.m) FROM facts f JOIN dims USING (dim) WHERE name = 'n1' AND r < 50 AND note = 'fine 7'",
        ]
        assert sum(served(connection, text) for text in texts) >= 2
        connection.execute("INSERT INTO facts SELECT * REPLACE (-id AS id) FROM facts WHERE r = 7; INSERT INTO facts (id) VALUES (-1)")
        assert sum(served(connection, text) for text in texts) >= 2
        connection.refresh()
        assert sum(served(connection, text) for text in texts) >= 2
        connection.execute("UPDATE facts SET r = 6 WHERE id % 1000 = 3; DELETE FROM facts WHERE id % 1000 = 4")
        connection.refresh()
        assert sum(served(connection, text) for text in texts) >= 2
        (found,) = session_of(connection).database.design.objects.values()
        assert found.identifier == layout.identifier
        assert "sartor_key_0" not in [name for name, *_ in plain(connection, "SELECT * FROM facts LIMIT 1")[0]]


def test_places_that_an_earlier_version_stored_are_kept_up() -> None:
    with opened() as connection:
        database = session_of(connection).database
        new = install_cells(connection, "hilbert", "r", "q")
        columns = [name for name, *_ in connection.execute(f"DESCRIBE sartor.{new.table}").fetchall()]
        connection.undo()
        made = database.install(replace(new.action, definition=(*new.action.definition, ("hidden", ("sartor_key_0",)))))
        stored = [name for name, *_ in connection.execute(f"DESCRIBE sartor.{made.table}").fetchall()]
        assert stored == [*columns[:-1], "sartor_key_0", columns[-1]]
        text = "SELECT * FROM facts WHERE r BETWEEN 5 AND 7 AND q < 500"
        assert served(connection, text)
        connection.execute("INSERT INTO facts SELECT * REPLACE (-id AS id) FROM facts WHERE r = 7")
        connection.refresh()
        assert served(connection, text)
        connection.execute("UPDATE facts SET r = 6 WHERE id % 1000 = 3; DELETE FROM facts WHERE id % 1000 = 4")
        connection.refresh()
        assert served(connection, text)
        (found,) = database.design.objects.values()
        assert found.identifier == made.identifier


def test_outliers_beside_a_column_of_any_name() -> None:
    with opened() as connection:
        connection.execute("CREATE TABLE odd AS SELECT i AS part, (hash(i) % 99)::INTEGER AS ends, i AS n FROM range(5000) r(i)")
        install_cells(connection, cells.OUTLIERS, "part", "ends", table="odd")
        install_cells(connection, cells.OUTLIERS, "ends", "n", table="odd")
        assert served(connection, "SELECT count(*), sum(n) FROM odd WHERE part BETWEEN 5 AND 700")


def test_an_empty_table_has_cells_too() -> None:
    with opened() as connection:
        install_cells(connection, "hilbert", "r", "q", table="nothing")
        text = "SELECT * FROM nothing WHERE r = 5"
        assert served(connection, text)
        connection.execute("INSERT INTO nothing FROM facts LIMIT 5000")
        assert served(connection, text)
        connection.refresh()
        assert served(connection, text)


_SHIPPED = """
CREATE TABLE sent AS SELECT i AS id, DATE '2020-01-01' + (hash(i) % 1500)::INTEGER AS ordered, CASE
    WHEN hash(i + 7) % 1000 = 0 THEN DATE '2020-01-01' + (hash(i + 1) % 1500)::INTEGER WHEN hash(i + 9) % 50 = 0 THEN NULL
    ELSE DATE '2020-01-01' + (hash(i) % 1500)::INTEGER + 1 + (hash(i + 2) % 5)::INTEGER END AS shipped FROM range(1500000) r(i)
"""
_WEEKS = [
    f"{column} BETWEEN DATE '{first}' AND DATE '{first}' + 6"
    for column in ("ordered", "shipped")
    for first in ("2020-02-02", "2022-05-03")
]


def _scanned(connection: Connection) -> int:
    texts = [f"SELECT count(*), sum(id) FROM sent WHERE {week}" for week in _WEEKS]
    assert all(served(connection, text) for text in texts)
    return sum(row_groups(connection, text) for text in texts)


def test_outliers_apart_let_zone_maps_of_what_goes_along_prune() -> None:
    with opened() as connection:
        connection.execute(_SHIPPED)
        assert [row_groups(connection, f"SELECT count(*) FROM sent WHERE {week}") for week in _WEEKS] == [13] * 4
        layout = install_cells(connection, cells.OUTLIERS, "ordered", "shipped", table="sent")
        falls = f"SELECT rowid AS place, ordered < lag(ordered) OVER (ORDER BY rowid) AS here FROM sartor.{layout.table}"
        ((first,),) = connection.execute(f"SELECT place FROM ({falls}) WHERE here").fetchall()
        behind = f"SELECT count(*), count(*) FILTER (shipped IS NULL) FROM sartor.{layout.table} WHERE rowid >= {first}"
        ((apart, empty),) = connection.execute(behind).fetchall()
        assert 0.005 * 1_500_000 < apart < 0.02 * 1_500_000
        assert empty == 0
        ours = _scanned(connection)
        assert ours <= 4 * 3, "the one or two that hold them, and the outliers"
        text = "SELECT count(*), sum(id) FROM sent WHERE shipped IS NULL"
        assert served(connection, text)
        connection.undo()
        install_cells(connection, "hilbert", "ordered", "shipped", table="sent")
        assert ours < _scanned(connection)


def test_columns_that_do_not_go_along_are_not_taken_for_such() -> None:
    with opened() as connection:
        connection.execute(_SHIPPED)
        for week in _WEEKS * 4:
            connection.execute(f"SELECT id, shipped FROM sent WHERE {week}").fetchall()
        for number in range(16):
            connection.execute(f"SELECT id FROM facts WHERE r BETWEEN {number} AND {number + 3}").fetchall()
            connection.execute(f"SELECT id FROM facts WHERE q BETWEEN {number} AND {number + 3}").fetchall()
        _, estimates = proposed(connection, cells.is_cells)
        saved = {
            (item.action.source.name, item.action.get("kind"), item.action.get("dimensions")): sum(
                e.value for e in item.seconds_saved.values()
            )
            for item in estimates
        }
        along = saved["sent", cells.OUTLIERS, ("ordered", "shipped")]
        assert along >= max(value for (table, kind, _), value in saved.items() if table == "sent" and kind != cells.OUTLIERS)
        apart = saved["facts", cells.OUTLIERS, ("q", "r")]
        assert apart <= max(value for (table, kind, _), value in saved.items() if table == "facts" and kind != cells.OUTLIERS)


def test_a_grid_goes_there_and_back() -> None:
    """From each place to the next one coordinate changes, and by one, so that a row group over two cells is narrow in all others."""
    columns = [Column(name, "INTEGER") for name in "abc"]
    source = TableName("memory", "main", "t")
    action = cells.grid(source, columns, ("a", "b", "c"), (3, 4), frozenset())
    sides = action.get("parts")
    assert sides == (3, 4, 64)
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a, range AS b, range AS c FROM range(12800)")
        named = enumerate(zip(sides, "abc", strict=True))
        middles = ", ".join(f"((n{place} + 0.5) * 12800 / {side})::INTEGER AS {name}" for place, (side, name) in named)
        numbers = ", ".join(f"range({side}) r{place}(n{place})" for place, side in enumerate(sides))
        rows_of = f"(SELECT *, {middles} FROM {numbers}), {cells.borders(action, 't')}"
        text = f"SELECT {cells.position(action)}, n0, n1, n2 FROM {rows_of} ORDER BY 1"
        rows = connection.execute(text).fetchall()
    assert [row[0] for row in rows] == list(range(3 * 4 * 64))
    for one, other in pairwise(rows):
        assert sum(abs(a - b) for a, b in zip(one[1:], other[1:], strict=True)) == 1
