"""A view's join without tables that a statement does not read, for the rows that were appended since it was built."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from sartor.core.view import ViewDefinition
from sartor.sql.matching.lossless import stand_in


@lru_cache(maxsize=4096)
def reduced(view: ViewDefinition, without: tuple[str, ...]) -> ViewDefinition:
    """The view without some tables; its keys at the same places, those that only such tables have as they were.

    Args:
        without: names of tables that no condition, state or LEFT JOIN of the view reads.
    """
    if not without:
        return view
    kept = [place for place, name in enumerate(view.names) if name not in without]
    return replace(
        view,
        tables=tuple(view.tables[place] for place in kept),
        equalities=tuple(pair for pair in view.equalities if pair[0][0] not in without and pair[1][0] not in without),
        keys=tuple(replace(key, sql=stand_in(key, view, without) or key.sql) for key in view.keys),
        schemas=tuple(view.schemas[place] for place in kept),
    )
