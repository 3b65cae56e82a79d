"""Columns that arrive batch by batch, lie in the order of their buckets, and leave in the order of the key.

A value is written to its bucket as it comes and gathered within the bucket as it goes, so that a table is in memory once, not
before and after.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.kernels.buckets import Counts, Ids
from sartor.kernels.columns import fixed_numbers, limbs
from sartor.kernels.compiled import kernel
from sartor.kernels.movement import gather_local
from sartor.kernels.pool import scratch
from sartor.kernels.scatter import scatter_halves, scatter_small, scatter_words
from sartor.kernels.words import Words, writable

_NARROW = (1, 2, 4)
_WORD_BITS = 64
PAIR = 2  # words of a wide value


@dataclass(frozen=True, slots=True)
class Pieces:
    """Rows that leave together.

    Attributes:
        first, stop: their places.
        local: for every place of the whole, which row of its bucket stands there.
        bounds: for each bucket that they are from: its begin, their first and their last place.
    """

    first: int
    stop: int
    local: NDArray[np.uint32]
    bounds: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return self.stop - self.first


class Staged(Protocol):
    """One column between its two orders."""

    def put(self, array: Any, ids: Ids, offsets: Counts) -> None:
        """Write the next rows to their buckets."""
        ...

    def take(self, pieces: Pieces) -> Any:
        """Rows in the order of the key, as an Arrow array."""
        ...

    @property
    def text_bytes(self) -> int:
        """What its text takes beside the values."""
        ...


@dataclass(slots=True)
class Flags:
    """Which rows are no nulls; takes memory from the first null on."""

    rows: int
    stack: ExitStack
    values: NDArray[np.uint8] | None = None

    def put(self, array: Any, ids: Ids, offsets: Counts) -> NDArray[np.uint8] | None:
        """Returns the flags of these rows, if there are nulls."""
        if not array.null_count:
            if self.values is not None:  # the buckets' next places may hold flags of whoever had the memory before
                scatter(np.ones(len(array), np.uint8), ids, offsets, self.values)
            return None
        known = unpacked(array.buffers()[0], array)
        if self.values is None:
            self.values = self.stack.enter_context(scratch(self.rows, np.uint8, small_pages=True))
            self.values.fill(1)
        scatter(known, ids, offsets, self.values)
        return known

    def take(self, pieces: Pieces) -> Any:
        return None if self.values is None else _packed(gathered(self.values, pieces))


@dataclass(slots=True)
class Plain:
    """Floats and booleans, as they are."""

    kind: Any
    flags: Flags
    values: NDArray[Any]
    text_bytes: int = 0

    def put(self, array: Any, ids: Ids, offsets: Counts) -> None:
        self.flags.put(array, ids, offsets)
        numbers: Any = unpacked(array.buffers()[1], array) if pa.types.is_boolean(self.kind) else fixed_numbers(array)
        scatter(writable(numbers.view(self.values.dtype)), ids, offsets, self.values)

    def take(self, pieces: Pieces) -> Any:
        found = gathered(self.values, pieces)
        data = _packed(found) if pa.types.is_boolean(self.kind) else pa.py_buffer(found)
        return pa.Array.from_buffers(self.kind, pieces.rows, [self.flags.take(pieces), data])


@dataclass(slots=True)
class Whole:
    """Whole numbers, dates and times as distances from a floor, in as few bytes as all values so far fit in.

    A new page of memory costs more than it takes to move what is on it. Where a value does not fit, what waits is widened.
    """

    kind: Any
    flags: Flags
    begins: Counts
    stack: ExitStack
    values: NDArray[Any] | None = None
    floor: int = 0
    text_bytes: int = 0

    def put(self, array: Any, ids: Ids, offsets: Counts) -> None:
        known = self.flags.put(array, ids, offsets)
        numbers = fixed_numbers(array)
        assert numbers is not None
        numbers = writable(numbers)
        low, high = (int(numbers.min()), int(numbers.max())) if known is None else map(int, known_extent(numbers, known))
        self._make_room(low, max(low, high), offsets)
        assert self.values is not None
        scatter(numbers.view(f"u{numbers.itemsize}"), ids, offsets, self.values, self.floor)

    def take(self, pieces: Pieces) -> Any:
        assert self.values is not None
        found = np.empty(pieces.rows, f"u{self.kind.bit_width // 8}")
        if found.dtype == self.values.dtype:
            gather_local(self.values, pieces.local, pieces.bounds, pieces.first, found)
        else:
            gather_distances(self.values, _word(self.floor), pieces.local, pieces.bounds, pieces.first, found)
        return pa.Array.from_buffers(self.kind, pieces.rows, [self.flags.take(pieces), pa.py_buffer(found)])

    def _make_room(self, low: int, high: int, offsets: Counts) -> None:
        """Make values between these fit, and those that are to be expected after them."""
        before, own, rows = self.values, self.kind.bit_width // 8, int(self.begins[-1])
        if before is not None:
            top = self.floor + (1 << 8 * before.itemsize) - 1
            if before.itemsize == own or (low >= self.floor and high <= top):
                return
            low, high = min(low, self.floor), max(high, top)
            high += (high - low) * (rows // max(int((offsets - self.begins[:-1]).sum()), 1))
        itemsize = next((size for size in _NARROW if size < own and high - low < 1 << 8 * size), own)
        floor = low - ((1 << 8 * itemsize) - (high - low)) // 2 if itemsize < own else 0
        values = self.stack.enter_context(scratch(rows, f"u{itemsize}", small_pages=True))
        if before is not None:
            shift = _word(self.floor - floor).astype(values.dtype)
            for begin, end in zip(self.begins[:-1].tolist(), offsets.tolist(), strict=True):
                values[begin:end] = before[begin:end].astype(values.dtype) + shift
        self.values, self.floor = values, floor


def _word(number: int) -> np.uint64:
    """A whole number of either sign as a word: what is added to words and cut to their width comes out right."""
    return np.uint64(number % (1 << _WORD_BITS))


@dataclass(slots=True)
class Pairs:
    """Decimals of two words."""

    kind: Any
    flags: Flags
    low: Words
    high: Words
    text_bytes: int = 0

    def put(self, array: Any, ids: Ids, offsets: Counts) -> None:
        self.flags.put(array, ids, offsets)
        low, high = np.empty(len(array), np.uint64), np.empty(len(array), np.uint64)
        split(writable(limbs(array)), low, high)
        scatter(low, ids, offsets, self.low)
        scatter(high, ids, offsets, self.high)

    def take(self, pieces: Pieces) -> Any:
        found = np.empty((pieces.rows, PAIR), np.uint64)
        gather_pairs(self.low, self.high, pieces.local, pieces.bounds, pieces.first, found)
        return pa.Array.from_buffers(self.kind, pieces.rows, [self.flags.take(pieces), pa.py_buffer(found)])


def scatter(values: NDArray[Any], ids: Ids, offsets: Counts, out: NDArray[Any], floor: int = 0) -> None:
    """Each value, less a floor, to the next place of its bucket."""
    kernels: dict[int, Any] = {8: scatter_words, 4: scatter_halves}
    kernels.get(out.dtype.itemsize, scatter_small)(values, _word(floor), ids, offsets, out)


def gathered(values: NDArray[Any], pieces: Pieces) -> NDArray[Any]:
    """Values in the order of the key."""
    found = np.empty(pieces.rows, values.dtype)
    gather_local(values, pieces.local, pieces.bounds, pieces.first, found)
    return found


def unpacked(buffer: Any, array: Any) -> NDArray[np.uint8]:
    """Eight flags a byte as one byte each; all set where there is no buffer."""
    end = array.offset + len(array)
    return np.unpackbits(np.frombuffer(buffer, np.uint8), count=end, bitorder="little")[array.offset :]


def _packed(flags: NDArray[np.uint8]) -> Any:
    return pa.py_buffer(np.packbits(flags, bitorder="little"))


@kernel
def known_extent(values: NDArray[Any], known: NDArray[np.uint8]) -> tuple[Any, Any]:
    """The lowest and the highest value that is no null."""
    low, high, first = values[0], values[0], True
    for row in range(np.uint64(values.size)):
        if known[row] != 0:
            if first:
                low, high, first = values[row], values[row], False
            low, high = min(low, values[row]), max(high, values[row])
    return low, high


@kernel
def gather_distances(
    distances: NDArray[Any], floor: np.uint64, local: NDArray[np.uint32], bounds: NDArray[np.int64], first: int, found: NDArray[Any]
) -> None:
    """As `gather_local`, of distances from a floor that take fewer bytes than what they are distances of."""
    shift = np.uint64(first)
    for number in range(bounds.shape[0]):
        base, start, stop = np.uint64(bounds[number, 0]), np.uint64(bounds[number, 1]), np.uint64(bounds[number, 2])
        for place in range(start, stop):
            found[place - shift] = distances[base + np.uint64(local[place])] + floor


@kernel
def split(pairs: Words, low: Words, high: Words) -> None:
    """The two words of each value apart."""
    for row in range(np.uint64(low.size)):
        low[row], high[row] = pairs[row, 0], pairs[row, 1]


@kernel
def gather_pairs(low: Words, high: Words, local: NDArray[np.uint32], bounds: NDArray[np.int64], first: int, found: Words) -> None:
    """As `gather_local`, for values of two words."""
    for number in range(bounds.shape[0]):
        base, start, stop = np.uint64(bounds[number, 0]), np.uint64(bounds[number, 1]), np.uint64(bounds[number, 2])
        for place in range(start, stop):
            row, at = base + np.uint64(local[place]), place - np.uint64(first)
            found[at, 0], found[at, 1] = low[row], high[row]
