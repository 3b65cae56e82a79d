"""An auxiliary copy answers nothing: its table has the same rows, in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative


def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
    """None."""
    return ()
