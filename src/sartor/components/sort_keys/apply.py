"""What a sorted copy stores: columns of its table, the row id beside them, ordered by its key."""

from __future__ import annotations

from typing import Any

from sartor.components.copies import Copy
from sartor.core.action import Action
from sartor.core.table import Column, FileScan, Source


def sorted_copy(
    source: Source,
    columns: tuple[str, ...],
    key: tuple[str, ...],
    templates: frozenset[str],
    *,
    then_by_row: bool = False,
    schema: tuple[Column, ...] = (),
) -> Action:
    """The action that makes a copy of these columns, in catalog order, sorted by this key; without a key in the order of the table.

    Args:
        schema: of files, all columns: the catalog does not hold them.
        then_by_row: rows that are equal in the key keep the order of the table. Where one value of the key fills row groups,
            what the table's own order skips is skipped within them too; it makes the sort a quarter slower.
    """
    definition: tuple[tuple[str, Any], ...] = (("columns", columns), ("key", key), ("then_by_row", then_by_row))
    if isinstance(source, FileScan):
        definition = (*definition, ("schema", tuple((column.name, column.type) for column in schema)))
    return Action("sort_keys", source, definition, templates)


def copy(action: Action) -> Copy:
    """What a sorted copy stores."""
    return Copy(action, tuple(action.get("key")), then_by_row=bool(action.get("then_by_row")))
