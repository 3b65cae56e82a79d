"""Literals that WHERE compares columns with: statements of a template may hand their values over beside one text.

Only where the engine does with the value just what it does with the literal. A whole number in a text takes the type of what it is
compared with, so it stays there beside columns of floating point; and what is shown, grouped or ordered by is known by its own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from sartor.core.block import Operand
from sartor.sql.algebra.steady import INTEGERS
from sartor.sql.algebra.terms import Reader

_DECIMAL = re.compile(r"DECIMAL\((\d+),\d+\)")
_MOST_DIGITS = 18  # of a decimal column, so that it and a literal have a common type that holds both
_MOMENTS = ("date", "timestamp")


def operands(condition: exp.Expr, reader: Reader, words: Sequence[str]) -> Iterator[Operand]:
    """The literals that a conjunct of WHERE compares a column with; none if it is anything else, or the literals are to stay.

    Args:
        reader: knows the columns of base tables alone.
        words: the statement's tokens.
    """
    column = condition.this if isinstance(condition, exp.Like) else condition.find(exp.Column)
    kind = reader.type_of(column) if isinstance(column, exp.Column) else ""
    if isinstance(condition, exp.Like):
        first, last = reader.literal(condition.expression)
        if first >= 0 and kind == "VARCHAR":
            yield Operand(first, last, "text")
        return
    bound = reader.bound(condition)
    if bound is None or not kind:
        return
    if bound.kind == "number" and not _is_exact(kind):
        return
    for first, last in bound.tokens:
        if bound.kind in _MOMENTS and words[first - 1].upper() == bound.kind.upper():
            yield Operand(first - 1, last, bound.kind)
        elif bound.kind not in _MOMENTS or kind == bound.kind.upper():  # the column's type tells what its text is taken for
            yield Operand(first, last, bound.kind)


def _is_exact(kind: str) -> bool:
    decimal = _DECIMAL.fullmatch(kind)
    return kind in INTEGERS or (decimal is not None and int(decimal[1]) <= _MOST_DIGITS)
