"""What is gathered of one template while statements come in: counts, recent plain times, a uniform sample."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

from sartor.core.constants import HISTORY_RUNS, LOG_SAMPLE
from sartor.workload.workload import Execution, Kind, TemplateStatistics


@dataclass(slots=True)
class Gathering:
    """The mutable side of `TemplateStatistics`."""

    digest: str
    template: str
    kind: Kind
    appends: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    count: int = 0
    total_seconds: float = 0.0
    rows: int = 0
    first_started: float = 0.0
    last_started: float = 0.0
    plain_seconds: deque[float] = field(default_factory=lambda: deque(maxlen=int(HISTORY_RUNS.default)))
    executions: list[Execution] = field(default_factory=list)
    kept: int = 0

    def add(self, execution: Execution, keep_literals: bool) -> None:
        """Take one run in; the sample stays uniform over all runs (Vitter's algorithm R)."""
        self.count += 1
        self.total_seconds += execution.seconds
        self.rows += max(execution.rows, 0)
        self.first_started = min(self.first_started or execution.started, execution.started)
        self.last_started = max(self.last_started, execution.started)
        if not execution.alternative:
            self.plain_seconds.append(execution.seconds)
        if not keep_literals:
            return
        if len(self.executions) < LOG_SAMPLE.default:
            self.executions.append(execution)
        else:
            place = int(random.random() * self.count)
            if place < LOG_SAMPLE.default:
                self.executions[place] = execution

    def joined(self, earlier: Gathering) -> Gathering:
        """This and what an earlier process gathered, as one."""
        return Gathering(
            self.digest,
            self.template,
            self.kind,
            self.appends,
            self.mutates,
            self.count + earlier.count,
            self.total_seconds + earlier.total_seconds,
            self.rows + earlier.rows,
            min(self.first_started, earlier.first_started),
            max(self.last_started, earlier.last_started),
            deque([*earlier.plain_seconds, *self.plain_seconds], maxlen=int(HISTORY_RUNS.default)),
            [*self.executions, *earlier.executions][: int(LOG_SAMPLE.default)],
            self.kept + earlier.kept,
        )

    def statistics(self) -> TemplateStatistics:
        return TemplateStatistics(
            self.digest,
            self.template,
            self.kind,
            self.count,
            self.total_seconds,
            self.first_started,
            self.last_started,
            tuple(self.plain_seconds),
            tuple(self.executions),
            kept=self.kept,
        )
