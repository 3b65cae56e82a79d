"""Layouts built by a stream: what they hold is what ORDER BY would have stored, also with tails, and after refreshes and reopens."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.components.layouts import LAYOUTS, cells
from sartor.core.derived import ORDER_COLUMN, DerivedObject
from sartor.core.table import quote
from sartor.interfaces.connection import Connection, session_of
from tests.engines.support import streaming_whatever_can_be
from tests.layouts.support import install, install_cells, opened, served

_BITS = ("note LIKE '%error%'", "r < q")
_KINDS = (*cells.KINDS, cells.OUTLIERS, "truth bits")


@pytest.fixture(autouse=True)
def streams(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Streams whatever can be; tells of each try whether it did."""
    return streaming_whatever_can_be(monkeypatch)


def _installed(connection: Connection, kind: str) -> DerivedObject:
    return install_cells(connection, kind, "r", "q") if kind in (*cells.KINDS, cells.OUTLIERS) else install(connection, *_BITS)


def _holds_what_order_by_stores(connection: Connection) -> None:
    (derived,) = session_of(connection).database.design.objects.values()
    query = LAYOUTS.copy(derived.action).build_query()
    made = f'sartor."{derived.table}"'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS {query.sql}")
    for left, right in ((made, "wanted"), ("wanted", made)):
        assert connection.execute(f"SELECT count(*) FROM (FROM {left} EXCEPT ALL FROM {right})").fetchall() == [(0,)]
    key = ", ".join(f"of_rows.{quote(name)}" for name in query.key)
    rows = f"{{}} AS held JOIN ({query.select}) AS of_rows USING ({quote(ORDER_COLUMN)})"
    orders = [connection.execute(f"SELECT {key} FROM {rows.format(one)} ORDER BY held.rowid").fetchall() for one in (made, "wanted")]
    assert orders[0] == orders[1]
    connection.execute("DROP TABLE wanted")


@pytest.mark.parametrize("kind", _KINDS)
def test_tails_refreshes_and_rebuilding(streams: list[bool], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    text = "SELECT count(*), sum(id), min(d) FROM facts WHERE note LIKE '%error%' AND r BETWEEN 5 AND 70"
    with opened(path) as connection:
        _installed(connection, kind)
        assert streams == [True]
        _holds_what_order_by_stores(connection)
        assert served(connection, text)
        connection.execute("INSERT INTO facts SELECT * REPLACE (-id AS id) FROM facts WHERE r = 7; INSERT INTO facts (id) VALUES (-1)")
        assert served(connection, text)
        connection.refresh()
        assert served(connection, text)
        connection.execute("ALTER TABLE facts ADD COLUMN more INTEGER; UPDATE facts SET r = 6 WHERE id % 10 = 3")
        connection.execute("DELETE FROM facts WHERE id % 3 = 0")
        assert not served(connection, text)
        connection.refresh()
        assert served(connection, text)
    with sartor.connect(path, layouts=True) as connection:
        assert served(connection, text)
        connection.undo()
        assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall() == [(0,)]


@pytest.mark.parametrize("kind", ["hilbert", "truth bits"])
def test_larger_than_memory_it_is_left_to_order_by_which_spills(streams: list[bool], kind: str, tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb") as connection:
        connection.execute("CREATE OR REPLACE TABLE facts AS SELECT * REPLACE (repeat(note, 20) AS note) FROM facts")
        connection.execute("CHECKPOINT; SET memory_limit = '50MB'")
        ((size,),) = connection.execute("SELECT sum(strlen(note) + 30) FROM facts").fetchall()
        assert size > 60_000_000
        _installed(connection, kind)
        assert streams == [False]
        connection.execute("RESET memory_limit")
        _holds_what_order_by_stores(connection)
