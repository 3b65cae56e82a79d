"""Expressions that raise on some rows and not on others.

Which rows a condition is evaluated on depends on what was evaluated before it, and DuckDB chooses that as it runs. So a
condition that may raise, beside another one, may raise in an alternative where plain does not.
"""

from __future__ import annotations

from sqlglot import exp

_FLOATING = frozenset(("DOUBLE", "FLOAT", "REAL"))
_WIDTHS = {
    "BOOLEAN": 0, "TINYINT": 1, "UTINYINT": 1, "SMALLINT": 2, "USMALLINT": 2, "INTEGER": 3, "INT": 3, "UINTEGER": 3,
    "BIGINT": 4, "UBIGINT": 4, "HUGEINT": 5, "FLOAT": 6, "REAL": 6, "DOUBLE": 6,
}  # fmt: skip
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.IntDiv, exp.Mod, exp.Abs)
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In)
_TEXT = frozenset(("VARCHAR", "TEXT"))


def raising(expression: exp.Expr, types: dict[str, str]) -> str | None:
    """The part of an expression that may raise on some rows, as SQL; None if there is none.

    Args:
        expression: queries inside it are not looked into.
        types: the types of columns, names lower-case; columns that are not here may be of any type.
    """
    for item in expression.walk(prune=lambda node: isinstance(node, exp.Query)):
        if _raises(item, types):
            return str(item.sql("duckdb"))
    return None


def _raises(item: exp.Expr, types: dict[str, str]) -> bool:
    if isinstance(item, exp.Cast) and not isinstance(item, exp.TryCast):
        return item.find(exp.Column) is not None and not _cast_is_safe(item, types)
    if isinstance(item, exp.Mod) and isinstance(item.expression, exp.Literal) and item.expression.name.strip("0").isdigit():
        return False  # by a literal other than 0
    if isinstance(item, _ARITHMETIC):
        columns = list(item.find_all(exp.Column))
        return bool(columns) and any(types.get(column.name.lower()) not in _FLOATING for column in columns)
    if isinstance(item, _COMPARISONS):
        sides = [side for side in item.iter_expressions() if not isinstance(side, exp.Query | exp.Placeholder | exp.Parameter)]
        texts = [_is_text(side, types) for side in sides]
        return True in texts and False in texts
    return False


def _cast_is_safe(cast: exp.Cast, types: dict[str, str]) -> bool:
    target = cast.to.sql("duckdb").upper()
    if target in _TEXT:
        return True
    source = types.get(cast.this.name.lower()) if isinstance(cast.this, exp.Column) else None
    if source is None:
        return False
    if source == target or (source, target) in (("DATE", "TIMESTAMP"), ("TIMESTAMP", "DATE")):
        return True
    if source.startswith("DECIMAL") and target in _FLOATING:
        return True
    if source.startswith("U") != target.startswith("U") and target not in _FLOATING:
        return False
    return source in _WIDTHS and target in _WIDTHS and _WIDTHS[source] <= _WIDTHS[target]


def _is_text(side: exp.Expr, types: dict[str, str]) -> bool | None:
    """Whether a side of a comparison is a string column; None where it takes any type or is not known."""
    if isinstance(side, exp.Column):
        kind = types.get(side.name.lower())
        return None if kind is None else kind in _TEXT
    if isinstance(side, exp.Literal):
        return None if side.is_string else False
    return False if isinstance(side, exp.Neg | exp.Boolean) else None
