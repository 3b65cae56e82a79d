"""`kernels.partition`: rows grouped into ranges of keys of about equal depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import BUCKET_SAMPLE_ROWS, BUCKETS_MOST, PART_BUCKETS
from sartor.kernels import buckets
from sartor.kernels.buckets import Buckets
from sartor.kernels.columns import column_of, widened
from sartor.kernels.partitioning import extent, partitioned, sample
from sartor.kernels.pool import result
from sartor.kernels.small import Rows, order_alike
from sartor.kernels.threads import Watch
from sartor.kernels.words import Keys, keys_of


@dataclass(frozen=True, slots=True)
class Parts:
    """Rows by part.

    Attributes:
        rows: numbers of all rows, part by part, within a part in the order of rows.
        begins: place in `rows` of each part's first row, and the number of rows.
    """

    rows: Rows
    begins: NDArray[np.int64]

    def __len__(self) -> int:
        return int(self.begins.size - 1)

    def __getitem__(self, part: int) -> Rows:
        return self.rows[self.begins[part] : self.begins[part + 1]]


def partition(values: Any, parts: int, threads: int = 1) -> Parts:
    """Group rows into ranges of keys, of about equal depth, without sorting them.

    Guarantee: every key of a part is lower than every key of the next one; equal keys are in one part. So there may be fewer parts
    than asked for, and a value that comes often makes a part larger. How equal they are rests on a sample.

    Args:
        values: a column without nulls of numbers or times, as NumPy array or Arrow column.
        parts: at most `BUCKETS_MOST`.
        threads: how many may work side by side.

    >>> found = partition(np.array([9, 1, 8, 2]), 2)
    >>> found[0].tolist(), found[1].tolist()
    ([1, 3], [0, 2])
    """
    column = column_of(values)
    if column.values is None or column.nulls is not None:
        raise TypeError("partition takes numbers or times without nulls; sort other columns, or leave nulls out")
    if not 1 <= parts <= BUCKETS_MOST.default:
        raise ValueError(f"parts is {parts}; it must be from 1 to {int(BUCKETS_MOST.default)}")
    keys, watch = keys_of(widened(column.values)), Watch()
    if keys.rows == 0:
        return Parts(np.empty(0, np.int64), np.zeros(2, np.int64))
    seen = extent(keys, threads, watch)
    with partitioned(keys, seen, _model(keys, parts), threads, watch) as found:
        rows = result(keys.rows, np.uint64)
        bits = (keys.rows - 1).bit_length()
        nothing = np.full(found.floors.size, np.uint64(63))  # of the key; a shift by all bits is not defined
        found.scatter(keys, bits, nothing, rows, watch)
        order_alike(rows, np.uint64(bits), False, keys.bits, keys.form)
        full = np.append(True, np.diff(found.begins)[:-1] > 0)
        begins = np.append(found.begins[:-1][full], keys.rows)
        return Parts(rows.view(np.int64), begins[np.append(True, begins[1:] > begins[:-1])])


def _model(keys: Keys, parts: int) -> Buckets:
    """Finer buckets, put together by what the sample holds of each."""
    fine = min(1 << (parts * int(PART_BUCKETS.default) - 1).bit_length(), int(BUCKETS_MOST.default) * 2)
    drawn = sample(keys, fine * int(BUCKET_SAMPLE_ROWS.default))
    model = buckets.learn(drawn, fine)
    held = np.diff(np.append(np.searchsorted(drawn, model.floors), drawn.size))
    held[0] += drawn.size - held.sum()
    middle = np.cumsum(held) - held / 2
    groups = np.minimum((middle * parts / drawn.size).astype(np.int64), parts - 1)
    return buckets.coarsened(model, np.cumsum(np.append(False, groups[1:] != groups[:-1])))
