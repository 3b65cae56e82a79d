"""One round: propose, estimate, choose, build, prove, keep or drop. The shell that enacts it on an engine.

Whatever ends the round early, a time budget or an interrupt, leaves a valid design: an object stays only if a trial proved it
for some template, and a template that was not tried runs plain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any

from sartor.components.base import Component
from sartor.core.action import Action, Estimate
from sartor.core.analysis import WantedKey
from sartor.core.constants import KEY_SECONDS_PER_ROW, PAYBACK_REPEATS, TRIAL_SHARE, TRIAL_STATEMENTS
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.core.table import Catalog
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.facts import find_key, is_fact
from sartor.freshness.refresh import Overtaken, build
from sartor.freshness.registry import Registry
from sartor.tuner.chooser import choose
from sartor.tuner.ledger import Ledger
from sartor.tuner.outcome import Refusal, TemplateOutcome, TuneReport
from sartor.tuner.trial import Pair, Verdict, difference, verdict
from sartor.workload.workload import TemplateStatistics, Workload

Progress = Callable[[str, float], None] | None


@dataclass(slots=True)
class TuneContext:
    """What a round needs of the database that it tunes.

    Attributes:
        publish: puts a design in force and keeps its choices.
        workload: with analyses.
        clock: seconds, from any start.
        text_for: the text that answers a statement by an alternative under a design, or None if it can not be now.
        knowing: the workload and the catalog as they look under the facts of a design.
    """

    engine: Engine
    registry: Registry
    design: Design
    publish: Callable[[Design], None]
    workload: Workload
    catalog: Catalog
    components: Sequence[Component]
    ledger: Ledger
    clock: Callable[[], float]
    text_for: Callable[[str, Alternative, Design, Catalog], str | None]
    knowing: Callable[[Design], tuple[Workload, Catalog]]


@dataclass(slots=True)
class _Round:
    """What a round has done so far."""

    number: int
    deadline: float
    built: list[DerivedObject] = field(default_factory=list)
    facts: list[DerivedObject] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    choices: dict[str, Alternative] = field(default_factory=dict)
    measured: dict[str, tuple[float, float]] = field(default_factory=dict)
    build_seconds: float = 0.0


def tune(context: TuneContext, *, seconds: float, storage_bytes: int, mode: str, progress: Progress = None) -> TuneReport:
    """Make one round under hard budgets; see `TuneReport` for what comes back."""
    started = context.clock()
    tell = progress or (lambda text, share: None)
    reads = [t for t in context.workload.reads() if t.replayable and t.plain_seconds]
    if mode == "off" or not reads:
        note = "tuning is off" if mode == "off" else "no queries have been observed yet; ask some, then tune"
        return TuneReport(mode, 0.0, 0.0, 0, (), (), (), note=note)
    number = context.ledger.record("round", "database", f"a round of {seconds:g} s over {len(reads)} templates began")
    round_ = _Round(number, started + seconds)
    tell("looking for what would help", 0.02)
    reads = _establish(context, round_, reads)
    estimates = _estimates(context, round_, reads)
    kept_bytes = sum(derived.bytes_stored for derived in context.design.objects.values())
    choice = choose(
        estimates,
        context.workload,
        storage_bytes=storage_bytes - kept_bytes,
        build_seconds=(round_.deadline - context.clock()) * TRIAL_SHARE.default,
    )
    for action, reason in choice.refused:
        round_.refused.append(Refusal(_name(action), reason))
        context.ledger.record("refuse", _name(action), f"{_name(action)} is not built: {reason}", cause=number)
    if mode == "report":
        return _report(context, round_, reads, started, mode, tuple(_promise(item) for item in choice.chosen))
    interrupted = False
    try:
        _build(context, round_, choice.chosen, storage_bytes - kept_bytes, tell)
        _prove(context, round_, reads, tell)
    except KeyboardInterrupt:
        interrupted = True
    lines = _settle(context, round_, reads)
    tell("done", 1.0)
    return replace(_report(context, round_, reads, started, mode, lines), interrupted=interrupted)


def _establish(context: TuneContext, round_: _Round, reads: list[TemplateStatistics]) -> list[TemplateStatistics]:
    """Look whether the keys that would let templates be served hold, where finding out costs less than the templates do."""
    wanted: dict[WantedKey, float] = {}
    for template in reads:
        for key in template.analysis.wanted if template.analysis is not None else ():
            wanted[key] = wanted.get(key, 0.0) + template.total_seconds
    known = {(fact.action.source, frozenset(fact.action.get("key"))) for fact in context.design.objects.values() if is_fact(fact)}
    for key, seconds in sorted(wanted.items(), key=lambda item: -item[1]):
        info = context.catalog.info(key.source)
        if info is None or info.rows * KEY_SECONDS_PER_ROW.default > min(
            seconds * PAYBACK_REPEATS.default, round_.deadline - context.clock()
        ):
            continue
        if any(source == key.source and columns <= key.columns for source, columns in known):
            continue
        try:
            fact = find_key(context.engine, context.registry, key, info, _next_identifier(context, round_))
        except Overtaken:
            continue
        if fact is not None:
            columns = frozenset(name.lower() for name in fact.action.get("key"))
            known.add((key.source, columns))
            round_.facts.append(fact)
            context.ledger.record("fact", str(fact.identifier), f"{_name(fact.action)} holds for the data", cause=round_.number)
    if not round_.facts:
        return reads
    context.workload, context.catalog = context.knowing(_with(context.design, round_.facts))
    digests = {template.digest for template in reads}
    return [template for template in context.workload.reads() if template.digest in digests]


def _next_identifier(context: TuneContext, round_: _Round) -> int:
    made = [derived.identifier for derived in (*round_.facts, *round_.built)]
    return max((*context.design.objects, *made), default=0) + 1


def _estimates(context: TuneContext, round_: _Round, reads: Sequence[TemplateStatistics]) -> list[Estimate]:
    """Estimates of what is not built yet, for templates that nothing serves yet."""
    unserved = replace(context.workload, templates=tuple(t for t in reads if not context.design.choices.get(t.digest)))
    existing = {(d.action.source, d.action.definition) for d in context.design.objects.values()}
    found: list[Estimate] = []
    for component in context.components:
        actions = [
            action for action in component.propose(unserved, context.catalog) if (action.source, action.definition) not in existing
        ]
        for source in dict.fromkeys(action.source for action in actions):
            ours = [action for action in actions if action.source == source]
            try:
                found += component.estimate(ours, unserved, context.catalog, context.engine)
            except Exception as error:
                _refuse(context, round_, f"{component.name} of {source}", f"its gain could not be estimated: {error}")
    return found


def _build(
    context: TuneContext, round_: _Round, chosen: Sequence[Estimate], storage_bytes: float, tell: Callable[[str, float], None]
) -> None:
    if chosen:
        stored.prepare(context.engine)
    components = {component.name: component for component in context.components}
    identifier = _next_identifier(context, round_) - 1
    ordered = sorted(chosen, key=lambda item: -_promised_seconds(item, context.workload))
    for place, item in enumerate(ordered):
        name = _name(item.action)
        tell(f"building {name}", 0.1 + 0.4 * place / len(ordered))
        if item.build_seconds.value > round_.deadline - context.clock():
            _refuse(context, round_, name, "the time left was too short to build it")
            continue
        identifier += 1
        query = components[item.action.component].build_query
        before = context.clock()
        try:
            derived = build(context.engine, context.registry, query, item.action, identifier)
        except Overtaken:
            _refuse(context, round_, name, "its table was being changed; tune again when that is over")
            continue
        except KeyboardInterrupt:
            raise
        except Exception as error:
            _refuse(context, round_, name, f"building it failed: {error}")
            continue
        round_.build_seconds += context.clock() - before
        if derived.bytes_stored > storage_bytes:
            stored.drop(context.engine, [derived])
            _refuse(context, round_, name, f"it took {derived.bytes_stored / 1e6:.0f} MB, more than the storage budget")
            continue
        storage_bytes -= derived.bytes_stored
        round_.built.append(derived)
        context.ledger.record(
            "build",
            str(identifier),
            f"{name} was built in {derived.build_seconds:.2f} s and takes {derived.bytes_stored / 1e6:.1f} MB; " + _promise(item),
            {"action": name, "templates": sorted(item.seconds_saved)},
            cause=round_.number,
        )


def _prove(context: TuneContext, round_: _Round, reads: Sequence[TemplateStatistics], tell: Callable[[str, float], None]) -> None:
    """Try each template with what was built, those that took most seconds first, until the time is over."""
    design = _with(context.design, (*round_.facts, *round_.built))
    fresh = {derived.identifier for derived in round_.built}
    for place, template in enumerate(reads):
        tell("proving on the real queries", 0.5 + 0.5 * place / len(reads))
        if template.analysis is None:
            continue
        options = [
            option
            for component in context.components
            for option in component.alternatives(template.analysis, tuple(design.objects.values()))
            if any(item.object in fresh for item in option)
        ]
        best: tuple[float, Alternative] | None = None
        for option in options[: int(TRIAL_STATEMENTS.default)]:
            if context.clock() >= round_.deadline:
                return
            pairs = _try(context, round_, template, option, design)
            if pairs is None:
                continue
            plain = median(pair.plain for pair in pairs)
            tuned = median(pair.alternative for pair in pairs)
            round_.measured.setdefault(template.digest, (plain, plain))
            if verdict(pairs) is Verdict.KEEP and (best is None or tuned < best[0]):
                best = (tuned, option)
                round_.measured[template.digest] = (plain, tuned)
        if best is not None:
            round_.choices[template.digest] = best[1]


def _try(context: TuneContext, round_: _Round, template: TemplateStatistics, option: Alternative, design: Design) -> list[Pair] | None:
    """Pairs of runs over the template's statements until the verdict is clear; None if the alternative can not be used."""
    pairs: list[Pair] = []
    statements = [e for e in template.executions if e.parameters is None or isinstance(e.parameters, list | tuple | dict)]
    while statements and verdict(pairs) is Verdict.MORE and context.clock() < round_.deadline:
        execution = statements[len(pairs) % len(statements)]
        text = context.text_for(execution.text, option, design, context.catalog)
        if text is None:
            return None
        try:
            plain = context.engine.run(execution.text, execution.parameters)
            other = context.engine.run(text, execution.parameters)
        except KeyboardInterrupt:
            raise
        except Exception as error:
            _note_trial(context, round_, template, option, f"it raised: {error}")
            return None
        found = difference(plain, other, ordered=_ordered(execution.text))
        if found is not None and difference(plain, context.engine.run(execution.text, execution.parameters), ordered=True) is None:
            _note_trial(context, round_, template, option, f"THE ANSWERS DIFFER: {found}")
            return None
        pairs.append(Pair(plain.seconds, other.seconds))
    ratio = median(p.plain / max(p.alternative, 1e-9) for p in pairs) if pairs else 1.0
    result = verdict(pairs) if pairs else Verdict.LOSE
    _note_trial(context, round_, template, option, f"{result.value} after {len(pairs)} pairs, {ratio:.2f} times as fast as plain")
    return pairs or None


def _settle(context: TuneContext, round_: _Round, reads: Sequence[TemplateStatistics]) -> tuple[str, ...]:
    """Put in force what was proved, and drop what no template won by."""
    choices = {**context.design.choices}
    for template in reads:
        if template.digest in round_.choices:
            choices[template.digest] = round_.choices[template.digest]
        else:
            choices.setdefault(template.digest, ())
    used = {item.object for alternative in choices.values() for item in alternative}
    used |= {fact for template in reads if choices[template.digest] and template.analysis for fact in template.analysis.facts}
    everything = _with(context.design, (*round_.facts, *round_.built))
    if any(fact.identifier in used for fact in round_.facts):
        with context.engine.transaction():
            for fact in round_.facts:
                stored.save(context.engine, fact)
    idle = [derived for identifier, derived in everything.objects.items() if identifier not in used]
    kept = {identifier: derived for identifier, derived in everything.objects.items() if identifier in used}
    context.publish(Design(kept, choices, context.design.version + 1))
    if idle:
        stored.drop(context.engine, idle)
    lines = []
    for derived in idle:
        if is_fact(derived):
            continue
        _refuse(context, round_, _name(derived.action), "no template became clearly faster by it, so it was dropped")
    for derived in round_.built:
        if derived.identifier in used:
            served = sum(any(item.object == derived.identifier for item in choice) for choice in choices.values())
            line = f"{_name(derived.action)} ({derived.bytes_stored / 1e6:.1f} MB) serves {served} templates"
            lines.append(line)
            context.ledger.record("keep", str(derived.identifier), line, cause=round_.number)
    round_.built = [derived for derived in round_.built if derived.identifier in used]
    return tuple(lines)


def _report(
    context: TuneContext,
    round_: _Round,
    reads: Sequence[TemplateStatistics],
    started: float,
    mode: str,
    lines: tuple[str, ...],
) -> TuneReport:
    outcomes = []
    for template in reads:
        logged = median(template.plain_seconds)
        plain, tuned = round_.measured.get(template.digest, (logged, logged))
        decision = "kept" if template.digest in round_.choices else "plain" if template.digest in round_.measured else "untouched"
        outcomes.append(TemplateOutcome(template.digest, template.template, template.count, plain, tuned, decision))
    return TuneReport(
        mode=mode,
        seconds=context.clock() - started,
        build_seconds=round_.build_seconds,
        bytes_added=sum(derived.bytes_stored for derived in round_.built),
        built=lines,
        refused=tuple(round_.refused),
        templates=tuple(outcomes),
    )


def _with(design: Design, built: Sequence[DerivedObject]) -> Design:
    return replace(design, objects={**design.objects, **{derived.identifier: derived for derived in built}})


def _name(action: Action) -> str:
    definition: dict[str, Any] = dict(action.definition)
    source = str(action.source).replace('"', "")
    key = ", ".join(definition.get("key", ()))
    return f"{action.component} of {source} by {key}" if key else f"{action.component} of {source} in its own order"


def _promised_seconds(item: Estimate, workload: Workload) -> float:
    counts = {template.digest: template.count for template in workload.reads()}
    return sum(counts.get(digest, 0) * evidence.value for digest, evidence in item.seconds_saved.items())


def _promise(item: Estimate) -> str:
    best = max((evidence.value for evidence in item.seconds_saved.values()), default=0.0)
    return (
        f"it is predicted to help {len(item.seconds_saved)} templates by up to {best * 1e3:.1f} ms a run, at "
        f"{item.build_seconds.value:.1f} s to build and {item.bytes_stored.value / 1e6:.0f} MB"
    )


def _refuse(context: TuneContext, round_: _Round, name: str, reason: str) -> None:
    round_.refused.append(Refusal(name, reason))
    context.ledger.record("refuse", name, f"{name}: {reason}", cause=round_.number)


def _note_trial(context: TuneContext, round_: _Round, template: TemplateStatistics, option: Alternative, result: str) -> None:
    objects = ", ".join(str(item.object) for item in option)
    context.ledger.record(
        "trial", template.digest, f"with object {objects}: {result}", {"template": template.template}, cause=round_.number
    )


def _ordered(text: str) -> bool:
    return "order by" in " ".join(text.lower().split())
