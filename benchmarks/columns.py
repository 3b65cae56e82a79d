"""The columns that stand side by side: plain DuckDB, Sartor, and the expert in `benchmarks.expert`. Each has a file of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import duckdb

from benchmarks.answers import Answer
from benchmarks.statement import Options, Statement

RESULTS = "results"  # stands among the kinds where a kept result was handed out
PREDICATES = "predicate_cache"  # and where row ids were remembered


def ask(connection: duckdb.DuckDBPyConnection, text: str, parameters: Any = None) -> Answer:
    """Run a statement to its last row and time it."""
    started = perf_counter()
    try:
        rows = connection.execute(text, parameters).fetchall()
    except duckdb.Error as error:
        return Answer((), [], perf_counter() - started, f"{type(error).__name__}: {error}")
    seconds = perf_counter() - started
    columns = tuple((item[0], str(item[1])) for item in connection.description or ())
    return Answer(columns, rows, seconds)


class Column(Protocol):
    """One way to answer the stream."""

    name: str

    def answer(self, statement: Statement) -> Answer:
        """Run one statement; what is not part of its time has been done outside the clock."""

    def close(self) -> None: ...


@dataclass(slots=True)
class Plain:
    """DuckDB with its defaults."""

    path: Path
    options: Options
    name: str = "plain"
    connection: duckdb.DuckDBPyConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(str(self.path), config={"threads": self.options.threads})

    def answer(self, statement: Statement) -> Answer:
        return ask(self.connection, statement.text, statement.parameters)

    def largest_table(self) -> int:
        """Rows of the largest table."""
        rows = self.connection.execute("SELECT coalesce(max(estimated_size), 0) FROM duckdb_tables() WHERE NOT internal").fetchone()
        return int(rows[0]) if rows else 0

    def close(self) -> None:
        self.connection.close()


@dataclass(slots=True)
class Tailored:
    """Sartor: the same file opened by `sartor.connect`, watched over the first half, tuned, refreshed by night.

    It is tuned after the first half, and again whenever `autotune=True` would: when as much was read as before all rounds.

    Attributes:
        tune_seconds: of all rounds, with building and trials; build_seconds is the part that went into building.
        rounds: how many there were.
        refresh_seconds: of all refreshes; with `tune_seconds` part of the column's total.
        thread_seconds: of what threads of Sartor did between statements, which are waited for; part of the total too.
        bytes_added: what the file grew by, or what was built takes if free blocks took it up.
        built: one line for each object that was kept.
        served_by: the kinds of derived objects that answered the last statement; empty where it ran plain.
    """

    path: Path
    options: Options
    name: str = "sartor"
    tune_seconds: float = 0.0
    build_seconds: float = 0.0
    refresh_seconds: float = 0.0
    thread_seconds: float = 0.0
    bytes_added: int = 0
    built: tuple[str, ...] = ()
    rounds: int = 0
    served_by: frozenset[str] = frozenset()
    connection: Any = field(init=False)
    upkeep: Any = field(init=False)

    def __post_init__(self) -> None:
        import sartor
        from sartor.tuner.upkeep import Upkeep

        self.upkeep = Upkeep()
        config = {"threads": self.options.threads}
        self.connection = sartor.connect(
            str(self.path), config=config, keep_results=self.options.keep_results, predicate_cache=self.options.predicate_cache
        )

    def answer(self, statement: Statement) -> Answer:
        answer = ask(self.connection, statement.text, statement.parameters)
        self.served_by = self._kinds_asked()
        self._wait()
        if not statement.writes:
            self.upkeep.observe(answer.seconds, (), None)
        return answer

    def rest(self) -> None:
        """Idle time between two statements: another round, if one is due."""
        from sartor.core.constants import IDLE_SECONDS
        from sartor.tuner.upkeep import Task

        if self.upkeep.due(IDLE_SECONDS.default, frozenset()) is Task.TUNE:
            self.tune()

    def tune(self) -> None:
        """One round over what was observed."""
        self.connection.execute("CHECKPOINT")
        before = self.path.stat().st_size
        started = perf_counter()
        report = self.connection.tune(seconds=self.options.tune_seconds, storage=self.options.storage)
        self.tune_seconds += perf_counter() - started
        self.upkeep.tuned_at = self.upkeep.read_seconds
        self.rounds += 1
        self.build_seconds += report.build_seconds
        self.built += report.built
        self.connection.execute("CHECKPOINT")
        self.bytes_added += max(report.bytes_added, self.path.stat().st_size - before)

    def refresh(self) -> None:
        """What the idle time after the night's loads is for."""
        started = perf_counter()
        self.connection.refresh()
        self.refresh_seconds += perf_counter() - started

    def forget_results(self) -> None:
        """Let go of kept results, so that the next statement is answered by what was built."""
        from sartor.interfaces.connection import session_of

        session_of(self.connection).database.results.forget()

    def close(self) -> None:
        self.connection.close()

    def _wait(self) -> None:
        """Let what statements have set going come to its end, so that it slows no other column down and is counted."""
        from sartor.interfaces.connection import session_of

        started = perf_counter()
        database = session_of(self.connection).database
        database.holding.wait()
        database.predicates.wait()
        self.thread_seconds += perf_counter() - started

    def _kinds_asked(self) -> frozenset[str]:
        """What the observation of the last statement says of the objects that it read; nothing public tells it yet."""
        from sartor.interfaces.connection import session_of
        from sartor.interfaces.predicates import RANGED
        from sartor.interfaces.results import KEPT

        session = session_of(self.connection)
        objects = session.database.design.objects
        used = session.pending.alternative if session.pending is not None else ()
        kinds = frozenset(objects[identifier].action.component for identifier in used if identifier in objects)
        return kinds | {kind for kind, identifier in ((RESULTS, KEPT), (PREDICATES, RANGED)) if identifier in used}
