"""Which tables decide a statement's answer, where nothing else does: neither the time, nor who asks, nor chance."""

from __future__ import annotations

from sqlglot import exp

from sartor.core.table import Catalog, TableName

_MOMENTARY = frozenset(
    """
    now today current_date current_time current_timestamp localtime localtimestamp transaction_timestamp get_current_timestamp
    user current_user session_user current_role current_catalog current_schema current_schemas current_database
    """.split()
)


def reads(tree: exp.Expression, words: tuple[str, ...], catalog: Catalog) -> frozenset[TableName] | None:
    """The base tables that a statement may read; None if it reads anything else, or its answer depends on more than their rows.

    Args:
        tree: of a statement whose functions are on the allow-list.
        words: its tokens.
    """
    if any(word.lower() in _MOMENTARY for word in words):
        return None
    found = set()
    for table in tree.find_all(exp.Table):
        parts = tuple(part.name for part in table.parts)
        info = catalog.resolve(parts)
        if info is not None and isinstance(info.source, TableName):
            if info.has_generated or info.has_triggers:
                return None
            found.add(info.source)  # also where a common table expression of that name is meant: to watch one table more does no harm
        elif len(parts) != 1 or not _is_common(table, parts[0].lower()):
            return None
    return frozenset(found)


def hands_out_one_row(tree: exp.Expression) -> bool:
    """Whether a statement is seen to hand out one row at most: its aggregates have no groups."""
    if not isinstance(tree, exp.Select) or tree.args.get("group") is not None or tree.find(exp.Unnest, exp.Explode) is not None:
        return False
    found = [one for shown in tree.expressions for one in shown.find_all(exp.AggFunc) if one.find_ancestor(exp.Select) is tree]
    return any(not isinstance(one.parent, exp.Window) for one in found)


def _is_common(table: exp.Table, name: str) -> bool:
    """Whether a name is a common table expression's where it stands; inside itself, and before it, it means something else."""
    inside: exp.Expr = table
    while inside.parent is not None:
        node, within = inside.parent, inside
        inside = node
        if isinstance(node, exp.With):
            if node.args.get("recursive"):
                return False
            seen = node.expressions[: next(place for place, one in enumerate(node.expressions) if one is within)]
        else:
            with_ = node.args.get("with_")
            seen = with_.expressions if with_ is not None and with_ is not within else []
        if any(one.alias.lower() == name for one in seen):
            return True
    return False
