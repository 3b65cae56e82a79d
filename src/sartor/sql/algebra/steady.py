"""Expressions that may be computed beforehand: the same value in every session, and no row that they raise on.

What a view stores is computed on Sartor's own connection, on rows that the user's statement may never have looked at. So only
expressions are let in whose value depends neither on the time zone nor on a setting, and whose arithmetic can not overflow.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

TypeOf = Callable[[exp.Column], str]

_LOGIC = (exp.And, exp.Or, exp.Not, exp.Paren, exp.Boolean, exp.Null, exp.Literal, exp.Is)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.Like)
_DATES = (exp.Year, exp.Month, exp.Quarter, exp.Day, exp.Extract, exp.TimestampTrunc, exp.DateTrunc)
_PARTS = frozenset("YEAR MONTH QUARTER DAY WEEK DOW DOY ISODOW HOUR MINUTE DECADE CENTURY".split())
INTEGERS = {"TINYINT": 3, "SMALLINT": 5, "INTEGER": 10, "BIGINT": 19, "UTINYINT": 3, "USMALLINT": 5, "UINTEGER": 10}
_FLOATING = frozenset(("DOUBLE", "FLOAT"))
_WIDEST = 38
_INTEGER_LITERAL = 10

Width = tuple[str, int, int]
"""What arithmetic works on: integer, decimal, double or literal, with the digits in all and behind the point."""


def is_steady(node: exp.Expr, type_of: TypeOf) -> bool:
    """Whether an expression may be computed beforehand."""
    match node:
        case exp.Column():
            return type_of(node) != ""
        case exp.Cast():
            target = node.to.sql("duckdb").upper()
            if isinstance(node.this, exp.Column):
                return {type_of(node.this), target} == {"DATE", "TIMESTAMP"}
            return isinstance(node.this, exp.Literal) and node.this.is_string and target in ("DATE", "TIMESTAMP")
        case exp.Neg():
            return isinstance(node.this, exp.Literal)
        case exp.Mod():
            return _is_rest(node, type_of)
        case exp.Lower() | exp.Upper() | exp.Length():
            return isinstance(node.this, exp.Column) and type_of(node.this) == "VARCHAR"
        case exp.Case():
            arms = [*node.args["ifs"], *([node.args["default"]] if node.args.get("default") is not None else [])]
            return node.this is None and all(is_steady(arm, type_of) for arm in arms)
        case exp.If():
            return all(is_steady(child, type_of) for child in node.iter_expressions())
        case exp.Coalesce():
            return all(is_steady(child, type_of) for child in node.iter_expressions())
        case exp.Sub() if is_days(node, type_of):
            return True
        case exp.Add() | exp.Sub() | exp.Mul():
            return width(node, type_of) is not None
        case _ if isinstance(node, _DATES):
            return _is_date_part(node, type_of)
        case _ if isinstance(node, _COMPARISONS):
            return _compares_alike(node, type_of) and all(is_steady(child, type_of) for child in node.iter_expressions())
        case _ if isinstance(node, _LOGIC):
            return all(is_steady(child, type_of) for child in node.iter_expressions())
        case _:
            return False


def _is_rest(node: exp.Mod, type_of: TypeOf) -> bool:
    """The rest of a whole number by a positive literal, which can not raise."""
    divisor = node.expression
    whole = isinstance(divisor, exp.Literal) and divisor.name.isdigit() and int(divisor.name) > 0
    return whole and isinstance(node.this, exp.Column) and type_of(node.this) in INTEGERS


def is_days(node: exp.Expr, type_of: TypeOf) -> bool:
    """Whether an expression is the number of days between two columns: a BIGINT that can not overflow."""
    sides = (node.this, node.args.get("expression"))
    return isinstance(node, exp.Sub) and all(isinstance(side, exp.Column) and type_of(side) == "DATE" for side in sides)


def width(node: exp.Expr, type_of: TypeOf) -> Width | None:
    """How wide a sum, difference or product may become; None if it may not fit its type.

    DuckDB gives arithmetic of decimals a type that holds every value, up to 38 digits; integers keep their type and may overflow.
    """
    match node:
        case exp.Paren():
            return width(node.this, type_of)
        case exp.Literal() if not node.is_string:
            whole, _, behind = node.name.partition(".")
            if not (whole + behind).isdigit():
                return None
            return ("decimal", len(whole + behind), len(behind)) if behind else ("literal", _INTEGER_LITERAL, 0)
        case exp.Column():
            return width_of(type_of(node))
        case exp.Add() | exp.Sub() | exp.Mul():
            left, right = width(node.this, type_of), width(node.expression, type_of)
            return None if left is None or right is None else _combined(node, left, right)
        case _:
            return None


def _combined(node: exp.Expr, left: Width, right: Width) -> Width | None:
    kinds = {left[0], right[0]}
    if "double" in kinds:
        return ("double", 0, 0)
    if "decimal" not in kinds:
        return None
    if isinstance(node, exp.Mul):
        digits, behind = left[1] + right[1], left[2] + right[2]
    else:
        behind = max(left[2], right[2])
        digits = max(left[1] - left[2], right[1] - right[2]) + behind + 1
    return ("decimal", digits, behind) if digits <= _WIDEST else None


def width_of(kind: str) -> Width | None:
    """How wide the values of a type are; None for one that holds no numbers, or too many."""
    if kind in _FLOATING:
        return ("double", 0, 0)
    if kind in INTEGERS:
        return ("integer", INTEGERS[kind], 0)
    if kind.startswith("DECIMAL("):
        digits, _, behind = kind[len("DECIMAL(") : -1].partition(",")
        return ("decimal", int(digits), int(behind or 0))
    return None


def _is_date_part(node: exp.Expr, type_of: TypeOf) -> bool:
    """A part of a DATE or of a TIMESTAMP without a zone."""
    columns = list(node.find_all(exp.Column))
    if len(columns) != 1 or type_of(columns[0]) not in ("DATE", "TIMESTAMP"):
        return False
    column = columns[0]
    if isinstance(node, exp.Extract):
        return node.expression is column and node.this.name.upper() in _PARTS
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc):
        unit = node.args.get("unit")
        return node.this is column and unit is not None and unit.name.upper() in _PARTS
    return node.this is column


def _compares_alike(node: exp.Expr, type_of: TypeOf) -> bool:
    """Whether both sides of a comparison are of one kind, so that nothing is parsed or cast that may raise."""
    children = [child for child in node.iter_expressions() if isinstance(child, exp.Expr)]
    kinds = {_kind(child, type_of) for child in children} - {"null"}
    if kinds in (
        {"date", "text"},
        {"timestamp", "text"},
    ):  # whether it is one is told when the statement is bound
        return all(isinstance(child, exp.Literal) for child in children if _kind(child, type_of) == "text")
    return len(kinds) <= 1


def _kind(node: exp.Expr, type_of: TypeOf) -> str:
    match node:
        case exp.Paren():
            return _kind(node.this, type_of)
        case exp.Null():
            return "null"
        case exp.Literal():
            return "text" if node.is_string else "number"
        case exp.Column():
            kind = type_of(node)
            if kind.startswith("DECIMAL") or kind in INTEGERS or kind in _FLOATING:
                return "number"
            return {"VARCHAR": "text", "DATE": "date", "TIMESTAMP": "timestamp", "BOOLEAN": "boolean"}.get(kind, kind or "unknown")
        case exp.Cast():
            return "date" if node.to.sql("duckdb").upper() == "DATE" else "timestamp"
        case exp.Boolean():
            return "boolean"
        case exp.Neg():
            return _kind(node.this, type_of)
        case exp.Lower() | exp.Upper():
            return "text"
        case (
            exp.Mod()
            | exp.Length()
            | exp.Add()
            | exp.Sub()
            | exp.Mul()
            | exp.Year()
            | exp.Month()
            | exp.Quarter()
            | exp.Day()
            | exp.Extract()
        ):
            return "number"
        case _:
            return type(node).__name__
