"""Run tasks side by side; tell the share done; stop all when one fails, when asked to, or on Ctrl-C."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import TypeVar

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
        self.stopped = threading.Event()
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


def run(tasks: Sequence[Callable[[], Result]], watch: Watch) -> list[Result]:
    """Run each task on a thread of its own; one alone runs here. No task runs any more when this returns or raises."""
    if len(tasks) == 1:
        return [tasks[0]()]
    futures = [_threads().submit(task) for task in tasks]
    try:
        while wait(futures, PROGRESS_SECONDS.default, "FIRST_EXCEPTION").not_done and not _failed(futures):
            watch.tell()
        if _failed(futures):
            watch.stopped.set()
    except BaseException:
        watch.stopped.set()
        raise
    finally:
        wait(futures)
    return [future.result() for future in futures]


def over(items: Iterable[Result], do: Callable[[Result], None], threads: int, watch: Watch) -> None:
    """Do something for each item, each thread taking the next that is left; every item is a step."""
    waiting, lock = iter(items), threading.Lock()

    def left() -> Iterator[Result]:
        while not watch.stopped.is_set():
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


def _failed(futures: list[Future[Result]]) -> bool:
    return any(future.done() and future.exception() is not None for future in futures)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(os.cpu_count() or 1, 2), thread_name_prefix="sartor-kernels")
