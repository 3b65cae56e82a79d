"""The randomized freshness protocol: phases in processes of their own, and plain DuckDB between them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from tests.protocol.phase import OPENED, WRITERS, Order
from tests.protocol.writer import Writer

ROWS = 150_000  # at the beginning: more than a row group, so that checkpoints have something to move
PHASE_ANSWERS = 700
PATIENCE_SECONDS = 600


@dataclass(slots=True)
class Report:
    """What a run saw."""

    seed: int
    answers: int = 0
    served: int = 0
    phases: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def gates(self) -> list[str]:
        """What did not occur often enough for the run to prove anything."""
        wanted = {
            "served whole": 50,
            "served residual": 500,
            "appended rows ruled out": 20,
            "append": 50,
            "append many": 10,
            "appender": 5,
            "transaction: commit": 30,
            "transaction: rollback": 10,
            "scattered delete": 5,
            "aborted transaction": 5,
            "checkpoint": 5,
            "definition": 5,
            "reading transaction": 100,
            "refresh": 100,
            "purge": 20,
            "undo": 5,
            "tune": 5,
            "clean close": 3,
            "killed": 3,
            "write past Sartor": 20,
            "written by plain DuckDB between": 3,
            "second process refused": 3,
        }
        return [f"{name}: {self.seen[name]} of {least}" for name, least in wanted.items() if self.seen[name] < least]


def protocol(folder: Path, seed: int, answers: int, *, defect: str = "", delays: bool = True) -> Report:
    """Run phases until so many answers were served from objects, or one is wrong."""
    draw = random.Random(seed)
    report = Report(seed)
    path = folder / "data.duckdb"
    writers = _begin(path)
    while report.served < answers and not report.wrong:
        shared = draw.random() < 0.25
        order = Order(
            path=str(path),
            seed=draw.randrange(1 << 30),
            answers=min(PHASE_ANSWERS, answers - report.served),
            shared=shared,
            killed=draw.random() < 0.4,
            delays=delays and draw.random() < 0.7,
            defect=defect,
            writers=[(writer.committed, writer.rows) for writer in writers],
        )
        writers = _phase(order, folder, report)
        report.phases += 1
        if not report.wrong and draw.random() < 0.5:
            _write_between(path, writers, draw, report)
    return report


def _begin(path: Path) -> list[Writer]:
    writers = []
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE t (w INTEGER, k INTEGER, v BIGINT)")
        for number in range(WRITERS):
            rows = {key: [(i * 31 + key) % 100 for i in range(ROWS // WRITERS // 8)] for key in range(8)}
            connection.execute(
                f"INSERT INTO t SELECT {number}, k, (i * 31 + k) % 100 FROM range({ROWS // WRITERS // 8}) r(i), range(8) s(k)"
            )
            connection.execute(f"INSERT INTO t VALUES ({number}, -1, 1)")
            writers.append(Writer(number, rows, 1))
    return writers


def _phase(order: Order, folder: Path, report: Report) -> list[Writer]:
    told = folder / "outcome.json"
    told.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.protocol.phase", str(told)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        json.dump(asdict(order), process.stdin)
        process.stdin.close()
        if process.stdout.readline().strip() == OPENED:
            _try_to_open(Path(order.path), report)
        process.wait(PATIENCE_SECONDS)
    if process.returncode != 0 or not told.exists():
        report.wrong.append(f"a phase ended with status {process.returncode}: {order.seed}")
        return []
    outcome = json.loads(told.read_text())
    report.answers += outcome["answers"]
    report.served += outcome["served"]
    report.seen.update(outcome["seen"])
    report.seen["killed" if order.killed else "clean close"] += 1
    report.wrong += [f"{wrong} (phase {report.phases}, seed {order.seed}, shared {order.shared})" for wrong in outcome["wrong"]]
    return [
        Writer(number, {int(key): values for key, values in rows.items()}, version)
        for number, (version, rows) in enumerate(outcome["writers"])
    ]


def _try_to_open(path: Path, report: Report) -> None:
    """A second process may not open the file while Sartor has it open."""
    try:
        duckdb.connect(path).close()
    except duckdb.IOException:
        report.seen["second process refused"] += 1


def _write_between(path: Path, writers: list[Writer], draw: random.Random, report: Report) -> None:
    with duckdb.connect(path) as connection:
        for writer in writers:
            writer.write(connection, draw, Counter())
    report.seen["written by plain DuckDB between"] += 1
