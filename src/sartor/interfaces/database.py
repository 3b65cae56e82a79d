"""What the connections of one database share: what was seen written, what is in force, what is known of each text.

Databases of one file are one: a second `connect` to the same file in this process joins the first. Sartor's own
statements run on a connection of its own, made when it is first needed and used by one thread at a time.
"""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.constants import DECISION_CACHE_ENTRIES, DRAIN_SECONDS
from sartor.core.design import Alternative, Design
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.freshness.facts import verified_keys
from sartor.freshness.files import known_scans
from sartor.freshness.inclusions import verified_inclusions
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.usable import Use
from sartor.freshness.watch import Watch
from sartor.interfaces import refreshing, sharing, tailoring, writing
from sartor.interfaces.design_report import Decision, Decisions
from sartor.interfaces.extents import Extents
from sartor.interfaces.holding import Holding
from sartor.interfaces.known import Known, Template
from sartor.interfaces.observing import Observer
from sartor.interfaces.opening import Opened, open_plain
from sartor.interfaces.predicates import Predicates
from sartor.interfaces.results import Results
from sartor.interfaces.session import Session, Transaction
from sartor.interfaces.told import ToldRows
from sartor.sql.classify import Effects, classify
from sartor.sql.fingerprint import Fingerprint, fingerprint
from sartor.sql.likeness import Likeness, cut, likeness
from sartor.tuner.ledger import Ledger
from sartor.workload.log import WorkloadLog

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.core.derived import DerivedObject
    from sartor.core.table import Catalog, TableName
    from sartor.engines.base import Engine
    from sartor.interfaces.compiled import Compiled
    from sartor.interfaces.keeper import Keeper

_NOTHING: Any = object()  # stands for what was never seen
_LAYOUTS = "layouts"  # the component, whose code is not imported for a name
OWN_THREADS = "sartor-"  # what the names of Sartor's own threads begin with
_Plain = duckdb.DuckDBPyConnection
_OPEN: dict[str, Database] = {}
_OPEN_LOCK = threading.RLock()


class Database:
    """One database instance of this process and what Sartor knows of it.

    Attributes:
        registry: what this process has seen written.
        design: what is in force; replaced as a whole, never changed.
        generation: moves with any definition statement of any connection.
        plain: why everything runs plain; empty if it does not.
        texts, templates: what is known of each text and template; bounded, dropped as a whole when full.
        decisions: what was decided about each derived object, by its identifier; those of `decided` are not among them yet.
        decided: the last decisions, which are counted when somebody asks how many there were: looking at all objects takes time.
        sizes: what was built took, also what is gone: what turned out too large is not built again.
        proven: `Call.proof` of what ran without an error since the design or the catalog last moved.
        engine_lock: held by whoever uses `engine`.
        asked_at: when the last statement ended, on `time.perf_counter`.
        keeper: what refreshes and tunes in idle time, if it was asked for.
        holding: what keeps objects in memory up to date.
        predicates: the row ids that are remembered of conditions.
        observer: what takes in what statements have shown.
        silent: components that propose nothing.
        told: what appended rows add to views.
        extents: what appended rows lie between.
        results: those that are kept and handed out again while their tables are the same.
    """

    def __init__(
        self, opened: Opened, *, keep_literals: bool, mode: str, keep_results: bool, predicate_cache: bool, layouts: bool
    ) -> None:
        self.opened = opened
        self.mode = mode
        self.registry = Registry(self._header if opened.held is not None and not opened.shared else None)
        self.design = Design()
        self.generation = 0
        self.plain = opened.plain
        self.texts: dict[str, Known] = {}
        self.templates: dict[str, Template] = {}
        self.decisions: dict[int, Decisions] = {}
        self.decided: deque[Decision] = deque(maxlen=int(DECISION_CACHE_ENTRIES.default))
        self.sizes: dict[object, int] = {}
        self._likes: dict[object, Likeness | None] = {}
        self._touched = False
        self._identifier = 0
        self.proven: set[object] = set()
        self.engine_lock = threading.RLock()
        self.asked_at = time.perf_counter()
        self.keeper: Keeper | None = None
        self.holding = Holding(self)
        self.predicates = Predicates(self, is_wanted=predicate_cache)
        self.silent = frozenset() if layouts else frozenset({_LAYOUTS})
        self.results = Results(self, is_wanted=keep_results and mode == "apply")
        self.told = ToldRows(self)
        self.extents = Extents(self)
        self.observer = Observer(self)
        self.log = WorkloadLog(opened.folder, keep_literals=keep_literals)
        self.ledger = Ledger(opened.folder)
        self.functions: frozenset[str] = frozenset()
        self._catalog: Catalog | None = None
        self.shadows: frozenset[str] = frozenset()
        self._engine = DuckDBEngine(opened.connection)
        self._watch = Watch(self._engine, opened.held, shared=opened.shared)
        self._sessions: dict[int, Session] = {}
        self._lock = threading.RLock()  # re-entered when a collected connection leaves

    # Opening and closing ------------------------------------------------------------------------------------------

    @staticmethod
    def open(
        path: str | os.PathLike[str],
        read_only: bool,
        config: dict[str, Any] | None,
        *,
        shared: bool,
        keep_literals: bool,
        mode: str,
        keep_results: bool,
        predicate_cache: bool,
        layouts: bool,
    ) -> tuple[Database, duckdb.DuckDBPyConnection]:
        """Open a database, or join the one that is open; gives it with a new plain connection to it."""
        with _OPEN_LOCK:
            opened = open_plain(path, read_only, config, shared=shared)
            database = _OPEN.get(opened.key) if opened.key else None
            if database is not None:
                return database, opened.connection
            database = Database(
                opened,
                keep_literals=keep_literals,
                mode=mode,
                keep_results=keep_results,
                predicate_cache=predicate_cache,
                layouts=layouts,
            )
            if opened.key:
                _OPEN[opened.key] = database
            tailoring.load(database)
            # Closing a connection closes its cursors, so the first connection is Sartor's own and the user gets a cursor.
            return database, _Plain.cursor(opened.connection)

    def sessions(self) -> list[Session]:
        """The sessions of the connections that are open."""
        with self._lock:
            return list(self._sessions.values())

    def enter(self, session: Session) -> None:
        with self._lock:
            self._sessions[id(session)] = session

    def leave(self, session: Session) -> None:
        """A connection goes; with the last one the database is left clean and Sartor's own connection is closed."""
        from sartor.interfaces.serving import finish

        with _OPEN_LOCK:
            with self._lock:
                if self._sessions.pop(id(session), None) is None:
                    return
                last = not self._sessions
            finish(session)
            if not last:
                return
            if self.opened.key:
                _OPEN.pop(self.opened.key, None)
            self.close()

    def close(self) -> None:
        """Leave the file clean, flush what was observed, and let go of the instance."""
        if self.keeper is not None:
            self.keeper.stop()
        self.holding.stop()
        self.predicates.stop()
        with self.engine_lock:
            tailoring.close(self)
            self._engine.close()
        self.observer.settle()
        self.log.close()
        self.ledger.close()

    def keep(self) -> None:
        """From now on refresh and tune in idle time; a database that can not be written is left as it is."""
        from sartor.interfaces.keeper import Keeper

        with self._lock:
            if self.keeper is None and not self.opened.read_only and self.mode != "off":
                self.keeper = Keeper(self)
                self.keeper.start()

    # Sartor's own connection --------------------------------------------------------------------------------------

    def engine(self) -> Engine:
        """Sartor's own way into the database; the caller holds `engine_lock`."""
        return self._engine

    def catalog(self) -> Catalog:
        """The catalog as of now; asked of the engine when a definition has moved it. The caller holds `engine_lock`."""
        generation = self.generation
        if self._catalog is None or self._catalog.generation != generation:
            objects = self.design.objects.values()
            known = verified_keys(objects), known_scans(objects), verified_inclusions(objects)
            self._catalog = self.engine().catalog(generation).knowing(*known, has_layouts=self._has_layouts(objects))
        return self._catalog

    def _has_layouts(self, objects: Iterable[DerivedObject]) -> bool:
        return _LAYOUTS not in self.silent or any(derived.action.component == _LAYOUTS for derived in objects)

    def current_catalog(self) -> Catalog:
        """The catalog as of now, without waiting for whoever uses the engine if no definition has moved it."""
        catalog = self._catalog
        if catalog is not None and catalog.generation == self.generation:
            return catalog
        with self.engine_lock:
            return self.catalog()

    # What is known of a text --------------------------------------------------------------------------------------

    def recognise(self, text: str) -> Known:
        """Take in a text that was not seen before.

        Where nothing like it was asked before, it is only told whether it may write: its template is looked for when it or
        its like is asked again.
        """
        if len(self.texts) >= DECISION_CACHE_ENTRIES.default:
            self.texts.clear()
            self._likes.clear()
        known, parts = Known(text), cut(text)
        like = self._likes.get(parts.key, _NOTHING)
        if like is _NOTHING:
            self._likes[parts.key] = None
            known.effects = classify(text)
        else:
            printed = like.fingerprint(text, parts) if like is not None else None
            if printed is None:
                printed = fingerprint(text)
                if like is None:
                    self._likes[parts.key] = likeness(text, parts, printed)
            self.complete(known, printed)
        self.texts[text] = known
        return known

    def complete(self, known: Known, printed: Fingerprint | None = None) -> None:
        """Find the template of a text; all statements of a template read only, or none does.

        Args:
            printed: its fingerprint, if it is known.
        """
        known.fingerprint = printed or fingerprint(known.text)
        digest = known.fingerprint.digest
        template = self.templates.get(digest)
        if template is None:
            if len(self.templates) >= DECISION_CACHE_ENTRIES.default:
                self.templates.clear()
            template = self.templates[digest] = Template(digest, known.fingerprint.template)
        known.template = template
        if template.effects is None:
            effects = known.effects if known.asked else classify(known.text)
            template.effects = effects if effects.reads_only else None
            known.effects = effects
        else:
            known.effects = template.effects

    def known(self, text: str) -> Known:
        """What is known of a text, its template with it."""
        known = self.texts.get(text) or self.recognise(text)
        if known.template is None:
            self.complete(known)
        return known

    def can_run(self, text: str) -> bool:
        """Whether a text can be parsed, so that it may do anything at all; also if Sartor's own connection is not free to tell."""
        if not self.engine_lock.acquire(blocking=False):
            return True
        try:
            return self._engine.understands(text)
        except Exception:
            return True
        finally:
            self.engine_lock.release()

    def alternative_for(self, known: Known, design: Design) -> Alternative:
        """The alternative that this design serves a text by; decided once per design and catalog generation.

        A template is analysed when it is asked again, and only if Sartor's own connection is free at once.
        """
        template = known.template
        if template is None:
            return ()
        if template.decided_for == (design.version, self.generation):
            return template.alternative
        if not self.engine_lock.acquire(blocking=False):
            return ()
        try:
            return tailoring.decide(self, known, design)
        except Exception:
            self.alternative_failed(known, "", None)
            return ()
        finally:
            self.engine_lock.release()

    def leaves_no_ties(self, known: Known, compiled: Compiled, parameters: Any, counts: tuple[tuple[int, int], ...]) -> bool:
        """Whether a statement's ORDER BY leaves no ties among the rows that it shows; looked at once for each state of its tables.

        It is not looked at while Sartor's own connection is busy; then there may be ties.

        Args:
            counts: of writes to its tables, none of which is under way.
        """
        seen = (compiled.text, repr(parameters), counts)
        if known.ties is not None and known.ties[0] == seen:
            return known.ties[1]
        if compiled.check is None or not self.engine_lock.acquire(blocking=False):
            return False
        try:
            total = self.engine().rows(compiled.check, parameters) == [(True,)]
        except Exception as error:
            self.alternative_failed(known, compiled.check, error)
            return False
        finally:
            self.engine_lock.release()
        known.ties = (seen, total)
        return total

    def tables_read(self, known: Known) -> frozenset[TableName] | None:
        """The tables whose rows alone decide the answer of a text; None if it is not known, or Sartor's own connection is not free."""
        analysis = self.analysis(known)
        return analysis.reads if analysis is not None else None

    def gives_one_row(self, known: Known) -> bool:
        """Whether a text is known to give one row at most; as above."""
        analysis = self.analysis(known)
        return analysis is not None and analysis.one_row

    def analysis(self, known: Known) -> Analysis | None:
        """The analysis of a text against the catalog of now; None if there is none, or Sartor's own connection is not free."""
        template = known.template
        if template is None or not template.names.isdisjoint(self.functions):
            return None
        if template.analysis is None or template.analysed_for != self.generation:
            if not self.engine_lock.acquire(blocking=False):
                return None
            try:
                tailoring.analysed(self, known)
            finally:
                self.engine_lock.release()
        return template.analysis

    # Writes -------------------------------------------------------------------------------------------------------

    def window(self, effects: Effects) -> Callable[[], None]:
        """Open the commit window of a statement that commits by itself; returns what closes it."""
        return self._window(effects.appends, effects.mutates, effects.everything, effects.defines, dict(effects.changes))

    def window_of_commit(self, transaction: Transaction) -> Callable[[], None]:
        """Open the commit window of a transaction that is about to commit."""
        return self._window(
            frozenset(transaction.appends),
            frozenset(transaction.mutates),
            transaction.everything,
            transaction.defines,
            transaction.changes,
        )

    def _window(
        self,
        appends: frozenset[str],
        mutates: frozenset[str],
        everything: bool,
        defines: bool,
        changes: dict[str, frozenset[str]],
    ) -> Callable[[], None]:
        if not self.registry.state.open:
            self.look_for_unseen_writes()  # before they hide behind this window
        self.touch()
        window = self.registry.window(appends=appends, mutates=mutates, everything=everything, changes={} if defines else changes)
        if defines:
            self.define()

        def close() -> None:
            if defines:
                self.define()
            self._watch.settle()
            window.close()

        return close

    def rows_stand(self, state: RegistryState) -> bool:
        """Whether no checkpoint can be under way now, so that row ids do not move while a statement is sent.

        Of a file that others write too this is not known; they look at the file less often than we do.
        """
        return self.opened.shared or not state.open

    def rows_stood(self, iteration: int, before: RegistryState) -> bool:
        """Whether no row id has moved since they stood in the state `before`; asked when the snapshot is known to have begun.

        A checkpoint begins and ends inside a window: if none is open now, and none was, then one that came between has moved the
        header. In memory there is no header, so nothing may have come between.
        """
        if self.opened.shared:
            return True
        state = self.registry.state
        return not state.open and (state is before if iteration < 0 else self.registry.iteration() == iteration)

    def _header(self) -> int:
        assert self.opened.held is not None
        return self.opened.held.pair()[1]

    def touch(self) -> None:
        """Something is about to be written: how the file was left last time holds no longer."""
        if not self._touched:
            self._touched = True
            tailoring.forget_standing(self)

    def define(self) -> None:
        """The catalog may have changed: what was decided under the old one is dead."""
        with self._lock:
            self.generation += 1
            self.proven = set()

    def define_function(self, name: str) -> None:
        """A user's function may hide one of DuckDB's: statements that name it run plain."""
        self.functions |= {name.lower()}
        self.define()

    def run_plain(self, reason: str) -> None:
        """From now on every statement of this database runs plain in this process."""
        if not self.plain:
            self.plain = reason
            self.ledger.record("fall_back", "database", f"every statement runs plain from now on: {reason}")

    def look_for_unseen_writes(self) -> None:
        """Distrust everything if something ran that no commit window accounts for.

        It may have changed any name on any connection that is open, so all of those run plain from now on.
        """
        if not self._watch.accounts_for(self.registry):
            reason = "something was written past Sartor"
            for session in self.sessions():
                session.plain = session.plain or reason
            self.distrust(reason)

    def settle(self) -> None:
        """All that shows as changed now is accounted for by a window that is still open."""
        self._watch.settle()

    def shadow(self, names: frozenset[str]) -> None:
        """Names that mean something else on every connection from now on."""
        self.shadows |= names

    def distrust(self, reason: str) -> None:
        self.registry.distrust(reason)
        self.define()
        self.ledger.record("distrust", "database", f"nothing that was built is used until it is verified: {reason}")

    # Design -------------------------------------------------------------------------------------------------------

    def publish(self, design: Design) -> None:
        """Put a design in force; when this returns, nothing that is on its way names an object of the one before.

        So what the new design does not hold may be dropped: a statement marks itself before it looks at the design, and a
        transaction goes on with an old one only by texts that are proven, of which none are left.
        """
        with self._lock:
            self.design = design
            self.proven = set()
        mine = (0, threading.get_ident())  # this thread sends nothing now; what Ctrl-C left of its last statement is no statement
        while any(session.naming not in mine for session in self.sessions()):
            time.sleep(DRAIN_SECONDS.default)

    def put_in_force(self, derived: DerivedObject) -> None:
        """An object whose content is other than it was answers the same statements as before; nothing if it is gone meanwhile."""
        with self._lock:
            design = self.design
            before = design.objects.get(derived.identifier)
            if before is not None and before.generation == derived.generation and before.action == derived.action:
                self.design = replace(design, objects={**design.objects, derived.identifier: derived})

    def next_identifier(self) -> int:
        """A number that no derived object of this database has had in this process."""
        with self._lock:
            self._identifier = max((self._identifier, *self.design.objects)) + 1
            return self._identifier

    def alternative_failed(self, known: Known, text: str, error: Exception | None) -> None:
        """An alternative, or deciding for one, raised: the template runs plain and the ledger says why."""
        template = known.template
        if template is None:
            return
        template.switch_off(self.design)
        template.decided_for = (self.design.version, self.generation)
        template.alternative = ()
        template.looked_up = 0
        trace = "".join(traceback.format_exception(error)) if error is not None else traceback.format_exc()
        self.ledger.record(
            "fall_back",
            template.digest,
            "an alternative raised, plain was run, and this template runs plain until the design changes",
            {"traceback": trace, "alternative": text},
        )

    def handing_failed(self, known: Known, text: str, error: Exception) -> None:
        """DuckDB refused a text with values beside it: the template's statements keep their literals until it is analysed anew."""
        template = known.template
        if template is None or template.handing is None:
            return
        template.handing.off = True
        details = {"traceback": "".join(traceback.format_exception(error)), "alternative": text}
        self.ledger.record(
            "fall_back", template.digest, "values beside its text raised, plain was run; its literals stay in it", details
        )

    def put_back(self, template: Template, how: Use) -> None:
        """A way of being served is slower than plain: the template runs plain instead until the design changes."""
        template.switch_off(self.design, (how,))
        form = "with the rows appended since" if how is Use.RESIDUAL else "from what is built"
        self.ledger.record("put_back", template.digest, f"runs plain again: answering it {form} became slower than plain was")

    # The public methods -------------------------------------------------------------------------------------------

    tune = tailoring.tune
    undo = tailoring.undo
    refresh = refreshing.refresh
    purge = refreshing.purge
    explain = tailoring.explain
    design_report = tailoring.design_report
    explain_rewrite = tailoring.explain_rewrite
    report = tailoring.report
    workload_table = tailoring.workload_table
    ledger_table = tailoring.ledger_table
    export_workload = sharing.export_workload
    install = writing.install
    install_key = writing.install_key
    install_inclusion = writing.install_inclusion
