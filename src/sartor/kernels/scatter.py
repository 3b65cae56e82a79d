"""Write rows to their buckets: collected line by line in the cache, each full line stored past it.

Places are unsigned here: for signed ones Numba asks at each access whether they count from the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.buckets import Counts, Ids
from sartor.kernels.compiled import kernel
from sartor.kernels.stores import fence, store_line
from sartor.kernels.words import Bits, Words, map_block

_BLOCK = 2048
_ONE = np.uint64(1)
# A line has 64 bytes: 8 words of 8 bytes, or 16 halves of 4. Each width has a kernel whose shifts are constants: one for both, with
# shifts told from the array, takes 2.75 ns a word instead of 2.5 (10 M rows into 1,024 buckets).
_LINE_SHIFT = np.uint64(6)
_WORD_SHIFT, _WORDS_SHIFT, _LAST_WORD = np.uint64(3), np.uint64(3), np.uint64(7)
_HALF_BYTES, _HALF_SHIFT, _HALVES_SHIFT, _LAST_HALF = 4, np.uint64(2), np.uint64(4), np.uint64(15)


@kernel
def scatter_packed(
    bits: Bits,
    form: Words,
    ids: Ids,
    first: int,
    offsets: Counts,
    begins: Counts,
    floors: Words,
    drops: Words,
    row_bits: np.uint64,
    local: bool,
    packed: NDArray[Any],
) -> None:
    """Each row as one word or half a word: above, the distance from its bucket's floor without `drops` bits; below, its number.

    Args:
        first: number of the first of these rows in the whole column.
        offsets: where in `packed` these rows' part of each bucket begins.
        begins: where each bucket begins.
        local: whether the number is the place within the bucket instead of the row.
        packed: begins at a multiple of 64 bytes.
    """
    block = np.empty(_BLOCK, np.uint64)
    lines, cursors = _lines(packed, offsets.size), offsets.astype(np.uint64)
    starts, bases = offsets.astype(np.uint64), begins.astype(np.uint64)
    target, source = np.uint64(packed.ctypes.data), np.uint64(lines.ctypes.data)
    globally = np.uint64(0) if local else ~np.uint64(0)
    byte_shift = _WORD_SHIFT if packed.itemsize > _HALF_BYTES else _HALF_SHIFT
    slot_shift = _LINE_SHIFT - byte_shift
    last = (_ONE << slot_shift) - _ONE
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block)
        row, number = np.uint64(begin), np.uint64(first + begin)
        for at in range(np.uint64(size)):
            bucket = np.uint64(ids[row + at])
            place = cursors[bucket]
            cursors[bucket] = place + _ONE
            own = ((number + at) & globally) | ((place - bases[bucket]) & ~globally)
            slot = place & last
            lines[(bucket << slot_shift) + slot] = (((block[at] - floors[bucket]) >> drops[bucket]) << row_bits) | own
            if slot == last:
                start = place - slot
                if start >= starts[bucket]:
                    store_line(target + (start << byte_shift), source + (bucket << _LINE_SHIFT))
                else:  # the line begins with another bucket, or another thread's part of this one
                    _put(lines, bucket << slot_shift, starts[bucket], place + _ONE, packed)
    fence()
    _put_rest(lines, starts, cursors, packed)


@kernel
def scatter_words(values: Words, floor: np.uint64, ids: Ids, offsets: Counts, out: Words) -> None:
    """Each value of 8 bytes, less a floor, to the next place of its bucket; `out` begins at a multiple of 64 bytes."""
    lines, cursors, starts = _lines(out, offsets.size), offsets.astype(np.uint64), offsets.astype(np.uint64)
    target, source = np.uint64(out.ctypes.data), np.uint64(lines.ctypes.data)
    for row in range(np.uint64(values.size)):
        bucket = np.uint64(ids[row])
        place = cursors[bucket]
        cursors[bucket] = place + _ONE
        slot = place & _LAST_WORD
        lines[(bucket << _WORDS_SHIFT) + slot] = values[row] - floor
        if slot == _LAST_WORD:
            start = place - slot
            if start >= starts[bucket]:
                store_line(target + (start << _WORD_SHIFT), source + (bucket << _LINE_SHIFT))
            else:
                _put(lines, bucket << _WORDS_SHIFT, starts[bucket], place + _ONE, out)
    fence()
    _put_rest(lines, starts, cursors, out)


@kernel
def scatter_halves(values: NDArray[Any], floor: np.uint64, ids: Ids, offsets: Counts, out: NDArray[np.uint32]) -> None:
    """As `scatter_words`, for what has 4 bytes without the floor."""
    lines, cursors, starts = _lines(out, offsets.size), offsets.astype(np.uint64), offsets.astype(np.uint64)
    target, source = np.uint64(out.ctypes.data), np.uint64(lines.ctypes.data)
    for row in range(np.uint64(values.size)):
        bucket = np.uint64(ids[row])
        place = cursors[bucket]
        cursors[bucket] = place + _ONE
        slot = place & _LAST_HALF
        lines[(bucket << _HALVES_SHIFT) + slot] = values[row] - floor
        if slot == _LAST_HALF:
            start = place - slot
            if start >= starts[bucket]:
                store_line(target + (start << _HALF_SHIFT), source + (bucket << _LINE_SHIFT))
            else:
                _put(lines, bucket << _HALVES_SHIFT, starts[bucket], place + _ONE, out)
    fence()
    _put_rest(lines, starts, cursors, out)


@kernel
def scatter_small(values: NDArray[Any], floor: np.uint64, ids: Ids, offsets: Counts, out: NDArray[Any]) -> None:
    """As `scatter_words`, for what has 1 or 2 bytes without the floor: so small that all lines in use stay in the cache anyway."""
    cursors = offsets.astype(np.uint64)
    for row in range(np.uint64(values.size)):
        bucket = np.uint64(ids[row])
        place = cursors[bucket]
        cursors[bucket] = place + _ONE
        out[place] = values[row] - floor


@kernel
def _lines(like: NDArray[Any], count: int) -> NDArray[Any]:
    """A line of 64 bytes for each bucket, the first at a multiple of 64."""
    slots = 64 // like.itemsize
    raw = np.empty((count + 1) * slots, like.dtype)
    skipped = (-raw.ctypes.data % 64) // like.itemsize
    return raw[skipped : skipped + count * slots]


@kernel
def _put(lines: NDArray[Any], line: np.uint64, start: np.uint64, stop: np.uint64, out: NDArray[Any]) -> None:
    """Store the end of a line that began before its bucket's part."""
    slots = np.uint64(64 // out.itemsize)
    for written in range(max(start, (stop - _ONE) & ~(slots - _ONE)), stop):
        out[written] = lines[line + (written & (slots - _ONE))]


@kernel
def _put_rest(lines: NDArray[Any], starts: Words, cursors: Words, out: NDArray[Any]) -> None:
    """Store what is left in lines that are not full."""
    slots = np.uint64(64 // out.itemsize)
    for bucket in range(np.uint64(starts.size)):
        end = cursors[bucket]
        for written in range(max(end & ~(slots - _ONE), starts[bucket]), end):
            out[written] = lines[bucket * slots + (written & (slots - _ONE))]
