"""The tailor that works by itself: a thread that refreshes and tunes while nobody asks, and rests while somebody does."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sartor.core.constants import AUTOTUNE_ROUND_SECONDS, IDLE_LOOK_SECONDS
from sartor.freshness.usable import Use, use
from sartor.interfaces.refreshing import purge_memory
from sartor.interfaces.tailoring import DEFAULT_STORAGE
from sartor.tuner.upkeep import Task, Upkeep

if TYPE_CHECKING:
    from sartor.interfaces.database import Database


class Keeper:
    """The keeper of one database.

    It begins nothing while a statement runs, a transaction is open, or the last statement is not IDLE_SECONDS ago. When a
    statement comes while it works, it goes on after it is idle again; only the one statement of its own that runs is not
    stopped. Time in which it rests does not count against the budget of its round.

    Attributes:
        upkeep: what its decisions rest on.
    """

    def __init__(self, database: Database) -> None:
        self.upkeep = Upkeep()
        self._database = database
        self._stopped = threading.Event()
        self._rested_seconds = 0.0
        self._wanted = False
        self._thread = threading.Thread(target=self._run, name="sartor-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop what it does and wait until it has; what it had proved stays."""
        self._stopped.set()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._database.engine().interrupt()
            self._thread.join()

    def give_way(self) -> None:
        """End the round that goes on, if one does, after its next step: somebody waits for what it holds."""
        self._wanted = True

    def look(self) -> Task:
        """Do what is due now, if anything is; says what it was."""
        self._wanted = False
        database = self._database
        database.observer.settle()
        state = database.registry.state
        database.results.purge()
        purge_memory(database)  # what is in memory is read again when look-ups miss it: see `Holding`
        stale = {one.identifier: use(one, state) for one in database.design.objects.values() if not one.action.in_memory}
        to_refresh = self.upkeep.to_refresh(
            [identifier for identifier, how in stale.items() if how is Use.NO],
            [identifier for identifier, how in stale.items() if how is Use.RESIDUAL],
        )
        task = self.upkeep.due(self._idle_seconds(), to_refresh)
        if task is Task.REFRESH:
            self._clock()
            database.refresh(to_refresh, self._refreshed)
        elif task is Task.TUNE:
            self.upkeep.tuned_at = self.upkeep.read_seconds
            database.tune(AUTOTUNE_ROUND_SECONDS.default, DEFAULT_STORAGE, None, None, self._clock)
        return task

    def _refreshed(self, identifier: int, seconds: float) -> None:
        """An object is up to date; before the next one it rests if somebody asks."""
        self.upkeep.refreshed(identifier, seconds)
        self._clock()

    def _run(self) -> None:
        while not self._stopped.wait(IDLE_LOOK_SECONDS.default):
            try:
                self.look()
            except KeyboardInterrupt:
                continue
            except Exception as error:
                self._database.ledger.record("fall_back", "database", f"nothing is done in idle time any more: {error}")
                return

    def _idle_seconds(self) -> float:
        """Since the last statement ended; 0 while one runs or a transaction is open."""
        if any(session.busy or session.transaction is not None for session in self._database.sessions()):
            return 0.0
        return time.perf_counter() - self._database.asked_at

    def _clock(self) -> float:
        """Seconds that stand still while it rests; asked between any two steps of a round, it is where it rests.

        Raises:
            KeyboardInterrupt: the database is being closed, or somebody waits for what a round holds.
        """
        began = time.perf_counter()
        while not self._is_over() and self._idle_seconds() < IDLE_LOOK_SECONDS.default:
            self._stopped.wait(IDLE_LOOK_SECONDS.default)
        self._rested_seconds += time.perf_counter() - began
        if self._is_over():
            raise KeyboardInterrupt
        return time.perf_counter() - self._rested_seconds

    def _is_over(self) -> bool:
        return self._wanted or self._stopped.is_set()
