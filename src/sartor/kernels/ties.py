"""What packed words leave open: rows whose packed keys are equal though their keys need not be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.compiled import kernel
from sartor.kernels.words import Bits, Words, word_at

LONG_RUN = 2048  # rows: longer runs are sorted as columns of their own
_LOOK_AHEAD = 256  # places looked at together for equal packed keys
_CHUNK = 16  # rows that a merge sort begins with


@kernel
def unpack(packed: Words, row_bits: np.uint64, bits: Bits, form: Words, runs: NDArray[np.int64]) -> int:
    """Turn sorted packed words, whose keys lack bits, into row numbers, in place, with runs of equal packed keys in their true order.

    Args:
        runs: room for the long runs, as pairs of first and last place: one for each `LONG_RUN` rows.

    Returns:
        The number of long runs, each in the order of its rows and left to the caller.
    """
    mask = (np.uint64(1) << row_bits) - np.uint64(1)
    found, stop = 0, packed.size
    words, other_words = np.empty(LONG_RUN, np.uint64), np.empty(LONG_RUN, np.uint64)
    rows, other_rows = np.empty(LONG_RUN, np.uint64), np.empty(LONG_RUN, np.uint64)
    first = 0
    while first < stop:
        ahead = min(first + _LOOK_AHEAD, stop - 1)
        ties = 0
        for place in range(first, ahead):  # mostly there are none, and this loop is a vector's
            ties += (packed[place] >> row_bits) == (packed[place + 1] >> row_bits)
        if ties == 0:
            first = max(ahead, first + 1)
            continue
        while first < ahead:
            key = packed[first] >> row_bits
            last = first + 1
            while last < stop and (packed[last] >> row_bits) == key:
                last += 1
            size = last - first
            if size > 1 and not _all_equal(packed, first, last, mask, bits, form):
                if size > LONG_RUN:
                    runs[2 * found], runs[2 * found + 1] = first, last
                    found += 1
                else:
                    for place in range(size):
                        rows[place] = packed[first + place]
                        words[place] = word_at(bits, form, np.int64(rows[place] & mask))
                    _sort_run(words, rows, other_words, other_rows, size)
                    for place in range(size):
                        packed[first + place] = rows[place]
            first = last
    for place in range(stop):
        packed[place] &= mask
    return found


@kernel
def _all_equal(packed: Words, first: int, last: int, mask: np.uint64, bits: Bits, form: Words) -> bool:
    word = word_at(bits, form, np.int64(packed[first] & mask))
    for place in range(first + 1, last):  # noqa: SIM110
        if word_at(bits, form, np.int64(packed[place] & mask)) != word:
            return False
    return True


@kernel
def _sort_run(words: Words, rows: Words, other_words: Words, other_rows: Words, size: int) -> None:
    """Sort rows by their words, stably: chunks by insertion, then merged."""
    for begin in range(0, size, _CHUNK):
        for place in range(begin + 1, min(begin + _CHUNK, size)):
            word, row = words[place], rows[place]
            hole = place
            while hole > begin and words[hole - 1] > word:
                words[hole], rows[hole] = words[hole - 1], rows[hole - 1]
                hole -= 1
            words[hole], rows[hole] = word, row
    width = _CHUNK
    while width < size:
        for begin in range(0, size, 2 * width):
            middle, end = min(begin + width, size), min(begin + 2 * width, size)
            left, right = begin, middle
            for place in range(begin, end):
                if right >= end or (left < middle and words[left] <= words[right]):
                    other_words[place], other_rows[place] = words[left], rows[left]
                    left += 1
                else:
                    other_words[place], other_rows[place] = words[right], rows[right]
                    right += 1
        for place in range(size):  # an assignment of slices takes two seconds to compile
            words[place], rows[place] = other_words[place], other_rows[place]
        width *= 2
