"""The components, one folder each. To add one: a folder, an entry here, a page in docs/components/."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.components.auxiliary_copies import AUXILIARY_COPIES
from sartor.components.base import Component, Holding
from sartor.components.layouts import LAYOUTS
from sartor.components.point_lookup import POINT_LOOKUPS
from sartor.components.predicate_cache import PREDICATE_CACHE
from sartor.components.sort_keys import SORT_KEYS
from sartor.components.views import VIEWS
from sartor.core.analysis import Analysis
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative

COMPONENTS: tuple[Component, ...] = (VIEWS, POINT_LOOKUPS, SORT_KEYS, LAYOUTS, PREDICATE_CACHE, AUXILIARY_COPIES)
"""Those first whose prediction goes first where a template was never tried."""


def component(name: str) -> Component:
    """The component of this name; KeyError if there is none."""
    return {item.name: item for item in COMPONENTS}[name]


def predicted(analysis: Analysis, objects: Sequence[DerivedObject]) -> Alternative:
    """How a statement is answered that was never tried: the first way that is expected to be sooner; empty if there is none."""
    asked = (item for item in COMPONENTS if item.answers_untried)
    return next((option for item in asked for option in item.alternatives(analysis, objects)), ())


def holding(name: str) -> Holding:
    """The component of this name, whose objects are in memory; KeyError if there is none."""
    found = component(name)
    if not isinstance(found, Holding):
        raise KeyError(name)
    return found
