"""What a sample foretells, beside what DuckDB then reads of a copy in that order."""

from __future__ import annotations

import pytest

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.components.sort_keys.sample import draw
from sartor.core.predicate import Operator, Predicate
from sartor.core.table import TableName
from sartor.interfaces.connection import session_of

_ROWS = 1_000_000
_LIKE_ALL = "Clerk of store"  # longer than what zone maps know of a text


@pytest.mark.parametrize(
    ("column", "condition"),
    [
        ("clerk", f"clerk = '{_LIKE_ALL} 000000000042'"),
        ("clerk", f"clerk IN ('{_LIKE_ALL} 000000000042', '{_LIKE_ALL} 000000000043')"),
        ("short", "short = 'c00042'"),
        ("short", "short BETWEEN 'c00042' AND 'c00044'"),
        ("number", "number = 42"),
    ],
)
def test_row_groups_are_told_by_what_zone_maps_know(column: str, condition: str) -> None:
    with sartor.connect(config={"threads": 1}) as connection:
        connection.execute(
            f"CREATE TABLE t AS SELECT '{_LIKE_ALL} ' || lpad((hash(range) % 1000)::VARCHAR, 12, '0') AS clerk, "
            "'c' || lpad((hash(range) % 1000)::VARCHAR, 5, '0') AS short, (hash(range) % 1000)::INTEGER AS number "
            f"FROM range({_ROWS})"
        )
        database = session_of(connection).database
        with database.engine_lock:
            engine = database.engine()
            source = TableName(engine.database, "main", "t")
            sample = draw(engine, source, ("clerk", "short", "number"), 0)
            operator = Operator.IN if " IN " in condition else Operator.BETWEEN if "BETWEEN" in condition else Operator.EQUAL
            literals = tuple(f"'{part}'" for part in condition.split("'")[1::2]) if operator is not Operator.BETWEEN else ()
            values = literals or (("42",) if column == "number" else ())
            foretold = sample.groups_read((column,), [Predicate(column, operator, condition, values)])
            sample.drop()
        copy = database.install(sorted_copy(source, ("clerk", "short", "number"), (column,), frozenset()))
        with database.engine_lock:
            (scan,) = engine.profile(f'SELECT count(*) FROM sartor."{copy.table}" WHERE {condition}').scans
        assert abs(foretold - scan.row_groups_read) <= 1
        assert scan.row_groups_read == (scan.row_groups if column == "clerk" else 1)
