"""How a statement is answered with what is remembered: its tables, restricted to ranges of their row ids. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from sartor.components.predicate_cache.apply import Ranges
from sartor.components.predicate_cache.propose import Candidate
from sartor.core.derived import DerivedObject
from sartor.core.table import quote
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.rewrite import Splice, splice


def condition(ranges: Ranges, high_water: int) -> str:
    """What holds for all rows in the ranges, and for all that came behind, those of an open transaction among them.

    >>> condition(((3, 9), (20, 20)), 50)
    'rowid > 50 OR rowid BETWEEN 3 AND 9 OR rowid BETWEEN 20 AND 20'
    """
    return " OR ".join([f"rowid > {high_water}", *(f"rowid BETWEEN {first} AND {last}" for first, last in ranges)])


def rewritten(text: str, printed: Fingerprint, used: Iterable[tuple[Candidate, DerivedObject]]) -> str:
    """The statement with each of these tables restricted; what it asks is asked as before, of fewer rows.

    The rows come in the order of the table still.
    """
    return splice(text, printed, [_restricted(candidate, derived) for candidate, derived in used])


def _restricted(candidate: Candidate, derived: DerivedObject) -> Splice:
    columns = ", ".join(map(quote, candidate.columns)) or "rowid"
    where = condition(derived.content, derived.coverage.high_water)
    select = f"SELECT {columns} FROM {candidate.source} WHERE {where}"
    return Splice(candidate.first_token, candidate.last_token, f"({select}) AS {candidate.alias}")
