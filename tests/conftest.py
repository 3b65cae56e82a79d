"""What tests of several folders share."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sartor.tuner import loop
from sartor.tuner.trial import Pair, Verdict


@pytest.fixture
def trials_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever gives the same answers is kept: how long runs take on a busy machine does not decide a test."""

    def verdict(pairs: Sequence[Pair]) -> Verdict:
        return Verdict.KEEP if len(pairs) >= 3 else Verdict.MORE

    monkeypatch.setattr(loop, "verdict", verdict)
