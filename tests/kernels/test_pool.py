"""Memory is kept between calls within its bounds, and never lent twice."""

from __future__ import annotations

import gc
import mmap
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sartor
from sartor.core.constants import RESULT_BYTES, RESULT_LEAST_BYTES, SCRATCH_BYTES
from sartor.kernels import pool, recluster
from sartor.kernels.pool import held_bytes, result, scratch

SIZE = 2 * int(RESULT_LEAST_BYTES.default) // 8
keeps = pytest.mark.skipif(not hasattr(mmap, "MADV_FREE"), reason="here no result's memory is kept")


@pytest.fixture(autouse=True)
def _nothing_is_kept_before() -> None:
    gc.collect()
    pool.release()


def test_scratch_memory_is_bounded_and_reused() -> None:
    pool.release()
    with scratch(1000, np.uint64) as first:
        place = first.ctypes.data
        assert place % 64 == 0
    with scratch(900, np.uint64) as second:
        assert second.ctypes.data == place
    with scratch(int(SCRATCH_BYTES.default) + 1, np.uint8):
        pass
    assert held_bytes() <= SCRATCH_BYTES.default
    pool.release()
    assert held_bytes() == 0


@keeps
@pytest.mark.parametrize(
    "part_of", [lambda found: found[5:6], lambda found: found.view("u1")[9:], lambda found: pa.py_buffer(found).slice(8)]
)
def test_memory_of_a_result_is_lent_again_only_when_nothing_refers_to_a_part_of_it(part_of: Callable[[Any], Any]) -> None:
    first = result(SIZE, np.int64)
    part = part_of(first)
    del first
    assert held_bytes() == 0
    other = result(SIZE, np.int64)
    other.fill(7)
    del part
    assert held_bytes() == SIZE * 8
    third = result(SIZE - 10, np.int64)
    third.fill(3)
    assert (held_bytes(), int(other.min())) == (0, 7)
    del third, other
    assert held_bytes() == 2 * SIZE * 8


@keeps
def test_a_result_that_the_collector_finds_comes_back() -> None:
    loop: list[Any] = [result(SIZE, np.int64)]
    loop.append(loop)
    del loop
    gc.collect()
    assert held_bytes() == SIZE * 8


@keeps
def test_results_that_are_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 3 * SIZE * 8
    monkeypatch.setattr(pool, "_results", pool._Kept(replace(RESULT_BYTES, default=most), 1.0))
    kept = [sartor.sort(np.arange(size, 0, -1)) for size in range(SIZE, 2 * SIZE, SIZE // 4)]
    del kept
    assert SIZE * 8 <= held_bytes() <= most


def test_results_stay_as_they_were_while_others_come_and_go() -> None:
    draw = np.random.default_rng(5)
    columns = [draw.integers(0, 10**6, 700_000) for _ in range(3)]
    kept: list[Any] = []
    for turn in range(9):
        array = columns[turn % 3]
        kept.append((array, sartor.argsort(array), sartor.sort(array)))
        del kept[turn // 2 : turn // 2 + turn % 2]
    assert len(kept) > 3
    for array, order, ordered in kept:
        assert np.array_equal(order, np.argsort(array, kind="stable"))
        assert np.array_equal(ordered, np.sort(array))
    table = pa.table({"key": columns[0], "value": columns[1]})
    tables = [recluster(table, key) for key in ("key", "value")]
    del tables[1]
    again = recluster(table, "value")
    assert tables[0].equals(table.take(pa.array(np.argsort(columns[0], kind="stable"))))
    assert again.equals(table.take(pa.array(np.argsort(columns[1], kind="stable"))))


def test_scratch_memory_of_a_block_that_raised_is_not_lent_again() -> None:
    with pytest.raises(KeyboardInterrupt), scratch(1000, np.uint64):
        raise KeyboardInterrupt
    assert held_bytes() == 0


@keeps
def test_whoever_finds_the_memory_behind_a_result_holds_it() -> None:
    first = result(SIZE, np.int64)
    found = np.asarray(first.base)
    del first
    assert held_bytes() == 0
    del found
    assert held_bytes() == SIZE * 8
