"""Auxiliary copies: rows as they were, so that what deletes and updates did to them can be carried into views."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.auxiliary_copies.apply import copy
from sartor.components.auxiliary_copies.serve import alternatives
from sartor.components.copies import Copy, CopyComponent
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.workload.workload import Workload


class AuxiliaryCopies(CopyComponent):
    """The component of copies that answer nothing."""

    name = "auxiliary_copies"
    answers = False

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        from sartor.components.auxiliary_copies.propose import propose

        return propose(workload, catalog)

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        from sartor.components.auxiliary_copies.estimate import estimate

        return estimate(actions, catalog)

    def copy(self, action: Action) -> Copy:
        return copy(action)

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return alternatives(analysis, objects)


AUXILIARY_COPIES = AuxiliaryCopies()
