"""The commands that ask statements: replay and demo."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Annotated

import duckdb
import typer

from sartor.core.errors import WorkloadError
from sartor.interfaces.cli.opening import opened, progress, show
from sartor.interfaces.connection import Connection
from sartor.workload.replay import FileStatement, read_workload

REPLAY_RUNS = 3  # of each statement on each side, in turn: the first is not counted, for a new template is not served at once


def replay(
    database: Annotated[Path, typer.Argument(help="a DuckDB file", show_default=False)],
    workload: Annotated[Path, typer.Argument(help="a file of SQL statements", show_default=False)],
    json: Annotated[bool, typer.Option("--json", help="print the answer for programs")] = False,
) -> None:
    """Ask the reads of a file plain and with what is in force, side by side."""
    with opened(database) as connection, progress() as tell:
        statements = _usable(connection, workload)
        plain = duckdb.DuckDBPyConnection.cursor(connection)
        rows = []
        for place, statement in enumerate(statements):
            tell("replaying", place / len(statements))
            pairs = [(_seconds(plain, statement.text), _seconds(connection, statement.text)) for _ in range(REPLAY_RUNS)]
            plain_seconds, sartor_seconds = (min(column) for column in zip(*pairs[1:], strict=True))
            rows.append({"line": statement.line, "plain_s": plain_seconds, "sartor_s": sartor_seconds})
        plain.close()
    if json:
        show({"statements": rows}, json)
        return
    for row in rows:
        print(f"line {row['line']:>5}  plain {row['plain_s'] * 1e3:>9.2f} ms  sartor {row['sartor_s'] * 1e3:>9.2f} ms")
    print(f"all: plain {sum(r['plain_s'] for r in rows):.3f} s, sartor {sum(r['sartor_s'] for r in rows):.3f} s")


def demo(
    items: Annotated[int, typer.Option(help="order items of the shop")] = 8_000_000,
    statements: Annotated[int, typer.Option(help="statements of each day")] = 1_200,
    seed: Annotated[int, typer.Option(help="of data and statements")] = 1,
    folder: Annotated[Path, typer.Option(help="where the shop is made")] = Path("demo"),
    json: Annotated[bool, typer.Option("--json", help="print the answer for programs")] = False,
) -> None:
    """Make a realistic shop, play a day, tune, play the next day, and show what it brought."""
    from sartor.interfaces.demo import play

    with progress() as tell:
        report = play(folder, items=items, statements=statements, seed=seed, progress=tell)
    show(report, json)


def ask(connection: Connection, path: Path, tell: Callable[[str, float], None]) -> None:
    """Ask the reads of a workload file, so that they are observed."""
    statements = _usable(connection, path)
    for place, statement in enumerate(statements):
        tell("asking the workload", place / len(statements))
        connection.execute(statement.text).fetchall()


def _usable(connection: Connection, path: Path) -> list[FileStatement]:
    """The reads of a file that bind on this database; what is left out is named on stderr.

    Raises:
        WorkloadError: nothing is left.
    """
    cursor = connection.cursor()
    try:
        statements, problems = read_workload(path, lambda text: _reason(cursor, text))
    finally:
        cursor.close()
    for problem in problems:
        print(f"{path}:{problem.line}: skipped: {problem.reason}", file=sys.stderr)
    if not statements:
        raise WorkloadError(f"{path}: no statement can be used; mend the ones named above")
    return statements


def _reason(cursor: duckdb.DuckDBPyConnection, text: str) -> str | None:
    from sartor.sql.classify import classify

    if not classify(text).reads_only:
        return "it is not a read; only reads are replayed"
    try:
        cursor.execute(f"EXPLAIN {text}").fetchall()
    except duckdb.Error as error:
        return str(error)
    return None


def _seconds(connection: duckdb.DuckDBPyConnection, text: str) -> float:
    started = perf_counter()
    connection.execute(text).fetchall()
    return perf_counter() - started
