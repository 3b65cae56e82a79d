"""Strings as levels of words: seven bytes and a count in each, exact for all bytes including NUL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.compiled import kernel
from sartor.kernels.levels import Level
from sartor.kernels.small import Rows
from sartor.kernels.words import Words, writable

Offsets = NDArray[np.int64]
Bytes = NDArray[np.uint8]

_CHUNK = 7  # bytes of a level; the eighth byte of the word says how many bytes are left, up to 8


def string_buffers(array: Any) -> tuple[Offsets, Bytes]:
    """Where each string of an Arrow array begins and ends, and the bytes; a null is empty."""
    wide = pc.cast(array, pa.large_binary()) if not pa.types.is_large_binary(array.type) else array
    if wide.null_count:
        wide = pc.fill_null(wide, b"")
    _, offsets, data = wide.buffers()
    if offsets is None or len(wide) == 0:
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    positions = np.frombuffer(offsets, np.int64)[wide.offset : wide.offset + len(wide) + 1]
    return writable(positions), writable(np.frombuffer(data, np.uint8)) if data is not None else np.empty(0, np.uint8)


def string_levels(offsets: Offsets, data: Bytes, descending: bool) -> Iterator[Level]:
    """Words of bytes after the prefix that all strings share: as many levels as the longest string needs.

    Order is that of bytes, which for UTF-8 is the order of code points.
    """
    if offsets.size < 2:
        yield lambda rows: np.empty(0, np.uint64)
        return
    shared, longest = prefix(offsets, data)
    flip = np.uint64(2**64 - 1 if descending else 0)
    for skipped in range(shared, max(longest, shared + 1), _CHUNK):

        def level(rows: Rows | None, skipped: int = skipped) -> Words:
            words = np.empty(offsets.size - 1 if rows is None else rows.size, np.uint64)
            if rows is None:
                all_chunks(offsets, data, skipped, flip, words)
            else:
                some_chunks(offsets, data, rows, skipped, flip, words)
            return words

        yield level


@kernel
def prefix(offsets: Offsets, data: Bytes) -> tuple[int, int]:
    """How many first bytes all strings share, and the length of the longest."""
    first = offsets[0]
    shared, longest = offsets[1] - first, 0
    for row in range(offsets.size - 1):
        start, size = offsets[row], offsets[row + 1] - offsets[row]
        longest = max(longest, size)
        shared = min(shared, size)
        same = 0
        while same < shared and data[start + same] == data[first + same]:
            same += 1
        shared = same
    return shared, longest


@kernel
def chunk(offsets: Offsets, data: Bytes, row: int, skipped: int) -> np.uint64:
    """Seven bytes of a string, and how many there were left, in one word."""
    start = offsets[row] + skipped
    left = offsets[row + 1] - start
    word = np.uint64(0)
    for place in range(min(left, _CHUNK)):
        word |= np.uint64(data[start + place]) << np.uint64(56 - 8 * place)
    return word | np.uint64(min(max(left, 0), _CHUNK + 1))


@kernel
def all_chunks(offsets: Offsets, data: Bytes, skipped: int, flip: np.uint64, words: Words) -> None:
    """The chunks of all strings."""
    for row in range(words.size):
        words[row] = chunk(offsets, data, row, skipped) ^ flip


@kernel
def some_chunks(offsets: Offsets, data: Bytes, rows: Rows, skipped: int, flip: np.uint64, words: Words) -> None:
    """The chunks of some strings."""
    for place in range(rows.size):
        words[place] = chunk(offsets, data, rows[place], skipped) ^ flip


@kernel
def places(
    offsets: Offsets, data: Bytes, shared: int, query_offsets: Offsets, query_data: Bytes, words: Words, sides: NDArray[np.int8]
) -> None:
    """The word of each query, and whether it lies before (-1) or after (1) all strings for want of their prefix."""
    first = offsets[0]
    for row in range(words.size):
        start, stop = query_offsets[row], query_offsets[row + 1]
        side = 0
        for place in range(shared):
            if start + place >= stop:
                side = -1
                break
            ours, theirs = query_data[start + place], data[first + place]
            if ours != theirs:
                side = -1 if ours < theirs else 1
                break
        sides[row] = side
        words[row] = chunk(query_offsets, query_data, row, shared) if side == 0 else np.uint64(0)
