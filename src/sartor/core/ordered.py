"""Rows to be stored in an order, said so that an engine may bring them into it as it likes."""

from __future__ import annotations

from dataclasses import dataclass

from sartor.core.table import quote


@dataclass(frozen=True, slots=True)
class OrderedQuery:
    """A SELECT and the order that its rows are wanted in.

    Attributes:
        select: without ORDER BY.
        key: names of its columns, the first counts first; ascending, nulls last. Without a key the rows stay as they come.
        then: a column that rises from row to row as the SELECT hands them out; rows equal in the key are ordered by it. Empty if they
            may come in any order.
        scans: it only reads a table, so that reading it twice is cheap and gives the same rows in the same order in one snapshot.
    """

    select: str
    key: tuple[str, ...] = ()
    then: str = ""
    scans: bool = False

    @property
    def sql(self) -> str:
        """The SELECT with its order.

        >>> OrderedQuery("SELECT a, b FROM t", ("b",)).sql
        'SELECT a, b FROM t ORDER BY "b" ASC NULLS LAST'
        """
        columns = [f"{quote(name)} ASC NULLS LAST" for name in self.key]
        columns += [f"{quote(self.then)} ASC"] if self.then else []
        return f"{self.select} ORDER BY {', '.join(columns)}" if columns else self.select
