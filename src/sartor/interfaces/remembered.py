"""A bounded set of what is remembered, least valuable out first."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from sartor.core.constants import PREDICATE_GAIN, PREDICATE_JUDGED
from sartor.core.derived import DerivedObject


@dataclass(slots=True, eq=False)
class Entry:
    """What is remembered of one restriction, and what it brought.

    Attributes:
        derived: its content are the ranges; its coverage says for how long they hold.
        generation: of the catalog that it was found under.
        template: the digest of the template that it was found for.
        plain_seconds: what a statement of it took without.
        spent_seconds: what it took to find.
        wasted: how often in a row before the same was found and went stale before it was used.
        uses: statements that were answered with it.
        lost_seconds: that these took longer than the fastest of them.
        spared_seconds: that these took less than without; of an entry that was not used yet what one use is expected to spare.
        clock: of the store when it was used last.
        live: it is in the store.
    """

    derived: DerivedObject
    generation: int
    template: str
    plain_seconds: float
    spent_seconds: float
    wasted: int = 0
    uses: int = 0
    lost_seconds: float = 0.0
    spared_seconds: float = 0.0
    clock: float = 0.0
    live: bool = True
    _fastest: float = float("inf")
    _slow: int = 0

    @property
    def value(self) -> float:
        return self.clock + self.spared_seconds

    def served(self, seconds: float, *, is_own: bool) -> bool:
        """Take in that a statement was answered with it; says whether it has turned out not to pay.

        Args:
            is_own: the statement is of the template that it was found for, whose plain time is known.
        """
        if not self.uses:
            self.spared_seconds = 0.0
        self.uses += 1
        self._fastest = min(self._fastest, seconds)
        self.lost_seconds += seconds - self._fastest
        self.spared_seconds += max(0.0, self.plain_seconds - seconds)
        if is_own:
            self._slow = 0 if seconds < PREDICATE_GAIN.default * self.plain_seconds else self._slow + 1
        return self._slow >= PREDICATE_JUDGED.default


class Store:
    """Entries by their key. Reads take no lock; whoever writes holds one.

    What goes out first is told by GreedyDual-Size-Frequency with equal sizes (Cherkasova, Improving WWW proxies performance, 1998):
    the seconds that an entry spared, on a clock that moves on with each that goes out, so that what is used no longer loses its worth.

    Args:
        most: how many entries there are at most.

    Attributes:
        entries: all that is remembered; only to be read.
        version: moves when an entry comes in, or a statement may now be run with one that is here.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._clock = 0.0
        self.entries: dict[Hashable, Entry] = {}
        self.version = 0

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self.entries.values()))

    def get(self, key: Hashable) -> Entry | None:
        return self.entries.get(key)

    def put(self, key: Hashable, entry: Entry) -> None:
        """Take an entry in, in the place of one of the same key, else of the least valuable where the store is full."""
        self.remove(key)
        while len(self.entries) >= self._most:
            least = min(self.entries, key=lambda one: self.entries[one].value)
            self._clock = self.entries[least].value
            self.remove(least)
        entry.clock = self._clock
        self.entries[key] = entry
        self.version += 1

    def use(self, entry: Entry) -> None:
        """An entry is used now."""
        entry.clock = self._clock

    def remove(self, key: Hashable) -> Entry | None:
        """Take an entry out; nothing if there is none of this key."""
        entry = self.entries.pop(key, None)
        if entry is not None:
            entry.live = False
        return entry

    def clear(self) -> None:
        for key in list(self.entries):
            self.remove(key)
