"""Statements and commits that no window accounts for: a connection that was gone past, or another one to the same file.

Two things move that can be read at any time. Every commit moves the pair of WAL size and header iteration; rollbacks, temporary
tables and reads do not. Every statement but a SELECT, on any connection of the instance, moves the engine's count of changes.
So while no window is open both must be what they were when the last window closed.
"""

from __future__ import annotations

import threading

from sartor.engines.base import Engine
from sartor.freshness.identity import HeldDescriptor
from sartor.freshness.registry import Registry


class Watch:
    """Compares what moves with what the windows account for.

    Args:
        held: the database file, or None for a database in memory.
        shared: others may write this file through this process at any time. Then no move of the pair is taken for ours,
            for one commit can not be told from two.
    """

    __slots__ = ("_engine", "_held", "_lock", "_seen", "_shared")

    def __init__(self, engine: Engine, held: HeldDescriptor | None, *, shared: bool) -> None:
        self._engine = engine
        self._held = held
        self._shared = shared
        self._lock = threading.Lock()
        self._seen = self._now()

    def settle(self) -> None:
        """A window is about to close: what shows now is accounted for. To be called before the close."""
        if not self._shared:
            with self._lock:  # else a thread that was stopped in between would put an older picture in the place of a newer one
                self._seen = self._now()

    def accounts_for(self, registry: Registry) -> bool:
        """Whether all that happened passed through a window; says False once for each move that did not."""
        state = registry.state
        if state.open and not self._shared:
            return True
        now = self._now()
        if now == self._seen or (registry.state is not state and not self._shared):
            return True
        self._seen = now
        return False

    def _now(self) -> tuple[int, tuple[int, int]]:
        return self._engine.changes(), self._held.pair() if self._held is not None else (0, 0)
