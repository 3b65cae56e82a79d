"""Look-ups by a key from memory: columns of a table with a learned index over their key, for templates that are nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sartor.components.base import Component
from sartor.components.point_lookup.apply import build_query, hold, select
from sartor.components.point_lookup.serve import Plan, alternatives, plan
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.freshness.residual import appended_since
from sartor.workload.workload import Workload

if TYPE_CHECKING:
    import pyarrow as pa

    from sartor.components.point_lookup.content import Content


class PointLookups(Component):
    """The component of look-ups from memory: what is there is never changed, and no text reads it."""

    name = "point_lookup"

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        from sartor.components.point_lookup.propose import propose

        return propose(workload, catalog)

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        from sartor.components.point_lookup.estimate import estimate

        return estimate(actions, workload, catalog)

    def build_query(self, action: Action) -> OrderedQuery:
        return build_query(action)

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        return select(derived.action, appended_since(derived))

    def hold(self, action: Action, rows: pa.Table, before: Content | None) -> Content:
        return hold(action, rows, before)

    def plan(self, action: Action, analysis: Analysis, words: Sequence[str]) -> Plan | None:
        return plan(action, analysis.lookup, words) if analysis.lookup is not None else None

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return alternatives(analysis, objects)


POINT_LOOKUPS = PointLookups()
