"""A monotone spline through the ranks of sorted words, with a bound on its error that holds for every word.

The greedy corridor of RadixSpline (Kipf et al., 2020): one pass, a knot wherever no line from the last knot passes within the
error of all words between. The bound is that of a one-level PGM index (Ferragina and Vinciguerra, 2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sartor.kernels.compiled import kernel
from sartor.kernels.words import Words

_ZERO = np.uint64(0)
_ONE = np.uint64(1)
_TOP = np.uint64(2**64 - 1)
_STEEPEST = 1e280  # no line yet; times any width it is still a number


@dataclass(frozen=True, slots=True)
class Spline:
    """An estimate of how many words are lower than a given one.

    Guarantee: for *every* word, present or not, the true number of lower words differs from `estimate` by at most `error`.

    Attributes:
        knots: words at which segments begin, strictly rising.
        ranks: the estimate at each knot.
        slopes: ranks a word in the segment after each knot; the last is 0.
        rows: words that were learned from.
        error: the bound.
    """

    knots: Words
    ranks: NDArray[np.float64]
    slopes: NDArray[np.float64]
    rows: int
    error: int

    @property
    def nbytes(self) -> int:
        """Bytes of the model."""
        return self.knots.nbytes + self.ranks.nbytes + self.slopes.nbytes

    def estimate(self, words: Words) -> NDArray[np.float64]:
        """Ranks, without a look at the words that were learned from.

        >>> spline = fit(np.arange(0, 4000, 4, dtype=np.uint64), error=2)
        >>> spline.estimate(np.array([0, 2000, 9999], np.uint64)).round().tolist()
        [0.0, 500.0, 1000.0]
        """
        ranks = np.empty(words.size, np.float64)
        _estimate(self.knots, self.ranks, self.slopes, float(self.rows), np.ascontiguousarray(words), ranks)
        return ranks


def fit(words: Words, error: int, flip: np.uint64 = _ZERO) -> Spline:
    """Learn from sorted words in one pass.

    A run of equal words is a step: its first rank is learned at the word, the rank after it at the next number. Between learned
    words ranks are constant or, just behind a word that comes once, one higher; the spline rises. So the bound is the error
    asked for, one rank for what is just behind a word, and one for rounding.

    Args:
        words: rising; not empty.
        error: ranks by which a line may miss; a smaller one makes more knots.
        flip: what each word is to be flipped with before.
    """
    room = most_knots(words.size, error)
    knots, ranks = np.empty(room, np.uint64), np.empty(room, np.float64)
    count = _corridor(words, flip, float(error), knots, ranks)
    knots, ranks = knots[:count].copy(), ranks[:count].copy()
    slopes = np.zeros(count)
    slopes[:-1] = np.diff(ranks) / np.diff(knots).astype(np.float64)
    return Spline(knots, ranks, slopes, words.size, error + 2)


def most_knots(rows: int, error: int) -> int:
    """No spline of so many rows has more knots.

    A line ends where a rank has risen by more than the error since it began: up to there a flat line does. The next line begins
    before that place, and the one after it at or behind it, so that any two lines together rise by more than the error.
    """
    return 2 * (rows // (error + 1) + 1) + 4


def holds(spline: Spline, words: Words, flip: np.uint64 = _ZERO) -> bool:
    """Whether the bound is true of these sorted words: looks at each of them, for a model that comes from elsewhere.

    >>> words = np.array([1, 5, 5, 9], np.uint64)
    >>> holds(fit(words, error=1), words)
    True
    """
    if spline.rows != words.size or spline.knots.size == 0 or (spline.knots[1:] <= spline.knots[:-1]).any():
        return False
    monotone = bool((spline.slopes >= 0).all() and (spline.ranks[1:] >= spline.ranks[:-1]).all())
    return monotone and bool(_worst(words, flip, spline.knots, spline.ranks, spline.slopes) <= spline.error)


@kernel
def _corridor(words: Words, flip: np.uint64, error: float, knots: Words, ranks: NDArray[np.float64]) -> int:
    """Write the knots; their number."""
    rows = words.size
    base, base_rank = words[0] ^ flip, 0.0
    knots[0], ranks[0] = base, base_rank
    count = 1
    last, last_rank = base, base_rank
    steepest, flattest = _STEEPEST, 0.0
    row, word, rank = 0, base, 0.0
    step = False  # whether the next point is the end of a run
    while row < rows:
        if step:
            if word == _TOP:
                break
            word, rank, step = word + _ONE, float(row), False
            if row < rows and (words[row] ^ flip) == word:
                continue
        else:
            word, rank = words[row] ^ flip, float(row)
            start = row
            row += 1
            while row < rows and (words[row] ^ flip) == word:
                row += 1
            step = row - start > 1
        if word == last:
            continue
        width, rise = float(word - base), rank - base_rank
        if rise > steepest * width or rise < flattest * width:
            base, base_rank = last, last_rank
            knots[count], ranks[count] = base, base_rank
            count += 1
            width, rise = float(word - base), rank - base_rank
            steepest, flattest = (rise + error) / width, max((rise - error) / width, 0.0)
        else:  # most words narrow nothing, and a division costs as much as all else here
            if rise + error < steepest * width:
                steepest = (rise + error) / width
            if rise - error > flattest * width:
                flattest = (rise - error) / width
        last, last_rank = word, rank
    if last != base:
        knots[count], ranks[count] = last, last_rank
        count += 1
    if last != _TOP:
        knots[count], ranks[count] = last + _ONE, float(rows)
        count += 1
    return count


@kernel
def _worst(words: Words, flip: np.uint64, knots: Words, ranks: NDArray[np.float64], slopes: NDArray[np.float64]) -> float:
    """The largest error at any word and just after it; between them ranks are constant and the spline rises."""
    rows, segment, worst = words.size, 0, 0.0
    last = knots.size - 1
    row = 0
    while row < rows:
        word = words[row] ^ flip
        start = row
        row += 1
        while row < rows and (words[row] ^ flip) == word:
            row += 1
        while segment < last and knots[segment + 1] <= word:
            segment += 1
        rank = ranks[segment] + float(word - knots[segment]) * slopes[segment]
        worst = max(worst, abs(rank - start))
        if word != _TOP:
            after = word + _ONE
            later = segment + 1 if segment < last and knots[segment + 1] <= after else segment
            rank = ranks[later] + float(after - knots[later]) * slopes[later]
            worst = max(worst, abs(rank - row))
    return worst


@kernel
def _estimate(
    knots: Words, ranks: NDArray[np.float64], slopes: NDArray[np.float64], rows: float, words: Words, out: NDArray[np.float64]
) -> None:
    for place in range(words.size):
        word = words[place]
        segment = np.searchsorted(knots, word, side="right") - 1
        if segment < 0:
            out[place] = 0.0
        else:
            rank = ranks[segment] + float(word - knots[segment]) * slopes[segment]
            highest = ranks[segment + 1] if segment + 1 < knots.size else rows  # rounding must not pass the next knot
            out[place] = min(max(rank, 0.0), highest)
