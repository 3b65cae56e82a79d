"""Segments: one file per open log in the folder beside the database, each written by nobody else.

Each line is what one process gathered of one template; reading adds the lines of all segments up. A segment is replaced as a
whole by a rename, so several processes may write at once and a reader sees the old one or the new one. When all segments
together grow beyond the bound the oldest are forgotten.
"""

from __future__ import annotations

import datetime
import decimal
import json
import os
import time
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sartor.core.constants import HISTORY_RUNS, LOG_BYTES
from sartor.workload.gathering import Gathering
from sartor.workload.workload import Execution


class Segments:
    """The segments of one folder, and this process's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._own = folder / f"workload-{os.getpid()}-{time.time_ns():x}.jsonl"
        self.notes: tuple[str, ...] = ()

    def write(self, gatherings: Iterable[Gathering], keep_literals: bool) -> None:
        """Write what was gathered anew, replacing this process's own segment; never raises."""
        lines = [json.dumps(_document(g, keep_literals), default=str) for g in gatherings if g.count or g.kept]
        if not lines:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self._own.with_suffix(".draft")
            draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
            os.replace(draft, self._own)
            self._bound()
        except OSError as error:
            note = f"the workload log stays in memory: {error.strerror or error}"
            if note not in self.notes:
                self.notes = (*self.notes, note)

    def read(self) -> dict[str, Gathering]:
        """What other processes, now or before, have gathered; this process's own segment left out."""
        found: dict[str, Gathering] = {}
        for path in self._others():
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            for line in text.splitlines():
                gathering = _gathering(line)
                if gathering is None:
                    continue
                known = found.get(gathering.digest)
                found[gathering.digest] = gathering if known is None else gathering.joined(known)
        return found

    def _others(self) -> list[Path]:
        try:
            return sorted(p for p in self._folder.glob("workload-*.jsonl") if p != self._own)
        except OSError:
            return []

    def _bound(self) -> None:
        """Forget the oldest segments of others while all of them together are over the bound."""
        others = sorted(self._others(), key=lambda path: path.stat().st_mtime)
        sizes = {path: path.stat().st_size for path in others}
        total = sum(sizes.values()) + self._own.stat().st_size
        for path in others:
            if total <= LOG_BYTES.default:
                return
            total -= sizes[path]
            path.unlink(missing_ok=True)


def _document(gathering: Gathering, keep_literals: bool) -> dict[str, Any]:
    return {
        "digest": gathering.digest,
        "template": gathering.template,
        "kind": gathering.kind,
        "appends": sorted(gathering.appends),
        "mutates": sorted(gathering.mutates),
        "count": gathering.count,
        "kept": gathering.kept,
        "seconds": gathering.total_seconds,
        "rows": gathering.rows,
        "first": gathering.first_started,
        "last": gathering.last_started,
        "plain": list(gathering.plain_seconds),
        "executions": [
            [e.text, _encoded(e.parameters), e.started, e.seconds, e.rows, e.alternative]
            for e in gathering.executions
            if keep_literals and _encoded(e.parameters) is not _LOST
        ],
    }


def _gathering(line: str) -> Gathering | None:
    try:
        document = json.loads(line)
        return Gathering(
            document["digest"],
            document["template"],
            document["kind"],
            frozenset(document["appends"]),
            frozenset(document["mutates"]),
            document["count"],
            document["seconds"],
            document["rows"],
            document["first"],
            document["last"],
            deque(document["plain"], maxlen=int(HISTORY_RUNS.default)),
            [
                Execution(text, _decoded(parameters), started, seconds, rows, alternative)
                for text, parameters, started, seconds, rows, alternative in document["executions"]
            ],
            document.get("kept", 0),  # of a version that kept none
        )
    except (ValueError, KeyError, TypeError):
        return None


_LOST = object()
_TAGGED: dict[str, Any] = {
    "date": datetime.date.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
    "time": datetime.time.fromisoformat,
    "Decimal": decimal.Decimal,
}


def _encoded(parameters: Any) -> Any:
    """Parameters as JSON-able values, types kept; _LOST where a value can not be kept."""
    if parameters is None or isinstance(parameters, bool | int | float | str):
        return parameters
    if isinstance(parameters, dict):
        values = {str(name): _encoded(value) for name, value in parameters.items()}
        return _LOST if _LOST in values.values() else {"named": values}
    if isinstance(parameters, list | tuple):
        items = [_encoded(value) for value in parameters]
        return _LOST if any(item is _LOST for item in items) else items
    name = type(parameters).__name__
    return {name: str(parameters)} if name in _TAGGED else _LOST


def _decoded(parameters: Any) -> Any:
    if isinstance(parameters, list):
        return [_decoded(value) for value in parameters]
    if isinstance(parameters, dict):
        if "named" in parameters:
            return {name: _decoded(value) for name, value in parameters["named"].items()}
        ((name, text),) = parameters.items()
        return _TAGGED[name](text)
    return parameters
