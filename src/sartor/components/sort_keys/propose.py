"""Candidates for sorted copies: keys from the conditions and joins of the templates, columns from what they read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from math import prod
from typing import TypeVar

from sartor.components.sort_keys.apply import sorted_copy
from sartor.components.sort_keys.serve import joined_columns, keeps, parsed
from sartor.core.action import Action
from sartor.core.analysis import Reference
from sartor.core.constants import ROW_GROUP_ROWS, SORT_KEY_CANDIDATES, SORT_KEY_COLUMN_GROUPS, SORT_KEY_COLUMNS
from sartor.core.predicate import Operator
from sartor.core.table import Catalog, Source
from sartor.workload.workload import Workload

Key = tuple[str, ...]


@dataclass(slots=True)
class Use:
    """A template's use of one table."""

    digest: str
    seconds: float
    columns: frozenset[str]


_U = TypeVar("_U", bound=Use)


@dataclass(slots=True)
class _Keyed:
    """All uses of one table that a key may help."""

    uses: list[Use] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return sum(use.seconds for use in self.uses)


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """Candidate copies, those first whose templates took most seconds.

    For each key there are copies with the columns of its heaviest templates, alone and together, up to those of all of them:
    a narrow copy is cheap to build, a wide one serves more. Whether a key helps is for `estimate` to say.
    """
    keyed: dict[tuple[Source, Key], _Keyed] = defaultdict(_Keyed)
    for template in workload.reads():
        analysis = template.analysis
        if analysis is None or analysis.refusal is not None:
            continue
        for place, reference in enumerate(analysis.references):
            if reference.refusal is not None:
                continue
            use = Use(template.digest, template.total_seconds, frozenset(reference.columns))
            unsorted: list[Key] = [()] if parsed(reference.source) else []
            for key in (*unsorted, *_keys(reference, joined_columns(analysis, place))):
                keyed[reference.source, key].uses.append(use)
    ranked = sorted(keyed.items(), key=lambda item: -item[1].seconds)[: int(SORT_KEY_CANDIDATES.default)]
    actions: dict[tuple[Source, Key, frozenset[str]], Action] = {}
    for (source, key), uses in ranked:
        for chosen in column_groups(uses.uses):
            columns = frozenset(key).union(*(use.columns for use in chosen))
            served = frozenset(use.digest for use in uses.uses if use.columns <= columns)
            ordered = in_catalog_order(source, columns, catalog)
            info = catalog.info(source)
            schema = info.columns if info is not None else ()
            copy = sorted_copy(source, ordered, key, served, then_by_row=_fills_row_groups(source, key, catalog), schema=schema)
            actions.setdefault((source, key, columns), copy)
    return list(actions.values())


def column_groups(uses: Sequence[_U]) -> list[list[_U]]:
    """Groups of uses whose columns make a copy: the heaviest ones each alone, then the first two, three, …, and all."""
    heaviest = sorted(uses, key=lambda use: -use.seconds)[: int(SORT_KEY_COLUMN_GROUPS.default)]
    together = [heaviest[:count] for count in range(2, len(heaviest) + 1)]
    return [*([use] for use in heaviest), *together, list(uses)]


def _keys(reference: Reference, joined: frozenset[str]) -> Iterator[Key]:
    """The keys that may help one reference: each restricted column, and combinations that begin with equalities."""
    equal = _columns(reference, {Operator.EQUAL, Operator.IN, Operator.IS_NULL})
    ranged = [column for column in _columns(reference, set(Operator)) if column not in equal]
    single = [*equal, *ranged, *(column for column in sorted(joined) if column not in equal and column not in ranged)]
    for column in single:
        yield (column,)
    for length in range(2, int(SORT_KEY_COLUMNS.default) + 1):
        for leading in permutations(equal, length - 1):
            for last in single:
                if last not in leading:
                    yield (*leading, last)


def _columns(reference: Reference, operators: Iterable[Operator]) -> list[str]:
    wanted = set(operators)
    found = {p.column for p in reference.predicates if p.column and p.operator in wanted and keeps(p.operator) < 1.0}
    return sorted(found)


def _fills_row_groups(source: Source, key: Key, catalog: Catalog) -> bool:
    """Whether the values of a key each fill a row group or more, by the catalog's statistics."""
    info = catalog.info(source)
    if info is None or not key:
        return False
    values = prod(info.distinct.get(column.lower(), info.rows) for column in key)
    return values * ROW_GROUP_ROWS.default <= info.rows


def in_catalog_order(source: Source, columns: frozenset[str], catalog: Catalog) -> tuple[str, ...]:
    info = catalog.info(source)
    return tuple(column.name for column in info.columns if column.name in columns) if info is not None else ()
