"""The proof: verdicts on paired times, the comparison of answers, and putting back."""

from __future__ import annotations

import random

import pyarrow
import pytest

from sartor.engines.base import Outcome
from sartor.tuner.trial import Pair, Verdict, difference, verdict


def _decide(draw: random.Random, ratio: float) -> Verdict:
    """Run the trial of an alternative that is that many times as fast, under noise of a fifth."""
    pairs: list[Pair] = []
    while verdict(pairs) is Verdict.MORE:
        pairs.append(Pair(draw.lognormvariate(0, 0.1), draw.lognormvariate(0, 0.1) / ratio))
    return verdict(pairs)


def test_what_is_clearly_faster_is_kept_and_what_is_not_is_not() -> None:
    draw = random.Random(3)
    kept = {ratio: sum(_decide(draw, ratio) is Verdict.KEEP for _ in range(300)) for ratio in (0.9, 1.0, 2.0, 5.0)}
    assert kept[0.9] <= 3
    assert kept[1.0] <= 25
    assert kept[2.0] >= 290
    assert kept[5.0] == 300


def test_two_pairs_are_enough_only_where_no_noise_could_make_them() -> None:
    assert verdict([Pair(1.0, 0.2), Pair(1.0, 0.2)]) is Verdict.KEEP
    assert verdict([Pair(1.0, 0.2), Pair(1.0, 0.21)]) is Verdict.MORE
    assert verdict([Pair(1.0, 0.1)]) is Verdict.MORE
    draw = random.Random(5)
    doubled = [Pair(draw.uniform(1.0, 2.0), draw.uniform(1.0, 2.0) / 1.2) for _ in range(2000)]  # other work doubles a run
    assert not any(verdict(doubled[place : place + 2]) is Verdict.KEEP for place in range(0, 2000, 2))


def _outcome(values: list[object], kind: str = "DOUBLE", name: str = "a") -> Outcome:
    return Outcome((name,), (kind,), pyarrow.table({name: values}), 0.0)


NAN = float("nan")


@pytest.mark.parametrize(
    ("one", "other", "ordered", "same"),
    [
        (_outcome([1, 2]), _outcome([1, 2]), True, True),
        (_outcome([1, 2]), _outcome([2, 1]), True, False),
        (_outcome([1, 2]), _outcome([2, 1]), False, True),
        (_outcome([1, None]), _outcome([1, None]), True, True),
        (_outcome([1, None]), _outcome([None, 1]), False, True),
        (_outcome([NAN]), _outcome([NAN]), True, True),
        (_outcome([0.1 + 0.2]), _outcome([0.3]), True, True),
        (_outcome([1.0]), _outcome([1.1]), True, False),
        (_outcome([2**53 + 1], "BIGINT"), _outcome([2**53], "BIGINT"), True, False),
        (_outcome(["a"], "VARCHAR"), _outcome(["A"], "VARCHAR"), True, False),
        (_outcome([1]), _outcome([1, 1]), False, False),
        (_outcome([1], "INTEGER"), _outcome([1], "BIGINT"), True, False),
        (_outcome([1], name="a"), _outcome([1], name="b"), True, False),
    ],
)
def test_difference(one: Outcome, other: Outcome, ordered: bool, same: bool) -> None:
    assert (difference(one, other, ordered=ordered) is None) is same
