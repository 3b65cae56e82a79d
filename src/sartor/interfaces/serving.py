"""The query's way: text → what is known of it → the plain statement or an alternative → observation.

Nothing here parses, locks or runs SQL for a text that was seen before. A new text is tokenized; a new template is analysed
on its second run, and only if something has been built that could serve it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.constants import PREDICATE_SECONDS
from sartor.core.derived import DerivedObject
from sartor.core.design import rests_on_facts
from sartor.freshness.registry import RegistryState
from sartor.freshness.usable import Use, loose, moved, settled, unchanged, use
from sartor.interfaces.known import Kept, Known
from sartor.interfaces.predicates import RANGED, Ranged
from sartor.interfaces.results import KEPT, may_be_kept, take
from sartor.interfaces.session import Session
from sartor.sql.classify import NOTHING, Effects
from sartor.workload.log import Observation

if TYPE_CHECKING:
    from sartor.interfaces.database import Database

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\([^()]*\)\s*)?(?=SELECT\b|WITH\b|FROM\b|\()", re.IGNORECASE)
NEVER_RETRIED = (duckdb.InterruptException, duckdb.OutOfMemoryException)


@dataclass(slots=True)
class Pending:
    """An observation that still grows: fetching belongs to the statement.

    Attributes:
        watched: as `Call.watched`.
        begun: the registry when the statement's snapshot was known to have begun.
        ranged: as `Call.ranged`.
        told: the predicate cache knows of it.
    """

    known: Known
    parameters: Any
    started: float
    seconds: float = 0.0
    rows: int = 0
    alternative: tuple[int, ...] = ()
    how: tuple[Use, ...] = ()
    failed: bool = False
    watched: tuple[RegistryState, int] | None = None
    begun: RegistryState | None = None
    ranged: Ranged | None = None
    told: bool = False


@dataclass(slots=True)
class Call:
    """One statement on its way.

    Attributes:
        alternative: the text that answers instead of the user's, or None.
        used: the derived objects it reads and how.
        before: the registry before anything was sent.
        settled: the counts of writes that the look for ties was made under, if one was.
        proof: `Compiled.proof` of it.
        tells: the objects have to cover still what they covered when it was made.
        proven: what is proven under the design that was looked at; a younger design has a set of its own.
        iteration: the registry's, where covered rows are told by row ids that a checkpoint may move; else None.
        close: closes the commit window of a write.
        resume: ends what was held off for it.
        sends: the text itself is sent.
        looks: it may be answered by a look-up in memory.
        rows: the answer, where it was looked up or has been kept.
        watched: the registry and the catalog's generation before anything was sent, where the result may be kept.
        description: of the result, where it was looked up.
        kept: the result that is handed out again.
        ranged: what is remembered of the rows that its conditions let through, where it is run with that.
        describes: it is to be remembered, so that the template can be looked up the next time.
    """

    session: Session
    known: Known | None
    effects: Effects | None
    parameters: Any
    begun: float
    alternative: str | None = None
    used: tuple[tuple[DerivedObject, Use], ...] = ()
    before: RegistryState | None = None
    settled: tuple[tuple[int, int], ...] | None = None
    proof: object = None
    tells: bool = False
    proven: set[object] | None = None
    iteration: int | None = None
    close: Callable[[], None] | None = None
    resume: Callable[[], None] | None = None
    sends: bool = False
    looks: bool = False
    rows: list[tuple[Any, ...]] | None = None
    description: Any = None
    describes: bool = False
    watched: tuple[RegistryState, int] | None = None
    kept: Kept | None = None
    ranged: Ranged | None = None
    raised: bool = False
    served: bool = False

    def may_fall_back(self, error: Exception) -> bool:
        """Whether plain may be run after the alternative raised; notes the failure and switches the template off."""
        if isinstance(error, NEVER_RETRIED) or self.session.transaction is not None:
            return False
        assert self.known is not None
        if self.ranged is not None:
            self.session.database.predicates.failed(self.ranged, self.known.text, error)
            self.ranged = None
        else:
            self.session.database.alternative_failed(self.known, self.alternative or "", error)
        return True

    def still_right(self) -> bool:
        """Whether the objects were current in the snapshot that the alternative read; else its result is discarded."""
        database = self.session.database
        assert self.before is not None
        assert self.known is not None
        database.look_for_unseen_writes()
        state = database.registry.state
        stood = self.iteration is None or database.rows_stood(self.iteration, self.before)
        if self.ranged is not None:
            if stood and self.ranged.holds(state, database.generation):
                return True
            self.ranged = None
            return False
        if self.tells:
            objects = database.design.objects  # read after the registry: what Sartor wrote is published before its window closes
            stood &= not state.own and all(objects.get(item.identifier) is item for item, _ in self.used)
        if stood and unchanged(self.used, self.before, state) and (self.settled is None or self.settled == settled(self.used, state)):
            self.served = True
            assert self.proven is not None
            self.proven.add(self.proof)
            return True
        assert self.known.template is not None
        self.known.template.discarded += 1
        return False

    def end(self) -> None:
        """Close what was opened and leave an observation behind; never raises."""
        session = self.session
        ended = session.database.asked_at = perf_counter()
        session.busy = session.naming = False
        seconds = ended - self.begun
        effects = self.effects
        if self.describes and not self.raised and self.known is not None and self.known.template is not None:
            self.known.template.description = (session.database.generation, self.description)
        if self.sends and not self.raised:
            session.release()  # the stream of the statement before has ended with this one
        if effects is not None and not effects.reads_only:
            _after_write(session, effects, self.raised)
        if self.close is not None:
            if self.raised:
                session.database.registry.write_raised()
            if _may_commit_later(session, effects) and not self.raised:
                session.lingering = self.close
            else:
                self.close()
        if self.resume is not None:
            self.resume()
        if self.known is not None and effects is not None and effects.is_work:
            pending = session.pending = Pending(self.known, self.parameters, time.time() - seconds, seconds, failed=self.raised)
            if self.served:
                pending.alternative = tuple([item.identifier for item, _ in self.used])
                pending.how = tuple([how for _, how in self.used])
            if self.ranged is not None:
                pending.alternative, pending.ranged = (RANGED,), self.ranged
            if self.kept is not None:
                pending.alternative = (KEPT, *self.kept.alternative)
            elif self.watched is not None:
                pending.watched, pending.begun = self.watched, session.database.registry.state
            if not self.looks:
                tell(session, pending)


def begin(session: Session, query: Any, parameters: Any, *, plain: bool = False, looks: bool = False) -> Call:
    """Decide how a statement is run, and open the commit window if it may write.

    Args:
        plain: it is not answered from what is derived.
        looks: whoever sends it can take rows for an answer.

    Never raises: what is not understood is sent as it is, and counts as having written everything.
    """
    begun = perf_counter()
    database = session.database
    if database.mode == "off":
        return Call(session, None, None, parameters, begun)
    session.busy = True
    if session.pending is not None:
        finish(session)
    text = query if isinstance(query, str) else getattr(query, "query", None)
    if not isinstance(text, str):
        return Call(session, None, None, parameters, begun)
    known = database.texts.get(text)
    if known is None:
        known = database.recognise(text)
    elif known.template is None:
        database.complete(known)
    effects = known.effects
    call = Call(session, known, effects, parameters, begun, sends=not plain, looks=looks)
    if effects.reads_only:
        if looks and known.results is not None:
            call.kept = take(session, known, parameters)
        if call.kept is not None:
            call.rows, call.description = call.kept.rows, call.kept.description
        elif database.design.objects and not plain:
            session.naming = True  # before the design is looked at: see Database.publish
            _take_alternative(call, database)
            session.naming = call.alternative is not None
        store = database.predicates.store
        if store.entries and known.unranged != store.version and call.alternative is None and call.rows is None and not plain:
            _take_ranges(call, database)
        if looks and call.rows is None and known.template is not None and may_be_kept(session):
            if call.before is None:
                database.look_for_unseen_writes()
            call.watched = (call.before or database.registry.state, database.generation)
    else:
        call.effects = effects = session.resolve(effects)
        session.profiles |= effects.session and "profil" in text.lower()
        if not effects.reads_only:
            call.close = _open_window(session, effects)
        if effects.checkpoint or effects.defines or effects.everything:
            call.resume = database.predicates.hold_off()
        if not effects.is_work and (database.design.objects or database.predicates.store.entries) and not plain:
            session.naming = True
            _explain_alternative(call, database)
            session.naming = call.alternative is not None
    known.asked = True
    return call


def finish(session: Session) -> None:
    """Hand the last statement's observation to the log, now that nothing can be fetched from it any more."""
    pending, session.pending = session.pending, None
    if pending is not None and not pending.told and not pending.failed:
        tell(session, pending)
    if pending is None or pending.failed or KEPT in pending.alternative:  # what cost nothing says nothing of its template
        return
    template = pending.known.template
    how = None
    if template is not None and pending.ranged is None:
        how = Use.RESIDUAL if Use.RESIDUAL in pending.how else Use.WHOLE if pending.how else None
        if template.observe(pending.seconds, how) and how is not None:
            session.database.put_back(template, how)
    keeper = session.database.keeper
    if template is not None and template.looked_up and how is None and pending.ranged is None:
        session.database.holding.missed(template.looked_up, pending.seconds)
    if keeper is not None and pending.known.effects.reads_only:
        whole = template.usual(Use.WHOLE) if template is not None else None
        residuals = pending.alternative if Use.RESIDUAL in pending.how else ()
        keeper.upkeep.observe(pending.seconds, residuals, whole)
    session.database.log.record(
        Observation(
            template.digest if template is not None else "",
            pending.known.text,
            pending.parameters,
            pending.started,
            pending.seconds,
            pending.rows,
            "read" if pending.known.effects.reads_only else "write",
            pending.alternative,
        )
    )


def tell(session: Session, pending: Pending) -> None:
    """Tell the predicate cache of a statement, once, now that it has been fetched."""
    pending.told = True
    if pending.ranged is not None or pending.seconds >= PREDICATE_SECONDS.default:
        session.database.predicates.observe(pending)


def is_one_statement(query: Any) -> bool:
    """Whether a script holds one statement at most, so that preparing it runs nothing."""
    return ";" not in query.rstrip().rstrip(";") if isinstance(query, str) else True


def hold_open(session: Session, text: str) -> Callable[[], None]:
    """Open the commit window of what `text` would do; returns what closes it, which may be called twice."""
    effects = session.database.recognise(text).effects
    transaction = session.transaction
    if transaction is not None:
        transaction.intend(effects)
    return session.database.window(effects)


def _explain_alternative(call: Call, database: Database) -> None:
    """EXPLAIN shows the plan of what would be run, so that the objects that answer a statement are seen in it."""
    explain = call.known
    assert explain is not None
    asked = _EXPLAIN.match(explain.text)
    if asked is None:
        return
    call.known = database.known(explain.text[asked.end() :])
    _take_alternative(call, database)
    if call.alternative is None:
        _take_ranges(call, database)
    if call.alternative is None:
        call.known = explain
    else:
        call.alternative = asked[0] + call.alternative


def _take_alternative(call: Call, database: Database) -> None:
    session, known = call.session, call.known
    assert known is not None
    transaction = session.transaction
    if session.plain or database.plain or (transaction is not None and transaction.wrote):
        return
    template = known.template
    proven = call.proven = database.proven
    design = database.design if transaction is None else transaction.design
    alternative = database.alternative_for(known, design)
    if not alternative or template is None:
        return
    if session.hides(template.names):
        return
    database.look_for_unseen_writes()
    if template.looked_up:
        if call.looks and transaction is None and session.lingering is None and not session.profiles:
            _look_up(call, database, design.objects.get(template.looked_up))
        return
    state = database.registry.state
    used = []
    for replacement in alternative:
        derived = design.objects.get(replacement.object)
        if derived is None:
            return
        how = use(derived, state)
        if how is Use.NO or (transaction is not None and use(derived, transaction.noted) is not how):
            return
        used.append((derived, how))
    ways = {how for _, how in used}
    for identifier in template.analysis.facts if template.analysis is not None and rests_on_facts(alternative) else ():
        fact = design.objects.get(identifier)
        if fact is None or use(fact, state) is not Use.WHOLE:
            return
        if transaction is not None and use(fact, transaction.noted) is not Use.WHOLE:
            return
        used.append((fact, Use.WHOLE))
    if template.is_off(design, Use.RESIDUAL if Use.RESIDUAL in ways else Use.WHOLE):
        return
    iteration = None
    if Use.RESIDUAL in ways and any(how is Use.RESIDUAL and loose(item, moved(item, state)) for item, how in used):
        if not database.rows_stand(state):
            return
        iteration = database.registry.iteration()
    fixed = -1 if iteration is None or transaction is not None else iteration
    tells = Use.RESIDUAL in ways and transaction is None and not state.own
    compiled = known.compiled(alternative, tuple(used[: len(alternative)]), state, fixed, tells=tells)
    if compiled is None or (transaction is not None and compiled.proof not in proven):
        return
    if compiled.check is not None:
        counts = settled(used, state)
        noted = counts if transaction is None else settled(used, transaction.noted)
        if counts is None or noted != counts or not database.leaves_no_ties(known, compiled, call.parameters, counts):
            return
        if iteration is not None and not database.rows_stood(iteration, state):
            known.ties = None  # rows may have moved while ties were looked for
            return
        call.settled = counts
    call.alternative, call.used, call.before, call.iteration = compiled.text, tuple(used), state, iteration
    call.proof, call.tells = compiled.proof, tells


def _take_ranges(call: Call, database: Database) -> None:
    """Run a statement with the row ids that are remembered for its conditions, if they hold and nothing else answers it."""
    session, known = call.session, call.known
    assert known is not None
    template = known.template
    if template is None or session.transaction is not None or session.plain or database.plain:
        return
    found = database.predicates.take(known, call.parameters)
    if found is None:
        return
    if session.hides(template.names):
        return
    database.look_for_unseen_writes()
    state = database.registry.state
    if not found.holds(state, database.generation) or session.plain or database.predicates.off:
        return
    iterations = found.iterations
    if iterations:
        if not database.rows_stand(state) or iterations != {database.registry.iteration()}:
            return
        (call.iteration,) = iterations
    call.alternative, call.ranged, call.before = found.text, found, state


def _look_up(call: Call, database: Database, derived: DerivedObject | None) -> None:
    """Answer a statement from memory, if that covers every row at this moment, which is then the statement's snapshot."""
    known = call.known
    assert known is not None
    template = known.template
    assert template is not None
    if derived is None or derived.content is None or use(derived, database.registry.state) is not Use.WHOLE:
        return
    plan = known.plan(derived.action)
    if plan is None or template.is_off(database.design, Use.WHOLE):
        return
    if template.description is None or template.description[0] != database.generation:
        call.describes = True
        return
    try:
        call.rows = plan.answer(derived, call.parameters)
    except Exception as error:
        database.alternative_failed(known, "a look-up in memory", error)
        return
    if call.rows is not None:
        call.used, call.served, call.description = ((derived, Use.WHOLE),), True, template.description[1]


def _may_commit_later(session: Session, effects: Effects | None) -> bool:
    """Whether a statement may commit only when its result has been fetched: a SELECT that writes is streamed (measured)."""
    return effects is not None and effects.everything and not effects.transaction and session.transaction is None


def _open_window(session: Session, effects: Effects) -> Callable[[], None]:
    transaction = session.transaction
    if transaction is None or effects.mixed_transaction:
        return session.database.window(effects)
    if effects.transaction == "commit":
        return session.database.window_of_commit(transaction)
    transaction.intend(effects)
    return session.database.window(NOTHING)


def _after_write(session: Session, effects: Effects, raised: bool) -> None:
    match effects.transaction:
        case "begin" if not raised:
            session.begin()
        case "commit" | "rollback":
            session.end()
        case _:
            session.learn(effects)
