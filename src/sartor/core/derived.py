"""A derived object: something that Sartor built from tables and may answer from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sartor.core.action import Action

SCHEMA = "sartor"  # the schema, inside the user's own database file, that holds everything Sartor builds
STATE_TABLE = "state"  # for each derived object one row for each of its sources: what its content covers
ORDER_COLUMN = "sartor_row"  # in each copy: the base table's row id when the row was copied
HIDDEN_COLUMN = "sartor_key_"  # begins the names of columns that a copy is ordered by and that its table does not have


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the content of a derived object covers of one of its sources, all of it from one snapshot.

    Attributes:
        high_water: the largest row id covered, -1 if none.
        rows: the rows covered, by count(*) in that same snapshot.
        dense: `high_water + 1 == rows`: no row was ever lost, so these row ids can not move.
        appends: the registry's append count of the base table at that snapshot.
        mutations: the registry's mutation count of the base table at that snapshot.
        files: for file scans, what identifies the files (path, size, mtime_ns, inode of each); else empty.
        iteration: `Registry.iteration` when `high_water` was taken; while it is the same, no row id has moved since. Not stored;
            -1 if it is not known.
        rough: the registry's count of mutations that are neither deletes nor updates of known columns, at that snapshot.
        numbered: of copies, the iteration under which the numbers stored beside the rows are the row ids; -1 if they are not.
        row_ids: the sum of the row ids covered: as rows only move down, the same sum proves that none has moved.
        unsorted: rows that were put behind the sorted ones since it was built.
        told: the text may name the high water itself, for it is only used if this is still what is covered.
    """

    high_water: int
    rows: int
    dense: bool
    appends: int = 0
    mutations: int = 0
    files: tuple[tuple[str, int, int, int], ...] = ()
    iteration: int = -1
    rough: int = 0
    numbered: int = -1
    row_ids: int = -1
    unsorted: int = 0
    told: bool = False


@dataclass(frozen=True, slots=True)
class DerivedObject:
    """A derived object as the state table stores it.

    Attributes:
        identifier: its number, never used again.
        generation: moves with each rebuild; a rebuild makes a new table, and the old one stays until no transaction
            can name it. Appending a tail keeps the generation: statements read `high_water` from the state table in
            their own snapshot.
        action: what it was built from.
        coverage: of the action's source.
        bytes_stored: what it takes in the file.
        build_seconds: what building it took.
        others: coverages of the action's other sources, in their order, from the same snapshot.
        content: of what is kept in memory, all that it holds, never changed; None until this process has built it.
        appended: a SELECT that tells what the rows appended since add to it, empty if they add nothing; None where the tables have to
            be asked. Never stored.

    Raises:
        ValueError: not one coverage for each source; what is not covered could not be told to be current.
    """

    identifier: int
    generation: int
    action: Action
    coverage: Coverage
    bytes_stored: int = 0
    build_seconds: float = 0.0
    others: tuple[Coverage, ...] = ()
    content: Any = field(default=None, compare=False, repr=False)
    appended: str | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if len(self.others) != len(self.action.others):
            raise ValueError(f"{len(self.others) + 1} coverages for {len(self.action.others) + 1} sources; give one for each")

    @property
    def coverages(self) -> tuple[Coverage, ...]:
        """What it covers of each source, in the order of their places."""
        return (self.coverage, *self.others)

    @property
    def table(self) -> str:
        """The name of its table inside the schema `sartor`."""
        return f"{self.action.component}_{self.identifier}_{self.generation}"

    def definition(self) -> dict[str, Any]:
        return dict(self.action.definition)

    def covering(self, coverage: Coverage, *others: Coverage) -> DerivedObject:
        return replace(self, coverage=coverage, others=others)
