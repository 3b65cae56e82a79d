"""Rows to be stored in an order, said so that an engine may bring them into it as it likes."""

from __future__ import annotations

from dataclasses import dataclass

from sartor.core.table import quote


@dataclass(frozen=True, slots=True)
class Cells:
    """A key column that tells where the cell lies that a row's values fall into, each column being cut at borders.

    A value belongs to the part of its column that is numbered as there are borders not above it, null to the last one; so does every
    value where no borders are found.

    Attributes:
        columns: those that are cut.
        borders: the SELECT of one row that holds, for each of them, a list of its borders, rising.
        parts: into how many each is cut.
        places: the key of each cell, the cells in the order of their parts, the last column's running fastest.
    """

    columns: tuple[str, ...]
    borders: str
    parts: tuple[int, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """Columns of a key that no table has.

    Attributes:
        names: what they are called.
        rows: the SELECT of all other columns; it only reads a table.
        number: a column of both SELECTs that rises from row to row as `rows` hands them out.
        cells: what the only column of the key is, if it is told by cells: then it need not be computed by the engine.
    """

    names: tuple[str, ...]
    rows: str
    number: str
    cells: Cells | None = None


@dataclass(frozen=True, slots=True)
class OrderedQuery:
    """A SELECT and the order that its rows are wanted in.

    Attributes:
        select: without ORDER BY.
        key: names of its columns, the first counts first; ascending, nulls last. Without a key the rows stay as they come.
        then: a column that rises from row to row as the SELECT hands them out; rows equal in the key are ordered by it. Empty if they
            may come in any order.
        scans: it only reads a table, so that reading it twice is cheap and gives the same rows in the same order in one snapshot.
        computed: columns of the key that are no columns of a table, if all others are.
        unstored: columns of the key that only tell the order and are not kept.
    """

    select: str
    key: tuple[str, ...] = ()
    then: str = ""
    scans: bool = False
    computed: Computed | None = None
    unstored: tuple[str, ...] = ()

    @property
    def kept(self) -> str:
        """The SELECT of what is kept, without order.

        >>> OrderedQuery("SELECT a, b + 1 AS h FROM t", ("h",), unstored=("h",)).kept
        'SELECT * EXCLUDE ("h") FROM (SELECT a, b + 1 AS h FROM t)'
        """
        return f"SELECT * EXCLUDE ({', '.join(map(quote, self.unstored))}) FROM ({self.select})" if self.unstored else self.select

    @property
    def scan(self) -> str:
        """The SELECT that only reads a table: of all columns but those that are computed.

        >>> OrderedQuery("SELECT a FROM t", ("a",), scans=True).scan
        'SELECT a FROM t'
        """
        return self.select if self.computed is None else self.computed.rows

    @property
    def sql(self) -> str:
        """The SELECT of what is kept, with its order.

        >>> OrderedQuery("SELECT a, b FROM t", ("b",)).sql
        'SELECT a, b FROM t ORDER BY "b" ASC NULLS LAST'
        """
        columns = [f"{quote(name)} ASC NULLS LAST" for name in self.key]
        columns += [f"{quote(self.then)} ASC"] if self.then else []
        return f"{self.kept} ORDER BY {', '.join(columns)}" if columns else self.kept
