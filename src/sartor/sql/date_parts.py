"""Parts of days and moments: which of them the beginning of a unit tells.

`year(d)` is the same for all days of a month, so `year(date_trunc('month', d))` is `year(d)`. A week may lie in two months or years:
it tells neither, and no month tells it. Decades and centuries are told by years, but tell nothing themselves: for `date_trunc` 2000
begins a century, for `century` it ends one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

TypeOf = Callable[[exp.Column], str]

UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
"""Units whose beginnings tell parts, from the coarsest on."""
_WHOLE_DAYS = frozenset(("year", "quarter", "month", "week", "day"))
TELLS: dict[str, frozenset[str]] = {
    "year": frozenset(("year",)),
    "quarter": frozenset(("quarter", "year")),
    "month": frozenset(("month", "quarter", "year")),
    "week": frozenset(("week",)),
    "day": _WHOLE_DAYS,
    "hour": _WHOLE_DAYS | {"hour"},
    "minute": _WHOLE_DAYS | {"hour", "minute"},
    "second": _WHOLE_DAYS | {"hour", "minute", "second"},
}
"""For each unit the units in one of which its days and moments all lie."""

_NEEDS = {
    **dict.fromkeys(("year", "decade", "century", "millennium", "era"), "year"),
    "quarter": "quarter",
    **dict.fromkeys(("month", "monthname", "lastday", "last_day"), "month"),
    **dict.fromkeys(("week", "weekofyear", "isoyear", "yearweek"), "week"),
    **dict.fromkeys(("day", "dayofmonth", "dayofweek", "dow", "weekday", "dayofyear", "doy", "dayname"), "day"),
    **dict.fromkeys(("isodow", "dayofweekiso"), "day"),
    "hour": "hour",
    "minute": "minute",
    "second": "second",
}
"""For each part, by its name in SQL or in the parser, the coarsest unit that tells it."""
_WRITTEN = {
    **dict.fromkeys("Yy", "year"),
    **dict.fromkeys("mbB", "month"),
    **dict.fromkeys("djaA", "day"),
    "H": "hour",
    "M": "minute",
    "S": "second",
}
"""The same for what strftime writes."""
_SPECIFIER = re.compile("%-?(.)")
_BEGINNINGS = {
    **dict.fromkeys(("year", "decade", "century", "millennium"), "year"),
    **dict.fromkeys(("week", "isoyear"), "week"),
    **{unit: unit for unit in UNITS if unit not in ("year", "week")},
}
"""The same for what date_trunc cuts to."""


def unit_of(node: exp.Expr, type_of: TypeOf) -> str:
    """The coarsest unit whose beginning tells an expression, if that is a part of a DATE or TIMESTAMP column; else empty.

    >>> import sqlglot
    >>> [unit_of(sqlglot.parse_one(sql), lambda column: "DATE") for sql in ("year(d)", "extract(isoyear FROM d)", "epoch(d)")]
    ['year', 'week', '']
    """
    needed, argument = _read(node)
    if isinstance(argument, exp.Column):
        return needed if type_of(argument) in ("DATE", "TIMESTAMP") else ""
    return needed if needed in _WHOLE_DAYS and isinstance(argument, exp.Expr) and _is_day(argument, type_of) else ""


def _read(node: exp.Expr) -> tuple[str, object]:
    """The unit that an expression needs to know, and what it is a part of."""
    match node:
        case exp.Extract():
            return _NEEDS.get(node.this.name.lower(), ""), node.expression
        case exp.TimestampTrunc() | exp.DateTrunc() if node.args.get("unit") is not None and node.args.get("zone") is None:
            return _BEGINNINGS.get(node.args["unit"].name.lower(), ""), node.this
        case exp.Anonymous() if node.name.lower() in ("date_part", "datepart") and len(node.expressions) == _WITH_NAME:
            named, argument = node.expressions
            return _NEEDS.get(named.name.lower(), "") if isinstance(named, exp.Literal) else "", argument
        case exp.Anonymous() if len(node.expressions) == 1:
            return _NEEDS.get(node.name.lower(), ""), node.expressions[0]
        case exp.TimeToStr() if isinstance(node.args.get("format"), exp.Literal):
            return _written(node.args["format"].name), node.this
        case exp.Cast() if _is_to_day(node):
            return "day", node.this
        case exp.Func() if [name for name, value in node.args.items() if value] == ["this"]:
            return _NEEDS.get(type(node).__name__.lower(), ""), node.this
        case _:
            return "", None


_WITH_NAME = 2  # arguments of date_part


def _written(format_: str) -> str:
    """The unit that the text of a day or moment needs: the finest of what is written."""
    needed = {_WRITTEN.get(letter, "") for letter in _SPECIFIER.findall(format_)}
    return "" if "" in needed else max(needed, key=UNITS.index, default="")


def _is_day(node: exp.Expr, type_of: TypeOf) -> bool:
    """Whether an expression is the day of a moment."""
    return isinstance(node, exp.Cast) and _is_to_day(node) and isinstance(node.this, exp.Column) and type_of(node.this) == "TIMESTAMP"


def _is_to_day(node: exp.Cast) -> bool:
    return not isinstance(node, exp.TryCast) and node.to.sql("duckdb").upper() == "DATE"
