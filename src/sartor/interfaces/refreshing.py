"""Bringing what was built up to date: tails appended, changes mended, what is distrusted verified, the rest built anew.

Each function takes the database first and uses Sartor's own connection under `engine_lock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from sartor.core.table import Column, FileScan
from sartor.freshness import stored
from sartor.freshness.facts import checked, is_fact, is_inclusion
from sartor.freshness.inclusions import checked_inclusion
from sartor.freshness.tails import is_deep, is_long
from sartor.freshness.usable import Use, use
from sartor.interfaces.writing import drop_objects, own_write, replace_object

if TYPE_CHECKING:
    from sartor.core.action import Action
    from sartor.core.derived import DerivedObject
    from sartor.freshness.changes import Changes
    from sartor.interfaces.database import Database


def refresh(database: Database, only: frozenset[int] | None = None, each: Callable[[int, float], None] | None = None) -> int:
    """Bring every object, or only these, up to date: append the tail, verify what is distrusted, mend or rebuild what was mutated.

    Args:
        each: told the identifier of each object that was worked on, and the seconds that it took.
    """
    from sartor.freshness.changes import forget

    worked = 0
    with database.engine_lock:
        if database.opened.read_only:
            return 0
        if not database.registry.state.open:
            database.look_for_unseen_writes()
        known: list[Changes] = []
        try:
            # Copies first, the widest before others: they tell what has changed.
            for derived in sorted(database.design.objects.values(), key=lambda one: -len(one.definition().get("columns", ()))):
                how = use(derived, database.registry.state)
                if how is Use.WHOLE or not (only is None or derived.identifier in only or _tells_of(derived, only, database)):
                    continue
                worked += 1
                started = time.perf_counter()
                _refresh_one(database, derived, how, known)
                if each is not None:
                    each(derived.identifier, time.perf_counter() - started)
                _sort_again(database, derived.identifier)
        finally:
            if known:
                with own_write(database):
                    forget(database.engine(), known)
        anchor_all(database)
    return worked


def purge(database: Database) -> int:
    """Drop every object that may still hold rows which its table no longer has; returns how many."""
    with database.engine_lock:
        database.predicates.forget()
        database.results.forget()
        database.told.forget()
        database.extents.forget()
        database.observer.take_in()  # what waits there holds literals, and what it was answered from
        let_go = purge_memory(database)
        stale = [d for d in database.design.objects.values() if not d.action.in_memory and use(d, database.registry.state) is Use.NO]
        if stale and not database.opened.read_only:
            with own_write(database):
                drop_objects(database, stale)
            for derived in stale:
                database.ledger.record("purge", str(derived.identifier), f"{derived.table} was dropped: its table changed")
        return let_go + len(stale)


def purge_memory(database: Database) -> int:
    """Let go of what is in memory and may hold rows that its table no longer has; returns how many objects that were."""
    from sartor.freshness.held import let_go

    held = [derived for derived in database.design.objects.values() if derived.content is not None]
    stale = [derived for derived in held if use(derived, database.registry.state) is Use.NO]
    for derived in stale:
        database.put_in_force(let_go(derived))
    return len(stale)


def anchor_all(database: Database) -> None:
    """Find the last rows covered anew where a checkpoint may have moved them, so that statements need not."""
    from sartor.freshness.refresh import anchor

    iteration = database.registry.iteration()
    for derived in list(database.design.objects.values()) if iteration >= 0 else ():
        if not derived.action.in_memory and any(not one.files and one.iteration != iteration for one in derived.coverages):
            with own_write(database):
                found = anchor(database.engine(), database.registry, derived)
                if found is not None:  # what it holds is the same, so that what was decided stands
                    design = database.design
                    database.publish(replace(design, objects={**design.objects, found.identifier: found}))


def _tells_of(fact: DerivedObject, only: frozenset[int], database: Database) -> bool:
    """Whether a fact tells of the join of two tables that one of these objects is of, which is of little use without it."""
    objects = (database.design.objects.get(identifier) for identifier in only)
    return is_inclusion(fact) and any(one is not None and fact.action.tables <= one.action.tables for one in objects)


def _refresh_one(database: Database, derived: DerivedObject, how: Use, known: list[Changes]) -> None:
    from sartor.components import holding
    from sartor.freshness.held import refreshed
    from sartor.freshness.refresh import Overtaken

    if derived.action.in_memory and _has_its_sources(database, derived.action):
        with suppress(Overtaken):
            database.put_in_force(refreshed(database.engine(), database.registry, holding(derived.action.component), derived))
        return
    with own_write(database):
        try:
            fresh = _brought_up(database, derived, how, known)
        except Overtaken:
            return
        except duckdb.Error as error:
            line = f"{derived.table} was dropped: it can not be built any more ({error})"
            database.ledger.record("purge", str(derived.identifier), line)
            fresh = None
        if fresh is None:
            drop_objects(database, [derived])
        else:
            replace_object(database, fresh)
            if fresh.generation != derived.generation:
                stored.drop(database.engine(), [derived])


def _sort_again(database: Database, identifier: int) -> None:
    """Build a copy anew whose tail has become long. What stands is right meanwhile, and stays if that fails."""
    from sartor.components import component
    from sartor.components.copies import CopyComponent
    from sartor.freshness.refresh import Overtaken, build

    derived = database.design.objects.get(identifier)
    if derived is None or is_fact(derived) or derived.action.in_memory or not is_long(derived.coverage):
        return
    kind = component(derived.action.component)
    columns = kind.copy(derived.action).narrow if isinstance(kind, CopyComponent) else ()
    if not columns or use(derived, database.registry.state) is Use.NO or not is_deep(database.engine(), derived, columns):
        return
    with own_write(database):
        try:
            fresh = build(
                database.engine(), database.registry, kind.build_query, derived.action, derived.identifier, derived.generation + 1
            )
        except (Overtaken, duckdb.Error) as error:
            database.ledger.record(
                "refresh", str(identifier), f"{derived.table} could not be sorted again: {error or 'a write came between'}"
            )
            return
        replace_object(database, fresh)
        stored.drop(database.engine(), [derived])
    told = f"{fresh.table} was sorted again in {fresh.build_seconds:.2f} s, {derived.coverage.unsorted:,} rows stood behind"
    database.ledger.record("refresh", str(identifier), told)


def _brought_up(database: Database, derived: DerivedObject, how: Use, known: list[Changes]) -> DerivedObject | None:
    """The object under what its sources hold now; None if it has to be dropped.

    Args:
        known: changes of tables found so far; those found by this object are added.
    """
    from sartor.components import component
    from sartor.freshness.mend import mend
    from sartor.freshness.refresh import anchor, append_tail, build, verify

    engine, registry = database.engine(), database.registry
    if is_fact(derived):
        if not _has_its_sources(database, derived.action):
            return None
        fact = (checked_inclusion if is_inclusion(derived) else checked)(engine, registry, derived)
        if fact is not None:
            with engine.transaction():
                stored.save(engine, fact)
        return fact
    kind = component(derived.action.component)
    if how is Use.RESIDUAL:
        return append_tail(engine, registry, kind.tail_query, anchor(engine, registry, derived) or derived)
    if registry.state.distrusted or any(coverage.mutations == stored.UNKNOWN for coverage in derived.coverages):
        verified = verify(engine, registry, derived)
        if verified is not None:
            return verified
    if not _has_its_sources(database, derived.action):
        return None
    started = time.perf_counter()
    infos = [database.catalog().info(source) for source in derived.action.sources]
    if not any(info is not None and info.has_generated for info in infos):
        try:
            mended = mend(engine, registry, kind.mend, derived, known)
        except duckdb.Error as error:
            database.ledger.record("refresh", str(derived.identifier), f"{derived.table} could not be mended: {error}")
            mended = None
        if mended is not None:
            fresh, found = mended
            known += [found] if found is not None else []
            spent = time.perf_counter() - started
            database.ledger.record("refresh", str(derived.identifier), f"{fresh.table} was mended in {spent:.2f} s")
            return fresh
    started = time.perf_counter()
    fresh = build(engine, registry, kind.build_query, derived.action, derived.identifier, derived.generation + 1)
    database.ledger.record("refresh", str(derived.identifier), f"{fresh.table} was rebuilt in {time.perf_counter() - started:.2f} s")
    return fresh


def _has_its_sources(database: Database, action: Action) -> bool:
    """Whether all tables and files that an object derives from are there, with the columns that it rests on."""
    for source, schema in zip(action.sources, action.schemas, strict=True):
        if isinstance(source, FileScan):
            info = database.engine().scan(source)
            if info is None or info.columns != tuple(Column(*column) for column in schema):
                return False
        else:
            info = database.catalog().info(source)
            if info is None:
                return False
            types = {column.name: column.type for column in info.columns}
            if any(types.get(name) != kind for name, kind in schema):
                return False
    return True
