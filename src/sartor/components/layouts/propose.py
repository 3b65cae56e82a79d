"""Candidates for layouts: for each table, what its templates ask of it again and again that no single key brings together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations

from sartor.components.layouts import cells, tree, truth_bits
from sartor.components.layouts.conditions import Bit, Condition, conditions, cuts, looks_into_smaller, others
from sartor.components.layouts.curves import CURVES
from sartor.components.sort_keys.propose import Use, column_groups, in_catalog_order
from sartor.core.action import Action
from sartor.core.analysis import Analysis
from sartor.core.constants import (
    LAYOUT_BITS,
    LAYOUT_CANDIDATES,
    LAYOUT_CUTS,
    LAYOUT_DIMENSIONS,
    LAYOUT_REPEATS,
    LAYOUT_SINGLE_BITS,
    LAYOUT_STATEMENTS,
    ROW_GROUP_ROWS,
)
from sartor.core.derived import HIDDEN_COLUMN
from sartor.core.table import Catalog, TableInfo, TableName
from sartor.sql.analyse import analyse
from sartor.sql.fingerprint import fingerprint
from sartor.workload.workload import TemplateStatistics, Workload


@dataclass(slots=True)
class _Asked(Use):
    """A template's use of one table.

    Attributes:
        bits: how often each condition was asked that may be a bit, of `statements`.
        cuts: how often each condition was asked that a tree may be cut by, among the statements that were seen most.
        meant: the condition that each bit or cut is.
        ranged: columns that conditions restrict in a way that zone maps see.
    """

    bits: Counter[Bit] = field(default_factory=Counter)
    cuts: Counter[Bit] = field(default_factory=Counter)
    meant: dict[Bit, Condition] = field(default_factory=dict)
    statements: int = 0
    ranged: frozenset[str] = frozenset()

    def seconds_of(self, bit: Bit) -> float:
        """Seconds that its statements with a condition took."""
        return self.seconds * self.bits[bit] / max(1, self.statements)


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """Candidate layouts, those first whose templates took most seconds. Whether they help is for `estimate` to say."""
    uses: dict[TableName, list[_Asked]] = defaultdict(list)
    for template in workload.reads():
        analysis = template.analysis
        if analysis is None or analysis.refusal is not None:
            continue
        statements = _statements(template, catalog) if any(one.predicates for one in analysis.references) else []
        for place, reference in enumerate(analysis.references):
            if reference.refusal is None and isinstance(reference.source, TableName):
                uses[reference.source].append(_asked(template, analysis, place, statements, catalog))
    found = []
    for source, ours in sorted(uses.items(), key=lambda item: -sum(use.seconds for use in item[1])):
        info = catalog.info(source)
        if info is not None and not any(column.name.lower().startswith(HIDDEN_COLUMN) for column in info.columns):
            for member in (_truth_bits, _cells, _trees):
                found += list(dict.fromkeys(member(source, info, ours, catalog)))[: int(LAYOUT_CANDIDATES.default)]
    return found


def _statements(template: TemplateStatistics, catalog: Catalog) -> list[tuple[Analysis, int]]:
    """The statements of a template that were seen most, looked at for all their conditions, and how often each was seen."""
    texts = Counter(execution.text for execution in template.executions)
    return [(analyse(text, catalog, thorough=True), times) for text, times in texts.most_common(int(LAYOUT_STATEMENTS.default))]


def _asked(
    template: TemplateStatistics, analysis: Analysis, place: int, statements: Sequence[tuple[Analysis, int]], catalog: Catalog
) -> _Asked:
    """What the statements of a template ask of a table, each with its own literals, which may make a condition another one."""
    reference = analysis.references[place]
    ranged = frozenset(predicate.column for predicate in cells.ranges(reference))
    asked = _Asked(template.digest, template.total_seconds, frozenset(reference.columns), ranged=ranged)
    for itself, times in statements:
        meant = _meant(cuts, itself, place, catalog)
        asked.meant.update(meant)
        asked.cuts.update(dict.fromkeys(meant, times))
    asking = conditions(analysis, place)
    if not asking or reference.sequence:
        return asked
    asked.statements = len(template.executions)
    alike: dict[tuple[Bit, ...], list[str]] = defaultdict(list)
    for execution in template.executions:
        words = fingerprint(execution.text).words(execution.text)
        alike[tuple(one.bit(words) for one in asking)].append(execution.text)
    for texts in alike.values():
        if len(texts) >= LAYOUT_REPEATS.default:
            meant = _meant(conditions, analyse(texts[0], catalog), place, catalog)
            asked.meant.update(meant)
            asked.bits.update(dict.fromkeys(meant, len(texts)))
    return asked


def _meant(
    found: Callable[[Analysis, int], Iterable[Condition]], analysis: Analysis, place: int, catalog: Catalog
) -> dict[Bit, Condition]:
    """The conditions that are found of a reference, those aside that look into larger tables than where they come from."""
    if place >= len(analysis.references):
        return {}
    source = analysis.references[place].source
    return {one.example: one for one in found(analysis, place) if looks_into_smaller(one, source, catalog)}


def _truth_bits(source: TableName, info: TableInfo, uses: list[_Asked], catalog: Catalog) -> Iterator[Action]:
    """Copies by the conditions that took most seconds, each of the first few alone and all together, then by a column.

    And by those of the table alone, for the others hold only while no table that they look into has changed.
    """
    seconds: dict[Bit, float] = defaultdict(float)
    meant: dict[Bit, Condition] = {}
    for use in uses:
        meant.update(use.meant)
        for bit in use.bits:
            seconds[bit] += use.seconds_of(bit)
    most = int(LAYOUT_BITS.default)
    ranked = sorted(seconds, key=lambda bit: -seconds[bit])
    own = tuple(bit for bit in ranked if not meant[bit].steps)[:most]
    sets = [tuple(ranked[:most]), own, *((bit,) for bit in ranked[: int(LAYOUT_SINGLE_BITS.default)])]
    for bits in filter(None, dict.fromkeys(sets)):
        asking = [use for use in uses if use.bits.keys() & set(bits)]
        by_column: dict[str, float] = defaultdict(float)
        for use in asking:
            for name in use.ranged:
                by_column[name] += use.seconds
        for chosen in column_groups(asking):
            columns = frozenset().union(*(use.columns for use in chosen))
            served = [use for use in asking if use.columns <= columns]
            kept = tuple(bit for bit in bits if any(use.bits[bit] for use in served))
            held = in_catalog_order(source, columns, catalog)
            schema = [column for column in info.columns if column.name in held]
            best = max((name for name in held if name in by_column), key=lambda name: by_column[name], default=None)
            for then in ((), (best,)) if best else ((),):
                tables = others((meant[bit] for bit in kept), catalog)
                yield truth_bits.truth_bits(source, schema, kept, then, frozenset(use.digest for use in served), tables)


def _cells(source: TableName, info: TableInfo, uses: list[_Asked], catalog: Catalog) -> Iterator[Action]:
    """Copies by the cells of the columns that were restricted for most seconds: two, three and four of them."""
    seconds: dict[str, float] = defaultdict(float)
    pairs: dict[tuple[str, ...], float] = defaultdict(float)
    for use in uses:
        for name in use.ranged:
            seconds[name] += use.seconds
        for pair in combinations(sorted(use.ranged), 2):
            pairs[pair] += use.seconds
    ranked = sorted(seconds, key=lambda name: (-seconds[name], name))
    sets = [tuple(ranked[:count]) for count in range(2, int(LAYOUT_DIMENSIONS.default) + 1) if len(ranked) >= count]
    sets += sorted(pairs, key=lambda pair: -pairs[pair])[:1]
    for dimensions in dict.fromkeys(sets):
        asking = [use for use in uses if use.ranged & set(dimensions)]
        for chosen in column_groups(asking)[:-3:-1]:  # all of them, and the few heaviest
            columns = frozenset(dimensions).union(*(use.columns for use in chosen))
            served = frozenset(use.digest for use in asking if use.columns <= columns)
            held = in_catalog_order(source, columns, catalog)
            schema = [column for column in info.columns if column.name in held]
            for kind in CURVES:
                yield cells.curve(kind, source, schema, dimensions, served)
            for key, other in permutations(dimensions) if len(dimensions) == 2 else ():
                yield cells.apart(source, schema, (key, other), info.rows, served)
            for last in dimensions:
                cut = tuple(name for name in dimensions if name != last)
                for parts in parts_of_grid(info.rows, len(cut)):
                    yield cells.grid(source, schema, (*cut, last), (parts,) * len(cut), served)


def _trees(source: TableName, info: TableInfo, uses: list[_Asked], catalog: Catalog) -> Iterator[Action]:
    """What trees may be cut by: all conditions that took most seconds, and those of the table alone; `estimate` grows them."""
    seconds: dict[Bit, float] = defaultdict(float)
    meant: dict[Bit, Condition] = {}
    for use in uses:
        meant.update(use.meant)
        for cut, times in use.cuts.items():
            seconds[cut] += use.seconds * times / use.cuts.total()
    ranked = sorted(seconds, key=lambda cut: (-seconds[cut], str(cut)))
    most = int(LAYOUT_CUTS.default)
    for chosen in dict.fromkeys((tuple(ranked[:most]), tuple(cut for cut in ranked if not meant[cut].steps)[:most])):
        asking = [use for use in uses if use.cuts.keys() & set(chosen)]
        for group in column_groups(asking)[:-3:-1] if len(chosen) > 1 else ():
            columns = frozenset().union(*(use.columns for use in group))
            served = [use for use in asking if use.columns <= columns]
            ranged = Counter(name for use in served for name in use.ranged)
            held = in_catalog_order(source, columns, catalog)
            schema = [column for column in info.columns if column.name in held]
            kept = tuple(cut for cut in chosen if any(use.cuts[cut] for use in served))
            then = tuple(name for name, _ in ranged.most_common(1))
            digests = frozenset(use.digest for use in served)
            tables = others((meant[cut] for cut in kept), catalog)
            yield tree.tree(source, schema, kept, 0, then, digests, tables, tuple(sorted(ranged)))


def parts_of_grid(rows: int, cut: int) -> list[int]:
    """Into how many parts columns may be cut: as many as leave a row group for each part of the column that is not.

    Where only one is cut, half and twice as many too.
    """
    even = (rows / ROW_GROUP_ROWS.default) ** (1 / (cut + 1))
    return sorted({max(2, round(even * factor)) for factor in ((0.5, 1, 2) if cut == 1 else (1,))})
