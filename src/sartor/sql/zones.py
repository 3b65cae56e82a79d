"""What the least and the greatest value of a block of rows say of a condition: whether rows of the block may fulfil it.

This is what DuckDB asks of its zone maps, said as SQL, so that it can be asked of bounds that were read. For looking at only: no row
is ever left out by it.
"""

from __future__ import annotations

from collections.abc import Container

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sartor.core.constants import ZONE_MAP_TEXT_BYTES
from sartor.core.table import quote

_SWAPPED: dict[type[exp.Binary], type[exp.Binary]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
}


def low(column: str) -> str:
    """The name under which a query hands out the least value that a block holds of a column."""
    return quote(f"low {column}")


def high(column: str) -> str:
    """The same of the greatest value."""
    return quote(f"high {column}")


def nulls(column: str) -> str:
    """The same of whether it holds a NULL."""
    return quote(f"nulls {column}")


def may_hold(condition: str, columns: Container[str], texts: Container[str] = ()) -> str:
    r"""The condition on bounds under which a block may hold rows that fulfil a condition; TRUE where bounds tell nothing.

    Args:
        condition: over bare column names, its literals in it.
        columns: those whose bounds are known.
        texts: those of them whose bounds hold but the first bytes of a text.

    >>> may_hold("a BETWEEN 1 AND 5 AND b = 2 AND c LIKE '%x'", {"a", "c"})
    '("high a" >= 1 AND "low a" <= 5)'
    >>> may_hold("7 > a OR a IN (8, 9)", {"a"})
    '("low a" < 7 OR (8 BETWEEN "low a" AND "high a" OR 9 BETWEEN "low a" AND "high a"))'
    >>> may_hold("a < b", {"a", "b"}), may_hold("c >= 'z'", {"c"}, {"c"}), may_hold("a IS NULL", {"a"})
    ('TRUE', '"high c" >= left(\'z\', 12)', '"nulls a"')
    """
    try:
        tree = sqlglot.parse_one(condition, read="duckdb")
    except SqlglotError:
        return _ANY
    return _test(tree, columns, texts)


_ANY = "TRUE"


def _test(node: exp.Expr, columns: Container[str], texts: Container[str]) -> str:
    match node:
        case exp.Paren():
            return _test(node.this, columns, texts)
        case exp.And():
            both = [part for part in (_test(side, columns, texts) for side in (node.left, node.right)) if part != _ANY]
            return " AND ".join(both) or _ANY
        case exp.Or():
            either = [_test(side, columns, texts) for side in (node.left, node.right)]
            return _ANY if _ANY in either else f"({' OR '.join(either)})"
        case exp.Between():
            name = _column(node.this, columns)
            least, most = node.args["low"], node.args["high"]
            if not name or not (_is_constant(least) and _is_constant(most)):
                return _ANY
            return f"({high(name)} >= {_value(least, name, texts)} AND {low(name)} <= {_value(most, name, texts)})"
        case exp.In():
            name = _column(node.this, columns)
            if not name or not node.expressions or not all(map(_is_constant, node.expressions)):
                return _ANY
            inside = (f"{_value(one, name, texts)} BETWEEN {low(name)} AND {high(name)}" for one in node.expressions)
            return f"({' OR '.join(inside)})"
        case exp.Is() if isinstance(node.expression, exp.Null):
            name = _column(node.this, columns)
            return nulls(name) if name else _ANY
        case exp.LT() | exp.GT() | exp.LTE() | exp.GTE() | exp.EQ():
            return _compared(node, columns, texts)
        case _:
            return _ANY


def _compared(node: exp.Binary, columns: Container[str], texts: Container[str]) -> str:
    kind: type[exp.Binary] = type(node)
    column, value = node.left, node.right
    if not _column(column, columns):
        kind, column, value = _SWAPPED[kind], value, column
    name = _column(column, columns)
    if not name or not _is_constant(value):
        return _ANY
    bound = _value(value, name, texts)
    if kind is exp.EQ:
        return f"{bound} BETWEEN {low(name)} AND {high(name)}"
    loosely = "=" if kind in (exp.LTE, exp.GTE) or name in texts else ""
    return f"{low(name)} <{loosely} {bound}" if kind in (exp.LT, exp.LTE) else f"{high(name)} >{loosely} {bound}"


def _column(node: exp.Expr, columns: Container[str]) -> str:
    return node.name if isinstance(node, exp.Column) and node.name in columns else ""


def _is_constant(node: exp.Expr) -> bool:
    """Whether a value is known before the rows are read."""
    return not any(isinstance(part, exp.Column | exp.Query | exp.Placeholder | exp.Parameter) for part in node.walk())


def _value(node: exp.Expr, column: str, texts: Container[str]) -> str:
    written = node.sql(dialect="duckdb")
    return f"left({written}, {int(ZONE_MAP_TEXT_BYTES.default)})" if column in texts else written
