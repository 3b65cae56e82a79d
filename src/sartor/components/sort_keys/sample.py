"""A sample of a table's rows in Sartor's own connection, and what row groups of it a statement would read in some order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sartor.core.constants import (
    PART_SAMPLE_ROWS,
    ROW_GROUP_ROWS,
    SAMPLE_ROWS,
    SAMPLE_ROWS_PER_GROUP,
    VALUE_SAMPLE_ROWS,
    VECTOR_ROWS,
    ZONE_MAP_TEXT_BYTES,
)
from sartor.core.derived import ORDER_COLUMN
from sartor.core.predicate import Operator, Predicate
from sartor.core.table import FileScan, Source, quote
from sartor.engines.base import Engine

Key = tuple[str, ...]
_SALT = 7919  # so that no column that is itself a hash of the row number goes along with the sample
_NARROW = (Operator.EQUAL, Operator.IN, Operator.BETWEEN)
_POINTS = (Operator.EQUAL, Operator.IN)


@dataclass(slots=True)
class Sample:
    """Some hundred rows of each row group in a temporary table, drawn by a hash of the row id: unbiased, and the same each time.

    Attributes:
        rows: of the table.
        sampled: of the sample.
        columns: those that the sample holds.
        texts: those of them that are texts, of which zone maps know the first bytes only.
    """

    engine: Engine
    name: str
    rows: int
    sampled: int
    columns: tuple[str, ...]
    texts: frozenset[str] = frozenset()
    _orders: dict[Key, str] = field(default_factory=dict)
    _zones: dict[Key, str] = field(default_factory=dict)
    _counted: dict[str, float] = field(default_factory=dict)

    @property
    def groups(self) -> int:
        """The table's row groups."""
        return max(1, -(-self.rows // int(ROW_GROUP_ROWS.default)))

    @property
    def parts_per_group(self) -> int:
        """Parts that a row group is looked at in: its vectors, or fewer where the sample is too thin for them."""
        vectors = int(ROW_GROUP_ROWS.default / VECTOR_ROWS.default)
        return max(1, min(vectors, self.sampled // (self.groups * int(PART_SAMPLE_ROWS.default))))

    def compute(self, expressions: Mapping[str, str], beside: str = "") -> None:
        """Add columns: for each name an expression over the columns that the sample holds; before any order is asked for.

        Args:
            beside: a FROM item of one row that the expressions read too.
        """
        made = f"{self.name}_{len(self.columns)}"
        named = "".join(f", {expression} AS {quote(name)}" for name, expression in expressions.items())
        others = f", {beside}" if beside else ""
        row = self.name.rpartition(".")[2]
        self.engine.execute(
            f"CREATE OR REPLACE TEMP TABLE {made.rpartition('.')[2]} AS SELECT {row}.*{named} FROM {self.name}{others}"
        )
        self.engine.execute(f"DROP TABLE {self.name}")
        self.name, self.columns = made, (*self.columns, *expressions)

    def work(self, key: Key, predicates: Sequence[Predicate], filtered_share: float) -> float:
        """What a scan would decode if the table were sorted by a key, in row groups with all columns that it reads.

        Of a row group that no zone map rules out, the restricted columns are decoded as a whole, the others only in vectors
        in which some row passes all conditions, whatever their shape.

        Args:
            filtered_share: the share of restricted columns among those that are read.
        """
        groups = self.groups_read(key, predicates)
        return filtered_share * groups + (1.0 - filtered_share) * min(groups, self._groups_touched(key, predicates))

    def groups_read(self, key: Key, predicates: Sequence[Predicate]) -> float:
        """How many row groups a scan would read if the table were sorted by a key; an empty key is the table's own order.

        A row group is read unless the zone map of some restricted column rules it out, as DuckDB would: by the smallest and
        the largest value that the row group holds of it. The values that a condition admits are those that it admits in
        the sample.
        """
        usable = [p for p in predicates if p.column and p.sql is not None and _prunes(p)]
        if not usable or not self.sampled:
            return float(self.groups)
        zones = self._zones_of(key)
        placed = [p for p in usable if self._is_placed(p)]
        tests = " AND ".join(self._test(p) for p in placed) or "true"
        read = self._count(f"count(*) FROM {zones} WHERE {tests}")
        # What is too narrow for the sample, or lies at the edge of its values, is expected to read what any value would.
        shares = [self._share_of_a_value(key, p.column) for p in usable if p.column not in key[:1] and p.operator in _NARROW]
        shares += [self._share_of_a_value(key, p.column) for p in usable if p not in placed and p.column in key[:1]]
        if len(placed) < len(usable):
            read *= min(shares, default=1.0)
        elif len(usable) == len(shares):
            read = max(read, self.groups * min(shares, default=0.0))
        return max(1.0, read)

    def share_kept(self, predicates: Sequence[Predicate]) -> float:
        """The share of the rows that all conditions let through."""
        known = [f"({p.sql})" for p in predicates if p.sql is not None]
        if not known or not self.sampled:
            return 1.0
        return self._count(f"count(*) FROM {self.name} WHERE {' AND '.join(known)}") / self.sampled

    def drop(self) -> None:
        for name in (*self._zones.values(), *self._orders.values(), self.name):
            self.engine.execute(f"DROP TABLE IF EXISTS {name}")

    def _groups_touched(self, key: Key, predicates: Sequence[Predicate]) -> float:
        """In how many row groups' worth of vectors some row passes all conditions."""
        known = [f"({p.sql})" for p in predicates if p.sql is not None]
        if not known or not self.sampled:
            return float(self.groups)
        touched = self._count(f"count(DISTINCT part) FROM {self._ordered(key)} WHERE {' AND '.join(known)}")
        return max(1.0, touched) / self.parts_per_group

    def _is_placed(self, predicate: Predicate) -> bool:
        """Whether the sample tells where the rows that pass a condition lie."""
        if predicate.values or predicate.operator is Operator.IS_NULL:
            return True
        return self._count(f"count(*) FROM {self.name} WHERE {predicate.sql}") > 0

    def _share_of_a_value(self, key: Key, column: str) -> float:
        """The share of row groups that one value of a column, drawn from the rows, would read under an order."""
        every = max(1, self.sampled // int(VALUE_SAMPLE_ROWS.default))
        low, high = quote("low " + column), quote("high " + column)
        values = f"(SELECT {self._seen(column)} AS value FROM {self.name} WHERE hash({quote(ORDER_COLUMN)}, 1) % {every} = 0)"
        read = self._count(f"coalesce(avg((value BETWEEN {low} AND {high})::INTEGER), 1) FROM {values}, {self._zones_of(key)}")
        return max(read, 1.0 / self.groups)

    def _count(self, query: str) -> float:
        """The one number that a query over the sample gives; the same is asked for many keys, and counted once."""
        found = self._counted.get(query)
        if found is None:
            found = self._counted[query] = float(self.engine.rows(f"SELECT {query}")[0][0])
        return found

    def _ordered(self, key: Key) -> str:
        """The temporary table of the sample under an order, with the part of the table that each row would lie in."""
        found = self._orders.get(key)
        if found is None:
            found = f"{self.name}_order_{len(self._orders)}"
            order = ", ".join([*(f"{quote(part)} ASC NULLS LAST" for part in key), quote(ORDER_COLUMN)])
            self.engine.execute(
                f"CREATE TEMP TABLE {found} AS SELECT *, (row_number() OVER (ORDER BY {order}) - 1)"
                f" * {self.groups * self.parts_per_group} // {self.sampled} AS part FROM {self.name}"
            )
            self._orders[key] = found
        return found

    def _zones_of(self, key: Key) -> str:
        """The temporary table of the bounds that each row group would hold of each column under an order."""
        found = self._zones.get(key)
        if found is None:
            found = f"{self.name}_zone_{len(self._zones)}"
            bounds = "".join(
                f", min({self._seen(name)}) AS {quote('low ' + name)}, max({self._seen(name)}) AS {quote('high ' + name)}"
                f", count(*) - count({quote(name)}) AS {quote('nulls ' + name)}"
                for name in self.columns
            )
            self.engine.execute(
                f"CREATE TEMP TABLE {found} AS SELECT part // {self.parts_per_group} AS block{bounds} FROM {self._ordered(key)} "
                "GROUP BY block"
            )
            self._zones[key] = found
        return found

    def _test(self, predicate: Predicate) -> str:
        column = predicate.column
        low, high = quote("low " + column), quote("high " + column)
        admitted, seen = f"FROM {self.name} WHERE {predicate.sql}", self._seen(column)
        if predicate.operator is Operator.IS_NULL:
            return f"{quote('nulls ' + column)} > 0"
        if predicate.values:
            values = [self._seen(column, value) for value in predicate.values]
            return "(" + " OR ".join(f"{value} BETWEEN {low} AND {high}" for value in values) + ")"
        if predicate.operator in _POINTS:
            return f"EXISTS (SELECT 1 FROM (SELECT DISTINCT {seen} AS admitted {admitted}) WHERE admitted BETWEEN {low} AND {high})"
        return f"{high} >= (SELECT min({seen}) {admitted}) AND {low} <= (SELECT max({seen}) {admitted})"

    def _seen(self, column: str, value: str = "") -> str:
        """What a zone map sees of a column, or of a value that it is compared with."""
        whole = value or quote(column)
        return f"left(({whole})::VARCHAR, {int(ZONE_MAP_TEXT_BYTES.default)})" if column in self.texts else whole


def draw(engine: Engine, source: Source, columns: Sequence[str], number: int) -> Sample:
    """Draw the sample of a table with the columns that are asked for."""
    rows = int(engine.rows(f"SELECT count(*) FROM {source}")[0][0])
    groups = -(-rows // int(ROW_GROUP_ROWS.default))
    every = max(1, rows // min(int(SAMPLE_ROWS.default), max(1, groups) * int(SAMPLE_ROWS_PER_GROUP.default)))
    name = f"temp.main.sartor_sample_{number}"
    names = "".join(f"{quote(column)}, " for column in columns)
    identifier = f"(SELECT *, row_number() OVER () - 1 AS file_row FROM {source})" if isinstance(source, FileScan) else str(source)
    row = "file_row" if isinstance(source, FileScan) else "rowid"
    engine.execute(f"DROP TABLE IF EXISTS {name}")
    engine.execute(
        f"CREATE TEMP TABLE {name} AS SELECT {names}{row} AS {quote(ORDER_COLUMN)} FROM {identifier} "
        f"WHERE hash({row}, {_SALT}) % {every} = 0"
    )
    sampled = int(engine.rows(f"SELECT count(*) FROM {name}")[0][0])
    texts = {column for column, kind, *_ in engine.rows(f"DESCRIBE {name}") if kind == "VARCHAR"}
    return Sample(engine, name, rows, sampled, tuple(columns), frozenset(texts))


def _prunes(predicate: Predicate) -> bool:
    """Whether zone maps can rule row groups out by a condition of this shape."""
    if predicate.operator is Operator.LIKE:
        pattern = (predicate.sql or "").partition("'")[2]
        return bool(pattern) and pattern[0] not in "%_'"
    return predicate.operator not in (Operator.OTHER, Operator.IS_NOT_NULL)
