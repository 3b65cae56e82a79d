"""Whether a derived object may be used, before its statement is sent and again once the snapshot has begun."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum

from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import FileScan, Source, TableName
from sartor.freshness.files import is_current
from sartor.freshness.registry import RegistryState


class Use(Enum):
    """How a derived object may be used."""

    NO = "no"
    WHOLE = "whole"  # it covers every row of its tables
    RESIDUAL = "residual"  # rows were appended to some of its tables since; the statement adds what they bring


def use(derived: DerivedObject, state: RegistryState) -> Use:
    """How an object may be used by a statement sent now: not at all if one of its sources changed otherwise than by appends.

    An append count in the stamp that can never be met (-1) stands for "an append was under way when this was built": then
    the residual is always added.
    """
    how = _use_of(derived.action.source, derived.coverage, state)
    if not derived.others or how is Use.NO:
        return how
    strict = derived.action.strict
    for place, (source, coverage) in enumerate(zip(derived.action.others, derived.others, strict=True), 1):
        other = _use_of(source, coverage, state)
        if other is Use.NO or (other is Use.RESIDUAL and place in strict):
            return Use.NO
        if other is Use.RESIDUAL:
            how = Use.RESIDUAL
    return how


def moved(derived: DerivedObject, state: RegistryState) -> frozenset[int]:
    """The places whose tables got rows since, or may have: those that a residual has to have terms for.

    Of an object that may be used; it is empty exactly if that use is WHOLE.
    """
    pairs = enumerate(zip(derived.action.sources, derived.coverages, strict=True))
    return frozenset(place for place, (source, coverage) in pairs if _use_of(source, coverage, state) is not Use.WHOLE)


def settled(used: Iterable[tuple[DerivedObject, Use]], state: RegistryState) -> tuple[tuple[int, int], ...] | None:
    """The counts of writes to all tables of some objects; None while any of them is being written.

    Two equal answers prove that these tables held the same rows all the time in between.
    """
    return counts((source for derived, _ in used for source in derived.action.sources if not isinstance(source, FileScan)), state)


def counts(tables: Iterable[TableName], state: RegistryState) -> tuple[tuple[int, int], ...] | None:
    """The counts of writes to some tables, with the same guarantee as `settled`."""
    found = []
    for table in tables:
        name = table.name.lower()
        if state.appending(name) or state.mutating(name):
            return None
        found.append((state.appends(name), state.mutations(name)))
    return tuple(found)


def unchanged(used: Iterable[tuple[DerivedObject, Use]], before: RegistryState, after: RegistryState) -> bool:
    """Whether objects that could be used before the text was sent could be used in the snapshot that it read.

    To be asked when the snapshot is known to have begun. Counts only grow and move at both ends of a window, so equal
    counts prove that no window opened, closed or was open in between. With its residual an object stays right however much is
    appended to the tables that the residual has terms for, which are those that had moved before.
    """
    if after is before and not any(_reads_files(derived) for derived, _ in used):
        return True
    return all(_stands(derived, how, before, after) for derived, how in used)


def loose(derived: DerivedObject, places: Iterable[int]) -> bool:
    """Whether the row ids covered of one of these tables may move at a checkpoint: it has lost rows."""
    coverages = derived.coverages
    return any(not coverages[place].dense for place in places)


def standing(derived: DerivedObject, iteration: int) -> DerivedObject:
    """The same object as one whose row ids can not move, for a statement that is only right where they have not moved.

    Itself if some of its row ids may have moved before this iteration.
    """
    if iteration < 0 or not all(one.dense or one.files or one.iteration == iteration for one in derived.coverages):
        return derived
    return derived.covering(*(one if one.files else replace(one, dense=True) for one in derived.coverages))


def told(derived: DerivedObject) -> DerivedObject:
    """The same object, for a statement that is only right while it covers just what it covers now."""
    return derived.covering(*(replace(one, told=True) for one in derived.coverages))


def _stands(derived: DerivedObject, how: Use, before: RegistryState, after: RegistryState) -> bool:
    now = use(derived, after)
    if how is not Use.RESIDUAL:
        return now is how
    return now is not Use.NO and moved(derived, after) <= moved(derived, before)


def _use_of(source: Source, coverage: Coverage, state: RegistryState) -> Use:
    """How an object may be used as far as this source is concerned."""
    if isinstance(source, FileScan):
        return Use.WHOLE if is_current(source, coverage.files) else Use.NO
    name = source.name.lower()
    if state.mutating(name) or state.mutations(name) != coverage.mutations:
        return Use.NO
    if state.appending(name) or state.appends(name) != coverage.appends:
        return Use.RESIDUAL
    return Use.WHOLE


def _reads_files(derived: DerivedObject) -> bool:
    return isinstance(derived.action.source, FileScan) or any(isinstance(source, FileScan) for source in derived.action.others)
