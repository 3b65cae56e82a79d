"""The drop-in: a real DuckDB connection whose statements pass through Sartor on their way.

`connect` takes the connection that `duckdb.connect` made and puts a subclass with empty slots on it, so every isinstance
test, every `connection=` argument and every method not named here is DuckDB's own. The methods here are all the ways by
which SQL or rows reach the engine from a connection; relations reach it through `_submit` and `_prepare_script`.

Sartor never runs a statement of its own on the user's connection: what is sent is the user's text or one that gives
the same answer.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.errors import BudgetError
from sartor.interfaces import serving
from sartor.interfaces.answer import Answer
from sartor.interfaces.database import OWN_THREADS, Database
from sartor.interfaces.results import parameters_key, took_long
from sartor.interfaces.sending import (
    PLAIN,
    answer_of,
    column_rows,
    execute,
    fetch_result,
    forget_answer,
    give_back,
    keep_result,
    note_fetched,
    parsed,
    run,
    send_call,
    write,
)
from sartor.interfaces.session import SESSIONS, Session
from sartor.interfaces.tailoring import DEFAULT_STORAGE, MODES

if TYPE_CHECKING:
    import pyarrow

    from sartor.interfaces.design_report import DesignReport
    from sartor.interfaces.rewrite_report import RewriteReport
    from sartor.tuner.outcome import TuneReport, UndoReport
    from sartor.workload.sharing.document import SharedWorkload

# DuckDB looks for a caller's data frames in the Python frame that calls it, and skips frames of its own package, which it
# tells by this name. With it, replacement scans find what they would find without Sartor, and nothing else.
__name__ = "duckdb._sartor"


class Connection(duckdb.DuckDBPyConnection):
    """A DuckDB connection that Sartor watches and serves."""

    __slots__ = ()
    __module__ = "sartor"

    # Statements ---------------------------------------------------------------------------------------------------

    def execute(self, query: Any, parameters: Any = None) -> Connection:
        session = SESSIONS.get(id(self))
        if session is None:
            PLAIN.execute(self, query, parameters)
            return self
        before, session.answer = session.answer, None
        call = serving.begin(session, query, parameters, looks=True)
        if call.rows is not None:
            try:
                PLAIN.execute(self, "")  # no statement: DuckDB lets go of the result before, and has none until something else is run
                session.answer = Answer(call.rows, call.description)
            finally:
                call.end()
            return self
        if call.instead is not None or call.describes:
            send_call(call, query, lambda text: execute(self, call, text, parameters))
        else:  # the same, without what most statements can spare
            try:
                PLAIN.execute(self, parsed(self, call, query), parameters)
            except BaseException as error:
                call.raised = True
                if isinstance(error, duckdb.ParserException):
                    session.answer = before  # nothing was run
                raise
            finally:
                call.end()
        if call.watched is not None and call.known is not None and parameters_key(parameters) in (call.known.small or ()):
            keep_result(self, session, query, parameters)
        return self

    def executemany(self, query: Any, parameters: Any = None) -> Connection:
        forget_answer(self)
        write(self, query, lambda: PLAIN.executemany(self, query, parameters))
        return self

    def _submit(self, sql: str, values: Any = None, format: Any = "rows", batch_size: int = 131072) -> Any:
        return run(self, sql, values, lambda text: PLAIN._submit(self, text, values, format, batch_size))

    def _prepare_script(self, sql: Any, values: Any = None, **options: Any) -> Any:
        if serving.is_one_statement(sql):
            give_back(self)
            return PLAIN._prepare_script(self, sql, values, **options)
        return write(self, sql, lambda: PLAIN._prepare_script(self, sql, values, **options))

    def _create_view(self, name: Any, sql: str, *, temporary: bool = False, replace: bool = False, **options: Any) -> None:
        last = name if isinstance(name, str) else name[-1]
        text = f"CREATE {'OR REPLACE ' if replace else ''}{'TEMP ' if temporary else ''}VIEW {_quoted(last)} AS SELECT 1"
        write(self, text, lambda: PLAIN._create_view(self, name, sql, temporary=temporary, replace=replace, **options))

    # Transactions -------------------------------------------------------------------------------------------------

    def begin(self) -> Connection:
        forget_answer(self)
        write(self, "BEGIN", lambda: PLAIN.begin(self))
        return self

    def commit(self) -> Connection:
        write(self, "COMMIT", lambda: PLAIN.commit(self))
        return self

    def rollback(self) -> Connection:
        forget_answer(self)
        write(self, "ROLLBACK", lambda: PLAIN.rollback(self))
        return self

    def checkpoint(self) -> Connection:
        forget_answer(self)
        write(self, "CHECKPOINT", lambda: PLAIN.checkpoint(self))
        return self

    # Rows that come without SQL -----------------------------------------------------------------------------------

    def append(self, table_name: str, df: Any, *, by_name: bool = False) -> Connection:
        text = f"INSERT INTO {_quoted(table_name)} VALUES (1)"
        write(self, text, lambda: PLAIN.append(self, table_name, df, by_name=by_name))
        return self

    def appender(self, table: str, **options: Any) -> duckdb.Appender:
        inserts = options.get("action", "insert") == "insert"
        name = _quoted(table.rpartition(".")[2].strip('"'))
        text = f"INSERT INTO {name} VALUES (1)" if inserts else f"DELETE FROM {name}"
        return _watch_appender(self, text, PLAIN.appender(self, table, **options))

    def query_appender(self, dml: str, columns: Any, *, source: str | None = None) -> duckdb.Appender:
        return _watch_appender(self, dml, PLAIN.query_appender(self, dml, columns, source=source))

    # Names --------------------------------------------------------------------------------------------------------

    def register(self, view_name: str, python_object: object) -> Connection:
        write(self, _temporary(view_name), lambda: PLAIN.register(self, view_name, python_object))
        return self

    def unregister(self, view_name: str) -> Connection:
        write(self, _temporary(view_name), lambda: PLAIN.unregister(self, view_name))
        return self

    def _register_source(self, obj: object, name: str | None = None) -> Any:
        if name is None:
            give_back(self)
            return PLAIN._register_source(self, obj)
        return write(self, _temporary(name), lambda: PLAIN._register_source(self, obj, name))

    def _register_arrow_source(self, view_name: str, source: object) -> Any:
        return write(self, _temporary(view_name), lambda: PLAIN._register_arrow_source(self, view_name, source))

    def create_function(self, name: str, *arguments: Any, **options: Any) -> Connection:
        session = SESSIONS.get(id(self))
        if session is not None:
            give_back(self)
            session.database.define_function(name)
        PLAIN.create_function(self, name, *arguments, **options)
        return self

    def enable_profiling(self) -> None:
        session = SESSIONS.get(id(self))
        if session is not None:
            session.profiles = True
        PLAIN.enable_profiling(self)

    # Connections --------------------------------------------------------------------------------------------------

    def cursor(self) -> Connection:
        return _adopt_like(self, PLAIN.cursor(self))

    def duplicate(self) -> Connection:
        return _adopt_like(self, PLAIN.duplicate(self))

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        session = SESSIONS.pop(id(self), None)
        if session is not None:
            session.leave()
        PLAIN.close(self)

    # Results: the time and the rows of a fetch belong to the statement that is fetched -----------------------------

    @property
    def description(self) -> Any:
        answer = answer_of(self)
        return PLAIN.description.__get__(self) if answer is None else list(answer.description)

    @property
    def rowcount(self) -> int:
        return PLAIN.rowcount.__get__(self) if answer_of(self) is None else -1

    def fetchone(self) -> Any:
        return fetch_result(self, lambda: PLAIN.fetchone(self), lambda _: 1, single=True, ours=Answer.fetchone)

    def fetchmany(self, size: Any = 1) -> Any:
        ours = (lambda answer: answer.fetchmany(size)) if type(size) is int and size >= 0 else None
        return fetch_result(self, lambda: PLAIN.fetchmany(self, size), len, ours=ours)

    def fetchall(self) -> Any:
        session = SESSIONS.get(id(self))
        pending = session.pending if session is not None else None
        if session is None or pending is None or not pending.told or session.answer is not None:
            return fetch_result(self, lambda: PLAIN.fetchall(self), len, whole=True, ours=Answer.fetchall)
        started = perf_counter()  # the same, without what most statements can spare
        result = PLAIN.fetchall(self)
        if session.lingering is not None:
            session.release()
        pending.seconds += perf_counter() - started
        if result is not None:
            pending.fetched += len(result)
            if took_long(pending.seconds) and not session.database.results.off:
                note_fetched(session, pending, len(result))
        return result

    def fetchnumpy(self) -> Any:
        return fetch_result(self, lambda: PLAIN.fetchnumpy(self), column_rows, whole=True)

    def df(self, *, date_as_object: bool = False) -> Any:
        return fetch_result(self, lambda: PLAIN.df(self, date_as_object=date_as_object), len, whole=True)

    def fetchdf(self, *, date_as_object: bool = False) -> Any:
        return fetch_result(self, lambda: PLAIN.fetchdf(self, date_as_object=date_as_object), len, whole=True)

    def fetch_df(self, *, date_as_object: bool = False) -> Any:
        return fetch_result(self, lambda: PLAIN.fetch_df(self, date_as_object=date_as_object), len, whole=True)

    def _result_as_arrow(self, batch_size: Any, *, reader: bool) -> Any:
        rows = (lambda _: 0) if reader else (lambda table: table.num_rows)
        return fetch_result(self, lambda: PLAIN._result_as_arrow(self, batch_size, reader=reader), rows, whole=not reader)

    # Sartor's own -------------------------------------------------------------------------------------------------

    def tune(
        self,
        seconds: float = 60.0,
        storage: str | int = DEFAULT_STORAGE,
        *,
        mode: str | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> TuneReport:
        """Make one round: propose, estimate, choose, build, prove on the real queries, keep or undo.

        Args:
            seconds: the time that the round may take; a hard limit.
            storage: the bytes that everything Sartor built may take, as a number or as "500MB", "2GB"; a hard limit.
            mode: "apply", "report" (says what it would do, changes nothing) or "off"; as `connect` was told if not given.
            progress: is told what goes on and the share done, between 0 and 1.

        Raises:
            BudgetError: a budget of zero leaves nothing to do, or the mode is none of the three.
            DatabaseUnavailable: the database was opened read-only.
        """
        return _database(self).tune(seconds, storage, mode, progress)

    def design(self) -> DesignReport:
        """What is in force: each derived object with its size, freshness, gain and cost."""
        return _database(self).design_report()

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write one page with pictures: what was asked, what was built and why, what it brought; gives the path.

        Raises:
            OSError: the page can not be written there.
        """
        target = Path(path)
        _database(self).report(target)
        return target

    def explain(self, decision: int) -> str:
        """The story of one decision of the ledger, as text.

        Raises:
            DecisionNotFound: the ledger has no decision of that number.
        """
        return _database(self).explain(decision)

    def explain_rewrite(self, query: str) -> RewriteReport:
        """Which derived objects a statement was looked for in, which answers it, and the first reason why each other does not.

        Nothing is run. EXPLAIN of the statement shows the plan as it is run.
        """
        return _database(self).explain_rewrite(query)

    def undo(self, *, compact: bool = False) -> UndoReport:
        """Remove all that Sartor built: the file then holds exactly the user's objects.

        Args:
            compact: also rewrite the file small, which needs that nobody else uses it.
        """
        return _database(self).undo(compact=compact)

    def workload(self) -> duckdb.DuckDBPyRelation:
        """A relation over the templates observed: count, seconds, share, tables, predicates."""
        return self.from_arrow(_database(self).workload_table())

    def ledger(self) -> duckdb.DuckDBPyRelation:
        """A relation over all decisions."""
        return self.from_arrow(_database(self).ledger_table())

    def export_workload(self, path: str | os.PathLike[str], *, progress: Callable[[str, float], None] | None = None) -> SharedWorkload:
        """Write what was observed to a new file that holds no value and no name of the user's: docs/workload-files.md.

        Args:
            path: the file, which must not exist.
            progress: is told what goes on and the share done, between 0 and 1.

        Raises:
            WorkloadError: nothing was observed that can be carried, or the file exists or can not be written.
        """
        return _database(self).export_workload(path, progress)

    def lookup(self, table: str, keys: Any, columns: Sequence[str] | None = None, *, key: str | None = None) -> pyarrow.Table:
        """The rows of many keys at once: from memory where they are held, else by one join; always of this moment.

        Returns:
            An Arrow table of the key and the columns: for each key, in the order in which they are given, its rows in the order of
            the table. A key that the table does not hold has no row.

        Args:
            table: its name as in SQL.
            keys: a list, a NumPy array or an Arrow array, of the key's type.
            columns: names; all columns if not given.
            key: the column that is compared; the table's declared key if not given.

        Raises:
            LookupRefused: the table does not declare one column as its key, and none is named.
            duckdb.Error: as the join raises it.
        """
        from sartor.interfaces.batches import lookup

        session = SESSIONS.get(id(self))
        if session is None:
            raise duckdb.ConnectionException("Connection Error: Connection already closed!")
        give_back(self)
        return lookup(self, session, table, keys, columns, key)

    def refresh(self) -> int:
        """Bring every derived object up to date now; returns how many had to be worked on."""
        return _database(self).refresh()

    def purge(self) -> int:
        """Drop every derived object that still holds rows deleted or changed in its table; returns how many."""
        return _database(self).purge()


# What reads the result of the last statement, and what DuckDB refuses while there is more of it to fetch.
_READS_RESULT = ("fetch_df_chunk", "tf", "torch", "complete", "abort")
_NEEDS_NO_RESULT = (
    "_bind",
    "_check_text",
    "_name_scope",
    "_own_sources",
    "_register_collection",
    "_register_declared",
    "_register_filelike",
    "_register_map",
    "_register_values",
    "_statement_count",
    "_table_kind",
    "install_extension",
    "load_extension",
)


def _after_look_up(name: str, *, reads: bool) -> Callable[..., Any]:
    """DuckDB's method, for which a result that was looked up is first put where its own would be."""
    method = getattr(PLAIN, name)

    def call(self: Connection, *arguments: Any, **options: Any) -> Any:
        give_back(self, reads=reads)
        return method(self, *arguments, **options)

    return wraps(method)(call)


for _name in (*_READS_RESULT, *_NEEDS_NO_RESULT):
    setattr(Connection, _name, _after_look_up(_name, reads=_name in _READS_RESULT))


class WatchedAppender(duckdb.Appender):
    """An appender whose table counts as being written from its making until it is left."""

    __slots__ = ()
    __module__ = "sartor"

    def __exit__(self, *exception: Any) -> None:
        try:
            duckdb.Appender.__exit__(self, *exception)
        finally:
            _APPENDERS.pop(self, _nothing)()


_APPENDERS: weakref.WeakKeyDictionary[duckdb.Appender, Callable[[], None]] = weakref.WeakKeyDictionary()


def connect(
    database: str | os.PathLike[str] = ":memory:",
    read_only: bool = False,
    config: dict[str, Any] | None = None,
    *,
    shared: bool = False,
    keep_literals: bool = True,
    mode: str = "apply",
    autotune: bool = False,
    keep_results: bool = True,
    predicate_cache: bool = False,
    layouts: bool = False,
) -> Connection:
    """Open a database as `duckdb.connect` does; every name of the connection works as before.

    Args:
        database: a file, or ":memory:".
        read_only: as in DuckDB; nothing can be built then, but what is current is served.
        config: as in DuckDB.
        shared: let plain `duckdb.connect` open the same file in this process too. Then any commit that did not pass
            through Sartor makes it distrust all that it built until it has been verified.
        keep_literals: keep the literals of statements in the workload log. Without them a tune can not replay what was
            asked in former sessions.
        mode: "off" (a plain DuckDB connection that is not even watched), "report" (watched; `tune` says what it would
            do) or "apply".
        autotune: refresh and tune by itself, in a thread that works while nobody asks.
        keep_results: keep small results in memory and hand them out again while their tables are the same.
        predicate_cache: remember in memory which rows repeated conditions let through, and read no others; needs no `tune`.
        layouts: let `tune` also weigh copies in orders that no column has, for conditions that repeat and for several columns at once.

    Raises:
        Whatever `duckdb.connect` raises, unchanged.
        BudgetError: the mode is none of the three.
    """
    if mode not in MODES:
        raise BudgetError(f"mode {mode!r} is not one of {', '.join(MODES)}")
    shared_database, plain = Database.open(
        database,
        read_only,
        config,
        shared=shared,
        keep_literals=keep_literals,
        mode=mode,
        keep_results=keep_results,
        predicate_cache=predicate_cache,
        layouts=layouts,
    )
    connection = _adopt(plain, shared_database)
    if autotune:
        shared_database.keep()
    return connection


def _adopt(plain: duckdb.DuckDBPyConnection, database: Database) -> Connection:
    plain.__class__ = Connection
    session = Session(database)
    SESSIONS[id(plain)] = session
    database.enter(session)
    weakref.finalize(plain, _collected, id(plain), session)
    return plain  # type: ignore[return-value]


def _collected(identity: int, session: Session) -> None:
    """A connection goes, and its identity may become another one's.

    A thread of Sartor's own that happens to collect it does not close it itself: whoever closes a database waits for these threads.
    """
    SESSIONS.pop(identity, None)
    if threading.current_thread().name.startswith(OWN_THREADS):
        threading.Thread(target=session.leave, name="leaving").start()
    else:
        session.leave()


def _adopt_like(parent: Connection, plain: duckdb.DuckDBPyConnection) -> Connection:
    session = SESSIONS.get(id(parent))
    if session is None:
        return plain  # type: ignore[return-value]
    return _adopt(plain, session.database)


def session_of(connection: Connection) -> Session:
    """The session of an open connection; KeyError if it is closed or not Sartor's."""
    return SESSIONS[id(connection)]


def _database(connection: Connection) -> Database:
    session = SESSIONS.get(id(connection))
    if session is None:
        raise duckdb.ConnectionException("Connection Error: Connection already closed!")
    if session.database.keeper is not None:
        session.database.keeper.give_way()
    return session.database


def _watch_appender(connection: Connection, text: str, appender: duckdb.Appender) -> duckdb.Appender:
    """Hold the table's commit window open for as long as the appender may write.

    An appender that is dropped without leaving its `with` block writes nothing more (measured), so its window may close
    when it is collected.
    """
    session = SESSIONS.get(id(connection))
    if session is not None:
        release = serving.hold_open(session, text)
        appender.__class__ = WatchedAppender
        _APPENDERS[appender] = release
        weakref.finalize(appender, release)
    return appender


def _temporary(name: str) -> str:
    """What giving a Python object a name amounts to."""
    return f"CREATE TEMP VIEW {_quoted(name)} AS SELECT 1"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _nothing() -> None:
    return None
