"""Statements whose own conditions rule out all that was appended: objects answer them as if nothing had been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

from sartor.core.constants import HISTORY_RUNS
from sartor.core.table import TableName
from sartor.freshness.extent import Extent, extents
from sartor.freshness.usable import Use, counts, moved
from sartor.interfaces.habit import Habit
from sartor.interfaces.known import Appended

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.core.block import Compared
    from sartor.core.derived import Coverage, DerivedObject
    from sartor.core.design import Alternative, Replacement
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.compiled import Used
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Known, Template


@dataclass(eq=False, slots=True)
class _Rows:
    """What is known of the rows appended to a table.

    Attributes:
        written: the counts of writes to it: this holds while they are the same.
        iteration: the registry's, where row ids may move at checkpoints; else -1.
        read: the row id that they are behind, and the extents of their columns; None while these were not read.
        times: statements that asked for them.
        asked, ruled_out: those that were answered with them, and of these the statements that they are not needed for.
    """

    written: tuple[tuple[int, int], ...]
    iteration: int
    read: tuple[int, dict[str, Extent | None]] | None = None
    times: int = 0
    asked: int = 0
    ruled_out: int = 0


@dataclass(eq=False, slots=True)
class _Table:
    """What is known of a table whatever is written.

    Attributes:
        kinds: of the columns that statements compared with literals, by their names.
        unread: statements that did without the extents since these were read last.
        asked, ruled_out: as in `_Rows`, of the stretches before.
    """

    rows: _Rows
    kinds: dict[str, str] = field(default_factory=dict)
    habit: Habit = field(default_factory=Habit)
    unread: int = 0
    asked: float = 0.0
    ruled_out: float = 0.0

    @property
    def share(self) -> float:
        """About which share of statements is helped by knowing the extents."""
        return (self.ruled_out + self.rows.ruled_out + 1) / (self.asked + self.rows.asked + 1)

    def wrote(self, rows: _Rows) -> None:
        """Begin anew after a write."""
        self.habit.wrote(self.rows.times * self.share)
        self.asked += self.rows.asked
        self.ruled_out += self.rows.ruled_out
        if self.asked > HISTORY_RUNS.default:  # what was long ago counts less
            self.asked, self.ruled_out = self.asked / 2, self.ruled_out / 2
        self.rows = rows


class Extents:
    """The extents of what was appended to the tables of one database; of each table as it is now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tables: dict[TableName, _Table] = {}

    def needed(
        self, known: Known, analysis: Analysis, alternative: Alternative, used: Used, state: RegistryState, iteration: int
    ) -> Used:
        """How each object has to be used by this statement: WHOLE also where all rows appended since are ruled out by its conditions.

        That is right where the counts of writes to all tables of these objects are still those of `state` when its snapshot has begun.

        Args:
            iteration: the registry's, which stays the same until then; -1 if nobody looks.
        """
        found = []
        for replacement, (derived, how) in zip(alternative, used, strict=True):
            rows_count = how is Use.RESIDUAL and not self._rules_all_out(known, analysis, replacement, derived, state, iteration)
            found.append((derived, Use.RESIDUAL if rows_count else Use.WHOLE))
        return tuple(found)

    def forget(self) -> None:
        """Let go of all values."""
        self._tables.clear()

    def _rules_all_out(
        self, known: Known, analysis: Analysis, replacement: Replacement, derived: DerivedObject, state: RegistryState, iteration: int
    ) -> bool:
        """Whether of each table that moved the statement rules out all rows that the object does not cover."""
        given = known.given(analysis)
        template = known.template
        assert template is not None
        for place in moved(derived, state):
            table, coverage = derived.action.sources[place], derived.coverages[place]
            compared = _compared(analysis, replacement, derived, place)
            stands = coverage.dense or (iteration >= 0 and coverage.iteration == iteration)
            if not compared or not stands or not isinstance(table, TableName):
                return False
            rows = self._rows(table, coverage, compared, state, -1 if coverage.dense else iteration, template)
            read = rows.read if rows is not None else None  # once: another thread may read them anew, for an object that covers more
            if rows is None or read is None or not _holds_all(read[0], coverage):
                return False
            rows.asked += 1
            _, extents_read = read
            for one in compared:
                extent, values = extents_read.get(one.column[1]), given.get(one.operand)
                if extent is not None and values and extent.rules_out(one.operator, values):
                    rows.ruled_out += 1
                    break
            else:
                return False
        return True

    def _rows(
        self,
        table: TableName,
        coverage: Coverage,
        compared: Sequence[Compared],
        state: RegistryState,
        iteration: int,
        template: Template,
    ) -> _Rows | None:
        """The rows behind those that are covered, with their extents if they are known or reading them pays; None during a write."""
        written = counts((table,), state)
        if written is None:
            return None
        about = self._tables.get(table)
        if about is None:
            about = self._tables[table] = _Table(_Rows(written, iteration))
        rows = about.rows
        if rows.written != written or rows.iteration != iteration:
            if [mutations for _, mutations in rows.written] != [mutations for _, mutations in written]:
                about.kinds = {}  # some of these columns may be gone
            rows = _Rows(written, iteration)
            about.wrote(rows)
        rows.times += 1
        kinds = {one.column[1]: one.operand.kind for one in compared}
        after, found = rows.read or (coverage.high_water, {})
        if not _holds_all(after, coverage) or not kinds.keys() <= found.keys():
            about.unread += 1
            if not about.habit.pays(about.unread * about.share, template.saved_by(Appended.RULED_OUT)):
                return None
            about.unread = 0
            about.kinds = {**about.kinds, **kinds}
            began, before = perf_counter(), rows.read
            self._read(table, rows, min(after, coverage.high_water), about.kinds, state)
            if rows.read is not before:
                about.habit.reading_seconds = perf_counter() - began
        return rows

    def _read(self, table: TableName, rows: _Rows, after: int, kinds: Mapping[str, str], state: RegistryState) -> None:
        """Read them, if Sartor's own connection is free, and keep them if nothing was written meanwhile."""
        database = self._database
        if not database.engine_lock.acquire(blocking=False):
            return
        try:
            found = extents(database.engine(), table, after, kinds)
            database.look_for_unseen_writes()
            stood = rows.iteration < 0 or database.rows_stood(rows.iteration, state)
            if stood and counts((table,), database.registry.state) == rows.written:
                rows.read = after, found
        except Exception as error:
            rows.read = after, dict.fromkeys(kinds)
            database.ledger.record("fall_back", str(table), f"what was appended could not be looked at: {error}")
        finally:
            database.engine_lock.release()


def _holds_all(after: int, coverage: Coverage) -> bool:
    """Whether the rows behind this one are all that an object does not cover, and perhaps some that it does."""
    return after <= coverage.high_water


def _compared(analysis: Analysis, replacement: Replacement, derived: DerivedObject, place: int) -> Sequence[Compared]:
    """What a statement compares columns of one table with; rows of it that fail one of these count for nothing in what is replaced."""
    table = derived.action.sources[place]
    if not replacement.block:
        return [one for one in analysis.references[replacement.reference].compared if one.operator] if place == 0 else ()
    block = analysis.blocks[replacement.reference]
    if block.sources.count(table) != 1 or derived.action.sources.count(table) != 1:
        return ()
    name = block.names[block.sources.index(table)]
    return [one for one in block.compared if one.operator and one.column[0] == name]
