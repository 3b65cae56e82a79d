"""Partition rows by a learned model: which bucket each belongs to, and where each thread's part of each bucket goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from operator import or_
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import BUCKET_ROWS, BUCKET_SAMPLE_ROWS, BUCKETS_MOST
from sartor.kernels import buckets
from sartor.kernels.buckets import Buckets, Counts, Ids
from sartor.kernels.pool import scratch
from sartor.kernels.scatter import scatter_halves, scatter_packed, scatter_words
from sartor.kernels.threads import Watch, cuts, run
from sartor.kernels.words import Keys, Words, scan

_WORD_BITS = 64


@dataclass(frozen=True, slots=True)
class Extent:
    """What one pass over a column tells.

    Attributes:
        low, high: lowest and highest word.
        different: the bits in which not all words are equal.
        falls, changes: how often a word is lower than the one before, and how often another.
    """

    low: int
    high: int
    different: int
    falls: int
    changes: int

    @property
    def narrow(self) -> bool:
        """Whether each different word can have a bucket of its own."""
        return (self.high - self.low) >> self.equal_bits < BUCKETS_MOST.default

    @property
    def equal_bits(self) -> int:
        """Last bits that are the same in all words: floats that hold whole numbers have many."""
        return (self.different & -self.different).bit_length() - 1 if self.different else 0


@dataclass(frozen=True, slots=True)
class Partition:
    """Rows by bucket.

    Attributes:
        ids: bucket of each row; scratch memory of who made the partition.
        begins: place of each bucket's first row, and the number of rows.
        offsets: for each thread, where its part of each bucket begins.
        floors: lowest word of each bucket.
        widths: how far above it a word of the bucket can lie.
        parts: rows of each thread.
    """

    ids: Ids
    begins: Counts
    offsets: Counts
    floors: Words
    widths: Words
    parts: list[tuple[int, int]]

    @property
    def bounds(self) -> list[tuple[int, int, int]]:
        """Number, first and last place of each bucket with rows."""
        begins = self.begins.tolist()
        return [(number, start, stop) for number, (start, stop) in enumerate(pairwise(begins)) if stop > start]

    def several(self, seen: Extent) -> list[bool]:
        """Whether a bucket can hold different words."""
        return [width >> seen.equal_bits > 0 for width in self.widths.tolist()]

    def lossy(self, seen: Extent, drops: Words) -> list[bool]:
        """Whether words of a bucket that differ can look alike without so many bits: the last ones may be equal in all words."""
        return [drop > seen.equal_bits for drop in drops.tolist()]

    def drops(self, row_bits: int, word_bits: int = _WORD_BITS) -> Words:
        """Bits of each bucket's distances that do not fit above so many bits."""
        room = max(word_bits - row_bits, 0)
        return np.array([max(width.bit_length() - room, 0) for width in self.widths.tolist()], np.uint64)

    def scatter(self, keys: Keys, row_bits: int, drops: Words, packed: NDArray[Any], watch: Watch, local: bool = False) -> None:
        """Write each row's packed word to its bucket, in the order of the rows."""
        forms = (self.begins, self.floors, drops, np.uint64(row_bits), local, packed)
        tasks = [
            partial(scatter_packed, keys.bits[start:stop], keys.form, self.ids[start:stop], start, offsets, *forms)
            for (start, stop), offsets in zip(self.parts, self.offsets, strict=True)
        ]
        run(tasks, watch)

    def scatter_values(self, values: NDArray[Any], out: NDArray[Any], watch: Watch) -> None:
        """Write each value of 4 or 8 bytes to its bucket, in the order of the rows; `out` begins at a multiple of 64 bytes."""
        scatter = scatter_words if values.dtype == np.uint64 else scatter_halves
        tasks = [
            partial(scatter, values[start:stop], np.uint64(0), self.ids[start:stop], offsets, out)
            for (start, stop), offsets in zip(self.parts, self.offsets, strict=True)
        ]
        run(tasks, watch)


def extent(keys: Keys, threads: int, watch: Watch) -> Extent:
    """Look at each word once."""
    tasks = [partial(scan, keys.bits, keys.form, start, stop) for start, stop in cuts(keys.rows, threads)]
    lows, highs, different, falls, changes = zip(*run(tasks, watch), strict=True)
    return Extent(int(min(lows)), int(max(highs)), reduce(or_, map(int, different)), int(sum(falls)), int(sum(changes)))


def sample(keys: Keys, rows: int, seed: int = 0) -> Words:
    """Sorted words of at most so many rows: drawn at random, none of them twice, the same ones for the same seed; or all."""
    chosen = None if rows >= keys.rows else np.unique(np.random.default_rng(seed).integers(0, keys.rows, rows))
    drawn = keys.words(chosen)
    drawn.sort()
    return drawn


def model_for(keys: Keys, seen: Extent) -> Buckets:
    """A bucket for each value where there are few; else what a sample teaches."""
    if seen.narrow:
        return buckets.each_value(seen.low, seen.high, seen.equal_bits)
    wanted = buckets_for(keys.rows)
    return buckets.learn(sample(keys, wanted * int(BUCKET_SAMPLE_ROWS.default)), wanted)


def buckets_for(rows: int) -> int:
    """How many buckets so many rows are meant to have."""
    return min(1 << (rows // int(BUCKET_ROWS.default)).bit_length(), int(BUCKETS_MOST.default))


@contextmanager
def partitioned(keys: Keys, seen: Extent, model: Buckets, threads: int, watch: Watch) -> Iterator[Partition]:
    """Classify each row. The partition is usable inside the block."""
    count = model.floors.size
    parts = cuts(keys.rows, threads)
    counts = np.zeros((threads, count), np.int64)
    with scratch(keys.rows, np.uint16) as ids:
        tasks = [
            partial(model.classify, keys.bits[start:stop], keys.form, ids[start:stop], counts[part])
            for part, (start, stop) in enumerate(parts)
        ]
        run(tasks, watch)
        begins = np.zeros(count + 1, np.int64)
        np.cumsum(counts.sum(0), out=begins[1:])
        offsets = begins[:-1] + np.cumsum(counts, 0) - counts
        floors, width = buckets.widths(model, seen.low, seen.high)
        yield Partition(ids, begins, offsets, floors, width, parts)
