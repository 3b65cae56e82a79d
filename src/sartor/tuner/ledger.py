"""The ledger: an append-only record of every decision, each with the number of its cause.

In the folder beside the database each process appends to a segment of its own, one decision a line in one write, so several
processes may write at once and a torn last line is skipped.
"""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sartor.core.errors import DecisionNotFound

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the ledger.

    Attributes:
        number: unique in the ledger of a database, growing.
        cause: the number of the decision that led to this one, or None.
        at: seconds since the epoch.
        kind: round, fact, refuse, build, trial, keep, drift, end, undo, put_back, fall_back, distrust, refresh or purge.
        subject: what it is about: a derived object, a template's digest, or "database".
        summary: one sentence: what, how much, what it costs, how sure.
        details: more, as JSON-able values.
    """

    number: int
    cause: int | None
    at: float
    kind: str
    subject: str
    summary: str
    details: dict[str, Any]


class Ledger:
    """The decisions of one database, by this process and by those before it; in memory only without a folder."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._path = folder / f"ledger-{os.getpid()}-{time.time_ns():x}.jsonl" if folder is not None else None
        self._earlier: list[Decision] | None = None
        self._mine: list[Decision] = []
        self._lock = threading.RLock()  # re-entered when a collected connection closes the database

    def record(
        self,
        kind: str,
        subject: str,
        summary: str,
        details: dict[str, Any] | None = None,
        cause: int | None = None,
    ) -> int:
        """Append a decision and return its number; never raises: a folder that can not be written keeps it in memory."""
        with self._lock:
            last = max((d.number for d in (*self._before(), *self._mine[-1:])), default=0)
            decision = Decision(last + 1, cause, time.time(), kind, subject, summary, details or {})
            self._mine.append(decision)
            self._append(decision)
            return decision.number

    def decisions(self) -> list[Decision]:
        """All decisions, oldest first."""
        with self._lock:
            return sorted((*self._before(), *self._mine), key=lambda decision: (decision.number, decision.at))

    def decision(self, number: int) -> Decision:
        """One decision.

        Raises:
            DecisionNotFound: there is none of that number.
        """
        for decision in self.decisions():
            if decision.number == number:
                return decision
        raise DecisionNotFound(number)

    def story(self, number: int) -> list[Decision]:
        """A decision with what led to it and what followed from it, oldest first."""
        every = {decision.number: decision for decision in self.decisions()}
        chain: list[Decision] = []
        step: Decision | None = self.decision(number)
        while step is not None:
            chain.insert(0, step)
            step = every.get(step.cause) if step.cause is not None else None
        reached = {number}
        for decision in every.values():
            if decision.cause in reached:
                reached.add(decision.number)
                chain.append(decision)
        return chain

    def as_table(self) -> pyarrow.Table:
        """The decisions as an Arrow table, details as JSON text."""
        import pyarrow

        rows = [asdict(decision) | {"details": json.dumps(decision.details, default=str)} for decision in self.decisions()]
        schema = pyarrow.schema(
            [
                ("number", pyarrow.int64()),
                ("cause", pyarrow.int64()),
                ("at", pyarrow.float64()),
                ("kind", pyarrow.string()),
                ("subject", pyarrow.string()),
                ("summary", pyarrow.string()),
                ("details", pyarrow.string()),
            ]
        )
        return pyarrow.Table.from_pylist(rows, schema=schema)

    def close(self) -> None:
        """Nothing is held open between two decisions."""

    def _before(self) -> list[Decision]:
        if self._earlier is None:
            self._earlier = []
            segments = sorted(self._folder.glob("ledger-*.jsonl")) if self._folder is not None else []
            for path in segments:
                if path == self._path:
                    continue
                for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
                    try:
                        self._earlier.append(Decision(**json.loads(line)))
                    except (ValueError, TypeError):
                        continue
        return self._earlier

    def _append(self, decision: Decision) -> None:
        if self._path is None:
            return
        line = json.dumps(asdict(decision), default=str) + "\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line.encode())
            finally:
                os.close(descriptor)
        except OSError:
            self._path = None
