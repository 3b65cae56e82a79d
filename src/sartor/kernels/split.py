"""Split rows into one part for each thread, by values that a sample says leave parts of equal size; then np.sort takes each part.

Two passes read the column: one counts each thread's rows of each part, one writes them. Where few threads work, that is less than
learned buckets take; where many do, or rows would look alike, buckets are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import SPLIT_SAMPLE_ROWS
from sartor.kernels.buckets import Counts
from sartor.kernels.compiled import kernel
from sartor.kernels.packing import Packing
from sartor.kernels.pool import result
from sartor.kernels.threads import Watch, cuts, run
from sartor.kernels.words import Bits, Keys, Words, map_block

_BLOCK = 2048
Parts = list[tuple[int, int]]
Form = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
"""How words are packed: cut to these two, without so many last bits, above so many bits of the row's number."""

_WHOLE: Form = (np.uint64(0), np.uint64(2**64 - 1), np.uint64(0), np.uint64(0))


def packed_parts(keys: Keys, packing: Packing, lossless: bool, threads: int, watch: Watch) -> tuple[Words, Parts]:
    """Packed words in as many parts as threads: every word of a part is below every word of the next. Rows of a part are in no order.

    Args:
        lossless: all words that look alike are equal, so that they may come into two parts, each in the order of its rows.
    """
    chosen = np.unique(np.random.default_rng(0).integers(0, keys.rows, int(SPLIT_SAMPLE_ROWS.default)))
    row_bits = np.uint64(packing.row_bits)
    drawn = np.clip(keys.words(chosen), np.uint64(packing.low), np.uint64(packing.high)) - np.uint64(packing.low)
    drawn = (drawn >> np.uint64(packing.drop)) << row_bits
    if lossless:
        drawn |= chosen.astype(np.uint64)
    drawn.sort()
    splitters = _splitters(drawn, threads)
    packed = cast(Words, result(keys.rows, np.uint64))
    form = (np.uint64(packing.low), np.uint64(packing.high), np.uint64(packing.drop), row_bits)
    return packed, _split(keys, form, splitters, _pack, packed, threads, watch)


def value_parts(keys: Keys, dtype: np.dtype[Any], drawn: Words, count: int, threads: int, watch: Watch) -> tuple[NDArray[Any], Parts]:
    """Keys in so many parts: no key of a part is above one of the next. Keys of a part are in no order.

    Args:
        drawn: sorted words of a sample of them.
    """
    found = result(keys.rows, dtype)
    parts = _split(keys, _WHOLE, _splitters(drawn, count), _move, found.view(keys.bits.dtype), threads, watch)
    return found, parts


def _split(keys: Keys, form: Form, splitters: Words, write: Callable[..., None], out: Bits, threads: int, watch: Watch) -> Parts:
    """Count each thread's rows of each part, then write them there; returns where the parts begin and end."""
    slices = cuts(keys.rows, threads)
    counts = np.zeros((threads, splitters.size + 1), np.int64)
    read = (keys.bits, keys.form, form)
    run([partial(_count, *read, start, stop, splitters, counts[part]) for part, (start, stop) in enumerate(slices)], watch)
    places, parts = _places(counts)
    run([partial(write, *read, start, stop, splitters, places[part], out) for part, (start, stop) in enumerate(slices)], watch)
    return parts


def _splitters(drawn: Words, parts: int) -> Words:
    """The words that each part but the first begins with, by a sorted sample."""
    return drawn[[drawn.size * part // parts for part in range(1, parts)]]


def _places(counts: Counts) -> tuple[Counts, Parts]:
    """For each thread the next place of each part, and where the parts begin and end.

    >>> places, parts = _places(np.array([[2, 1], [3, 4]]))
    >>> places.tolist(), parts
    ([[0, 5], [2, 6]], [(0, 5), (5, 10)])
    """
    begins = np.concatenate(([0], np.cumsum(counts.sum(0))))
    places = begins[:-1] + np.cumsum(counts, 0) - counts
    return places, list(zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True))


@kernel
def _count(
    bits: Bits,
    form: Words,
    packing: Form,
    start: int,
    stop: int,
    splitters: Words,
    counts: Counts,
) -> None:
    """How many of some rows come into each part."""
    block = np.empty(_BLOCK, np.uint64)
    for begin in range(start, stop, _BLOCK):
        size = min(_BLOCK, stop - begin)
        _fill(bits, form, packing, begin, block[:size])
        above = size
        for part in range(splitters.size):
            splitter, reached = splitters[part], 0
            for row in range(size):
                reached += block[row] >= splitter
            counts[part] += above - reached
            above = reached
        counts[splitters.size] += above


@kernel
def _pack(
    bits: Bits,
    form: Words,
    packing: Form,
    start: int,
    stop: int,
    splitters: Words,
    places: Counts,
    packed: Words,
) -> None:
    """Write some rows as packed words to the next places of their parts."""
    block, cursors = np.empty(_BLOCK, np.uint64), places.astype(np.uint64)
    for begin in range(start, stop, _BLOCK):
        here = block[: min(_BLOCK, stop - begin)]
        _fill(bits, form, packing, begin, here)
        _deal(here, here, splitters, cursors, packed)


@kernel
def _move(
    bits: Bits,
    form: Words,
    packing: Form,
    start: int,
    stop: int,
    splitters: Words,
    places: Counts,
    out: Bits,
) -> None:
    """Write some rows' keys as they are to the next places of their parts."""
    block, cursors = np.empty(_BLOCK, np.uint64), places.astype(np.uint64)
    for begin in range(start, stop, _BLOCK):
        here = block[: min(_BLOCK, stop - begin)]
        _fill(bits, form, packing, begin, here)
        _deal(here, bits[begin : begin + here.size], splitters, cursors, out)


@kernel
def _fill(bits: Bits, form: Words, packing: Form, begin: int, block: Words) -> None:
    """The packed words of the rows from one on; without room for its number, a row's word has none."""
    low, high, drop, row_bits = packing
    numbered = np.uint64(1) if row_bits else np.uint64(0)
    map_block(bits, form, begin, begin + block.size, block)
    for row in range(block.size):
        block[row] = (((min(max(block[row], low), high) - low) >> drop) << row_bits) | (np.uint64(begin + row) * numbered)


@kernel
def _deal(words: Words, values: Bits, splitters: Words, cursors: Words, out: Bits) -> None:
    """Write each value to the next place of the part that its word belongs to."""
    if splitters.size == 1:  # the next places stay in registers: a third of the time
        lower, upper = cursors[0], cursors[1]
        for row in range(words.size):
            above = np.uint64(words[row] >= splitters[0])
            out[upper if above else lower] = values[row]
            upper += above
            lower += np.uint64(1) - above
        cursors[0], cursors[1] = lower, upper
        return
    for row in range(words.size):
        part = np.uint64(0)
        for splitter in splitters:
            part += np.uint64(words[row] >= splitter)
        out[cursors[part]] = values[row]
        cursors[part] += np.uint64(1)
