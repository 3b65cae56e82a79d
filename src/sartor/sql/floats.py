"""Which aggregates of a block may give another value when rows come in another order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sqlglot import exp

_ADDING = (exp.Sum, exp.Avg)
_MOMENTS = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
_LEAVES = (exp.Null, exp.Boolean, exp.Star, exp.Predicate, exp.Connector, exp.Not)  # a truth value counts as 0 or 1
_PASSING = (exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod, exp.Div, exp.Neg, exp.Paren, exp.Coalesce, exp.Distinct)
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


def passes_through(node: exp.Select) -> bool:
    """Whether a block only hands on what it reads: `SELECT * FROM one item`."""
    bare = all(not value for name, value in node.args.items() if name not in ("expressions", "from_", "with_", "kind"))
    return bare and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Star)


def kind_of_sum(call: exp.Expr, types: dict[str, str], tables: frozenset[str]) -> Sum:
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
    return _worst(_kind(item, types, tables) for item in (call.this, *call.expressions) if isinstance(item, exp.Expr))


def _kind(item: exp.Expr, types: dict[str, str], tables: frozenset[str]) -> Sum:
    """What adding up values of an expression is; conditions inside it decide which value it has, not of what type."""
    if isinstance(item, exp.Cast):
        return _of_type(item.to.sql("duckdb"))
    if isinstance(item, exp.Column):
        known = item.table.lower() in tables or not item.table
        kind = types.get(item.name.lower()) if known else None
        return Sum.FLOATING if kind is None else _of_type(kind)
    if isinstance(item, exp.Literal):
        return Sum.FLOATING if not item.is_string and "e" in item.name.lower() else Sum.EXACT
    if isinstance(item, _LEAVES):
        return Sum.EXACT
    if isinstance(item, exp.Case):
        return _worst(_kind(value, types, tables) for value in (*(arm.args["true"] for arm in item.args["ifs"]), *_default(item)))
    if isinstance(item, exp.If):
        return _worst(_kind(value, types, tables) for value in (item.args["true"], *_default(item)))
    if isinstance(item, exp.Sub) and all(_is_date(side, types) for side in (item.this, item.expression)):
        return Sum.EXACT  # days
    if isinstance(item, exp.Div) or not isinstance(item, _PASSING):
        return _worst((Sum.FLOATING, *(_kind(column, types, tables) for column in item.find_all(exp.Column))))
    return _worst(_kind(value, types, tables) for value in item.iter_expressions())


def _is_date(item: exp.Expr, types: dict[str, str]) -> bool:
    return isinstance(item, exp.Column) and types.get(item.name.lower()) == "DATE"


def _default(item: exp.Expr) -> list[exp.Expr]:
    return [value for value in (item.args.get("default"), item.args.get("false")) if value is not None]


def _worst(kinds: Iterable[Sum]) -> Sum:
    return max(kinds, key=lambda kind: kind.value, default=Sum.EXACT)


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
