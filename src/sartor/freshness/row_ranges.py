"""Ranges of row ids in memory, outside of which no row of a table passes a condition: found by one SELECT, which is one snapshot.

They hold for as long as no covered row has changed or moved. Rows appended to the table have higher row ids than all that are
covered, and those of an open transaction still higher ones, so whoever asks takes everything behind the high water too. Where the
table had lost rows, a checkpoint may move those that are left: then the ranges hold for one iteration of the file's header only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sartor.core.action import Action
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.refresh import Overtaken, coverage_of
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.usable import Use, use

_Told = Callable[[Any], tuple[int, int, Any]]


def find(engine: Engine, registry: Registry, action: Action, query: str, values: Sequence[Any], told: _Told) -> DerivedObject:
    """What is remembered of one table, stamped with the counts of its own snapshot.

    Args:
        action: its other sources are tables that have to stay as they are altogether.
        told: makes of the rows of the query, an Arrow table, how many rows the table has, its last row id (-1: none) and the content.

    Raises:
        Overtaken: one of its tables was written in a way that what was found may not hold for.
    """
    from sartor.freshness.held import read  # what it imports is heavy, and the query's way needs the rest of this module

    names = [source.name.lower() for source in action.sources if isinstance(source, TableName)]
    iteration = registry.iteration()
    rows, before, after = read(engine, registry, names, query, values)
    count, last, content = told(rows)
    own, *others = (coverage_of(name, (0, None, -1), before, after) for name in names)
    if any(one.appends == stored.UNKNOWN for one in others):
        raise Overtaken
    own = replace(own, rows=count, high_water=last, dense=last + 1 == count)
    if not own.dense:
        if iteration < 0 or before.open or after.open or registry.iteration() != iteration:
            raise Overtaken
        own = replace(own, iteration=iteration)
    return DerivedObject(0, 1, action, own, others=tuple(others), content=content)


def hold(derived: DerivedObject, state: RegistryState) -> bool:
    """Whether ranges hold as far as counts of writes tell: to be asked before the text is sent, and when its snapshot has begun."""
    return use(derived, state) is not Use.NO


def iteration_of(derived: DerivedObject) -> int | None:
    """The iteration of the header that ranges hold for; None if their rows can not move."""
    return None if derived.coverage.dense else derived.coverage.iteration
