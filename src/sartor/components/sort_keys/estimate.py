"""What a sorted copy would gain and cost, from the row groups that a sample says it would skip."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, median

from sartor.components.copies import cost
from sartor.components.sort_keys.sample import Key, Sample, draw
from sartor.components.sort_keys.serve import parsed
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis, Reference, RowOrder
from sartor.core.constants import (
    CSV_SCAN_SHARE,
    ESTIMATE_STATEMENTS,
    FIXED_QUERY_SECONDS,
    JOIN_KEY_SHARE,
    KEPT_ROW_SECONDS,
    SORT_SECONDS_PER_ROW,
)
from sartor.core.evidence import Evidence
from sartor.core.predicate import Predicate
from sartor.core.table import Catalog, Source
from sartor.engines.base import Engine
from sartor.sql.analyse import analyse
from sartor.sql.inline import inlined
from sartor.workload.workload import TemplateStatistics, Workload

_MODEL = "row groups skipped on a sample"


def estimate(actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> list[Estimate]:
    """One estimate an action, in order.

    The gain of a template is the part of its plain time that its scan of the table takes, times the share of row groups that
    the copy lets it skip, less the sorting that brings rows back into the table's order where that matters.
    """
    by_source: dict[Source, list[Action]] = defaultdict(list)
    for action in actions:
        by_source[action.source].append(action)
    found: dict[int, Estimate] = {}
    for number, (source, ours) in enumerate(by_source.items()):
        instances = {t.digest: _instances(t, catalog) for t in workload.reads() if t.analysis is not None}
        columns = sorted(_columns(source, ours, instances))
        sample = draw(engine, source, columns, number)
        try:
            read: dict[tuple[str, Key], float] = {}
            for action in ours:
                found[id(action)] = _one(action, workload, catalog, sample, instances, read)
        finally:
            sample.drop()
    return [found[id(action)] for action in actions]


def _one(
    action: Action,
    workload: Workload,
    catalog: Catalog,
    sample: Sample,
    instances: dict[str, list[Analysis]],
    cache: dict[tuple[str, Key], float],
) -> Estimate:
    key: Key = tuple(action.get("key"))
    saved: dict[str, Evidence] = {}
    for template in workload.reads():
        if template.digest not in action.templates or not template.plain_seconds:
            continue
        if (template.digest, key) not in cache:
            cache[template.digest, key] = _saved(template, key, action.source, sample, instances[template.digest], catalog)
        seconds = cache[template.digest, key]
        if seconds > 0:
            saved[template.digest] = Evidence(seconds, "predicted", _MODEL)
    return cost(action, saved, sample.rows, catalog, sorted_by=next(iter(key), ""))


def _saved(
    template: TemplateStatistics, key: Key, source: Source, sample: Sample, instances: list[Analysis], catalog: Catalog
) -> float:
    """Seconds saved on each run, by the mean over the template's statements."""
    plain = median(template.plain_seconds)
    gains = []
    share = CSV_SCAN_SHARE.default if parsed(source) else 1.0
    for analysis in instances:
        for reference in (analysis.references[place] for place in replaceable(analysis, source)):
            before = float(sample.groups) if parsed(source) else work(sample, (), reference)
            spared = 1.0 - min(1.0, share * work(sample, key, reference) / before)
            gains.append(gain(plain, spared, analysis, reference, sample, catalog))
    return mean(gains) if gains else 0.0


def replaceable(analysis: Analysis, source: Source) -> list[int]:
    """The places where a statement reads a source and may read a copy of it."""
    return [place for place, one in enumerate(analysis.references) if one.source == source and one.refusal is None]


def gain(
    plain: float,
    spared: float,
    analysis: Analysis,
    reference: Reference,
    sample: Sample,
    catalog: Catalog,
    implied: Sequence[Predicate] = (),
) -> float:
    """Seconds that a statement saves if its scan of a table is spared this share of its work.

    Args:
        plain: what the statement takes; its tables are taken to have parts in it as they have rows.
        implied: what is asked of the table beside its own conditions: rows that fail it are spared what comes after the scan, too.
    """
    kept = sample.rows * sample.share_kept([*reference.predicates, *implied])
    part = (plain - FIXED_QUERY_SECONDS.default) * _share_of_rows(analysis, reference.source, catalog)
    scan = max(0.0, part - kept * KEPT_ROW_SECONDS.default)
    return scan * spared - (kept * SORT_SECONDS_PER_ROW.default if reference.order is RowOrder.BASE else 0.0)


def _share_of_rows(analysis: Analysis, source: Source, catalog: Catalog) -> float:
    """The share that a table has in the rows of all tables of a statement; an equal one where rows are not known."""
    infos = {one.source: catalog.info(one.source) for one in analysis.references}
    rows = {table: info.rows for table, info in infos.items() if info is not None}
    if len(rows) < len(infos) or not sum(rows.values()):
        return 1.0 / max(1, len(infos))
    return rows[source] / sum(rows.values())


def work(sample: Sample, key: Key, reference: Reference) -> float:
    """What a reference's scan decodes if its table is sorted by a key, in row groups."""
    if key and key[0] not in {p.column for p in reference.predicates}:
        # Joined to something restricted: DuckDB pushes the smallest and largest key it finds down.
        return sample.work((), reference.predicates, filtered_share(reference)) * JOIN_KEY_SHARE.default
    return sample.work(key, reference.predicates, filtered_share(reference))


def filtered_share(reference: Reference) -> float:
    """The share of restricted columns among those that a reference reads."""
    restricted = {p.column for p in reference.predicates}
    return min(1.0, len(restricted & set(reference.columns)) / max(1, len(reference.columns)))


def _instances(template: TemplateStatistics, catalog: Catalog) -> list[Analysis]:
    """Analyses of a few statements of a template, each with its own literals."""
    texts = list(dict.fromkeys(inlined(execution.text, execution.parameters) for execution in template.executions))
    found = [analyse(text, catalog) for text in texts[: int(ESTIMATE_STATEMENTS.default)]]
    return [analysis for analysis in found if analysis.refusal is None]


def _columns(source: Source, actions: Sequence[Action], instances: dict[str, list[Analysis]]) -> set[str]:
    """The columns that the sample has to hold: keys, and all that is restricted by a condition."""
    needed = {column for action in actions for column in action.get("key")}
    for analyses in instances.values():
        for analysis in analyses:
            for reference in analysis.references:
                if reference.source == source:
                    needed |= read_by(reference.predicates, reference.columns)
    return needed


def read_by(predicates: Sequence[Predicate], columns: Sequence[str]) -> set[str]:
    named = {predicate.column for predicate in predicates if predicate.column}
    return named | set(columns) if any(not predicate.column for predicate in predicates) else named
