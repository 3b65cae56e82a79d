"""Counters of drift: what they promise holds on whatever comes, and a drift that lasts is followed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.core.constants import DRIFT_PATIENCE, DRIFT_PATIENCE_MOST
from sartor.tuner.drift import Counters

MOVE, WORST = 20.0, 3.0
Stream = Callable[[int, int], Sequence[float]]
"""The costs of a batch in each state, told by its number and by the state that the online choice is in."""


class Played:
    """A stream played to its end: what the online choice took, and what each fixed state would have, one move into it for each."""

    def __init__(self, states: int, batches: int, stream: Stream) -> None:
        self.counters, self.present, self.moves, self.most = Counters(), 0, 0, 0.0
        self.total, self.fixed = MOVE, [MOVE] * states
        for number in range(batches):
            costs = stream(number, self.present)
            self.most = max(self.most, max(costs) - min(costs))
            self.total += costs[self.present]
            self.fixed = [total + cost for total, cost in zip(self.fixed, costs, strict=True)]
            observed = self.counters.observe(str(self.present), {str(state): WORST - cost for state, cost in enumerate(costs)})
            self.counters, to = observed.decide(str(self.present), MOVE)
            self.counters = self.counters.moved(str(self.present), to, MOVE)
            self.moves += int(to) != self.present
            self.total += MOVE * (int(to) != self.present)
            self.present = int(to)

    @property
    def ratio(self) -> float:
        return self.total / min(self.fixed)

    def promised(self) -> float:
        """What the docstring of `drift` promises, single batches and the unfinished phase counted in."""
        states, least = len(self.fixed), DRIFT_PATIENCE.default * MOVE
        phase = (states + 1) * (least + self.most) + states * MOVE
        unfinished = (states + 1) * (self.counters.patience * MOVE + self.most) + states * MOVE
        return min(self.fixed) * phase / least + unfinished


def _asking(states: int, right: float, asked: Callable[[int, int], int]) -> Stream:
    """Batches that ask one dimension each: the state in its order takes `right`, all others take 1."""

    def costs(number: int, present: int) -> list[float]:
        dimension = asked(number, present)
        return [right if state == dimension else 1.0 for state in range(states)]

    return costs


def _turning(states: int, length: int) -> Callable[[int, int], int]:
    return lambda number, present: number // length % states


@pytest.mark.parametrize("right", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("states", [2, 3, 4, 8])
def test_whoever_asks_against_it_gains_no_more_than_is_promised(states: int, right: float) -> None:
    pick = random.Random(states)
    others = [
        Played(states, 4_000, _asking(states, right, lambda number, present: (present + 1) % states)),
        Played(states, 4_000, _asking(states, right, lambda number, present: (present + pick.randrange(1, states)) % states)),
        *(Played(states, 4_000, _asking(states, right, _turning(states, length))) for length in (1, 20, 45, 150)),
    ]
    for played in others:
        assert played.total <= played.promised()
        assert played.ratio <= 2.5, "what was measured is far less than that"
        if states >= 4 and right:
            assert played.ratio <= 1.5


def test_two_that_take_turns_do_not_hide_a_third_that_is_always_nearly_right() -> None:
    played = Played(3, 4_000, lambda number, present: [1.0, 0.0, 0.001] if present == 0 else [0.0, 1.0, 0.001])
    assert played.fixed[2] == min(played.fixed)
    assert played.total <= played.promised()
    assert played.ratio <= 3 + 1 + 3 / DRIFT_PATIENCE.default


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.floats(0, 3), min_size=4, max_size=4), min_size=1, max_size=40),
    st.integers(1, 40),
    st.integers(2, 4),
)
def test_any_costs_in_any_order(costs: list[list[float]], repeated: int, states: int) -> None:
    played = Played(states, len(costs) * repeated, lambda number, present: costs[number // repeated][:states])
    assert played.total <= played.promised()
    assert DRIFT_PATIENCE.default <= played.counters.patience <= DRIFT_PATIENCE_MOST.default


@pytest.mark.parametrize("right", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("batches", [400, 4_000])
def test_a_dimension_that_changes_half_way_is_followed(right: float, batches: int) -> None:
    played = Played(3, batches, _asking(3, right, lambda number, present: 0 if number < batches // 2 else 1))
    assert played.moves == 1
    assert played.ratio <= 0.85


def test_noise_moves_nothing() -> None:
    pick = random.Random(3)
    played = Played(5, 5_000, lambda number, present: [pick.random() / 10 + 1 for _ in range(5)])
    assert played.moves <= 5
    assert played.ratio <= 1.02


def test_moves_in_vain_make_patient_and_one_that_pays_makes_ready_again() -> None:
    turning = Played(2, 4_000, _asking(2, 0.0, lambda number, present: 1 - present))
    assert turning.counters.patience > DRIFT_PATIENCE.default
    assert turning.moves < 4_000 / MOVE / 4
    lasting = Played(2, 4_000, _asking(2, 0.0, lambda number, present: 1 - present if number < 1_000 else number // 1_000 % 2))
    assert lasting.counters.patience == DRIFT_PATIENCE.default


def test_what_failed_is_full_until_the_phase_ends() -> None:
    counters = Counters()
    for _ in range(3):
        counters = counters.observe("a", {"a": 0.0, "b": MOVE, "c": MOVE - 1})
        counters, to = counters.decide("a", MOVE)
        if to == "b":
            counters = counters.barred("b")
    assert counters.regret["b"] == inf
    assert to == "c"


def test_a_state_that_was_not_known_saved_nothing_before() -> None:
    counters = Counters().observe("a", {"a": 1.0, "b": 5.0})
    counters = counters.observe("a", {"a": 0.0, "c": 25.0})
    assert counters.regret == {"a": 29.0, "b": 25.0, "c": 5.0}
    assert counters.lead == {"b": 4.0, "c": 25.0}
    assert counters.decide("a", MOVE)[1] == "c"


def test_counters_are_kept_as_json() -> None:
    counters = Counters({"a": 1.5, "b": inf}, {"b": 2.0}, 0.5, 2.0, "c", -3.0)
    kept = {name: getattr(counters, name) for name in Counters.__slots__}
    assert Counters(**json.loads(json.dumps(kept))) == counters
