"""What copies take is foretold from what DuckDB's statistics say of their columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.auxiliary_copies.apply import auxiliary_copy
from sartor.components.auxiliary_copies.estimate import estimate
from sartor.components.copies import cost
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import Catalog
from sartor.engines.duckdb.catalog import read_catalog
from tests.freshness.support import database_of

_ROWS = 400_000
_TABLE = (
    "CREATE TABLE t AS SELECT range AS id, (hash(range) % 900)::INTEGER AS narrow, hash(range, 1) % 1_000_000_000 AS wide, "
    "(hash(range, 2) % 100_000 / 100)::DECIMAL(9,2) AS price, DATE '2020-01-01' + (hash(range, 3) % 1_000)::INTEGER AS day, "
    "TIMESTAMP '2020-01-01' + INTERVAL (hash(range, 4) % 1_000_000) SECOND AS at, 'name ' || hash(range, 5) % 50 AS name, "
    f"hash(range, 6)::DOUBLE AS measured, NULL::INTEGER AS nothing FROM range({_ROWS})"
)


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        (("narrow", "price"), "narrow"),
        (("narrow", "price", "day", "id"), "price"),
        (("id", "wide"), "id"),
        (("wide", "narrow", "nothing"), "wide"),
        (("name", "narrow", "measured"), "name"),
        (("id", "narrow", "wide", "price", "day", "at", "name", "measured", "nothing"), "day"),
    ],
)
def test_a_copy_takes_what_was_foretold(tmp_path: Path, columns: tuple[str, ...], key: str) -> None:
    with sartor.connect(tmp_path / "t.duckdb", config={"threads": 1}) as con:
        con.execute(_TABLE)
        con.execute("CHECKPOINT")
        (info,) = _catalog(con)
        action = sorted_copy(info.source, columns, (key,), frozenset(), then_by_row=False, schema=())
        foretold = cost(action, {}, info.rows, _catalog(con), sorted_by=key).bytes_stored.value
        taken = database_of(con).install(action).bytes_stored
    assert taken / 2 - 262_144 < foretold < 2 * taken


def test_a_copy_in_the_order_of_its_table_takes_little_for_the_numbers_of_its_rows(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "t.duckdb", config={"threads": 1}) as con:
        con.execute(_TABLE)
        con.execute("CHECKPOINT")
        catalog = _catalog(con)
        (info,) = catalog
        action = auxiliary_copy(info.source, ("narrow", "price"))
        (foretold,) = estimate([action], catalog)
        taken = database_of(con).install(action).bytes_stored
    assert taken / 2 - 262_144 < foretold.bytes_stored.value < 1.5 * taken


def test_what_nothing_is_known_of_takes_a_share_of_its_type(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "t.duckdb", config={"threads": 1}) as con:
        con.execute("CREATE TABLE t (a INTEGER, b DECIMAL(30,4), c VARCHAR, d STRUCT(x INTEGER), e TIMESTAMP, f BOOLEAN)")
        (empty,) = _catalog(con)
        assert not empty.widths
        assert set(empty.distinct.values()) == {0}
        con.execute("INSERT INTO t VALUES (1, 2, 'three', {'x': 4}, 'infinity', true), (NULL, NULL, NULL, NULL, NULL, NULL)")
        (info,) = _catalog(con)
        action = sorted_copy(info.source, ("a", "b", "c", "d", "e", "f"), ("a",), frozenset(), then_by_row=False, schema=())
        foretold = [
            cost(action, {}, 1000.0, catalog).bytes_stored.value for catalog in (Catalog("t", (info,)), Catalog("t", (empty,)))
        ]
    assert all(1_000 < one < 100_000 for one in foretold)


_ENDLESS = [
    (kind, values)
    for kind in ("DATE", "TIMESTAMP", "TIMESTAMPTZ")
    for values in ("'infinity', '2024-01-01'", "'-infinity', 'infinity'")
]


@pytest.mark.parametrize(
    ("kind", "values"), [*_ENDLESS, ("DATE", "'2024-01-01', '1066-10-14 (BC)'"), ("TIME", "'12:00:00', '13:00:00'")]
)
def test_times_of_all_kinds_have_a_width(kind: str, values: str) -> None:
    with sartor.connect(config={"threads": 1}) as con:
        con.execute(f"CREATE TABLE t AS SELECT unnest([{values}])::{kind} AS at")
        (info,) = _catalog(con)
        assert all(0 <= width.bits(1_000.0) <= 80 for width in info.widths.values())


def _catalog(con: Any) -> Catalog:
    return read_catalog(database_of(con).engine(), 0)
