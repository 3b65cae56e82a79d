"""The joint choice: which actions to take together, under the budgets for storage and time.

A mixed-integer program: one binary variable for each action, one for each template and action that could serve it. A template
takes at most one action on each table; an action on several tables takes that place on each of them. What is maximised are
seconds: those saved, over a few times as many runs as were observed (PAYBACK_REPEATS), less those of building and of carrying
appended rows along. Nothing chosen is always a solution. What stands already takes part: it costs its storage and its upkeep, and
saves what its trials measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sartor.core.action import Action, Estimate
from sartor.core.constants import PAYBACK_REPEATS, REBUILD_SHARE, REBUILDS_COUNTED
from sartor.core.table import TableName
from sartor.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Choice:
    """The actions chosen, and for each other one why not."""

    chosen: tuple[Estimate, ...]
    refused: tuple[tuple[Action, str], ...]


def choose(estimates: Sequence[Estimate], workload: Workload, *, storage_bytes: float, build_seconds: float) -> Choice:
    """Choose jointly; the budgets are hard limits."""
    counts = {template.digest: template.count * PAYBACK_REPEATS.default for template in workload.reads()}
    worth = [item for item in estimates if _alone(item, counts, workload) > 0]
    if not worth:
        return Choice((), tuple((item.action, "it would cost more than it saves") for item in estimates))
    picked = _kept_where_room_is(worth, _solve(worth, counts, workload, storage_bytes, build_seconds), storage_bytes)
    chosen = tuple(item for item, taken in zip(worth, picked, strict=True) if taken)
    refused = [(item.action, _reason(item, item in worth, storage_bytes, build_seconds)) for item in estimates if item not in chosen]
    return Choice(chosen, tuple(refused))


def _kept_where_room_is(items: Sequence[Estimate], picked: list[bool], storage_bytes: float) -> list[bool]:
    """What stands and pays goes for nothing less than room: the solver leaves out what is within its tolerance."""
    left = storage_bytes - sum(item.bytes_stored.value for item, taken in zip(items, picked, strict=True) if taken)
    for place, item in enumerate(items):
        if item.standing and not picked[place] and item.bytes_stored.value <= left:
            picked[place] = True
            left -= item.bytes_stored.value
    return picked


def _cost(item: Estimate, workload: Workload) -> float:
    """Building, and the upkeep of what is expected to be written: appended rows are carried along, other changes rebuild.

    What is in memory is built anew in each process, of which there is one for each time that the workload is expected to come again.
    """
    names = {source.name.lower() for source in item.action.sources if isinstance(source, TableName)}
    rows = sum(workload.appended_rows.get(name, 0) for name in names)
    rebuilds = min(sum(workload.mutations.get(name, 0) for name in names), REBUILDS_COUNTED.default) * PAYBACK_REPEATS.default
    builds = rebuilds * REBUILD_SHARE.default + (0.0 if item.standing else 1.0)
    builds += PAYBACK_REPEATS.default if item.action.in_memory else 0.0
    return item.build_seconds.value * builds + rows * item.upkeep_seconds_per_row.value


def pays(item: Estimate, workload: Workload) -> bool:
    """Whether an action would save more than it costs if it were the only one."""
    counts = {template.digest: template.count * PAYBACK_REPEATS.default for template in workload.reads()}
    return _alone(item, counts, workload) > 0


def _alone(item: Estimate, counts: dict[str, float], workload: Workload) -> float:
    saved = sum(counts.get(digest, 0) * evidence.value for digest, evidence in item.seconds_saved.items())
    return saved - _cost(item, workload)


def _reason(item: Estimate, pays: bool, storage_bytes: float, build_seconds: float) -> str:
    if not pays:
        return "it would cost more than it saves"
    if item.bytes_stored.value > storage_bytes:
        return f"it needs about {item.bytes_stored.value / 1e6:.0f} MB, more than the storage budget"
    if item.build_seconds.value > build_seconds and not item.standing:
        return f"building it takes about {item.build_seconds.value:.1f} s, more than the time left"
    return "others save more within the budgets"


def _solve(
    items: Sequence[Estimate], counts: dict[str, float], workload: Workload, storage_bytes: float, build_seconds: float
) -> list[bool]:
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import lil_array

    pairs = [(place, digest) for place, item in enumerate(items) for digest in item.seconds_saved]
    size = len(items) + len(pairs)
    gain = np.zeros(size)
    for place, item in enumerate(items):
        gain[place] = -_cost(item, workload)
    slots = sorted({(digest, str(source)) for place, digest in pairs for source in items[place].action.sources})
    slot_of = {slot: number for number, slot in enumerate(slots)}
    rows = lil_array((2 + len(pairs) + len(slots), size))
    limits = np.zeros(2 + len(pairs) + len(slots))
    limits[:2] = 1.0  # shares of the budgets: numbers of very different sizes make the solver err
    for place, item in enumerate(items):
        rows[0, place] = item.bytes_stored.value / max(storage_bytes, 1.0)
        rows[1, place] = 0.0 if item.standing else item.build_seconds.value / max(build_seconds, 1e-9)
    for number, (place, digest) in enumerate(pairs):
        variable = len(items) + number
        gain[variable] = counts.get(digest, 0) * items[place].seconds_saved[digest].value
        rows[2 + number, variable], rows[2 + number, place] = 1.0, -1.0
        for source in items[place].action.sources:
            slot = 2 + len(pairs) + slot_of[digest, str(source)]
            rows[slot, variable] = 1.0
            limits[slot] = 1.0
    answer = milp(
        -gain,
        integrality=np.ones(size),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(rows.tocsr(), -np.inf, limits),
        options={"time_limit": 5.0, "mip_rel_gap": 1e-3},
    )
    if answer.x is None:
        return [False] * len(items)
    return [bool(value > 0.5) for value in answer.x[: len(items)]]
