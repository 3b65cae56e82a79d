"""Candidates: of each table that was changed and that views may read, a copy of the columns that they read."""

from __future__ import annotations

from collections import defaultdict

from sartor.components.auxiliary_copies.apply import auxiliary_copy
from sartor.components.sort_keys.propose import in_catalog_order
from sartor.components.views.define import schemas_of
from sartor.core.action import Action
from sartor.core.table import Catalog, TableName
from sartor.workload.workload import Workload


def propose(workload: Workload, catalog: Catalog) -> list[Action]:
    """One candidate for each table from which rows were deleted or in which they were updated.

    It holds what all blocks read that could become views, for views that it does not tell of are built anew.
    """
    read: dict[TableName, set[str]] = defaultdict(set)
    for template in workload.reads():
        for block in template.analysis.blocks if template.analysis is not None else ():
            for table, schema in zip(block.sources, schemas_of(block, catalog), strict=True):
                if workload.mutations.get(table.name.lower()):
                    read[table] |= {name for name, _ in schema}
    return [
        auxiliary_copy(table, in_catalog_order(table, frozenset(names), catalog))
        for table, names in read.items()
        if (info := catalog.info(table)) is not None and not info.has_generated
    ]
