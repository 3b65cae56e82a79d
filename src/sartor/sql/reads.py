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
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = set()
    for table in tree.find_all(exp.Table):
        parts = tuple(part.name for part in table.parts)
        info = catalog.resolve(parts)
        if info is not None and isinstance(info.source, TableName):
            found.add(info.source)  # also where a common table expression of that name is meant: to watch one table more does no harm
        elif len(parts) != 1 or parts[0].lower() not in named:
            return None
    return frozenset(found)
