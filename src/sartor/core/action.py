"""What a component may do to a database, and what it has built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sartor.core.evidence import Evidence
from sartor.core.table import Source


@dataclass(frozen=True, slots=True)
class Action:
    """One change that a component proposes; its inverse is to drop what it built.

    Attributes:
        component: the name of the component that proposed it.
        source: the table or files that it derives from.
        definition: what to build, as JSON-able values that the component alone reads
            (for sort_keys: columns and key, each a tuple of names).
        templates: digests of the templates that it was proposed for.
    """

    component: str
    source: Source
    definition: tuple[tuple[str, Any], ...]
    templates: frozenset[str] = frozenset()

    def get(self, name: str) -> Any:
        """The value that the definition holds under this name; KeyError if none."""
        return dict(self.definition)[name]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an action is expected to bring and to cost, before it is done.

    Attributes:
        seconds_saved: per template digest, seconds saved on each execution.
        build_seconds: time to build it.
        bytes_stored: storage that it takes.
        upkeep_seconds_per_row: time to carry one appended row into it.
    """

    action: Action
    seconds_saved: dict[str, Evidence]
    build_seconds: Evidence
    bytes_stored: Evidence
    upkeep_seconds_per_row: Evidence
