"""Sorted copies: the columns that some templates need of a table, in an order that lets scans skip row groups."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.copies import Copy, CopyComponent
from sartor.components.sort_keys.apply import copy
from sartor.components.sort_keys.serve import alternatives, splices
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.sql.rewrite import Splice
from sartor.workload.workload import Workload


class SortKeys(CopyComponent):
    """The component of sorted copies."""

    name = "sort_keys"

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        from sartor.components.sort_keys.propose import propose

        return propose(workload, catalog)

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        from sartor.components.sort_keys.estimate import estimate

        return estimate(actions, workload, catalog, engine)

    def copy(self, action: Action) -> Copy:
        return copy(action)

    def splices(
        self,
        analysis: Analysis,
        replacement: Replacement,
        derived: DerivedObject,
        moved: frozenset[int],
        words: tuple[str, ...],
    ) -> Sequence[Splice]:
        return splices(analysis, replacement.reference, derived, moved)

    def suits(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject, words: tuple[str, ...]) -> bool:
        return True

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return alternatives(analysis, objects)


SORT_KEYS = SortKeys()
