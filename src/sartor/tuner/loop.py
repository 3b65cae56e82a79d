"""One round as a state machine: propose, estimate, choose, build, prove, keep or drop.

It has no clock, thread or connection: `rounds` is a generator that asks for one `Step` after another and is sent what came of
it, with the time. Whatever is sent, or thrown in as a KeyboardInterrupt, the round ends in a valid design: an object stays only
if a trial proved it for some template, and a template that was not tried runs plain.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from types import MappingProxyType
from typing import Any

from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis, WantedKey
from sartor.core.constants import (
    FIXED_QUERY_SECONDS,
    KEY_SECONDS_PER_ROW,
    PAYBACK_REPEATS,
    SCARCE_SHARE,
    TRIAL_GAIN,
    TRIAL_SHARE,
    TRIAL_STATEMENTS,
)
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog
from sartor.freshness.facts import is_fact
from sartor.tuner.chooser import Choice, choose, pays
from sartor.tuner.outcome import Refusal
from sartor.tuner.standing import standing
from sartor.tuner.trial import Pair, Verdict, verdict
from sartor.workload.workload import Execution, TemplateStatistics, Workload


@dataclass(frozen=True, slots=True)
class FindKey:
    """Look whether some of these columns are a key of their table. Answered with `Made`."""

    wanted: WantedKey
    identifier: int


@dataclass(frozen=True, slots=True)
class Know:
    """See the workload and the catalog as they look under the facts of a design. Answered with `Known`."""

    design: Design


@dataclass(frozen=True, slots=True)
class Appraise:
    """Propose and estimate for these templates. Answered with `Appraised`.

    Attributes:
        all_components: each component is asked about each template; else what one of them is expected to settle is not offered to the
            next ones, for estimating takes time.
    """

    workload: Workload
    catalog: Catalog
    all_components: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """Build one object. Answered with `Made`."""

    estimate: Estimate
    identifier: int
    share_done: float


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop one object that was just built. Answered with `Made`, without an object."""

    derived: DerivedObject


@dataclass(frozen=True, slots=True)
class Try:
    """Run one statement plain and by an alternative, and compare. Answered with `Tried`."""

    execution: Execution
    option: Alternative
    design: Design
    catalog: Catalog
    share_done: float


Step = FindKey | Know | Appraise | Build | Drop | Try


@dataclass(frozen=True, slots=True)
class Made:
    """What building or looking for a key gave: an object, or why there is none, and whether that was an error.

    Attributes:
        now: in seconds, from any start.
    """

    now: float
    derived: DerivedObject | None
    reason: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    now: float
    workload: Workload
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class Appraised:
    """Estimates of what was proposed, and what could not be estimated with its reason.

    Attributes:
        withheld: digests of templates that were not offered to all components.
    """

    now: float
    estimates: tuple[Estimate, ...]
    refused: tuple[Refusal, ...] = ()
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tried:
    """A pair of runs; without one, the reason why the alternative is not usable, empty if its objects can not serve just now."""

    now: float
    pair: Pair | None
    reason: str = ""


Answer = Made | Known | Appraised | Tried
Note = Callable[[str, str, str, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Start:
    """What a round begins with.

    Attributes:
        workload: with analyses.
        alternatives: the ways to answer an analysed statement from objects, the best first.
        next_identifier: a number that no object has had.
        note: takes a decision for the ledger: its kind, its subject, a line about it, what else is known of it.
        deadline: when building and trying has to end, on the clock of `now`.
        sizes: what actions took that were built in former rounds, as `Round.sizes`: what turned out too large is not built again.
        only_report: stop after choosing.
    """

    now: float
    deadline: float
    storage_bytes: float
    design: Design
    workload: Workload
    catalog: Catalog
    alternatives: Callable[[Analysis, Sequence[DerivedObject]], Sequence[Alternative]]
    note: Note
    next_identifier: Callable[[], int]
    sizes: Mapping[object, int] = field(default_factory=lambda: MappingProxyType({}))
    only_report: bool = False


@dataclass(slots=True)
class Round:
    """What a round has done so far, and in the end has decided.

    Attributes:
        design: the design that is to be in force; the one from before until the round is settled.
        idle: objects that are to be dropped, because no template uses them.
        measured: per template digest, the median seconds plain and by what is best.
        choices: per template digest, the alternative that its trial chose.
        failed: those of the refused whose building raised.
        yielding: objects that make room where room is needed, those that save least for their bytes first; losing: those of them that
            go in any case, for they cost more than they save.
        sizes: what each action takes that was built, by its sources and its definition.
        promised: in a round that only reports, a line for each object that would be built.
    """

    design: Design
    reads: tuple[TemplateStatistics, ...] = ()
    facts: list[DerivedObject] = field(default_factory=list)
    built: list[DerivedObject] = field(default_factory=list)
    idle: list[DerivedObject] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)
    choices: dict[str, Alternative] = field(default_factory=dict)
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    build_seconds: float = 0.0
    yielding: tuple[int, ...] = ()
    losing: frozenset[int] = frozenset()
    sizes: dict[object, int] = field(default_factory=dict)
    interrupted: bool = False


Machine = Generator[Step, Answer, Round]


def rounds(start: Start) -> Machine:
    """One round; the generator returns what was decided."""
    state = Round(start.design, tuple(t for t in start.workload.reads() if t.replayable and t.plain_seconds))
    try:
        catalog, now = yield from _find_keys(start, state)
        chosen, now = yield from _choose(start, state, catalog, now)
        if start.only_report:
            state.lines = tuple(_promise(item) for item in chosen)
            return state
        now = yield from _build(start, state, chosen, now)
        yield from _prove(start, state, catalog, now)
    except KeyboardInterrupt:
        state.interrupted = True
    if not start.only_report:
        _settle(start, state)
    return state


def _find_keys(start: Start, state: Round) -> Generator[Step, Answer, tuple[Catalog, float]]:
    """Look whether the keys that would let templates be served hold, where finding out costs less than the templates do."""
    wanted: dict[WantedKey, float] = {}
    for template in state.reads:
        for key in template.analysis.wanted if template.analysis is not None else ():
            wanted[key] = wanted.get(key, 0.0) + template.total_seconds
    now = start.now
    known = {(fact.action.source, frozenset(fact.action.get("key"))) for fact in start.design.objects.values() if is_fact(fact)}
    for key, seconds in sorted(wanted.items(), key=lambda item: -item[1]):
        info = start.catalog.info(key.source)
        at_most = min(seconds * PAYBACK_REPEATS.default, start.deadline - now)
        if info is None or info.rows * KEY_SECONDS_PER_ROW.default > at_most:
            continue
        if any(source == key.source and columns <= key.columns for source, columns in known):
            continue
        answer = yield FindKey(key, start.next_identifier())
        assert isinstance(answer, Made)
        now = answer.now
        if answer.derived is not None:
            known.add((key.source, frozenset(name.lower() for name in answer.derived.action.get("key"))))
            state.facts.append(answer.derived)
            start.note("fact", str(answer.derived.identifier), f"{name_of(answer.derived.action)} holds for the data", {})
    if not state.facts:
        return start.catalog, now
    knowing = yield Know(_with(start.design, state.facts))
    assert isinstance(knowing, Known)
    digests = {template.digest for template in state.reads}
    state.reads = tuple(template for template in knowing.workload.reads() if template.digest in digests)
    return knowing.catalog, knowing.now


def _choose(start: Start, state: Round, catalog: Catalog, now: float) -> Generator[Step, Answer, tuple[tuple[Estimate, ...], float]]:
    """What to build, jointly, for the templates that nothing serves yet, and which objects would have to make room."""
    stands = standing(start.design)
    dear = _dear(stands, start, state)
    offered = tuple(t for t in state.reads if not start.design.choices.get(t.digest) or t.digest in dear)
    answer = yield Appraise(replace(start.workload, templates=offered), catalog)
    assert isinstance(answer, Appraised)
    refused, estimates = list(answer.refused), list(answer.estimates)
    choice = _jointly(start, state, stands, estimates, answer.now)
    served = {digest for item in choice.chosen for digest in item.seconds_saved}
    left = tuple(template for template in offered if template.digest in answer.withheld - served)
    if left:  # what was to settle them was not chosen, so that others may
        answer = yield Appraise(replace(start.workload, templates=left), catalog, all_components=True)
        assert isinstance(answer, Appraised)
        refused += answer.refused
        estimates = _together([*estimates, *answer.estimates])
        choice = _jointly(start, state, stands, estimates, answer.now)
    for refusal in dict.fromkeys(refused):
        _refuse(start, state, refusal.what, refusal.reason)
    chosen = tuple(item for item in choice.chosen if not item.standing)
    taken = {name_of(item.action) for item in chosen}
    kept = {item.standing for item in choice.chosen}
    gone = [item for item in stands if item.standing not in kept]
    state.yielding = tuple(item.standing for item in sorted(gone, key=lambda one: _worth(one, state) / max(one.bytes_stored.value, 1)))
    state.losing = frozenset(item.standing for item in gone if not pays(item, start.workload))
    built = {item.action for item in stands}
    reasons: dict[str, str] = {}  # of the variants of one key, which differ in their columns, the first is told of
    for action, reason in choice.refused:
        if action not in built:
            reasons.setdefault(name_of(action), reason)
    for name, reason in reasons.items():
        if name not in taken:
            _refuse(start, state, name, f"not built: {reason}")
    return chosen, answer.now


def _together(estimates: Sequence[Estimate]) -> list[Estimate]:
    """One estimate for each thing that could be built, whichever templates it was proposed for."""
    found: dict[object, Estimate] = {}
    for item in estimates:
        before = found.get(_what(item.action))
        if before is not None:
            action = replace(item.action, templates=before.action.templates | item.action.templates)
            item = replace(before, action=action, seconds_saved={**before.seconds_saved, **item.seconds_saved})
        found[_what(item.action)] = item
    return list(found.values())


def _jointly(start: Start, state: Round, stands: Sequence[Estimate], estimates: Sequence[Estimate], now: float) -> Choice:
    known = [replace(item, bytes_stored=_bytes_of(item, start), seconds_saved=_saved_by(item, start)) for item in estimates]
    return choose(
        (*known, *stands),
        start.workload,
        storage_bytes=_storage_left(start, state) + sum(item.bytes_stored.value for item in stands),
        build_seconds=(start.deadline - now) * TRIAL_SHARE.default,
    )


def _dear(stands: Sequence[Estimate], start: Start, state: Round) -> frozenset[str]:
    """Templates of what is large and saves no more for its bytes than all that stands does, once room is scarce.

    Something smaller may do as well.
    """
    used = sum(item.bytes_stored.value for item in stands)
    if used <= SCARCE_SHARE.default * start.storage_bytes:
        return frozenset()
    usual = sum(_worth(item, state) for item in stands) / max(used, 1)
    large = [item for item in stands if item.bytes_stored.value * len(stands) >= used]
    return frozenset(d for item in large if _worth(item, state) <= usual * item.bytes_stored.value for d in item.seconds_saved)


def _bytes_of(item: Estimate, start: Start) -> Evidence:
    """What an action takes, as it was measured if it has been built before."""
    measured = start.sizes.get(_what(item.action))
    return item.bytes_stored if measured is None else Evidence(measured, "measured", "built before")


def _saved_by(item: Estimate, start: Start) -> dict[str, Evidence]:
    """What an action is foretold to save, but no more than what serves a template was measured to: only room is worth a change."""
    measured = start.design.saved
    return {
        d: saved if saved.value <= measured.get(d, saved.value) else Evidence(measured[d], "measured", "what serves it")
        for d, saved in item.seconds_saved.items()
    }


def _what(action: Action) -> object:
    """What an action builds, whatever it is for."""
    return action.sources, action.definition


def _worth(item: Estimate, state: Round) -> float:
    """Seconds that were saved, or would have been, on all runs that were observed."""
    counts = {template.digest: template.count for template in state.reads}
    return sum(counts.get(digest, 0) * saved.value for digest, saved in item.seconds_saved.items())


def _build(start: Start, state: Round, chosen: Sequence[Estimate], now: float) -> Generator[Step, Answer, float]:
    """Build what was chosen; first what promises most for what it takes of the room or of the time, whichever is scarcer for it."""
    room, time = max(_storage_left(start, state), 1.0), max(start.deadline - now, 1e-9)
    ordered = sorted(chosen, key=lambda i: -_worth(i, state) / max(i.bytes_stored.value / room, i.build_seconds.value / time, 1e-9))
    for place, item in enumerate(ordered):
        name = name_of(item.action)
        if item.build_seconds.value > start.deadline - now:
            _refuse(start, state, name, "the time left was too short to build it")
            continue
        identifier = start.next_identifier()
        before = now
        answer = yield Build(item, identifier, place / len(ordered))
        assert isinstance(answer, Made)
        now = answer.now
        derived = answer.derived
        if derived is None:
            _refuse(start, state, name, answer.reason)
            state.failed += [state.refused[-1]] if answer.failed else []
            continue
        state.build_seconds += now - before
        state.sizes[_what(item.action)] = derived.bytes_stored
        if derived.bytes_stored > _storage_left(start, state):
            answer = yield Drop(derived)
            now = answer.now
            _refuse(start, state, name, f"it took {derived.bytes_stored / 1e6:.0f} MB, more than the storage budget")
            continue
        state.built.append(derived)
        start.note(
            "build",
            str(identifier),
            f"{name} was built in {derived.build_seconds:.2f} s and takes {derived.bytes_stored / 1e6:.1f} MB; {_promise(item)}",
            {"action": name, "templates": sorted(item.seconds_saved)},
        )
    return now


def _prove(start: Start, state: Round, catalog: Catalog, now: float) -> Generator[Step, Answer, None]:
    """Try each template with what was built, those that took most seconds first, until the time is over."""
    design = _with(start.design, (*state.facts, *state.built))
    objects = tuple(design.objects.values())
    fresh = {derived.identifier for derived in state.built}
    for place, template in enumerate(state.reads):
        if template.analysis is None:
            continue
        options = [o for o in start.alternatives(template.analysis, objects) if any(item.object in fresh for item in o)]
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
    """Pairs of runs over the template's statements until the verdict is clear; none if the alternative can not be used."""
    pairs: list[Pair] = []
    objects = ", ".join(str(item.object) for item in option)
    statements = [e for e in template.executions if e.parameters is None or isinstance(e.parameters, list | tuple | dict)]
    while statements and verdict(pairs) is Verdict.MORE and now < start.deadline:
        answer = yield Try(statements[len(pairs) % len(statements)], option, design, catalog, share_done)
        assert isinstance(answer, Tried)
        now = answer.now
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
    everything = _with(start.design, (*state.facts, *state.built)).objects
    _make_room(start, state, choices, everything)
    used = {item.object for alternative in choices.values() for item in alternative}
    used |= {fact for t in state.reads if choices.get(t.digest) and t.analysis is not None for fact in t.analysis.facts}
    kept = {identifier: derived for identifier, derived in everything.items() if identifier in used}
    saved = {d: state.measured[d][0] - state.measured[d][1] for d in state.choices}
    saved = {digest: seconds for digest, seconds in {**start.design.saved, **saved}.items() if choices.get(digest)}
    state.design = Design(kept, choices, start.design.version + 1, saved)
    unsaved = {fact.identifier for fact in state.facts}
    state.idle = [derived for identifier, derived in everything.items() if identifier not in used | unsaved]
    for derived in state.idle:
        if not is_fact(derived) and derived.identifier not in state.yielding:
            _refuse(start, state, name_of(derived.action), "no template became clearly faster by it, so it was dropped")
    state.facts = [fact for fact in state.facts if fact.identifier in used]
    state.built = [derived for derived in state.built if derived.identifier in used]
    lines = []
    for derived in state.built:
        served = sum(any(item.object == derived.identifier for item in choice) for choice in choices.values())
        lines.append(f"{name_of(derived.action)} ({derived.bytes_stored / 1e6:.1f} MB) serves {served} templates")
        start.note("keep", str(derived.identifier), lines[-1], {})
    state.lines = tuple(lines)


def _make_room(start: Start, state: Round, choices: dict[str, Alternative], everything: Mapping[int, DerivedObject]) -> None:
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
        _refuse(start, state, name_of(derived.action), f"dropped: {reason}")


def name_of(action: Action) -> str:
    """What an action is called where people read it."""
    definition: dict[str, Any] = dict(action.definition)
    name = f"{action.component} of {', '.join(str(source) for source in action.sources)}".replace('"', "")
    if "key" not in definition:
        return name
    key = ", ".join(definition["key"])
    return f"{name} by {key}" if key else f"{name} in its own order"


def _promise(item: Estimate) -> str:
    best = max((evidence.value for evidence in item.seconds_saved.values()), default=0.0)
    return (
        f"{name_of(item.action)} is predicted to help {len(item.seconds_saved)} templates by up to {best * 1e3:.1f} ms a run, at "
        f"{item.build_seconds.value:.1f} s to build and {item.bytes_stored.value / 1e6:.0f} MB"
    )


def _refuse(start: Start, state: Round, name: str, reason: str) -> None:
    state.refused.append(Refusal(name, reason))
    start.note("refuse", name, f"{name}: {reason}", {})


def _storage_left(start: Start, state: Round) -> float:
    """What may still be built: what is to make room counts as gone, though it stands until the round is settled."""
    stands = [derived for identifier, derived in start.design.objects.items() if identifier not in state.yielding]
    return start.storage_bytes - sum(derived.bytes_stored for derived in (*stands, *state.built))


def _with(design: Design, built: Sequence[DerivedObject]) -> Design:
    return replace(design, objects={**design.objects, **{derived.identifier: derived for derived in built}})
