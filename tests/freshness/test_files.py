"""Copies of local files are used while the files are exactly those that were read, and never else."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.derived import DerivedObject
from sartor.freshness.refresh import Overtaken
from sartor.freshness.usable import Use
from sartor.sql.scans import file_scans
from tests.freshness.support import ask, database_of, plain, warm

ROWS = 300_000


@pytest.fixture
def connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    with sartor.connect() as connection:
        yield connection


def written(path: str, rows: int = ROWS, columns: str = "range AS a, (hash(range) % 1000)::INTEGER AS b") -> None:
    """Write a file, as if that had been a minute ago."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"COPY (SELECT {columns} FROM range({rows})) TO '{path}'")
    aged(path)


def aged(path: str, seconds: float = 60) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def copied(connection: Any, text: str, key: tuple[str, ...] = ("b",)) -> DerivedObject:
    """A copy of the one scan of a text, in force."""
    database = database_of(connection)
    (scan,) = file_scans(text, database.engine().database)
    info = database.engine().scan(scan)
    assert info is not None
    names = tuple(column.name for column in info.columns)
    return database.install(sorted_copy(scan, names, key, frozenset(), schema=info.columns))


@pytest.mark.parametrize("key", [("b",), ()])
@pytest.mark.parametrize(
    "scan",
    [
        "'one.parquet'",
        "'./one.csv'",
        "read_parquet('one.parquet')",
        "read_csv('one.csv', header = true, delim = ',')",
        "read_parquet('parts/*/*.parquet', hive_partitioning = false)",
        "read_csv_auto('parts/p=?/[ab].csv') AS x",
    ],
)
def test_a_scan_is_served_and_in_the_order_of_its_files(connection: Any, scan: str, key: tuple[str, ...]) -> None:
    for path in ("one.parquet", "one.csv"):
        written(path)
    for part in "12":
        for path in ("a.parquet", "b.parquet", "a.csv", "b.csv"):
            written(f"parts/p={part}/{path}", 150_000)
    rows = f"SELECT b, a FROM {scan} WHERE b = 7"
    total = f"SELECT count(*), sum(a) FROM {scan} WHERE b = 7"
    copied(connection, rows, key)
    warm(connection, rows, total)
    served = (Use.WHOLE,) if key or "csv" in scan else ()
    assert ask(connection, rows) == (plain(connection, rows), served)
    assert ask(connection, total) == (plain(connection, total), served)


QUALIFIED = "SELECT one.a, t.b FROM 'one.parquet' JOIN read_csv('two.csv') t ON one.a = t.a WHERE one.b = 7 AND t.b = 9 ORDER BY 1, 2"


def test_two_scans_with_qualified_names(connection: Any) -> None:
    written("one.parquet")
    written("two.csv", columns="range AS a, 9 AS b")
    count = QUALIFIED.replace("one.a, t.b", "count(*)").replace(" ORDER BY 1, 2", "")
    copied(connection, "SELECT * FROM 'one.parquet'")
    copied(connection, "SELECT * FROM read_csv('two.csv')")
    warm(connection, count)
    assert ask(connection, count) == (plain(connection, count), (Use.WHOLE, Use.WHOLE))
    assert plain(connection, count)[0][0] > 0


LOOK_UP = "SELECT a FROM 'd/*.parquet' WHERE b = 7"


def change_rewritten(connection: Any) -> None:
    written("d/1.parquet", ROWS // 2)


def change_same_size(connection: Any) -> None:
    size = os.stat("d/1.parquet").st_size
    data = bytearray(Path("d/1.parquet").read_bytes())
    Path("d/1.parquet").write_bytes(data)
    assert os.stat("d/1.parquet").st_size == size


def change_replaced(connection: Any) -> None:
    written("new.parquet", ROWS // 2)
    status = os.stat("d/1.parquet")
    os.replace("new.parquet", "d/1.parquet")
    os.utime("d/1.parquet", ns=(status.st_atime_ns, status.st_mtime_ns))


def change_one_more(connection: Any) -> None:
    written("d/2.parquet", 1_000)


def change_hidden_one_more(connection: Any) -> None:
    written("d/.2.parquet", 1_000)


@pytest.mark.parametrize("change", [change_rewritten, change_same_size, change_replaced, change_one_more, change_hidden_one_more])
def test_changed_files_are_read_plain_until_the_refresh(connection: Any, change: Any) -> None:
    written("d/1.parquet")
    copied(connection, LOOK_UP)
    warm(connection, LOOK_UP)
    assert ask(connection, LOOK_UP)[1] == (Use.WHOLE,)
    change(connection)
    assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), ())
    aged("d/1.parquet")
    connection.refresh()
    warm(connection, LOOK_UP)
    assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), (Use.WHOLE,))


def test_other_columns_are_not_taken_for_the_old_ones(connection: Any) -> None:
    written("d/1.parquet")
    copied(connection, LOOK_UP)
    warm(connection, LOOK_UP)
    written("d/1.parquet", columns="range::DOUBLE AS a, 7 AS b")
    assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), ())
    connection.refresh()
    assert not database_of(connection).design.objects
    warm(connection, LOOK_UP)
    assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), ())


def test_files_that_are_gone_raise_what_plain_raises(connection: Any) -> None:
    written("d/1.parquet")
    copied(connection, LOOK_UP)
    warm(connection, LOOK_UP)
    os.remove("d/1.parquet")
    with pytest.raises(duckdb.IOException, match="No files found"):
        connection.execute(LOOK_UP)


def test_files_written_just_now_are_not_copied(connection: Any) -> None:
    written("d/1.parquet")
    aged("d/1.parquet", 0)
    with pytest.raises(Overtaken):
        copied(connection, LOOK_UP)


def test_another_working_directory_is_another_file(connection: Any, tmp_path: Path) -> None:
    written("d/1.parquet")
    written("elsewhere/d/1.parquet", 10)
    copied(connection, LOOK_UP)
    warm(connection, LOOK_UP)
    os.chdir("elsewhere")
    assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), ())
    os.chdir(tmp_path)
    assert ask(connection, LOOK_UP)[1] == (Use.WHOLE,)


@pytest.mark.parametrize("definition", ["CREATE TABLE", "CREATE TEMP TABLE", "CREATE TEMP VIEW", "CREATE VIEW"])
def test_a_table_of_a_path_s_name_comes_first(connection: Any, definition: str) -> None:
    written("one.parquet")
    text = "SELECT a FROM 'one.parquet' WHERE b = 7"
    copied(connection, text)
    warm(connection, text)
    connection.execute(f'{definition} "one.parquet" AS SELECT 1 AS a, 7 AS b')
    assert ask(connection, text) == ([(1,)], ())


@pytest.mark.usefixtures("trials_win")
def test_tune_copies_files_of_a_database_in_memory(connection: Any) -> None:
    written("one.csv")
    written("one.parquet")
    texts = ["SELECT count(*), max(a) FROM 'one.csv'", "SELECT a FROM 'one.parquet' WHERE b = {}"]
    for number in range(12):
        for text in texts:
            ask(connection, text.format(number))
    report = connection.tune(seconds=60)
    assert any("'one.csv' in its own order" in line for line in report.built), str(report)
    assert report.bytes_added > 0
    warm(connection, texts[0])
    assert ask(connection, texts[0]) == (plain(connection, texts[0]), (Use.WHOLE,))


def test_a_copy_of_files_outlives_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with sartor.connect("file.duckdb") as connection:
        written("d/1.parquet")
        copied(connection, LOOK_UP)
    with sartor.connect("file.duckdb") as connection:
        warm(connection, LOOK_UP)
        assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), (Use.WHOLE,))
        change_one_more(connection)
        assert ask(connection, LOOK_UP) == (plain(connection, LOOK_UP), ())
