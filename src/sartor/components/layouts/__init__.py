"""Layouts: copies in an order that no column has, learned from what is asked of a table (decision 017)."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.copies import Copy, CopyComponent
from sartor.components.layouts.apply import copy
from sartor.components.layouts.cells import is_cells
from sartor.components.layouts.serve import alternatives, splices
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.sql.rewrite import Splice
from sartor.workload.workload import Workload


class Layouts(CopyComponent):
    """The component of layouts."""

    name = "layouts"
    answers_untried = False  # without its columns' own order a template may read more: three times slower was measured

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        from sartor.components.layouts.propose import propose

        return propose(workload, catalog)

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        from sartor.components.layouts.estimate import estimate

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
    ) -> Sequence[Splice] | None:
        return splices(analysis, replacement.reference, derived, moved, words)

    def suits(self, analysis: Analysis, replacement: Replacement, derived: DerivedObject, words: tuple[str, ...]) -> bool:
        return is_cells(derived.action)

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return alternatives(analysis, objects)


LAYOUTS = Layouts()
