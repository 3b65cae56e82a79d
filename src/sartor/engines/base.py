"""The seam to what executes SQL: Sartor's own way into a database, never the user's connection.

Drawn with a distributed engine in mind: a capability that an engine lacks is a flag here, not a special case elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog, FileScan, TableInfo

if TYPE_CHECKING:
    import pyarrow

Parameters = Sequence[Any] | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do.

    Attributes:
        row_identifiers: rows have an id that follows the order of commits, so that appended rows can be told.
        transactional_definitions: CREATE and DROP roll back with the transaction.
        profiles: a run can tell how many row groups each scan read.
    """

    row_identifiers: bool
    transactional_definitions: bool
    profiles: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """A statement run to its end.

    Attributes:
        names, types: of the result's columns, as the engine spells them.
        table: the rows as an Arrow table.
        seconds: from sending the text to having all rows.
    """

    names: tuple[str, ...]
    types: tuple[str, ...]
    table: pyarrow.Table
    seconds: float


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a profile.

    Attributes:
        table: the name that the engine gives, without quotes; empty if it gives none.
        row_groups_read, row_groups: how many of the table's row groups were read, of how many; -1 if unknown.
    """

    table: str
    rows: int
    seconds: float
    row_groups_read: int
    row_groups: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a run was like inside: its seconds, its operators in the order of the plan, and its scans."""

    seconds: float
    operators: tuple[tuple[str, float, int], ...]
    scans: tuple[Scan, ...]


class Engine(Protocol):
    """Sartor's own way into a database; used by one thread at a time. A statement that `interrupt` stops raises KeyboardInterrupt."""

    @property
    def database(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        """Run a statement to its end and forget its rows."""
        ...

    def create(self, relation: str, query: OrderedQuery) -> None:
        """Make a table of a query's rows in their order, in the current transaction.

        Names and types of its columns are those of the SELECT, whatever way the engine takes to bring the rows into order.

        Args:
            relation: the table's name with database and schema, quoted.
        """
        ...

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        """All rows of a statement as Python values."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """One transaction: committed at the end of the block, rolled back if the block raises."""
        ...

    def catalog(self, generation: int = 0) -> Catalog:
        """The user's tables, views and macros as of now, without what Sartor built."""
        ...

    def scan(self, source: FileScan) -> TableInfo | None:
        """The columns and the row count of files as of now; None where they can not be read, or not the same in every session."""
        ...

    def run(self, sql: str, parameters: Parameters = None) -> Outcome:
        """Run a statement to its end and keep all of it, for comparing and timing."""
        ...

    def profile(self, sql: str, parameters: Parameters = None) -> Profile:
        """Run a statement under the engine's own profiler."""
        ...

    def changes(self) -> int:
        """A count that moves with every statement but a SELECT, on any connection of the instance; from any thread."""
        ...

    def understands(self, sql: str) -> bool:
        """Whether a text can be parsed; nothing of it is run."""
        ...

    def interrupt(self) -> None:
        """Stop what runs, from another thread."""
        ...

    def close(self) -> None:
        """Let go of the database; may be called twice."""
        ...
