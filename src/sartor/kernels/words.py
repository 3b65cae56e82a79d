"""Keys as words: unsigned numbers of 64 bits whose order is the order of the keys.

A word is made of a key on the way, block by block, so that no mapped copy of a column is ever held. The order is that of NumPy's
stable sorts: NaN last and all NaN alike, -0.0 equal to 0.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.compiled import kernel

Words = NDArray[np.uint64]
Bits = NDArray[np.uint64] | NDArray[np.uint32]

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_ALL = np.uint64(2**64 - 1)
_WORD_BYTES = 8
_RUN_BLOCK = 512  # rows looked at before it is asked whether they are in order
_BLOCK = 2048  # rows mapped at a time: 16 KiB stay in the first cache
_PLAIN, _SIGNED, _FLOAT = 0, 1, 2
# What stands in a form.
_KIND, _SIGN, _INFINITY, _MASK, _LESS, _FLIP = 0, 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class Keys:
    """A column's keys as they lie in memory, and how they become words.

    Attributes:
        bits: contiguous numbers of 4 or 8 bytes, never written to.
        form: six words: kind, sign bit, bits of infinity, mask of the width, what is taken off each word (1 makes NaT, the lowest
            number, the highest word), and what it is flipped with.
    """

    bits: Bits
    form: Words

    @property
    def rows(self) -> int:
        return int(self.bits.size)

    def typed(self) -> NDArray[np.generic]:
        """Numbers of NumPy's in the order of the words: the keys themselves where they are not flipped."""
        if self.form[_FLIP] or self.form[_LESS]:
            return self.words()
        kind = {_FLOAT: "f", _SIGNED: "i", _PLAIN: "u"}[int(self.form[_KIND])]
        return self.bits.view(f"{kind}{self.bits.itemsize}")

    def words(self, rows: NDArray[np.int64] | None = None) -> Words:
        """The words of these rows, or of all.

        >>> keys_of(np.array([-1.5, np.nan, 0.0, -0.0])).words().argsort(kind="stable").tolist()
        [0, 2, 3, 1]
        """
        if rows is None:
            words = np.empty(self.rows, np.uint64)
            map_words(self.bits, self.form, words)
        else:
            words = np.empty(rows.size, np.uint64)
            map_rows(self.bits, self.form, rows, words)
        return words


def keys_of(values: NDArray[np.generic], descending: bool = False) -> Keys:
    """Keys of an array of integers, floats or times of 4 or 8 bytes, in the machine's byte order.

    The array is copied only if it is not contiguous or not aligned.

    >>> keys_of(np.array([3, -1, 2])).words().argsort().tolist()
    [1, 2, 0]
    >>> keys_of(np.array([3, -1, 2]), descending=True).words().argsort().tolist()
    [0, 2, 1]
    """
    contiguous = np.ascontiguousarray(values)
    bits: Any = contiguous.view(np.uint64 if contiguous.dtype.itemsize == _WORD_BYTES else np.uint32)
    if not bits.flags.aligned:
        bits = bits.copy()
    return Keys(writable(bits), form_of(contiguous.dtype, descending))


@cache
def form_of(dtype: np.dtype[Any], descending: bool) -> Words:
    """How numbers of a type become words."""
    kind, width = dtype.kind, dtype.itemsize * 8
    mask = 2**width - 1
    infinity = int(np.array(np.inf, dtype).view(f"u{width // 8}")) if kind == "f" else 0
    number = {"u": _PLAIN, "f": _FLOAT}.get(kind, _SIGNED)
    sign = 2 ** (width - 1) if number != _PLAIN else 0
    return np.array([number, sign, infinity, mask, 1 if kind in "mM" else 0, mask if descending else 0], np.uint64)


def writable(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory, called writable: Numba would compile every kernel once more for what is not."""
    return array if array.flags.writeable else np.asarray(_Memory(array))


class _Memory:
    """An array's memory, without the mark that it must not be written to."""

    def __init__(self, array: NDArray[Any]) -> None:
        self.array = array
        self.__array_interface__ = dict(array.__array_interface__, data=(array.ctypes.data, False))


@kernel
def word_at(bits: Bits, form: Words, row: int | np.signedinteger[Any]) -> np.uint64:
    """The word of one row."""
    bit = np.uint64(bits[row])
    if form[_KIND] != _FLOAT:
        word = (bit ^ form[_SIGN]) - form[_LESS]
    elif (bit & (form[_MASK] >> _ONE)) > form[_INFINITY]:
        word = form[_MASK]
    elif bit == form[_SIGN]:
        word = bit
    elif bit & form[_SIGN]:
        word = ~bit & form[_MASK]
    else:
        word = bit | form[_SIGN]
    return word ^ form[_FLIP]  # type: ignore[no-any-return]


@kernel
def map_block(bits: Bits, form: Words, start: int, stop: int, block: Words) -> None:
    """The words of these rows, from the beginning of the block.

    Every loop over rows here begins at the first row of a slice: from elsewhere Numba asks of each place whether it counts from the
    end, and nothing becomes a vector.
    """
    sign, infinity, mask, flip, less = form[_SIGN], form[_INFINITY], form[_MASK], form[_FLIP], form[_LESS]
    part = bits[start:stop]
    if form[_KIND] == _FLOAT:
        half = mask >> _ONE
        for row in range(part.size):
            bit = np.uint64(part[row])
            word = ~bit & mask if bit > sign else bit | sign
            block[row] = (mask if (bit & half) > infinity else word) ^ flip
    else:
        for row in range(part.size):
            block[row] = ((np.uint64(part[row]) ^ sign) - less) ^ flip


@kernel
def map_words(bits: Bits, form: Words, words: Words) -> None:
    """The words of all rows."""
    map_block(bits, form, 0, bits.size, words)


@kernel
def map_rows(bits: Bits, form: Words, rows: NDArray[np.int64], words: Words) -> None:
    """The words of some rows."""
    for place in range(rows.size):
        words[place] = word_at(bits, form, rows[place])


@kernel
def scan(bits: Bits, form: Words, start: int, stop: int) -> tuple[np.uint64, np.uint64, np.uint64, int, int]:
    """Lowest and highest word, the bits in which words differ, and how often one is lower than the one before, or another."""
    low, high, different, falls, changes = _ALL, _ZERO, _ZERO, 0, 0
    block = np.empty(_BLOCK + 1, np.uint64)
    before = max(start - 1, 0)
    for begin in range(start, stop, _BLOCK):
        size = min(_BLOCK, stop - begin)
        block[0] = word_at(bits, form, before)
        map_block(bits, form, begin, begin + size, block[1:])
        for row in range(1, size + 1):
            word, last = block[row], block[row - 1]
            low = min(low, word)
            high = max(high, word)
            different |= word ^ last
            falls += word < last
            changes += word != last
        before = begin + size - 1
    return low, high, different, falls, changes


@kernel
def change_places(bits: Bits, form: Words, places: NDArray[np.int64]) -> None:
    """The rows whose words are other than the one before, as many as there are places."""
    block = np.empty(_BLOCK + 1, np.uint64)
    block[0] = word_at(bits, form, 0)
    found = 0
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block[1:])
        changes = 0
        for row in range(1, size + 1):
            changes += block[row] != block[row - 1]
        if changes > 0:
            for row in range(1, size + 1):
                if block[row] != block[row - 1]:
                    places[found] = begin + row - 1
                    found += 1
        block[0] = block[size]


@kernel
def leading_run(bits: Bits, form: Words) -> tuple[int, bool, bool]:
    """How many first words never fall, or never rise; whether it is the latter; and whether some of these are equal.

    Looks no farther than that, nearly.
    """
    rows = bits.size
    block = np.empty(_RUN_BLOCK + 1, np.uint64)
    falling = bool(word_at(bits, form, 0) > word_at(bits, form, rows - 1))
    ties = 0
    for begin in range(0, rows - 1, _RUN_BLOCK):
        size = min(_RUN_BLOCK, rows - 1 - begin)
        map_block(bits, form, begin, begin + size + 1, block)
        breaks = 0
        if falling:
            for row in range(1, size + 1):
                breaks += block[row] > block[row - 1]
                ties += block[row] == block[row - 1]
        else:
            for row in range(1, size + 1):
                breaks += block[row] < block[row - 1]
        if breaks > 0:
            return begin, falling, False
    return rows, falling, ties > 0


@kernel
def pack(bits: Bits, form: Words, low: np.uint64, high: np.uint64, drop: np.uint64, row_bits: np.uint64, words: Words) -> None:
    """Each row's distance from the lowest word without its `drop` last bits, and below it the row's number; words beyond are cut."""
    block = np.empty(_BLOCK, np.uint64)
    for begin in range(0, bits.size, _BLOCK):
        part = words[begin : begin + _BLOCK]
        map_block(bits, form, begin, begin + part.size, block)
        for row in range(part.size):
            word = min(max(block[row], low), high)
            part[row] = (((word - low) >> drop) << row_bits) | np.uint64(begin + row)


@kernel
def order_stretches(starts: NDArray[np.int64], order: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """Row numbers of stretches that begin at these rows and end where the next one begins, stretch after stretch in an order."""
    place = 0
    for number in order:
        start = starts[number]
        part = rows[place : place + (starts[number + 1] if number + 1 < starts.size else rows.size) - start]
        for row in range(part.size):
            part[row] = start + row
        place += part.size


@kernel
def order_run(bits: Bits, form: Words, falling: bool, ties: bool, rows: NDArray[np.int64]) -> None:
    """The stable order of words that never fall, or never rise: then from the end, equal words in the order of their rows."""
    if not falling:
        for row in range(rows.size):
            rows[row] = row
        return
    last = rows.size - 1
    for row in range(rows.size):
        rows[row] = last - row
    if not ties:
        return
    block = np.empty(_RUN_BLOCK + 1, np.uint64)
    done = 0  # rows before it are in their places
    for begin in range(0, last, _RUN_BLOCK):
        size = min(_RUN_BLOCK, last - begin)
        map_block(bits, form, begin, begin + size + 1, block)
        equal = 0
        for row in range(1, size + 1):
            equal += block[row] == block[row - 1]
        if equal == 0:
            continue
        for row in range(max(begin, done), begin + size):
            if row < done or block[row - begin] != block[row - begin + 1]:
                continue
            done = row + 2
            while done < rows.size and word_at(bits, form, done) == block[row - begin]:
                done += 1
            for place in range(row, done):
                rows[last - (done - 1) + (place - row)] = place
