"""A number with its source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Evidence:
    """A number that a decision rests on.

    Attributes:
        value: the number; its unit stands in the name of the field that holds it.
        source: "measured" (how often: `samples`, spread: `spread`) or "predicted" (by which model: `model`).
        spread: half the distance between the quartiles of what was measured, or the model's own error; same unit.
    """

    value: float
    source: Literal["measured", "predicted"]
    model: str = ""
    samples: int = 0
    spread: float = 0.0
