"""Never slower: a template whose alternative became slower than plain, by its own history, is put back.

The history raises a suspicion only: other literals come at other times of the day, and a template whose runs differ by their
literals would look slower by accident. So a suspected template is put on probation: it runs plain and served in turn, over
the same stretch of its statements, and only that comparison decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from sartor.core.constants import PUT_BACK_DEVIATIONS, PUT_BACK_RATIO, PUT_BACK_RUNS


def is_suspect(plain_seconds: Sequence[float], served_seconds: Sequence[float]) -> bool:
    """Whether the last served runs were slower than the plain ones, by medians and a ratio that noise does not reach.

    >>> is_suspect([1.0] * 5, [2.0] * 5), is_suspect([1.0] * 5, [0.5] * 5), is_suspect([], [2.0] * 5)
    (True, False, False)
    """
    runs = int(PUT_BACK_RUNS.default)
    if len(plain_seconds) < runs or len(served_seconds) < runs:
        return False
    return median(list(served_seconds)[-2 * runs :]) > median(plain_seconds) * PUT_BACK_RATIO.default


def is_slower(plain_seconds: Sequence[float], served_seconds: Sequence[float]) -> bool:
    """Whether served runs are slower than plain ones beyond accident, however much both differ by their literals.

    By the rank-sum test of Mann and Whitney (On a test of whether one of two random variables is stochastically larger than
    the other, 1947), in its normal approximation.

    >>> is_slower([1.0] * 6, [1.5] * 6), is_slower([1, 1, 1, 9, 9, 9], [2, 2, 2, 8, 8, 8])
    (True, False)
    """
    if median(served_seconds) <= median(plain_seconds) * PUT_BACK_RATIO.default:
        return False
    ours, theirs = len(served_seconds), len(plain_seconds)
    above = sum((one > other) + (one == other) / 2 for one in served_seconds for other in plain_seconds)
    spread = (ours * theirs * (ours + theirs + 1) / 12) ** 0.5
    return bool((above - ours * theirs / 2) / spread > PUT_BACK_DEVIATIONS.default)


@dataclass(slots=True)
class Probation:
    """Runs of a suspected template, plain and served in turn.

    Attributes:
        runs: of each kind, after which it is decided.
        since: statements that were taken up later belong to it; a moment on any clock.
    """

    runs: int
    since: float = 0.0
    plain_seconds: list[float] = field(default_factory=list)
    served_seconds: list[float] = field(default_factory=list)

    @property
    def plain_is_next(self) -> bool:
        return len(self.plain_seconds) <= len(self.served_seconds)

    def observe(self, seconds: float, *, served: bool) -> bool | None:
        """Take a run in; says whether the template is to be put back once that is known, and None before."""
        (self.served_seconds if served else self.plain_seconds).append(seconds)
        if min(len(self.plain_seconds), len(self.served_seconds)) < self.runs:
            return None
        return is_slower(self.plain_seconds, self.served_seconds)
