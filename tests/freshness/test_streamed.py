"""A copy that was built by a stream is an object like any other: current, refreshed, verified after a reopen, and undone."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.engines.duckdb import create
from sartor.freshness.usable import Use
from tests.freshness.support import COUNT, LOOK_UP, ask, copy_of, opened, plain, warm


@pytest.fixture(autouse=True)
def _streamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create, "streams_faster", lambda *_: True)


def test_it_is_served_and_no_write_is_suspected(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb") as con:
        warm(con)
        for text in (COUNT, LOOK_UP):
            rows, how = ask(con, text)
            assert how == (Use.WHOLE,)
            assert rows == plain(con, text)
        con.execute("INSERT INTO t VALUES (-1, 7)")
        assert ask(con)[1] == (Use.RESIDUAL,)
        assert ask(con)[0] == plain(con)
        con.execute("CREATE OR REPLACE TABLE other AS SELECT 1")
        con.execute("DELETE FROM t WHERE a % 3 = 0")
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))


def test_it_stands_after_a_reopen(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    opened(path).close()
    with sartor.connect(path) as con:
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
        con.undo()
        assert con.execute("SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall() == [(0,)]


def test_settings_of_the_user_stay(tmp_path: Path) -> None:
    with opened(tmp_path / "t.duckdb") as con:
        con.execute("SET arrow_output_version = '1.4'")
        before = con.sql("SELECT 'text' AS word, 1.5::DECIMAL(4,2) AS price").to_arrow_table().schema
        copy_of(con)
        assert con.sql("SELECT 'text' AS word, 1.5::DECIMAL(4,2) AS price").to_arrow_table().schema == before
        assert con.execute("SELECT current_setting('arrow_output_version')").fetchall() == [("1.4",)]
