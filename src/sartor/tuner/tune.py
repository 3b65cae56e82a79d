"""The shell of a round: it enacts on an engine what the state machine asks for, and reports what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Protocol

from sartor.components.base import Component, Holding
from sartor.core.action import Estimate
from sartor.core.analysis import Analysis
from sartor.core.constants import APPRAISED_SHARE, FIXED_QUERY_SECONDS, PLAIN_ROWS, PLAIN_RUNS
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Design
from sartor.core.table import Catalog, Inclusion
from sartor.engines.base import Engine, Outcome
from sartor.freshness import stored
from sartor.freshness.facts import find_key
from sartor.freshness.held import hold
from sartor.freshness.inclusions import find_inclusion
from sartor.freshness.refresh import Overtaken, build
from sartor.freshness.registry import Registry
from sartor.tuner import loop, steps
from sartor.tuner.chooser import pays
from sartor.tuner.ledger import Ledger
from sartor.tuner.outcome import Refusal, TemplateOutcome, TuneReport
from sartor.tuner.reorganising import remembered
from sartor.tuner.trial import Pair, difference
from sartor.workload.workload import Execution, TemplateStatistics, Workload

Progress = Callable[[str, float], None] | None
_BUILDING_SHARE = (0.1, 0.4)  # of the progress bar: where it begins, how long it is
_PROVING_SHARE = (0.5, 0.5)


class Rewritten(Protocol):
    """A statement as an alternative answers it, and a query that says whether it may be, if one has to."""

    @property
    def check(self) -> str | None: ...

    def run(self, engine: Engine, parameters: Any, plain: Outcome) -> Outcome:
        """Run it to its end; `plain` is what the user's own text gave."""
        ...


@dataclass(slots=True)
class TuneContext:
    """What a round needs of the database that it tunes.

    Attributes:
        publish: puts a design in force and keeps its choices.
        workload: with analyses.
        clock: seconds, from any start.
        text_for: what answers a statement by an alternative under a design, or None if it can not be now.
        knowing: the workload and the catalog as they look under the facts of a design.
        next_identifier: a number that no object has had.
        sizes: what was built in former rounds took, as `steps.Round.sizes`; what this round builds is added.
        silent: names of components that propose nothing; what they built before is weighed like everything else.
        plain_runs: what the last statements gave plain.
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
    text_for: Callable[[str, Alternative, Design, Catalog], Rewritten | None]
    knowing: Callable[[Design], tuple[Workload, Catalog]]
    next_identifier: Callable[[], int]
    sizes: dict[object, int]
    silent: frozenset[str] = frozenset()
    plain_runs: dict[object, Outcome] = field(default_factory=dict)

    @property
    def mends(self) -> bool:
        """Whether copies tell what has changed: not where row ids can not be told to stand."""
        return self.registry.iteration() >= 0


def tune(context: TuneContext, *, seconds: float, storage_bytes: int, mode: str, progress: Progress = None) -> TuneReport:
    """Make one round under hard budgets; see `TuneReport` for what comes back."""
    started = context.clock()
    reads = [t for t in context.workload.reads() if t.replayable and t.plain_seconds]
    if mode == "off" or not reads:
        why = "tuning is off" if mode == "off" else "no queries have been observed yet; ask some, then tune"
        return TuneReport(mode, 0.0, 0.0, 0, (), (), (), note=why)
    number = context.ledger.record("round", "database", f"a round of {seconds:g} s over {len(reads)} templates began")

    def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> list[Alternative]:
        return [option for component in context.components for option in component.alternatives(analysis, objects)]

    def rests(analysis: Analysis, option: Alternative, objects: Mapping[int, DerivedObject]) -> frozenset[int]:
        by_name = {component.name: component for component in context.components}
        found = ((item, objects[item.object]) for item in option if item.object in objects)
        answering = ((by_name.get(one.action.component), item, one) for item, one in found)
        return frozenset(rest.fact for by, item, one in answering if by is not None for rest in by.rests(analysis, item, one))

    def wants(workload: Workload) -> dict[Inclusion, float]:
        objects = tuple(context.design.objects.values())
        wanted = (component.wants(workload, context.catalog, objects) for component in context.components)
        return {inclusion: seconds for found in wanted for inclusion, seconds in found.items()}

    def note(kind: str, subject: str, line: str, details: Mapping[str, Any]) -> None:
        context.ledger.record(kind, subject, line, dict(details), cause=number)

    tell = progress or (lambda text, share: None)
    machine = loop.rounds(
        steps.Start(
            now=started,
            deadline=started + seconds,
            storage_bytes=storage_bytes,
            design=context.design,
            workload=context.workload,
            catalog=context.catalog,
            alternatives=alternatives,
            note=note,
            next_identifier=context.next_identifier,
            sizes=context.sizes,
            wants=wants,
            rests=rests,
            only_report=mode == "report",
            drifting=remembered(context.ledger.decisions()),
            mends=context.mends,
        )
    )
    state = _run(context, machine, tell)
    context.sizes.update(state.sizes)
    if mode != "report":
        _enforce(context, state)
        tell("done", 1.0)
    report = _report(context, state, started, mode)
    summary = f"the round ended after {report.seconds:.1f} s, {report.build_seconds:.1f} s of it building; {len(report.built)} kept"
    context.ledger.record(
        "end", "database", summary, {"seconds": report.seconds, "build_seconds": report.build_seconds, "mode": mode}, cause=number
    )
    return report


def _run(context: TuneContext, machine: steps.Machine, tell: Callable[[str, float], None]) -> steps.Round:
    try:
        step = next(machine)
        while True:
            try:
                answer = _enact(context, step, tell)
            except KeyboardInterrupt as interrupt:
                step = machine.throw(interrupt)
            else:
                step = machine.send(answer)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def _enact(context: TuneContext, step: steps.Step, tell: Callable[[str, float], None]) -> steps.Answer:
    match step:
        case steps.FindKey():
            return _find_key(context, step, tell)
        case steps.Know(design):
            workload, catalog = context.knowing(design)
            return steps.Known(context.clock(), workload, catalog)
        case steps.Appraise():
            tell("looking for what would help", 0.02)
            return _appraise(context, step)
        case steps.Build():
            begin, length = _BUILDING_SHARE
            tell(f"building {steps.name_of(step.estimate.action)}", begin + length * step.share_done)
            return _build(context, step)
        case steps.Drop(derived):
            stored.drop(context.engine, [derived])
            return steps.Made(context.clock(), None)
        case steps.Try():
            begin, length = _PROVING_SHARE
            tell("proving on the real queries", begin + length * step.share_done)
            return _try(context, step)


def _find_key(context: TuneContext, step: steps.FindKey, tell: Callable[[str, float], None]) -> steps.Made:
    tell("looking for keys that hold", 0.01)
    wanted, engine, registry = step.wanted, context.engine, context.registry
    try:
        if isinstance(wanted, Inclusion):
            fact = find_inclusion(engine, registry, wanted, context.catalog, step.identifier)
        else:
            info = context.catalog.info(wanted.source)
            fact = find_key(engine, registry, wanted, info, step.identifier) if info is not None else None
    except Overtaken:
        fact = None
    return steps.Made(context.clock(), fact)


def _appraise(context: TuneContext, step: steps.Appraise) -> steps.Appraised:
    """Estimates of what is not built yet; a source whose estimates fail is left out.

    Templates that an action of one component, if it pays, is expected to spare nearly all their time are not offered to the next ones:
    there is little left to gain, and estimating costs seconds.
    """
    workload, catalog = step.workload, step.catalog
    existing = {(derived.action.sources, derived.action.definition) for derived in context.design.objects.values()}
    found: list[Estimate] = []
    refused = []
    settled: set[str] = set()
    withheld: dict[str, frozenset[str]] = {}
    for component in context.components:
        if component.name in context.silent or not (component.answers or context.mends):
            continue
        if step.components and component.name not in step.components:
            continue
        withheld |= {digest: withheld.get(digest, frozenset()) | {component.name} for digest in settled}
        shown = workload if component.answers else context.workload
        actions = [a for a in component.propose(shown, catalog) if (a.sources, a.definition) not in existing]
        for source in dict.fromkeys(action.source for action in actions):
            ours = [action for action in actions if action.source == source]
            try:
                found += component.estimate(ours, workload, catalog, context.engine)
            except Exception as error:
                refused.append(Refusal(f"{component.name} of {source}", f"its gain could not be estimated: {error}"))
        worth = [estimate for estimate in found if not estimate.action.in_memory and pays(estimate, workload)]
        if not step.components:
            settled |= {template.digest for template in workload.templates if _is_settled(template, worth)}
            workload = replace(workload, templates=tuple(t for t in workload.templates if t.digest not in settled))
    return steps.Appraised(context.clock(), tuple(found), tuple(refused), withheld)


def _is_settled(template: TemplateStatistics, estimates: Sequence[Estimate]) -> bool:
    """Whether some action is expected to spare nearly all that a template takes."""
    saved = max((e.seconds_saved[template.digest].value for e in estimates if template.digest in e.seconds_saved), default=0.0)
    if not template.plain_seconds:
        return False
    most = median(template.plain_seconds) - FIXED_QUERY_SECONDS.default
    return saved > 0.0 and saved >= APPRAISED_SHARE.default * most


def _build(context: TuneContext, step: steps.Build) -> steps.Made:
    stored.prepare(context.engine)
    action = step.estimate.action
    component = next(component for component in context.components if component.name == action.component)
    try:
        if isinstance(component, Holding):
            derived = hold(context.engine, context.registry, component, action, step.identifier)
            with context.engine.transaction():
                stored.save(context.engine, derived)
        else:
            derived = build(context.engine, context.registry, component.build_query, action, step.identifier)
    except Overtaken:
        return steps.Made(context.clock(), None, "its table was being changed; tune again when that is over")
    except Exception as error:
        return steps.Made(context.clock(), None, f"building it failed: {error}", failed=True)
    return steps.Made(context.clock(), derived)


def _try(context: TuneContext, step: steps.Try) -> steps.Tried:
    execution, engine = step.execution, context.engine
    rewritten = context.text_for(execution.text, step.option, step.design, step.catalog)
    if rewritten is None:
        return steps.Tried(context.clock(), None)
    try:
        plain = _plain(context, execution)
        checking = 0.0
        if rewritten.check is not None:
            checked = engine.run(rewritten.check, execution.parameters)
            if not checked.table.column(0)[0].as_py():
                return steps.Tried(context.clock(), None)
            checking = checked.seconds
        other = rewritten.run(engine, execution.parameters, plain)
        found = difference(plain, other, ordered=_ordered(execution.text))
        if found is not None:
            context.plain_runs.clear()  # somebody may have written meanwhile
        if found is not None and difference(plain, engine.run(execution.text, execution.parameters), ordered=True) is None:
            return steps.Tried(context.clock(), None, f"THE ANSWERS DIFFER: {found}")
    except Exception as error:
        return steps.Tried(context.clock(), None, f"it raised: {error}")
    return steps.Tried(context.clock(), Pair(plain.seconds, checking + other.seconds))


def _plain(context: TuneContext, execution: Execution) -> Outcome:
    """A plain run of a statement; of the last few statements one is kept, for other alternatives are compared with the same."""
    asked = (execution.text, repr(execution.parameters))
    found = context.plain_runs.get(asked)
    if found is None:
        if len(context.plain_runs) >= PLAIN_RUNS.default:
            context.plain_runs.clear()
        found = context.engine.run(execution.text, execution.parameters)
        if found.table.num_rows <= PLAIN_ROWS.default:
            context.plain_runs[asked] = found
    return found


def _enforce(context: TuneContext, state: steps.Round) -> None:
    """Put the design of a round in force: facts are kept, what is idle goes after nothing can name it any more."""
    if state.facts:
        stored.prepare(context.engine)
        with context.engine.transaction():
            for fact in state.facts:
                stored.save(context.engine, fact)
    context.publish(state.design)
    if state.idle:
        stored.drop(context.engine, state.idle)


def _report(context: TuneContext, state: steps.Round, started: float, mode: str) -> TuneReport:
    outcomes = []
    for template in state.reads:
        logged = median(template.plain_seconds)
        plain, tuned = state.measured.get(template.digest, (logged, logged))
        decision = "kept" if template.digest in state.choices else "plain" if template.digest in state.measured else "untouched"
        outcomes.append(TemplateOutcome(template.digest, template.template, template.count, plain, tuned, decision))
    return TuneReport(
        mode=mode,
        seconds=context.clock() - started,
        build_seconds=state.build_seconds,
        bytes_added=sum(derived.bytes_stored for derived in state.built),
        built=state.lines,
        refused=tuple(state.refused),
        failed=tuple(state.failed),
        templates=tuple(outcomes),
        interrupted=state.interrupted,
    )


def _ordered(text: str) -> bool:
    return "order by" in " ".join(text.lower().split())
