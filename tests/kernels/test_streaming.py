"""Reclustered streams equal reclustered tables, however the batches are cut and whatever comes late."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.core.errors import SortCancelled
from sartor.kernels import recluster
from sartor.kernels.streaming import in_order, row_bytes
from sartor.kernels.threads import Watch

WHOLE = {
    pa.int8(): (-(2**7), 2**7 - 1),
    pa.uint8(): (0, 2**8 - 1),
    pa.int16(): (-(2**15), 2**15 - 1),
    pa.uint16(): (0, 2**16 - 1),
    pa.int32(): (-(2**31), 2**31 - 1),
    pa.uint32(): (0, 2**32 - 1),
    pa.int64(): (-(2**63), 2**63 - 1),
    pa.uint64(): (0, 2**64 - 1),
}


def _streamed(table: Any, keys: list[str], batch: int, out: int, threads: int = 1, watch: Watch | None = None) -> Any:
    with in_order(table.select(keys), keys, threads, watch or Watch()) as arrangement:
        if arrangement is None:
            return table
        waiting = arrangement.fill(table.to_batches(max_chunksize=batch), table.schema, 1 << 40)
        return pa.Table.from_batches(arrangement.batches(waiting, table.schema, out), schema=table.schema)


def _plain(table: Any) -> Any:
    """Views of text as text: Arrow compares no views."""
    kinds = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
    return table.cast(pa.schema([field.with_type(kinds.get(field.type, field.type)) for field in table.schema]))


@st.composite
def _numbers(draw: st.DrawFn) -> Any:
    """Whole numbers that stay near each other for a while, then jump."""
    kind = draw(st.sampled_from(list(WHOLE)))
    low, high = WHOLE[kind]
    values: list[int | None] = []
    for _ in range(draw(st.integers(1, 4))):
        centre = draw(st.integers(low, high))
        width = draw(st.sampled_from([0, 1, 100, 300, 70_000, 2**33]))
        part = st.integers(max(centre - width, low), min(centre + width, high))
        values += draw(st.lists(st.none() | part if draw(st.booleans()) else part, max_size=40))
    return pa.array(values, kind)


@settings(max_examples=300, deadline=None)
@given(_numbers(), st.integers(1, 50), st.integers(1, 60), st.integers(0, 9))
def test_whole_numbers_come_out_as_they_went_in(values: Any, batch: int, out: int, seed: int) -> None:
    key = np.random.default_rng(seed).integers(0, max(len(values), 1), len(values))
    table = pa.table({"key": key, "value": values})
    found = _streamed(table, ["key"], batch, out)
    found.validate(full=True)
    assert found.equals(recluster(table, "key"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.none() | st.binary(max_size=20), max_size=40), max_size=4), st.integers(1, 40), st.integers(0, 9))
def test_text_comes_out_as_it_went_in(parts: list[list[bytes | None]], batch: int, seed: int) -> None:
    values = [value for part in parts for value in part * 3]
    key = np.random.default_rng(seed).integers(0, max(len(values), 1), len(values))
    table = pa.table({"key": key, "value": pa.array(values, pa.binary_view())})
    found = _streamed(table, ["key"], batch, 13)
    found.validate(full=True)
    assert _plain(found).equals(recluster(_plain(table), "key"))


def _mixed(rows: int) -> Any:
    draw = np.random.default_rng(0)
    late = np.arange(rows) > rows * 2 // 3  # nulls, large numbers and new texts come late
    texts = [f"a text of some length {number}" for number in np.where(late, draw.integers(0, rows, rows), draw.integers(0, 9, rows))]
    return pa.table(
        {
            "key": draw.integers(0, rows // 2, rows),
            "rising": np.arange(rows) * 1000,
            "late": pa.array(np.where(late, 2**60, 7), mask=late & (draw.random(rows) < 0.5)),
            "flag": pa.array(draw.random(rows) < 0.5, mask=late),
            "single": draw.normal(0, 1, rows).astype(np.float32),
            "wide": pa.array([Decimal(int(value)) for value in draw.integers(-9, 9, rows)], pa.decimal128(38, 0)),
            "narrow": pa.array([Decimal(int(value)) for value in draw.integers(-9, 9, rows)], pa.decimal64(9, 0)),
            "text": pa.array(texts, pa.string_view(), mask=draw.random(rows) < 0.2),
            "word": pa.array([f"w{number}" for number in draw.integers(0, 5, rows)], pa.string_view()),
            "nothing": pa.array([None] * rows, pa.string_view()),
        }
    )


@pytest.mark.parametrize("keys", [["key"], ["rising"], ["late", "single"], ["word"]])
@pytest.mark.parametrize("threads", [1, 2])
def test_late_surprises(keys: list[str], threads: int) -> None:
    table = _mixed(30_000)
    found = _streamed(table, keys, 1_000, 7_000, threads)
    found.validate(full=True)
    assert _plain(found).equals(recluster(_plain(table), keys))


def test_more_texts_than_a_dictionary_holds() -> None:
    texts = [f"{number}" for number in range(70_000)]
    order = np.random.default_rng(0).permutation(len(texts) * 5)
    table = pa.table({"key": order, "text": pa.array(texts * 5, pa.string_view())})
    assert _plain(_streamed(table, ["key"], 300_000, 100_000)).equals(recluster(_plain(table), "key"))


def _filled(keys: Any, table: Any, memory_bytes: int = 1 << 30, watch: Watch | None = None) -> None:
    """Take rows in and hand them out in batches of ten, for what it raises."""
    with in_order(keys, ["key"], 1, watch or Watch()) as arrangement:
        assert arrangement is not None
        waiting = arrangement.fill(table.to_batches(max_chunksize=1_000), table.schema, memory_bytes)
        for _ in arrangement.batches(waiting, table.schema, 10):
            pass


def test_other_rows_than_the_keys_were_of() -> None:
    table = pa.table({"key": [3, 1, 2]})
    with pytest.raises(ValueError, match="2 rows"):
        _filled(table, table.slice(0, 2))
    with pytest.raises(ValueError, match="more than the 3 rows"):
        _filled(table, pa.concat_tables([table, table]))


def test_a_budget_for_text_is_kept() -> None:
    table = pa.table({"key": [2, 1], "text": pa.array(["x" * 100_000, "y"], pa.string_view())})
    with pytest.raises(MemoryError):
        _filled(table.select(["key"]), table, 50_000)


@pytest.mark.parametrize("kind", [pa.string(), pa.list_(pa.int64()), pa.decimal256(50, 0), pa.month_day_nano_interval()])
def test_types_that_are_not_streamed(kind: Any) -> None:
    with pytest.raises(TypeError, match="can not be streamed"):
        row_bytes(pa.schema([("column", kind)]))


def test_it_can_be_cancelled_on_the_way_out() -> None:
    table, told = _mixed(3_000), iter([*[True] * 12, *[False] * 99])
    with pytest.raises(SortCancelled):
        _filled(table.select(["key"]), table, watch=Watch(lambda _: next(told)))
