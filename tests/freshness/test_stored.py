"""What Sartor keeps in the file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import sartor
from sartor.core.design import Design
from sartor.core.table import TableName
from sartor.freshness import stored
from sartor.freshness.usable import Use
from tests.freshness.support import ask, copy_of, database_of, opened, plain, warm


def test_a_database_called_sartor(tmp_path: Path) -> None:
    with pytest.raises(sartor.DatabaseUnavailable, match="rename the file"):
        opened(tmp_path / "sartor.duckdb")


def test_what_is_stored_is_what_is_loaded(tmp_path: Path) -> None:
    with opened(tmp_path / "shop.duckdb") as con:
        database = database_of(con)
        (derived,) = database.design.objects.values()
        (loaded,) = stored.load(database.engine())
        assert loaded.action == derived.action
        assert loaded.coverage.high_water == derived.coverage.high_water
        assert loaded.coverage.mutations == stored.UNKNOWN
        stored.save_choices(database.engine(), Design({}, {"digest": (), "other": ()}, saved={"other": 0.25}))
        assert stored.load_choices(database.engine()) == ({"digest": (), "other": ()}, {"other": 0.25})


def test_a_renamed_file_is_still_served(tmp_path: Path) -> None:
    opened(tmp_path / "one.duckdb").close()
    (tmp_path / "one.duckdb").rename(tmp_path / "two.duckdb")
    with sartor.connect(tmp_path / "two.duckdb") as con:
        warm(con)
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def former(path: Path, place: str = "") -> None:
    """A file as it was left when an object derived from one table, or when what stands behind was not told; the object is wrong."""
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE t AS SELECT range AS a, (hash(range) % 1000)::INTEGER AS b FROM range(300_000)")
        con.execute("CREATE SCHEMA sartor; CREATE TABLE sartor.sort_keys_1_1 AS SELECT a, b, rowid AS sartor_row FROM t WHERE a < 5")
        con.execute(
            f"CREATE TABLE sartor.state (identifier BIGINT, generation BIGINT, {place and 'place BIGINT, '}action VARCHAR, "
            "high_water BIGINT, rows_covered BIGINT, dense BOOLEAN, files VARCHAR, bytes_stored BIGINT, build_seconds DOUBLE)"
        )
        con.execute("CREATE TABLE sartor.choices (digest VARCHAR, alternative VARCHAR); CREATE TABLE sartor.token (token VARCHAR)")
        action = (
            '{"component": "sort_keys", "source": {"schema": "main", "name": "t"}, '
            '"definition": [["columns", ["a", "b"]], ["key", ["b"]], ["then_by_row", false]], "templates": []}'
        )
        con.execute(f"INSERT INTO sartor.state VALUES (1, 1, {place}?, 299999, 300000, true, '[]', 4096, 0.1)", [action])
        con.execute("INSERT INTO sartor.choices VALUES ('digest', '[[0, 1]]'); INSERT INTO sartor.token VALUES ('token')")


@pytest.mark.parametrize("place", ["", "0, "])
def test_a_schema_of_a_former_shape_is_nothing_built(tmp_path: Path, place: str) -> None:
    path = tmp_path / "t.duckdb"
    former(path, place)
    for _ in range(2):
        with sartor.connect(path) as con:
            assert not database_of(con).design.objects
            assert stored.load_choices(database_of(con).engine()) == ({}, {})
            warm(con)
            assert ask(con) == (plain(con), ())
            assert con.refresh() == con.purge() == 0
            con.execute("INSERT INTO t VALUES (1, 7)")
    with sartor.connect(path) as con:
        copy_of(con)
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        tables = plain(con, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sartor' ORDER BY ALL")
        assert tables == [("choices",), ("sort_keys_1_1",), ("state",), ("token",)]
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_a_schema_of_the_former_shape_is_undone(tmp_path: Path) -> None:
    former(tmp_path / "t.duckdb")
    with sartor.connect(tmp_path / "t.duckdb") as con:
        con.undo()
        assert plain(con, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'sartor'") == [(0,)]


def test_a_schema_of_the_former_shape_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    former(tmp_path / "t.duckdb")
    with sartor.connect(tmp_path / "t.duckdb") as con:
        columns = dict(stored._STATE)
        monkeypatch.setitem(stored._STATE, "files", "NO_TYPE")
        with pytest.raises(duckdb.Error):
            copy_of(con)
        assert plain(con, "SELECT count(*), sum(identifier) FROM sartor.state") == [(1, 1)]
        monkeypatch.setattr(stored, "_STATE", columns)
        copy_of(con)
        assert plain(con, "SELECT identifier, place FROM sartor.state") == [(1, 0)]


def test_a_state_table_of_the_users_is_left_alone(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "t.duckdb") as con:
        con.execute("CREATE SCHEMA sartor; CREATE TABLE sartor.state (place INTEGER); CREATE TABLE t (a INTEGER, b INTEGER)")
        with pytest.raises(sartor.DatabaseUnavailable, match="rename it"):
            copy_of(con)
        assert con.undo().objects == 0
        assert con.execute("SELECT count(*) FROM sartor.state").fetchall() == [(0,)]


def test_numbers_of_a_tail_follow_all_numbers_given_before_and_it_is_sorted(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as con:
        con.execute("DELETE FROM t WHERE a % 10 <> 0")
        con.refresh()
    with sartor.connect(path) as con:
        con.execute("CHECKPOINT")
        con.execute("INSERT INTO t SELECT range, 1000 - range FROM range(3000)")
        con.refresh()
        (derived,) = database_of(con).design.objects.values()
        assert derived.action.source == TableName("t", "main", "t")
        assert not derived.coverage.dense
        rows = plain(con, f"SELECT a, b, sartor_row FROM sartor.{derived.table} ORDER BY rowid")
        tail = rows[-3000:]
        assert min(row[2] for row in tail) > max(row[2] for row in rows[:-3000])
        assert [row[1] for row in tail] == sorted(row[1] for row in tail)
        assert [row[:2] for row in sorted(rows, key=lambda row: row[2])] == plain(con, "SELECT a, b FROM t")
