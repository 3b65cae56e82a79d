"""Lower bounds of many words in sorted ones: down one level for a group of queries at a time, so that their cache misses overlap.

The words that are searched may be stored flipped (`flip`), so that a signed column is searched where it lies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.compiled import kernel
from sartor.kernels.words import Words

Ranks = NDArray[np.int64]
_GROUP = 64  # queries that go down together: more overlap no better, fewer wait
_LOOK = 512  # words looked at before it is asked whether one fell
_ONE = np.uint64(1)


@kernel
def interleaved(words: Words, flip: np.uint64, queries: Words, found: Ranks) -> None:
    """By halves, without a model. Words are not empty."""
    base = np.empty(_GROUP, np.uint64)
    for start in range(0, queries.size, _GROUP):
        size = np.uint64(min(_GROUP, queries.size - start))
        first = np.uint64(start)
        for lane in range(size):
            base[lane] = 0
        _descend(words, flip, queries, first, size, np.uint64(words.size), base)
        for lane in range(size):
            found[first + lane] = base[lane]


@kernel
def by_spline(
    words: Words,
    flip: np.uint64,
    queries: Words,
    knots: Words,
    ranks: NDArray[np.float64],
    slopes: NDArray[np.float64],
    error: int,
    found: Ranks,
) -> None:
    """By halves among the knots, then among the words within the spline's error of its estimate; exact by its guarantee."""
    base = np.empty(_GROUP, np.uint64)
    window = np.uint64(min(2 * error + 2, words.size))
    last = np.int64(words.size - window)
    for start in range(0, queries.size, _GROUP):
        size = np.uint64(min(_GROUP, queries.size - start))
        first = np.uint64(start)
        for lane in range(size):
            base[lane] = 0
        left = np.uint64(knots.size)
        while left > _ONE:
            half = left >> _ONE
            for lane in range(size):
                at = base[lane]
                base[lane] = at + half if knots[at + half] <= queries[first + lane] else at
            left -= half
        for lane in range(size):
            segment, word = base[lane], queries[first + lane]
            distance = np.float64(word - knots[segment]) if word > knots[segment] else 0.0
            estimate = np.int64(ranks[segment] + distance * slopes[segment])
            base[lane] = np.uint64(max(min(estimate - error, last), np.int64(0)))
        _descend(words, flip, queries, first, size, window, base)
        for lane in range(size):
            found[first + lane] = base[lane]


@kernel
def _descend(words: Words, flip: np.uint64, queries: Words, first: np.uint64, size: np.uint64, window: np.uint64, base: Words) -> None:
    """Turn places into lower bounds that lie at most `window` words after them."""
    left = window
    while left > _ONE:
        half = left >> _ONE
        for lane in range(size):
            at = base[lane]
            base[lane] = at + half if (words[at + half - _ONE] ^ flip) < queries[first + lane] else at
        left -= half
    for lane in range(size):
        at = base[lane]
        base[lane] = at + np.uint64((words[at] ^ flip) < queries[first + lane])


@kernel
def galloping(words: Words, flip: np.uint64, queries: Words, found: Ranks) -> None:
    """For rising queries: from the last answer onward in doubling steps."""
    size, at = np.uint64(words.size), np.uint64(0)
    for place in range(np.uint64(queries.size)):
        query, step = queries[place], _ONE
        while at + step <= size and (words[at + step - _ONE] ^ flip) < query:
            at += step
            step <<= _ONE
        left = min(step, size - at)
        while left > 0:
            half = (left + _ONE) >> _ONE
            if (words[at + half - _ONE] ^ flip) < query:
                at += half
            left -= half
        found[place] = at


@kernel
def single(
    words: Words, flip: np.uint64, query: np.uint64, knots: Words, ranks: NDArray[np.float64], slopes: NDArray[np.float64], error: int
) -> int:
    """One lower bound; without knots by halves of all words."""
    at, left = np.uint64(0), np.uint64(words.size)
    if knots.size:
        segment, width = np.uint64(0), np.uint64(knots.size)
        while width > _ONE:
            half = width >> _ONE
            segment = segment + half if knots[segment + half] <= query else segment
            width -= half
        distance = np.float64(query - knots[segment]) if query > knots[segment] else 0.0
        estimate = np.int64(ranks[segment] + distance * slopes[segment])
        left = np.uint64(min(2 * error + 2, words.size))
        at = np.uint64(max(min(estimate - error, np.int64(words.size - left)), np.int64(0)))
    while left > 0:
        half = (left + _ONE) >> _ONE
        if (words[at + half - _ONE] ^ flip) < query:
            at += half
        left -= half
    return np.int64(at)  # type: ignore[return-value]


@kernel
def changes(words: Words, flip: np.uint64) -> int:
    """How many words are higher than the one before; -1 as soon as one is lower."""
    found = 0
    for start in range(0, words.size, _LOOK):
        part = words[max(start - 1, 0) : start + _LOOK]
        falls = 0
        for place in range(1, part.size):
            falls += (part[place] ^ flip) < (part[place - 1] ^ flip)
            found += part[place] != part[place - 1]
        if falls:
            return -1
    return found
