"""`con.lookup`: many keys at once give the same table from memory and by the join, which is what plain DuckDB answers."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sartor
from sartor.interfaces.connection import session_of
from tests.point_lookup.support import hold, opened

_KEYS = [1, 9, 2, 1]


@pytest.mark.parametrize("given", [list, np.array, pa.array, lambda keys: pa.chunked_array([keys[:1], keys[1:]])])
def test_the_rows_of_each_key_in_turn(given: Callable[[list[int]], Any]) -> None:
    with opened() as connection:
        joined = connection.lookup("t", given(_KEYS), key="k")
        hold(connection)
        found = connection.lookup("t", given(_KEYS), key="k")
        assert found.equals(joined)
        assert found.schema == joined.schema
        assert found.column("s").to_pylist() == ["a", "b", None, "a", "b"]


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("s", ["b", "none", "a"]),
        ("d", [datetime.date(1, 1, 1), datetime.date(2024, 1, 1)]),
        ("k", []),
        ("k", [1.0, 2.0]),
        ("k", [1, None]),
        ("k", ["1"]),
        ("k", [2**40]),
    ],
)
def test_keys_of_every_kind(key: str, keys: list[Any]) -> None:
    with opened() as connection:
        joined = connection.lookup("t", keys, ["m"], key=key)
        hold(connection, key)
        assert connection.lookup("t", keys, ["m"], key=key).equals(joined)


def test_in_parts_and_after_changes() -> None:
    with opened() as connection:
        hold(connection)
        for number in range(6):
            connection.execute("INSERT INTO t VALUES (?, 'more', 1, NULL), (1, 'again', 1, NULL)", [number])
            before = connection.lookup("t", _KEYS, ["s"], key="k")
            connection.refresh()
            assert connection.lookup("t", _KEYS, ["s"], key="k").equals(before)
        connection.execute("DELETE FROM t WHERE s = 'again'")
        assert connection.lookup("t", [1], ["s"], key="k").column("s").to_pylist() == ["a", "b", "more"]


def test_a_transaction_sees_its_own_rows() -> None:
    with opened() as connection:
        hold(connection)
        connection.begin()
        connection.execute("INSERT INTO t VALUES (77, 'mine', 1, NULL)")
        assert connection.lookup("t", [77], ["s"], key="k").column("s").to_pylist() == ["mine"]
        connection.rollback()
        assert connection.lookup("t", [77], ["s"], key="k").num_rows == 0


def test_the_declared_key_is_the_key() -> None:
    with sartor.connect() as connection:
        connection.execute("CREATE TABLE keyed (id INTEGER PRIMARY KEY, name VARCHAR)")
        connection.execute("INSERT INTO keyed VALUES (1, 'one'), (2, 'two')")
        assert connection.lookup("keyed", [2, 1]).to_pylist() == [{"id": 2, "name": "two"}, {"id": 1, "name": "one"}]
        connection.execute("CREATE TABLE loose (id INTEGER)")
        with pytest.raises(sartor.LookupRefused, match="name it"):
            connection.lookup("loose", [1])
        with pytest.raises(sartor.LookupRefused, match="is no table"):
            connection.lookup("nowhere", [1], key="id")


def test_a_temporary_table_of_that_name_is_the_one_that_is_read() -> None:
    with opened() as connection:
        hold(connection)
        connection.execute("CREATE TEMP TABLE t AS SELECT 1 AS k, 'temporary' AS s")
        assert connection.lookup("t", [1], ["s"], key="k").column("s").to_pylist() == ["temporary"]


def test_batches_are_seen_by_the_tuner() -> None:
    with opened() as connection:
        connection.lookup("t", _KEYS, ["s"], key="k")
        session_of(connection).database.log.flush()
        texts = [row[0] for row in connection.workload().project("template").fetchall()]
        assert 'SELECT "k", "s" FROM t WHERE "k" = ?' in texts
