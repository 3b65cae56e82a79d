"""Whether two results are the same answer, as the design defines it."""

from __future__ import annotations

import math
from typing import Any

Answer = tuple[list[tuple[str, str]], list[tuple[Any, ...]]]


def answer(connection: Any) -> Answer:
    """Names, types and rows of the statement that was just executed."""
    columns = [(column[0], str(column[1])) for column in connection.description]
    return columns, connection.fetchall()


def difference(expected: Answer, given: Answer, *, ordered: bool, floats: bool) -> str | None:
    """What differs; None if nothing does."""
    if expected[0] != given[0]:
        return f"columns {given[0]} instead of {expected[0]}"
    one, other = expected[1], given[1]
    if len(one) != len(other):
        return f"{len(other)} rows instead of {len(one)}"
    if not ordered:
        one, other = sorted(one, key=_key), sorted(other, key=_key)
    for number, (a, b) in enumerate(zip(one, other, strict=True)):
        if not all(_same(x, y, floats) for x, y in zip(a, b, strict=True)):
            return f"row {number} is {b} instead of {a}"
    return None


def _key(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(f"{value:.6e}" if isinstance(value, float) else repr(value) for value in row)


def _same(one: Any, other: Any, floats: bool) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or (floats and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9))
    return type(one) is type(other) and one == other
