"""What a layout would gain and cost: the row groups that a sample in its order says it skips, over the literals that were asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median

from sartor.components.copies import cost
from sartor.components.layouts import cells, tree, truth_bits
from sartor.components.layouts.conditional import texts
from sartor.components.layouts.conditions import Bit, conditions, cuts
from sartor.components.layouts.grow import grow
from sartor.components.sort_keys.estimate import filtered_share, gain, read_by, replaceable, work
from sartor.components.sort_keys.sample import Key, Sample, draw
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis, Reference
from sartor.core.constants import LAYOUT_BIT_SECONDS, LAYOUT_STATEMENTS, ROW_GROUP_ROWS
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.evidence import Evidence
from sartor.core.predicate import Operator, Predicate
from sartor.core.table import Catalog, Source, quote
from sartor.engines.base import Engine
from sartor.sql.analyse import analyse
from sartor.sql.inline import inlined
from sartor.workload.workload import TemplateStatistics, Workload

_MODEL = "row groups skipped on a sample"
_SAMPLE = 1_000_000  # numbers its samples apart from those of sorted copies

Names = dict[Bit, str]
"""The columns of a sample that hold the truth of conditions, and the places of cells by the name that their key gives them."""

Instances = list[tuple[Analysis, int]]
"""The statements of a template that were seen most, each analysed with its own literals, and how often each was."""


def estimate(actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> list[Estimate]:
    """One estimate an action, in order; the currency is that of sorted copies, so that one chooser weighs both."""
    by_source: dict[Source, list[Action]] = defaultdict(list)
    for action in actions:
        by_source[action.source].append(action)
    wanted = {digest for action in actions for digest in action.templates}
    templates = [t for t in workload.reads() if t.digest in wanted and t.plain_seconds and t.analysis is not None]
    instances = {t.digest: _instances(t, catalog) for t in templates}
    found: dict[int, Estimate] = {}
    for number, (source, ours) in enumerate(by_source.items()):
        sample = draw(engine, source, sorted(_columns(source, ours, instances)), _SAMPLE + number)
        try:
            grown = {id(one): _grown(one, templates, instances, sample) if tree.is_tree(one) else one for one in ours}
            names = _computed(sample, list(grown.values()))
            saved: dict[tuple[str, Key], float] = {}
            for action in ours:
                found[id(action)] = _one(grown[id(action)], templates, instances, catalog, sample, names, saved)
        finally:
            sample.drop()
    return [found[id(action)] for action in actions]


def _grown(action: Action, templates: Sequence[TemplateStatistics], instances: dict[str, Instances], sample: Sample) -> Action:
    """The action of a tree grown over the sample, for the statements that were asked."""
    bits: tuple[Bit, ...] = action.get("cuts")
    places = {bit: place for place, bit in enumerate(bits)}
    asked: dict[int, float] = defaultdict(float)
    seen = 0
    for template in templates:
        for analysis, times in instances[template.digest] if template.digest in action.templates else ():
            for place in replaceable(analysis, action.source):
                wanted = {one.example for one in cuts(analysis, place)} & places.keys()
                plain = wanted - {one.example for one in conditions(analysis, place)}
                seen |= sum(1 << places[one] for one in plain)
                asked[sum(1 << places[one] for one in wanted)] += times * median(template.plain_seconds)
    truths = (f"({truth_bits.truth(text)}::UBIGINT << {place})" for place, text in enumerate(texts(action, bits)))
    rows = dict(sample.engine.rows(f"SELECT {' | '.join(truths)}, count(*) FROM {sample.name} GROUP BY 1"))
    least = ROW_GROUP_ROWS.default * sample.sampled / max(1, sample.rows)
    node = grow(rows, [(mask, weight) for mask, weight in asked.items() if mask], seen, least)
    return tree.pruned(action, node)


def _computed(sample: Sample, actions: Sequence[Action]) -> Names:
    """Give the sample the hidden columns of all actions."""
    bits = dict.fromkeys(bit for action in actions if action.get("kind") == truth_bits.KIND for bit in action.get("bits"))
    names: Names = {bit: f"{HIDDEN_COLUMN}{place}" for place, bit in enumerate(bits)}
    if bits:
        truths = map(truth_bits.truth, texts(actions[0], bits))
        sample.compute(dict(zip(map(names.__getitem__, bits), truths, strict=True)))
    for action in actions:
        if cells.is_cells(action) and action.get("key") not in names:
            name = names[action.get("key")] = f"{HIDDEN_COLUMN}{len(names)}"
            sample.compute({name: cells.position(action)}, cells.borders(action, sample.name))
        elif tree.is_tree(action) and _name_of(action) not in names:
            name = names[_name_of(action)] = f"{HIDDEN_COLUMN}{len(names)}"
            sample.compute({name: tree.numbered(action)})
    return names


def _one(
    action: Action,
    templates: Sequence[TemplateStatistics],
    instances: dict[str, Instances],
    catalog: Catalog,
    sample: Sample,
    names: Names,
    known: dict[tuple[str, Key], float],
) -> Estimate:
    is_cells = cells.is_cells(action)
    if is_cells:
        key: Key = (names[action.get("key")], *cells.then(action))
    elif tree.is_tree(action):
        key = (names[_name_of(action)], *action.get("then"))
    else:
        key = (*(names[bit] for bit in action.get("bits")), *action.get("then"))
    saved = {}
    for template in templates:
        if template.digest not in action.templates or (tree.is_tree(action) and not action.get("cuts")):
            continue
        asked = (template.digest, key)
        if asked not in known:
            known[asked] = _saved(template, instances[template.digest], action, key, sample, names, catalog)
        if known[asked] > 0:
            saved[template.digest] = Evidence(known[asked], "predicted", _MODEL)
    computed = len(action.get("cuts")) if tree.is_tree(action) else len(key)
    hidden = cells.place_seconds(action) if is_cells else computed * LAYOUT_BIT_SECONDS.default
    return cost(action, saved, sample.rows, catalog, hidden_seconds=hidden)


def _saved(
    template: TemplateStatistics, instances: Instances, action: Action, key: Key, sample: Sample, names: Names, catalog: Catalog
) -> float:
    """Seconds saved on each run, by the mean over the template's statements; those with other literals run plain and save nothing."""
    plain = median(template.plain_seconds)
    total = 0.0
    for analysis, times in instances:
        for place in replaceable(analysis, action.source):
            reference = analysis.references[place]
            implied = _implied(action, analysis, place, names)
            if implied is not None:
                spared = 1.0 - min(1.0, _work(sample, key, action, reference, implied) / work(sample, (), reference))
                total += times * gain(plain, spared, analysis, reference, sample, catalog, implied)
    # Those that were not looked at were asked once each: curves help them too, bits are of what was asked again.
    bits = action.get("kind") == truth_bits.KIND
    statements = len(template.executions) if bits else sum(times for _, times in instances)
    return total / max(1, statements)


def _implied(action: Action, analysis: Analysis, place: int, names: Names) -> list[Predicate] | None:
    """What a statement asks of the hidden columns where a layout serves a reference; None if it does not."""
    reference = analysis.references[place]
    if cells.is_cells(action):
        return [] if cells.restricted(action, reference) else None
    asked = {one.example for one in conditions(analysis, place)}
    if tree.is_tree(action):
        column = names[_name_of(action)]
        found = tree.condition(action, asked, column)
        if found:
            return [Predicate(column, Operator.IN, found, tuple(map(str, tree.leaves_asked(action, asked))))]
        return [] if cells.restricted(action, reference) else None
    columns = [names[bit] for bit in action.get("bits") if bit in asked]
    return [Predicate(column, Operator.GREATER_EQUAL, f"{quote(column)} >= 1") for column in columns] or None


def _work(sample: Sample, key: Key, action: Action, reference: Reference, implied: Sequence[Predicate]) -> float:
    """What a reference's scan decodes of a layout, in row groups."""
    if action.get("kind") == truth_bits.KIND and sample.share_kept(implied) == 0:
        return 1.0  # fewer rows than the sample is fine for, which lie together
    return sample.work(key, [*reference.predicates, *implied], filtered_share(reference))


def _instances(template: TemplateStatistics, catalog: Catalog) -> Instances:
    texts = Counter(inlined(execution.text, execution.parameters) for execution in template.executions)
    found = [(analyse(text, catalog, thorough=True), times) for text, times in texts.most_common(int(LAYOUT_STATEMENTS.default))]
    return [(analysis, times) for analysis, times in found if analysis.refusal is None]


def _name_of(action: Action) -> Bit:
    """What the place of a tree's leaves is found by among the columns of a sample."""
    return "tree", action.get("cuts"), action.get("tree")


def _columns(source: Source, actions: Sequence[Action], instances: dict[str, Instances]) -> set[str]:
    """The columns that the sample has to hold: keys, and all that is restricted by a condition."""
    needed = {column for action in actions for column in action.get("dimensions" if cells.is_cells(action) else "then")}
    needed |= {column for action in actions if tree.is_tree(action) for column in action.get("columns")}
    for analyses in instances.values():
        for analysis, _ in analyses:
            for place in replaceable(analysis, source):
                reference = analysis.references[place]
                needed |= read_by(reference.predicates, reference.columns)
                needed |= {one.steps[0].key for one in conditions(analysis, place) if one.steps}
    return needed
