"""What each way to sort costs on this machine: measured once in a process, when the first large column comes.

The ways differ by a constant or a logarithm a row, so half a dozen times of small columns are all there is to learn. What is
small is sorted without asking.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import log2
from time import perf_counter

import numpy as np

from sartor.core.constants import (
    ALIKE_PASSES,
    BUCKET_ROWS,
    BUCKET_SAMPLE_ROWS,
    COST_ROWS,
    DUPLICATE_SHARE,
    MODEL_ROW_SECONDS,
    SPLIT_SAMPLE_ROWS,
)

_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds a row.

    Attributes:
        sort: to sort numbers of 8 bytes, for each doubling of their number.
        merge: for NumPy's stable argsort, for each doubling of the number of sorted runs.
        pass_: to read a column and write another.
        partition: to classify rows and bring them to their buckets.
        split: to bring rows to one of two parts.
    """

    sort: float
    merge: float
    pass_: float
    partition: float
    split: float

    def packing(self, rows: int, threads: int, alike: float) -> float:
        """Seconds to pack and sort, a part on each thread; the key of each row in the share that looks alike is looked up."""
        count = useful(threads)
        each = self.pass_ + (self.split if count > 1 else self.pass_) + self.sort * log2(rows / count)
        return rows * (each + alike * ALIKE_PASSES.default * self.pass_) / count

    def partitioning(self, rows: int, threads: int, narrow: bool) -> float:
        """Seconds to bring rows to buckets and sort these; in a narrow column each value has its bucket and nothing is sorted."""
        leaf = 0.0 if narrow else log2(min(BUCKET_ROWS.default, rows))
        return _learning_seconds(rows) + rows * (self.partition + self.pass_ + self.sort * leaf) / useful(threads)

    def merging(self, rows: int, runs: int) -> float:
        """Seconds for a stable argsort that merges sorted runs."""
        return rows * self.merge * log2(max(runs, 2))

    def sorting(self, rows: int) -> float:
        """Seconds for np.sort."""
        return rows * self.sort * log2(rows)

    def sorting_parts(self, rows: int, threads: int, distinct: float) -> float:
        """Seconds for np.sort of a part on each thread; without end where np.sort has it easy because many rows are equal."""
        if distinct < 1 - DUPLICATE_SHARE.default:
            return float("inf")
        count = useful(threads)
        return rows * (self.split + self.sort * log2(rows / count)) / count


def useful(threads: int) -> int:
    """Threads that can run side by side here."""
    return min(threads, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@cache
def costs() -> Costs:
    """Measure; some ten milliseconds."""
    from sartor.kernels.argsort_words import by_partition
    from sartor.kernels.partitioning import extent, sample
    from sartor.kernels.split import value_parts
    from sartor.kernels.threads import Watch
    from sartor.kernels.words import keys_of, pack

    rows = int(COST_ROWS.default)
    values = np.random.default_rng(0).integers(0, 2**40, rows)
    halves = np.sort(values.reshape(2, -1)).ravel()
    words, keys, watch = np.empty(rows, np.uint64), keys_of(values), Watch()
    seen = extent(keys, 1, watch)
    zero, top = np.uint64(0), np.uint64(2**64 - 1)
    doublings = log2(rows)
    sort = _seconds(lambda: np.sort(values)) / rows / doublings
    pass_ = _seconds(lambda: pack(keys.bits, keys.form, zero, top, zero, zero, words)) / rows
    whole = _seconds(lambda: by_partition(keys, seen, 1, watch)) - _learning_seconds(rows)
    drawn = sample(keys, int(SPLIT_SAMPLE_ROWS.default))
    split = _seconds(lambda: value_parts(keys, values.dtype, drawn, 2, 1, watch))
    leaves = sort * log2(min(BUCKET_ROWS.default, rows))
    return Costs(
        sort=sort,
        merge=_seconds(lambda: np.argsort(halves, kind="stable")) / rows,
        pass_=pass_,
        partition=max(whole / rows - pass_ - leaves, 2 * pass_),
        split=max(split / rows, pass_),
    )


def _learning_seconds(rows: int) -> float:
    """What it takes to learn buckets."""
    from sartor.kernels.partitioning import buckets_for

    return buckets_for(rows) * BUCKET_SAMPLE_ROWS.default * MODEL_ROW_SECONDS.default


def _seconds(do: Callable[[], object]) -> float:
    """The least of a few times: what the machine can do when nobody else asks."""
    do()
    least = float("inf")
    for _ in range(_REPETITIONS):
        began = perf_counter()
        do()
        least = min(least, perf_counter() - began)
    return least
