"""Putting back: what is slower is found, and what only looks slower for a while is not."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter

import pytest

from sartor.core.design import Design
from sartor.freshness.usable import Use
from sartor.interfaces.known import Template

DESIGN = Design(version=3)


def _day(template: Template, cost: Callable[[int], float], ratio: float, runs: int) -> int | None:
    """Serve a template as the query's way does; the run at which it was put back, or None."""
    for number in range(runs):
        served = not template.is_off(DESIGN, Use.WHOLE)
        seconds = cost(number) * (ratio if served else 1.0)
        if template.observe(seconds, Use.WHOLE if served else None, perf_counter()):
            template.switch_off(DESIGN, (Use.WHOLE,))
            return number
    return None


def _observed(cost: Callable[[int], float], runs: int = 40) -> Template:
    template = Template("digest", "text")
    for number in range(runs):
        template.observe(cost(number), None, perf_counter())
    return template


@pytest.mark.parametrize("seed", range(20))
def test_what_became_slower_is_put_back(seed: int) -> None:
    draw = random.Random(seed)

    def cost(number: int) -> float:
        return draw.uniform(0.9, 1.1)

    at = _day(_observed(cost), cost, 1.5, 200)
    assert at is not None
    assert at < 40


@pytest.mark.parametrize("seed", range(50))
def test_other_literals_do_not_look_like_a_slower_alternative(seed: int) -> None:
    draw = random.Random(seed)

    def before(number: int) -> float:
        return draw.choice((1.0, 1.0, 4.0))

    def now(number: int) -> float:
        return draw.choice((4.0, 5.0, 6.0))

    assert _day(_observed(before), now, 0.6, 400) is None


@pytest.mark.parametrize("seed", range(50))
def test_literals_that_differ_tenfold_hide_no_gain(seed: int) -> None:
    draw = random.Random(seed)

    def cost(number: int) -> float:
        return draw.choice((1.0, 3.0, 10.0)) * draw.uniform(0.9, 1.1)

    assert _day(_observed(cost), cost, 0.75, 1_000) is None


def test_plain_runs_in_turn_only_while_it_is_suspected() -> None:
    template = _observed(lambda number: 1.0)
    assert not template.is_off(DESIGN, Use.WHOLE)
    plain = 0
    for _ in range(100):
        served = not template.is_off(DESIGN, Use.WHOLE)
        plain += not served
        assert not template.observe(2.0 if served else 4.0, Use.WHOLE if served else None, perf_counter())
    assert 0 < plain <= 20, "each acquittal doubles the runs until the next probation"
    assert not template.is_off(DESIGN, Use.RESIDUAL), "another way of being served is not suspected"


def test_a_probation_looks_at_nothing_that_was_under_way_when_it_began() -> None:
    """Statements are taken in by batches: what was sent before it is of another stretch, and not in turn."""
    template = _observed(lambda number: 1.0)
    before = perf_counter()
    while not template.probation:
        assert not template.observe(2.0, Use.WHOLE, before)
    for seconds, how in ((2.0, Use.WHOLE), (1.0, None)):
        for _ in range(50):
            assert not template.observe(seconds, how, before)
    (probation,) = template.probation.values()
    assert (probation.plain_seconds, probation.served_seconds) == ([], [])


def test_a_new_design_is_a_new_chance() -> None:
    template = _observed(lambda number: 1.0)
    assert _day(template, lambda number: 1.0, 2.0, 100) is not None
    assert template.is_off(DESIGN, Use.WHOLE)
    assert not template.is_off(Design(version=4), Use.WHOLE)
