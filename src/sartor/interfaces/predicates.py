"""The predicate cache of one database: what is remembered of restrictions, looked up on the query's way, found by a thread of its own.

A restriction is FROM and WHERE of a SELECT with its literals and values. The first time that a template takes its time, ranges of
row ids are looked for at once, for it may well come again; while those have not been used, other literals have to be asked twice.
So whatever comes, looking for ranges that are never used takes about as long as statements asked twice did (ski rental, as `holding`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import Queue
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.constants import DECISION_CACHE_ENTRIES, PREDICATE_ENTRIES, PREDICATE_RETRY, SETS_OF_PARAMETERS
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.freshness.row_ranges import hold, iteration_of
from sartor.freshness.usable import Use, use
from sartor.interfaces.remembered import Entry, Store
from sartor.interfaces.results import parameters_key

if TYPE_CHECKING:
    from sartor.components.predicate_cache.propose import Candidate
    from sartor.core.action import Action
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.call import Call
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Known, Template
    from sartor.sql.restriction import Asked

RANGED = -1  # among the identifiers of what answered a statement: ranges of row ids that were remembered; no object has this number


@dataclass(frozen=True, slots=True)
class Ranged:
    """A statement as it is run with what is remembered.

    Attributes:
        entries: what its text rests on, with the keys that it is found by.
        generation: of the catalog.
    """

    text: str
    entries: tuple[tuple[Hashable, Entry], ...]
    generation: int

    @property
    def live(self) -> bool:
        return all(entry.live for _, entry in self.entries)

    @property
    def iterations(self) -> frozenset[int]:
        """The iterations of the header that its row ids hold for; empty if they hold for all."""
        return frozenset(one for _, entry in self.entries if (one := iteration_of(entry.derived)) is not None)

    def holds(self, state: RegistryState, generation: int) -> bool:
        """Whether it is right as far as counts tell: to be asked before the text is sent, and when its snapshot has begun."""
        return generation == self.generation and all(hold(entry.derived, state) for _, entry in self.entries)


@dataclass(frozen=True, slots=True)
class _Missed:
    """A statement that was run plain, and took its time."""

    known: Known
    parameters: Any
    seconds: float


class Predicates:
    """What is remembered for the statements of one database.

    Attributes:
        store: what is remembered, by restriction, values and table.
        off: why nothing is; empty if something may be.
    """

    def __init__(self, database: Database, *, is_wanted: bool) -> None:
        self._database = database
        self.store = Store(int(PREDICATE_ENTRIES.default))
        self.off = "" if is_wanted else "it was not asked for"
        if database.mode != "apply":
            self.off = f"the mode is {database.mode}"
        self._queue: Queue[_Missed | None] = Queue()
        self._runs: dict[Hashable, float] = {}  # without row ids, by restriction, since they were looked for
        self._unused: dict[str, int] = {}  # by template: what was found and not used since
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._engine: DuckDBEngine | None = None
        self._turn = threading.Condition()
        self._looking = False
        self._held_off = 0  # statements during which nobody may look
        self._stopped = False

    # On the query's way -------------------------------------------------------------------------------------------

    def take(self, known: Known, parameters: Any) -> Ranged | None:
        """What a statement may be run with, as far as is known; whether it holds now is not looked at."""
        given, generation, version = _told_apart(parameters), self._database.generation, self.store.version
        if given is None:
            return None
        found = known.ranged.get(given) if known.ranged else None
        if isinstance(found, Ranged):
            if found.generation == generation and found.live:
                return found
        elif found == version:
            return None
        template = known.template
        if template is None or template.candidates is None or template.candidates[0] != generation or not template.candidates[1]:
            known.unranged = version
            return None
        made = self._made(known, parameters, template.candidates[1], generation)
        if known.ranged is None or len(known.ranged) >= SETS_OF_PARAMETERS.default:
            known.ranged = {}
        known.ranged[given] = version if made is None else made
        if made is None and parameters is None:
            known.unranged = version
        return made

    def observe(self, pending: Call) -> None:
        """Take in what a statement took, now that it has been fetched, if it was served or took long enough."""
        known, ranged, seconds = pending.known, pending.ranged, pending.seconds
        if known is None:
            return
        if ranged is not None:
            self._served(known, pending.parameters, ranged, seconds)
        elif not pending.alternative and not self.off and known.effects.reads_only:
            template = known.template
            if template is None or template.candidates != (self._database.generation, ()):
                self._ask(_Missed(known, pending.parameters, seconds))

    def failed(self, ranged: Ranged, text: str, error: Exception) -> None:
        """A text with ranges raised: its entries are let go of, and the ledger says why."""
        with self._lock:
            for key, _ in ranged.entries:
                self._let_go(key)
        self._database.ledger.record(
            "fall_back",
            text,
            "a statement with remembered row ids raised, plain was run, and they are let go of",
            {"error": str(error)},
        )

    # Around ---------------------------------------------------------------------------------------------------------

    def stop_serving(self, reason: str) -> None:
        """From now on nothing is remembered: a condition may mean something else on some connection."""
        with self._lock:
            self.off = self.off or reason
            self.store.clear()

    def forget(self) -> None:
        """Let go of everything; it may be remembered again."""
        with self._lock:
            self.store.clear()

    def hold_off(self) -> Callable[[], None]:
        """Stop looking for row ids until what is returned is called.

        DuckDB refuses a checkpoint, and an index, while somebody reads what has been changed since, and that may not be us.
        """
        with self._turn:
            self._held_off += 1
            try:
                while self._looking:
                    self._interrupt()
                    self._turn.wait(_INTERRUPTED_EVERY)
            except BaseException:  # Ctrl-C: nothing is returned that could be called
                self._held_off -= 1
                raise

        def resume() -> None:
            with self._turn:
                self._held_off -= 1

        return resume

    def wait(self) -> None:
        """Wait until nothing is being looked for."""
        self._queue.join()

    def stop(self) -> None:
        """Nothing is looked for any more; what is under way is stopped and waited for."""
        with self._lock:
            self._stopped = True
            thread = self._thread
            if thread is not None:
                self._queue.put(None)
        self._interrupt()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    # Parts ----------------------------------------------------------------------------------------------------------

    def _made(self, known: Known, parameters: Any, candidates: tuple[Candidate, ...], generation: int) -> Ranged | None:
        """The statement with the ranges of each of its restrictions that are remembered."""
        from sartor.components.predicate_cache.serve import rewritten

        printed = known.fingerprint
        used, entries = [], []
        for candidate in candidates if printed is not None else ():
            assert printed is not None
            asked = candidate.asked(known.text, printed, parameters)
            key = _key(candidate, asked.text, asked.values) if asked is not None else None
            entry = self.store.get(key) if key is not None else None
            if entry is not None and entry.generation == generation:
                used.append((candidate, entry.derived))
                entries.append((key, entry))
        if not used or printed is None:
            return None
        return Ranged(rewritten(known.text, printed, used), tuple(entries), generation)

    def _served(self, known: Known, parameters: Any, ranged: Ranged, seconds: float) -> None:
        state, digest = self._database.registry.state, known.template.digest if known.template is not None else ""
        for key, entry in ranged.entries:
            self.store.use(entry)
            self._unused[entry.template] = 0
            if entry.served(seconds, is_own=digest == entry.template):
                with self._lock:
                    self._let_go(key)
            elif entry.lost_seconds >= entry.spent_seconds and use(entry.derived, state) is Use.RESIDUAL:
                entry.lost_seconds = 0.0
                self._ask(_Missed(known, parameters, entry.spent_seconds))

    def _let_go(self, key: Hashable) -> None:
        """Forget what did not pay, and do not look for it for a while; whoever calls holds the lock."""
        self.store.remove(key)
        self._runs[key] = -PREDICATE_RETRY.default

    def _interrupt(self) -> None:
        engine = self._engine
        if engine is not None:
            engine.interrupt()

    def _ask(self, missed: _Missed) -> None:
        """Hand a statement to the thread."""
        with self._lock:
            if self._stopped or self._queue.qsize() > _WAITING:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sartor-predicates", daemon=True)
                self._thread.start()
            self._queue.put(missed)

    # In the thread --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            missed = self._queue.get()
            try:
                if missed is None:
                    return
                if not self._stopped and not self.off:
                    self._consider(missed)
            except KeyboardInterrupt:
                continue
            except Exception as error:  # nothing here may break anything: what is not remembered is run plain
                self.off = self.off or "looking for row ids raised"
                self._database.ledger.record("fall_back", "database", f"nothing is remembered of restrictions any more: {error!r}")
            finally:
                self._queue.task_done()

    def _consider(self, missed: _Missed) -> None:
        """Look for the ranges of a statement's restrictions after enough runs without: looking takes about as long as one."""
        database, known, seconds = self._database, missed.known, missed.seconds
        if known.template is None:
            database.complete(known)
        template, printed = known.template, known.fingerprint
        if template is None or printed is None or not known.effects.reads_only or _told_apart(missed.parameters) is None:
            return
        generation, candidates = self._candidates(known, template)
        for candidate in candidates:
            asked = candidate.asked(known.text, printed, missed.parameters)
            if asked is None:
                continue
            key = _key(candidate, asked.text, asked.values)
            entry = self.store.get(key)
            how = use(entry.derived, database.registry.state) if entry is not None else Use.NO
            if entry is not None and how is not Use.NO and entry.generation != generation:
                self._carry_over(key, entry, candidate.action(asked), generation)
                continue
            if how is Use.WHOLE:
                continue
            if len(self._runs) >= DECISION_CACHE_ENTRIES.default:
                self._runs.clear()
            runs = self._runs[key] = self._runs.get(key, 0.0) + 1
            wasted = entry.wasted + (not entry.uses) if entry is not None else 0
            if runs >= (1 + min(self._unused.get(template.digest, 0), 1)) * 2 ** min(wasted, _DOUBLINGS):
                self._find(candidate, asked, key, template, seconds, generation)

    def _candidates(self, known: Known, template: Template) -> tuple[int, tuple[Candidate, ...]]:
        """The candidates of a template under the catalog of now, with its generation; looked for once."""
        from sartor.components.predicate_cache.propose import candidates
        from sartor.sql.analyse import analyse

        generation, held = self._database.generation, template.candidates
        if held is not None and held[0] == generation:
            return held
        catalog, printed = self._database.current_catalog(), known.fingerprint
        assert printed is not None
        analysis = analyse(known.text, catalog, printed)
        own = template.names.isdisjoint(self._database.functions)
        found = candidates(known.text, printed, analysis, catalog) if own else ()
        if catalog.generation != generation:
            return generation, ()  # a definition came between
        template.candidates = (generation, found)
        self.store.version += 1  # to whatever was remembered for others: it may serve this template too
        return generation, found

    def _carry_over(self, key: Hashable, entry: Entry, action: Action, generation: int) -> None:
        """A definition moved the catalog, and the restriction means what it meant: a change of its tables had moved their counts."""
        with self._lock:
            if entry.derived.action == action and generation == self._database.generation and entry.live:
                self.store.put(key, replace(entry, generation=generation))

    def _find(
        self,
        candidate: Candidate,
        asked: Asked,
        key: Hashable,
        template: Template,
        seconds: float,
        generation: int,
    ) -> None:
        from sartor.components.predicate_cache.apply import remember
        from sartor.components.predicate_cache.estimate import pays
        from sartor.freshness.refresh import Overtaken

        database = self._database
        if self._held_off:
            return
        self._runs[key] = 0.0
        self._unused[template.digest] = self._unused.get(template.digest, 0) + 1
        try:
            with self._engine_in_turn() as engine:
                started = time.perf_counter()
                derived = remember(engine, database.registry, candidate.action(asked), asked.values)
                spent = time.perf_counter() - started
            database.look_for_unseen_writes()
        except (Overtaken, KeyboardInterrupt):
            return  # it is tried again after as many runs again
        except duckdb.Error as error:
            kept = tuple(one for one in (template.candidates or (0, ()))[1] if one is not candidate)
            template.candidates = (generation, kept)
            database.ledger.record(
                "fall_back", template.digest, f"a restriction can not be looked at alone, and is run plain: {error}"
            )
            return
        with self._lock:
            if self.off or generation != database.generation or not hold(derived, database.registry.state):
                return
            if pays(derived.content, derived.coverage.high_water):
                before, plain = self.store.get(key), min(seconds, spent)
                wasted = before.wasted + 1 if before is not None and not before.uses else 0
                self.store.put(key, Entry(derived, generation, template.digest, plain, spent, wasted, spared_seconds=plain))
            else:
                self._let_go(key)

    @contextmanager
    def _engine_in_turn(self) -> Iterator[DuckDBEngine]:
        """A connection of its own, while nobody holds it off.

        Raises:
            KeyboardInterrupt: somebody does, or did meanwhile.
        """
        with self._turn:
            if self._held_off or self._stopped:
                raise KeyboardInterrupt
            self._looking = True
        try:
            engine = self._engine = DuckDBEngine(self._database.opened.connection.cursor())
            try:
                self._database.look_for_unseen_writes()
                yield engine
            finally:
                self._engine = None
                engine.close()
        finally:
            with self._turn:
                self._looking = False
                self._turn.notify_all()


_INTERRUPTED_EVERY = 0.002  # seconds: an interrupt that comes before a statement begins is lost
_DOUBLINGS = 6  # of the runs before they are looked for again, each time that what was found went stale before it was used
_WAITING = 256  # statements that wait to be looked at: more are not taken in


def _told_apart(parameters: Any) -> Hashable:
    """What tells the parameters of statements apart; None for such as are not told apart."""
    if type(parameters) is not dict:
        return parameters_key(parameters)
    values = parameters_key(tuple(parameters.values()))
    return None if values is None else (tuple(parameters), values)


def _key(candidate: Candidate, text: str, values: tuple[Any, ...]) -> Hashable:
    """What tells restrictions apart: their text, the values with their types, and the table."""
    return candidate.source, candidate.alias, text, parameters_key(values)
