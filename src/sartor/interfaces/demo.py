"""The demo: a realistic shop, a day of queries, a round of tuning, and the next day plain and with Sartor side by side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

import sartor
from sartor.workload.shop import make_shop
from sartor.workload.stream import StreamStatement, day

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class DemoLine:
    """One template of the second day; seconds are means over its runs."""

    name: str
    runs: int
    plain_seconds: float
    sartor_seconds: float


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What the demo measured on the second day.

    Attributes:
        tune_seconds, build_seconds, refresh_seconds: what tuning took, of it building, and the refresh after the night's load.
        wrong: statements whose answer was not plain DuckDB's.
        built: what was built, a line each.
        database: the shop, to look at with the other commands.
        report: the page with the pictures.
    """

    items: int
    statements: int
    plain_seconds: float
    sartor_seconds: float
    tune_seconds: float
    build_seconds: float
    refresh_seconds: float
    bytes_added: int
    wrong: int
    built: tuple[str, ...]
    lines: tuple[DemoLine, ...]
    database: str
    report: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        rows = [
            f"{line.name[:44]:<44} {line.runs:>5} {line.plain_seconds * 1e3:>9.2f} {line.sartor_seconds * 1e3:>9.2f} "
            f"{line.plain_seconds / max(line.sartor_seconds, 1e-9):>6.1f}"
            for line in self.lines
        ]
        total = self.sartor_seconds + self.refresh_seconds
        return "\n".join(
            [
                f"A shop with {self.items:,} order items; the second day asked {self.statements} statements.",
                "",
                "What was built after the first day:",
                *(f"  {line}" for line in self.built),
                "",
                f"{'template (reads of the second day)':<44} {'runs':>5} {'plain ms':>9} {'Sartor ms':>9} {'times':>6}",
                *rows,
                "",
                f"the day, writes included: plain {self.plain_seconds:.2f} s, Sartor {total:.2f} s "
                f"({self.refresh_seconds:.2f} s of it refreshing): {self.plain_seconds / total:.1f} times faster",
                f"tuning took {self.tune_seconds:.1f} s ({self.build_seconds:.1f} s of it building), {self.bytes_added / 1e6:.0f} MB",
                f"wrong answers: {self.wrong}",
                f"look at it: {self.report}; sartor design {self.database}; sartor ledger {self.database}",
            ]
        )


def play(
    folder: Path, *, items: int = 3_000_000, statements: int = 1_200, seed: int = 1, progress: Progress | None = None
) -> DemoReport:
    """Play the demo in a folder; a shop that an earlier demo left there is replaced."""
    tell = progress or (lambda text, share: None)
    ours, theirs = _fresh(folder)
    tell("making the shop", 0.0)
    with duckdb.connect(ours) as connection:
        make_shop(connection, items, seed)
    shutil.copyfile(ours, theirs)
    with sartor.connect(ours) as con, duckdb.connect(theirs) as plain:
        first = list(day(seed, 1, statements, unseen_share=0.0))
        for place, statement in enumerate(first):
            tell("the first day", 0.1 + 0.3 * place / len(first))
            con.execute(statement.text, statement.parameters).fetchall()
            if statement.kind == "write":
                plain.execute(statement.text, statement.parameters).fetchall()
        tell("tuning", 0.4)
        report = con.tune(seconds=60, progress=lambda text, share: tell(text, 0.4 + 0.2 * share))
        second = list(day(seed, 2, statements))
        times, refresh_seconds, wrong = _second_day(con, plain, second, tell)
        page = con.report(folder / "report.html")
    lines = [
        DemoLine(name, len(pairs), sum(a for a, _ in pairs) / len(pairs), sum(b for _, b in pairs) / len(pairs))
        for name, pairs in times.items()
    ]
    reads = {statement.name for statement in second if statement.kind == "read"}
    ranked = sorted((line for line in lines if line.name in reads), key=lambda line: -line.runs * line.plain_seconds)
    return DemoReport(
        items=items,
        statements=len(second),
        plain_seconds=sum(line.runs * line.plain_seconds for line in lines),
        sartor_seconds=sum(line.runs * line.sartor_seconds for line in lines),
        tune_seconds=report.seconds,
        build_seconds=report.build_seconds,
        refresh_seconds=refresh_seconds,
        bytes_added=report.bytes_added,
        wrong=wrong,
        built=report.built,
        lines=tuple(ranked),
        database=str(ours),
        report=str(page),
    )


def _fresh(folder: Path) -> tuple[Path, Path]:
    """The paths of the two files, with nothing at them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "shop.duckdb", folder / "plain.duckdb"
    for path in paths:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        shutil.rmtree(path.with_name(path.name + ".sartor"), ignore_errors=True)
    return paths


def _second_day(
    con: Any, plain: duckdb.DuckDBPyConnection, statements: Iterable[StreamStatement], tell: Progress
) -> tuple[dict[str, list[tuple[float, float]]], float, int]:
    """Each statement on both, in turn; the times per template, the refresh after the night, and the wrong answers."""
    times: dict[str, list[tuple[float, float]]] = {}
    refresh_seconds, wrong, night = 0.0, 0, True
    listed = list(statements)
    for place, statement in enumerate(listed):
        tell("the second day, plain and Sartor in turn", 0.6 + 0.4 * place / len(listed))
        if night and statement.kind == "read":
            night = False
            started = perf_counter()
            con.refresh()
            refresh_seconds = perf_counter() - started
        seconds: dict[str, float] = {}
        answers: dict[str, Any] = {}
        order = [("plain", plain), ("sartor", con)]
        for name, connection in order if place % 2 else reversed(order):
            started = perf_counter()
            answers[name] = connection.execute(statement.text, statement.parameters).fetchall()
            seconds[name] = perf_counter() - started
        wrong += answers["plain"] != answers["sartor"]
        times.setdefault(statement.name, []).append((seconds["plain"], seconds["sartor"]))
    return times, refresh_seconds, wrong
