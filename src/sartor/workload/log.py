"""The workload log: observations in, a workload out; bounded, kept across restarts, never in a query's way.

`record` appends to a deque and, once a batch is full, folds it into per-template statistics; `flush` writes them out. A folder
that can not be written makes the log stay in memory, quietly.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from pathlib import Path
from typing import Any, NamedTuple

from sartor.core.constants import LOG_BATCH, LOG_TEMPLATES
from sartor.sql.classify import classify
from sartor.sql.fingerprint import fingerprint
from sartor.workload.gathering import Gathering
from sartor.workload.segments import Segments
from sartor.workload.workload import Execution, Kind, Workload


class Observation(NamedTuple):
    """One statement that was run.

    Attributes:
        digest: of its template; an empty one is found when it is folded in.
        alternative: the derived objects that answered it.
        kept: it was answered by a result that had been kept, so that it was not run.
    """

    digest: str
    text: str
    parameters: Any
    started: float
    seconds: float
    rows: int
    kind: Kind
    alternative: tuple[int, ...] = ()
    kept: bool = False


class WorkloadLog:
    """The observations of one database, by this process and by those before it.

    Attributes:
        notes: what went wrong with keeping it, each said once.
    """

    def __init__(self, folder: Path | None, *, keep_literals: bool = True) -> None:
        self._segments = Segments(folder) if folder is not None else None
        self._keep_literals = keep_literals
        self._buffer: deque[Observation] = deque()
        self._gatherings: dict[str, Gathering] = {}
        self._appends: Counter[str] = Counter()
        self._mutations: Counter[str] = Counter()
        self._lock = threading.RLock()  # as that of `Observer`

    @property
    def notes(self) -> tuple[str, ...]:
        return self._segments.notes if self._segments is not None else ()

    def record(self, observation: Observation) -> None:
        """Take an observation in; never raises, never waits for another thread."""
        self._buffer.append(observation)
        if len(self._buffer) >= LOG_BATCH.default and self._lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                self._lock.release()

    def flush(self) -> None:
        """Fold what is buffered and write it out."""
        with self._lock:
            self._fold()
            if self._segments is not None:
                self._segments.write(self._gatherings.values(), self._keep_literals)

    def workload(self) -> Workload:
        """All that was observed, by this process and, where it is kept, by others before."""
        with self._lock:
            self._fold()
            gatherings = dict(self._gatherings)
            appends, mutations = Counter(self._appends), Counter(self._mutations)
            if self._segments is not None:
                for digest, earlier in self._segments.read().items():
                    mine = gatherings.get(digest)
                    gatherings[digest] = earlier if mine is None else mine.joined(earlier)
                    appends.update(dict.fromkeys(earlier.appends, earlier.count))
                    mutations.update(dict.fromkeys(earlier.mutates, earlier.count))
            templates = sorted((g.statistics() for g in gatherings.values()), key=lambda t: -t.total_seconds)
            first = min((t.first_started for t in templates), default=0.0)
            last = max((t.last_started for t in templates), default=0.0)
            appended = {name: sum_rows(gatherings.values(), name) for name in appends}
            return Workload(tuple(templates), last - first, appends, mutations, appended)

    def close(self) -> None:
        """Write out what is left; may be called twice."""
        self.flush()

    def _fold(self) -> None:
        while self._buffer:
            try:
                observation = self._buffer.popleft()
            except IndexError:
                return
            if not observation.digest:
                observation = observation._replace(digest=fingerprint(observation.text).digest)
            gathering = self._gatherings.get(observation.digest)
            if gathering is None:
                gathering = self._new_gathering(observation)
            if observation.kept:
                gathering.kept += 1
                continue
            execution = Execution(
                observation.text,
                observation.parameters,
                observation.started,
                observation.seconds,
                observation.rows,
                bool(observation.alternative),
            )
            gathering.add(execution, self._keep_literals)
            if observation.kind == "write":
                self._appends.update(gathering.appends)
                self._mutations.update(gathering.mutates)

    def _new_gathering(self, observation: Observation) -> Gathering:
        if len(self._gatherings) >= LOG_TEMPLATES.default:
            # The long tail: the half that took least time makes room.
            keep = sorted(self._gatherings.values(), key=lambda g: -g.total_seconds)[: len(self._gatherings) // 2]
            self._gatherings = {g.digest: g for g in keep}
        effects = classify(observation.text)
        gathering = Gathering(
            observation.digest,
            fingerprint(observation.text).template,
            observation.kind,
            effects.appends,
            effects.mutates,
        )
        self._gatherings[observation.digest] = gathering
        return gathering


def sum_rows(gatherings: Any, name: str) -> int:
    """Rows appended to a table, as far as the statements told."""
    return sum(g.rows for g in gatherings if name in g.appends)
