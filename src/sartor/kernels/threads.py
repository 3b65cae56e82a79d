"""Run tasks side by side; tell the share done; stop all when one fails, when asked to, or on Ctrl-C."""

from __future__ import annotations

import os
import threading
from _thread import start_new_thread
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar, cast

from sartor.core.constants import PROGRESS_SECONDS
from sartor.core.errors import SortCancelled

Progress = Callable[[float], object]
Result = TypeVar("Result")


class Watch:
    """The progress of one call, over phases that each take a share of it.

    The callback runs on the caller's thread only. It cancels by returning False (the call raises `SortCancelled`) or by
    raising (the call raises that). Either way the input is as it was and scratch memory is free again.
    """

    def __init__(self, progress: Progress | None = None) -> None:
        self.stopped = False
        self._progress = progress
        self._begin, self._share, self._done, self._steps = 0.0, 0.0, 0, 1
        self._scale = 1.0

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """Phases inside are shares of this share of the whole."""
        begin, scale = self._begin + self._share, self._scale
        self._begin, self._share, self._scale = begin, 0.0, scale * share
        yield
        self._begin, self._share, self._scale = begin + scale * share, 0.0, scale

    def phase(self, share: float, steps: int = 1) -> None:
        """Begin a phase of so many steps that takes this share of the whole; phases before are done."""
        self._begin, self._share, self._done, self._steps = self._begin + self._share, share * self._scale, 0, max(steps, 1)
        self.tell()

    def step(self, count: int = 1) -> None:
        """Steps are done. Those of several threads may be lost from the count; it is a picture, not a fact."""
        self._done += count

    def tell(self) -> None:
        """Tell the caller."""
        if self._progress is not None:
            share = self._begin + self._share * min(self._done / self._steps, 1.0)
            if self._progress(min(share, 1.0)) is False:
                raise SortCancelled

    def finish(self) -> None:
        """Tell that all is done."""
        self._begin, self._share = 1.0, 0.0
        self.tell()


@dataclass(eq=False, slots=True)
class _Job(Generic[Result]):
    """A task for a worker.

    Nothing is locked: Ctrl-C may come between any two steps of the caller, and a lock that it left taken would be for ever. The worker
    marks a job as started before it looks whether it is called off; the caller calls it off before it looks whether it has started.
    So it is called off, or the caller knows that it runs.
    """

    task: Callable[[], Result]
    ended: SimpleQueue[None]
    called_off: bool = False
    started: bool = False
    done: bool = False
    result: Result | None = None
    error: BaseException | None = None


def run(tasks: Sequence[Callable[[], Result]], watch: Watch) -> list[Result]:
    """Run each task on a thread of its own; one alone runs here. No task runs any more when this returns or raises."""
    if len(tasks) == 1:
        return [tasks[0]()]
    ended: SimpleQueue[None] = SimpleQueue()
    jobs = [_Job(task, ended) for task in tasks]
    try:
        for job in jobs:
            _workers().put(job)
        while not all(job.done for job in jobs):
            watch.stopped |= any(job.error is not None for job in jobs)
            with suppress(Empty):
                ended.get(timeout=PROGRESS_SECONDS.default)
            if not watch.stopped:
                watch.tell()
    except BaseException:
        watch.stopped = True
        _call_off(jobs)
        raise
    for job in jobs:
        if job.error is not None:
            raise job.error
    return [cast(Result, job.result) for job in jobs]


def _call_off(jobs: Sequence[_Job[Any]]) -> None:
    """Return when none of them runs or will run, however often Ctrl-C comes meanwhile: what it asks for is under way."""
    while True:
        with suppress(KeyboardInterrupt):
            for job in jobs:
                job.called_off = True
            while any(job.started and not job.done for job in jobs):
                with suppress(Empty):
                    jobs[0].ended.get(timeout=PROGRESS_SECONDS.default)
            return


def over(items: Iterable[Result], do: Callable[[Result], None], threads: int, watch: Watch) -> None:
    """Do something for each item, each thread taking the next that is left; every item is a step."""
    waiting, lock = iter(items), threading.Lock()

    def left() -> Iterator[Result]:
        while not watch.stopped:
            with lock:
                item = next(waiting, None)
            if item is None:
                return
            yield item

    def work() -> None:
        for item in left():
            do(item)
            watch.step()
            if threads == 1:
                watch.tell()

    run([work] * threads, watch)


def cuts(rows: int, threads: int) -> list[tuple[int, int]]:
    """Rows in equal parts.

    >>> cuts(10, 3)
    [(0, 3), (3, 6), (6, 10)]
    """
    borders = [rows * part // threads for part in range(threads + 1)]
    return list(pairwise(borders))


@cache
def _workers() -> SimpleQueue[_Job[Any]]:
    """What the workers take their jobs from; there are as many as there are processors."""
    jobs: SimpleQueue[_Job[Any]] = SimpleQueue()
    for _ in range(max(os.cpu_count() or 1, 2)):
        start_new_thread(_work, (jobs,))
    return jobs


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_workers.cache_clear)  # a child has none of its parent's threads


def _work(jobs: SimpleQueue[_Job[Any]]) -> None:
    while True:
        job = jobs.get()
        job.started = True
        if not job.called_off:
            try:
                job.result = job.task()
            except BaseException as error:
                job.error = error
        job.done = True
        job.ended.put(None)
        del job  # what it holds is let go while waiting for the next
