"""Sorted strings as a run of words: seven bytes behind the prefix that all share, and the bytes themselves where these are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.argsort import argsort
from sartor.kernels.compiled import kernel
from sartor.kernels.runs import Run, build
from sartor.kernels.search import Ranks
from sartor.kernels.strings import Bytes, Offsets, all_chunks, places, prefix, string_buffers
from sartor.kernels.words import Words

_LONGER = np.uint64(8)  # what a chunk says of a string that goes on
_COUNT = np.uint64(255)


@dataclass(frozen=True, slots=True)
class Texts:
    """Sorted strings that do not change.

    Attributes:
        run: a word of each string.
        offsets, data: the strings.
        shared: bytes of the prefix that all of them have.
    """

    run: Run
    offsets: Offsets
    data: Bytes
    shared: int

    @property
    def rows(self) -> int:
        return int(self.offsets.size - 1)

    def array(self) -> Any:
        """The strings, as an Arrow array of bytes."""
        return pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), self.rows, [None, pa.py_buffer(self.offsets), pa.py_buffer(self.data)]
        )

    def lower(self, queries: Any, after: bool, threads: int) -> Ranks:
        """How many strings are lower than each query; with `after`, how many are not higher."""
        offsets, data = string_buffers(queries)
        words = np.empty(offsets.size - 1, np.uint64)
        sides = np.empty(words.size, np.int8)
        if not self.rows:
            return np.zeros(words.size, np.int64)
        places(self.offsets, self.data, self.shared, offsets, data, words, sides)
        first = self.run.lower(words, threads)
        # Only strings that go on behind the chunk are not told apart by it, and a query that ends there needs its equals.
        last = self.run.lower(words + np.uint64(1), threads)
        _refine(self.offsets, self.data, self.shared, offsets, data, words, sides, after, first, last)
        return first

    def lower_one(self, query: bytes, after: bool) -> int:
        """As `lower`, of one query."""
        if not self.rows:
            return 0
        offsets, data = np.array([0, len(query)], np.int64), np.frombuffer(bytearray(query), np.uint8)
        words, sides = np.empty(1, np.uint64), np.empty(1, np.int8)
        places(self.offsets, self.data, self.shared, offsets, data, words, sides)
        word = int(words[0])
        first, last = np.array([self.run.lower_one(word)], np.int64), np.array([self.run.lower_one(word + 1)], np.int64)
        _refine(self.offsets, self.data, self.shared, offsets, data, words, sides, after, first, last)
        return int(first[0])


def build_texts(values: Any, error: int | None) -> Texts:
    """Sort strings, unless they are, and learn from them."""
    binary = pc.cast(values, pa.large_binary())
    order = argsort(binary)
    if order.size and not (order[1:] > order[:-1]).all():
        binary = binary.take(pa.array(order))
    offsets, data = string_buffers(binary)
    return learn_texts(offsets, data, error)


def learn_texts(offsets: Offsets, data: Bytes, error: int | None) -> Texts:
    """Learn from sorted strings."""
    words = np.empty(offsets.size - 1, np.uint64)
    shared = 0
    if words.size:
        shared, _ = prefix(offsets, data)
        all_chunks(offsets, data, shared, np.uint64(0), words)
    return Texts(build(words, error=error), offsets, data, int(shared))


@kernel
def _refine(
    offsets: Offsets,
    data: Bytes,
    shared: int,
    query_offsets: Offsets,
    query_data: Bytes,
    words: Words,
    sides: NDArray[np.int8],
    after: bool,
    first: Ranks,
    last: Ranks,
) -> None:
    """Turn the range of strings with a query's word into the query's bound among them."""
    for row in range(words.size):
        if sides[row] != 0:
            first[row] = 0 if sides[row] < 0 else offsets.size - 1
        elif (words[row] & _COUNT) != _LONGER:
            if after:
                first[row] = last[row]
        else:
            at, left = first[row], last[row] - first[row]
            while left > 0:
                half = (left + 1) // 2
                order = _compare(offsets, data, at + half - 1, query_offsets, query_data, row, shared)
                if order < 0 or (after and order == 0):
                    at += half
                left -= half
            first[row] = at


@kernel
def _compare(offsets: Offsets, data: Bytes, row: int, other_offsets: Offsets, other_data: Bytes, other: int, skipped: int) -> int:
    """Negative if the first string is lower, positive if it is higher, 0 if they are equal; the skipped bytes are known to be."""
    start, other_start = offsets[row] + skipped, other_offsets[other] + skipped
    size, other_size = offsets[row + 1] - start, other_offsets[other + 1] - other_start
    for place in range(min(size, other_size)):
        ours, theirs = data[start + place], other_data[other_start + place]
        if ours != theirs:
            return -1 if ours < theirs else 1
    return int(size - other_size)
