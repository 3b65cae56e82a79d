"""Variances and standard deviations from how many values there are, their sum, and the sum of their squares, in whole numbers.

Decimals are taken as whole numbers of their last digit. With n values, their sum s, the sum q of their squares, a whole number m next
to the mean, and r = s - m n: the squares of the distances from m add up to q - m (s + r), which is not rounded; those from the mean
to r² / n less. Whole numbers whose mean lies f beside m vary by f (1 - f) at least, so that no more than half is taken away, and only
last bits are rounded. DuckDB adds up in DOUBLE (Welford, 1962), and loses more the farther values lie from 0. Equal values give 0.

Nothing overflows or raises: of twelve digits at most, squares have 24, and 10¹⁴ of them fit into the 38 digits of a HUGEINT.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.block import Term
from sartor.sql.rewrite import Piece

MOMENTS = frozenset(("var_samp", "var_pop", "stddev_samp", "stddev_pop"))
DIGITS = 12
"""The most that values may have."""


def square_text(argument: Term) -> str:
    """The canonical form of the square of a column, as the argument of a sum that a view keeps."""
    return f"{argument.text} squared"


def square(sql: str, scale: int) -> str:
    """The square of a value as a whole number.

    Args:
        scale: its digits behind the point.
    """
    whole = f"CAST({sql}{_shifted(scale)} AS HUGEINT)"
    return f"{whole} * {whole}"


def moment(function: str, states: Sequence[Sequence[Piece]], scale: int) -> tuple[Piece, ...]:
    """The SQL of a variance or standard deviation; NULL where the total is NULL, and for one value where it is one of a sample.

    Args:
        states: how many values there are, their sum, and the sum of what `square` makes of them.
        scale: the digits of the values behind the point.
    """
    count, total, squares = states
    n, s = ("CAST(", *count, " AS DOUBLE)"), _whole(total, scale)
    whole_n = ("CAST(", *count, " AS HUGEINT)")
    m = ("CAST(CAST(", *s, " AS DOUBLE) / ", *n, " AS HUGEINT)")
    r = ("(", *s, " - ", *m, " * ", *whole_n, ")")
    around = ("CAST(", *squares, " - ", *m, " * (", *s, " + ", *r, ") AS DOUBLE)")
    beside = ("CAST(", *r, " AS DOUBLE) * CAST(", *r, " AS DOUBLE) / ", *n)
    squared = ("(", *around, " - ", *beside, ")", *([f" / 1e{2 * scale}"] if scale else []))
    found: tuple[Piece, ...] = (*squared, " / ", *n)
    if function.endswith("_samp"):
        found = ("CASE WHEN ", *n, " > 1 THEN ", *squared, " / (", *n, " - 1) END")
    return ("sqrt(", *found, ")") if function.startswith("stddev") else ("(", *found, ")")


def _whole(value: Sequence[Piece], scale: int) -> tuple[Piece, ...]:
    """A value as a whole number of its last digit."""
    return ("CAST(", *value, f"{_shifted(scale)} AS HUGEINT)")


def _shifted(scale: int) -> str:
    return f" * {10**scale}" if scale else ""
