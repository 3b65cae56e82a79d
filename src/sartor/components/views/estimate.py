"""What a view would gain and cost, from the number of its groups that a sample of the join foretells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from statistics import median

from sartor.components.views.apply import definition
from sartor.components.views.placed import corrections_behind
from sartor.components.views.sample import Sample, Share, draw, draw_rows, largest
from sartor.components.views.serve import answering
from sartor.core.action import Action, Estimate
from sartor.core.block import ColumnOf, QueryBlock, Term, column_text
from sartor.core.constants import (
    FIXED_QUERY_SECONDS,
    ROW_GROUP_ROWS,
    VECTOR_ROWS,
    VIEW_CELL_SECONDS,
    VIEW_DISTINCT_SECONDS,
    VIEW_GROUP_SECONDS,
    VIEW_JOIN_SECONDS,
    VIEW_PAIR_SECONDS,
    VIEW_READ_SECONDS,
    VIEW_SCAN_SECONDS,
)
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog, TableName
from sartor.core.view import ViewDefinition
from sartor.engines.base import Engine
from sartor.sql.matching.beginnings import holds_beginnings, key_of_beginnings
from sartor.sql.matching.coarser import finer_key
from sartor.workload.workload import TemplateStatistics, Workload

_MODEL = "groups in a sample of the join"
_TIMED = 3  # the first run reads from the file what the others find in memory: 60 ms and 8 ms


def estimate(actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> list[Estimate]:
    """One estimate an action, in order.

    The gain of a template is its plain time less that of reading the groups of the view that its conditions leave.
    """
    views = [definition(action) for action in actions]
    tables: dict[TableName, list[int]] = defaultdict(list)
    for place, view in enumerate(views):
        tables[view.tables[largest(view, catalog)]].append(place)
    found: dict[int, Estimate] = {}
    for places in tables.values():
        rows = draw_rows(engine, [views[place] for place in places], catalog)
        try:
            for joined in _joins(views, places):
                sample = draw([views[place] for place in joined], rows, largest(views[joined[0]], catalog))
                try:
                    for place in joined:
                        correcting = _correcting_seconds(views[place], engine)
                        found[place] = _one(actions[place], views[place], sample, workload, catalog, correcting)
                finally:
                    sample.drop()
        finally:
            rows.drop()
    return [found[place] for place in range(len(actions))]


def _joins(views: Sequence[ViewDefinition], places: Sequence[int]) -> Collection[Sequence[int]]:
    """The places of views by the join that they share."""
    joins: dict[object, list[int]] = defaultdict(list)
    for place in places:
        joins[views[place].tables, views[place].equalities, views[place].outer].append(place)
    return joins.values()


def _correcting_seconds(view: ViewDefinition, engine: Engine) -> float:
    """The time to tell what a vector of appended rows moves: measured, for it depends on where rows of the same values lie."""
    places = [place for place, state in enumerate(view.states) if state.is_placed]
    highest = engine.rows(f"SELECT max(rowid) FROM {view.tables[0]}")[0][0] if places else None
    last = int(highest - VECTOR_ROWS.default) if highest is not None else -1
    texts = [corrections_behind(view, place, last) for place in places]
    return sum(min(engine.run(text).seconds for _ in range(_TIMED)) for text in texts)


def _one(
    action: Action, view: ViewDefinition, sample: Sample, workload: Workload, catalog: Catalog, correcting_seconds: float
) -> Estimate:
    """The estimate of a view; one that would not pay while rows are appended saves nothing."""
    share = sample.of(view)
    rows, groups = share.rows, share.groups(view)
    saved = {}
    for template in workload.reads():
        if template.digest not in action.templates or not template.plain_seconds or template.analysis is None:
            continue
        plain, blocks = median(template.plain_seconds), template.analysis.blocks
        found = {block: match for block in blocks if (match := answering(block, view)) is not None}
        seconds = [plain / len(blocks) - _read_seconds(block, view, groups, share) for block in found]
        gain = (sum(seconds) - FIXED_QUERY_SECONDS.default) * _recurring(template, view)
        if any(view.states[place].is_placed for match in found.values() for place in match.states) and plain < correcting_seconds:
            gain = 0.0
        if gain > 0:
            saved[template.digest] = Evidence(gain, "predicted", _MODEL)
    build = build_seconds(view, rows, groups, catalog)
    return Estimate(
        action,
        saved,
        Evidence(build, "predicted", "rows and groups"),
        Evidence(share.bytes_stored(view, groups), "predicted", "groups and their values"),
        Evidence(build / max(rows, 1.0), "predicted", "rows and groups"),
    )


def _recurring(template: TemplateStatistics, view: ViewDefinition) -> float:
    """The share of a template's statements to come that a view answers, where it tells only what all have asked for so far.

    By Laplace's rule of succession: after n statements with the same literals the next one has them too in n + 1 of n + 2 cases.
    """
    known = len(template.executions)
    return (known + 1) / (known + 2) if view.conditions or any(map(holds_beginnings, view.keys)) else 1.0


def _read_seconds(block: QueryBlock, view: ViewDefinition, groups: float, share: Share) -> float:
    """The time to read what a block needs of a view: whole row groups, where its first key is restricted, and the groups that pass."""
    counted = sum(call.distinct and call.argument is not None and call.argument.text in view.key_of for call in block.calls)
    each = VIEW_READ_SECONDS.default + VIEW_DISTINCT_SECONDS.default * counted
    if groups <= VECTOR_ROWS.default:
        return groups * each
    first = view.keys[view.sorted_by[0]].text if view.sorted_by else ""
    told = [_asked_of_keys(term, view) for term in block.filters if not term.has_query]
    sorted_share = share.passing([text for text in told if first and first in text])
    scanned = min(groups, sorted_share * groups + ROW_GROUP_ROWS.default)
    held = {condition.text for condition in view.conditions}
    passing = groups * share.passing([text for text in told if text not in held])
    return scanned * VIEW_SCAN_SECONDS.default + passing * each


def _asked_of_keys(term: Term, view: ViewDefinition) -> str:
    """A condition in canonical form, asked of the keys that hold the beginnings of months in the place of days."""
    text = term.text
    for column, place in dict(_beginnings_for(term, view)).items():
        if column_text(column) not in view.key_of:
            text = text.replace(column_text(column), view.keys[place].text)
    return text


def _beginnings_for(term: Term, view: ViewDefinition) -> Iterator[tuple[ColumnOf, int]]:
    """The columns of a condition that keys tell enough of, with these."""
    if term.bound is not None:
        found = key_of_beginnings(term.bound.column, view)
        yield from [(term.bound.column, found[0])] if found is not None else []
    elif term.text not in view.key_of:
        for column in set(term.columns()) if term.unit else ():
            place = finer_key(column, term.unit, view)
            yield from [(column, place)] if place is not None else []
        for part in term.parts if not term.unit else ():
            yield from _beginnings_for(part, view)


def build_seconds(view: ViewDefinition, rows: float, groups: float, catalog: Catalog) -> float:
    """The time to join, to group, and to store the groups."""
    sizes = sorted((info.rows for table in view.tables if (info := catalog.info(table)) is not None), reverse=True)
    joined = sum(sizes) * VIEW_JOIN_SECONDS.default if len(sizes) > 1 else 0.0
    cells = len(view.keys) + len(view.states) + 1
    placed = rows * VIEW_PAIR_SECONDS.default * sum(state.is_placed for state in view.states)
    return joined + placed + rows * cells * VIEW_CELL_SECONDS.default + groups * VIEW_GROUP_SECONDS.default
