"""What to do in idle time, and when it pays; no clock, thread or connection.

An object whose table only grew is served with its residual, which costs a little in every statement, until it is refreshed,
which costs once. The refresh is due when the residual has cost as much as it: whatever comes next, that is at most twice what
the best choice in hindsight would have cost (ski rental: Karlin, Manasse, Rudolph, Sleator, Competitive snoopy caching, 1988).
A round is due when as much has been read as before all rounds together, so that rounds become seldom as a workload settles.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from sartor.core.constants import AUTOTUNE_SECONDS, IDLE_SECONDS, REFRESH_SECONDS, RESIDUAL_SECONDS


class Task(Enum):
    """What is due."""

    NOTHING = "nothing"
    REFRESH = "refresh"
    TUNE = "tune"


@dataclass(slots=True)
class Upkeep:
    """What upkeep has cost and would have saved.

    Attributes:
        read_seconds: what all reads took.
        tuned_at: `read_seconds` when the last round began.
        residual_seconds: per object, what its residual has cost since its last refresh.
        refresh_seconds: per object, what its last refresh took.
    """

    read_seconds: float = 0.0
    tuned_at: float = 0.0
    residual_seconds: dict[int, float] = field(default_factory=dict)
    refresh_seconds: dict[int, float] = field(default_factory=dict)

    def observe(self, seconds: float, objects: Iterable[int], usual_seconds: float | None) -> None:
        """Take in a read.

        Args:
            objects: those that it was served from with their residuals.
            usual_seconds: what its template takes without residuals; None if that is not known.
        """
        self.read_seconds += seconds
        for identifier in objects:
            lost = max(0.0, seconds - usual_seconds) if usual_seconds is not None else RESIDUAL_SECONDS.default
            self.residual_seconds[identifier] = self.residual_seconds.get(identifier, 0.0) + lost

    def refreshed(self, identifier: int, seconds: float) -> None:
        self.residual_seconds.pop(identifier, None)
        self.refresh_seconds[identifier] = seconds

    def to_refresh(self, mutated: Iterable[int], appended: Iterable[int]) -> frozenset[int]:
        """The objects whose refresh is due: those that may hold what was deleted or changed, and those that pay."""
        paying = {
            identifier
            for identifier in appended
            if self.residual_seconds.get(identifier, 0.0) >= self.refresh_seconds.get(identifier, REFRESH_SECONDS.default)
        }
        return frozenset((*mutated, *paying))

    def due(self, idle_seconds: float, to_refresh: frozenset[int]) -> Task:
        """What to do after so many seconds in which nobody asked anything."""
        if idle_seconds < IDLE_SECONDS.default:
            return Task.NOTHING
        if to_refresh:
            return Task.REFRESH
        return Task.TUNE if self.read_seconds >= max(AUTOTUNE_SECONDS.default, 2 * self.tuned_at) else Task.NOTHING
