"""Never slower: a template whose alternative became slower than plain was, by its own history, is put back."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from sartor.core.constants import PUT_BACK_RATIO, PUT_BACK_RUNS


def should_put_back(plain_seconds: Sequence[float], served_seconds: Sequence[float]) -> bool:
    """Whether the last served runs were slower than the plain ones, by medians and a ratio that noise does not reach.

    >>> should_put_back([1.0] * 5, [2.0] * 5), should_put_back([1.0] * 5, [0.5] * 5), should_put_back([], [2.0] * 5)
    (True, False, False)
    """
    runs = int(PUT_BACK_RUNS.default)
    if len(plain_seconds) < runs or len(served_seconds) < runs:
        return False
    return median(list(served_seconds)[-2 * runs :]) > median(plain_seconds) * PUT_BACK_RATIO.default
