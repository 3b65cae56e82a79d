"""Which copies tell how tables have changed: what was made of the same rows is then mended, and else built anew (decision 010)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sartor.core.action import Action
from sartor.core.constants import PAYBACK_REPEATS, REBUILDS_COUNTED
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.freshness.facts import is_fact
from sartor.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Wanted:
    """The changes of one table, as something made of it needs them.

    Attributes:
        columns: in lower case, those that a copy has to hold; None if no copy can help.
    """

    source: TableName
    columns: frozenset[str] | None

    def is_told_by(self, action: Action) -> bool:
        """Whether what an action builds tells these changes."""
        if self.columns is None or not action.is_copy or action.source != self.source:
            return False
        return self.columns <= {name.lower() for name in action.columns(0)}


def changes(action: Action, workload: Workload) -> float:
    """How many changes of its tables are expected, appended rows aside, each of which ends in a refresh."""
    changed = sum(workload.mutations.get(name, 0) for name in action.table_names)
    return min(changed, REBUILDS_COUNTED.default) * PAYBACK_REPEATS.default


def wanted(action: Action, workload: Workload) -> list[Wanted]:
    """The changes that what an action builds has to be told to be mended; a copy finds its own, and nothing in memory is mended."""
    if action.is_copy or action.in_memory:
        return []
    return [
        Wanted(source, None if place in action.strict else frozenset(name.lower() for name in action.columns(place)))
        for place, source in enumerate(action.sources)
        if isinstance(source, TableName) and workload.mutations.get(source.name.lower())
    ]


def telling(used: Iterable[int], objects: Mapping[int, DerivedObject], workload: Workload) -> frozenset[int]:
    """The objects to keep beside those used, for they alone tell what these want: the smallest ones that do."""
    kept = set(used)
    found = set()
    for identifier in sorted(kept):
        for one in () if is_fact(objects[identifier]) else wanted(objects[identifier].action, workload):
            able = [derived for derived in objects.values() if one.is_told_by(derived.action)]
            if able and not any(derived.identifier in kept for derived in able):
                found.add(min(able, key=lambda derived: (derived.bytes_stored, derived.identifier)).identifier)
    return frozenset(found)
