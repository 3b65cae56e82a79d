"""The columns that stand side by side: plain DuckDB, an expert's design, Sartor. Each has a database file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import duckdb

from benchmarks.answers import Answer
from benchmarks.sorted_copies import SortedCopy, Variant, mirrored, rewritten, single_writes, variants, write_target
from benchmarks.statement import Options, Statement

CALIBRATION_RUNS = 3


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
class Expert:
    """Plain DuckDB on a file with the expert's sorted copies, and queries rewritten to read the best of them.

    Which variant of a template is best is measured in this very run, when the template first comes, outside the clock: an
    expert who knows the workload has tried. Copies are kept up to date with each write, inside the clock.

    Attributes:
        build_seconds: what making the copies took; part of the column's total.
    """

    path: Path
    options: Options
    copies: Sequence[SortedCopy]
    name: str = "expert"
    build_seconds: float = 0.0
    connection: duckdb.DuckDBPyConnection = field(init=False)
    chosen: dict[str, Variant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(str(self.path), config={"threads": self.options.threads})

    def build(self) -> None:
        """Make the copies."""
        started = perf_counter()
        for copy in self.copies:
            self.connection.execute(copy.create)
        self.connection.execute("CHECKPOINT")
        self.build_seconds += perf_counter() - started if self.copies else 0.0

    def answer(self, statement: Statement) -> Answer:
        if statement.writes:
            return self._write(statement)
        if statement.name not in self.chosen:
            self.chosen[statement.name] = self._calibrate(statement)
        return ask(self.connection, rewritten(statement.text, self.chosen[statement.name]), statement.parameters)

    def close(self) -> None:
        self.connection.close()

    def _calibrate(self, statement: Statement) -> Variant:
        """The best copy of each table, taken one table at a time; kept only if all of them together win too."""
        choices = list(variants(statement.text, self.copies))
        if not choices:
            return ()
        plain = self._best_of(statement, ())
        best: dict[str, tuple[float, SortedCopy]] = {}
        for (copy,) in choices:
            seconds = self._best_of(statement, (copy,))
            if seconds < min(plain, best.get(copy.table, (plain, copy))[0]):
                best[copy.table] = (seconds, copy)
        alone = min(best.values(), key=lambda pair: pair[0], default=None)
        together = tuple(copy for _, copy in best.values())
        if alone is None or len(together) < 2:
            return together
        return together if self._best_of(statement, together) < alone[0] else (alone[1],)

    def _best_of(self, statement: Statement, variant: Variant) -> float:
        text = rewritten(statement.text, variant)
        answers = [ask(self.connection, text, statement.parameters) for _ in range(CALIBRATION_RUNS)]
        return min(float("inf") if answer.error else answer.seconds for answer in answers)

    def _write(self, statement: Statement) -> Answer:
        """Each write of the text on its table and then on the copies of it; the answer is the last one's, as in DuckDB."""
        seconds, written = 0.0, Answer((), [])
        for text in single_writes(statement.text):
            kind, table = write_target(text)
            copies = [copy for copy in self.copies if copy.table.lower() == table]
            last = self._last_row(table) if kind == "insert" and copies else 0
            written = ask(self.connection, text, statement.parameters)
            seconds += written.seconds
            if written.error:
                break
            started = perf_counter()
            for copy in copies:
                if kind == "insert":
                    self.connection.execute(f'INSERT INTO "{copy.name}" {copy.select} WHERE rowid > {last}')
                else:
                    self.connection.execute(mirrored(text, copy), statement.parameters)
            seconds += perf_counter() - started
        return replace(written, seconds=seconds)

    def _last_row(self, table: str) -> int:
        row = self.connection.execute(f'SELECT coalesce(max(rowid), -1) FROM "{table}"').fetchone()
        return int(row[0]) if row else -1


@dataclass(slots=True)
class Tailored:
    """Sartor: the same file opened by `sartor.connect`, watched over the first half, tuned once, refreshed by night.

    Attributes:
        tune_seconds: of the round, with building and trials; build_seconds is the part that went into building.
        refresh_seconds: of all refreshes; with `tune_seconds` part of the column's total.
        bytes_added: what the file grew by, or what was built takes if free blocks took it up.
        built: one line for each object that was kept.
    """

    path: Path
    options: Options
    name: str = "sartor"
    tune_seconds: float = 0.0
    build_seconds: float = 0.0
    refresh_seconds: float = 0.0
    bytes_added: int = 0
    built: tuple[str, ...] = ()
    connection: Any = field(init=False)

    def __post_init__(self) -> None:
        import sartor

        self.connection = sartor.connect(str(self.path), config={"threads": self.options.threads})

    def answer(self, statement: Statement) -> Answer:
        return ask(self.connection, statement.text, statement.parameters)

    def tune(self) -> None:
        """One round over what was observed."""
        self.connection.execute("CHECKPOINT")
        before = self.path.stat().st_size
        started = perf_counter()
        report = self.connection.tune(seconds=self.options.tune_seconds, storage=self.options.storage)
        self.tune_seconds += perf_counter() - started
        self.build_seconds += report.build_seconds
        self.built = report.built
        self.connection.execute("CHECKPOINT")
        self.bytes_added = max(report.bytes_added, self.path.stat().st_size - before)

    def refresh(self) -> None:
        """What the idle time after the night's loads is for."""
        started = perf_counter()
        self.connection.refresh()
        self.refresh_seconds += perf_counter() - started

    def close(self) -> None:
        self.connection.close()
