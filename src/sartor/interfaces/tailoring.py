"""The tailor's way as the public methods of a connection: everything here may take its time.

Each function takes the database first and uses Sartor's own connection under `engine_lock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from sartor.core.analysis import Analysis
from sartor.core.design import Alternative, Design, rests_on_facts
from sartor.core.errors import BudgetError
from sartor.freshness import stored
from sartor.freshness.facts import is_fact, verified_keys
from sartor.freshness.files import identity, known_scans
from sartor.freshness.inclusions import verified_inclusions
from sartor.freshness.usable import Use, use
from sartor.interfaces.design_report import Decision, Decisions
from sartor.interfaces.refreshing import anchor_all, purge, refresh
from sartor.interfaces.serving import are_lossless, facts_that_hold
from sartor.interfaces.writing import own_look, own_write, publish_and_save, require_writable
from sartor.sql.scans import file_scans

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

    from sartor.core.table import Catalog
    from sartor.interfaces.compiled import Compiled, LookUp
    from sartor.interfaces.database import Database
    from sartor.interfaces.design_report import DesignReport
    from sartor.interfaces.known import Known
    from sartor.interfaces.report.facts import Facts
    from sartor.interfaces.rewrite_report import RewriteReport
    from sartor.tuner.outcome import TuneReport, UndoReport
    from sartor.workload.workload import Workload

Progress = Callable[[str, float], None] | None

MODES = ("apply", "report", "off")
DEFAULT_STORAGE = "2GB"
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def load(database: Database) -> None:
    """Take over what earlier processes built; it is trusted only if the file was left clean and not touched since."""
    if database.opened.held is None:
        return
    with database.engine_lock:
        engine = database.engine()
        objects = stored.load(engine)
        if not objects:
            return
        from sartor.interfaces.leaving import standing

        trusted = standing(database, engine)
        newest = {derived.identifier: derived for derived in objects}
        known = {
            identifier: stored.trusted(derived, *_counts("" if derived.action.in_memory else trusted.get(identifier, "")))
            for identifier, derived in newest.items()
        }
        choices, saved = stored.load_choices(engine)
        database.publish(Design(known, choices, 1, saved))


def forget_standing(database: Database) -> None:
    """Remove the note of the last clean close."""
    from sartor.interfaces.leaving import forget

    if database.opened.folder is not None and not database.opened.read_only:
        forget(database)


def _counts(state: str) -> tuple[int, int]:
    """The append and mutation count to stamp an object with, by how it stood when the file was closed."""
    if state == Use.WHOLE.value:
        return 0, 0
    return stored.UNKNOWN, 0 if state == Use.RESIDUAL.value else stored.UNKNOWN


def decide(database: Database, known: Known, design: Design) -> Alternative:
    """The alternative for a template under a design: what its trial chose, else what a component predicts."""
    from sartor.components import COMPONENTS, predicted

    template = known.template
    assert template is not None
    catalog = database.catalog()
    analysis = analysed(database, known)
    chosen: Alternative = ()
    if template.names.isdisjoint(database.functions):
        objects = tuple(design.objects.values())
        proved = design.choices.get(template.digest)
        if proved is None:
            chosen = predicted(analysis, objects)
        elif proved and any(proved in component.alternatives(analysis, objects) for component in COMPONENTS):
            chosen = proved
    database.decided.append(Decision(analysis, max(design.objects, default=0), chosen))
    template.alternative = chosen
    template.looked_up = chosen[0].object if _is_in_memory(design, chosen) else 0
    template.decided_for = (design.version, catalog.generation)
    return chosen


def analysed(database: Database, known: Known) -> Analysis:
    """The analysis of a text's template against the catalog of now; made anew only if that has moved."""
    from sartor.sql.analyse import analyse

    template = known.template
    assert template is not None
    catalog = database.catalog()
    if template.analysis is None or template.analysed_for != catalog.generation:
        template.analysis = analyse(known.text, catalog, known.fingerprint)
        template.analysed_for = catalog.generation
    return template.analysis


def _is_in_memory(design: Design, alternative: Alternative) -> bool:
    """Whether an alternative is an object in memory."""
    return any(item.object in design.objects and design.objects[item.object].action.in_memory for item in alternative)


def undo(database: Database, *, compact: bool = False) -> UndoReport:
    """Leave exactly the user's objects in the file."""
    from sartor.tuner.outcome import UndoReport

    require_writable(database)
    with database.engine_lock, own_write(database):
        engine = database.engine()
        objects = len(database.design.objects)
        freed = sum(derived.bytes_stored for derived in database.design.objects.values())
        knew = any(is_fact(derived) for derived in database.design.objects.values())
        database.publish(Design(version=database.design.version + 1))
        if knew:
            database.define()
        database.predicates.forget()
        stored.drop_everything(engine)
        if database.opened.path is not None:
            try:
                engine.execute("CHECKPOINT")
            except duckdb.Error:
                compact = False  # a transaction is open; the blocks are freed at the next checkpoint
        if compact and database.opened.path is not None:
            from sartor.interfaces.leaving import rewrite_small

            rewrite_small(database, engine)
        database.ledger.record("undo", "database", f"everything that was built is gone: {objects} objects, {freed} bytes")
    return UndoReport(freed_bytes=freed, objects=objects, compacted=compact)


def tune(
    database: Database,
    seconds: float,
    storage: str | int,
    mode: str | None,
    progress: Progress,
    clock: Callable[[], float] = time.monotonic,
) -> TuneReport:
    """One round of the tuner over what was observed."""
    from sartor.components import COMPONENTS
    from sartor.tuner.tune import TuneContext
    from sartor.tuner.tune import tune as run

    storage_bytes = bytes_of(storage)
    if seconds <= 0:
        raise BudgetError("a budget of 0 seconds leaves nothing to do; give tune some seconds")
    mode = mode or database.mode
    if mode not in MODES:
        raise BudgetError(f"mode {mode!r} is not one of {', '.join(MODES)}")
    if mode == "apply":
        require_writable(database)
    database.observer.take_in()
    with database.engine_lock, own_write(database):
        refresh(database)
        workload, catalog = _knowing(database, database.design)
        context = TuneContext(
            engine=database.engine(),
            registry=database.registry,
            design=database.design,
            publish=lambda design: publish_and_save(database, design),
            workload=workload,
            catalog=catalog,
            components=COMPONENTS,
            silent=database.silent,
            ledger=database.ledger,
            clock=clock,
            text_for=lambda text, alternative, design, known: text_for(database, text, alternative, design, known),
            knowing=lambda design: _knowing(database, design),
            next_identifier=database.next_identifier,
            sizes=database.sizes,
        )
        report = run(context, seconds=seconds, storage_bytes=storage_bytes, mode=mode, progress=progress)
        if mode == "apply":
            anchor_all(database)
    database.log.flush()
    return report


def _knowing(database: Database, design: Design) -> tuple[Workload, Catalog]:
    """The workload and the catalog as they look under the facts of a design, with all files that the workload reads."""
    workload, engine = database.log.workload(), database.engine()
    scans = dict(known_scans(design.objects.values()))
    for scan in dict.fromkeys(
        scan for t in workload.templates for e in t.executions[:1] for scan in file_scans(e.text, engine.database)
    ):
        info = engine.scan(scan) if scan not in scans and identity(scan) is not None else None
        if info is not None:
            scans[scan] = info
    objects = design.objects.values()
    catalog = database.catalog().knowing(verified_keys(objects), scans, verified_inclusions(objects))
    return workload.analysed(catalog), catalog


def text_for(database: Database, text: str, alternative: Alternative, design: Design, catalog: Catalog) -> Compiled | LookUp | None:
    """What answers a statement by an alternative, or None if it can not be served by it now."""
    from sartor.components import holding
    from sartor.interfaces.compiled import LookUp, compile_text
    from sartor.sql.analyse import analyse

    known = database.known(text)
    analysis = analyse(text, catalog, known.fingerprint)
    if _is_in_memory(design, alternative):
        held = design.objects[alternative[0].object]
        words = known.fingerprint.words(text) if known.fingerprint is not None else ()
        plan = holding(held.action.component).plan(held.action, analysis, words)
        return LookUp(plan, held) if plan is not None and use(held, database.registry.state) is Use.WHOLE else None
    state = database.registry.state
    used = []
    for replacement in alternative:
        derived = design.objects.get(replacement.object)
        places = analysis.blocks if replacement.block else analysis.references
        if derived is None or replacement.reference >= len(places):
            return None
        how = use(derived, state)
        if how is Use.NO:
            return None
        used.append((derived, how))
    if rests_on_facts(alternative) and facts_that_hold(analysis.facts, design, state) is None:
        return None
    compiled = compile_text(known, analysis, alternative, tuple(used), state)
    if compiled is not None and not are_lossless(compiled.rests, used, design, state):
        return None
    if compiled is not None and compiled.keys and facts_that_hold(compiled.keys, design, state) is not None:
        return replace(compiled, check=None)
    return compiled


def explain(database: Database, decision: int) -> str:
    from sartor.tuner.explain import explain as story

    return story(database.ledger, decision)


def design_report(database: Database) -> DesignReport:
    from sartor.interfaces.design_report import design_report as report

    design = database.design
    while database.decided:
        decision = database.decided.popleft()
        for identifier, derived in design.objects.items():
            if identifier <= decision.newest:
                database.decisions.setdefault(identifier, Decisions()).count(decision, derived)
    return report(design, database.registry.state, database.decisions)


def explain_rewrite(database: Database, text: str) -> RewriteReport:
    """Which derived objects a statement could be answered from, which it is, and why not from each other one."""
    from sartor.interfaces.rewrite_report import rewrite_report

    with database.engine_lock:
        return rewrite_report(database, text)


def report(database: Database, path: Path | None) -> Facts:
    """Gather what a report tells and, given a path, write the page there; looking at copies runs statements of their templates."""
    from sartor.interfaces.compiled import Compiled
    from sartor.interfaces.report.copies import Looking
    from sartor.interfaces.report.facts import gather
    from sartor.interfaces.report.page import write

    database.observer.take_in()
    with database.engine_lock, own_look(database):
        design = database.design
        workload, catalog = _knowing(database, design)

        def rewritten(text: str, alternative: Alternative) -> str | None:
            found = text_for(database, text, alternative, design, catalog)
            return found.text if isinstance(found, Compiled) else None

        copies = Looking(database.engine(), design, workload, catalog, rewritten, time.monotonic).copies()
        name = database.opened.path.name if database.opened.path is not None else "a database in memory"
        facts = gather(name, workload, design, database.registry.state, database.ledger.decisions(), copies)
    if path is not None:
        write(facts, path)
    return facts


def workload_table(database: Database) -> pyarrow.Table:
    from sartor.workload.table import as_table

    database.observer.take_in()
    with database.engine_lock:
        return as_table(database.log.workload().analysed(database.catalog()))


def ledger_table(database: Database) -> pyarrow.Table:
    return database.ledger.as_table()


def close(database: Database) -> None:
    """The last connection goes: nothing that holds deleted rows is left behind, and the file's standing is written down."""
    from sartor.interfaces.leaving import leave_clean

    if database.design.objects and not database.opened.read_only:
        try:
            database.look_for_unseen_writes()
            purge(database)
            leave_clean(database, database.engine())
        except duckdb.Error:
            database.ledger.record("distrust", "database", "the file could not be left clean; it is checked when opened again")


def bytes_of(storage: str | int) -> int:
    """A storage budget as bytes.

    >>> bytes_of("2GB"), bytes_of("500 mb"), bytes_of(7)
    (2000000000, 500000000, 7)
    """
    if isinstance(storage, int):
        size: float = storage
    else:
        text = storage.strip().upper()
        unit = next((u for u in ("KB", "MB", "GB", "TB", "B") if text.endswith(u)), "")
        try:
            size = float(text.removesuffix(unit)) * _UNITS.get(unit, 1)
        except ValueError:
            raise BudgetError(f"{storage!r} is not a size; write it as 500MB or 2GB") from None
    if size <= 0:
        raise BudgetError("a storage budget of 0 bytes leaves nothing to do; give tune some storage")
    return int(size)
