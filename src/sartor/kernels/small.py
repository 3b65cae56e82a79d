"""Small columns, where each call and each look at a setting counts: one kernel looks and packs, NumPy sorts, one unpacks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import COUNTED_ROWS, MERGED_CHANGES, MERGED_RUNS, SMALL_ROWS
from sartor.kernels.compiled import kernel
from sartor.kernels.ties import LONG_RUN, unpack
from sartor.kernels.words import Bits, Keys, Words, form_of, leading_run, map_block, order_run, pack, scan, word_at

Rows = NDArray[np.int64]
PLAIN_FORM = form_of(np.dtype(np.uint64), False)
_ONE = np.uint64(1)
_WORD_BITS = 64
_BLOCK = 2048
_LIMITS = (int(MERGED_RUNS.default), int(MERGED_CHANGES.default), int(COUNTED_ROWS.default))
_SAMPLED = 64  # rows that tell where most words lie
_CUT_GAIN = 4  # bits that a cut to where most words lie has to save
_PACKED, _LOSSY, _MERGE, _DONE = 0, 1, 2, 3


def argsort_small(bits: Bits, form: Words, may_cut: bool = True) -> Rows:
    """The stable order of a column, learning nothing of it; right for any, and fast for small ones.

    Args:
        bits, form: the column's keys.
        may_cut: whether words may be cut to where most of them lie. What looks alike afterwards is sorted without, so that each
            column that is made of another is narrower than that.
    """
    rows = bits.size
    if rows <= SMALL_ROWS.default:
        return np.argsort(Keys(bits, form).typed(), kind="stable")
    packed = np.empty(rows, np.uint64)
    found = packed.view(np.int64)
    row_bits = (rows - 1).bit_length()
    state = pack_small(bits, form, row_bits, _LIMITS, may_cut, packed, found)
    if state == _MERGE:
        del packed, found  # NumPy's result takes their place, in memory that has been touched
        return np.argsort(Keys(bits, form).typed(), kind="stable")
    if state != _DONE:
        packed.sort()
        order_alike(packed, np.uint64(row_bits), state == _LOSSY, bits, form)
    return found


def order_alike(packed: Words, row_bits: np.uint64, lossy: bool, bits: Bits, form: Words) -> None:
    """Turn sorted packed words into the numbers of their rows; of a lossy packing, rows that look alike by their true keys."""
    if not lossy:
        np.bitwise_and(packed, (_ONE << row_bits) - _ONE, out=packed)
        return
    runs = np.empty(2 * (packed.size // LONG_RUN + 1), np.int64)
    found = unpack(packed, row_bits, bits, form, runs)
    for first, last in runs[: 2 * found].reshape(-1, 2).tolist() if found else ():
        rows = packed[first:last].view(np.int64)
        rows[:] = rows[argsort_small(Keys(bits, form).words(rows), PLAIN_FORM, may_cut=False)]


@kernel
def pack_small(bits: Bits, form: Words, row_bits: int, limits: tuple[int, int, int], may_cut: bool, packed: Words, found: Rows) -> int:
    """Write the order of keys that are sorted, either way; else pack keys and rows, unless merging a few runs is faster.

    Where keys do not fit, they are shortened; and cut to where a sample lies, if that spares many of their bits: rows beyond look
    alike then, and are put in order by their true keys.
    """
    merged_runs, merged_changes, counted_rows = limits
    run, falling, ties = leading_run(bits, form)
    if run == bits.size:
        order_run(bits, form, falling, ties, found)
        return _DONE
    low, high, different, falls, changes = scan(bits, form, 0, bits.size)
    if falls < merged_runs or changes * merged_changes < bits.size:
        return _MERGE
    beside = np.uint64(row_bits)
    exact = np.uint64(0)
    while different and not (different >> exact) & _ONE:
        exact += _ONE
    different_words = ((high - low) >> exact) + _ONE
    if different_words and different_words < np.uint64(bits.size // counted_rows):
        _count(bits, form, low, exact, different_words, found)
        return _DONE
    drop = _drop(high - low, beside, exact)
    lossy = drop > exact
    if lossy and may_cut:
        least, most = high, low
        for place in range(_SAMPLED):
            word = word_at(bits, form, place * bits.size // _SAMPLED)
            least, most = min(least, word), max(most, word)
        cut = _drop(most - least, beside, exact)
        if least < most and cut + np.uint64(_CUT_GAIN) <= drop:
            low, high, drop = least, most, cut
    pack(bits, form, low, high, drop, beside, packed)
    return _LOSSY if lossy else _PACKED


@kernel
def _count(bits: Bits, form: Words, low: np.uint64, exact: np.uint64, different: np.uint64, found: Rows) -> None:
    """The order of few different words: counted, then each row is written to the next place of its word."""
    places = np.zeros(different + _ONE, np.int64)
    block = np.empty(_BLOCK, np.uint64)
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block)
        for row in range(size):
            places[((block[row] - low) >> exact) + _ONE] += 1
    for word in range(1, places.size):
        places[word] += places[word - 1]
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block)
        for row in range(size):
            word = (block[row] - low) >> exact
            found[np.uint64(places[word])] = begin + row
            places[word] += 1


@kernel
def _drop(width: np.uint64, row_bits: np.uint64, exact: np.uint64) -> np.uint64:
    """Last bits of distances up to a width that do not fit beside a row's number, and at least those that are all alike."""
    needed = row_bits
    while width:
        width >>= _ONE
        needed += _ONE
    return max(needed, np.uint64(_WORD_BITS) + exact) - np.uint64(_WORD_BITS)
