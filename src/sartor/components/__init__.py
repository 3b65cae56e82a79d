"""The components, one folder each. To add one: a folder, an entry here, a page in docs/components/."""

from __future__ import annotations

from sartor.components.base import Component
from sartor.components.sort_keys import SORT_KEYS
from sartor.components.views import VIEWS

COMPONENTS: tuple[Component, ...] = (VIEWS, SORT_KEYS)
"""Those first whose prediction goes first where a template was never tried."""


def component(name: str) -> Component:
    """The component of this name; KeyError if there is none."""
    return {item.name: item for item in COMPONENTS}[name]
