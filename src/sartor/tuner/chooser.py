"""The joint choice: which actions to take together, under the budgets for storage and time.

A mixed-integer program: one binary variable for each action, one for each template and action that could serve it. A template
takes at most one action on each table; an action on several tables takes that place on each of them. What is maximised are
seconds: those saved, over a few times as many runs as were observed (PAYBACK_REPEATS), less those of building and of carrying
changes along. Nothing chosen is always a solution. What stands already takes part: it costs its storage and its upkeep, and
saves what its trials measured.

What was made of rows that are deleted or updated is mended if a copy tells how they were, else built anew, so that a copy may pay by
what it spares others: one more variable for each such action says that some table of it is not told of by what is taken.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sartor.core.action import Action, Estimate
from sartor.core.constants import MENDING_SHARE, PAYBACK_REPEATS
from sartor.core.table import Source
from sartor.tuner.program import Program
from sartor.tuner.telling import changes, wanted
from sartor.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Choice:
    """The actions chosen, and for each other one why not."""

    chosen: tuple[Estimate, ...]
    refused: tuple[tuple[Action, str], ...]


def choose(
    estimates: Sequence[Estimate], workload: Workload, *, storage_bytes: float, build_seconds: float, mends: bool = True
) -> Choice:
    """Choose jointly; the budgets are hard limits.

    Args:
        mends: copies tell changes; else each change builds anew what was made of its rows.
    """
    counts = {template.digest: template.count * PAYBACK_REPEATS.default for template in workload.reads()}
    paying = [item for item in estimates if _alone(item, counts, workload) > 0]
    if not paying:
        return Choice((), tuple((item.action, "it would cost more than it saves") for item in estimates))
    needed = [one for item in paying for one in wanted(item.action, workload)] if mends else []
    worth = paying + [item for item in estimates if item not in paying and any(one.is_told_by(item.action) for one in needed)]
    picked = _kept_where_room_is(
        worth, _solve(worth, counts, workload, (storage_bytes, build_seconds), mends), len(paying), storage_bytes
    )
    chosen = tuple(item for item, taken in zip(worth, picked, strict=True) if taken)
    refused = [(item.action, _reason(item, item in paying, storage_bytes, build_seconds)) for item in estimates if item not in chosen]
    return Choice(chosen, tuple(refused))


def _kept_where_room_is(items: Sequence[Estimate], picked: list[bool], paying: int, storage_bytes: float) -> list[bool]:
    """What stands and pays goes for nothing less than room: the solver leaves out what is within its tolerance.

    Args:
        paying: how many of the first items pay by themselves.
    """
    left = storage_bytes - sum(item.bytes_stored.value for item, taken in zip(items, picked, strict=True) if taken)
    for place, item in enumerate(items[:paying]):
        if item.standing and not picked[place] and item.bytes_stored.value <= left:
            picked[place] = True
            left -= item.bytes_stored.value
    return picked


def _cost(item: Estimate, workload: Workload) -> float:
    """Building, and the upkeep of what is expected to be written, if all changes are told.

    What is in memory is built anew after each change, and in each process, of which there is one for each time that the workload is
    expected to come again.
    """
    rows = sum(workload.appended_rows.get(name, 0) for name in item.action.table_names)
    builds = 0.0 if item.standing else 1.0
    if item.action.in_memory:
        builds += changes(item.action, workload) + PAYBACK_REPEATS.default
    else:
        builds += changes(item.action, workload) * MENDING_SHARE.default
    return item.build_seconds.value * builds + rows * item.upkeep_seconds_per_row.value


def _untold_cost(item: Estimate, workload: Workload) -> float:
    """What is added if some changes are not told, so that each builds it anew."""
    return item.build_seconds.value * changes(item.action, workload) * (1.0 - MENDING_SHARE.default)


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
    items: Sequence[Estimate], counts: dict[str, float], workload: Workload, budgets: tuple[float, float], mends: bool
) -> list[bool]:
    storage_bytes, build_seconds = budgets
    program = Program()
    taken = [program.variable(-_cost(item, workload)) for item in items]
    # Shares of the budgets: numbers of very different sizes make the solver err.
    room, time = max(storage_bytes, 1.0), max(build_seconds, 1e-9)
    program.at_most({one: item.bytes_stored.value / room for one, item in zip(taken, items, strict=True)}, 1.0)
    program.at_most({one: item.build_seconds.value / time for one, item in zip(taken, items, strict=True) if not item.standing}, 1.0)
    copies = [(one, item.action) for one, item in zip(taken, items, strict=True) if mends and item.action.is_copy]
    serving: dict[tuple[str, Source], list[int]] = defaultdict(list)
    for one, item in zip(taken, items, strict=True):
        for digest, saved in item.seconds_saved.items():
            serves = program.variable(counts.get(digest, 0) * saved.value)
            program.at_most({serves: 1.0, one: -1.0}, 0.0)
            for source in item.action.sources:
                serving[digest, source].append(serves)
        _tell(program, item, one, copies, workload)
    for alternatives in serving.values():
        program.at_most(dict.fromkeys(alternatives, 1.0), 1.0)
    return program.solve()[: len(items)]


def _tell(program: Program, item: Estimate, taken: int, copies: Sequence[tuple[int, Action]], workload: Workload) -> None:
    """A variable that is taken with an action unless, for each table of it that changes, a copy is that tells how.

    Args:
        copies: with their variables.
    """
    tables = wanted(item.action, workload)
    if not tables:
        return
    untold = program.variable(-_untold_cost(item, workload))
    for table in tables:
        telling = [copy for copy, action in copies if table.is_told_by(action)]
        program.at_most({taken: 1.0, untold: -1.0, **dict.fromkeys(telling, -1.0)}, 0.0)
