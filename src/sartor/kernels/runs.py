"""A run: sorted words that do not change, with what was learned about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter

import numpy as np

from sartor.core.constants import INDEX_ERROR, INDEX_GAIN, INDEX_GALLOP, INDEX_MODEL_SHARE, INDEX_TRIED
from sartor.kernels import spline as splines
from sartor.kernels.search import Ranks, by_spline, changes, galloping, interleaved, single
from sartor.kernels.spline import Spline
from sartor.kernels.threads import Watch, cuts, run
from sartor.kernels.words import Words

_ZERO = np.uint64(0)
_NO_KNOTS, _NO_RANKS = np.empty(0, np.uint64), np.empty(0, np.float64)
_REPETITIONS = 3


@dataclass(frozen=True, slots=True)
class Run:
    """Sorted words and a spline through their ranks.

    Attributes:
        words: rising once flipped.
        flip: what each stored word is flipped with.
        spline: None only if there are no words.
        learned: whether look-ups go through the spline: only where that was clearly faster when the run was built.
    """

    words: Words
    flip: np.uint64
    spline: Spline | None
    learned: bool

    @property
    def rows(self) -> int:
        return int(self.words.size)

    def lower(self, queries: Words, threads: int = 1) -> Ranks:
        """How many words are lower than each query."""
        found = np.empty(queries.size, np.int64) if self.rows else np.zeros(queries.size, np.int64)
        if self.rows and queries.size:
            tasks = [partial(self._lower, queries[start:stop], found[start:stop]) for start, stop in cuts(queries.size, threads)]
            run(tasks, Watch())
        return found

    def lower_one(self, query: int) -> int:
        """How many words are lower than a query."""
        if not self.rows:
            return 0
        model = self.spline if self.learned else None
        if model is None:
            return int(single(self.words, self.flip, np.uint64(query), _NO_KNOTS, _NO_RANKS, _NO_RANKS, 0))
        return int(single(self.words, self.flip, np.uint64(query), model.knots, model.ranks, model.slopes, model.error))

    def _lower(self, queries: Words, found: Ranks) -> None:
        different = changes(queries, _ZERO)
        few = self.rows <= INDEX_GALLOP.default * queries.size or different * INDEX_GALLOP.default <= queries.size
        if different >= 0 and few:
            galloping(self.words, self.flip, queries, found)
        elif self.learned and self.spline is not None:
            _by_spline(self.words, self.flip, queries, self.spline, found)
        else:
            interleaved(self.words, self.flip, queries, found)


def build(words: Words, flip: np.uint64 = _ZERO, error: int | None = None) -> Run:
    """Learn a run of sorted words.

    The model takes at most `INDEX_MODEL_SHARE` of the words' bytes: where the error asked for needs more knots, a larger one is
    taken.
    """
    if words.size == 0:
        return Run(words, flip, None, False)
    wanted = int(INDEX_ERROR.default) if error is None else error
    model = splines.fit(words, wanted, flip)
    while model.nbytes > INDEX_MODEL_SHARE.default * words.nbytes and wanted < words.size:
        wanted *= 2
        model = splines.fit(words, wanted, flip)
    return Run(words, flip, model, _pays(words, flip, model))


def _pays(words: Words, flip: np.uint64, model: Spline) -> bool:
    """Whether random look-ups are clearly faster with the model than without, on this machine and these words."""
    if words.size < INDEX_TRIED.default:
        return False
    tried = int(INDEX_TRIED.default)
    found = np.empty(tried, np.int64)
    with_model, without = [], []
    for drawn in np.random.default_rng(0).integers(0, words.size, (1 + _REPETITIONS, tried)):  # others each time: none are cached
        queries = words[drawn] ^ flip
        began = perf_counter()
        _by_spline(words, flip, queries[::2].copy(), model, found[::2].copy())
        middle = perf_counter()
        interleaved(words, flip, queries[1::2].copy(), found[1::2].copy())
        with_model.append(middle - began)
        without.append(perf_counter() - middle)
    return min(with_model[1:]) * INDEX_GAIN.default < min(without[1:])


def _by_spline(words: Words, flip: np.uint64, queries: Words, model: Spline, found: Ranks) -> None:
    by_spline(words, flip, queries, model.knots, model.ranks, model.slopes, model.error, found)
