"""Candidates for views: from each block its own groups with the columns of its conditions, and unions of those over one join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sartor.components.views.define import distinct_of, keys_of, outer_of, schemas_of, states_of
from sartor.components.views.serve import matched
from sartor.core.action import Action
from sartor.core.block import ColumnOf, QueryBlock, Term, column_text
from sartor.core.constants import VIEW_CANDIDATES, VIEW_SORT_KEYS, VIEW_UNIONS
from sartor.core.table import Catalog
from sartor.core.view import State, ViewDefinition
from sartor.sql.matching.found import Match
from sartor.workload.workload import Workload

Graph = tuple[frozenset[object], frozenset[frozenset[ColumnOf]], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A block of a template, with the seconds that the template took."""

    digest: str
    seconds: float
    block: QueryBlock


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """Candidate views: those of single blocks, then unions, those first whose templates took most seconds.

    For each block there is a view that stores its groups with the columns of its conditions, so that other literals need no other
    view; where a column is read through one expression alone, also a view that stores the expression, which has fewer groups. Views
    over one join are united, two by two and all together: a wide one serves more, a narrow one is smaller. Which of them pays
    is for `estimate` to say.
    """
    graphs: dict[Graph, list[_Asked]] = defaultdict(list)
    for template in workload.reads():
        if template.analysis is not None:
            for block in template.analysis.blocks:
                graphs[_graph(block)].append(_Asked(template.digest, template.total_seconds, block))
    alone: list[Action] = []
    united: list[tuple[float, Action]] = []
    for asked in graphs.values():
        ordered = sorted(asked, key=lambda one: -one.seconds)
        single = _single(ordered, catalog)
        alone += [action for view in single if (action := _action(view, asked)) is not None]
        for view in _unions([view for view in single.values() if view is not None]):
            action = _action(view, asked)
            if action is not None:
                united.append((sum(one.seconds for one in asked if one.digest in action.templates), action))
    united.sort(key=lambda item: -item[0])
    actions = [*alone, *(action for _, action in united)]
    distinct = {(action.sources, action.definition): action for action in reversed(actions)}
    return list(reversed(distinct.values()))[: int(VIEW_CANDIDATES.default)]


def _action(view: ViewDefinition, asked: Sequence[_Asked]) -> Action | None:
    """The action that builds a view, sorted as its templates restrict it; None if it answers none of them."""
    serves = [one for one in asked if isinstance(matched(one.block, view), Match)]
    return _ordered(view, serves).action(frozenset(one.digest for one in serves)) if serves else None


def _graph(block: QueryBlock) -> Graph:
    pairs = frozenset(frozenset((one.left, one.right)) for one in block.equalities)
    return (frozenset(block.names), pairs, tuple((join.table, join.conditions) for join in block.outer))


def _is_connected(block: QueryBlock) -> bool:
    """Whether equalities join all tables: what multiplies every row by every other is not worth storing."""
    reached, grown = {block.inner[0]}, True
    while grown:
        grown = False
        for one in block.equalities:
            ends = {one.left[0], one.right[0]}
            if len(ends & reached) == 1:
                reached |= ends
                grown = True
    return reached >= set(block.inner)


def _single(asked: Sequence[_Asked], catalog: Catalog) -> dict[ViewDefinition, ViewDefinition | None]:
    """The views of each block alone, the heaviest first, each with what it contributes to unions: the coarser one of a block does."""
    found: dict[ViewDefinition, ViewDefinition | None] = {}
    for one in asked:
        coarse, fine = (_view(one.block, catalog, coarse=coarse) for coarse in (True, False))
        if coarse is not None:
            found[coarse] = coarse
        if fine is not None:
            found.setdefault(fine, None)
    return found


def _unions(views: Sequence[ViewDefinition]) -> Iterator[ViewDefinition]:
    """Unions of the views over one join: two by two of the heaviest, and of the first three, four and so on."""
    heaviest = views[: int(VIEW_UNIONS.default)]
    for place, left in enumerate(heaviest):
        for right in heaviest[place + 1 :]:
            yield _union((left, right))
    for count in range(3, len(views) + 1):
        yield _union(views[:count])


def _view(block: QueryBlock, catalog: Catalog, *, coarse: bool) -> ViewDefinition | None:
    """The view that answers a block whatever its literals are; None if it reads what can not be computed beforehand.

    Args:
        coarse: columns that are read through one expression alone are stored as that expression.
    """
    conditions = [*block.filters, *(call.condition for call in block.calls if call.condition is not None)]
    conditions += [one for call in block.calls if call.pivot is not None and call.function != "avg" for one in call.pivot.conditions]
    terms = [*block.reads, *block.keys, *conditions]
    through = _expressions(terms, conditions) if coarse else None
    keys = keys_of(_needed(terms, through))
    keys += [key for key in distinct_of(block.calls) if key not in keys]
    states = states_of(block.calls, pivots=True)
    if None in keys or None in states or any(not join.sql for join in block.outer) or not _is_connected(block):
        return None
    return ViewDefinition(
        block.sources,
        tuple((one.left, one.right) for one in block.equalities),
        (),
        tuple(key for key in keys if key is not None),
        tuple(state for state in states if state is not None),
        (),
        schemas_of(block, catalog),
        outer_of(block),
    )


def _expressions(terms: Sequence[Term], conditions: Sequence[Term]) -> dict[ColumnOf, str]:
    """For each column that is read through one expression alone, the text of that expression."""
    asked = {column for term in conditions for column in term.columns()}
    readers: dict[ColumnOf, set[str]] = defaultdict(set)
    for term in terms:
        for outermost in _composites(term):
            for column in outermost.columns():
                readers[column].add(outermost.text)
    return {column: by.pop() for column, by in readers.items() if len(by) == 1 and column not in asked}


def _composites(term: Term) -> Iterator[Term]:
    """The largest parts of a term that may be stored: expressions of one column, and bare columns."""
    if term.column is not None or (term.steady and term.sql and len(set(term.columns())) == 1 and term.bound is None):
        yield term
        return
    for part in term.parts:
        yield from _composites(part)


def _needed(terms: Iterable[Term], through: dict[ColumnOf, str] | None) -> Iterator[Term]:
    for term in terms:
        yield from _stored(term, through)


def _stored(term: Term, through: dict[ColumnOf, str] | None) -> Iterator[Term]:
    """What is to be stored of a term: expressions without literals, those that columns are read through, and else its columns.

    Args:
        through: None to store columns only.
    """
    whole = term.column is None and term.steady and term.sql and not term.literals and term.first >= 0
    if term.column is not None or (through is not None and whole) or any((through or {}).get(c) == term.text for c in term.columns()):
        yield term
        return
    for part in term.parts:
        yield from _stored(part, through)


def _union(views: Sequence[ViewDefinition]) -> ViewDefinition:
    """A view that holds all groups and states of others over the same join."""
    keys = dict.fromkeys(key for view in views for key in view.keys)
    states: dict[State, None] = dict.fromkeys(state for view in views for state in view.states)
    columns = [key.text for key in keys if key.is_column]
    kept = [key for key in keys if key.is_column or not any(column in key.text for column in columns)]
    schemas = []
    for name in views[0].names:
        parts = [dict(view.schemas[view.names.index(name)]) for view in views]
        schemas.append(tuple(sorted({column: kind for part in parts for column, kind in part.items()}.items())))
    return replace(views[0], keys=tuple(kept), states=tuple(states), schemas=tuple(schemas))


def _ordered(view: ViewDefinition, serves: Sequence[_Asked]) -> ViewDefinition:
    """The view sorted by the keys that conditions restrict, those first that restrict most seconds."""
    weights: dict[int, float] = defaultdict(float)
    for one in serves:
        for term in one.block.filters:
            for column in set(term.columns()):
                place = view.key_of.get(column_text(column))
                if place is not None:
                    weights[place] += one.seconds
    ranked = sorted(weights, key=lambda place: (-weights[place], place))
    return replace(view, sorted_by=tuple(ranked[: int(VIEW_SORT_KEYS.default)]))
