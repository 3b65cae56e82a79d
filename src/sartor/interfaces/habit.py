"""When to read something that holds until the next write: as soon as what it is expected to save is more than reading takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Habit:
    """How often something is asked from one write to its tables to the next, and what it takes to read what that appended.

    Attributes:
        expected: how often, by the stretches so far, each of which counts half as much as the next.
        reading_seconds: of the last time; 0 while it was never read.
    """

    expected: float = 0.0
    reading_seconds: float = 0.0

    def pays(self, times: float, saved_seconds: float | None) -> bool:
        """Whether to read it now that it is needed for so many times since the last write.

        It pays if it is expected to be needed often enough; and once doing without has cost what reading would have, so that
        it never costs more than twice what the better of both would have.

        Args:
            saved_seconds: what it saves each time; None while that is not known, and then it takes about as long as reading.

        >>> [Habit(4.0, 0.004).pays(times, 0.003) for times in (1, 2)], [Habit(1.0, 0.004).pays(times, 0.003) for times in (1, 2, 3)]
        ([True, True], [False, False, True])
        >>> Habit().pays(1, None), Habit().pays(2, None), Habit(9.0, 0.004).pays(9, 0.0)
        (False, True, False)
        """
        if saved_seconds is None or not self.reading_seconds:
            return times > 1
        return max(self.expected, times - 1) * saved_seconds > self.reading_seconds

    def wrote(self, times: float) -> None:
        """Take in how often it was needed until a write ended that."""
        self.expected = (self.expected + times) / 2 if self.expected else times
