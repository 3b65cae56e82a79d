"""Long sorts tell their progress, can be stopped and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sartor
from sartor.core.errors import SortCancelled
from sartor.kernels import recluster
from sartor.kernels.threads import Watch, over, run

VALUES = np.random.default_rng(0).integers(-(2**62), 2**62, 300_000)


def _calls(threads: int) -> list[Callable[[Callable[[float], object]], Any]]:
    table = pa.table({"a": VALUES, "b": VALUES})
    return [
        lambda progress: sartor.argsort(VALUES, threads=threads, progress=progress),
        lambda progress: sartor.sort(VALUES, threads=threads, progress=progress),
        lambda progress: recluster(table, "a", threads=threads, progress=progress),
    ]


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_rises_to_one(threads: int) -> None:
    for call in _calls(threads):
        told: list[float] = []
        call(told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_sort_can_be_stopped(threads: int, share: float) -> None:
    before = VALUES.copy()
    for call in _calls(threads):
        with pytest.raises(SortCancelled):
            call(lambda done: done < share)
        with pytest.raises(KeyboardInterrupt):
            call(_interrupt)
    np.testing.assert_array_equal(before, VALUES)
    np.testing.assert_array_equal(sartor.argsort(VALUES, threads=threads), np.argsort(VALUES, kind="stable"))


def _interrupt(_done: float) -> None:
    raise KeyboardInterrupt


def test_no_task_runs_after_one_has_failed() -> None:
    watch, done = Watch(), []

    def work(item: int) -> None:
        if item == 3:
            raise ZeroDivisionError
        done.append(item)

    with pytest.raises(ZeroDivisionError):
        over(range(100_000), work, 2, watch)
    assert len(done) < 100_000
    assert run([lambda: 1, lambda: 2], Watch()) == [1, 2]
