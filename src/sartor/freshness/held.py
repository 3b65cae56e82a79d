"""What is held in the memory of this process: read by one SELECT, which is one snapshot, and stamped with its counts.

No table stands behind it and no transaction is begun, so nothing is written; it is used only while it covers every row (`Use.WHOLE`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN, Coverage, DerivedObject
from sartor.core.ordered import OrderedQuery
from sartor.core.table import TableName
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.refresh import Overtaken, coverage_of
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.usable import Use, told, use


class Holder(Protocol):
    """The part of a component that holds what it derives in memory."""

    def build_query(self, action: Action) -> OrderedQuery: ...

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str: ...

    def hold(self, action: Action, rows: Any, before: Any) -> Any:
        """The content of an Arrow table of rows; with `before` that content with these rows behind it. Neither is changed."""
        ...


def hold(
    engine: Engine, registry: Registry, holder: Holder, action: Action, identifier: int, generation: int = 1, spent: float = 0.0
) -> DerivedObject:
    """Read all rows and hold them.

    Args:
        spent: what was spent before for the same.

    Raises:
        Overtaken: a mutation of the table was under way, or rows did not come in their order.
    """
    nothing = DerivedObject(identifier, generation, action, Coverage(-1, 0, True))
    return _with(engine, registry, holder, nothing, holder.build_query(action).sql, spent)


def refreshed(engine: Engine, registry: Registry, holder: Holder, derived: DerivedObject) -> DerivedObject:
    """The same object for the table as it is now: with the rows that came behind, where only such came, else read anew.

    Raises:
        Overtaken: a mutation of the table was under way, or rows did not come in their order.
    """
    only_appended = derived.content is not None and derived.coverage.dense and use(derived, registry.state) is Use.RESIDUAL
    if only_appended:
        return _with(engine, registry, holder, derived, holder.tail_query(told(derived), frozenset({0})), derived.build_seconds)
    return hold(engine, registry, holder, derived.action, derived.identifier, derived.generation)


def read(
    engine: Engine, registry: Registry, names: Sequence[str], query: str, values: Sequence[Any] = ()
) -> tuple[Any, RegistryState, RegistryState]:
    """The rows of one SELECT as an Arrow table, with the registry before it was sent and after its snapshot had begun.

    Args:
        names: of the tables that it reads, lower-case.

    Raises:
        Overtaken: a mutation of one of them was under way.
    """
    before = registry.state
    if any(before.mutating(name) for name in names):
        raise Overtaken
    rows = engine.run(query, values or None).table
    after = registry.state
    if any(after.mutating(name) or after.mutations(name) != before.mutations(name) for name in names):
        raise Overtaken
    return rows, before, after


def let_go(derived: DerivedObject) -> DerivedObject:
    """The same object without what it held."""
    return replace(stored.trusted(derived, stored.UNKNOWN, stored.UNKNOWN), content=None)


def _with(engine: Engine, registry: Registry, holder: Holder, derived: DerivedObject, query: str, spent: float) -> DerivedObject:
    """The object with the rows of a query behind those that it holds."""
    started = perf_counter()
    assert isinstance(derived.action.source, TableName)
    name = derived.action.source.name.lower()
    covered = derived.coverage
    extends = derived.content is not None
    rows, before, after = read(engine, registry, [name], query)
    if extends and before.mutations(name) != covered.mutations:
        raise Overtaken
    numbers = rows.column(ORDER_COLUMN).to_numpy()
    if not bool(np.all(numbers[1:] > numbers[:-1])):
        raise Overtaken
    count, last = covered.rows + len(numbers), int(numbers[-1]) if len(numbers) else covered.high_water
    coverage = coverage_of(name, (count, last if last >= 0 else None, -1), before, after)
    content = holder.hold(derived.action, rows, derived.content) if len(numbers) or not extends else derived.content
    found = replace(derived, coverage=coverage, content=content, bytes_stored=content.nbytes)
    return replace(found, build_seconds=spent if extends else spent + perf_counter() - started)
