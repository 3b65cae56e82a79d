"""The proof of an alternative: the same result, and clearly less time, on the real statements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import median
from typing import TYPE_CHECKING

from sartor.core.constants import TRIAL_GAIN, TRIAL_PAIRS, TRIAL_SURE_GAIN
from sartor.engines.base import Outcome

if TYPE_CHECKING:
    import pyarrow


class Verdict(Enum):
    """What the pairs of runs say so far."""

    KEEP = "keep"
    LOSE = "lose"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Pair:
    """A plain run and a run of the alternative of the same statement, one right after the other; seconds."""

    plain: float
    alternative: float


def verdict(pairs: Sequence[Pair]) -> Verdict:
    """Whether the alternative is clearly faster; asked after each pair.

    It is kept if the median ratio shows the least gain worth having and a sign test at 1 in 16 says that it is no accident
    (four pairs of four, or all but one of seven), and it loses as soon as it can not get there any more. At a gain of
    two times and more three pairs of three are enough, at TRIAL_SURE_GAIN each two of two: noise between neighbouring runs is
    far below that.
    """
    if len(pairs) == 2 and all(pair.plain >= TRIAL_SURE_GAIN.default * pair.alternative for pair in pairs):
        return Verdict.KEEP
    wins = sum(pair.alternative < pair.plain * (1 - TRIAL_GAIN.default) for pair in pairs)
    losses = len(pairs) - wins
    ratio = median(pair.plain / max(pair.alternative, 1e-9) for pair in pairs) if pairs else 1.0
    if losses == 0 and (wins >= 4 or (wins >= 3 and ratio >= 2.0)):
        return Verdict.KEEP
    if losses == 1 and wins >= 6:
        return Verdict.KEEP
    if losses >= 2 or len(pairs) >= TRIAL_PAIRS.default:
        return Verdict.LOSE
    return Verdict.MORE


def difference(plain: Outcome, alternative: Outcome, *, ordered: bool) -> str | None:
    """What differs between two results; None if they are the same answer.

    Names, types and the number of rows must be equal, and every value but floating-point ones, which may differ by the
    re-association of a sum: n · 2⁻⁵² relative to the larger of both, with NaN equal to NaN.
    """
    if plain.names != alternative.names:
        return f"columns are named {alternative.names} instead of {plain.names}"
    if plain.types != alternative.types:
        return f"columns have types {alternative.types} instead of {plain.types}"
    if plain.table.num_rows != alternative.table.num_rows:
        return f"{alternative.table.num_rows} rows instead of {plain.table.num_rows}"
    if plain.table.equals(alternative.table):
        return None
    expected, given = _rows(plain.table), _rows(alternative.table)
    if not ordered:
        expected, given = sorted(expected, key=_sortable), sorted(given, key=_sortable)
    for number, (one, other) in enumerate(zip(expected, given, strict=True)):
        if not all(_same(a, b) for a, b in zip(one, other, strict=True)):
            return f"row {number} is {other} instead of {one}"
    return None


def _rows(table: pyarrow.Table) -> list[tuple[object, ...]]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []


def _sortable(row: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.9e}" if isinstance(value, float) else repr(value) for value in row)


def _same(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other
