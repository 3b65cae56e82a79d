"""What is remembered of a restriction: ranges of row ids of one table outside of which it let no row through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sartor.core.action import Action
from sartor.core.constants import PREDICATE_RANGES, VECTOR_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.ordered import OrderedQuery
from sartor.core.table import TableName
from sartor.engines.base import Engine
from sartor.freshness.registry import Registry
from sartor.freshness.row_ranges import find

if TYPE_CHECKING:
    import pyarrow as pa

Ranges = tuple[tuple[int, int], ...]
"""First and last row id of each range, both included, in rising order; no two touch."""


def remembered(source: TableName, alias: str, restriction: str, others: tuple[TableName, ...]) -> Action:
    """The action that remembers which rows of a table a restriction lets through.

    Args:
        alias: the name of the table in it.
        restriction: FROM and WHERE, with `?` for each value that comes with a statement.
        others: the tables besides that it reads. Whatever is appended to one of them may let any row through.
    """
    definition = (("alias", alias), ("restriction", restriction), ("in_memory", True))
    return Action("predicate_cache", source, definition, others=others, strict=frozenset(range(1, len(others) + 1)))


def build_query(action: Action) -> OrderedQuery:
    """One row for each vector of row ids in which rows came through, and one for the table: -1, its rows, its last row id.

    A single SELECT, and so of a single snapshot.
    """
    passing = f"SELECT {action.get('alias')}.rowid AS number {action.get('restriction')}"
    vector = f"number // {int(VECTOR_ROWS.default)}"
    return OrderedQuery(
        f"SELECT {vector} AS vector, min(number) AS first, max(number) AS last FROM ({passing}) WHERE number IS NOT NULL GROUP BY 1 "
        f"UNION ALL SELECT -1, count(*), coalesce(max(rowid), -1) FROM {action.source}"
    )


def remember(engine: Engine, registry: Registry, action: Action, values: tuple[Any, ...]) -> DerivedObject:
    """Ask which rows come through, and hold the ranges of their row ids.

    Args:
        values: for each `?` of the restriction.

    Raises:
        Overtaken: one of its tables was written meanwhile in a way that the ranges may not hold for.
        duckdb.Error: the restriction can not be run alone.
    """

    def told(rows: pa.Table) -> tuple[int, int, Ranges]:
        vectors, first, last = (column.to_numpy() for column in rows.columns)
        own = vectors < 0
        return int(first[own][0]), int(last[own][0]), ranges(first[~own], last[~own])

    return find(engine, registry, action, build_query(action).sql, values, told)


def ranges(first: Any, last: Any, most: int = int(PREDICATE_RANGES.default), least_gap: int = int(VECTOR_ROWS.default)) -> Ranges:
    """At most so many ranges that cover all of these, which do not overlap: the widest gaps between them are left out.

    Args:
        least_gap: rows of the smallest gap that is left out; within a vector nothing is spared.

    >>> ranges(np.array([70, 0, 20]), np.array([80, 10, 30]), 2, 1)
    ((0, 30), (70, 80))
    """
    if not len(first):
        return ()
    order = np.argsort(first)
    first, last = first[order], last[order]
    gaps = first[1:] - last[:-1] - 1
    widest = np.argsort(-gaps, kind="stable")[: most - 1]
    cuts = np.sort(widest[gaps[widest] >= least_gap])
    starts, ends = np.concatenate([[0], cuts + 1]), np.concatenate([cuts, [len(first) - 1]])
    return tuple((int(first[start]), int(last[end])) for start, end in zip(starts, ends, strict=True))
