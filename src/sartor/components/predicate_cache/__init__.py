"""The predicate cache: ranges of row ids that a repeated restriction let rows through in, so that the next scan leaves the rest out.

It proposes nothing to the tuner: what it remembers costs no storage and nothing to build, so it comes by itself once a statement is
asked again (`sartor.interfaces.predicates`), and goes when it is least worth its memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.base import Component
from sartor.components.predicate_cache.apply import build_query
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.workload.workload import Workload


class PredicateCache(Component):
    """The component of what is remembered of restrictions, as the tuner sees it: there is nothing to choose."""

    name = "predicate_cache"

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        return ()

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        return ()

    def build_query(self, action: Action) -> OrderedQuery:
        return build_query(action)

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        """Rows that came behind are always read: what is remembered is found anew, never extended."""
        return build_query(derived.action).sql

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return ()


PREDICATE_CACHE = PredicateCache()
