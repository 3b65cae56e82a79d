"""The joint choice of a round: what to build for what, and what has to make room for it (decision 011)."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from sartor.core.action import Action, Estimate
from sartor.core.constants import SCARCE_SHARE, TRIAL_GAIN, TRIAL_SHARE
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog
from sartor.tuner.chooser import Choice, choose, pays
from sartor.tuner.reorganising import moves
from sartor.tuner.standing import standing
from sartor.tuner.steps import Answer, Appraise, Appraised, Round, Start, Step, name_of, refuse, storage_left
from sartor.workload.workload import TemplateStatistics


def choose_jointly(
    start: Start, state: Round, catalog: Catalog, now: float
) -> Generator[Step, Answer, tuple[tuple[Estimate, ...], float]]:
    """What to build, jointly, for the templates that nothing serves yet, and which objects would have to make room."""
    stands = standing(start.design)
    dear = _dear(stands, start, state)
    offered = tuple(t for t in state.reads if not start.design.choices.get(t.digest) or t.digest in dear)
    answer = yield Appraise(replace(start.workload, templates=offered), catalog)
    assert isinstance(answer, Appraised)
    refused, estimates = list(answer.refused), list(answer.estimates)
    choice = _jointly(start, state, stands, estimates, answer.now)
    served = {digest for item in choice.chosen for digest in item.seconds_saved}
    left = tuple(template for template in offered if template.digest in answer.withheld.keys() - served)
    if left:  # what was to settle them was not chosen, so that others may
        others = frozenset[str]().union(*(answer.withheld[template.digest] for template in left))
        asked = (*left, *_beside(left, offered, [item for item in choice.chosen if item.action.component in others]))
        answer = yield Appraise(replace(start.workload, templates=asked), catalog, others)
        assert isinstance(answer, Appraised)
        refused += answer.refused
        estimates = together([*estimates, *answer.estimates])
        choice = _jointly(start, state, stands, estimates, answer.now)
    choice = _reorganised(start, state, stands, estimates, choice, answer.now)
    state.estimates = _known(estimates, start)
    for refusal in dict.fromkeys(refused):
        refuse(start, state, refusal.what, refusal.reason)
    chosen = tuple(item for item in choice.chosen if not item.standing)
    taken = {name_of(item.action) for item in chosen}
    kept = {item.standing for item in choice.chosen}
    gone = [item for item in stands if item.standing not in kept]
    state.yielding = tuple(item.standing for item in sorted(gone, key=lambda one: worth(one, state) / max(one.bytes_stored.value, 1)))
    state.losing = frozenset(item.standing for item in gone if not pays(item, start.workload))
    built = {item.action for item in stands}
    reasons: dict[str, str] = {}  # of the variants of one key, which differ in their columns, the first is told of
    for action, reason in choice.refused:
        if action not in built:
            reasons.setdefault(name_of(action), reason)
    for name, reason in reasons.items():
        if name not in taken:
            refuse(start, state, name, f"not built: {reason}")
    return chosen, answer.now


def choose_again(start: Start, state: Round, now: float) -> tuple[Estimate, ...]:
    """What else to build where something turned out too large and was dropped, beside what was built.

    Nothing where counters tell which copies make room for which: what they hold back is not chosen by another way.
    """
    if state.moves:
        return ()
    nothing, built = Evidence(0.0, "measured", "built"), {what(derived.action): derived.identifier for derived in state.built}
    done = {what(action) for action in state.made} - built.keys()
    choice = choose(
        [
            replace(item, standing=built[what(item.action)], bytes_stored=nothing) if what(item.action) in built else item
            for item in state.estimates
            if what(item.action) not in done
        ],
        start.workload,
        storage_bytes=storage_left(start, state),
        build_seconds=(start.deadline - now) * TRIAL_SHARE.default,
        mends=start.mends,
    )
    return tuple(item for item in choice.chosen if not item.standing)


def _beside(
    left: Sequence[TemplateStatistics], offered: Sequence[TemplateStatistics], chosen: Sequence[Estimate]
) -> tuple[TemplateStatistics, ...]:
    """The templates that something chosen serves on a table that others are left of: one thing may serve them together."""
    read = {reference.source for template in left if template.analysis is not None for reference in template.analysis.references}
    served = {digest for item in chosen if item.action.source in read for digest in item.seconds_saved}
    return tuple(template for template in offered if template.digest in served)


def together(estimates: Sequence[Estimate]) -> list[Estimate]:
    """One estimate for each thing that could be built, whichever templates it was proposed for."""
    found: dict[object, Estimate] = {}
    for item in estimates:
        before = found.get(what(item.action))
        if before is not None:
            action = replace(item.action, templates=before.action.templates | item.action.templates)
            item = replace(before, action=action, seconds_saved={**before.seconds_saved, **item.seconds_saved})
        found[what(item.action)] = item
    return list(found.values())


def _jointly(
    start: Start,
    state: Round,
    stands: Sequence[Estimate],
    estimates: Sequence[Estimate],
    now: float,
    settled: Sequence[Estimate] = (),
    out: frozenset[int] = frozenset(),
) -> Choice:
    """The choice under the budgets.

    Args:
        settled: what is in it in any case; out: the identifiers of what is not.
    """
    new = [item for item in settled if not item.standing]
    room = storage_left(start, state) + sum(item.bytes_stored.value for item in stands)
    choice = choose(
        [item for item in (*_known(estimates, start), *stands) if item not in settled and item.standing not in out],
        start.workload,
        storage_bytes=room - sum(item.bytes_stored.value for item in settled),
        build_seconds=(start.deadline - now) * TRIAL_SHARE.default - sum(item.build_seconds.value for item in new),
        mends=start.mends,
    )
    return replace(choice, chosen=(*settled, *choice.chosen))


def _known(estimates: Sequence[Estimate], start: Start) -> list[Estimate]:
    """Estimates, with what is known of them by now."""
    return [replace(item, bytes_stored=_bytes_of(item, start), seconds_saved=_saved_by(item, start)) for item in estimates]


def _reorganised(
    start: Start, state: Round, stands: Sequence[Estimate], estimates: Sequence[Estimate], choice: Choice, now: float
) -> Choice:
    """The choice, but counters tell which copies of a table make room for others of it, unless something smaller does as well."""
    known = _known(estimates, start)
    counts = {template.digest: template.count for template in state.reads}
    seconds = (start.deadline - now) * TRIAL_SHARE.default
    for move in moves(stands, known, counts, start.drifting, storage_left(start, state)):
        state.moves.append(move)
        kept = [item for item in stands if item.standing in move.stays]
        chosen = [item for item in choice.chosen if item in move.rivals]
        if move.rival is not None and move.rival.build_seconds.value <= seconds:
            settled, out = [move.rival, *kept], move.goes
        elif chosen and any(item not in choice.chosen for item in kept) and not _does_as_well(chosen, kept, choice):
            settled, out = kept, frozenset()
        else:
            continue
        others = [item for item in estimates if item.action not in {rival.action for rival in move.rivals}]
        before = [item for item in choice.chosen if item.standing and item not in settled and item.standing not in out]
        choice = _jointly(start, state, stands, others, now, (*settled, *before), out)
        choice = replace(choice, refused=(*choice.refused, *((one.action, _STAYS) for one in move.rivals if one not in settled)))
    return choice


_STAYS = "what stands in its room has not cost enough yet against it, or something else moves there"


def _does_as_well(chosen: Sequence[Estimate], kept: Sequence[Estimate], choice: Choice) -> bool:
    """Whether what is chosen takes less room than what it replaces and saves the same templates as much: that is no drift."""
    gone = [item for item in kept if item not in choice.chosen]
    if sum(item.bytes_stored.value for item in chosen) >= sum(item.bytes_stored.value for item in gone):
        return False
    lost = ((digest, saved.value) for item in gone for digest, saved in item.seconds_saved.items())
    enough = 1.0 - TRIAL_GAIN.default
    return all(any(d in one.seconds_saved and one.seconds_saved[d].value >= enough * saved for one in chosen) for d, saved in lost)


def _dear(stands: Sequence[Estimate], start: Start, state: Round) -> frozenset[str]:
    """Templates of what is large and saves no more for its bytes than all that stands does, once room is scarce.

    Something smaller may do as well.
    """
    used = sum(item.bytes_stored.value for item in stands)
    if used <= SCARCE_SHARE.default * start.storage_bytes:
        return frozenset()
    usual = sum(worth(item, state) for item in stands) / max(used, 1)
    large = [item for item in stands if item.bytes_stored.value * len(stands) >= used]
    return frozenset(d for item in large if worth(item, state) <= usual * item.bytes_stored.value for d in item.seconds_saved)


def _bytes_of(item: Estimate, start: Start) -> Evidence:
    """What an action takes, as it was measured if it has been built before."""
    measured = start.sizes.get(what(item.action))
    return item.bytes_stored if measured is None else Evidence(measured, "measured", "built before")


def _saved_by(item: Estimate, start: Start) -> dict[str, Evidence]:
    """What an action is foretold to save, but no more than what serves a template was measured to: only room is worth a change."""
    measured = start.design.saved
    return {
        d: saved if saved.value <= measured.get(d, saved.value) else Evidence(measured[d], "measured", "what serves it")
        for d, saved in item.seconds_saved.items()
    }


def what(action: Action) -> object:
    """What an action builds, whatever it is for."""
    return action.sources, action.definition


def worth(item: Estimate, state: Round) -> float:
    """Seconds that were saved, or would have been, on all runs that were observed."""
    counts = {template.digest: template.count for template in state.reads}
    return sum(counts.get(digest, 0) * saved.value for digest, saved in item.seconds_saved.items())


def make_room(start: Start, state: Round, choices: dict[str, Alternative], everything: Mapping[int, DerivedObject]) -> None:
    """Take back the choices of what goes: for what was proved to save more, or because it costs more than it saves."""
    used = {item.object for alternative in choices.values() for item in alternative}
    excess = sum(derived.bytes_stored for identifier, derived in everything.items() if identifier in used) - start.storage_bytes
    for identifier in state.yielding:
        if identifier not in used or (excess <= 0 and identifier not in state.losing):
            continue
        derived = everything[identifier]
        excess -= derived.bytes_stored
        for digest in [d for d, choice in choices.items() if any(item.object == identifier for item in choice)]:
            choices[digest] = ()
        reason = "it costs more than it saves" if identifier in state.losing else "others save more in its room"
        refuse(start, state, name_of(derived.action), f"dropped: {reason}")
