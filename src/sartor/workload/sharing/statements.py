"""The statements of an imported workload: templates with literals of the generated data, in the order of their arrival."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace

import duckdb

from sartor.core.constants import IMPORT_STATEMENTS
from sartor.workload.sharing.document import SharedRun, SharedTemplate, SharedWorkload
from sartor.workload.sharing.literals import drawn

_HOLE = re.compile(r"\$p(\d+)\b")


def statements(connection: duckdb.DuckDBPyConnection, workload: SharedWorkload, seed: int) -> tuple[list[str], int]:
    """The statements, and how many templates are not among them because they raise on the generated data.

    Each template has about its share of all runs: they are its recorded ones, again and again.
    """
    draw = random.Random(seed)
    literals, fallback = drawn(connection, workload.templates, draw)

    def text(template: SharedTemplate, run: SharedRun) -> str:
        values = []
        for hole, positions in zip(template.holes, run.positions, strict=True):
            found = [literals[hole, position] for position in positions or ()]
            values.append(", ".join(dict.fromkeys(found)) or fallback[hole])
        return _HOLE.sub(lambda mark: values[int(mark[1]) - 1], template.sql)

    running = [template for template in workload.templates if _runs(connection, text(template, template.runs[0]))]
    total = sum(template.count for template in running)
    share = min(1.0, IMPORT_STATEMENTS.default / max(1, total))
    timed = [(run.at, text(template, run)) for template in running for run in _repeated(template, round(template.count * share), draw)]
    return [one for _, one in sorted(timed, key=lambda pair: pair[0])], len(workload.templates) - len(running)


def _repeated(template: SharedTemplate, count: int, draw: random.Random) -> Iterator[SharedRun]:
    """As many runs as wanted, at least one; those beyond the recorded ones come between the first and the last."""
    recorded = list(template.runs)
    yield from recorded[:: max(1, -(-len(recorded) // max(1, count)))]
    first, last = recorded[0].at, recorded[-1].at
    for _ in range(count - len(recorded)):
        yield replace(draw.choice(recorded), at=draw.uniform(first, last))


def _runs(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    try:
        connection.execute(text).fetchall()
    except duckdb.Error:
        return False
    return True
