"""What the keys of GROUP BY and ORDER BY stand for: ordinals, aliases and columns, bound as DuckDB binds them."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

UNBOUND = "?"
"""The text of a key that is not known to stand for anything."""

HasColumn = Callable[[str], bool | None]
"""Whether an unqualified name, lower-case, is a column of what the block reads; None if that is not known."""


def order_key(key: exp.Expression, node: exp.Select) -> exp.Expression | None:
    """What an ORDER BY key stands for: an alias of the select list goes before a column. None if it is not known."""
    if isinstance(key, exp.Column) and not key.table:
        named = [item for item in node.expressions if isinstance(item, exp.Alias) and _names(item, key)]
        if named:
            return named[0].this if len(named) == 1 else None
        return key
    return _ordinal(key, node)


def group_key(key: exp.Expression, node: exp.Select, has_column: HasColumn) -> exp.Expression | None:
    """What a GROUP BY key stands for: a column goes before an alias of the select list. None if it is not known."""
    if isinstance(key, exp.Column) and not key.table:
        named = [item for item in node.expressions if isinstance(item, exp.Alias) and _names(item, key)]
        if not named:
            return key
        found = has_column(key.name.lower())
        if found or (len(named) == 1 and text(named[0].this) == text(key)):
            return key
        return named[0].this if found is False and len(named) == 1 else None
    return _ordinal(key, node)


def has_grouping_sets(group: exp.Expr) -> bool:
    """Whether a GROUP BY clause makes several groups of one row: a row is in one of each set.

    >>> import sqlglot
    >>> groups = ("a, b", "ROLLUP (a)", "a, CUBE (b)")
    >>> [has_grouping_sets(sqlglot.parse_one(f"SELECT a FROM t GROUP BY {group}", read="duckdb")) for group in groups]
    [False, True, True]
    """
    return group.find(exp.Cube, exp.Rollup, exp.GroupingSets) is not None or bool(group.args.get("totals"))


def text(key: exp.Expr | None) -> str:
    """A key as text that is the same for all ways to write its names; `UNBOUND` for None."""
    if key is None:
        return UNBOUND
    bare = key.copy()
    for name in bare.find_all(exp.Identifier):
        name.set("this", name.name.lower())
        name.set("quoted", True)
    return str(bare.sql("duckdb", copy=False))


def _names(item: exp.Alias, key: exp.Column) -> bool:
    return bool(item.alias.lower() == key.name.lower())


def _ordinal(key: exp.Expression, node: exp.Select) -> exp.Expression | None:
    """The output column that a number means; a star before it hides which."""
    if not isinstance(key, exp.Literal) or key.is_string:
        return key
    place = int(key.name) - 1 if key.name.isdigit() else -1
    if not 0 <= place < len(node.expressions):
        return None
    if any(item.find(exp.Star) and not item.find(exp.Count) for item in node.expressions[: place + 1]):
        return None
    meant: exp.Expression = node.expressions[place].unalias()
    return meant
