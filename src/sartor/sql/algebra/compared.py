"""Literals that WHERE compares columns with: their values may be handed over beside one text, and rule out rows.

Only where the engine does with the value just what it does with the literal. A whole number in a text takes the type of what it is
compared with, so it stays there beside columns of floating point; and what is shown, grouped or ordered by is known by its own text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from sqlglot import exp

from sartor.core.block import Compared, Operand
from sartor.sql.algebra.steady import INTEGERS
from sartor.sql.algebra.terms import Reader

_DECIMAL = re.compile(r"DECIMAL\((\d+),\d+\)")
_MOST_DIGITS = 18  # of a decimal column, so that it and a literal have a common type that holds both
_MOMENTS = ("date", "timestamp")


def compared(condition: exp.Expr, reader: Reader, words: Sequence[str]) -> Iterator[Compared]:
    """What a conjunct of WHERE compares a column with; nothing if it is anything else, or the literals are to stay.

    Args:
        reader: knows the columns of base tables alone.
        words: the statement's tokens.
    """
    column = condition.this if isinstance(condition, exp.Like) else condition.find(exp.Column)
    if not isinstance(column, exp.Column):
        return
    found, kind = reader.column(column), reader.type_of(column)
    if found is None or not kind:
        return
    if isinstance(condition, exp.Like):
        first, last = reader.literal(condition.expression)
        if first >= 0 and kind == "VARCHAR":
            yield Compared(found, "", Operand(first, last, "text"))
        return
    bound = reader.bound(condition)
    if bound is None or (bound.kind == "number" and not _is_exact(kind)):
        return
    alike = bound.kind == "number" or kind == bound.kind.upper()  # texts are not: they may be compared under a collation
    operators = (">=", "<=") if bound.operator == "between" else (bound.operator,)
    for operator, (first, last) in zip(operators, bound.tokens, strict=True):
        if bound.kind in _MOMENTS and words[first - 1].upper() == bound.kind.upper():
            yield Compared(found, operator if alike else "", Operand(first - 1, last, bound.kind))
        elif bound.kind not in _MOMENTS or alike:  # the column's type tells what its text is taken for
            yield Compared(found, operator if alike else "", Operand(first, last, bound.kind))


def _is_exact(kind: str) -> bool:
    decimal = _DECIMAL.fullmatch(kind)
    return kind in INTEGERS or (decimal is not None and int(decimal[1]) <= _MOST_DIGITS)
