"""Whether a derived object may be used, before its statement is sent and again once the snapshot has begun."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from sartor.core.derived import DerivedObject
from sartor.core.table import FileScan, TableName
from sartor.freshness.files import is_current
from sartor.freshness.registry import RegistryState


class Use(Enum):
    """How a derived object may be used."""

    NO = "no"
    WHOLE = "whole"  # it covers every row of its table
    RESIDUAL = "residual"  # rows were appended since; the statement adds them


def use(derived: DerivedObject, state: RegistryState) -> Use:
    """How an object may be used by a statement sent now.

    An append count in the stamp that can never be met (-1) stands for "an append was under way when this was built": then
    the residual is always added.
    """
    source = derived.action.source
    if isinstance(source, FileScan):
        return Use.WHOLE if is_current(source, derived.coverage.files) else Use.NO
    name = source.name.lower()
    if state.mutating(name) or state.mutations(name) != derived.coverage.mutations:
        return Use.NO
    if state.appending(name) or state.appends(name) != derived.coverage.appends:
        return Use.RESIDUAL
    return Use.WHOLE


def unchanged(used: Iterable[tuple[DerivedObject, Use]], before: RegistryState, after: RegistryState) -> bool:
    """Whether objects that could be used before the text was sent could be used in the snapshot that it read.

    To be asked when the snapshot is known to have begun. Counts only grow and move at both ends of a window, so equal
    counts prove that no window opened, closed or was open in between.
    """
    if after is before and not any(isinstance(item.action.source, FileScan) for item, _ in used):
        return True
    return all(use(derived, after) is how or _still(derived, how, after) for derived, how in used)


def _still(derived: DerivedObject, how: Use, after: RegistryState) -> bool:
    """With its residual an object stays right however much is appended."""
    source = derived.action.source
    if how is not Use.RESIDUAL or not isinstance(source, TableName):
        return False
    return use(derived, after) is not Use.NO
