"""Results that are kept: a small answer is handed out again as long as no row of its tables has changed (decision 015)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sartor.core.constants import KEPT_ANALYSED_SECONDS, KEPT_SECONDS, KEPT_VALUES
from sartor.core.table import has_plain_values
from sartor.freshness.usable import counts
from sartor.interfaces.known import Kept

if TYPE_CHECKING:
    from sartor.interfaces.call import Call
    from sartor.interfaces.known import Known
    from sartor.interfaces.session import Session

KEPT = 0  # among the identifiers of what answered a statement: a result that was kept; no object has this number
_TIMES = ("DATE", "TIMESTAMP")
_ENDS = frozenset({date.min, date.max, datetime.min, datetime.max})  # what infinity looks like in Python
_PARAMETERS = frozenset({int, str, bool, date, type(None)})
SETS_OF_PARAMETERS = 64  # of one text that something is kept for


def may_be_kept(session: Session) -> bool:
    """Whether this connection asks now what any other one would be answered alike."""
    database = session.database
    return database.keeps_results and not (
        session.transaction is not None or session.plain or database.plain or session.lingering is not None or session.profiles
    )


def take(session: Session, known: Known, parameters: Any) -> Kept | None:
    """The result that was kept of a text with these parameters, if it is the one of this moment, which then is its snapshot."""
    database, template = session.database, known.template
    kept = (known.results or {}).get(parameters_key(parameters))
    if kept is None or template is None or not may_be_kept(session):
        return None
    if session.hides(template.names):
        return None
    database.look_for_unseen_writes()
    if kept.generation == database.generation and counts(kept.tables, database.registry.state) == kept.counts:
        return kept
    known.results = None
    return None


def is_small(rows: Sequence[object]) -> bool:
    """Whether a result has so few rows that it may be kept."""
    return len(rows) <= KEPT_VALUES.default


def comes_back(description: Sequence[Any]) -> bool:
    """Whether DuckDB makes of the values of these columns in Python what they were."""
    types = [str(column[1]) for column in description]
    return all(has_plain_values(kind) or kind == "HUGEINT" for kind in types)


def is_finite(rows: Sequence[tuple[Any, ...]], description: Sequence[Any]) -> bool:
    """Whether no date or time may be an infinite one, which Python has no value for."""
    times = [place for place, column in enumerate(description) if str(column[1]) in _TIMES]
    return not times or not any(row[place] in _ENDS for row in rows for place in times)


def keep(session: Session, pending: Call, rows: list[tuple[Any, ...]], description: Sequence[Any]) -> None:
    """Keep a whole result, if it is small, took its time, and its tables alone decide it.

    Its tables were not written from before it was sent until its snapshot had begun; that is known from the counts at both moments.
    """
    database, known, begun = session.database, pending.known, pending.after
    values, key = len(rows) * len(description), parameters_key(pending.parameters)
    if (
        known is None
        or pending.watched is None
        or begun is None
        or pending.seconds < KEPT_SECONDS.default
        or values > KEPT_VALUES.default
        or key is None
    ):
        return
    if known.template is None or (known.template.analysis is None and pending.seconds < KEPT_ANALYSED_SECONDS.default):
        return
    before, generation = pending.watched
    found = database.tables_read(known)
    if found is None or generation != database.generation or not may_be_kept(session):
        return
    tables = tuple(found)
    written = counts(tables, before)
    if written is None or counts(tables, begun) != written:
        return
    results = known.results or {}
    if len(results) >= SETS_OF_PARAMETERS:
        results = {}
    known.results = {**results, key: Kept(tables, written, generation, rows, description, pending.alternative)}
    database.count_kept(values)


def parameters_key(parameters: Any) -> Hashable:
    """What tells parameters apart; None for such as are not told apart."""
    if parameters is None:
        return ()
    if type(parameters) not in (list, tuple):
        return None
    types = tuple(map(type, parameters))
    return (types, tuple(parameters)) if _PARAMETERS.issuperset(types) else None
