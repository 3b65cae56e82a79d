"""The ways by which statements and fetches of a connection reach DuckDB, and results that are handed out from memory instead."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from sartor.core.constants import KEPT_VALUES
from sartor.interfaces import serving
from sartor.interfaces.answer import Answer
from sartor.interfaces.call import NEVER_RETRIED, Call
from sartor.interfaces.results import comes_back, is_finite, is_worth_keeping, parameters_key
from sartor.interfaces.session import SESSIONS, Session

if TYPE_CHECKING:
    from sartor.interfaces.connection import Connection

__name__ = "duckdb._sartor_sending"  # as `connection`: DuckDB skips its frames when it looks for a caller's data frames

PLAIN = duckdb.DuckDBPyConnection
_Result = TypeVar("_Result")


def run(connection: Connection, query: Any, parameters: Any, send: Callable[[Any], _Result]) -> _Result:
    """Send one statement: as an alternative where one is known and allowed, else as it is."""
    session = SESSIONS.get(id(connection))
    if session is None:
        return send(query)
    if session.answer is not None:
        give_back(connection)
    return send_call(serving.begin(session, query, parameters), query, send)


def parsed(connection: Connection, call: Call, query: Any) -> Any:
    """A text as DuckDB's parser understands it, if it is one statement that only reads; else what was given.

    DuckDB's client does more with a text than parse it once: to run what was parsed takes 45 to 60 µs less, and as much less again
    where the same text was parsed before (decision 029). Only settings could make something else of a text, and they are followed
    (`Session.plain`, `Database.plain`).
    """
    known, effects = call.known, call.effects
    if known is None or effects is None or not effects.reads_only or not isinstance(query, str):
        return query
    session = call.session
    may_keep = not session.plain and not session.database.plain
    kept = known.parsed  # another thread may put another text's in its place
    if may_keep and kept is not None and kept[0] == query:
        return kept[1]
    try:
        statements = PLAIN.extract_statements(connection, query)
    except Exception:  # is raised by the text itself, as it would be without this
        return query
    if len(statements) != 1:
        return query
    if may_keep and call.repeated:
        known.parsed = query, statements[0]
    return statements[0]


def execute(connection: Connection, call: Call, query: Any, parameters: Any) -> duckdb.DuckDBPyConnection:
    """Run what a call has come to, as parsed; an alternative that takes values gets those of the statement's own literals."""
    handed, values = call.handed, call.values
    if handed is None or values is None or query is not call.instead:
        return PLAIN.execute(connection, parsed(connection, call, query), parameters)
    if handed.statement is None:
        statement = PLAIN.extract_statements(connection, handed.compiled.text)[0]
        handed.names = frozenset(statement.named_parameters)
        handed.statement = statement  # last, for other threads go by it
    return PLAIN.execute(connection, handed.statement, handed.takes(values))


def send_call(call: Call, query: Any, send: Callable[[Any], _Result]) -> _Result:
    """Send what a call has come to; its result is one that was right in its own snapshot."""
    try:
        if call.instead is not None:
            try:
                result = send(call.instead)
            except duckdb.Error as error:
                if not call.may_fall_back(error):
                    raise
            else:
                if call.still_right():
                    return result
        result = send(query)
        if call.describes:
            call.description = PLAIN.description.__get__(result)
    except BaseException:
        call.raised = True
        raise
    finally:
        call.end()
    return result


def keep_result(connection: Connection, session: Session, query: Any, parameters: Any) -> None:
    """Fetch a result that was small the last time as a whole, so that it can be kept, and hand it out from here."""
    pending, description = session.pending, PLAIN.description.__get__(connection)
    known = pending.known if pending is not None else None
    if pending is None or known is None:
        return
    if not comes_back(description):
        known.never_kept = True
        return
    started = perf_counter()
    try:
        rows = PLAIN.fetchmany(connection, int(KEPT_VALUES.default) + 1)
    except NEVER_RETRIED:
        raise
    except duckdb.Error:  # it is to be raised where it would be without this
        PLAIN.execute(connection, query, parameters)
        return
    known.never_kept = not is_finite(rows, description)
    if known.never_kept or len(rows) > KEPT_VALUES.default:
        known.note_small(parameters_key(parameters), small=False)
        PLAIN.execute(connection, query, parameters)
        return
    pending.seconds += perf_counter() - started
    PLAIN.execute(connection, "")
    session.answer = Answer(rows, description)
    if not session.database.results.keep(session, pending, rows, description):
        known.note_small(parameters_key(parameters), small=False)


def note_fetched(session: Session, pending: Call, rows: int, *, framed: bool = False, whole: bool = True) -> None:
    """Remember what the size of a result and the time that it took say about keeping it.

    Args:
        whole: it has been fetched to its end; else a single row has been, which may have been all.
    """
    known = pending.known
    if known is None or pending.kept is not None or not known.effects.reads_only:
        return
    small = is_worth_keeping(pending.seconds, rows, known.template, framed=framed)
    if small and not whole:
        small = session.database.gives_one_row(known)
    if small or (whole and known.small):
        key = parameters_key(pending.parameters)
        if key is not None:
            known.note_small(key, small=small)


def answer_of(connection: Connection) -> Answer | None:
    """The result that was looked up, if nothing was run since past these methods, as DuckDB's own functions do."""
    session = SESSIONS.get(id(connection))
    if session is None or session.answer is None:
        return None
    if PLAIN.description.__get__(connection) is not None:
        session.answer = None
    return session.answer


def forget_answer(connection: Connection) -> None:
    """What replaces the result of the last statement is about to be sent."""
    session = SESSIONS.get(id(connection))
    if session is not None:
        session.answer = None


def give_back(connection: Connection, *, reads: bool = False) -> None:
    """Put a result that was looked up where DuckDB's own would be, fetched as far as it has been: only DuckDB knows what comes of it.

    Args:
        reads: it is going to be read; else this is needless once it has been fetched to its end.
    """
    answer = answer_of(connection)
    if answer is None or (answer.finished and not reads):
        return
    forget_answer(connection)
    answer.give(connection, PLAIN)


def write(connection: Connection, query: Any, send: Callable[[], _Result]) -> _Result:
    """Send something that is not served from alternatives, inside the commit window of what `query` would do."""
    session = SESSIONS.get(id(connection))
    if session is None:
        return send()
    if session.answer is not None:
        give_back(connection)
    call = serving.begin(session, query, None, plain=True)
    try:
        return send()
    except BaseException:
        call.raised = True
        raise
    finally:
        call.end()


def fetch_result(
    connection: Connection,
    fetch: Callable[[], _Result],
    count: Callable[[_Result], int],
    *,
    whole: bool = False,
    single: bool = False,
    ours: Callable[[Answer], _Result] | None = None,
) -> _Result:
    """Fetch, and count it as part of the statement.

    Args:
        whole: nothing is left to be fetched then.
        single: one row is fetched.
        ours: the same of a result that was looked up; if there is none, DuckDB gets that result.
    """
    session = SESSIONS.get(id(connection))
    if session is None:
        return fetch()
    if session.answer is not None:
        answer = answer_of(connection)
        if answer is not None and ours is not None:
            fetch = partial(ours, answer)
        else:
            give_back(connection, reads=True)
    pending = session.pending
    if pending is None:
        return fetch()
    started = perf_counter()
    result = fetch()
    if session.lingering is not None and (whole or result is None):
        session.release()
    pending.seconds += perf_counter() - started
    if result is not None:  # as of a result that has been fetched already
        rows = count(result)
        pending.fetched += rows
        if not session.database.results.off and (whole or (single and pending.fetched == 1)):
            note_fetched(session, pending, rows, framed=not isinstance(result, (list, tuple)), whole=whole)
    if whole and not pending.told:
        pending.tell()
    return result


def column_rows(columns: dict[str, Any]) -> int:
    return next((len(values) for values in columns.values()), 0)
