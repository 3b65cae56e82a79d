"""What this process has seen written, as one immutable value that is replaced at every event.

A commit window opens before something that may commit is sent, and closes when it has returned, whether or not it raised.
Counts move at both ends: a count that moved only afterwards would leave a gap in which answers are stale. Readers take the
reference to the state without a lock; `registry.state is before` proves that nothing at all happened in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class TableWrites:
    """Counts of one table name: events at either end of a window, and windows open at this moment.

    Attributes:
        rough: those of the mutations that are neither deletes nor updates of known columns.
        updates: per column, the count of mutations at the last event of an update of it.
    """

    appends: int = 0
    mutations: int = 0
    appending: int = 0
    mutating: int = 0
    rough: int = 0
    updates: Mapping[str, int] = field(default_factory=lambda: _NO_UPDATES)


_NO_UPDATES: Mapping[str, int] = MappingProxyType({})
_NONE = TableWrites()


@dataclass(frozen=True, slots=True)
class RegistryState:
    """A picture of all that was seen written, at one moment.

    Names are bare and lower-case: a write to any table of a name counts for every table of that name.

    Attributes:
        event: moves with every change of the registry.
        open: windows open at this moment, of whatever table.
        own: those of them in which Sartor's own connection writes.
        everything: the counts that hold for all tables.
        distrusted: how often everything was distrusted.
    """

    event: int = 0
    open: int = 0
    own: int = 0
    everything: TableWrites = _NONE
    tables: Mapping[str, TableWrites] = field(default_factory=lambda: MappingProxyType({}))
    distrusted: int = 0

    def appends(self, name: str) -> int:
        return self.tables.get(name, _NONE).appends

    def mutations(self, name: str) -> int:
        return self.tables.get(name, _NONE).mutations + self.everything.mutations + self.distrusted

    def rough(self, name: str) -> int:
        """How many of the mutations are neither deletes nor updates of known columns."""
        return self.tables.get(name, _NONE).rough + self.everything.mutations + self.distrusted

    def updated(self, name: str, mutations: int) -> frozenset[str]:
        """The columns updated since there were so many mutations, none of which was rough."""
        since = mutations - self.everything.mutations - self.distrusted
        return frozenset(column for column, last in self.tables.get(name, _NONE).updates.items() if last > since)

    def appending(self, name: str) -> bool:
        return self.tables.get(name, _NONE).appending > 0

    def mutating(self, name: str) -> bool:
        return self.everything.mutating > 0 or self.tables.get(name, _NONE).mutating > 0


_Changes = Mapping[str, frozenset[str]]
_NO_CHANGES: _Changes = MappingProxyType({})


class Window:
    """A commit window; `close` may be called twice, from any thread, and never raises."""

    __slots__ = ("_appends", "_changes", "_everything", "_mutates", "_open", "_own", "_registry")

    def __init__(
        self, registry: Registry, appends: frozenset[str], mutates: frozenset[str], everything: bool, own: bool, changes: _Changes
    ) -> None:
        self._registry = registry
        self._appends = appends
        self._mutates = mutates
        self._everything = everything
        self._own = own
        self._changes = changes
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._registry._move(self._appends, self._mutates, self._everything, -1, self._own, self._changes)


class Registry:
    """The writes of this process to one database.

    Args:
        header: reads the iteration of the file's header, which moves with each checkpoint; none where it can not be read, or
            where others may checkpoint at any time.

    Attributes:
        raised: how many writes raised; what a checkpoint may have done then is not known.
    """

    def __init__(self, header: Callable[[], int] | None = None) -> None:
        self.state = RegistryState()
        self.raised = 0
        self._header = header
        self._lock = threading.RLock()  # re-entered when a collected connection closes its window

    def window(
        self,
        *,
        appends: frozenset[str] = frozenset(),
        mutates: frozenset[str] = frozenset(),
        everything: bool = False,
        own: bool = False,
        changes: _Changes = _NO_CHANGES,
    ) -> Window:
        """Open a commit window: to be called before the text is sent.

        Args:
            appends: names of tables that get rows at their end.
            mutates: names of tables whose rows may change otherwise.
            everything: all tables may change in any way.
            own: Sartor's own connection writes, and no table of the user's.
            changes: for tables of `mutates` that only lose rows or are updated, the columns that are.
        """
        window = Window(self, appends, mutates, everything, own, changes)
        self._move(appends, mutates, everything, +1, own, changes)
        return window

    def iteration(self) -> int:
        """What moves with each checkpoint, and only then may row ids have moved; -1 if that can not be told.

        A checkpoint begins and ends inside a window. So if no window is open at two moments and this is the same at both, then no
        row id has moved in between.
        """
        return self._header() + self.raised if self._header is not None else -1

    def write_raised(self) -> None:
        """A write raised; to be called before its window closes."""
        with self._lock:
            self.raised += 1

    def distrust(self, reason: str) -> None:
        """Something was written that no window accounts for: every mutation count moves."""
        with self._lock:
            state = self.state
            self.state = replace(state, event=state.event + 1, distrusted=state.distrusted + 1)

    def _move(
        self, appends: frozenset[str], mutates: frozenset[str], everything: bool, opened: int, own: bool, changes: _Changes
    ) -> None:
        with self._lock:
            state = self.state
            tables = dict(state.tables)
            for name in appends:
                was = tables.get(name, _NONE)
                tables[name] = replace(was, appends=was.appends + 1, appending=was.appending + opened)
            for name in mutates:
                was = tables.get(name, _NONE)
                count, columns = was.mutations + 1, changes.get(name)
                tables[name] = replace(
                    was,
                    mutations=count,
                    mutating=was.mutating + opened,
                    rough=was.rough + (columns is None),
                    updates=MappingProxyType({**was.updates, **dict.fromkeys(columns, count)}) if columns else was.updates,
                )
            every = state.everything
            if everything:
                every = replace(every, mutations=every.mutations + 1, mutating=every.mutating + opened)
            self.state = replace(
                state,
                event=state.event + 1,
                open=state.open + opened,
                own=state.own + (opened if own else 0),
                everything=every,
                tables=MappingProxyType(tables),
            )
