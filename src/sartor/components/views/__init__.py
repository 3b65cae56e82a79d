"""Materialized views: the groups of joins that some templates ask for, kept as states that coarser groups are put together from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sartor.components.base import Component
from sartor.components.views.apply import appended_query, build_query, tail_query
from sartor.components.views.serve import alternatives, rests, splices, suits
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog, Inclusion
from sartor.core.view import VIEWS as NAME
from sartor.engines.base import Engine
from sartor.freshness.changes import Change
from sartor.sql.matching.found import Rest
from sartor.sql.rewrite import Splice
from sartor.workload.workload import Workload


class Views(Component):
    """The component of materialized views."""

    name = NAME

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        from sartor.components.views.propose import propose

        return propose(workload, catalog)

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        from sartor.components.views.estimate import estimate

        return estimate(actions, workload, catalog, engine)

    def build_query(self, action: Action) -> OrderedQuery:
        return build_query(action)

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        return tail_query(derived, moved)

    def appended_query(self, derived: DerivedObject, moved: frozenset[int]) -> str | None:
        return appended_query(derived, moved)

    def mend(self, engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
        from sartor.components.views.mend import mend

        return mend(engine, derived, changes)

    def splices(
        self,
        analysis: Analysis,
        replacement: Replacement,
        derived: DerivedObject,
        moved: frozenset[int],
        words: tuple[str, ...],
    ) -> Sequence[Splice] | None:
        return splices(analysis, replacement.reference, derived, moved, words)

    def suits(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject, words: tuple[str, ...]) -> bool:
        return suits(analysis, replacement.reference, derived, words)

    def rests(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject) -> Sequence[Rest]:
        return rests(analysis, replacement.reference, derived)

    def wants(self, workload: Workload, catalog: Catalog, objects: Sequence[DerivedObject]) -> Mapping[Inclusion, float]:
        from sartor.components.views.wanted import wanted

        return wanted(workload, catalog, objects)

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Iterator[Alternative]:
        return alternatives(analysis, objects)


VIEWS = Views()
