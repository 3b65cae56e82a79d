"""Long sorts tell their progress, can be stopped and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sartor
from sartor.core.errors import SortCancelled
from sartor.kernels import recluster, threads
from sartor.kernels.threads import Watch, over, run

VALUES = np.random.default_rng(0).integers(-(2**62), 2**62, 300_000)


def _calls(count: int) -> list[Callable[[Callable[[float], object]], Any]]:
    table = pa.table({"a": VALUES, "b": VALUES})
    return [
        lambda progress: sartor.argsort(VALUES, threads=count, progress=progress),
        lambda progress: sartor.sort(VALUES, threads=count, progress=progress),
        lambda progress: recluster(table, "a", threads=count, progress=progress),
    ]


@pytest.mark.parametrize("count", [1, 2])
def test_progress_rises_to_one(count: int) -> None:
    for call in _calls(count):
        told: list[float] = []
        call(told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_sort_can_be_stopped(count: int, share: float) -> None:
    before = VALUES.copy()
    for call in _calls(count):
        with pytest.raises(SortCancelled):
            call(lambda done: done < share)
        with pytest.raises(KeyboardInterrupt):
            call(_interrupt)
    np.testing.assert_array_equal(before, VALUES)
    np.testing.assert_array_equal(sartor.argsort(VALUES, threads=count), np.argsort(VALUES, kind="stable"))


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


def _until_stopped(watch: Watch, ended: list[int]) -> list[Callable[[], None]]:
    """Two tasks, each of which runs until it is stopped."""

    def wait(number: int) -> None:
        while not watch.stopped:
            pass
        ended.append(number)

    return [partial(wait, number) for number in range(2)]


class _CtrlC:
    """What stands for a queue and raises at one call of `put` or of `get`, as a signal would."""

    def __init__(self, queue: Any, *, put: int = 0, get: int = 0) -> None:
        self.queue, self.left = queue, {"put": put, "get": get}

    def put(self, item: Any) -> None:
        self._call("put")
        self.queue.put(item)

    def get(self, timeout: float) -> Any:
        self._call("get")
        return self.queue.get(timeout=timeout)

    def _call(self, name: str) -> None:
        self.left[name] -= 1
        if self.left[name] == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("at", [1, 2])
def test_no_task_runs_after_ctrl_c_while_they_are_handed_out(at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    watch, ended = Watch(), list[int]()
    handing = _CtrlC(threads._workers(), put=at)
    monkeypatch.setattr(threads, "_workers", lambda: handing)
    with pytest.raises(KeyboardInterrupt):
        run(_until_stopped(watch, ended), watch)
    before = list(ended)
    monkeypatch.undo()
    assert run([lambda: 1, lambda: 2], Watch()) == [1, 2]  # whoever waited before these has been taken by now
    assert ended == before


def test_no_task_runs_after_ctrl_c_came_again_while_they_were_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, ended = Watch(_interrupt), list[int]()
    real, waited = threads._Job, list[_CtrlC]()

    def job(task: Callable[[], None], queue: Any) -> Any:
        waited.append(_CtrlC(queue, get=2))
        return real(task, waited[0])  # type: ignore[arg-type]

    monkeypatch.setattr(threads, "_Job", job)
    monkeypatch.setattr(threads, "PROGRESS_SECONDS", replace(threads.PROGRESS_SECONDS, default=0.001))
    with pytest.raises(KeyboardInterrupt):
        run(_until_stopped(watch, ended), watch)
    before = list(ended)
    monkeypatch.undo()
    assert run([lambda: 1, lambda: 2], Watch()) == [1, 2]
    assert ended == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_sorts_with_threads_of_its_own() -> None:
    text = """
import os, numpy, sartor
values = numpy.random.default_rng(0).integers(0, 2**60, 400_000)
wanted = numpy.argsort(values)
assert (sartor.argsort(values, threads=2) == wanted).all()
child = os.fork()
if not child:
    os._exit(0 if (sartor.argsort(values, threads=2) == wanted).all() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", text], timeout=120, check=False).returncode == 0
