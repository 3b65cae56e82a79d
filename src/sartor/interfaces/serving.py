"""The query's way: text → what is known of it → the plain statement or an alternative → observation.

Nothing here parses, locks or runs SQL for a text that was seen before. A new text is tokenized; a new template is analysed
on its second run, and only if something has been built that could serve it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from threading import get_ident
from time import perf_counter
from typing import TYPE_CHECKING, Any

from sartor.core.derived import DerivedObject
from sartor.core.design import rests_on_facts
from sartor.freshness.inclusions import is_lossless
from sartor.freshness.usable import Use, loose, moved, settled, use
from sartor.interfaces.call import Call
from sartor.interfaces.compiled import may_leave_ties, request
from sartor.interfaces.handing import Handing
from sartor.interfaces.known import Appended
from sartor.interfaces.session import Session
from sartor.sql.classify import NOTHING, READ, Effects

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.core.design import Alternative, Design
    from sartor.freshness.registry import RegistryState
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Template
    from sartor.interfaces.session import Transaction
    from sartor.interfaces.told import Told
    from sartor.sql.matching.found import Rest

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\([^()]*\)\s*)?(?=SELECT\b|WITH\b|FROM\b|\()", re.IGNORECASE)


def begin(session: Session, query: Any, parameters: Any, *, plain: bool = False, looks: bool = False) -> Call:
    """Decide how a statement is run, and open the commit window if it may write.

    Args:
        plain: it is not answered from what is derived.
        looks: whoever sends it can take rows for an answer.

    What is not understood is sent as it is, and counts as having written everything. Ctrl-C alone is raised, and leaves nothing open.
    """
    began = perf_counter()
    database = session.database
    if database.mode == "off":
        return Call(session, None, None, parameters, began)
    session.busy = True
    if session.pending is not None:
        finish(session)
    text = query if isinstance(query, str) else getattr(query, "query", None)
    if not isinstance(text, str):
        return Call(session, None, None, parameters, began)
    known = database.texts.get(text)
    if known is None:
        known = database.recognise(text)
    elif known.template is None:
        database.complete(known)
    call = Call(session, known, known.effects, parameters, began, not plain, looks, known.asked)
    try:
        if known.effects.reads_only:
            _look(call, plain)
        else:
            _open(call, text, plain)
    except BaseException:  # Ctrl-C
        call.raised = True
        call.end()
        raise
    known.asked = True
    return call


def _look(call: Call, plain: bool) -> None:
    """What a statement that only reads is answered from."""
    session, known, database = call.session, call.known, call.session.database
    assert known is not None
    template, results = known.template, database.results
    if known.small and call.looks and not results.off:
        call.kept = results.take(session, known, call.parameters)
    if call.kept is not None:
        call.rows, call.description = call.kept.rows, call.kept.description
    elif template is not None and not plain and template.may_be_served(database.design, database.generation):
        session.naming = get_ident()  # before the design is looked at: see Database.publish
        _take_alternative(call, database, hands_over=call.looks and not call.repeated)
        if call.instead is None:
            session.naming = 0
    store = database.predicates.store
    if store.entries and known.unranged != store.version and call.instead is None and call.rows is None and not plain:
        _take_ranges(call, database)
    if (
        call.looks
        and not results.off
        and template is not None
        and known.small  # what was small before is fetched as a whole, and may be kept
        and not known.never_kept
        and call.rows is None
        and results.may_be_kept(session, template)
    ):
        if call.before is None:
            database.look_for_unseen_writes()
        call.watched = (call.before or database.registry.state, database.generation)


def _open(call: Call, text: str, plain: bool) -> None:
    """What has to be open while a statement runs that may do more than read."""
    session, database = call.session, call.session.database
    effects = call.effects
    assert effects is not None
    if effects.everything and not effects.transaction and not database.can_run(text):
        effects = READ  # it is going to raise; what is not known to the classifier would count as having written everything
    call.effects = effects = session.resolve(effects)
    session.profiles |= effects.session and "profil" in text.lower()
    if not effects.reads_only:
        call.close = _open_window(session, effects)
    if effects.checkpoint or effects.defines or effects.everything:
        call.resume = database.predicates.hold_off()
    if not effects.is_work and (database.design.objects or database.predicates.store.entries) and not plain:
        session.naming = get_ident()
        _explain_alternative(call, database)
        if call.instead is None:
            session.naming = 0


def finish(session: Session) -> None:
    """Hand on what the last statement has shown, now that nothing can be fetched from it any more."""
    pending, session.pending = session.pending, None
    if pending is None or pending.raised:
        return
    if not pending.told:
        pending.tell()
    session.database.observer.add(pending)


def is_one_statement(query: Any) -> bool:
    """Whether a script holds one statement at most, so that preparing it runs nothing."""
    return ";" not in query.rstrip().rstrip(";") if isinstance(query, str) else True


def hold_open(session: Session, text: str) -> Callable[[], None]:
    """Open the commit window of what `text` would do; returns what closes it, which may be called twice."""
    effects = session.database.recognise(text).effects
    close, held = session.database.window(effects), True

    def intend() -> None:
        if session.transaction is not None:
            session.transaction.intend(effects)

    def release() -> None:
        nonlocal held
        if held:
            held = False
            intend()  # what was written since it began is committed with it, when this window is closed
            close()

    intend()
    return release


def _explain_alternative(call: Call, database: Database) -> None:
    """EXPLAIN shows the plan of what would be run, so that the objects that answer a statement are seen in it."""
    explain = call.known
    assert explain is not None
    asked = _EXPLAIN.match(explain.text)
    if asked is None:
        return
    call.known = database.known(explain.text[asked.end() :])
    _take_alternative(call, database)
    if call.instead is None:
        _take_ranges(call, database)
    if call.instead is None:
        call.known = explain
    else:
        call.instead = asked[0] + call.instead


def _take_alternative(call: Call, database: Database, *, hands_over: bool = False) -> None:
    """Answer a statement by what this design has for it, if that is current.

    Args:
        hands_over: whoever sends it can send values beside a text, and it is no text that DuckDB has parsed before.
    """
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
    analysis, used = template.analysis, _usable(alternative, design, state, transaction)
    if analysis is None or used is None:
        return
    objects = tuple(used)
    ways = {how for _, how in objects}
    if rests_on_facts(alternative):
        facts = facts_that_hold(analysis.facts, design, state, transaction)
        if facts is None:
            return
        used += facts
    if template.is_off(design, Use.RESIDUAL if Use.RESIDUAL in ways else Use.WHOLE):
        return
    iteration = None
    if Use.RESIDUAL in ways and any(how is Use.RESIDUAL and loose(item, moved(item, state)) for item, how in used):
        if not database.rows_stand(state):
            return
        iteration = database.registry.iteration()
    fixed = -1 if iteration is None or transaction is not None else iteration
    tells = Use.RESIDUAL in ways and transaction is None and not state.own
    needed = objects
    told_rows: tuple[Told | None, ...] = ()
    if tells:
        began = perf_counter()
        needed = database.extents.needed(known, analysis, alternative, objects, state, fixed)
        told_rows = database.told.of(needed, state, template)
        call.reading_seconds = perf_counter() - began
    asked = request(analysis, alternative, needed, state, fixed, tells=tells, told_rows=told_rows)
    ranking = analysis.ranking if may_leave_ties(analysis, alternative) else None
    keys = facts_that_hold(ranking.facts, design, state, transaction) if ranking is not None and ranking.facts else None
    settles = ranking is None or keys is not None  # else ties are looked for, in the statement's own words
    hands_over = hands_over and settles and transaction is None and bool(analysis.operands) and call.parameters is None
    handed = _handing(template, analysis).find(known, asked) if hands_over else None
    compiled = handed[0].compiled if handed is not None else known.compiled(asked)
    proof = (known.text, asked.form)
    if compiled is None or (transaction is not None and proof not in proven):
        return
    if compiled.rests and not ((tells or Use.RESIDUAL not in ways) and are_lossless(compiled.rests, used, design, state, transaction)):
        return  # what is stored has to be what it was when the inclusion was told of it
    if keys is not None:
        used += keys
    elif compiled.check is not None:
        counts = settled(used, state)
        noted = counts if transaction is None else settled(used, transaction.noted)
        if counts is None or noted != counts or not database.leaves_no_ties(known, compiled, call.parameters, counts):
            return
        if iteration is not None and not database.rows_stood(iteration, state):
            known.ties = None  # rows may have moved while ties were looked for
            return
        call.settled = counts
    appended = Appended.TOLD if told_rows else Appended.ASKED if needed == objects else Appended.RULED_OUT
    if appended is not Appended.ASKED and call.settled is None:
        call.settled = settled(used, state)
        if call.settled is None:
            return
    call.instead, call.used, call.before, call.iteration = compiled.text, tuple(used), state, iteration
    call.proof, call.tells, call.told_rows, call.appended = proof, tells, told_rows, appended
    if handed is not None:
        call.handed, call.values = handed


def _usable(
    alternative: Alternative, design: Design, state: RegistryState, transaction: Transaction | None
) -> list[tuple[DerivedObject, Use]] | None:
    """The objects of an alternative and how each may be used now, and could be when the transaction began; None if one may not be."""
    used: list[tuple[DerivedObject, Use]] = []
    for replacement in alternative:
        derived = design.objects.get(replacement.object)
        if derived is None:
            return None
        how = use(derived, state)
        if how is Use.NO or (transaction is not None and use(derived, transaction.noted) is not how):
            return None
        used.append((derived, how))
    return used


def _handing(template: Template, analysis: Analysis) -> Handing:
    handing = template.handing
    if handing is None or handing.analysis is not analysis:
        handing = template.handing = Handing(analysis)
    return handing


def facts_that_hold(
    facts: Sequence[int], design: Design, state: RegistryState, transaction: Transaction | None = None
) -> list[tuple[DerivedObject, Use]] | None:
    """These facts, if all of them hold at this moment and did when the transaction began; None if one does not."""
    found = []
    for identifier in facts:
        fact = design.objects.get(identifier)
        if fact is None or use(fact, state) is not Use.WHOLE:
            return None
        if transaction is not None and use(fact, transaction.noted) is not Use.WHOLE:
            return None
        found.append((fact, Use.WHOLE))
    return found


def are_lossless(
    rests: Sequence[tuple[int, Rest]],
    used: Sequence[tuple[DerivedObject, Use]],
    design: Design,
    state: RegistryState,
    transaction: Transaction | None = None,
) -> bool:
    """Whether views, by their positions among what is used, lost and multiplied nothing by tables that a statement does not read."""
    for position, rest in rests:
        derived, fact = used[position][0], design.objects.get(rest.fact)
        if not is_lossless(fact, rest, derived, state):
            return False
        if transaction is not None and not is_lossless(fact, rest, derived, transaction.noted):
            return False
    return True


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
    call.instead, call.ranged, call.before = found.text, found, state


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


def _open_window(session: Session, effects: Effects) -> Callable[[], None]:
    transaction = session.transaction
    if transaction is None or effects.mixed_transaction:
        return session.database.window(effects)
    if effects.transaction == "commit":
        return session.database.window_of_commit(transaction)
    transaction.intend(effects)
    return session.database.window(NOTHING)
