"""Which views a statement can be answered from, and how its text is rewritten. Pure: no engine, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from heapq import merge
from operator import itemgetter

from sartor.components.views.apply import content, definition
from sartor.core.analysis import Analysis
from sartor.core.block import QueryBlock
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.view import VIEWS, ViewDefinition
from sartor.sql.matching.filter import may_match
from sartor.sql.matching.found import ALIAS, Match, Rest
from sartor.sql.matching.match import holds, match
from sartor.sql.rewrite import Copy, Piece, Splice

matched = lru_cache(maxsize=4096)(match)


def answering(block: QueryBlock, view: ViewDefinition) -> Match | None:
    """How a block is answered from a view, whatever its literals; None if it is not. Most are ruled out without a closer look."""
    found = matched(block, view) if may_match(block, view) else None
    return found if isinstance(found, Match) else None


def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> Iterator[Alternative]:
    """The alternatives of a statement: the smallest view for every block that has one, then each replacement alone.

    Views are looked at closely one by one, small ones first: who needs the best alone waits for no other.
    """
    ranked = sorted((one for one in objects if one.action.component == VIEWS), key=lambda one: (one.bytes_stored, one.identifier))
    if len(analysis.blocks) > 1:
        found = (next(_answering(place, block, ranked), None) for place, block in enumerate(analysis.blocks))
        best = [replacement for _, replacement in filter(None, found)]
        if len(best) > 1:
            yield tuple(best)
    every = (_answering(place, block, ranked) for place, block in enumerate(analysis.blocks))
    for _, replacement in merge(*every, key=itemgetter(0)):
        yield (replacement,)


def _answering(place: int, block: QueryBlock, ranked: Sequence[DerivedObject]) -> Iterator[tuple[int, Replacement]]:
    """Of views that are ranked by their size those that answer a block, as its replacement, each after its size."""
    for derived in ranked:
        if block.tables <= derived.action.tables and answering(block, definition(derived.action)) is not None:
            yield derived.bytes_stored, Replacement(place, derived.identifier, block=True)


def splices(
    analysis: Analysis, place: int, derived: DerivedObject, moved: frozenset[int], words: tuple[str, ...]
) -> Sequence[Splice] | None:
    """What a block is rewritten by; None if this statement's own literals do not allow it.

    Args:
        words: the statement's tokens.
    """
    block, view = analysis.blocks[place], definition(derived.action)
    found = matched(block, view)
    if not isinstance(found, Match) or not _hold(found, words):
        return None
    told = frozenset(place for place in moved if view.names[place] not in found.without)
    rows = content(derived, sorted(found.keys), sorted(found.states), told, sorted(found.parts), found.without)
    splices = found.whole if found.whole is not None and _has_whole_groups(derived, told) else found.splices
    return (*splices, Splice(*block.from_, _from(block, rows, found.joined)))


def suits(analysis: Analysis, place: int, derived: DerivedObject, words: tuple[str, ...]) -> bool:
    """Whether this statement's own literals allow it: `splices` depends on them in nothing else."""
    found = matched(analysis.blocks[place], definition(derived.action))
    return isinstance(found, Match) and _hold(found, words)


def _hold(found: Match, words: tuple[str, ...]) -> bool:
    return all(holds(guard, words) for guard in found.guards)


def rests(analysis: Analysis, place: int, derived: DerivedObject) -> Sequence[Rest]:
    """The verified inclusions by which a block may be answered from a view."""
    if place >= len(analysis.blocks):
        return ()  # it was chosen when the tables were others
    found = matched(analysis.blocks[place], definition(derived.action))
    return found.rests if isinstance(found, Match) else ()


def _has_whole_groups(derived: DerivedObject, moved: frozenset[int]) -> bool:
    """Whether none of its groups comes in several parts: a refresh puts those of new rows beside those that are there."""
    return not moved and not derived.coverage.unsorted


def _from(block: QueryBlock, rows: str, joined: Sequence[str]) -> tuple[Piece, ...]:
    """The view's rows in the place of the joined tables; conditions of ON clauses stay, each in its place."""
    pieces: list[Piece] = [f"{rows} AS {ALIAS}"]
    conditions: list[Piece] = [*joined, *(Copy(term.first, term.last) for term in block.moved)]
    for number, condition in enumerate(conditions):
        pieces += [f' JOIN (SELECT 1 AS sartor_one) AS "sartor_one_{number}" ON ', condition]
    return tuple(pieces)
