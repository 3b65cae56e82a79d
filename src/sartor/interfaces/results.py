"""Results that are kept: a small answer is handed out again as long as no row of its tables has changed (decision 015)."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from sys import getsizeof
from typing import TYPE_CHECKING, Any

from sartor.core.constants import (
    KEPT_ANALYSED_SECONDS,
    KEPT_BYTES,
    KEPT_FRAME_ROW_SECONDS,
    KEPT_FRAME_SECONDS,
    KEPT_SECONDS,
    KEPT_SHARE,
    KEPT_VALUES,
)
from sartor.core.table import TableName, has_plain_values
from sartor.freshness.usable import counts

if TYPE_CHECKING:
    from sartor.interfaces.call import Call
    from sartor.interfaces.database import Database
    from sartor.interfaces.known import Known, Template
    from sartor.interfaces.session import Session

KEPT = 0  # among the identifiers of what answered a statement: a result that was kept; no object has this number
_VALUE_BYTES = 104  # of a decimal, the largest of the values that have a fixed width
_TIMES = ("DATE", "TIMESTAMP")
_ENDS = frozenset({date.min, date.max, datetime.min, datetime.max})  # what infinity looks like in Python
_PARAMETERS = frozenset({int, str, bool, date, type(None)})


@dataclass(eq=False, slots=True)
class Kept:
    """A result that was kept.

    Attributes:
        tables: whose rows alone decide it.
        counts: of writes to them when it was read.
        generation: of the catalog.
        description: as DuckDB gave it.
        alternative: the derived objects that it was read from.
        bytes: of its values in memory, at most.
        used: it has been handed out.
    """

    tables: tuple[TableName, ...]
    counts: tuple[tuple[int, int], ...]
    generation: int
    rows: list[tuple[Any, ...]]
    description: Any
    alternative: tuple[int, ...]
    bytes: int
    used: bool = False


class Results:
    """The results that are kept of one database, at most KEPT_BYTES of them; those that came first go first.

    Attributes:
        off: why nothing is kept; empty if something may be.
    """

    def __init__(self, database: Database, *, is_wanted: bool) -> None:
        self._database = database
        self._kept: dict[tuple[str, Hashable], Kept] = {}
        self._bytes = 0
        self._lock = threading.RLock()  # re-entered when a collected connection closes the database
        self.off = "" if is_wanted else "it was not asked for"

    @property
    def bytes(self) -> int:
        """What they take in memory."""
        return self._bytes

    def may_be_kept(self, session: Session, template: Template) -> bool:
        """Whether this connection asks now what any other one would be answered alike, and asking twice does no harm."""
        database = self._database
        return not (
            self.off
            or session.transaction is not None
            or session.plain
            or database.plain
            or session.lingering is not None
            or session.profiles
            or session.hides(template.names)
            or not template.names.isdisjoint(database.functions)
        )

    def take(self, session: Session, known: Known, parameters: Any) -> Kept | None:
        """The result that was kept of a text with these parameters, if it is the one of this moment, which then is its snapshot."""
        place = (known.text, parameters_key(parameters))
        kept, template, database = self._kept.get(place), known.template, self._database
        if kept is None or template is None or not self.may_be_kept(session, template):
            return None
        database.look_for_unseen_writes()
        if self._is_current(kept):
            kept.used = True
            return kept
        if not kept.used:  # its tables change faster than it is asked
            known.note_small(place[1], small=False)
        with self._lock:
            self._drop(place)
        return None

    def keep(self, session: Session, call: Call, rows: list[tuple[Any, ...]], description: Sequence[Any]) -> bool:
        """Keep a whole result, if it is small, took its time, and its tables alone decide it; says whether it was kept.

        Its tables were not written from before it was sent until its snapshot had begun: the counts at both moments tell.
        """
        known, begun, key = call.known, call.after, parameters_key(call.parameters)
        template = known.template if known is not None else None
        if known is None or template is None or call.watched is None or begun is None or key is None:
            return False
        if not is_worth_keeping(call.seconds, len(rows), template):
            return False
        before, generation = call.watched
        found = self._database.tables_read(known)
        if found is None or generation != self._database.generation or not self.may_be_kept(session, template):
            return False
        tables = tuple(found)
        written = counts(tables, before)
        if written is None or counts(tables, begun) != written:
            return False
        size = _bytes(rows, description)
        if size > KEPT_SHARE.default * KEPT_BYTES.default:
            return False
        place = (known.text, key)
        with self._lock:
            self._drop(place)
            self._kept[place] = Kept(tables, written, generation, rows, description, call.alternative, size)
            self._bytes += size
            while self._bytes > KEPT_BYTES.default:
                self._drop(next(iter(self._kept)))
            if self.off:
                self.forget()
        return True

    def stop(self, reason: str) -> None:
        """From now on nothing is kept: an answer may depend on more than rows."""
        self.off = self.off or reason
        self.forget()

    def forget(self) -> None:
        """Let go of everything; it may be kept again."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def purge(self) -> None:
        """Let go of what may hold rows that its tables no longer have."""
        with self._lock:
            for place in [place for place, kept in self._kept.items() if not self._is_current(kept)]:
                self._drop(place)

    def _is_current(self, kept: Kept) -> bool:
        return kept.generation == self._database.generation and counts(kept.tables, self._database.registry.state) == kept.counts

    def _drop(self, place: tuple[str, Hashable]) -> None:
        kept = self._kept.pop(place, None)
        if kept is not None:
            self._bytes -= kept.bytes


def took_long(seconds: float) -> bool:
    """Whether a result may be worth keeping at all."""
    return seconds >= KEPT_SECONDS.default


def is_worth_keeping(seconds: float, rows: int, template: Template | None, *, framed: bool = False) -> bool:
    """Whether a result of so many rows is small, and took so long that handing it out again spares something.

    Args:
        template: None if it is not known yet.
        framed: it was fetched as a frame, and DuckDB would have to make one of it again.
    """
    least = KEPT_SECONDS.default
    if template is not None and template.analysis is None:
        least = max(least, KEPT_ANALYSED_SECONDS.default / (1 + len(template.seconds.get(None, ()))))
    if framed:
        least = max(least, KEPT_FRAME_SECONDS.default + rows * KEPT_FRAME_ROW_SECONDS.default)
    return seconds >= least and rows <= KEPT_VALUES.default


def _bytes(rows: Sequence[tuple[Any, ...]], description: Sequence[Any]) -> int:
    """What rows take in memory, at most: only texts are looked at one by one."""
    if not rows:
        return 0
    wide = [place for place, column in enumerate(description) if str(column[1]) == "VARCHAR"]
    widths = sum(getsizeof(row[place]) for row in rows for place in wide)
    return widths + len(rows) * (getsizeof(rows[0]) + _VALUE_BYTES * (len(description) - len(wide)))


def comes_back(description: Sequence[Any]) -> bool:
    """Whether DuckDB makes of the values of these columns in Python what they were."""
    types = [str(column[1]) for column in description]
    return all(has_plain_values(kind) or kind == "HUGEINT" for kind in types)


def is_finite(rows: Sequence[tuple[Any, ...]], description: Sequence[Any]) -> bool:
    """Whether no date or time may be an infinite one, which Python has no value for."""
    times = [place for place, column in enumerate(description) if str(column[1]) in _TIMES]
    return not times or not any(row[place] in _ENDS for row in rows for place in times)


def parameters_key(parameters: Any) -> Hashable:
    """What tells parameters apart; None for such as are not told apart."""
    if parameters is None:
        return ()
    if type(parameters) not in (list, tuple):
        return None
    types = tuple(map(type, parameters))
    return (types, tuple(parameters)) if _PARAMETERS.issuperset(types) else None
