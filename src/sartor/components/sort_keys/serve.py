"""Which sorted copies a statement can be answered from, the most promising first. Pure: no engine, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.analysis import Analysis, Reference
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.predicate import Operator
from sartor.core.table import FileScan, Source
from sartor.freshness.residual import content
from sartor.freshness.usable import Use
from sartor.sql.rewrite import Splice

# How much of a table a condition keeps, as far as its shape tells; used to rank only, never to decide that serving pays.
_KEEPS = {
    Operator.EQUAL: 0.001,
    Operator.IS_NULL: 0.01,
    Operator.IN: 0.01,
    Operator.BETWEEN: 0.1,
    Operator.LIKE: 0.2,
    Operator.LESS: 0.4,
    Operator.LESS_EQUAL: 0.4,
    Operator.GREATER: 0.4,
    Operator.GREATER_EQUAL: 0.4,
}
_JOINED = 0.5
_STORED = 0.99  # no row is skipped, and yet a copy is read faster than text is parsed


def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
    """The alternatives of a statement: the best copy for all references that have one, then each replacement alone."""
    if analysis.refusal is not None:
        return ()
    best: list[tuple[float, Replacement]] = []
    single: list[tuple[float, Alternative]] = []
    for place, reference in enumerate(analysis.references):
        if reference.refusal is not None:
            continue
        joined = joined_columns(analysis, place)
        ranked = sorted((kept, item.identifier) for item in objects if (kept := share_kept(reference, joined, item)) < 1.0)
        if ranked:
            best.append((ranked[0][0], Replacement(place, ranked[0][1])))
        single += [(kept, (Replacement(place, identifier),)) for kept, identifier in ranked]
    combined = [tuple(item for _, item in best)] if len(best) > 1 else []
    return (*combined, *(choice for _, choice in sorted(single, key=lambda item: item[0])))


def splices(analysis: Analysis, place: int, derived: DerivedObject, moved: frozenset[int]) -> Sequence[Splice]:
    """The table's name with its alias becomes a derived table over the copy."""
    reference = analysis.references[place]
    select = content(derived, reference.columns, reference.order, Use.RESIDUAL if moved else Use.WHOLE)
    return (Splice(reference.first_token, reference.last_token, f"({select}) AS {reference.alias}"),)


def share_kept(reference: Reference, joined: frozenset[str], derived: DerivedObject) -> float:
    """About which share of a copy a reference would read, told from the shapes of its conditions; 1 if it can not serve."""
    if derived.action.component != "sort_keys" or derived.action.source != reference.source:
        return 1.0
    definition = derived.definition()
    if not set(reference.columns) <= set(definition["columns"]):
        return 1.0
    share = _STORED if parsed(reference.source) else 1.0
    for column in definition["key"]:
        shapes = [keeps(p.operator) for p in reference.predicates if p.column == column]
        if not shapes and column in joined:
            shapes = [_JOINED]
        if not shapes:
            break
        share *= min(shapes)
        if not any(p.operator is Operator.EQUAL for p in reference.predicates if p.column == column):
            break
    return share


def keeps(operator: Operator) -> float:
    """About which share of a table a condition of this shape keeps; 1 if its shape can not skip anything."""
    return _KEEPS.get(operator, 1.0)


def parsed(source: Source) -> bool:
    """Whether reading a source means parsing text, so that any copy of it is faster."""
    return isinstance(source, FileScan) and source.kind == "csv"


def joined_columns(analysis: Analysis, place: int) -> frozenset[str]:
    """Columns of a reference that are joined to one with a condition of its own: DuckDB pushes the keys it finds down."""
    found = set()
    for edge in analysis.joins:
        for mine, column, other in ((edge.left, edge.left_column, edge.right), (edge.right, edge.right_column, edge.left)):
            if mine == place and analysis.references[other].predicates:
                found.add(column)
    return frozenset(found)
