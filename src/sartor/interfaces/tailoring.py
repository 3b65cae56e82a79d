"""The tailor's way as the public methods of a connection: everything here may take its time.

Each function takes the database first and uses Sartor's own connection under `engine_lock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import duckdb

from sartor.core.analysis import Analysis, WantedKey
from sartor.core.design import Alternative, Design, rests_on_facts
from sartor.core.errors import BudgetError, DatabaseUnavailable
from sartor.core.table import Column, FileScan, TableName
from sartor.freshness import stored
from sartor.freshness.facts import checked, find_key, is_fact, verified_keys
from sartor.freshness.files import identity, known_scans
from sartor.freshness.usable import Use, use
from sartor.interfaces.design_report import Decisions
from sartor.sql.scans import file_scans

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow

    from sartor.core.action import Action
    from sartor.core.derived import DerivedObject
    from sartor.core.table import Catalog
    from sartor.freshness.changes import Changes
    from sartor.interfaces.database import Database
    from sartor.interfaces.design_report import DesignReport
    from sartor.interfaces.known import Compiled, Known
    from sartor.interfaces.report.facts import Facts
    from sartor.interfaces.rewrite_report import RewriteReport
    from sartor.tuner.outcome import TuneReport, UndoReport
    from sartor.workload.workload import Workload

Progress = Callable[[str, float], None] | None

MODES = ("apply", "report", "off")
DEFAULT_STORAGE = "2GB"
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@contextmanager
def own_write(database: Database) -> Iterator[None]:
    """Sartor's own connection is about to write: the file's pair moves, but no table of the user's does."""
    database.touch()
    if not database.registry.state.open:
        database.look_for_unseen_writes()  # before they hide behind this window
    window = database.registry.window(own=True)
    try:
        yield
    except BaseException:
        database.registry.write_raised()
        raise
    finally:
        database.settle()
        window.close()


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
        known = {identifier: stored.trusted(derived, *_counts(trusted.get(identifier, ""))) for identifier, derived in newest.items()}
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
    from sartor.components import COMPONENTS
    from sartor.sql.analyse import analyse

    template = known.template
    assert template is not None
    catalog = database.catalog()
    if template.analysis is None or template.analysed_for != catalog.generation:
        template.analysis = analyse(known.text, catalog, known.fingerprint)
        template.analysed_for = catalog.generation
    analysis = template.analysis
    chosen: Alternative = ()
    offered: list[Alternative] = []
    if template.names.isdisjoint(database.functions):
        objects = tuple(design.objects.values())
        offered = [option for component in COMPONENTS for option in component.alternatives(analysis, objects)]
        if template.digest not in design.choices:
            chosen = offered[0] if offered else ()
        elif design.choices[template.digest] in offered:
            chosen = design.choices[template.digest]
    _count(database, analysis, design, offered, chosen)
    template.alternative = chosen
    template.decided_for = (design.version, catalog.generation)
    return chosen


def _count(database: Database, analysis: Analysis, design: Design, offered: list[Alternative], chosen: Alternative) -> None:
    """Note for each object that it was considered for a template, could answer it, was chosen."""
    read = {source for block in analysis.blocks for source in block.sources} | {one.source for one in analysis.references}
    matched = {replacement.object for alternative in offered for replacement in alternative}
    for identifier, derived in design.objects.items():
        if not read.isdisjoint(derived.action.sources):
            counts = database.decisions.setdefault(identifier, Decisions())
            counts.considered += 1
            counts.matched += identifier in matched
            counts.chosen += any(replacement.object == identifier for replacement in chosen)


def install(database: Database, action: Action) -> DerivedObject:
    """Build one derived object by hand and put it in force, without a trial."""
    from sartor.components import component
    from sartor.freshness.refresh import build

    with database.engine_lock, own_write(database):
        engine = database.engine()
        stored.prepare(engine)
        identifier = database.next_identifier()
        derived = build(engine, database.registry, component(action.component).build_query, action, identifier)
        _replace_object(database, derived)
        if any(isinstance(source, FileScan) for source in action.sources):
            database.define()
        return derived


def install_key(database: Database, source: TableName, columns: frozenset[str]) -> DerivedObject | None:
    """Find a key of a table among these columns by hand and rest on it from now on; None if they hold none."""
    with database.engine_lock, own_write(database):
        engine = database.engine()
        stored.prepare(engine)
        info = database.catalog().info(source)
        if info is None:
            return None
        identifier = database.next_identifier()
        fact = find_key(engine, database.registry, WantedKey(source, columns), info, identifier)
        if fact is not None:
            with engine.transaction():
                stored.save(engine, fact)
            _replace_object(database, fact)
            database.define()
        return fact


def refresh(database: Database, only: frozenset[int] | None = None, each: Callable[[int, float], None] | None = None) -> int:
    """Bring every object, or only these, up to date: append the tail, verify what is distrusted, mend or rebuild what was mutated.

    Args:
        each: told the identifier of each object that was worked on, and the seconds that it took.
    """
    from sartor.freshness.changes import forget

    worked = 0
    with database.engine_lock:
        if database.opened.read_only:
            return 0
        if not database.registry.state.open:
            database.look_for_unseen_writes()
        known: list[Changes] = []
        try:
            # Copies first, the widest before others: they tell what has changed.
            for derived in sorted(database.design.objects.values(), key=lambda one: -len(one.definition().get("columns", ()))):
                how = use(derived, database.registry.state)
                if how is Use.WHOLE or (only is not None and derived.identifier not in only):
                    continue
                worked += 1
                started = time.perf_counter()
                _refresh_one(database, derived, how, known)
                if each is not None:
                    each(derived.identifier, time.perf_counter() - started)
        finally:
            if known:
                with own_write(database):
                    forget(database.engine(), known)
        _anchor(database)
    return worked


def _refresh_one(database: Database, derived: DerivedObject, how: Use, known: list[Changes]) -> None:
    from sartor.freshness.refresh import Overtaken

    with own_write(database):
        try:
            fresh = _brought_up(database, derived, how, known)
        except Overtaken:
            return
        except duckdb.Error as error:
            line = f"{derived.table} was dropped: it can not be built any more ({error})"
            database.ledger.record("purge", str(derived.identifier), line)
            fresh = None
        if fresh is None:
            _drop_objects(database, [derived])
        else:
            _replace_object(database, fresh)
            if fresh.generation != derived.generation:
                stored.drop(database.engine(), [derived])


def _anchor(database: Database) -> None:
    """Find the last rows covered anew where a checkpoint may have moved them, so that statements need not."""
    from sartor.freshness.refresh import anchor

    iteration = database.registry.iteration()
    for derived in list(database.design.objects.values()) if iteration >= 0 else ():
        if any(not one.files and one.iteration != iteration for one in derived.coverages):
            with own_write(database):
                found = anchor(database.engine(), database.registry, derived)
                if found is not None:  # what it holds is the same, so that what was decided stands
                    design = database.design
                    database.publish(replace(design, objects={**design.objects, found.identifier: found}))


def _brought_up(database: Database, derived: DerivedObject, how: Use, known: list[Changes]) -> DerivedObject | None:
    """The object under what its sources hold now; None if it has to be dropped.

    Args:
        known: changes of tables found so far; those found by this object are added.
    """
    from sartor.components import component
    from sartor.freshness.mend import mend
    from sartor.freshness.refresh import anchor, append_tail, build, verify

    engine, registry = database.engine(), database.registry
    if is_fact(derived):
        fact = checked(engine, registry, derived)
        if fact is not None:
            with engine.transaction():
                stored.save(engine, fact)
        return fact
    kind = component(derived.action.component)
    if how is Use.RESIDUAL:
        return append_tail(engine, registry, kind.tail_query, anchor(engine, registry, derived) or derived)
    if registry.state.distrusted or any(coverage.mutations == stored.UNKNOWN for coverage in derived.coverages):
        verified = verify(engine, registry, derived)
        if verified is not None:
            return verified
    if not _has_its_sources(database, derived.action):
        return None
    started = time.perf_counter()
    infos = [database.catalog().info(source) for source in derived.action.sources]
    if not any(info is not None and info.has_generated for info in infos):
        try:
            mended = mend(engine, registry, kind.mend, derived, known)
        except duckdb.Error as error:
            database.ledger.record("refresh", str(derived.identifier), f"{derived.table} could not be mended: {error}")
            mended = None
        if mended is not None:
            fresh, found = mended
            known += [found] if found is not None else []
            spent = time.perf_counter() - started
            database.ledger.record("refresh", str(derived.identifier), f"{fresh.table} was mended in {spent:.2f} s")
            return fresh
    started = time.perf_counter()
    fresh = build(engine, registry, kind.build_query, derived.action, derived.identifier, derived.generation + 1)
    database.ledger.record("refresh", str(derived.identifier), f"{fresh.table} was rebuilt in {time.perf_counter() - started:.2f} s")
    return fresh


def _has_its_sources(database: Database, action: Action) -> bool:
    """Whether all tables and files that an object derives from are there, with the columns that it rests on."""
    for source, schema in zip(action.sources, action.schemas, strict=True):
        if isinstance(source, FileScan):
            info = database.engine().scan(source)
            if info is None or info.columns != tuple(Column(*column) for column in schema):
                return False
        else:
            info = database.catalog().info(source)
            if info is None:
                return False
            types = {column.name: column.type for column in info.columns}
            if any(types.get(name) != kind for name, kind in schema):
                return False
    return True


def purge(database: Database) -> int:
    """Drop every object that may still hold rows which its table no longer has; returns how many."""
    with database.engine_lock:
        stale = [d for d in database.design.objects.values() if use(d, database.registry.state) is Use.NO]
        if stale and not database.opened.read_only:
            with own_write(database):
                _drop_objects(database, stale)
            for derived in stale:
                database.ledger.record("purge", str(derived.identifier), f"{derived.table} was dropped: its table changed")
        return len(stale)


def undo(database: Database, *, compact: bool = False) -> UndoReport:
    """Leave exactly the user's objects in the file."""
    from sartor.tuner.outcome import UndoReport

    _writable(database)
    with database.engine_lock, own_write(database):
        engine = database.engine()
        objects = len(database.design.objects)
        freed = sum(derived.bytes_stored for derived in database.design.objects.values())
        database.publish(Design(version=database.design.version + 1))
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
        _writable(database)
    for session in database.sessions():
        from sartor.interfaces.serving import finish

        finish(session)
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
            ledger=database.ledger,
            clock=clock,
            text_for=lambda text, alternative, design, known: text_for(database, text, alternative, design, known),
            knowing=lambda design: _knowing(database, design),
            next_identifier=database.next_identifier,
            sizes=database.sizes,
        )
        report = run(context, seconds=seconds, storage_bytes=storage_bytes, mode=mode, progress=progress)
        if mode == "apply":
            _anchor(database)
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
    catalog = database.catalog().knowing(verified_keys(design.objects.values()), scans)
    return workload.analysed(catalog), catalog


def text_for(database: Database, text: str, alternative: Alternative, design: Design, catalog: Catalog) -> Compiled | None:
    """The text that answers a statement by an alternative, or None if it can not be served by it now."""
    from sartor.interfaces.known import compile_text
    from sartor.sql.analyse import analyse

    known = database.known(text)
    analysis = analyse(text, catalog, known.fingerprint)
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
    facts = [design.objects.get(identifier) for identifier in analysis.facts] if rests_on_facts(alternative) else []
    if any(fact is None or use(fact, state) is not Use.WHOLE for fact in facts):
        return None
    return compile_text(known, analysis, alternative, tuple(used), state)


def publish_and_save(database: Database, design: Design) -> None:
    """Put a design in force and keep what its trials chose in the file."""
    before, after = database.design.objects.values(), design.objects.values()
    database.publish(design)
    if verified_keys(before) != verified_keys(after) or known_scans(before) != known_scans(after):
        database.define()
    if design.objects:
        stored.save_choices(database.engine(), design)


def explain(database: Database, decision: int) -> str:
    from sartor.tuner.explain import explain as story

    return story(database.ledger, decision)


def design_report(database: Database) -> DesignReport:
    from sartor.interfaces.design_report import design_report as report

    return report(database.design, database.registry.state, database.decisions)


def explain_rewrite(database: Database, text: str) -> RewriteReport:
    """Which derived objects a statement could be answered from, which it is, and why not from each other one."""
    from sartor.interfaces.rewrite_report import rewrite_report

    with database.engine_lock:
        return rewrite_report(database, text)


def report(database: Database, path: Path | None) -> Facts:
    """Gather what a report tells and, given a path, write the page there."""
    from sartor.interfaces.report.facts import gather
    from sartor.interfaces.report.page import write
    from sartor.interfaces.serving import finish

    for session in database.sessions():
        finish(session)
    with database.engine_lock:
        workload, _ = _knowing(database, database.design)
        name = database.opened.path.name if database.opened.path is not None else "a database in memory"
        facts = gather(name, workload, database.design, database.registry.state, database.ledger.decisions())
    if path is not None:
        write(facts, path)
    return facts


def workload_table(database: Database) -> pyarrow.Table:
    from sartor.interfaces.serving import finish
    from sartor.workload.table import as_table

    for session in database.sessions():
        finish(session)
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


def _writable(database: Database) -> None:
    if database.opened.read_only:
        raise DatabaseUnavailable("the database was opened read-only; open it for writing to change what is built")


def _replace_object(database: Database, derived: DerivedObject) -> None:
    design = database.design
    database.publish(replace(design, objects={**design.objects, derived.identifier: derived}, version=design.version + 1))


def _drop_objects(database: Database, objects: list[DerivedObject]) -> None:
    design = database.design.without({derived.identifier for derived in objects})
    database.publish(design)
    if any(is_fact(derived) for derived in objects):
        database.define()
    stored.drop(database.engine(), objects)
    stored.save_choices(database.engine(), design)
