"""Inclusions that would let templates be answered from views with a table more, if they held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sartor.components.views.apply import definition
from sartor.components.views.propose import by_joins, view_over
from sartor.components.views.serve import answering
from sartor.core.block import QueryBlock
from sartor.core.constants import INCLUSION_SHARE
from sartor.core.derived import DerivedObject
from sartor.core.table import Catalog, Inclusion
from sartor.core.view import VIEWS, ViewDefinition
from sartor.sql.matching.lossless import lacking
from sartor.workload.workload import Workload


def wanted(workload: Workload, catalog: Catalog, objects: Sequence[DerivedObject]) -> Mapping[Inclusion, float]:
    """Each inclusion with the seconds of the templates that one of these views could answer, or one over a join that others ask for.

    Of the latter a share counts: without it they would be answered too, by views of their own, which have to be built.
    Not all pairs of tables that could be included in each other: only those of joins that a block reads a part of.

    Args:
        workload: the templates that nothing answers yet.
    """
    stand = [definition(derived.action) for derived in objects if derived.action.component == VIEWS]
    joins = [asked[0].block for asked in by_joins(workload).values()]
    found: dict[Inclusion, float] = defaultdict(float)
    for template in workload.reads():
        at_once: set[Inclusion] = set()
        shared: set[Inclusion] = set()
        for block in template.analysis.blocks if template.analysis is not None else ():
            at_once |= _of(block, (view for view in stand if set(block.inner) < set(view.inner)))
            shared |= _of(block, (view for join in joins if (view := view_over(block, join, catalog)) is not None))
        for inclusion in at_once | shared:
            found[inclusion] += template.total_seconds * (1.0 if inclusion in at_once else INCLUSION_SHARE.default)
    return found


def _of(block: QueryBlock, views: Iterable[ViewDefinition]) -> set[Inclusion]:
    """The inclusions that are lacking for a block to be answered from one of some views over a wider join, and are all that is."""
    found: set[Inclusion] = set()
    for view in views:
        inclusions = lacking(block, view)
        supposed = frozenset(replace(one, fact=1) for one in inclusions)
        if inclusions and answering(replace(block, inclusions=block.inclusions | supposed), view) is not None:
            found |= inclusions
    return found
