"""One round as a state machine: propose, estimate, choose, build, prove, keep or drop.

It has no clock, thread or connection: `rounds` is a generator that asks for one `Step` after another and is sent what came of
it, with the time. Whatever is sent, or thrown in as a KeyboardInterrupt, the round ends in a valid design: an object stays only
if a trial proved it for some template, and a template that was not tried runs plain.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from statistics import median

from sartor.core.action import Estimate
from sartor.core.analysis import WantedKey
from sartor.core.constants import (
    FIXED_QUERY_SECONDS,
    KEY_SECONDS_PER_ROW,
    PAYBACK_REPEATS,
    TRIAL_GAIN,
    TRIAL_RUNS,
    TRIAL_SHARE,
    TRIAL_STATEMENTS,
)
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.core.table import Catalog, Inclusion
from sartor.freshness.facts import is_fact, is_key
from sartor.tuner.choosing import choose_again, choose_jointly, make_room, what, worth
from sartor.tuner.reorganising import KIND
from sartor.tuner.steps import (
    Answer,
    Build,
    Drop,
    FindKey,
    Know,
    Known,
    Machine,
    Made,
    Round,
    Start,
    Step,
    Tried,
    Try,
    name_of,
    promise,
    refuse,
    storage_left,
    with_objects,
)
from sartor.tuner.telling import telling
from sartor.tuner.trial import Pair, Verdict, verdict
from sartor.workload.workload import TemplateStatistics


def rounds(start: Start) -> Machine:
    """One round; the generator returns what was decided."""
    state = Round(start.design, tuple(t for t in start.workload.reads() if t.replayable and t.plain_seconds))
    try:
        catalog, now = yield from _find_keys(start, state)
        chosen, now = yield from choose_jointly(start, state, catalog, now)
        if start.only_report:
            state.lines = tuple(promise(item) for item in chosen)
            return state
        while chosen:
            dropped = len(state.made) - len(state.built)
            now = yield from _build(start, state, chosen, now)
            chosen = choose_again(start, state, now) if len(state.made) - len(state.built) > dropped else ()
        yield from _prove(start, state, catalog, now)
    except KeyboardInterrupt:
        state.interrupted = True
    if not start.only_report:
        _settle(start, state)
    return state


def _find_keys(start: Start, state: Round) -> Generator[Step, Answer, tuple[Catalog, float]]:
    """Look whether keys and inclusions that would let templates be served hold, where that costs less than the templates do."""
    wanted: dict[WantedKey | Inclusion, float] = {}
    for template in state.reads:
        for one in template.analysis.wanted if template.analysis is not None else ():
            wanted[one] = wanted.get(one, 0.0) + template.total_seconds
    unanswered = tuple(template for template in state.reads if not start.design.choices.get(template.digest))
    wanted |= dict[WantedKey | Inclusion, float](start.wants(replace(start.workload, templates=unanswered)).items())
    now = start.now
    known = {(fact.action.source, frozenset(fact.action.get("key"))) for fact in start.design.objects.values() if is_key(fact)}
    key: WantedKey | Inclusion
    for key, seconds in sorted(wanted.items(), key=lambda item: -item[1]):
        infos = [start.catalog.info(source) for source in ((key.source,) if isinstance(key, WantedKey) else (key.child, key.parent))]
        at_most = min(seconds * PAYBACK_REPEATS.default, start.deadline - now)
        if None in infos or sum(info.rows for info in infos if info is not None) * KEY_SECONDS_PER_ROW.default > at_most:
            continue
        if isinstance(key, WantedKey) and any(source == key.source and columns <= key.columns for source, columns in known):
            continue
        answer = yield FindKey(key, start.next_identifier())
        assert isinstance(answer, Made)
        now = answer.now
        if answer.derived is not None:
            if isinstance(key, WantedKey):
                known.add((key.source, frozenset(name.lower() for name in answer.derived.action.get("key"))))
            state.facts.append(answer.derived)
            start.note("fact", str(answer.derived.identifier), f"{name_of(answer.derived.action)} holds for the data", {})
    if not state.facts:
        return start.catalog, now
    knowing = yield Know(with_objects(start.design, state.facts))
    assert isinstance(knowing, Known)
    digests = {template.digest for template in state.reads}
    state.reads = tuple(template for template in knowing.workload.reads() if template.digest in digests)
    return knowing.catalog, knowing.now


def _build(start: Start, state: Round, chosen: Sequence[Estimate], now: float) -> Generator[Step, Answer, float]:
    """Build what was chosen; first what promises most for what it takes of the room or of the time, whichever is scarcer for it.

    The time that the trials are expected to take stays free, however wrong estimates are: what can not be tried was built in vain.
    """
    trials = TRIAL_RUNS.default * sum(median(template.plain_seconds) for template in state.reads)
    until = start.deadline - min(trials, (start.deadline - now) * TRIAL_SHARE.default)
    room, time = max(storage_left(start, state), 1.0), max(until - now, 1e-9)
    ordered = sorted(chosen, key=lambda i: -worth(i, state) / max(i.bytes_stored.value / room, i.build_seconds.value / time, 1e-9))
    for place, item in enumerate(ordered):
        name = name_of(item.action)
        if item.build_seconds.value > until - now:
            refuse(start, state, name, "the time left was too short to build it")
            continue
        identifier = start.next_identifier()
        before = now
        answer = yield Build(item, identifier, place / len(ordered))
        assert isinstance(answer, Made)
        now = answer.now
        derived = answer.derived
        if derived is None:
            refuse(start, state, name, answer.reason)
            state.failed += [state.refused[-1]] if answer.failed else []
            continue
        state.build_seconds += now - before
        state.sizes[what(item.action)] = derived.bytes_stored
        state.made.append(item.action)
        if derived.bytes_stored > storage_left(start, state):
            answer = yield Drop(derived)
            now = answer.now
            refuse(start, state, name, f"it took {derived.bytes_stored / 1e6:.0f} MB, more than the storage budget")
            continue
        state.built.append(derived)
        start.note(
            "build",
            str(identifier),
            f"{name} was built in {derived.build_seconds:.2f} s and takes {derived.bytes_stored / 1e6:.1f} MB; {promise(item)}",
            {"action": name, "templates": sorted(item.seconds_saved)},
        )
    return now


def _prove(start: Start, state: Round, catalog: Catalog, now: float) -> Generator[Step, Answer, None]:
    """Try each template with what was built, those that took most seconds first, until the time is over."""
    design = with_objects(start.design, (*state.facts, *state.built))
    objects = tuple(design.objects.values())
    fresh = {derived.identifier for derived in (*state.built, *state.facts)}
    for place, template in enumerate(state.reads):
        if template.analysis is None:
            continue
        offered = start.alternatives(template.analysis, objects)
        options = [o for o in offered if not fresh.isdisjoint(_reads(start, template, o, design.objects))]
        current = start.design.choices.get(template.digest, ())
        stays = current and not any(item.object in state.yielding for item in current)
        contenders = [current] * bool(stays and options) + options[: int(TRIAL_STATEMENTS.default)]
        best: tuple[float, Alternative] | None = None
        for option in contenders:
            if now >= start.deadline:
                return
            if best is not None and _is_enough(best[0], state.measured[template.digest][0]):
                break
            pairs, now = yield from _trial(start, template, option, design, catalog, now, place / len(state.reads))
            if not pairs:
                continue
            plain = median(pair.plain for pair in pairs)
            tuned = median(pair.alternative for pair in pairs)
            state.measured.setdefault(template.digest, (plain, plain))
            if verdict(pairs) is Verdict.KEEP and (best is None or tuned < best[0]):
                best = (tuned, option)
                state.measured[template.digest] = (plain, tuned)
        if best is not None:
            state.choices[template.digest] = best[1]


def _reads(start: Start, template: TemplateStatistics, option: Alternative, objects: Mapping[int, DerivedObject]) -> frozenset[int]:
    """The objects that an alternative of a template reads, and the inclusions that it rests on."""
    assert template.analysis is not None
    return frozenset(item.object for item in option) | start.rests(template.analysis, option, objects)


def _is_enough(tuned: float, plain: float) -> bool:
    """Whether no other alternative could make a template faster by as much as is worth a trial."""
    return tuned - FIXED_QUERY_SECONDS.default <= TRIAL_GAIN.default * plain


def _trial(
    start: Start,
    template: TemplateStatistics,
    option: Alternative,
    design: Design,
    catalog: Catalog,
    now: float,
    share_done: float,
) -> Generator[Step, Answer, tuple[list[Pair], float]]:
    """Pairs of runs over the template's statements until the verdict is clear; none if the alternative can not be used.

    Statements whose own literals do not allow it run plain, so that those are left out.
    """
    pairs: list[Pair] = []
    objects = ", ".join(str(item.object) for item in option)
    statements = [e for e in template.executions if e.parameters is None or isinstance(e.parameters, list | tuple | dict)]
    while statements and verdict(pairs) is Verdict.MORE and now < start.deadline:
        execution = statements[len(pairs) % len(statements)]
        answer = yield Try(execution, option, design, catalog, share_done)
        assert isinstance(answer, Tried)
        now = answer.now
        if answer.pair is None and not answer.reason:
            statements.remove(execution)
            continue
        if answer.pair is None:
            if answer.reason:
                start.note("trial", template.digest, f"with object {objects}: {answer.reason}", {"template": template.template})
            return [], now
        pairs.append(answer.pair)
    if pairs:
        ratio = median(pair.plain / max(pair.alternative, 1e-9) for pair in pairs)
        line = f"{verdict(pairs).value} after {len(pairs)} pairs, {ratio:.2f} times as fast as plain"
        details = {
            "template": template.template,
            "objects": [item.object for item in option],
            "plain_seconds": median(pair.plain for pair in pairs),
            "tuned_seconds": median(pair.alternative for pair in pairs),
        }
        start.note("trial", template.digest, f"with object {objects}: {line}", details)
    return pairs, now


def _settle(start: Start, state: Round) -> None:
    """Keep what was proved; what no template won by is idle."""
    choices = dict(start.design.choices)
    for template in state.reads:
        if template.digest in state.choices:
            choices[template.digest] = state.choices[template.digest]
        else:
            choices.setdefault(template.digest, ())
    everything = with_objects(start.design, (*state.facts, *state.built)).objects
    make_room(start, state, choices, everything)
    used = {item.object for alternative in choices.values() for item in alternative}
    for template in state.reads:
        if choices.get(template.digest) and template.analysis is not None:
            used |= {*template.analysis.keys, *_reads(start, template, choices[template.digest], everything)}
    staying = {
        identifier: derived for identifier, derived in everything.items() if identifier in used or identifier not in state.yielding
    }
    used |= telling(used, staying, start.workload) if start.mends else frozenset()
    kept = {identifier: derived for identifier, derived in everything.items() if identifier in used}
    saved = {d: state.measured[d][0] - state.measured[d][1] for d in state.choices}
    saved = {digest: seconds for digest, seconds in {**start.design.saved, **saved}.items() if choices.get(digest)}
    state.design = Design(kept, choices, start.design.version + 1, saved)
    unsaved = {fact.identifier for fact in state.facts}
    state.idle = [derived for identifier, derived in everything.items() if identifier not in used | unsaved]
    for derived in state.idle:
        if not is_fact(derived) and derived.identifier not in state.yielding:
            refuse(
                start, state, name_of(derived.action), "neither a template nor upkeep became clearly faster by it, so it was dropped"
            )
    state.facts = [fact for fact in state.facts if fact.identifier in used]
    state.built = [derived for derived in state.built if derived.identifier in used]
    lines = []
    for derived in state.built:
        served = sum(any(item.object == derived.identifier for item in choice) for choice in choices.values())
        what_for = f"serves {served} templates" if served else "tells what has changed"
        lines.append(f"{name_of(derived.action)} ({derived.bytes_stored / 1e6:.1f} MB) {what_for}")
        start.note("keep", str(derived.identifier), lines[-1], {})
    state.lines = tuple(lines)
    for move in state.moves:
        start.note(KIND, str(move.table), move.line, move.settled(state.made, kept).to_dict())
