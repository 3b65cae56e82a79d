"""What an auxiliary copy stores: columns of its table, the row id beside them, in the order of the table."""

from __future__ import annotations

from sartor.components.copies import Copy
from sartor.core.action import Action
from sartor.core.table import TableName


def auxiliary_copy(source: TableName, columns: tuple[str, ...]) -> Action:
    """The action that makes a copy of these columns, in catalog order."""
    return Action("auxiliary_copies", source, (("columns", columns), ("key", ())))


def copy(action: Action) -> Copy:
    """What an auxiliary copy stores."""
    return Copy(action, ())
