"""Which bucket a word belongs to: models of a column that cut it into parts of about equal size.

Guarantee of every model: buckets rise with words. `floors` are the lowest words that each can hold, strictly rising, so a word in
bucket b lies between `floors[b]` and `floors[b + 1] - 1`, whatever the sample was like; every bucket has a cell or a splitter of
its own, so the next floor is always that of the next bucket that can hold anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import BUCKET_CELLS, BUCKET_EXCESS, TRIMMED_SHARE
from sartor.kernels.compiled import kernel
from sartor.kernels.words import Bits, Words, map_block

Ids = NDArray[np.uint16]
Counts = NDArray[np.int64]

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(2**64 - 1)
_BLOCK = 2048
_LANES = 4  # words that walk down the tree together


@dataclass(frozen=True, slots=True)
class RadixTable:
    """The bits of a word below the first that differ, looked up in a table: the fastest, for columns without steep places.

    Attributes:
        low: words below belong to the first cell.
        shift: bits of a word that a cell does not tell apart.
        table: the bucket of each cell, rising without a gap.
        floors: lowest word of each bucket.
    """

    low: np.uint64
    shift: np.uint64
    table: Ids
    floors: Words

    def classify(self, bits: Bits, form: Words, ids: Ids, counts: Counts) -> None:
        """Write each row's bucket and add to each bucket's count."""
        _look_up(bits, form, self.low, self.shift, self.table, ids, counts)


@dataclass(frozen=True, slots=True)
class SplitterTree:
    """Quantiles of the sample as a tree without branches; values that fill more than a part get a bucket of their own.

    Attributes:
        tree: splitters in the order of a breadth-first walk, from place 1.
        splitters: rising; place j holds the j-th, place 0 nothing.
        bucket: of words above the j-th splitter at 2 j, of those equal to it at 2 j + 1.
        floors: lowest word of each bucket.
    """

    tree: Words
    splitters: Words
    bucket: Ids
    floors: Words

    def classify(self, bits: Bits, form: Words, ids: Ids, counts: Counts) -> None:
        """Write each row's bucket and add to each bucket's count."""
        _walk(bits, form, self.tree, self.splitters, self.bucket, ids, counts)


Buckets = RadixTable | SplitterTree


def learn(sample: Words, count: int) -> Buckets:
    """The model for about so many buckets (a power of two) that suits a sorted sample.

    The radix table, unless its fullest bucket holds several times the mean of the sample; then the tree.

    >>> words = np.sort(np.random.default_rng(0).integers(0, 2**60, 10_000, dtype=np.uint64))
    >>> type(learn(words, 64)).__name__
    'RadixTable'
    >>> type(learn(np.repeat(words[:5], 2000), 64)).__name__
    'SplitterTree'
    """
    table, share = _radix_table(sample, count)
    return table if share * count <= BUCKET_EXCESS.default else _splitter_tree(sample, count)


def each_value(low: int, high: int, equal_bits: int = 0) -> RadixTable:
    """A bucket for each word between two, all with the same last bits: nothing has to be sorted within.

    >>> each_value(5, 7).floors.tolist(), each_value(4, 12, 2).floors.tolist()
    ([5, 6, 7], [4, 8, 12])
    """
    steps = np.arange(((high - low) >> equal_bits) + 1, dtype=np.uint64)
    floors = np.uint64(low) + (steps << np.uint64(equal_bits))
    return RadixTable(np.uint64(low), np.uint64(equal_bits), steps.astype(np.uint16), floors)


def cut_at(borders: Words) -> SplitterTree:
    """A bucket for the words below the first of some borders, and for those from each one on; borders rise, none comes twice.

    >>> model, ids = cut_at(np.array([3, 7], np.uint64)), np.empty(4, np.uint16)
    >>> form = np.array([0, 0, 0, 2**64 - 1, 0, 0], np.uint64)
    >>> model.classify(np.array([2, 3, 6, 7], np.uint64), form, ids, np.zeros(3, np.int64))
    >>> ids.tolist(), model.floors.tolist()
    ([0, 1, 1, 2], [0, 3, 7])
    """
    return _tree_of(borders, [False] * borders.size, max(borders.size.bit_length(), 1))


def coarsened(model: Buckets, groups: NDArray[np.int64]) -> Buckets:
    """The model with neighbouring buckets made one; `groups` rises without a gap and has a number for each bucket.

    >>> coarsened(each_value(5, 8), np.array([0, 0, 1, 1])).floors.tolist()
    [5, 7]
    """
    floors = model.floors[np.flatnonzero(np.append(True, groups[1:] != groups[:-1]))]
    if isinstance(model, RadixTable):
        return replace(model, table=groups[model.table].astype(np.uint16), floors=floors)
    return replace(model, bucket=groups[model.bucket].astype(np.uint16), floors=floors)


def widths(model: Buckets, low: int, high: int) -> tuple[Words, Words]:
    """Lowest word, and distance to the highest possible one, of each bucket, in a column between two words.

    >>> floors, width = widths(each_value(5, 7), 5, 7)
    >>> floors.tolist(), width.tolist()
    ([5, 6, 7], [0, 0, 0])
    """
    floors = model.floors.copy()
    floors[0] = low
    ceilings = np.append(floors[1:] - _ONE, np.uint64(high))
    ceilings = np.minimum(ceilings, np.uint64(high))
    return floors, np.where(ceilings > floors, ceilings - floors, _ZERO)


def _radix_table(sample: Words, count: int) -> tuple[RadixTable, float]:
    """The table, and the share of its fullest bucket."""
    size = sample.size
    trimmed = int(size * TRIMMED_SHARE.default)
    low, high = int(sample[trimmed]), int(sample[size - 1 - trimmed])
    cells = count * int(BUCKET_CELLS.default)
    shift = max((high - low).bit_length() - (cells - 1).bit_length(), 0)
    used = ((high - low) >> shift) + 1
    cell = (np.clip(sample, np.uint64(low), np.uint64(high)) - np.uint64(low)) >> np.uint64(shift)
    held = np.bincount(cell.astype(np.int64), minlength=used)
    middle = np.cumsum(held) - held / 2
    wanted = np.minimum((middle * (count / size)).astype(np.int64), count - 1)
    begins = np.append(True, wanted[1:] != wanted[:-1])
    table = np.cumsum(begins) - 1
    floors = np.uint64(low) + (np.flatnonzero(begins).astype(np.uint64) << np.uint64(shift))
    share = float(np.bincount(table, weights=held).max()) / size
    return RadixTable(np.uint64(low), np.uint64(shift), table.astype(np.uint16), floors), share


def _splitter_tree(sample: Words, count: int) -> SplitterTree:
    depth = max((count - 1).bit_length(), 1)
    leaves = 1 << depth
    chosen, times = np.unique(sample[np.arange(1, leaves) * sample.size // leaves], return_counts=True)
    return _tree_of(chosen, (times > 1).tolist(), depth)


def _tree_of(chosen: Words, heavy: Sequence[bool], depth: int) -> SplitterTree:
    """The tree of these splitters; those that are heavy have a bucket of their own."""
    leaves = 1 << depth
    splitters = np.full(leaves, _TOP)
    splitters[0] = 0
    splitters[1 : chosen.size + 1] = chosen
    tree = np.zeros(leaves, np.uint64)
    for level in range(depth):
        tree[1 << level : 2 << level] = splitters[(2 * np.arange(1 << level) + 1) * (leaves >> (level + 1))]
    bucket = np.zeros(2 * leaves, np.uint16)
    floors = [0]
    for place, (value, alone) in enumerate(zip(chosen.tolist(), heavy, strict=True), 1):
        if value == floors[-1]:
            floors.pop()
        floors.append(value)
        bucket[2 * place + 1] = len(floors) - 1
        if alone and value < int(_TOP):
            floors.append(value + 1)
        bucket[2 * place] = len(floors) - 1
    bucket[2 * (chosen.size + 1) :] = len(floors) - 1
    return SplitterTree(tree, splitters, bucket, np.array(floors, np.uint64))


@kernel
def _look_up(bits: Bits, form: Words, low: np.uint64, shift: np.uint64, table: Ids, ids: Ids, counts: Counts) -> None:
    block = np.empty(_BLOCK, np.uint64)
    last = np.uint64(table.size - 1)
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block)
        for row in range(size):
            word = block[row]
            cell = min((word - low) >> shift, last) if word > low else _ZERO
            found = table[cell]
            ids[begin + row] = found
            counts[found] += 1


@kernel
def _walk(bits: Bits, form: Words, tree: Words, splitters: Words, bucket: Ids, ids: Ids, counts: Counts) -> None:
    block = np.zeros(_BLOCK + _LANES, np.uint64)
    for begin in range(0, bits.size, _BLOCK):
        size = min(_BLOCK, bits.size - begin)
        map_block(bits, form, begin, begin + size, block)
        for start in range(0, size, _LANES):
            # Four walks whose steps overlap, in registers: an array of places would be written and read at each level.
            word0, word1, word2, word3 = block[start], block[start + 1], block[start + 2], block[start + 3]
            node0 = node1 = node2 = node3 = _ONE
            level = 1
            while level < tree.size:
                node0 = (node0 << _ONE) + np.uint64(tree[node0] <= word0)
                node1 = (node1 << _ONE) + np.uint64(tree[node1] <= word1)
                node2 = (node2 << _ONE) + np.uint64(tree[node2] <= word2)
                node3 = (node3 << _ONE) + np.uint64(tree[node3] <= word3)
                level <<= 1
            block[start] = _leaf(node0, word0, splitters, bucket)
            block[start + 1] = _leaf(node1, word1, splitters, bucket)
            block[start + 2] = _leaf(node2, word2, splitters, bucket)
            block[start + 3] = _leaf(node3, word3, splitters, bucket)
        for row in range(size):
            found = np.uint16(block[row])
            ids[begin + row] = found
            counts[found] += 1


@kernel
def _leaf(node: np.uint64, word: np.uint64, splitters: Words, bucket: Ids) -> np.uint64:
    place = node - np.uint64(splitters.size)
    return np.uint64(bucket[(place << _ONE) + np.uint64(splitters[place] == word)])
