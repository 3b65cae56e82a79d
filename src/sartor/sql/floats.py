"""Which aggregates of a block may give another value when rows come in another order."""

from __future__ import annotations

from enum import Enum

from sqlglot import exp

_ADDING = (exp.Sum, exp.Avg)
_MOMENTS = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
_HARMLESS_INSIDE = (exp.Case, exp.If, exp.Cast, exp.Coalesce, exp.And, exp.Or)
_EXACT_TYPES = frozenset(
    ("BOOLEAN", "BOOL", "TINYINT", "SMALLINT", "INTEGER", "INT", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
)
_FLOATING_TYPES = frozenset(("DOUBLE", "FLOAT", "REAL"))


class Sum(Enum):
    """What adding up in another order does to an aggregate's value."""

    EXACT = 0  # nothing
    FLOATING = 1  # its last bits may differ
    UNKNOWN = 2  # it may overflow half-way, or it is not known


def aggregates(node: exp.Select) -> list[exp.Expression]:
    """The aggregate calls of a block, those of queries inside it left out."""
    found = []
    for part in (*node.expressions, node.args.get("having"), node.args.get("order")):
        if part is not None:
            found += [call for call in part.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is node]
    return found


def kind_of_sum(call: exp.Expression, types: dict[str, str], tables: frozenset[str]) -> Sum:
    """What adding up in another order does to this aggregate.

    Args:
        call: an aggregate call on the list of those that are allowed.
        types: the columns of the block's base tables, names lower-case; only those of one type.
        tables: the names, lower-case, under which the block knows these tables.
    """
    if isinstance(call, _MOMENTS):
        return Sum.FLOATING
    if not isinstance(call, _ADDING):
        return Sum.EXACT
    kinds = [Sum.EXACT]
    for item in call.walk():
        if isinstance(item, exp.Cast):
            kinds.append(_of_type(item.to.sql("duckdb")))
        elif item is not call and _may_be_floating(item):
            kinds.append(Sum.FLOATING)
        elif isinstance(item, exp.Column):
            known = item.table.lower() in tables or not item.table
            kind = types.get(item.name.lower()) if known else None
            kinds.append(Sum.FLOATING if kind is None else _of_type(kind))
    return max(kinds, key=lambda kind: kind.value)


def _may_be_floating(item: exp.Expr) -> bool:
    if isinstance(item, exp.Literal):
        return not item.is_string and "e" in item.name.lower()
    if isinstance(item, exp.Func):
        return not isinstance(item, _HARMLESS_INSIDE)
    return isinstance(item, exp.Div | exp.Placeholder | exp.Parameter)


def _of_type(kind: str) -> Sum:
    """An exact sum of a DECIMAL of more than 18 digits, or of a HUGEINT, may overflow half-way."""
    kind = kind.upper()
    if kind in _EXACT_TYPES:
        return Sum.EXACT
    if kind in _FLOATING_TYPES:
        return Sum.FLOATING
    if kind.startswith("DECIMAL"):
        width = kind.partition("(")[2].partition(",")[0].strip(" )")
        return Sum.EXACT if not width or int(width) <= _SHORT_DECIMAL else Sum.UNKNOWN
    return Sum.UNKNOWN


_SHORT_DECIMAL = 18  # DuckDB keeps these in 64 bits and adds them up in 128
