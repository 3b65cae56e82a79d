"""One statement without the user's names and values.

The tree of the statement is renamed and emptied of literals, printed, and every token of what was printed is held against a closed
list: keywords, the engine's own functions and types, names that the export gave, placeholders, counts that stay. A statement with
any other token is left out, so what is not understood can not leak.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from sartor.core.table import Catalog, TableName
from sartor.sql.lexer import IDENTIFIER, NUMBER, STRING, tokens
from sartor.workload.sharing.names import Names, name_of
from sartor.workload.sharing.origins import ColumnKey, Origins
from sartor.workload.sharing.parameters import LeftOut

_COMPARISONS: dict[type, tuple[str, str]] = {
    exp.EQ: ("=", "="),
    exp.NEQ: ("<>", "<>"),
    exp.NullSafeEQ: ("=", "="),
    exp.NullSafeNEQ: ("<>", "<>"),
    exp.LT: ("<", ">"),
    exp.LTE: ("<=", ">="),
    exp.GT: (">", "<"),
    exp.GTE: (">=", "<="),
}
OPERATORS = frozenset({"like", "ilike", *(word for pair in _COMPARISONS.values() for word in pair)})
PATTERNS = frozenset({"like", "ilike"})
"""Operators whose constant is a pattern."""

_CONSTANT = (
    *(exp.Literal, exp.Boolean, exp.Neg, exp.Paren, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var),
    *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntervalSpan, exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime),
)
_COUNTS = (exp.Limit, exp.Offset, exp.Fetch, exp.Ordered, exp.Group, exp.DataTypeParam, exp.DataType)
_HARMLESS_FUNCTIONS = (exp.GenerateSeries, exp.Unnest)
_PARTS = frozenset(
    """
    year quarter month week day hour minute second millisecond microsecond decade century millennium epoch dow doy isodow
    isoyear yearweek dayofweek dayofyear weekday
    """.split()
)
_PARTS |= {f"{part}s" for part in _PARTS}
_FORMAT = re.compile(r"(%-?[A-Za-z]|[-/:. T])+")
_TYPED = {"DATE": "2000-01-01", "TIME": "00:00:00", "INTERVAL": "1 day", "BOOLEAN": "true", "VARCHAR": "s1", "TEXT": "s1"}
_TYPED |= {"UUID": "00000000-0000-0000-0000-000000000000"}
_NEUTRAL = frozenset({*_TYPED.values(), "1", "UTC", "$"})
_PLACEHOLDER = re.compile("s[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Compared:
    """What a placeholder stood for.

    Attributes:
        table, subject: what it is compared with, over the user's own columns.
        renamed: the same as it is exported.
        constants: the user's SQL of the constants; several for IN.
    """

    table: TableName
    subject: str
    renamed: str
    operator: str
    constants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A statement as it is exported, with what is still the user's: what stood in `$p1`, `$p2` …, and its joins."""

    sql: str
    compared: tuple[Compared, ...]
    joins: frozenset[tuple[ColumnKey, ColumnKey]]


def anonymise(text: str, catalog: Catalog, names: Names, vocabulary: frozenset[str]) -> Anonymous:
    """Rename one statement and take its literals out.

    Args:
        text: with its parameters in place.
        vocabulary: the engine's own functions and types, in lower case.

    Raises:
        LeftOut: it is no single SELECT over the catalog's tables that is wholly understood.
    """
    try:
        tree = _parsed(text, catalog)
        origins = Origins(tree, catalog)
        joins = origins.joins(tree)
        compared = _compared(tree, origins, names)
        _rename_tables(tree, catalog, names)
        _rename(tree, names)
        kept = _neutralise(tree)
        sql = tree.sql("duckdb", comments=False)
        for printed in (sql, *(one.renamed for one in compared)):
            _guard(printed, names.given() | vocabulary, kept)
    except (SqlglotError, RecursionError, ValueError, KeyError, AttributeError, TypeError):
        raise LeftOut("it is not understood") from None
    return Anonymous(sql, compared, joins)


def _parsed(text: str, catalog: Catalog) -> exp.Expression:
    if any(word.strip('"').lower() in catalog.macros for word in tokens(text).words):
        raise LeftOut("it uses a macro or a function of the user's")
    trees = [tree for tree in parse(text, read="duckdb") if tree is not None]
    if len(trees) != 1:
        raise LeftOut("it is several statements")
    tree = trees[0]
    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Subquery):
        raise LeftOut("it is not a SELECT")
    if tree.find(exp.Placeholder, exp.Parameter):
        raise LeftOut("a parameter of it is missing")
    return tree


# Literals -----------------------------------------------------------------------------------------------------------------


def _compared(tree: exp.Expression, origins: Origins, names: Names) -> tuple[Compared, ...]:
    """Put `$p1`, `$p2` … in the place of constants that are compared with what one table's columns hold."""
    found: list[Compared] = []

    def placeholder(subject: tuple[TableName, exp.Expression], operator: str, *constants: exp.Expression) -> exp.Placeholder:
        table, expression = subject
        told = tuple(constant.sql("duckdb", comments=False) for constant in constants)
        renamed = exp.Paren(this=expression.copy())  # a root that stays when the expression itself is replaced
        _rename(renamed, names)
        _neutralise(renamed)
        own = expression.sql("duckdb", comments=False)
        found.append(Compared(table, own, renamed.this.sql("duckdb", comments=False), operator, told))
        return exp.Placeholder(this=f"p{len(found)}")

    for node in list(tree.walk(bfs=False)):
        subject = origins.subject(node.this)
        match node:
            case exp.Between() if subject and _constant(node.args["low"]) and _constant(node.args["high"]):
                node.set("low", placeholder(subject, ">=", node.args["low"]))
                node.set("high", placeholder(subject, "<=", node.args["high"]))
            case exp.In() if subject and node.expressions and all(map(_constant, node.expressions)):
                node.set("expressions", [placeholder(subject, "=", *node.expressions)])
            case exp.Like() | exp.ILike() if subject and _is_string(node.expression) and not isinstance(node.parent, exp.Escape):
                node.set("expression", placeholder(subject, "like" if isinstance(node, exp.Like) else "ilike", node.expression))
            case exp.Binary() if type(node) in _COMPARISONS:
                plain, turned = _COMPARISONS[type(node)]
                other = origins.subject(node.expression)
                if subject and _constant(node.expression):
                    node.set("expression", placeholder(subject, plain, node.expression))
                elif other and _constant(node.this):
                    node.set("this", placeholder(other, turned, node.this))
    return tuple(found)


def _constant(node: exp.Expression) -> bool:
    return all(isinstance(part, _CONSTANT) for part in node.walk())


def _is_string(node: exp.Expression | None) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def _neutralise(tree: exp.Expression) -> frozenset[str]:
    """Empty the literals that are left; ordinals, counts of LIMIT and parts of dates stay. Returns the numbers that stay."""
    kept = {"0", "1", "1.0"}
    strings: dict[str, str] = {}
    for path in list(tree.find_all(exp.JSONPath)):
        path.replace(exp.Literal.string("$"))
    for node in list(tree.find_all(exp.Literal)):
        parent = node.parent
        if not node.is_string:
            if isinstance(parent, _COUNTS):
                kept.add(node.name)
            elif node.name not in kept:
                node.replace(exp.Literal.number("1" if node.name.isdigit() else "1.0"))
        elif isinstance(parent, exp.Interval):
            node.replace(exp.Literal.string("1"))
        elif isinstance(parent, exp.AtTimeZone):
            node.replace(exp.Literal.string("UTC"))
        elif isinstance(parent, exp.Cast | exp.TryCast):
            kind = parent.to.this.name
            node.replace(exp.Literal.string(_TYPED.get("DATE" if kind.startswith(("TIMESTAMP", "DATETIME")) else kind, "1")))
        elif not _tells_form(node):
            node.replace(exp.Literal.string(strings.setdefault(node.name, f"s{len(strings) + 1}")))
    return frozenset(kept)


def _tells_form(node: exp.Expression) -> bool:
    """A part of a date, or a format of one: no value."""
    formats = isinstance(node.parent, exp.TimeToStr | exp.StrToTime) and _FORMAT.fullmatch(node.name) is not None
    return formats or (isinstance(node.parent, exp.Func) and node.name.lower() in _PARTS)


# Names --------------------------------------------------------------------------------------------------------------------


def _rename_tables(tree: exp.Expression, catalog: Catalog, names: Names) -> None:
    defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if isinstance(table.this, _HARMLESS_FUNCTIONS):
            continue
        parts = tuple(part.name for part in table.parts)
        if not isinstance(table.this, exp.Identifier):
            raise LeftOut("it reads files or calls a table function")
        if len(parts) == 1 and parts[0].lower() in defined:
            continue
        info = catalog.resolve(parts)
        if info is None:
            lowered = tuple(part.lower() for part in parts[-2:])
            is_view = lowered in catalog.views or any(name == lowered[-1] for _, name in catalog.views)
            raise LeftOut("it reads a view" if is_view else "it reads something that is no table of this database")
        schema = name_of(info).schema
        table.set("catalog", None)
        table.set("db", None if schema.lower() == catalog.default_schema.lower() else exp.to_identifier(schema))
    for column in tree.find_all(exp.Column):
        column.set("catalog", None)
        column.set("db", None)


def _rename(tree: exp.Expression, names: Names) -> None:
    for identifier in list(tree.find_all(exp.Identifier)):
        identifier.replace(exp.to_identifier(names(identifier.name), quoted=False))


# The closed list ----------------------------------------------------------------------------------------------------------


def _guard(sql: str, words: frozenset[str], numbers: frozenset[str]) -> None:
    """Leave a statement out if a token of it is neither SQL's nor the export's."""
    if "--" in sql or "/*" in sql:
        raise LeftOut("a comment can not be taken out of it")
    found = tokens(sql)
    for place, (word, kind) in enumerate(zip(found.words, found.kinds, strict=True)):
        if kind is IDENTIFIER:
            placeholder = place > 0 and found.words[place - 1] == "$" and re.fullmatch("p[1-9][0-9]*", word)
            if not placeholder and word.lower() not in words and word.lower() not in _PARTS:
                raise LeftOut("a name in it can not be replaced with certainty")
        elif kind is STRING:
            inner = word[1:-1]
            known = inner in _NEUTRAL or inner in words or inner.lower() in _PARTS or _PLACEHOLDER.fullmatch(inner)
            if word[0] != "'" or not (known or _FORMAT.fullmatch(inner)):
                raise LeftOut("a literal in it can not be replaced with certainty")
        elif kind is NUMBER and word != "." and word not in numbers:
            raise LeftOut("a number in it can not be replaced with certainty")
