"""What appended rows add to views, read once for as long as no row of their tables is written, and told by the texts of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from sartor.freshness.usable import Use, loose, moved, settled
from sartor.interfaces.habit import Habit
from sartor.interfaces.known import Appended

if TYPE_CHECKING:
    from sartor.core.derived import DerivedObject
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Template

Counts = tuple[tuple[int, int], ...]


@dataclass(eq=False, slots=True)
class Told:
    """What is known of the rows that were appended to a view's tables.

    Attributes:
        derived: the view, as it was covered then.
        counts: of writes to its tables: it holds while these are the same.
        rows: a SELECT that tells what they add, empty if they add nothing; None if that was not read or can not be told.
        read: it was tried.
        refused: it can not be told, nor can it when more is appended.
        times: it was needed.
    """

    derived: DerivedObject
    counts: Counts
    rows: str | None = None
    read: bool = False
    refused: bool = False
    times: int = 0


class ToldRows:
    """What is told of the views of one database; of each view as its tables are now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, Told] = {}
        self._habits: dict[int, Habit] = {}

    def of(self, used: Sequence[tuple[DerivedObject, Use]], state: RegistryState, template: Template) -> tuple[Told | None, ...]:
        """For each object what its appended rows add, None where the statement has to ask the tables for it; empty if all are None.

        They are read where that pays (`Habit`). What is told is right where the counts of writes to all tables of the object are
        still those of `state` when the statement's snapshot has begun.
        """
        found = tuple([self._of(derived, state, template) if how is Use.RESIDUAL else None for derived, how in used])
        return found if any(found) else ()

    def forget(self) -> None:
        """Let go of all values, also of those in texts that were made of them."""
        self._known.clear()
        for known in list(self._database.texts.values()):
            known.forget_compiled()
        for template in list(self._database.templates.values()):
            template.handing = None

    def _of(self, derived: DerivedObject, state: RegistryState, template: Template) -> Told | None:
        counts = settled([(derived, Use.RESIDUAL)], state)
        if counts is None:
            return None
        known, habit = self._known.get(derived.identifier), self._habits.get(derived.identifier)
        if habit is None:
            self._let_go_of_what_is_gone()
            habit = self._habits[derived.identifier] = Habit()
        if known is None or known.derived is not derived or known.counts != counts:
            refused = known is not None and known.derived is derived and known.refused
            if known is not None:
                habit.wrote(known.times)
            known = self._known[derived.identifier] = Told(derived, counts, read=refused, refused=refused)
        known.times += 1
        if not known.read and habit.pays(known.times, template.saved_by(Appended.TOLD)):
            began = perf_counter()
            self._read(known, state)
            if known.read:
                habit.reading_seconds = perf_counter() - began
        return known if known.rows is not None else None

    def _let_go_of_what_is_gone(self) -> None:
        for identifier in [one for one in tuple(self._habits) if one not in self._database.design.objects]:
            self._habits.pop(identifier, None)
            self._known.pop(identifier, None)

    def _read(self, known: Told, state: RegistryState) -> None:
        """Read them, if Sartor's own connection is free, and keep them if nothing was written meanwhile."""
        from sartor.components import component
        from sartor.freshness.told import appended_rows

        database, derived = self._database, known.derived
        places = moved(derived, state)
        query = component(derived.action.component).appended_query(derived, places)
        if query is None:
            known.read = known.refused = True
            return
        # A checkpoint may move row ids between finding the last row covered and reading those behind it.
        moves = loose(derived, places)
        if moves and not database.rows_stand(state):
            return
        iteration = database.registry.iteration()
        if not database.engine_lock.acquire(blocking=False):
            return
        try:
            rows = appended_rows(database.engine(), derived, query)
            known.refused = rows is None
            database.look_for_unseen_writes()
            stood = not moves or database.rows_stood(iteration, state)
            if stood and settled([(derived, Use.RESIDUAL)], database.registry.state) == known.counts:
                known.rows = rows
        except Exception as error:
            known.refused = True
            database.ledger.record("fall_back", str(derived.identifier), f"what was appended could not be told: {error}")
        finally:
            known.read = True
            database.engine_lock.release()
