"""What a view takes in storage, told from a sample of the rows that it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from sartor.core.constants import BLOCK_FILL
from sartor.core.view import State, ViewDefinition
from sartor.core.width import Width

_SPREAD = 4.0  # groups of n rows on average have up to about so many times n


def bytes_stored(view: ViewDefinition, keys: Sequence[Width], states: Sequence[Width], rows: float, groups: float) -> float:
    """The bytes that so many groups of so many joined rows take.

    Args:
        keys, states: what the values of the view's keys and of the arguments of its states need.
    """
    each = rows / max(groups, 1.0)
    sorted_by = view.sorted_by[0] if view.sorted_by else -1
    bits = log2(1.0 + _SPREAD * each)
    bits += sum(width.bits(groups, runs=place == sorted_by) for place, width in enumerate(keys))
    bits += sum(_bits(state, width, each, groups) for state, width in zip(view.states, states, strict=True))
    return groups * bits / 8.0 / BLOCK_FILL.default


def _bits(state: State, width: Width, each: float, groups: float) -> float:
    match state.function:
        case _ if state.function == "count" or state.is_placed:
            return log2(1.0 + _SPREAD * each)
        case "sum" if width.steps:
            return log2(1.0 + width.steps * each)
        case "bool_and" | "bool_or":
            return 1.0
        case _:
            return width.bits(groups)
