"""Keys and row numbers in one word: how much of a key to keep."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from sartor.core.constants import PACK_SAMPLE_ROOTS
from sartor.kernels.partitioning import Extent, sample
from sartor.kernels.words import Keys, Words

_WORD_BITS = 64
_TRIMS = (1024, 64, 16)  # one of so many sampled words is cut at each end


@dataclass(frozen=True, slots=True)
class Packing:
    """How words become packed keys: cut to a range, counted from its low end, shortened.

    The mapping never falls, so rows whose packed keys differ are in order, whatever the sample was like.

    Attributes:
        low, high: words beyond are cut to these.
        drop: last bits left out.
        row_bits: bits of the row's number.
        alike: the share of rows that are expected to look like another, so that their true keys have to be looked up.
        lossless: whether rows that look alike are equal anyway; if words are cut, those within the cut.
    """

    low: int
    high: int
    drop: int
    row_bits: int
    alike: float = 0.0
    lossless: bool = True

    def ends(self, packed: Words) -> tuple[int, int]:
        """Places between which sorted packed words are not cut."""
        first, last = np.uint64(1 << self.row_bits), np.uint64(((self.high - self.low) >> self.drop) << self.row_bits)
        start = int(np.searchsorted(packed, first))
        return start, max(int(np.searchsorted(packed, last)), start)


def packing_for(keys: Keys, seen: Extent) -> Packing:
    """The packing of a column: exact where key and row fit into 64 bits, else the best of a few cuts on a sample."""
    row_bits = (keys.rows - 1).bit_length()
    exact = seen.equal_bits
    whole = Packing(seen.low, seen.high, exact, row_bits)
    if _drop(seen.low, seen.high, row_bits, exact) == exact:
        return whole
    drawn = sample(keys, int(PACK_SAMPLE_ROOTS.default * sqrt(keys.rows)) + 2)
    best = _tried(drawn, seen.low, seen.high, row_bits, exact, keys.rows)
    for trim in _TRIMS:
        if best.alike <= 0:
            break
        cut = drawn.size // trim
        tried = _tried(drawn, int(drawn[cut]), int(drawn[-1 - cut]), row_bits, exact, keys.rows)
        best = min(best, tried, key=lambda packing: packing.alike)
    return best


def _drop(low: int, high: int, row_bits: int, exact: int) -> int:
    return max((high - low).bit_length() + row_bits - _WORD_BITS, exact)


def _tried(drawn: Words, low: int, high: int, row_bits: int, exact: int, rows: int) -> Packing:
    """What of a sorted sample is cut off or would look alike."""
    drop = _drop(low, high, row_bits, exact)
    inside = drawn[np.searchsorted(drawn, np.uint64(low)) : np.searchsorted(drawn, np.uint64(high), side="right")]
    pairs = _pairs((inside - np.uint64(low)) >> np.uint64(drop)) if drop > exact else 0.0
    outside = 1 - inside.size / drawn.size
    return Packing(low, high, drop, row_bits, min(outside + pairs / (drawn.size**2 / 2) * rows, 1.0), drop == exact)


def _pairs(ordered: Words) -> float:
    """How many pairs of equal words there are."""
    borders = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
    runs = np.diff(borders).astype(float)
    return float((runs * (runs - 1)).sum() / 2)
