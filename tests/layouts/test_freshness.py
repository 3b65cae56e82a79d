"""A layout and what is written beside it: appends, updates, deletes, definitions, transactions, reopens, shadows, undo and purge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

import sartor
from sartor.core.derived import DerivedObject
from sartor.interfaces.connection import Connection, session_of
from tests.layouts.support import install, install_cells, opened, plain, served
from tests.profiles import row_groups

Layout = Callable[..., DerivedObject]
_TEXTS = (
    "SELECT count(*), min(id), sum(r) FROM facts WHERE note LIKE '%error%'",
    "SELECT * FROM facts WHERE note LIKE '%error%' AND r < 30",
    "SELECT dim, count(*) FROM facts WHERE r < q AND q < 50 GROUP BY dim ORDER BY dim",
)


def _install(connection: Connection) -> DerivedObject:
    return install(connection, "note LIKE '%error%'", "r < q", then=("r",))


@pytest.fixture(params=["file", "memory"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    with opened(tmp_path / "t.duckdb" if request.param == "file" else ":memory:") as found:
        _install(found)
        yield found


def _all(connection: Connection) -> list[bool]:
    return [served(connection, text) for text in _TEXTS]


def test_appended_rows_are_read_though_they_have_no_bits(connection: Connection) -> None:
    connection.execute(
        "INSERT INTO facts VALUES (-1, 1, 2, 'an error', DATE '2024-01-01', 1, 1, 3), (-2, 1, 2, NULL, NULL, 1, NULL, 3)"
    )
    assert all(_all(connection))
    assert connection.execute("SELECT min(id) FROM facts WHERE note LIKE '%error%'").fetchall() == [(-1,)]
    connection.refresh()
    assert all(_all(connection))
    assert connection.execute("SELECT min(id) FROM facts WHERE note LIKE '%error%'").fetchall() == [(-1,)]


def test_updates_and_deletes_are_mended_bits_and_all(connection: Connection) -> None:
    (layout,) = session_of(connection).database.design.objects.values()
    connection.execute("UPDATE facts SET note = 'one more error' WHERE id = 17")
    connection.execute("UPDATE facts SET note = 'no more' WHERE id IN (SELECT min(id) FROM facts WHERE note LIKE '%error%')")
    connection.execute("DELETE FROM facts WHERE id BETWEEN 100 AND 120")
    assert not any(_all(connection))
    connection.refresh()
    assert all(_all(connection))
    (mended,) = session_of(connection).database.design.objects.values()
    in_file = session_of(connection).database.opened.path is not None
    assert (mended.generation == layout.generation) is in_file  # in memory there is no header that tells whether row ids moved
    connection.execute("UPDATE facts SET r = q + 1")
    connection.refresh()
    assert all(_all(connection))


def test_definitions(connection: Connection) -> None:
    connection.execute("ALTER TABLE facts RENAME r TO old_r; ALTER TABLE facts RENAME q TO r; ALTER TABLE facts RENAME old_r TO q")
    assert not any(_all(connection))
    connection.refresh()
    _all(connection)
    connection.execute("ALTER TABLE facts ALTER note TYPE BLOB USING encode(note)")
    connection.refresh()
    assert not session_of(connection).database.design.objects  # other types than those that the conditions were proved steady for
    connection.execute("ALTER TABLE facts RENAME note TO remark")
    with pytest.raises(duckdb.BinderException, match="note"):
        connection.execute(_TEXTS[0])


def test_a_table_that_is_made_anew_is_another(connection: Connection) -> None:
    connection.execute("CREATE OR REPLACE TABLE facts AS SELECT * REPLACE ('an error' AS note) FROM facts WHERE id < 1000")
    assert not any(_all(connection))
    connection.refresh()
    _all(connection)
    connection.execute("DROP TABLE facts")
    connection.refresh()
    assert not session_of(connection).database.design.objects


def test_transactions(connection: Connection) -> None:
    assert all(_all(connection))
    other = connection.cursor()
    connection.execute("BEGIN")
    _all(connection)
    other.execute("INSERT INTO facts SELECT * REPLACE ('another error' AS note) FROM facts WHERE id < 10")
    _all(connection)
    connection.execute("COMMIT")
    connection.execute("BEGIN")
    connection.execute("UPDATE facts SET note = 'error' WHERE id < 50")
    assert not any(_all(connection))
    connection.execute("ROLLBACK")
    _all(connection)
    other.close()


def test_a_temporary_table_shadows(connection: Connection) -> None:
    assert all(_all(connection))
    connection.execute("CREATE TEMP TABLE facts AS SELECT 1 AS id, 1 AS r, 2 AS q, 'error' AS note, 1 AS dim")
    assert not any(_all(connection))
    assert connection.execute("SELECT count(*) FROM facts WHERE note LIKE '%error%'").fetchall() == [(1,)]
    other = connection.cursor()
    assert all(_all(other))
    other.close()


def test_a_scattered_delete_and_a_checkpoint(connection: Connection) -> None:
    connection.execute("DELETE FROM facts WHERE id % 10 <> 0")
    connection.refresh()
    connection.execute("CHECKPOINT")
    connection.execute("INSERT INTO facts SELECT * REPLACE (-id AS id, 'late error' AS note) FROM facts LIMIT 9")
    _all(connection)
    connection.refresh()
    assert all(_all(connection))


def test_undo_and_purge_leave_nothing(connection: Connection) -> None:
    connection.execute("UPDATE facts SET r = 1 WHERE id = 1")
    assert connection.purge() == 1
    assert not any(_all(connection))
    _install(connection)
    assert all(_all(connection))
    connection.undo()
    assert not any(_all(connection))
    assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall() == [(0,)]


def test_reopened(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as connection:
        _install(connection)
        groups = row_groups(connection, _TEXTS[0])
    with sartor.connect(path, config={"threads": 1}) as connection:
        assert all(_all(connection))
        assert row_groups(connection, _TEXTS[0]) == groups
    with duckdb.connect(path) as other:
        other.execute("UPDATE facts SET note = 'error' WHERE id = 5; INSERT INTO facts SELECT * FROM facts LIMIT 3")
    with sartor.connect(path, config={"threads": 1}) as connection:
        assert not any(_all(connection))
        connection.refresh()
        assert all(_all(connection))


def test_what_is_distrusted_is_verified_without_its_hidden_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with opened(path) as connection:
        layout = _install(connection)
    with duckdb.connect(path) as other:
        other.execute("CREATE TABLE unrelated AS SELECT 1 AS x")
    with sartor.connect(path, config={"threads": 1}) as connection:
        connection.refresh()
        (found,) = session_of(connection).database.design.objects.values()
        assert found.generation == layout.generation
        assert all(_all(connection))


def test_an_empty_table_has_a_layout_too() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%error%'", table="nothing")
        text = "SELECT * FROM nothing WHERE note LIKE '%error%'"
        assert served(connection, text)
        connection.execute("INSERT INTO nothing SELECT * FROM facts WHERE id < 1000")
        assert served(connection, text)
        connection.refresh()
        assert served(connection, text)
        assert plain(connection, text)[1]


def test_a_long_tail_is_sorted_again_with_its_hidden_columns() -> None:
    texts = ("SELECT count(*), sum(id) FROM facts WHERE note LIKE '%error%'", "SELECT count(*) FROM facts WHERE r < 20 AND q < 30")
    with opened() as connection:
        install(connection, "note LIKE '%error%'", then=("r",))
        install_cells(connection, "hilbert", "r", "q")
        for _ in range(5):
            connection.execute("INSERT INTO facts SELECT * FROM facts LIMIT 70000")
            connection.refresh()
        objects = session_of(connection).database.design.objects.values()
        assert {derived.generation for derived in objects} == {2}
        for text in texts:
            assert served(connection, text)
            assert row_groups(connection, text) <= 4
