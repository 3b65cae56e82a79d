"""Which aggregates of a block may change in their last bit when rows come in another order."""

from __future__ import annotations

from sqlglot import exp

_ADDING = (exp.Sum, exp.Avg)
_MOMENTS = (exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
_INTEGRAL = ("INT", "DECIMAL", "BOOL")


def aggregates(node: exp.Select) -> list[exp.Expression]:
    """The aggregate calls of a block, those of queries inside it left out."""
    found = []
    for part in (*node.expressions, node.args.get("having"), node.args.get("order")):
        if part is not None:
            found += [call for call in part.find_all(exp.AggFunc) if call.find_ancestor(exp.Select) is node]
    return found


def floating(call: exp.Expression, types: dict[str, str], known: bool) -> bool:
    """Whether an aggregate adds floating-point numbers.

    Args:
        types: the columns of the block's base tables, names lower-case.
        known: no column can come from anywhere else.
    """
    if isinstance(call, _MOMENTS):
        return True
    if not isinstance(call, _ADDING):
        return isinstance(call, exp.AnonymousAggFunc)
    if any(True for _ in call.find_all(exp.Div)):
        return True
    for cast in call.find_all(exp.Cast):
        if not any(name in cast.to.sql().upper() for name in _INTEGRAL):
            return True
    for function in call.find_all(exp.Func):
        if function is not call and not isinstance(function, exp.Case | exp.If | exp.Cast | exp.Coalesce | exp.And | exp.Or):
            return True
    for number in call.find_all(exp.Literal):
        if not number.is_string and "e" in number.name.lower():
            return True
    for column in call.find_all(exp.Column):
        kind = types.get(column.name.lower())
        if kind is None and not known:
            return True
        if kind is not None and not any(name in kind.upper() for name in _INTEGRAL) and _is_number(kind):
            return True
    return False


def _is_number(kind: str) -> bool:
    return kind.upper() in ("DOUBLE", "FLOAT", "REAL")
