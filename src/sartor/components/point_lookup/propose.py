"""Candidates for what is held in memory: for each key that rows are looked up by, the columns that its look-ups hand out."""

from __future__ import annotations

from collections import defaultdict

from sartor.components.point_lookup.apply import held_columns
from sartor.components.point_lookup.serve import is_key_type
from sartor.core.action import Action
from sartor.core.analysis import PointLookup
from sartor.core.table import Catalog, TableInfo, TableName, has_plain_values
from sartor.workload.workload import Workload


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """For each key the columns of each of its templates, and those of all of them; keys whose templates took most seconds first."""
    found: dict[tuple[TableName, str], list[tuple[str, PointLookup]]] = defaultdict(list)
    for template in workload.reads():
        lookup = template.analysis.lookup if template.analysis is not None else None
        if lookup is not None:
            found[lookup.source, lookup.key].append((template.digest, lookup))
    actions: dict[Action, None] = {}
    for (source, key), lookups in found.items():
        info = catalog.info(source)
        if info is None or not _may_be_key(key, info):
            continue
        readable = [(digest, lookup) for digest, lookup in lookups if _are_readable(lookup, info)]
        for columns in dict.fromkeys(
            [*(frozenset(one.columns) for _, one in readable), frozenset(c for _, one in readable for c in one.columns)]
        ):
            served = frozenset(digest for digest, one in readable if columns.issuperset(one.columns))
            if served:
                held = tuple(column for column in info.columns if column.name in columns or column.name == key)
                actions[held_columns(source, key, held, served)] = None
    return list(actions)


def _may_be_key(key: str, info: TableInfo) -> bool:
    column = info.column(key)
    return column is not None and is_key_type(column.type) and not column.collated and not info.has_rowid_column


def _are_readable(lookup: PointLookup, info: TableInfo) -> bool:
    columns = [info.column(name) for name in lookup.columns]
    return all(column is not None and has_plain_values(column.type) for column in columns)
