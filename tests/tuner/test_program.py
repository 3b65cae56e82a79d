"""A program of yes-or-no variables."""

from __future__ import annotations

from sartor.tuner.program import Program


def test_the_best_within_the_constraints() -> None:
    program = Program()
    weights = {program.variable(gain): weight for gain, weight in ((6.0, 5.0), (5.0, 4.0), (4.0, 3.0), (-0.5, -2.0))}
    program.at_most(weights, 7.0)
    assert program.solve() == [True, True, False, True], "the last one costs, and makes room for the second"
    program.at_most({0: 1.0, 1: 1.0}, 1.0)
    assert program.solve() == [True, False, True, True]


def test_without_a_solution_nothing_is_taken() -> None:
    program = Program()
    program.at_most({program.variable(1.0): 1.0}, -1.0)
    assert program.solve() == [False]
