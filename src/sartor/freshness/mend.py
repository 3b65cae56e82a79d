"""Bringing an object up to date in place after deletes and updates, by the rows that its tables lost and got.

A copy tells these rows, for it holds what they were; see `changes`. Then whatever else was made of the same rows, other copies and
views, is mended by them too. Object and state change in one transaction, so that the generation stays; whatever does not fit undoes
the transaction, and the object is built anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import TableName
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.changes import Change, Changes, Unmended, appended, different, find
from sartor.freshness.refresh import coverage_now, has_numbers, held_types, is_same, rows_stood
from sartor.freshness.registry import Registry
from sartor.freshness.residual import relation

Mend = Callable[[Engine, DerivedObject, Mapping[int, Change]], int]
"""`Component.mend`: carries changes into an object's rows and says how many rows more stand behind the sorted ones."""


def mend(
    engine: Engine, registry: Registry, component: Mend, derived: DerivedObject, known: Sequence[Changes]
) -> tuple[DerivedObject, Changes | None] | None:
    """The object under what its tables hold now, and the changes that were found by it; None if it has to be built anew.

    Args:
        derived: none of its tables has generated columns.
        known: changes found before.

    Raises:
        Overtaken: a mutation of one of its tables was under way.
    """
    try:
        with engine.transaction():
            fresh, found = _mended(engine, registry, component, derived, known)
            stored.save(engine, fresh)
    except Unmended:
        return None
    return fresh, found


def _mended(
    engine: Engine, registry: Registry, component: Mend, derived: DerivedObject, known: Sequence[Changes]
) -> tuple[DerivedObject, Changes | None]:
    before = registry.state
    now = coverage_now(engine, registry, derived.action, derived)
    is_copy = derived.coverage.numbered >= 0 and has_numbers(engine, derived)
    if now[0].iteration < 0 or (is_copy and now[0].rough != derived.coverage.rough):
        raise Unmended
    changes: dict[int, Change] = {}
    moved = is_copy and derived.coverage.numbered != now[0].iteration  # as far as is known: a checkpoint came
    found = None
    for place, (old, new) in enumerate(zip(derived.coverages, now, strict=True)):
        if old.files:
            if new.files != old.files:
                raise Unmended
        elif old.mutations == new.mutations != stored.UNKNOWN:
            if old.appends != new.appends or new.appends == stored.UNKNOWN:
                changes[place] = appended(derived, place)
        else:
            told = _told(derived, place, new, known)
            moved &= told is None or told.before.numbered != old.numbered  # the copy that told it was found to be the same
            if told is None and is_copy:
                told = found = _found(engine, registry, derived, new)
            if told is None:
                raise Unmended
            changes[place] = told.change()
    if changes.keys() & derived.action.strict:
        raise Unmended
    types = _comparable_types(engine, derived) if moved else None
    behind = derived.coverage.unsorted + component(engine, derived, changes)
    if not rows_stood(registry, before, now[0].iteration):
        raise Unmended
    if is_copy and engine.rows(f"SELECT count(*) FROM {relation(derived)}") != [(now[0].rows,)]:
        raise Unmended
    if types is not None and not is_same(engine, derived, types, now[0].rows):
        raise Unmended
    coverages = [old if old.files else new for old, new in zip(derived.coverages, now, strict=True)]
    coverages[0] = replace(coverages[0], numbered=now[0].iteration if is_copy else -1, unsorted=behind)
    return derived.covering(*coverages), found


def _told(derived: DerivedObject, place: int, now: Coverage, known: Sequence[Changes]) -> Changes | None:
    """The changes of a table that are known already, if they are those that this object needs."""
    source = derived.action.sources[place]
    if not isinstance(source, TableName):
        return None
    read = derived.action.columns(place)
    return next((one for one in known if one.tells(source, derived.coverages[place], now, read)), None)


def _found(engine: Engine, registry: Registry, copy: DerivedObject, now: Coverage) -> Changes:
    source, old = copy.action.source, copy.coverage
    assert isinstance(source, TableName)
    return find(engine, copy, now, registry.state.updated(source.name.lower(), old.mutations))


def _comparable_types(engine: Engine, copy: DerivedObject) -> dict[str, str]:
    """The types of a copy's columns; raises where sums of hashes could not tell that it is the same as its table."""
    types = held_types(engine, copy)
    for name, kind in types.items():
        different(name, name, kind)
    return types
