"""What a layout stores: columns of its table, the row id, and the hidden columns of its kind, in the order of its kind."""

from __future__ import annotations

from sartor.components.copies import Copy
from sartor.components.layouts import cells, tree, truth_bits
from sartor.components.layouts.conditions import text_of
from sartor.core.action import Action


def copy(action: Action) -> Copy:
    """What a layout stores."""
    if cells.is_cells(action):
        return cells.copy(action)
    return tree.copy(action) if tree.is_tree(action) else truth_bits.copy(action)


def told(action: Action) -> dict[str, str]:
    """What the hidden columns of a layout hold, for people."""
    if cells.is_cells(action):
        return {}
    if tree.is_tree(action):
        return dict.fromkeys(action.hidden, "leaf of the tree")
    return dict(zip(action.hidden, map(text_of, action.get("bits")), strict=True))
