"""Never slower: a template whose alternative became slower than plain, by its own history, is put back.

The history raises a suspicion only: other literals come at other times of the day, and a template whose runs differ by their
literals would look slower by accident. So a suspected template is put on probation: it runs plain and served in turn, over
the same stretch of its statements, and only that comparison decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from sartor.core.constants import PROBATION_RUNS, PUT_BACK_RATIO, PUT_BACK_RUNS


def is_suspect(plain_seconds: Sequence[float], served_seconds: Sequence[float]) -> bool:
    """Whether the last served runs were slower than the plain ones, by medians and a ratio that noise does not reach.

    >>> is_suspect([1.0] * 5, [2.0] * 5), is_suspect([1.0] * 5, [0.5] * 5), is_suspect([], [2.0] * 5)
    (True, False, False)
    """
    runs = int(PUT_BACK_RUNS.default)
    if len(plain_seconds) < runs or len(served_seconds) < runs:
        return False
    return median(list(served_seconds)[-2 * runs :]) > median(plain_seconds) * PUT_BACK_RATIO.default


@dataclass(slots=True)
class Probation:
    """Runs of a suspected template, plain and served in turn."""

    plain_seconds: list[float] = field(default_factory=list)
    served_seconds: list[float] = field(default_factory=list)

    @property
    def plain_is_next(self) -> bool:
        return len(self.plain_seconds) <= len(self.served_seconds)

    def observe(self, seconds: float, *, served: bool) -> bool | None:
        """Take a run in; says whether the template is to be put back once that is known, and None before."""
        (self.served_seconds if served else self.plain_seconds).append(seconds)
        if min(len(self.plain_seconds), len(self.served_seconds)) < PROBATION_RUNS.default:
            return None
        return median(self.served_seconds) > median(self.plain_seconds) * PUT_BACK_RATIO.default
