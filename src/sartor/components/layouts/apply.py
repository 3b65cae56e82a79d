"""What a layout stores: columns of its table, the row id, and the hidden columns of its kind, in the order of its kind."""

from __future__ import annotations

from sartor.components.copies import Copy
from sartor.components.layouts import truth_bits
from sartor.core.action import Action


def copy(action: Action) -> Copy:
    """What a layout stores; KeyError if its kind is not known."""
    return {truth_bits.KIND: truth_bits.copy}[action.get("kind")](action)
