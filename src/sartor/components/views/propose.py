"""Candidates for views: from each block its own groups with the columns of its conditions, and unions of those over one join."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sartor.components.views.define import condition, distinct_of, keys_of, outer_of, placed_of, schemas_of, states_of, types_of
from sartor.components.views.serve import answering
from sartor.core.action import Action
from sartor.core.block import Bound, ColumnOf, QueryBlock, Term, column_text
from sartor.core.constants import VIEW_CANDIDATES, VIEW_FINE_SHARE, VIEW_SORT_KEYS, VIEW_UNIONS
from sartor.core.table import Catalog
from sartor.core.view import KeyColumn, State, ViewDefinition
from sartor.sql.fingerprint import fingerprint
from sartor.sql.matching.aligned import can_align, is_aligned
from sartor.sql.matching.beginnings import UNITS, beginning, finest, key_of_beginnings
from sartor.sql.matching.coarser import without_told
from sartor.sql.matching.placed import direction
from sartor.workload.workload import TemplateStatistics, Workload

Graph = tuple[frozenset[object], frozenset[frozenset[ColumnOf]], tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A block of a template, with the seconds that the template took.

    Attributes:
        known: the tokens of its statements that are known.
        constant: those that all of them write alike; none where only one is known, for it tells nothing.
    """

    digest: str
    seconds: float
    block: QueryBlock
    known: Sequence[tuple[str, ...]]
    constant: frozenset[int]


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """Candidate views: those of single blocks, then unions, those first whose templates took most seconds.

    For each block there is a view that stores its groups with the columns of its conditions, so that other literals need no other
    view; where a column is read through one expression alone, also a view that stores the expression, which has fewer groups; and
    where conditions have had the same literals in all statements, a view of the rows that fulfil them. Views over one join are united,
    two by two and all together, also with those over fewer of its tables where the others neither lose nor multiply rows: a wide one
    serves more, a narrow one is smaller. Which of them pays is for `estimate` to say.
    """
    graphs = by_joins(workload)
    singles = {graph: _single(asked, catalog) for graph, asked in graphs.items()}
    alone: list[Action] = []
    united: list[tuple[float, Action]] = []
    for graph, asked in graphs.items():
        within = [other for other in graphs if other[0] < graph[0] and other[2] == graph[2]]
        fewer = [one for other in within for one in graphs[other]]
        views = [view for view in singles[graph].values() if view is not None]
        views += [view for other in within for view in _widened(singles[other].values(), graphs[other], asked[0].block, catalog)]
        alone += [action for view in singles[graph] if (action := _action(view, (*asked, *fewer))) is not None]
        for view in _unions(views, catalog):
            action = _action(view, (*asked, *fewer))
            if action is not None:
                united.append((sum(one.seconds for one in (*asked, *fewer) if one.digest in action.templates), action))
    united.sort(key=lambda item: -item[0])
    actions = [*alone, *(action for _, action in united)]
    distinct = {(action.sources, action.definition): action for action in reversed(actions)}
    return list(reversed(distinct.values()))[: int(VIEW_CANDIDATES.default)]


def by_joins(workload: Workload) -> dict[Graph, list[_Asked]]:
    """The blocks of all templates by the join that they are over, of each the heaviest first."""
    graphs: dict[Graph, list[_Asked]] = defaultdict(list)
    for template in workload.reads():
        if template.analysis is not None and template.analysis.blocks:
            known = _known(template)
            first = known[0] if len(template.executions) > 1 else ()
            constant = frozenset(place for place, word in enumerate(first) if all(words[place] == word for words in known))
            for block in template.analysis.blocks:
                graphs[_graph(block)].append(_Asked(template.digest, template.total_seconds, block, known, constant))
    return {graph: sorted(asked, key=lambda one: -one.seconds) for graph, asked in graphs.items()}


def view_over(block: QueryBlock, join: QueryBlock, catalog: Catalog) -> ViewDefinition | None:
    """What a block groups, over a join of more tables; None if it is no part of that, or can not be a view."""
    if not set(block.names) < set(join.names):
        return None
    view = _view(block, catalog, coarse=True)
    return _over(view, join, catalog) if view is not None else None


def _widened(
    views: Iterable[ViewDefinition | None], asked: Sequence[_Asked], join: QueryBlock, catalog: Catalog
) -> Iterator[ViewDefinition]:
    """Views over a join of more tables than blocks read, where they answer them still: those tables neither lose nor multiply rows."""
    for view in views:
        wide = _over(view, join, catalog) if view is not None else None
        if wide is not None and any(answering(one.block, wide) is not None for one in asked):
            yield wide


def _over(view: ViewDefinition, join: QueryBlock, catalog: Catalog) -> ViewDefinition | None:
    """The groups of a view, over a join of more tables; None if that has other LEFT JOINs, or some tables are not joined."""
    if view.outer != outer_of(join) or any(state.is_placed for state in view.states) or not _is_connected(join):
        return None
    held = {name: dict(schema) for name, schema in zip(view.names, view.schemas, strict=True)}
    schemas = (
        tuple(sorted({**dict(schema), **held.get(name, {})}.items()))
        for name, schema in zip(join.names, schemas_of(join, catalog), strict=True)
    )
    equalities = tuple((one.left, one.right) for one in join.equalities)
    return replace(view, tables=join.sources, equalities=equalities, schemas=tuple(schemas))


def _action(view: ViewDefinition, asked: Sequence[_Asked]) -> Action | None:
    """The action that builds a view, sorted as its templates restrict it; None if it answers none of them."""
    serves = [one for one in asked if answering(one.block, view) is not None]
    return _ordered(view, serves).action(frozenset(one.digest for one in serves)) if serves else None


def _known(template: TemplateStatistics) -> list[tuple[str, ...]]:
    """The tokens of the statements of a template that are known, each text once."""
    texts = dict.fromkeys(execution.text for execution in template.executions)
    return [fingerprint(text).words(text) for text in texts]


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
        ends = _aligned(one, catalog)
        aligned = _view(one.block, catalog, coarse=True, ends=ends) if ends else None
        if aligned is not None:
            found[aligned] = aligned
        if coarse is not None:
            found.setdefault(coarse, coarse if aligned is None else None)
        if fine is not None:
            found.setdefault(fine, None)
        kept = [term for term in one.block.filters if term.steady and one.constant.issuperset(term.literals)]
        if any(term.literals for term in kept):
            narrow = _view(one.block, catalog, coarse=True, kept=kept)
            if narrow is not None:
                found.setdefault(narrow, None)
        for along, function in _open_ends(one.block, catalog).items():
            placed = _view(one.block, catalog, coarse=True, placed=placed_of(one.block, along, function, catalog))
            if placed is not None:
                found.setdefault(placed, None)
    return found


def _aligned(one: _Asked, catalog: Catalog) -> dict[ColumnOf, KeyColumn]:
    """For columns that are asked for whole years, quarters, months or days alone, the key that holds the beginnings of those."""
    block = one.block
    bounds: dict[ColumnOf, list[Bound]] = defaultdict(list)
    for term in block.filters:
        if term.bound is not None:
            bounds[term.bound.column].append(term.bound)
    types = types_of(block, catalog)
    found = {}
    for column, asked in bounds.items():
        kind = types.get(column, "")
        if one.known and all(can_align(bound, kind) for bound in asked):
            told = (unit for unit in UNITS if all(is_aligned(bound, unit, words) for bound in asked for words in one.known))
            unit = next(told, None)
            if unit is not None and (kind, unit) != ("DATE", "day"):
                found[column] = beginning(column, unit, kind)
    return found


def _open_ends(block: QueryBlock, catalog: Catalog) -> dict[ColumnOf, str]:
    """The columns that count(DISTINCT …) may be told along: those from (up to) some value of which a block reads."""
    if len(block.sources) > 1 or not any(call.distinct for call in block.calls):
        return {}
    types = types_of(block, catalog)
    found = {}
    for term in block.filters:
        if term.bound is not None:
            function = direction(term.bound, types.get(term.bound.column, ""))
            if function:
                found[term.bound.column] = function
    return found


def _unions(views: Sequence[ViewDefinition], catalog: Catalog) -> Iterator[ViewDefinition]:
    """Unions of the views over one join: of the heaviest and of those that share a fine key two by two, of the first three, four, …"""
    for place, left in enumerate(views):
        for other, right in enumerate(views[place + 1 :], place + 1):
            if other < VIEW_UNIONS.default or _share_a_fine_key(left, right, catalog):
                yield _union((left, right))
    for count in range(3, len(views) + 1):
        yield _union(views[:count])


def _share_a_fine_key(left: ViewDefinition, right: ViewDefinition, catalog: Catalog) -> bool:
    """Whether a key of both takes nearly as many values as its table has rows: their union has hardly more groups than they have."""
    shared = left.key_of.keys() & right.key_of.keys()
    for table, name in zip(left.tables, left.names, strict=True):
        info = catalog.info(table)
        least = VIEW_FINE_SHARE.default * info.rows if info is not None else 0
        if info is not None and any(
            info.distinct.get(column.name.lower(), 0) >= max(least, 1) and column_text((name, column.name.lower())) in shared
            for column in info.columns
        ):
            return True
    return False


def _view(
    block: QueryBlock,
    catalog: Catalog,
    *,
    coarse: bool,
    kept: Sequence[Term] = (),
    placed: Sequence[State | None] | None = None,
    ends: Mapping[ColumnOf, KeyColumn] = MappingProxyType({}),
) -> ViewDefinition | None:
    """The view that answers a block whatever its literals are; None if it reads what can not be computed beforehand.

    Args:
        coarse: columns that are read through one expression alone are stored as that expression.
        kept: those of the block's conditions that all rows of the view fulfil.
        placed: states in the place of keys for what count(DISTINCT …) counts.
        ends: keys in the place of columns that bounds are on.
    """
    held = [found for term in kept if (found := condition(term, block.words)) is not None]
    texts = {one.text for one in held}
    conditions = [term for term in block.filters if term.text not in texts and (term.bound is None or term.bound.column not in ends)]
    conditions += [call.condition for call in block.calls if call.condition is not None]
    conditions += [one for call in block.calls if call.pivot is not None and call.function != "avg" for one in call.pivot.conditions]
    terms = [*block.reads, *block.keys, *conditions]
    through = _expressions(terms, conditions) if coarse else None
    keys = keys_of(_needed(terms, through))
    columns = {key.text for key in keys if key is not None}
    keys += [key for column, key in ends.items() if column_text(column) not in columns]
    keys += [key for key in distinct_of(block.calls) if key not in keys and placed is None]
    states = [*states_of(block.calls, pivots=True), *(placed or ())]
    if None in keys or None in states or any(not join.sql for join in block.outer) or not _is_connected(block):
        return None
    return ViewDefinition(
        block.sources,
        tuple((one.left, one.right) for one in block.equalities),
        tuple(held),
        tuple(without_told([key for key in keys if key is not None])),
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
    if term.column is not None or (term.steady and term.sql and _is_whole(term, through)):
        yield term
        return
    for part in term.parts:
        yield from _stored(part, through)


def _is_whole(term: Term, through: dict[ColumnOf, str] | None) -> bool:
    """Whether an expression is stored as it is: it holds no literals, or its columns are read through it alone."""
    if through is None:
        return False
    return (not term.literals and term.first >= 0) or any(through.get(column) == term.text for column in term.columns())


def _union(views: Sequence[ViewDefinition]) -> ViewDefinition:
    """A view that holds all groups and states of others over the same join."""
    keys = dict.fromkeys(key for view in views for key in view.keys)
    states: dict[State, None] = dict.fromkeys(state for view in views for state in view.states)
    columns = [key.text for key in keys if key.is_column]
    kept = without_told(finest([key for key in keys if key.is_column or not any(column in key.text for column in columns)]))
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
                if place is None:
                    place, _ = key_of_beginnings(column, view) or (None, "")
                if place is not None:
                    weights[place] += one.seconds
    ranked = sorted(weights, key=lambda place: (-weights[place], place))
    return replace(view, sorted_by=tuple(ranked[: int(VIEW_SORT_KEYS.default)]))
