"""What Sartor keeps in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

import sartor
from sartor.freshness import stored
from sartor.freshness.usable import Use
from tests.freshness.support import ask, database_of, opened, plain, warm


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
        stored.save_choices(database.engine(), {"digest": ()})
        assert stored.load_choices(database.engine()) == {"digest": ()}


def test_a_renamed_file_is_still_served(tmp_path: Path) -> None:
    opened(tmp_path / "one.duckdb").close()
    (tmp_path / "one.duckdb").rename(tmp_path / "two.duckdb")
    with sartor.connect(tmp_path / "two.duckdb") as con:
        warm(con)
        assert ask(con) == (plain(con), ())
        con.refresh()
        warm(con)
        assert ask(con) == (plain(con), (Use.WHOLE,))
