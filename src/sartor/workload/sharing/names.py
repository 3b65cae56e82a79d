"""The new name of every name: one name becomes one other name wherever it stands, so that a statement binds as it did."""

from __future__ import annotations

import re

from sartor.core.table import Catalog, TableInfo, TableName

GIVEN = re.compile("main|[stca][1-9][0-9]*")
"""What a name in an export looks like."""


class Names:
    """Tables become t1, t2 …, columns c1, c2 …, schemas s1, s2 …, all else (aliases, CTEs, fields) a1, a2 …

    The default schema stays `main`, and `rowid` stays where it is no column's name. Case does not matter, as in DuckDB.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._names = {catalog.default_schema.lower(): "main"}
        self._counts: dict[str, int] = {}
        infos = list(catalog)
        for info in infos:
            self._give(name_of(info).schema, "s")
            self._give(name_of(info).name, "t")
        for info in infos:
            for column in info.columns:
                self._give(column.name, "c")
        self._names.setdefault("rowid", "rowid")

    def __call__(self, name: str) -> str:
        """The new name; a name not seen before gets one."""
        return self._give(name, "a")

    def given(self) -> frozenset[str]:
        return frozenset(self._names.values())

    def _give(self, name: str, prefix: str) -> str:
        name = name.lower()
        if name not in self._names:
            self._counts[prefix] = self._counts.get(prefix, 0) + 1
            self._names[name] = f"{prefix}{self._counts[prefix]}"
        return self._names[name]


def name_of(info: TableInfo) -> TableName:
    """The name of a table of the catalog, which holds no scans of files by itself."""
    assert isinstance(info.source, TableName)
    return info.source
