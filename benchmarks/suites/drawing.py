"""Streams from templates: which template comes when, and with which literals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from benchmarks.statement import Statement, Stream

Facts = TypeVar("Facts")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Template(Generic[Facts]):
    """A question that is asked again and again.

    Attributes:
        draw: the text with literals, drawn from what the suite knows of its data.
        unseen: it is asked in the judged half only.
    """

    name: str
    draw: Callable[[Random, Facts], str]
    unseen: bool = False


def popular(random: Random, items: Sequence[Item]) -> Item:
    """One of the items, the first ones most often: Zipf's law with exponent 1."""
    weights = list(accumulate(1.0 / (rank + 1) for rank in range(len(items))))
    return random.choices(items, cum_weights=weights)[0]


def halves(
    templates: Sequence[Template[Facts]], facts: Facts, seed: int, statements: int, always: Sequence[Template[Facts]] = ()
) -> Stream:
    """Two halves of a stream: the same habits, other literals, some new templates in the second.

    How often a template comes falls by Zipf over an order of the templates that the seed decides. Each template comes at
    least once in every half that it belongs to.

    Args:
        always: templates that come exactly once in each half, wherever chance puts them.
    """
    order = Random(seed).sample(list(templates), len(templates))
    observed = _half(order, facts, Random(2 * seed + 1), statements, [t for t in order if not t.unseen], always)
    judged = _half(order, facts, Random(2 * seed + 2), statements, order, always)
    return Stream(observed, judged)


def _half(
    order: Sequence[Template[Facts]],
    facts: Facts,
    random: Random,
    statements: int,
    chosen: Sequence[Template[Facts]],
    always: Sequence[Template[Facts]],
) -> tuple[Statement, ...]:
    weights = [1.0 / (rank + 1) for rank, template in enumerate(order) if template in chosen]
    more = max(0, statements - len(chosen) - len(always))
    sequence = [*chosen, *always, *random.choices(chosen, weights=weights, k=more)]
    random.shuffle(sequence)
    return tuple(Statement(template.name, template.draw(random, facts)) for template in sequence)
