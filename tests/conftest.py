"""What tests of several folders share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from sartor.core.constants import KEPT_ANALYSED_SECONDS, KEPT_SECONDS
from sartor.interfaces import results
from sartor.tuner import loop
from sartor.tuner.trial import Pair, Verdict


@pytest.fixture
def trials_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gives the same answers is kept: how long runs take on a busy machine does not decide a test."""

    def verdict(pairs: Sequence[Pair]) -> Verdict:
        return Verdict.KEEP if len(pairs) >= 3 else Verdict.MORE

    monkeypatch.setattr(loop, "verdict", verdict)


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Whatever is asked again is run again: tests ask several times to see what answers."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(results, "KEPT_SECONDS", replace(KEPT_SECONDS, default=math.inf))
        yield


@pytest.fixture
def kept_at_once(nothing_kept: None) -> Iterator[None]:
    """Results are kept however little time they took."""
    with pytest.MonkeyPatch.context() as patched:
        for name, constant in (("KEPT_SECONDS", KEPT_SECONDS), ("KEPT_ANALYSED_SECONDS", KEPT_ANALYSED_SECONDS)):
            patched.setattr(results, name, replace(constant, default=0.0))
        yield
