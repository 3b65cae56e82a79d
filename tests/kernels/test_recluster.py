"""Reclustered tables: every type of column moves, the schema stays, and out of core gives the same rows."""

from __future__ import annotations

import decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import sartor
from sartor.core.errors import SortCancelled
from sartor.kernels import recluster, recluster_dataset


def _table(rows: int, seed: int = 0) -> Any:
    draw = np.random.default_rng(seed)
    nulls = draw.random(rows) < 0.1
    words = [f"https://www.{'x' * (number % 9)}{number}" for number in draw.integers(0, 500, rows).tolist()]
    numbers = [None if null else decimal.Decimal(int(value)) for null, value in zip(nulls, draw.integers(-99, 99, rows), strict=True)]
    columns = {
        "key": draw.integers(-(2**62), 2**62, rows),
        "row": np.arange(rows),
        "small": draw.integers(0, 9, rows).astype(np.int16),
        "half": draw.normal(0, 1, rows).astype(np.float16),
        "single": pa.array(draw.normal(0, 1, rows).astype(np.float32), mask=nulls),
        "flag": pa.array(draw.random(rows) < 0.5, mask=nulls),
        "text": pa.array(words, pa.string(), mask=nulls),
        "large": pa.array(words, pa.large_string()),
        "word": pa.array(words).dictionary_encode(),
        "bytes": pa.array([b"abc"] * rows, pa.binary(3)),
        "decimal": pa.array(numbers, pa.decimal128(30, 2)),
        "time": pa.array(draw.integers(0, 10**15, rows), pa.timestamp("us")),
        "list": pa.array([[value] for value in draw.integers(0, 9, rows).tolist()], pa.list_(pa.int64())),
        "nothing": pa.nulls(rows),
    }
    return pa.table(columns).replace_schema_metadata({"made": "by a test"})


@pytest.mark.parametrize("keys", ["key", "small", "text", "decimal", "word", "flag", ["small", "text"], ["single", "key"]])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_column_moves(keys: str | list[str], threads: int) -> None:
    table = _table(3000)
    found = recluster(table, keys, threads=threads)
    found.validate(full=True)
    order = sartor.argsort(*[table[name] for name in ([keys] if isinstance(keys, str) else keys)])
    assert found.schema.equals(table.schema, check_metadata=True)
    assert found.to_pydict() == table.take(pa.array(order)).to_pydict()


def test_text_of_views_and_of_later_types_moves() -> None:
    table = _table(50)
    views = table.append_column("view", table["text"].cast(pa.string_view()))
    assert recluster(views, "key")["view"].to_pylist() == recluster(views, "key")["text"].to_pylist()


def test_columns_of_extensions_that_are_no_numbers_move() -> None:
    table = pa.table({"key": [2, 1, 3], "id": pa.array([bytes([number] * 16) for number in (20, 10, 30)], pa.uuid())})
    assert recluster(table, "key").equals(table.take(pa.array([1, 0, 2])))


def test_a_table_in_order_is_handed_back() -> None:
    table = pa.table({"a": [1, 2, 2], "b": [3, 2, 1]})
    assert recluster(table, "a") is table
    assert recluster(table.slice(0, 0), "a").num_rows == 0
    nearly = pa.table({"a": np.arange(100_000) ^ 1})
    np.testing.assert_array_equal(recluster(nearly, "a")["a"].to_numpy(), np.arange(100_000))


def test_unknown_columns_and_bad_options_are_refused() -> None:
    with pytest.raises(KeyError):
        recluster(_table(3), "absent")
    with pytest.raises(ValueError, match="at least 1"):
        recluster(_table(3), "key", threads=0)
    with pytest.raises(TypeError, match="can not be sorted"):
        recluster(_table(3), "list")
    with pytest.raises(ValueError, match="at least 1"):
        next(recluster_dataset(_table(3), "key", memory_bytes=0))


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ("key", {}),
        ("key", {"descending": True}),
        (["text", "key"], {"nulls": "first"}),
        (["decimal", "small"], {"descending": (True, False)}),
        ("word", {}),
        ("small", {"threads": 2}),
    ],
)
def test_out_of_core_gives_the_same_rows(keys: Any, options: dict[str, Any], tmp_path: Path) -> None:
    table = _table(20_000)
    path = tmp_path / "table.parquet"
    pq.write_table(table, path, row_group_size=3000)
    parts = list(recluster_dataset(path, keys, memory_bytes=500_000, folder=tmp_path, **options))
    assert len(parts) > 3
    assert pa.concat_tables(parts).to_pydict() == recluster(table, keys, **options).to_pydict()
    assert [left.name for left in tmp_path.iterdir()] == ["table.parquet"]


def test_out_of_core_leaves_no_files_when_it_is_given_up(tmp_path: Path) -> None:
    parts = recluster_dataset(_table(20_000), "key", memory_bytes=500_000, folder=tmp_path)
    next(parts)
    assert list(tmp_path.iterdir())
    parts.close()
    assert not list(tmp_path.iterdir())
    stopped = recluster_dataset(_table(20_000), "key", memory_bytes=500_000, folder=tmp_path, progress=lambda done: done < 0.3)
    with pytest.raises(SortCancelled):
        list(stopped)
    assert not list(tmp_path.iterdir())
