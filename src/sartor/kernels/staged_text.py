"""Text between two orders: numbers into a dictionary while few texts keep coming, else the views of Arrow's own.

A view is two words: length and first bytes, and the rest of a short text or where a long one stands. So text moves as numbers do.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.core.constants import DICTIONARY_REPEATS
from sartor.kernels.buckets import Counts, Ids
from sartor.kernels.compiled import kernel
from sartor.kernels.pool import scratch
from sartor.kernels.staged import PAIR, Flags, Pieces, gather_pairs, scatter, unpacked
from sartor.kernels.words import Words, writable

INLINE_BYTES = 12  # longer text stands elsewhere, and its view says where
_TEXTS_MOST = 1 << 16  # in a dictionary: their numbers take two bytes
_SLOTS_BITS = 18
_SLOTS_SHIFT = np.uint64(64 - _SLOTS_BITS)
_VIEW_BYTES = 16
_HEAP_BYTES = 1 << 16
_MIX, _PRIME = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x100000001B3)
_BUFFER_MOST = (1 << 31) - 1  # bytes: where a long text begins is a signed number of four bytes
_HALF, _LOW = np.uint64(32), np.uint64(2**32 - 1)


@dataclass(slots=True)
class Dictionary:
    """Texts by numbers of two bytes, in the order in which they first came; a null counts as empty text.

    Attributes:
        low, high: the view of each text; of long ones it points into the heap.
        slots: numbers by a hash of the text.
        filled: how many texts there are, and how many bytes of the heap they take.
        rows: how many were numbered.
    """

    low: Words = field(default_factory=lambda: np.empty(_TEXTS_MOST, np.uint64))
    high: Words = field(default_factory=lambda: np.empty(_TEXTS_MOST, np.uint64))
    slots: NDArray[np.int32] = field(default_factory=lambda: np.full(1 << _SLOTS_BITS, -1, np.int32))
    heap: NDArray[np.uint8] = field(default_factory=lambda: np.empty(_HEAP_BYTES, np.uint8))
    filled: NDArray[np.int64] = field(default_factory=lambda: np.zeros(PAIR, np.int64))
    rows: int = 0

    def numbers(self, array: Any, known: NDArray[np.uint8]) -> NDArray[np.uint16] | None:
        """The number of each text of an array of views; None if too many texts differ for a dictionary to pay."""
        codes = np.empty(len(array), np.uint16)
        pairs, buffers = views(array)
        bases = np.cumsum([0, *(buffer.size for buffer in buffers)]).astype(np.uint64)
        texts = [np.frombuffer(buffer, np.uint8) for buffer in buffers]
        text = writable(texts[0]) if len(texts) == 1 else np.concatenate([np.empty(0, np.uint8), *texts])
        row = 0
        while True:
            row = encode(pairs, known, text, bases, row, self.slots, self.low, self.high, self.heap, self.filled, codes)
            if row == codes.size:
                break
            if self.filled[0] == _TEXTS_MOST or self.filled[1] + text.size > _BUFFER_MOST:
                return None
            self.heap = np.concatenate([self.heap, np.empty(self.heap.size + text.size, np.uint8)])
        self.rows += codes.size
        few = self.filled[0] == 1 or self.filled[0] * DICTIONARY_REPEATS.default <= self.rows
        return codes if few else None

    def ranks(self) -> NDArray[np.uint32]:
        """The place of each text in the order of their bytes."""
        count, heap = int(self.filled[0]), self.heap[: self.filled[1]].tobytes()
        inline = np.stack([self.low[:count], self.high[:count]], 1).tobytes()
        texts = []
        for number, (first, second) in enumerate(zip(self.low[:count].tolist(), self.high[:count].tolist(), strict=True)):
            size, start = first & int(_LOW), second >> int(_HALF)
            begin = number * _VIEW_BYTES + _VIEW_BYTES - INLINE_BYTES
            texts.append(inline[begin : begin + size] if size <= INLINE_BYTES else heap[start : start + size])
        found = np.empty(count, np.uint32)
        found[sorted(range(count), key=texts.__getitem__)] = np.arange(count, dtype=np.uint32)
        return found


def ranked(column: Any) -> NDArray[np.uint32] | None:
    """Numbers in the order of a column's texts, nulls last; None if there are too many texts for that to pay."""
    dictionary, parts = Dictionary(), []
    for chunk in column.chunks:
        known = known_of(chunk)
        codes = dictionary.numbers(chunk, known)
        if codes is None:
            return None
        parts.append((codes, known))
    ranks = dictionary.ranks()
    found = [np.where(known.view(np.bool_), ranks[codes], np.uint32(ranks.size)) for codes, known in parts]
    return np.concatenate([np.empty(0, np.uint32), *found])


@dataclass(slots=True)
class Text:
    """A column of text that waits.

    Attributes:
        codes: numbers into the dictionary; None once views are kept.
        low, high: the view of each row, then.
        buffers: where long texts stand, as these views number them.
    """

    kind: Any
    flags: Flags
    begins: Counts
    stack: ExitStack
    codes: NDArray[np.uint16] | None
    dictionary: Dictionary = field(default_factory=Dictionary)
    low: Words = field(default_factory=lambda: np.empty(0, np.uint64))
    high: Words = field(default_factory=lambda: np.empty(0, np.uint64))
    buffers: list[Any] = field(default_factory=list)
    text_bytes: int = 0

    def put(self, array: Any, ids: Ids, offsets: Counts) -> None:
        known = self.flags.put(array, ids, offsets)
        known = np.ones(len(array), np.uint8) if known is None else known
        if self.codes is not None:
            codes = self.dictionary.numbers(array, known)
            if codes is not None:
                self.text_bytes = self.dictionary.heap.size
                scatter(codes, ids, offsets, self.codes)
                return
            self._give_up(self.codes, offsets)
        pairs, buffers = views(array)
        low, high = np.empty(len(array), np.uint64), np.empty(len(array), np.uint64)
        split_views(pairs, known, np.uint64(len(self.buffers)), low, high)
        self.buffers += [_copied(buffer) for buffer in buffers]
        self.text_bytes += sum(buffer.size for buffer in buffers)
        scatter(low, ids, offsets, self.low)
        scatter(high, ids, offsets, self.high)

    def take(self, pieces: Pieces) -> Any:
        found, buffers, known = np.empty((pieces.rows, PAIR), np.uint64), self.buffers, self.dictionary
        if self.codes is not None:
            gather_texts(self.codes, known.low, known.high, pieces.local, pieces.bounds, pieces.first, found)
            buffers = [pa.py_buffer(known.heap[: known.filled[1]])]
        else:
            gather_pairs(self.low, self.high, pieces.local, pieces.bounds, pieces.first, found)
        return pa.Array.from_buffers(self.kind, pieces.rows, [self.flags.take(pieces), pa.py_buffer(found), *buffers])

    def _give_up(self, codes: NDArray[np.uint16], offsets: Counts) -> None:
        """Turn numbers that were handed out into views."""
        known = self.dictionary
        low, high = (self.stack.enter_context(scratch(codes.size, np.uint64, small_pages=True)) for _ in range(PAIR))
        for begin, end in zip(self.begins[:-1].tolist(), offsets.tolist(), strict=True):
            low[begin:end], high[begin:end] = known.low[codes[begin:end]], known.high[codes[begin:end]]
        self.buffers = [pa.py_buffer(known.heap[: known.filled[1]].copy())]
        self.codes, self.low, self.high = None, low, high


def views(array: Any) -> tuple[Words, list[Any]]:
    """The two words of each view, and the buffers in which long texts stand.

    Raises:
        MemoryError: a buffer is longer than views can tell places of.
    """
    _, data, *buffers = array.buffers()
    if any(buffer.size > _BUFFER_MOST for buffer in buffers):
        raise MemoryError
    words = np.frombuffer(data, np.uint64) if data is not None else np.empty(0, np.uint64)
    return writable(words.reshape(-1, PAIR)[array.offset : array.offset + len(array)]), buffers


def known_of(array: Any) -> NDArray[np.uint8]:
    """Which rows of an array are no nulls."""
    return unpacked(array.buffers()[0], array) if array.null_count else np.ones(len(array), np.uint8)


def _copied(buffer: Any) -> Any:
    """The same bytes: a buffer of a batch keeps all of the batch in memory."""
    copy = pa.allocate_buffer(buffer.size)
    np.frombuffer(copy, np.uint8)[:] = np.frombuffer(buffer, np.uint8)
    return copy


@kernel
def split_views(pairs: Words, known: NDArray[np.uint8], shift: np.uint64, low: Words, high: Words) -> None:
    """The two words of each view apart, numbers of its text's buffer shifted; nulls become empty text."""
    for row in range(np.uint64(low.size)):
        first, second = pairs[row, 0], pairs[row, 1]
        if known[row] == 0:
            first, second = np.uint64(0), np.uint64(0)
        elif first & _LOW > np.uint64(INLINE_BYTES):
            second += shift
        low[row], high[row] = first, second


@kernel
def encode(
    pairs: Words,
    known: NDArray[np.uint8],
    text: NDArray[np.uint8],
    bases: Words,
    begin: int,
    slots: NDArray[np.int32],
    low: Words,
    high: Words,
    heap: NDArray[np.uint8],
    filled: NDArray[np.int64],
    codes: NDArray[np.uint16],
) -> int:
    """The number of each text in a dictionary, which grows; nulls count as empty text.

    Args:
        text: where the long texts of these rows stand; `bases` says where in it each buffer begins.
        begin: the first row to look at.
        filled: how many texts the dictionary has, and how many bytes of the heap they take.

    Returns:
        The row that was reached: all of them, or the first for whose text there is no room.
    """
    one = np.uint64(1)
    last = np.uint64(slots.size - 1)
    for row in range(np.uint64(begin), np.uint64(codes.size)):
        first, second = pairs[row, 0], pairs[row, 1]
        if known[row] == 0:
            first, second = np.uint64(0), np.uint64(0)
        size, start = first & _LOW, np.uint64(0)
        long = size > np.uint64(INLINE_BYTES)
        hashed = (first ^ (first >> _HALF)) * _MIX
        if long:
            start = bases[second & _LOW] + (second >> _HALF)
            for at in range(start, start + size):
                hashed = (hashed ^ np.uint64(text[at])) * _PRIME
        else:
            hashed ^= second
        hashed *= _MIX
        slot = (hashed ^ (hashed >> _HALF)) * _MIX >> _SLOTS_SHIFT
        while True:
            code = slots[slot]
            if code < 0:
                number, used = filled[0], np.uint64(filled[1])
                if number == low.size or (long and used + size > np.uint64(heap.size)):
                    return int(row)
                if long:
                    for at in range(size):
                        heap[used + at] = text[start + at]
                    second = used << _HALF
                    filled[1] += np.int64(size)
                low[number], high[number] = first, second
                slots[slot] = number
                filled[0] = number + 1
                code = np.int32(number)
                break
            if low[code] == first:
                same = True
                if long:
                    other = high[code] >> _HALF
                    for at in range(size):
                        if heap[other + at] != text[start + at]:
                            same = False
                            break
                else:
                    same = high[code] == second
                if same:
                    break
            slot = (slot + one) & last
        codes[row] = code
    return int(codes.size)


@kernel
def gather_texts(
    codes: NDArray[np.uint16],
    low: Words,
    high: Words,
    local: NDArray[np.uint32],
    bounds: NDArray[np.int64],
    first: int,
    found: Words,
) -> None:
    """As `gather_pairs`, for numbers into a dictionary."""
    for number in range(bounds.shape[0]):
        base, start, stop = np.uint64(bounds[number, 0]), np.uint64(bounds[number, 1]), np.uint64(bounds[number, 2])
        for place in range(start, stop):
            code, at = np.uint64(codes[base + np.uint64(local[place])]), place - np.uint64(first)
            found[at, 0], found[at, 1] = low[code], high[code]
