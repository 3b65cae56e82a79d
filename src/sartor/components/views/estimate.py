"""What a view would gain and cost, from the number of its groups that a sample of the join foretells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from sartor.components.views.apply import definition
from sartor.components.views.sample import draw
from sartor.core.action import Action, Estimate
from sartor.core.constants import (
    COMPRESSED_SHARE,
    FIXED_QUERY_SECONDS,
    VIEW_CELL_SECONDS,
    VIEW_GROUP_SECONDS,
    VIEW_JOIN_SECONDS,
    VIEW_KEY_BYTES,
    VIEW_READ_SECONDS,
    VIEW_STATE_BYTES,
)
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog
from sartor.core.view import ViewDefinition
from sartor.engines.base import Engine
from sartor.workload.workload import Workload

_MODEL = "groups in a sample of the join"


def estimate(actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> list[Estimate]:
    """One estimate an action, in order.

    The gain of a template is its plain time less that of reading all groups of the view, which is more than it will read where a
    condition restricts the key that the view is sorted by.
    """
    views = [definition(action) for action in actions]
    joins: dict[object, list[ViewDefinition]] = defaultdict(list)
    for view in views:
        joins[view.tables, view.equalities, view.conditions].append(view)
    sizes: dict[ViewDefinition, tuple[float, float]] = {}
    for number, ours in enumerate(joins.values()):
        sample = draw(engine, ours, catalog, number)
        try:
            for view in ours:
                sizes[view] = sample.rows, sample.groups(view)
        finally:
            sample.drop()
    return [_one(action, view, *sizes[view], workload, catalog) for action, view in zip(actions, views, strict=True)]


def _one(action: Action, view: ViewDefinition, rows: float, groups: float, workload: Workload, catalog: Catalog) -> Estimate:
    saved = {}
    read = FIXED_QUERY_SECONDS.default + groups * VIEW_READ_SECONDS.default
    for template in workload.reads():
        if template.digest in action.templates and template.plain_seconds:
            blocks = len(template.analysis.blocks) if template.analysis is not None else 1
            seconds = (median(template.plain_seconds) - read) / max(1, blocks)
            if seconds > 0:
                saved[template.digest] = Evidence(seconds, "predicted", _MODEL)
    build = build_seconds(view, rows, groups, catalog)
    size = groups * (len(view.keys) * VIEW_KEY_BYTES.default + (len(view.states) + 1) * VIEW_STATE_BYTES.default)
    return Estimate(
        action,
        saved,
        Evidence(build, "predicted", "rows and groups"),
        Evidence(size * COMPRESSED_SHARE.default, "predicted", "groups"),
        Evidence(build / max(rows, 1.0), "predicted", "rows and groups"),
    )


def build_seconds(view: ViewDefinition, rows: float, groups: float, catalog: Catalog) -> float:
    """The time to join, to group, and to store the groups."""
    sizes = sorted((info.rows for table in view.tables if (info := catalog.info(table)) is not None), reverse=True)
    joined = sum(sizes) * VIEW_JOIN_SECONDS.default if len(sizes) > 1 else 0.0
    cells = len(view.keys) + len(view.states) + 1
    return joined + rows * cells * VIEW_CELL_SECONDS.default + groups * VIEW_GROUP_SECONDS.default
