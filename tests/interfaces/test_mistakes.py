"""A text that can not be parsed raises as in plain DuckDB, and costs nothing else."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

import sartor
from sartor.interfaces.connection import session_of


@pytest.mark.parametrize(
    "text", ["selct 1", "CREATE TABLE u (i INTEGER); selct", "select 1 +", "SELECT count(*) FROM t WHERE", "bla; DROP TABLE t"]
)
def test_what_can_not_be_parsed_changes_nothing(text: str) -> None:
    with sartor.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        database = session_of(connection).database
        before, generation = database.registry.state, database.generation
        with pytest.raises(duckdb.ParserException):
            connection.execute(text)
        assert (database.registry.state.mutations("t"), database.generation) == (before.mutations("t"), generation)
        assert not session_of(connection).plain
        assert not database.plain
        assert connection.execute("SELECT i FROM t").fetchall() == [(1,)]


def test_what_is_parsed_and_not_known_counts_as_having_written_everything() -> None:
    with sartor.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        database = session_of(connection).database
        before = database.registry.state.mutations("t")
        connection.execute("COMMENT ON TABLE t IS 'one'")
        assert database.registry.state.mutations("t") > before


def test_while_sartor_works_it_counts_as_having_written_everything() -> None:
    """Its own connection, which could tell, is not free then."""
    import threading

    with sartor.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS i")
        database = session_of(connection).database
        before = database.registry.state.mutations("t")
        found: list[Any] = []

        def ask() -> None:
            try:
                connection.execute("selct 1")
            except duckdb.ParserException as error:
                found.append(error)

        with database.engine_lock:
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join()
        assert len(found) == 1
        assert database.registry.state.mutations("t") > before
