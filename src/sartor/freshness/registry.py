"""What this process has seen written, as one immutable value that is replaced at every event.

A commit window opens before something that may commit is sent, and closes when it has returned, whether or not it raised.
Counts move at both ends: a count that moved only afterwards would leave a gap in which answers are stale. Readers take the
reference to the state without a lock; `registry.state is before` proves that nothing at all happened in between.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TableWrites:
    """Counts of one table name: events at either end of a window, and windows open at this moment."""

    appends: int = 0
    mutations: int = 0
    appending: int = 0
    mutating: int = 0


_NONE = TableWrites()


@dataclass(frozen=True, slots=True)
class RegistryState:
    """A picture of all that was seen written, at one moment.

    Names are bare and lower-case: a write to any table of a name counts for every table of that name.

    Attributes:
        event: moves with every change of the registry.
        open: windows open at this moment, of whatever table.
        everything: the counts that hold for all tables.
        distrusted: how often everything was distrusted.
    """

    event: int = 0
    open: int = 0
    everything: TableWrites = _NONE
    tables: Mapping[str, TableWrites] = field(default_factory=lambda: MappingProxyType({}))
    distrusted: int = 0

    def appends(self, name: str) -> int:
        return self.tables.get(name, _NONE).appends

    def mutations(self, name: str) -> int:
        return self.tables.get(name, _NONE).mutations + self.everything.mutations + self.distrusted

    def appending(self, name: str) -> bool:
        return self.tables.get(name, _NONE).appending > 0

    def mutating(self, name: str) -> bool:
        return self.everything.mutating > 0 or self.tables.get(name, _NONE).mutating > 0


class Window:
    """A commit window; `close` may be called twice, from any thread, and never raises."""

    __slots__ = ("_appends", "_everything", "_mutates", "_open", "_registry")

    def __init__(self, registry: Registry, appends: frozenset[str], mutates: frozenset[str], everything: bool) -> None:
        self._registry = registry
        self._appends = appends
        self._mutates = mutates
        self._everything = everything
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._registry._move(self._appends, self._mutates, self._everything, -1)


class Registry:
    """The writes of this process to one database."""

    def __init__(self) -> None:
        self.state = RegistryState()
        self._lock = threading.RLock()  # re-entered when a collected connection closes its window

    def window(
        self,
        *,
        appends: frozenset[str] = frozenset(),
        mutates: frozenset[str] = frozenset(),
        everything: bool = False,
    ) -> Window:
        """Open a commit window: to be called before the text is sent.

        Args:
            appends: names of tables that get rows at their end.
            mutates: names of tables whose rows may change otherwise.
            everything: all tables may change in any way.
        """
        window = Window(self, appends, mutates, everything)
        self._move(appends, mutates, everything, +1)
        return window

    def distrust(self, reason: str) -> None:
        """Something was written that no window accounts for: every mutation count moves."""
        with self._lock:
            state = self.state
            self.state = replace(state, event=state.event + 1, distrusted=state.distrusted + 1)

    def _move(self, appends: frozenset[str], mutates: frozenset[str], everything: bool, opened: int) -> None:
        with self._lock:
            state = self.state
            tables = dict(state.tables)
            for name in appends:
                was = tables.get(name, _NONE)
                tables[name] = replace(was, appends=was.appends + 1, appending=was.appending + opened)
            for name in mutates:
                was = tables.get(name, _NONE)
                tables[name] = replace(was, mutations=was.mutations + 1, mutating=was.mutating + opened)
            every = state.everything
            if everything:
                every = replace(every, mutations=every.mutations + 1, mutating=every.mutating + opened)
            self.state = replace(
                state,
                event=state.event + 1,
                open=state.open + opened,
                everything=every,
                tables=MappingProxyType(tables),
            )
