"""The report of copies: what it says is read is what DuckDB scans, and where it can not tell, it says so and nothing raises."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.constants import Constant
from sartor.core.table import TableName, quote
from sartor.interfaces import tailoring
from sartor.interfaces.cli.main import app
from sartor.interfaces.connection import Connection, session_of
from sartor.interfaces.report import zones
from sartor.interfaces.report.copies import CopyFacts, Looking
from sartor.interfaces.report.maps import blocks, shares
from sartor.interfaces.report.page import render
from tests.layouts.support import ROWS, install, install_cells, opened, plain, served
from tests.profiles import row_groups

_BOXES = [f"SELECT count(*), sum(id) FROM facts WHERE r BETWEEN {a} AND {a + 90} AND q < {a + 60}" for a in (20, 400, 850)]
_FACTS = TableName("memory", "main", "facts")


def _looked(connection: Connection) -> tuple[CopyFacts, ...]:
    return tailoring.report(session_of(connection).database, None).copies


def _read(copy: CopyFacts) -> float:
    """Row groups that a run reads in the mean, by the zone maps."""
    return sum(block.read for block in copy.blocks)


def _asked(connection: Connection, texts: Sequence[str]) -> float:
    """Ask each once; how many row groups the runs read in the mean, by DuckDB's profile of what answers them."""
    assert all(served(connection, text) for text in texts)
    return sum(row_groups(connection, text) for text in texts) / len(texts)


@pytest.mark.parametrize("kind", ["hilbert", "z-order", "grid"])
def test_what_zone_maps_let_in_is_what_is_scanned(kind: str) -> None:
    with opened() as connection:
        install_cells(connection, kind, "r", "q")
        scanned = _asked(connection, _BOXES)
        (copy,) = _looked(connection)
        assert copy.row_groups == len(copy.blocks) == -(-ROWS // 122_880)
        assert sum(block.rows for block in copy.blocks) == ROWS
        assert {axis.name for axis in copy.axes} == {"r", "q"}
        assert _read(copy) == pytest.approx(scanned)
        (one,) = copy.served
        assert one.after == pytest.approx(scanned / copy.row_groups)
        assert one.before == 1.0
        assert one.bound == pytest.approx(1 / copy.row_groups)
        assert one.reason == copy.note == ""


@pytest.mark.parametrize(
    "condition",
    [
        "d = DATE '2024-05-01' + 3",
        "d > DATE '2025-06-01'",
        "DATE '2024-02-01' > d",
        "d IN (DATE '2024-01-05', DATE '2025-08-01')",
        "d BETWEEN DATE '2024-03-01' AND DATE '2024-04-01' AND r < 500",
        "d >= DATE '2025-08-20'",
    ],
)
def test_a_sorted_copy_is_drawn_by_its_key(condition: str) -> None:
    with opened() as connection:
        session_of(connection).database.install(sorted_copy(_FACTS, ("id", "r", "d"), ("d",), frozenset()))
        scanned = _asked(connection, [f"SELECT count(*), sum(id) FROM facts WHERE {condition}"])
        (copy,) = _looked(connection)
        assert copy.axes[0].name == "d"
        assert _read(copy) == pytest.approx(scanned)
        assert copy.axes[0].ticks[0][1] == "2024-01-01"


@pytest.mark.parametrize("condition", ["note = 'an error 3'", "note >= 'fine 9'", "note IS NULL AND m > 3"])
def test_bounds_of_texts_are_cut(condition: str) -> None:
    with opened() as connection:
        session_of(connection).database.install(sorted_copy(_FACTS, ("id", "note", "m"), ("note",), frozenset()))
        scanned = _asked(connection, [f"SELECT count(*), sum(id) FROM facts WHERE {condition}"])
        (copy,) = _looked(connection)
        assert copy.axes[0].name == "note"
        assert _read(copy) == pytest.approx(scanned)


def test_hidden_columns_are_dimensions_by_the_words_of_their_conditions() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%error%'", then=("r",))
        scanned = _asked(connection, ["SELECT count(*), sum(id) FROM facts WHERE note LIKE '%error%'"])
        (copy,) = _looked(connection)
        assert copy.axes[0].name == "\"note\" LIKE '%error%'"
        assert copy.axes[1].name == "place in the copy"
        assert _read(copy) == pytest.approx(scanned) == pytest.approx(1)
        (one,) = copy.served
        assert one.bound == one.after == pytest.approx(1 / copy.row_groups)


def test_rows_appended_since_are_read_too() -> None:
    with opened() as connection:
        install_cells(connection, "grid", "r", "q")
        before = _asked(connection, _BOXES)
        connection.execute("INSERT INTO facts SELECT * FROM facts LIMIT 10")
        (copy,) = _looked(connection)
        (one,) = copy.served
        assert one.after is not None
        assert one.after > before / 5, "the row group with the tail"


def test_looking_leaves_what_stands_in_use(tmp_path: Path) -> None:
    with opened() as connection:
        install_cells(connection, "grid", "r", "q")
        _asked(connection, _BOXES)
        for _ in range(2):
            connection.report(tmp_path / "report.html")
            assert all(served(connection, text, times=1) for text in _BOXES)


def test_what_is_not_current_is_drawn_and_says_so() -> None:
    with opened() as connection:
        install_cells(connection, "grid", "r", "q")
        _asked(connection, _BOXES)
        connection.execute("DELETE FROM facts WHERE r = 5")
        (copy,) = _looked(connection)
        assert len(copy.blocks) == copy.row_groups > 0
        (one,) = copy.served
        assert (one.before, one.after, one.bound) == (None, None, None)
        assert "can be answered from the copy now" in one.reason


def test_nothing_asked_yet() -> None:
    with opened() as connection:
        install_cells(connection, "hilbert", "r", "q")
        (copy,) = _looked(connection)
        assert copy.served == ()
        assert copy.note == "No template that was observed is served by it."
        assert _read(copy) == 0
        assert "<svg" in blocks(copy)


def test_a_report_takes_a_bounded_time() -> None:
    with opened() as connection:
        install_cells(connection, "hilbert", "r", "q")
        _asked(connection, _BOXES)
        ticks = count(0.0, 100.0)
        with mock.patch.object(tailoring.time, "monotonic", side_effect=lambda: next(ticks)):
            (copy,) = _looked(connection)
        (one,) = copy.served
        assert one.before is None
        assert "the time for looking was over" in one.reason
        assert len(copy.blocks) == copy.row_groups


def test_many_row_groups_are_put_together() -> None:
    with opened() as connection:
        install_cells(connection, "hilbert", "r", "q")
        _asked(connection, _BOXES)
        (whole,) = _looked(connection)
        with mock.patch.object(zones, "REPORT_BLOCKS", Constant(2, 1, 3, "", "")):
            (copy,) = _looked(connection)
        assert copy.together == 2
        assert [block.rows for block in copy.blocks] == [245_760, ROWS - 245_760]
        assert sum(block.read for block in copy.blocks) * 2 == pytest.approx(_read(whole), abs=1)
        assert "row groups 0 to 1" in blocks(copy)


def test_names_that_need_quotes_and_columns_without_values(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "a shop.duckdb", layouts=True) as connection:
        table, column = quote("odd 'table"), quote('it\'s "odd"')
        connection.execute(
            f"CREATE TABLE {table} AS SELECT i AS id, (hash(i) % 1000)::INTEGER AS {column}, NULL::INTEGER AS never "
            "FROM range(300000) r(i)"
        )
        install_cells(connection, "grid", "never", 'it\'s "odd"', table="odd 'table")
        text = f"SELECT count(*) FROM {table} WHERE {column} < 30 AND never IS NULL"
        scanned = _asked(connection, [text])
        (copy,) = _looked(connection)
        assert _read(copy) == pytest.approx(scanned)
        assert {axis.name for axis in copy.axes} == {'it\'s "odd"', "never"}
        assert any("all NULL" in block.bounds for block in copy.blocks)
        (one,) = copy.served
        assert one.after == pytest.approx(scanned / 3)
        assert ElementTree.fromstring(blocks(copy)) is not None


def test_what_can_not_be_profiled_is_told(tmp_path: Path) -> None:
    with opened() as connection:
        install_cells(connection, "hilbert", "r", "q")
        _asked(connection, _BOXES)
        with mock.patch.object(Looking, "_shares", side_effect=ValueError("no profile")):
            (copy,) = _looked(connection)
        assert copy.served[0].reason == "a statement of it could not be profiled: no profile"
        assert shares(copy.served) == ""
        with mock.patch("sartor.interfaces.report.copies.stored", side_effect=ValueError("no bounds")):
            (copy,) = _looked(connection)
        assert copy.note == "its row groups can not be told: no bounds"
        page = connection.report(tmp_path / "report.html").read_text(encoding="utf-8")
        assert ElementTree.fromstring(page.partition("\n")[2]) is not None


def test_the_page_shows_them() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%<error>%'", "note LIKE '%error%'")
        _asked(connection, ["SELECT count(*), sum(id) FROM facts WHERE note LIKE '%error%'"])
        page = render(tailoring.report(session_of(connection).database, None))
    root = ElementTree.fromstring(page.partition("\n")[2])
    labels = [picture.get("aria-label", "") for picture in root.iter("{http://www.w3.org/2000/svg}svg")]
    assert any("shaded by how many runs read them" in label for label in labels)
    boxes = [box for box in _boxes(root) if "block" in str(box.get("class"))]
    assert len(boxes) == -(-ROWS // 122_880)
    assert all(next(iter(box)).text for box in boxes), "each box says what it is"
    text = "".join(root.itertext())
    for told in ("Where rows lie", "no run observed reads 3 of them", "25.0%", "note\" LIKE '%error%'"):
        assert told in text


def test_the_command_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with opened(path) as connection:
        install_cells(connection, "hilbert", "r", "q")
        _asked(connection, _BOXES)
        expected = [plain(connection, text) for text in _BOXES]
    before = path.read_bytes()
    result = CliRunner().invoke(app, ["report", str(path)])
    assert result.exit_code == 0, result.output
    assert "Where rows lie" in (tmp_path / "shop.duckdb.report.html").read_text(encoding="utf-8")
    assert path.read_bytes() == before
    with sartor.connect(path, layouts=True) as connection:
        assert [plain(connection, text) for text in _BOXES] == expected
        assert all(served(connection, text) for text in _BOXES), "still trusted"


def _boxes(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    yield from root.iter("{http://www.w3.org/2000/svg}rect")


@pytest.mark.parametrize(
    "value", ["md5(i::VARCHAR)::UUID", "i::HUGEINT", "CASE WHEN i < 20 THEN DATE '2020-01-01' ELSE '0001-01-01 (BC)' END"]
)
def test_a_copy_whose_bounds_can_not_be_drawn_says_so(value: str) -> None:
    with sartor.connect() as connection:
        connection.execute(f"CREATE TABLE odd AS SELECT {value} AS k FROM range(400000) r(i)")
        session_of(connection).database.install(sorted_copy(TableName("memory", "main", "odd"), ("k",), ("k",), frozenset()))
        (copy,) = _looked(connection)
        assert copy.note.startswith("its row groups can not be told: ")
        assert not copy.blocks
