"""Run a stream through all columns, block by block, interleaved, over separate database files."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from benchmarks.answers import Answer, difference, same_rows
from benchmarks.columns import Column, Plain, Tailored
from benchmarks.expert import Expert, told
from benchmarks.files import bytes_of, loaded, working_folder
from benchmarks.selective import is_selective
from benchmarks.sorted_copies import read_design
from benchmarks.statement import Options, Statement, Stream, Suite
from benchmarks.summaries import Summaries, read_summaries

DAY_BEGINS = 6 * 3600.0  # seconds after midnight: the night's loads are over, nobody asks yet
CONFIRMATIONS = 11  # paired runs by which a loss is confirmed
VIEWS = "views"  # the component whose answers are told apart
LOSS = 1.1  # times plain: slower than this is a loss
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """One statement's seconds in each column.

    Attributes:
        served_by: the kinds of derived objects that Sartor answered from; empty where it ran plain.
    """

    statement: Statement
    seconds: dict[str, float]
    served_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wrong:
    """A statement whose answer was another than plain DuckDB's."""

    statement: Statement
    half: str
    how: str


@dataclass(slots=True)
class Run:
    """All that one run measured.

    Attributes:
        judged: the measurements of the judged half.
        thread_seconds: of what Sartor's threads did in the judged half.
        tune_rounds: rounds of the tuner, all of them in `tune_seconds`.
        undetermined: statements that plain DuckDB itself answers in two ways.
        expert_other: answers of the expert's design that hold other rows; nobody holds the expert to more.
        expert_ways: what each template was asked with: copies, a rewrite, or plain.
        confirmed: per template that looked slower, the pairs (plain, sartor) of its repetition.
        residual: per template answered from a view, such pairs after `Stream.appended`; no part of any total.
        selective: names of templates that keep 1 % of a large table or less.
    """

    suite: str
    options: Options
    judged: list[Measured] = field(default_factory=list)
    seen: frozenset[str] = frozenset()
    wrong: list[Wrong] = field(default_factory=list)
    undetermined: list[Statement] = field(default_factory=list)
    compared: int = 0
    expert_other: int = 0
    expert_copies: tuple[str, ...] = ()
    expert_summaries: tuple[str, ...] = ()
    expert_ways: dict[str, str] = field(default_factory=dict)
    expert_build_seconds: float = 0.0
    expert_bytes_added: int = 0
    tune_seconds: float = 0.0
    tune_rounds: int = 0
    build_seconds: float = 0.0
    refresh_seconds: float = 0.0
    thread_seconds: float = 0.0
    bytes_added: int = 0
    built: tuple[str, ...] = ()
    confirmed: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    residual: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    selective: frozenset[str] = frozenset()


def run(suite: Suite, options: Options, cache: Path | None = None, progress: Progress = lambda what, share: None) -> Run:
    """Load, watch the first half, tune, judge the second half."""
    progress("loading", 0.0)
    summaries = read_summaries(suite) if options.expert == "summaries" else Summaries()
    base = loaded(suite, options, cache)
    options = replace(options, storage=f"{bytes_of(options.storage, base.stat().st_size)}B")
    with working_folder(cache) as folder:
        stream = _draw(suite, options, base)
        result = Run(suite.name, options, seen=stream.seen)
        paths = {name: folder / name / "data.duckdb" for name in ("plain", "expert", "sartor")}
        for path in paths.values():
            path.parent.mkdir()
            shutil.copyfile(base, path)
        plain = Plain(paths["plain"], options)
        expert = Expert(paths["expert"], options, read_design(suite), summaries)
        sartor = Tailored(paths["sartor"], options)
        columns: tuple[Column, ...] = (plain, expert, sartor)
        collecting = gc.isenabled()
        gc.disable()
        try:
            progress("building the expert's design", 0.0)
            expert.build()
            _play(columns, stream.observed, "observed", result, progress)
            expert.settle()
            progress("tuning", 0.0)
            sartor.thread_seconds = 0.0
            gc.enable()
            sartor.tune()
            gc.disable()
            result.judged = _play(columns, stream.judged, "judged", result, progress)
            progress("confirming", 0.0)
            _confirm(plain, sartor, result)
            result.selective = _selective(plain, result)
            _append(plain, sartor, stream.appended, result)
        finally:
            if collecting:
                gc.enable()
            for column in columns:
                column.close()
        result.expert_copies = tuple(copy.create for copy in expert.copies)
        result.expert_summaries = tuple(summary.create for summary in expert.summaries.tables)
        result.expert_ways = {name: told(way) for name, way in expert.chosen.items()}
        result.expert_build_seconds, result.expert_bytes_added = expert.build_seconds, expert.bytes_added
        result.tune_seconds, result.build_seconds = sartor.tune_seconds, sartor.build_seconds
        result.tune_rounds = sartor.rounds
        result.refresh_seconds, result.bytes_added = sartor.refresh_seconds, sartor.bytes_added
        result.thread_seconds = sartor.thread_seconds
        result.built = sartor.built
    return result


def _draw(suite: Suite, options: Options, base: Path) -> Stream:
    connection = duckdb.connect(str(base), read_only=True, config={"threads": options.threads})
    try:
        return suite.stream(connection, options)
    finally:
        connection.close()


def _play(
    columns: tuple[Column, ...], statements: tuple[Statement, ...], half: str, result: Run, progress: Progress
) -> list[Measured]:
    """Give each block of statements to each column before the next one comes; who goes first rotates."""
    plain = next(column for column in columns if isinstance(column, Plain))
    sartor = next(column for column in columns if isinstance(column, Tailored))
    measured: list[Measured] = []
    largest = plain.largest_table()
    written = False
    for number, block in enumerate(_blocks(statements, result.options.block)):
        progress(half, len(measured) / len(statements))
        gc.collect()
        if half == "judged" and written and block[0].at_seconds >= DAY_BEGINS:
            sartor.refresh()
            written = False
        first = number % len(columns)
        answered: dict[str, list[Answer]] = {}
        served: list[frozenset[str]] = []
        for column in columns[first:] + columns[:first]:
            answered[column.name] = answers = []
            for statement in block:
                answers.append(column.answer(statement))
                if column is sartor:
                    served.append(sartor.served_by)
        for position, statement in enumerate(block):
            by_column = {name: answers[position] for name, answers in answered.items()}
            seconds = {name: answer.seconds for name, answer in by_column.items()}
            measured.append(Measured(statement, seconds, served[position]))
            result.compared += 1
            _compare(plain, statement, half, by_column, largest, result)
        last = block[-1]
        if last.writes:
            largest = plain.largest_table()
            written = written or last.at_seconds < DAY_BEGINS
        if half == "judged":
            if last.idle:
                sartor.refresh()
            sartor.rest()
    return measured


def _blocks(statements: Sequence[Statement], size: int) -> Iterator[tuple[Statement, ...]]:
    """At most `size` reads in a row, and each write by itself; the night ends a block too, and so does idle time.

    What plain DuckDB answers twice in two ways is asked again after a block: so no write may stand behind it in the block.
    """
    block: list[Statement] = []
    for statement in statements:
        dawn = bool(block) and block[-1].at_seconds < DAY_BEGINS <= statement.at_seconds
        if block and (len(block) == size or statement.writes or block[-1].writes or block[-1].idle or dawn):
            yield tuple(block)
            block = []
        block.append(statement)
    if block:
        yield tuple(block)


def _compare(plain: Plain, statement: Statement, half: str, answers: dict[str, Answer], largest: int, result: Run) -> None:
    reference = answers["plain"]
    how = difference(statement.text, reference, answers["sartor"], largest)
    if how:
        again = Answer((), []) if statement.writes else plain.answer(statement)
        if not statement.writes and difference(statement.text, reference, again, largest):
            result.undetermined.append(statement)
        else:
            result.wrong.append(Wrong(statement, half, how))
    expert = answers.get("expert")
    if expert is not None and not statement.writes and not same_rows(reference.rows, expert.rows, largest * 2.0**-52):
        result.expert_other += 1


def _append(plain: Plain, sartor: Tailored, writes: tuple[Statement, ...], result: Run) -> None:
    """Ask the last statements of each template that views answer again, in pairs, after some rows were appended."""
    if not writes:
        return
    sartor.refresh()
    for statement in writes:
        plain.answer(statement)
        sartor.answer(statement)
    largest = plain.largest_table()
    last = {one.statement.name: one.statement for one in result.judged if VIEWS in one.served_by}
    for name, statement in last.items():
        pairs = []
        for number in range(CONFIRMATIONS):
            sartor.forget_results()
            answers = _pair(plain, sartor, statement, number)
            if VIEWS in sartor.served_by:
                pairs.append((answers["plain"].seconds, answers["sartor"].seconds))
            _compare(plain, statement, "appended", answers, largest, result)
        result.residual[name] = pairs


def _pair(plain: Plain, sartor: Tailored, statement: Statement, number: int) -> dict[str, Answer]:
    """Ask both; who goes first takes turns."""
    columns: tuple[Column, Column] = (plain, sartor) if number % 2 else (sartor, plain)
    return {column.name: column.answer(statement) for column in columns}


def _confirm(plain: Plain, sartor: Tailored, result: Run) -> None:
    """Run the last statements of each template that looked slower again, in pairs: one slow run is no loss."""
    last: dict[str, list[Measured]] = {}
    for measured in result.judged:
        if not measured.statement.writes:
            last.setdefault(measured.statement.name, []).append(measured)
    for name, runs in last.items():
        ratios = sorted(one.seconds["sartor"] / one.seconds["plain"] for one in runs)
        if ratios[len(ratios) // 2] <= LOSS:
            continue
        pairs = []
        for number in range(CONFIRMATIONS):
            statement = runs[-1 - number % min(3, len(runs))].statement
            answers = _pair(plain, sartor, statement, number)
            pairs.append((answers["plain"].seconds, answers["sartor"].seconds))
        result.confirmed[name] = pairs


def _selective(plain: Plain, result: Run) -> frozenset[str]:
    last = {one.statement.name: one.statement for one in result.judged if not one.statement.writes}
    return frozenset(name for name, statement in last.items() if is_selective(plain.connection, statement))
