"""When tuning pays: totals scaled to other numbers of runs, and the number of runs after which a template has paid its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Means:
    """Mean seconds of one template's runs in each column.

    Attributes:
        served: Sartor answered some of them from what it built; what it never served it can not have sped up.
    """

    name: str
    n: int
    plain_s: float
    expert_s: float
    sartor_s: float
    served: bool = True

    @property
    def saved_s(self) -> float:
        """Seconds saved in all its runs; 0 where it got no faster, or was faster by chance only."""
        return max(self.plain_s - self.sartor_s, 0.0) * self.n if self.served else 0.0


def scaled(templates: Sequence[Means], runs: int, expert_once_s: float, sartor_once_s: float) -> dict[str, float]:
    """Total seconds if each template were asked `runs` times.

    This is arithmetic and no measurement: the means of the runs that were measured, times `runs`, and what is paid once (building,
    tuning, refreshing) added once.

    >>> scaled([Means("a", 10, 0.2, 0.1, 0.1)], 50, 1.0, 3.0)["sartor_s"]
    8.0
    """
    plain = runs * sum(one.plain_s for one in templates)
    expert = runs * sum(one.expert_s for one in templates) + expert_once_s
    sartor = runs * sum(one.sartor_s for one in templates) + sartor_once_s
    return {
        "plain_s": plain,
        "expert_s": expert,
        "sartor_s": sartor,
        "speedup": plain / sartor if sartor else 1.0,
        "expert_speedup": plain / expert if expert else 1.0,
    }


def break_even(templates: Sequence[Means], tune_s: float) -> dict[str, float | None]:
    """For each template the number of runs that pay back its share of the tuning; None where none do.

    Shares are by the plain time saved. So templates that were run equally often and save anything at all break even together: a
    share is large where much is saved.

    >>> break_even([Means("a", 10, 0.2, 0.2, 0.1), Means("b", 10, 0.1, 0.1, 0.1)], 4.0)
    {'a': 40.0, 'b': None}
    """
    saved = sum(one.saved_s for one in templates)
    shares = {one.name: tune_s * one.saved_s / saved if saved else 0.0 for one in templates}
    return {one.name: shares[one.name] / (one.saved_s / one.n) if one.saved_s > 0 else None for one in templates}


def break_even_of_all(templates: Sequence[Means], once_s: float) -> float | None:
    """The number of runs of every template after which all of them together, slower ones included, are ahead; None if never.

    >>> break_even_of_all([Means("a", 10, 0.5, 0.5, 0.125), Means("b", 10, 0.125, 0.125, 0.25)], 4.0)
    16.0
    """
    saved = sum(one.plain_s - one.sartor_s for one in templates)
    return once_s / saved if saved > 0 else None
