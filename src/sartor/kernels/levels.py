"""Keys of several words: columns of wide types, of nulls, and several columns, sorted level by level.

A level makes one word of each row. As many first levels as fit are folded into one word and sorted at once; what is equal then is
refined by the next level, and only rows that are still tied are looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.argsort_words import argsort_words
from sartor.kernels.small import Rows
from sartor.kernels.threads import Watch
from sartor.kernels.words import Words, keys_of

Level = Callable[[Rows | None], Words]
"""Makes the words of these rows, or of all, each time anew."""
_WORD_BITS = 64
_FIRST_SHARE, _LATER_SHARE = 0.7, 0.1  # of the progress that is told


def argsort_levels(rows: int, levels: Iterable[Level], threads: int, watch: Watch) -> Rows:
    """Rows in the order of their first level, equal ones in that of the second, and so on; at last in the order of rows.

    >>> first, second = np.array([1, 0, 1], np.uint64), np.array([2, 9, 0], np.uint64)
    >>> levels = [lambda rows, words=words: words if rows is None else words[rows] for words in (first, second)]
    >>> argsort_levels(3, levels, 1, Watch()).tolist()
    [1, 2, 0]
    """
    if rows < 2:
        return np.arange(rows)
    folded, waiting, left = fold(levels)
    with watch.part(_FIRST_SHARE):
        order = argsort_words(keys_of(folded), threads, watch)
    rest = chain(waiting, left)
    second = next(rest, None)
    if second is None:
        return order
    sorted_words = folded[order]
    starts = np.append(True, sorted_words[1:] != sorted_words[:-1])
    del folded, sorted_words
    for level in chain([second], rest):
        tied = np.flatnonzero(_tied(starts))
        if tied.size == 0:
            break
        group = np.cumsum(starts[tied]) - 1
        with watch.part(_LATER_SHARE):
            words = _folded_pair(group.astype(np.uint64), level(order[tied]), threads, watch)
            refined = argsort_words(keys_of(words), threads, watch)
        order[tied] = order[tied][refined]
        words = words[refined]
        starts[tied] = np.append(True, words[1:] != words[:-1])
    return order


def ranks(words: Words, threads: int, watch: Watch) -> Words:
    """Each word's place among the different words.

    >>> ranks(np.array([70, 5, 70, 9], np.uint64), 1, Watch()).tolist()
    [2, 0, 2, 1]
    """
    order = argsort_words(keys_of(words), threads, watch)
    ordered = words[order]
    found = np.empty(words.size, np.uint64)
    found[order] = np.cumsum(np.append(np.uint64(0), (ordered[1:] != ordered[:-1]).astype(np.uint64)))
    return found


def fold(levels: Iterable[Level]) -> tuple[Words, list[Level], Iterator[Level]]:
    """The words of as many first levels as fit into 64 bits, the level that did not fit, and the levels after it."""
    left = iter(levels)
    folded = next(left)(None)
    low = folded.min()
    used = int(folded.max() - low).bit_length()
    for level in left:
        words = level(None)
        least = words.min()
        bits = int(words.max() - least).bit_length()
        if used + bits > _WORD_BITS:
            return folded, [level], left
        if bits:
            folded = words - least if used == 0 else ((folded - low) << np.uint64(bits)) | (words - least)
            low, used = np.uint64(0), used + bits
        if used == _WORD_BITS:
            break
    return folded, [], left


def _folded_pair(group: Words, words: Words, threads: int, watch: Watch) -> Words:
    """One word of a group's number and a word; ranks instead of words where both do not fit."""
    low = words.min()
    bits = int(words.max() - low).bit_length()
    if int(group[-1]).bit_length() + bits > _WORD_BITS:
        words, low = ranks(words, threads, watch), np.uint64(0)
        bits = int(words.max()).bit_length()
    made: Words = (group << np.uint64(bits)) | (words - low) if bits < _WORD_BITS else words - low
    return made


def _tied(starts: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Places whose group has more than one row."""
    tied = ~starts
    tied[:-1] |= tied[1:]
    return tied
