"""A program of yes-or-no variables: the most gain under linear constraints, by scipy's HiGHS."""

from __future__ import annotations

from collections.abc import Mapping

from sartor.core.constants import SOLVE_GAP, SOLVE_SECONDS


class Program:
    """Gathers variables and constraints, then solves.

    >>> program = Program()
    >>> one, other = program.variable(3.0), program.variable(2.0)
    >>> program.at_most({one: 1.0, other: 1.0}, 1.0)
    >>> program.solve()
    [True, False]
    """

    def __init__(self) -> None:
        self._gains: list[float] = []
        self._constraints: list[tuple[Mapping[int, float], float]] = []

    def variable(self, gain: float) -> int:
        """A variable that brings so much if it is taken; returns its number."""
        self._gains.append(gain)
        return len(self._gains) - 1

    def at_most(self, weights: Mapping[int, float], limit: float) -> None:
        """The weights of the variables that are taken add up to no more than the limit."""
        self._constraints.append((weights, limit))

    def solve(self) -> list[bool]:
        """Which variables to take; none if the solver finds nothing in its time."""
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import lil_array

        rows = lil_array((len(self._constraints), len(self._gains)))
        for row, (weights, _) in enumerate(self._constraints):
            for variable, weight in weights.items():
                rows[row, variable] = weight
        answer = milp(
            -np.array(self._gains),
            integrality=np.ones(len(self._gains)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(rows.tocsr(), -np.inf, np.array([limit for _, limit in self._constraints])),
            options={"time_limit": SOLVE_SECONDS.default, "mip_rel_gap": SOLVE_GAP.default},
        )
        return [bool(value > 0.5) for value in answer.x] if answer.x is not None else [False] * len(self._gains)
