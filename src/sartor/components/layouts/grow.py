"""Growing a tree of cuts over a sample of rows, greedily. Pure: numbers in, a tree out.

After Yang, Chandramouli, Wang and others, *Qd-tree: learning data layouts for big data analytics* (SIGMOD 2020). Conditions are bits
of whole numbers: a row is the set of those that are true of it, a statement the set of those that it asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

Node = int | tuple[Any, ...]
"""A leaf by its number, or a cut: the place of its condition, the tree of the rows for which it is true, and that of all others."""

Rows = Sequence[tuple[int, int]]
Asked = Sequence[tuple[int, float]]


def grow(rows: Mapping[int, int], asked: Asked, seen: int, least: float) -> Node:
    """The tree whose leaves spare the statements most rows, each cut chosen for itself.

    Args:
        rows: how many rows have each set of conditions.
        asked: the conditions of each statement, with its weight.
        seen: the conditions that zone maps see through, so that a leaf without a row that fulfils one of them is not read.
        least: rows of a leaf.

    >>> grow({0b00: 60, 0b01: 20, 0b10: 20}, [(0b01, 1.0), (0b10, 1.0)], 0, 15)
    (0, 0, (1, 1, 2))
    """
    return _numbered(_grown(list(rows.items()), asked, seen, least), count())


def _grown(rows: Rows, asked: Asked, seen: int, least: float) -> Node:
    best, cut = 0.0, -1
    for place in range(max((mask for mask, _ in asked), default=0).bit_length()):
        yes, no = _halves(rows, place)
        if min(_count(yes), _count(no)) >= least:
            spared = sum(
                _count(half) * _weight(asked) - _count(half) * _weight(left) for half, left in _asked_of(yes, no, asked, place, seen)
            )
            if spared > best:
                best, cut = spared, place
    if cut < 0:
        return 0
    yes, no = _halves(rows, cut)
    (_, of_yes), (_, of_no) = _asked_of(yes, no, asked, cut, seen)
    return cut, _grown(yes, of_yes, seen, least), _grown(no, of_no, seen, least)


def _halves(rows: Rows, place: int) -> tuple[Rows, Rows]:
    yes = [row for row in rows if row[0] >> place & 1]
    return yes, [row for row in rows if not row[0] >> place & 1]


def _asked_of(yes: Rows, no: Rows, asked: Asked, place: int, seen: int) -> list[tuple[Rows, Asked]]:
    """Each half with the statements that have to read it."""
    others = [one for one in asked if not one[0] >> place & 1]
    return [(yes, _reading(yes, asked, seen)), (no, _reading(no, others, seen))]


def _reading(rows: Rows, asked: Asked, seen: int) -> Asked:
    some = 0
    for mask, _ in rows:
        some |= mask
    return [one for one in asked if not one[0] & seen & ~some]


def _count(rows: Rows) -> int:
    return sum(number for _, number in rows)


def _weight(asked: Asked) -> float:
    return sum(weight for _, weight in asked)


def _numbered(node: Node, numbers: Any) -> Node:
    """The same tree with its leaves numbered from left to right."""
    if isinstance(node, int):
        return int(next(numbers))
    cut, yes, no = node
    return cut, _numbered(yes, numbers), _numbered(no, numbers)
