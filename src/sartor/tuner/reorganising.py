"""Which copies of a table make room for others of it: told by the counters of `drift`, where the storage does not hold both.

A round is a batch: what was asked since the last one is what each way to arrange the table is charged for. What stands saves what its
trials measured, a rival what is foretold of it. The counters go to the ledger, so that the next process goes on with them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sartor.core.action import Action, Estimate
from sartor.core.derived import DerivedObject
from sartor.core.table import Source
from sartor.tuner.drift import Counters, State
from sartor.tuner.ledger import Decision

KIND = "drift"
"""The kind of the decisions that keep counters."""


@dataclass(frozen=True, slots=True)
class Drifting:
    """What is known of one table's drift.

    Attributes:
        counted: how often each template had run when the last batch ended.
        took: seconds that building took, of each copy that has stood.
    """

    counters: Counters = field(default_factory=Counters)
    counted: Mapping[str, int] = field(default_factory=dict)
    took: Mapping[State, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON-able values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Move:
    """What the counters say of one table in a round.

    Attributes:
        present: how it is arranged now; `to` how it is to be, the same if nothing is to move.
        cost: what the dearest of its moves takes, in seconds.
        rival: what is to be built; None if nothing is.
        stays, goes: identifiers of the copies of the table that stay beside it, and that make room for it.
        rivals: all that the storage does not hold beside what stands.
        leads: what the present way has cost against the best rival.
    """

    table: Source
    drifting: Drifting
    present: State
    to: State
    cost: float
    rival: Estimate | None
    stays: frozenset[int]
    goes: frozenset[int]
    rivals: tuple[Estimate, ...]
    leads: float

    @property
    def line(self) -> str:
        """What is told of it."""
        told = f"what has been asked of {self.table} since would have taken {self.leads:.2f} s less in another order"
        told = told.replace('"', "")
        verdict = "it moves" if self.rival is not None else "it stays as it is"
        return f"{told}, to move takes {self.cost:.2f} s at a patience of {self.drifting.counters.patience:g}: {verdict}"

    def settled(self, built: Iterable[Action], objects: Mapping[int, DerivedObject]) -> Drifting:
        """What is known when the round is over.

        Args:
            built: all that was built in the round, kept or not.
            objects: those that stand now.
        """
        stands = [derived for derived in objects.values() if derived.action.source == self.table and is_arranged(derived.action)]
        took = {state_of(derived.action): derived.build_seconds for derived in stands}
        drifting = replace(self.drifting, took={**self.drifting.took, **took})
        if self.rival is None:
            return drifting
        counters = drifting.counters
        if self.to in took:
            now = _together(derived.action for derived in stands)
            regret = {**counters.regret, now: counters.regret.get(self.to, 0.0)}
            return replace(drifting, counters=replace(counters, regret=regret).moved(self.present, now, took[self.to]))
        failed = any(state_of(action) == self.to for action in built)
        return replace(drifting, counters=counters.barred(self.to)) if failed else drifting


def moves(
    stands: Sequence[Estimate],
    candidates: Sequence[Estimate],
    counts: Mapping[str, int],
    known: Mapping[str, Drifting],
    storage_left: float,
) -> Iterator[Move]:
    """What the counters say of each table of which copies stand and others are proposed that would need their room.

    Args:
        counts: how often each template has run.
        known: by the name of a table, what was known when the last round was over.
        storage_left: beside all that stands.
    """
    standing: dict[Source, list[Estimate]] = defaultdict(list)
    for item in stands:
        if is_arranged(item.action):
            standing[item.action.source].append(item)
    for table, kept in standing.items():
        room = storage_left + sum(item.bytes_stored.value for item in kept)
        rivals = tuple(
            item
            for item in candidates
            if item.action.source == table
            and is_arranged(item.action)
            and item.seconds_saved
            and storage_left < item.bytes_stored.value <= room
        )
        if rivals:
            yield _move(table, kept, rivals, counts, known.get(str(table), Drifting()), room)


def _move(
    table: Source, kept: Sequence[Estimate], rivals: tuple[Estimate, ...], counts: Mapping[str, int], known: Drifting, room: float
) -> Move:
    batch = {digest: max(0, count - known.counted.get(digest, 0)) for digest, count in counts.items()}
    present = _together(item.action for item in kept)
    beside = {item.action: _beside(item, kept, batch, room) for item in rivals}
    saved = {state_of(item.action): _saved([item, *beside[item.action]], batch) for item in rivals}
    saved[present] = _saved(kept, batch)
    cost = max(known.took.get(state_of(item.action), item.build_seconds.value) for item in rivals)
    counters = known.counters.observe(present, saved)
    leads = max(counters.lead.values())
    counters, to = counters.decide(present, cost)
    rival = next((item for item in rivals if state_of(item.action) == to), None) if to != present else None
    stays = frozenset(item.standing for item in (kept if rival is None else beside[rival.action]))
    goes = frozenset(item.standing for item in kept) - stays
    return Move(table, Drifting(counters, dict(counts), known.took), present, to, cost, rival, stays, goes, rivals, leads)


def _beside(rival: Estimate, kept: Sequence[Estimate], batch: Mapping[str, int], room: float) -> list[Estimate]:
    """What of that which stands the storage holds beside a rival, those that save most for their bytes first."""
    left = room - rival.bytes_stored.value
    found = []
    for item in sorted(kept, key=lambda one: -_saved([one], batch) / max(one.bytes_stored.value, 1)):
        if item.bytes_stored.value <= left:
            left -= item.bytes_stored.value
            found.append(item)
    return found


def _saved(items: Sequence[Estimate], batch: Mapping[str, int]) -> float:
    """Seconds that a batch is spared by some copies of one table, each statement by the best of them."""
    best: dict[str, float] = defaultdict(float)
    for item in items:
        for digest, saved in item.seconds_saved.items():
            best[digest] = max(best[digest], saved.value)
    return sum(batch.get(digest, 0) * seconds for digest, seconds in best.items())


def is_arranged(action: Action) -> bool:
    """Whether an action makes a copy of one table in an order of its own."""
    definition = dict(action.definition)
    return not action.in_memory and bool(definition.get("columns")) and bool(definition.get("key"))


def state_of(action: Action) -> State:
    """What a copy is known by, in any process."""
    definition = repr((action.component, [str(source) for source in action.sources], action.definition))
    return hashlib.blake2b(definition.encode(), digest_size=8).hexdigest()


def _together(actions: Iterable[Action]) -> State:
    return "+".join(sorted(map(state_of, actions)))


def remembered(decisions: Iterable[Decision]) -> dict[str, Drifting]:
    """What the ledger keeps of each table; what can not be read begins anew."""
    found = {}
    for decision in decisions:
        if decision.kind == KIND:
            try:
                kept = decision.details
                found[decision.subject] = Drifting(Counters(**kept["counters"]), dict(kept["counted"]), dict(kept["took"]))
            except (KeyError, TypeError, ValueError):
                found.pop(decision.subject, None)
    return found
