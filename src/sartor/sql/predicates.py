"""Conjuncts that read one table, and equalities that join two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from sartor.core.predicate import Operator, Predicate
from sartor.sql.algebra.steady import INTEGERS

if TYPE_CHECKING:
    from sartor.sql.blocks import BaseTable

_AS_THEY_ARE = frozenset(("VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "HUGEINT", "UUID"))
_OPERATORS: dict[type[exp.Expression], tuple[Operator, Operator]] = {
    exp.EQ: (Operator.EQUAL, Operator.EQUAL),
    exp.LT: (Operator.LESS, Operator.GREATER),
    exp.LTE: (Operator.LESS_EQUAL, Operator.GREATER_EQUAL),
    exp.GT: (Operator.GREATER, Operator.LESS),
    exp.GTE: (Operator.GREATER_EQUAL, Operator.LESS_EQUAL),
}


def conjuncts(condition: exp.Expression | None) -> Iterator[exp.Expression]:
    """The parts of a condition that all have to hold."""
    if isinstance(condition, exp.Where | exp.Having | exp.Paren):
        yield from conjuncts(condition.this)
    elif isinstance(condition, exp.And):
        yield from conjuncts(condition.this)
        yield from conjuncts(condition.expression)
    elif condition is not None:
        yield condition


def join_edge(condition: exp.Expression, tables: Sequence[BaseTable]) -> tuple[tuple[BaseTable, str], tuple[BaseTable, str]] | None:
    """The two columns of different tables that a condition sets equal."""
    if not isinstance(condition, exp.EQ):
        return None
    sides = [_owner(side, tables) for side in (condition.this, condition.expression)]
    left, right = sides
    if left is None or right is None or left[0] is right[0]:
        return None
    return left, right


def only_inner(node: exp.Select) -> bool:
    """Whether each row of a SELECT's FROM clause holds a row of each of its tables, and all conditions of ON hold in it."""
    return all(
        not (join.side or join.method) and (join.kind or "").upper() in ("", "INNER", "CROSS") for join in node.args.get("joins") or []
    )


def compare_alike(left: str, right: str) -> bool:
    """Whether values of two types are compared as they are, or as whole numbers."""
    left, right = left.upper(), right.upper()
    if left in INTEGERS and right in INTEGERS:
        return True
    return left == right and (left in _AS_THEY_ARE or left.startswith("DECIMAL"))


def predicate(condition: exp.Expression, tables: Sequence[BaseTable], *, sole: bool) -> tuple[BaseTable, Predicate] | None:
    """The table that a condition restricts by itself, with the predicate; None where it reads several or none.

    Args:
        sole: no column can come from anything but these tables.
    """
    columns = list(condition.find_all(exp.Column))
    owners = [_owner(column, tables) for column in columns]
    if not owners or any(owner is None for owner in owners):
        return None
    table = owners[0][0]  # type: ignore[index]
    if any(owner[0] is not table for owner in owners):  # type: ignore[index]
        return None
    names = {owner[1] for owner in owners}  # type: ignore[index]
    name = next(iter(names)) if len(names) == 1 else ""
    bare = condition.copy()
    for column in bare.find_all(exp.Column):
        column.set("table", None)
    known = not any(True for _ in bare.find_all(exp.Placeholder, exp.Parameter, exp.Select))
    return table, Predicate(name, operator_of(condition), bare.sql("duckdb", copy=False) if known else None, _values(condition))


def _owner(node: exp.Expression, tables: Sequence[BaseTable]) -> tuple[BaseTable, str] | None:
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return None
    alias = node.table.lower()
    owners = [t for t in tables if alias in ("", t.alias) and t.info.column(node.name) is not None]
    if len(owners) != 1:
        return None
    column = owners[0].info.column(node.name)
    return owners[0], column.name if column is not None else ""


def operator_of(condition: exp.Expression) -> Operator:
    """The shape of a condition."""
    pair = _OPERATORS.get(type(condition))
    if pair is not None:
        if isinstance(condition.this, exp.Column) and not condition.expression.find(exp.Column):
            return pair[0]
        if isinstance(condition.args["expression"], exp.Column) and not condition.this.find(exp.Column):
            return pair[1]
        return Operator.OTHER
    if isinstance(condition, exp.Not) and isinstance(condition.this, exp.Is) and operator_of(condition.this) is Operator.IS_NULL:
        return Operator.IS_NOT_NULL
    if not isinstance(condition.this, exp.Column):
        return Operator.OTHER
    match condition:
        case exp.Between():
            return Operator.BETWEEN
        case exp.In() if condition.args.get("expressions"):
            return Operator.IN
        case exp.Like():
            return Operator.LIKE
        case exp.Is() if isinstance(condition.expression, exp.Null):
            return Operator.IS_NULL
        case _:
            return Operator.OTHER


def _values(condition: exp.Expression) -> tuple[str, ...]:
    """The values that an equality or an IN list names, where all are literals."""
    if isinstance(condition, exp.EQ):
        sides = (condition.this, condition.expression)
        found = [side for side in sides if not isinstance(side, exp.Column)]
    elif isinstance(condition, exp.In) and isinstance(condition.this, exp.Column):
        found = list(condition.expressions)
    else:
        return ()
    plain = (exp.Literal, exp.Neg, exp.Cast, exp.DataType, exp.DataTypeParam)
    literal = all(isinstance(node, plain) for value in found for node in value.walk())
    return tuple(value.sql("duckdb") for value in found) if found and literal else ()
