"""Inclusions that nobody declared, verified on the data: that each row of a table has exactly one row of another.

Such a fact is about the rows that it covers of both tables. While neither is changed but by appends they are there and are equal in
the same way, so it goes on to tell of them, whatever was appended; of rows behind them it tells nothing (decision 022).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import duckdb

from sartor.core.action import Action
from sartor.core.constants import KEY_FIRST_ROWS
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import Catalog, Inclusion, TableInfo, TableName, quote
from sartor.engines.base import Engine
from sartor.freshness.facts import INCLUSION, is_inclusion, is_unique, known_up_to
from sartor.freshness.refresh import coverage_now
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.usable import Use, use

if TYPE_CHECKING:
    from sartor.sql.matching.found import Rest


def verified_inclusions(objects: Iterable[DerivedObject]) -> Iterator[Inclusion]:
    """The inclusions that are facts, with their identifiers."""
    for derived in objects:
        if is_inclusion(derived):
            yield inclusion_of(derived)


def inclusion_of(fact: DerivedObject) -> Inclusion:
    """The inclusion that a fact states."""
    child, parent = fact.action.sources[0], fact.action.sources[-1]
    assert isinstance(child, TableName)
    assert isinstance(parent, TableName)
    named = zip(fact.action.get("key"), fact.action.get("parent_key"), strict=True)
    pairs = sorted((column.lower(), key.lower()) for column, key in named)
    return Inclusion(child, parent, tuple(pairs), fact.identifier)


def find_inclusion(engine: Engine, registry: Registry, wanted: Inclusion, catalog: Catalog, identifier: int) -> DerivedObject | None:
    """The fact that an inclusion holds for the tables as they are now; None if it does not, or can not be told.

    Raises:
        Overtaken: a mutation of one of the tables was under way.
    """
    child, parent = catalog.info(wanted.child), catalog.info(wanted.parent)
    if child is None or parent is None:
        return None
    action = _action(child, parent, wanted.pairs)
    if action is None or not _holds_at_first(engine, action):
        return None
    nothing = Coverage(-1, 0, True)
    return checked_inclusion(engine, registry, DerivedObject(identifier, 1, action, nothing, others=(nothing,) * len(action.others)))


def checked_inclusion(engine: Engine, registry: Registry, fact: DerivedObject) -> DerivedObject | None:
    """The same fact for the tables as they are now; None if it does not hold any more.

    Where they only grew no more than what came since is looked at.

    Raises:
        Overtaken: a mutation of one of the tables was under way.
    """
    started = perf_counter()
    columns, keys = fact.action.get("key"), fact.action.get("parent_key")
    with engine.transaction():
        now = coverage_now(engine, registry, fact.action, fact)
        last = [known_up_to(old, new) for old, new in zip(fact.coverages, now, strict=True)]
        holds = is_unique(engine, str(fact.action.sources[-1]), [quote(key) for key in keys], last[-1])
        # Where the parent's rows are others, those of the child that were found may not be found any more.
        holds = holds and not _orphans(engine, fact.action, columns, keys, last[0] if last[-1] >= 0 else -1)
    spent = fact.build_seconds + perf_counter() - started
    return replace(fact.covering(*now), build_seconds=spent) if holds else None


def is_lossless(fact: DerivedObject | None, rest: Rest, derived: DerivedObject, state: RegistryState) -> bool:
    """Whether, by a fact, each of the child's rows that an object covers had exactly one among those that it covers of the parent.

    What was appended since is of no account. The rows covered of a table are the first ones as long as it was not mutated otherwise,
    which is asked of both; so those of the object are among those of the fact, and the parent's are the same.
    """
    if fact is None or not is_inclusion(fact) or use(fact, state) is Use.NO or use(derived, state) is Use.NO:
        return False
    child, parent = derived.coverages[rest.child], derived.coverages[rest.parent]
    return fact.coverages[0].rows >= child.rows and fact.coverages[-1].rows == parent.rows


def _action(child: TableInfo, parent: TableInfo, pairs: Iterable[tuple[str, str]]) -> Action | None:
    """The action of a fact; None where equal values need not be the same, or rows may change unseen."""
    from sartor.sql.matching.placed import VALUES

    if any(info.has_rowid_column or info.has_generated or info.has_triggers for info in (child, parent)):
        return None
    found = [(child.column(column), parent.column(key)) for column, key in pairs]
    for column, key in found:
        if column is None or key is None or column.type != key.type or column.collated or key.collated:
            return None
        if column.type.partition("(")[0] not in VALUES:
            return None
    columns = [column for column, _ in found if column is not None]
    keys = [key for _, key in found if key is not None]
    schemas = (tuple((one.name, one.type) for one in columns), tuple((one.name, one.type) for one in keys))
    names = (("key", tuple(one.name for one in columns)), ("parent_key", tuple(one.name for one in keys)))
    if child.source == parent.source:
        return Action(INCLUSION, child.source, (*names, ("schemas", (tuple(dict.fromkeys((*schemas[0], *schemas[1]))),))))
    return Action(INCLUSION, child.source, (*names, ("schemas", schemas)), others=(parent.source,))


def _holds_at_first(engine: Engine, action: Action) -> bool:
    """Whether it holds for the child's first rows: most of what does not is found out by them."""
    first = f"(SELECT * FROM {action.source} LIMIT {int(KEY_FIRST_ROWS.default)})"
    try:
        return not engine.rows(_missing(first, action, action.get("key"), action.get("parent_key"), ""))
    except duckdb.Error:
        return False


def _orphans(engine: Engine, action: Action, columns: Iterable[str], keys: Iterable[str], last: int) -> bool:
    """Whether some row of the child behind a row id has none of the parent; NULL equals nothing."""
    behind = f"child.rowid > {last} AND " if last >= 0 else ""
    return bool(engine.rows(_missing(str(action.source), action, columns, keys, behind)))


def _missing(child: str, action: Action, columns: Iterable[str], keys: Iterable[str], condition: str) -> str:
    equal = " AND ".join(f"parent.{quote(key)} = child.{quote(column)}" for column, key in zip(columns, keys, strict=True))
    found = f"EXISTS (SELECT 1 FROM {action.sources[-1]} AS parent WHERE {equal})"
    return f"SELECT 1 FROM {child} AS child WHERE {condition}NOT {found} LIMIT 1"
