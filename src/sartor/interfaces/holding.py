"""What keeps objects in memory up to date: a thread of its own, begun when look-ups that had to be run have cost as much as it will.

Whatever comes next, that is at most twice what the best choice in hindsight would have cost (ski rental, as `tuner.upkeep`).
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from sartor.core.constants import REFRESH_SECONDS
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.freshness.usable import Use, use

if TYPE_CHECKING:
    from sartor.core.derived import DerivedObject
    from sartor.interfaces.database import Database


class Holding:
    """The objects in memory of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lost_seconds: dict[int, float] = {}
        self._refresh_seconds: dict[int, float] = {}
        self._given_up: set[int] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._engine: DuckDBEngine | None = None
        self._stopped = False

    def missed(self, identifier: int, seconds: float) -> None:
        """A look-up that an object could answer was run instead, in so many seconds."""
        derived = self._database.design.objects.get(identifier)
        if derived is None or identifier in self._given_up:
            return
        lost = self._lost_seconds[identifier] = self._lost_seconds.get(identifier, 0.0) + seconds
        how = use(derived, self._database.registry.state)
        if how is Use.WHOLE or lost < self._cost(derived, how):
            return
        with self._lock:
            if self._thread is None and not self._stopped:
                self._lost_seconds[identifier] = 0.0
                self._thread = threading.Thread(target=self._run, args=(derived, how), name="sartor-holding", daemon=True)
                self._thread.start()

    def wait(self) -> None:
        """Wait until nothing is being refreshed."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def stop(self) -> None:
        """Nothing is refreshed any more; what is under way is stopped and waited for."""
        with self._lock:
            self._stopped = True
            engine = self._engine
        if engine is not None:
            engine.interrupt()
        if threading.current_thread() is not self._thread:
            self.wait()

    def _cost(self, derived: DerivedObject, how: Use) -> float:
        if how is Use.RESIDUAL and derived.content is not None:
            return self._refresh_seconds.get(derived.identifier, REFRESH_SECONDS.default)
        return derived.build_seconds

    def _run(self, derived: DerivedObject, how: Use) -> None:
        from sartor.components import holding
        from sartor.freshness.held import refreshed
        from sartor.freshness.refresh import Overtaken

        database = self._database
        started = time.perf_counter()
        try:
            self._engine = DuckDBEngine(database.opened.connection.cursor())
            try:
                if not self._stopped:
                    database.put_in_force(refreshed(self._engine, database.registry, holding(derived.action.component), derived))
                if how is Use.RESIDUAL:
                    self._refresh_seconds[derived.identifier] = time.perf_counter() - started
            finally:
                engine, self._engine = self._engine, None
                engine.close()
        except (Overtaken, KeyboardInterrupt):
            pass  # it is tried again when as much was lost again
        except Exception as error:
            self._given_up.add(derived.identifier)
            database.ledger.record("fall_back", str(derived.identifier), f"it is not held in memory any more: {error}")
        finally:
            self._thread = None
