"""Whether two answers are the same, as the design's rules say it.

Names and types of the columns are equal, also for empty results. Rows come in the same sequence; only where a statement
groups and does not order is a set of rows without sequence enough: there plain DuckDB promises no sequence either. Floats
may differ by n · 2⁻⁵² · Σ|x|, with the rows of the largest table for n and the value itself for the sum, which it never
exceeds; every other value is equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

Row = tuple[Any, ...]
EPSILON = 2.0**-52


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave: columns as (name, type), rows, and how long it took; or the error it raised."""

    columns: tuple[tuple[str, str], ...]
    rows: list[Row]
    seconds: float = 0.0
    error: str = ""


def difference(text: str, one: Answer, other: Answer, largest: int) -> str:
    """Say how two answers to `text` differ; empty if they do not.

    Args:
        largest: rows of the largest table, which bounds how many values a float was summed from.
    """
    if one.error or other.error:
        return "" if one.error == other.error else f"error {one.error!r} against {other.error!r}"
    if one.columns != other.columns:
        return f"columns {one.columns} against {other.columns}"
    if len(one.rows) != len(other.rows):
        return f"{len(one.rows)} rows against {len(other.rows)}"
    tolerance = max(largest, 1) * EPSILON
    if one.rows == other.rows or _same_sequence(one.rows, other.rows, tolerance):
        return ""
    if not sequence_matters(text) and same_rows(one.rows, other.rows, tolerance):
        return ""
    where = next(i for i, pair in enumerate(zip(one.rows, other.rows, strict=True)) if not _same_row(*pair, tolerance))
    return f"row {where}: {one.rows[where]} against {other.rows[where]}"


def sequence_matters(text: str) -> bool:
    """Whether the rows of a statement have a sequence that must be kept; in doubt they have.

    >>> sequence_matters("SELECT * FROM t"), sequence_matters("SELECT a, sum(b) FROM t GROUP BY a")
    (True, False)
    >>> sequence_matters("SELECT a, sum(b) FROM t GROUP BY a ORDER BY 2")
    True
    """
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError:
        return True
    if tree.args.get("order") or tree.args.get("limit"):
        return True
    if isinstance(tree, exp.SetOperation):
        return not tree.args.get("distinct")
    return not (isinstance(tree, exp.Select) and (tree.args.get("group") or tree.args.get("distinct")))


def same_rows(one: Sequence[Row], other: Sequence[Row], tolerance: float) -> bool:
    """Whether two results hold the same rows, whatever their sequence.

    Rows are lined up by their exact values first and by their floats last, so floats within the tolerance meet.
    """
    return len(one) == len(other) and _same_sequence(sorted(one, key=_rank), sorted(other, key=_rank), tolerance)


def _rank(row: Row) -> tuple[tuple[str, ...], tuple[float, ...]]:
    exact = tuple(repr(value) for value in row if not isinstance(value, float))
    floats = tuple(math.inf if math.isnan(value) else value for value in row if isinstance(value, float))
    return exact, floats


def _same_sequence(one: Sequence[Row], other: Sequence[Row], tolerance: float) -> bool:
    return all(_same_row(a, b, tolerance) for a, b in zip(one, other, strict=True))


def _same_row(one: Row, other: Row, tolerance: float) -> bool:
    return all(_same_value(a, b, tolerance) for a, b in zip(one, other, strict=True))


def _same_value(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return one == other or abs(one - other) <= tolerance * max(abs(one), abs(other))
    return bool(one == other)
