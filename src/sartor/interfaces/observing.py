"""What statements have shown, taken in by batches: one alone, after DuckDB's work has emptied the caches, costs ten times as much."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from sartor.core.constants import OBSERVED_TOGETHER
from sartor.freshness.usable import Use
from sartor.workload.log import Observation
from sartor.workload.workload import Kind

if TYPE_CHECKING:
    from sartor.interfaces.call import Call
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Template


class Observer:
    """The statements of one database that have ended, on their way to their templates, the keepers and the workload log."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Call] = deque()
        self._lock = threading.RLock()  # re-entered when a collected connection is the last one and closes the database

    def add(self, pending: Call) -> None:
        """Take a statement in, at once where the next one may depend on it; never raises, never waits for another thread."""
        waiting = self._waiting
        template = pending.known.template if pending.known is not None else None
        waiting.append(pending)
        depends = template is not None and (template.probation or (template.looked_up and not pending.how))
        if (depends or len(waiting) >= OBSERVED_TOGETHER.default) and self._lock.acquire(blocking=False):
            try:
                self._take_all_in()
            finally:
                self._lock.release()

    def take_in(self) -> None:
        """Take in all statements that have ended, also those of connections that have asked nothing since."""
        from sartor.interfaces.serving import finish

        for session in self._database.sessions():
            finish(session)
        self.settle()

    def settle(self) -> None:
        """Take in what was added."""
        with self._lock:
            self._take_all_in()

    def _take_all_in(self) -> None:
        waiting = self._waiting
        while waiting:
            self._take_in(waiting.popleft())  # nobody else takes from it: the lock is held

    def _take_in(self, pending: Call) -> None:
        database, known, seconds, alternative = self._database, pending.known, pending.seconds, pending.alternative
        if known is None:
            return
        template, is_read, kept = known.template, known.effects.reads_only, pending.kept is not None
        digest = template.digest if template is not None else ""
        kind: Kind = "read" if is_read else "write"
        database.log.record(
            Observation(digest, known.text, pending.parameters, pending.started, seconds, pending.fetched, kind, alternative, kept)
        )
        if not kept:  # what cost nothing says nothing of its template
            self._weigh(pending, template, is_read=is_read)

    def _weigh(self, pending: Call, template: Template | None, *, is_read: bool) -> None:
        """Tell whoever decides by what statements take."""
        database, seconds, ways = self._database, pending.seconds - pending.reading_seconds, pending.how
        residual = Use.RESIDUAL in ways
        if template is not None and residual:
            template.appended_seconds[pending.appended].append(seconds)
        if template is not None and pending.ranged is None:
            how = Use.RESIDUAL if residual else Use.WHOLE if ways else None
            if template.observe(seconds, how, pending.began) and how is not None:
                database.put_back(template, how)
            if how is None and template.looked_up:
                database.holding.missed(template.looked_up, seconds)
        if database.keeper is not None and is_read:
            whole = template.usual(Use.WHOLE) if template is not None else None
            database.keeper.upkeep.observe(seconds, pending.alternative if residual else (), whole)
