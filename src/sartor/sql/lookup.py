"""Statements that are nothing but a look-up by a key: `SELECT columns FROM t WHERE key = ?`, or `key IN (1, 2, 3)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sartor.core.analysis import PointLookup, Reference
from sartor.core.predicate import Operator
from sartor.core.table import Catalog, TableInfo, TableName

_CLAUSES = frozenset({"expressions", "from_", "where"})
_LITERAL = r"-?\s*\d+|'(?:[^']|'')*'"
_LIST = re.compile(rf"\(\s*((?:{_LITERAL})(?:\s*,\s*(?:{_LITERAL}))*)\s*\)")
_ONE = re.compile(_LITERAL)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value that comes with the statement: by its place among a list, counted from 0, or by its name."""

    place: int | str


Asked = int | str | Parameter


def point_lookup(
    tree: exp.Expression, references: Sequence[Reference], words: tuple[str, ...], catalog: Catalog
) -> PointLookup | None:
    """The statement as a look-up, or None: if it does anything else, or its text is not as expected.

    Args:
        references: all of the statement's.
        words: its tokens.
    """
    if not isinstance(tree, exp.Select) or not {name for name, value in tree.args.items() if value} <= _CLAUSES:
        return None
    if len(references) != 1 or references[0].refusal is not None or len(references[0].predicates) != 1:
        return None
    reference = references[0]
    source, condition = reference.source, tree.args["where"].this if tree.args.get("where") else None
    info = catalog.info(source)
    if info is None or info.has_rowid_column or not isinstance(source, TableName):
        return None
    if not isinstance(condition, exp.EQ | exp.In) or not isinstance(condition.this, exp.Column):
        return None
    table = tree.args["from_"].this
    if not isinstance(table, exp.Table) or (table.args.get("alias") is not None and table.args["alias"].args.get("columns")):
        return None
    columns = _columns(tree.expressions, info, table.alias_or_name.lower())
    span = _values(words, "IN" if isinstance(condition, exp.In) else "=")
    predicate = reference.predicates[0]
    if columns is None or span is None or predicate.operator not in (Operator.EQUAL, Operator.IN) or not predicate.column:
        return None
    return PointLookup(source, columns, predicate.column, *span)


def asked(words: Sequence[str]) -> tuple[Asked, ...] | None:
    """The values that the tokens of a look-up name; None if there is one that is neither a plain literal nor a parameter.

    >>> asked(("5",)), asked(("-", "5")), asked(("'it''s'",)), asked(("(1, -2,3)",)), asked(("1e3",))
    ((5,), (-5,), ("it's",), (1, -2, 3), None)
    >>> asked(("?",)), asked(("$", "name")), asked(("(", "?", ",", "?", ")"))
    ((Parameter(place=0),), (Parameter(place='name'),), (Parameter(place=0), Parameter(place=1)))
    """
    if len(words) == 1 and words[0][:1] == "(":
        folded = _LIST.fullmatch(words[0])
        return tuple(_literal(text) for text in _ONE.findall(folded[1])) if folded is not None else None
    inner = words[1:-1] if words[0] == "(" else words
    found: list[Asked] = []
    unnamed = 0
    for item in _items(inner):
        match item:
            case ("?",):
                found.append(Parameter(unnamed))
                unnamed += 1
            case ("$", name):
                found.append(Parameter(int(name) - 1 if name.isdigit() else name))
            case _ if _ONE.fullmatch("".join(item)):
                found.append(_literal("".join(item)))
            case _:
                return None
    return tuple(found)


def _literal(text: str) -> int | str:
    return text[1:-1].replace("''", "'") if text[0] == "'" else int("".join(text.split()))


def _items(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    item: list[str] = []
    for word in words:
        if word == ",":
            yield tuple(item)
            item = []
        else:
            item.append(word)
    yield tuple(item)


def _columns(expressions: Sequence[exp.Expression], info: TableInfo, alias: str) -> tuple[str, ...] | None:
    """The columns that are handed out, by their names in the catalog; None if anything else is."""
    found: list[str] = []
    for expression in expressions:
        node = expression.this if isinstance(expression, exp.Alias) else expression
        star = node if isinstance(node, exp.Star) else node.this if isinstance(node, exp.Column) else None
        if isinstance(star, exp.Star):
            if node is not expression or any(star.args.values()):
                return None
            found += [column.name for column in info.columns]
            continue
        if not isinstance(node, exp.Column) or len(node.parts) > 2 or node.table.lower() not in ("", alias):
            return None
        column = info.column(node.name)
        if column is None:
            return None
        found.append(column.name)
    return tuple(found)


def _values(words: tuple[str, ...], operator: str) -> tuple[int, int] | None:
    """The tokens of the values, which end the statement; None if it ends otherwise."""
    last = len(words) - 1
    while last >= 0 and words[last] == ";":
        last -= 1
    if last < 1:
        return None
    first = last
    if words[last] == ")":
        while first > 0 and words[first] != "(":
            first -= 1
    elif words[last - 1] in ("-", "$"):
        first = last - 1
    return (first, last) if words[first - 1].upper() == operator and asked(words[first : last + 1]) is not None else None
