"""The expert's column: plain DuckDB with sorted copies and summary tables, and queries rewritten by hand to read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from time import perf_counter

import duckdb

from benchmarks.answers import Answer
from benchmarks.columns import ask
from benchmarks.files import bytes_of, stored_bytes
from benchmarks.sorted_copies import SortedCopy, Variant, mirrored, rewritten, single_writes, variants, write_target
from benchmarks.statement import Options, Statement
from benchmarks.summaries import Rewrite, Summaries, condition_of, run_upkeep

CALIBRATION_RUNS = 3
_NAME = re.compile(r"\bexpert_\w+")
Way = Variant | Rewrite


@dataclass(slots=True)
class Expert:
    """Plain DuckDB on a file with the expert's design.

    Which way to ask a template is best is measured in this very run, when the template first comes, outside the clock: an
    expert who knows the workload has tried. What was built is kept up to date with each write, inside the clock.

    Attributes:
        summaries: their tables are built first; with them the whole design keeps to the budget for storage, and what would go
            beyond it is left out. Sorted copies alone were chosen within it when the design was searched.
        build_seconds: what making the objects took; part of the column's total.
        bytes_added: what they take in the file.
        chosen: per template.
        objects: the seconds and the bytes of each.
    """

    path: Path
    options: Options
    copies: Sequence[SortedCopy]
    summaries: Summaries = field(default_factory=Summaries)
    name: str = "expert"
    build_seconds: float = 0.0
    bytes_added: int = 0
    connection: duckdb.DuckDBPyConnection = field(init=False)
    chosen: dict[str, Way] = field(default_factory=dict)
    objects: dict[str, tuple[float, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.connection = duckdb.connect(str(self.path), config={"threads": self.options.threads})

    def build(self) -> None:
        """Make the summaries and the copies."""
        limit = bytes_of(self.options.storage, self.path.stat().st_size) if self.options.expert == "summaries" else None
        self.summaries = self.summaries.within([one.name for one in self.summaries.tables if self._build(one.name, one.create, limit)])
        self.copies = [copy for copy in self.copies if self._build(copy.name, copy.create, limit)]

    def answer(self, statement: Statement) -> Answer:
        if statement.writes:
            return self._write(statement)
        if statement.name not in self.chosen:
            self.chosen[statement.name] = self._calibrate(statement)
        return ask(self.connection, asked(statement.text, self.chosen[statement.name]), statement.parameters)

    def settle(self) -> None:
        """After the observed half: keep only what a template is asked with.

        With summaries only. An expert who has measured does not build the rest, so its building is taken off again.
        """
        if self.options.expert != "summaries":
            return
        used = set(_NAME.findall(" ".join(told(way) if isinstance(way, tuple) else way.text for way in self.chosen.values())))
        for name, (seconds, size) in self.objects.items():
            if name not in used:
                self.connection.execute(f'DROP TABLE "{name}"')
                self.build_seconds -= seconds
                self.bytes_added -= size
        self.connection.execute("CHECKPOINT")
        self.objects = {name: cost for name, cost in self.objects.items() if name in used}
        self.copies = [copy for copy in self.copies if copy.name in used]
        self.summaries = self.summaries.within(self.objects)

    def close(self) -> None:
        self.connection.close()

    def _build(self, name: str, text: str, limit: int | None) -> bool:
        """Whether the table was made and fits; one that does not fit costs the expert nothing, who knows sizes beforehand."""
        started = perf_counter()
        self.connection.execute(text)
        self.connection.execute("CHECKPOINT")
        seconds = perf_counter() - started
        size = stored_bytes(self.connection, name)
        if limit is not None and self.bytes_added + size > limit:
            self.connection.execute(f'DROP TABLE "{name}"')
            return False
        self.build_seconds += seconds
        self.bytes_added += size
        self.objects[name] = (seconds, size)
        return True

    def _calibrate(self, statement: Statement) -> Way:
        """The fastest of plain, the best copies and the summaries."""
        rewrites = [rewrite for rewrite, _ in self.summaries.of(statement.text)]
        plain = self._best_of(statement, ())
        copies = self._best_copies(statement, plain)
        if not rewrites:
            return copies
        ways: list[tuple[float, Way]] = [(plain, ()), *((self._best_of(statement, rewrite), rewrite) for rewrite in rewrites)]
        if copies:
            ways.append((self._best_of(statement, copies), copies))
        return min(ways, key=lambda way: way[0])[1]

    def _best_copies(self, statement: Statement, plain: float) -> Variant:
        """The best copy of each table, taken one table at a time; kept only if all of them together win too."""
        best: dict[str, tuple[float, SortedCopy]] = {}
        for (copy,) in variants(statement.text, self.copies):
            seconds = self._best_of(statement, (copy,))
            if seconds < min(plain, best.get(copy.table, (plain, copy))[0]):
                best[copy.table] = (seconds, copy)
        alone = min(best.values(), key=lambda pair: pair[0], default=None)
        together = tuple(copy for _, copy in best.values())
        if alone is None or len(together) < 2:
            return together
        return together if self._best_of(statement, together) < alone[0] else (alone[1],)

    def _best_of(self, statement: Statement, way: Way) -> float:
        text = asked(statement.text, way)
        answers = [ask(self.connection, text, statement.parameters) for _ in range(CALIBRATION_RUNS)]
        return min(inf if answer.error else answer.seconds for answer in answers)

    def _write(self, statement: Statement) -> Answer:
        """Each write of the text on its table and then on what was built from it; the answer is the last one's, as in DuckDB.

        With summaries a write and its upkeep are one transaction: right at every moment, and one commit instead of many.
        """
        seconds, written = 0.0, Answer((), [])
        for text in single_writes(statement.text):
            kind, table = write_target(text)
            copies = [copy for copy in self.copies if copy.table.lower() == table]
            summaries = [summary for summary in self.summaries.tables if any(one.table == table for one in summary.upkeep)]
            last = self._last_row(table) if kind == "insert" and (copies or summaries) else 0
            literals = {"last": str(last), "where": condition_of(text)}
            together = bool(summaries) or (bool(copies) and self.options.expert == "summaries")
            started = perf_counter()
            if together:
                self.connection.begin()
            for summary in summaries:
                run_upkeep(self.connection, summary, "before", kind, table, literals)
            seconds += perf_counter() - started
            written = ask(self.connection, text, statement.parameters)
            seconds += written.seconds
            if written.error:
                if together:
                    self.connection.rollback()
                break
            started = perf_counter()
            for copy in copies:
                if kind == "insert":
                    self.connection.execute(f'INSERT INTO "{copy.name}" {copy.select} WHERE rowid > {last}')
                else:
                    self.connection.execute(mirrored(text, copy), statement.parameters)
            for summary in summaries:
                run_upkeep(self.connection, summary, "after", kind, table, literals)
            if together:
                self.connection.commit()
            seconds += perf_counter() - started
        return replace(written, seconds=seconds)

    def _last_row(self, table: str) -> int:
        row = self.connection.execute(f'SELECT coalesce(max(rowid), -1) FROM "{table}"').fetchone()
        return int(row[0]) if row else -1


def asked(text: str, way: Way) -> str:
    """The text as it is asked one way; a rewrite that does not fit it leaves it as it is."""
    return rewritten(text, way) if isinstance(way, tuple) else way.rewritten(text) or text


def told(way: Way) -> str:
    """A way in words.

    >>> told(()), told((SortedCopy("t", ("b",)),))
    ('plain', 'expert_t_by_b')
    """
    return (", ".join(copy.name for copy in way) or "plain") if isinstance(way, tuple) else f"summary: {way.name}"
