"""When upkeep is due."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from sartor.core.constants import AUTOTUNE_SECONDS, IDLE_SECONDS, REFRESH_SECONDS
from sartor.tuner.upkeep import Task, Upkeep

IDLE = IDLE_SECONDS.default


def test_what_was_deleted_goes_at_once_and_what_was_appended_when_it_pays() -> None:
    upkeep = Upkeep()
    assert upkeep.to_refresh([3], [4]) == {3}
    upkeep.observe(REFRESH_SECONDS.default + 0.5, [4], 0.5)
    assert upkeep.to_refresh([], [4]) == {4}
    upkeep.refreshed(4, 10.0)
    upkeep.observe(9.0, [4], 0.5)
    assert upkeep.to_refresh([], [4]) == frozenset()
    upkeep.observe(9.0, [4], 0.5)
    assert upkeep.to_refresh([], [4]) == {4}


def test_nothing_is_due_while_somebody_asks() -> None:
    upkeep = Upkeep(read_seconds=1e9)
    assert upkeep.due(IDLE / 2, frozenset([1])) is Task.NOTHING
    assert upkeep.due(IDLE, frozenset([1])) is Task.REFRESH
    assert upkeep.due(IDLE, frozenset()) is Task.TUNE


def test_rounds_become_seldom() -> None:
    upkeep, rounds = Upkeep(), 0
    for _ in range(10_000):
        upkeep.observe(1.0, (), None)
        if upkeep.due(IDLE, frozenset()) is Task.TUNE:
            upkeep.tuned_at = upkeep.read_seconds
            rounds += 1
    assert rounds == sum(AUTOTUNE_SECONDS.default * 2**n <= 10_000 for n in range(40))


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 2.0)), max_size=60), st.floats(0.05, 5.0))
def test_never_more_than_twice_what_hindsight_would_have_paid(statements: list[tuple[bool, float]], cost: float) -> None:
    """Each statement loses something to the residual unless a refresh came before it; appends come with some of them."""
    upkeep = Upkeep(refresh_seconds={1: cost})
    spent, lost, cheapest, appended = 0.0, 0.0, 0.0, False
    for append, loss in [*statements, (True, 0.0)]:
        if append:
            cheapest += min(lost, cost) if appended else 0.0
            appended, lost, fresh = True, 0.0, False
            upkeep.residual_seconds.pop(1, None)
        if appended and not fresh:
            upkeep.observe(1.0 + loss, [1], 1.0)
            spent += loss
            if 1 in upkeep.to_refresh([], [1]):
                spent += cost
                fresh = True
                upkeep.refreshed(1, cost)
        lost += loss
    most = max((loss for _, loss in statements), default=0.0)
    assert spent <= 2 * cheapest + most * (1 + sum(append for append, _ in statements)) + 1e-6


def test_an_unknown_usual_time_counts_as_the_declared_residual() -> None:
    upkeep = Upkeep()
    for _ in range(random.Random(1).randrange(50, 60)):
        upkeep.observe(1.0, [2], None)
    assert upkeep.to_refresh([], [2]) == {2}
