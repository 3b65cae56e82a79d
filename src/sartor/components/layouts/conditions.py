"""The conditions of a statement whose truth a copy of one of its tables may store: the table's own, and those of tables joined to it.

After Ding, Minhas, Chandramouli, Kraska and others, *Instance-optimized data layouts for cloud analytics workloads* (MTO, SIGMOD
2021). Where rows without a partner are left out, a row of `facts` that finds no row of `dims` under the statement's
condition on `dims` is left out too. So `key IN (SELECT key FROM dims WHERE condition)` is a condition of `facts` alone, true also if
several rows of `dims` have that key, and never for NULL; a table joined to that one goes inside in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sartor.core.analysis import Analysis
from sartor.core.constants import LAYOUT_JOINS
from sartor.core.predicate import HIDDEN_FROM_ZONE_MAPS, JoinEdge, Written
from sartor.core.table import Catalog, Column, Source, TableName, quote
from sartor.sql.fingerprint import fingerprint

Bit = str | tuple[Any, ...]
"""A condition as a definition keeps it: its text over the bare columns of a table; of a table that is found by steps, a tuple of that
text and for each step four names: the column that it starts from, schema and name of the table, and its column."""


@dataclass(frozen=True, slots=True)
class Step:
    """From one table to another by an equality.

    Attributes:
        key: the column of the table that it comes from.
        table: the one that it goes to.
        found: the column of that table.
    """

    key: str
    table: TableName
    found: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a table, or on one that is found from it by some steps."""

    written: Written
    steps: tuple[Step, ...] = ()

    @property
    def example(self) -> Bit:
        """What `bit` gives for the statement that was analysed."""
        return self._by_steps(self.written.example)

    def bit(self, words: Sequence[str]) -> Bit:
        """The condition as a statement of the template writes it; two that are equal are the same condition."""
        return self._by_steps(self.written.text(words))

    def _by_steps(self, text: str) -> Bit:
        steps = ((step.key, step.table.schema, step.table.name, step.found) for step in self.steps)
        return (text, *steps) if self.steps else text

    @property
    def columns(self) -> Iterator[tuple[TableName, str]]:
        """The columns of other tables that it rests on."""
        for place, step in enumerate(self.steps):
            yield step.table, step.found
            if place + 1 < len(self.steps):
                yield step.table, self.steps[place + 1].key
        if self.steps:
            yield from ((self.steps[-1].table, name) for _, _, name in self.written.columns)


def conditions(analysis: Analysis, place: int) -> list[Condition]:
    """The conditions that leave out rows of a reference and that no zone map of its columns sees through."""
    own = (p.written for p in analysis.references[place].predicates if p.operator in HIDDEN_FROM_ZONE_MAPS and p.written is not None)
    return [*map(Condition, own), *_joined(analysis, place, (), (place,))]


def cuts(analysis: Analysis, place: int) -> list[Condition]:
    """The same, and those that zone maps do see through, as far as the analysis has looked for them."""
    own = (p.written for p in analysis.references[place].predicates if p.written is not None)
    return [*map(Condition, own), *_joined(analysis, place, (), (place,))]


def others(found: Iterable[Condition], catalog: Catalog) -> tuple[tuple[TableName, tuple[Column, ...]], ...]:
    """The other tables that conditions rest on, each once, with the columns that they read of it."""
    read: dict[TableName, set[str]] = {}
    for condition in found:
        for table, name in condition.columns:
            read.setdefault(table, set()).add(name)
    infos = ((table, catalog.info(table), names) for table, names in sorted(read.items(), key=lambda item: str(item[0])))
    return tuple((table, tuple(c for c in info.columns if c.name in names)) for table, info, names in infos if info is not None)


def _joined(analysis: Analysis, place: int, steps: tuple[Step, ...], seen: tuple[int, ...]) -> Iterator[Condition]:
    """The conditions of tables that are joined to a reference, and of those joined to them; no table is met twice on one way."""
    if len(steps) >= LAYOUT_JOINS.default:
        return
    for key, other, found in _edges(analysis.joins, place):
        reference = analysis.references[other]
        source = reference.source
        met = any(analysis.references[one].source == source for one in seen)
        if met or reference.refusal is not None or not isinstance(source, TableName):
            continue
        way = (*steps, Step(key, source, found))
        yield from (Condition(predicate.written, way) for predicate in reference.predicates if predicate.written is not None)
        yield from _joined(analysis, other, way, (*seen, other))


def _edges(joins: Sequence[JoinEdge], place: int) -> Iterator[tuple[str, int, str]]:
    """The equalities of a reference with others that leave out its rows: its column, the other reference, and that one's column."""
    for edge in joins:
        if edge.inner and edge.left == place:
            yield edge.left_column, edge.right, edge.right_column
        elif edge.inner and edge.right == place:
            yield edge.right_column, edge.left, edge.left_column


def text_of(bit: Bit, database: str = "") -> str:
    """A condition over the bare columns of the first table; without a database it is for people only.

    >>> text_of(('"name" = 1', ("dim", "main", "dims", "id")))
    '"dim" IN (SELECT "id" FROM dims WHERE "name" = 1)'
    """
    if isinstance(bit, str):
        return bit
    found, *steps = bit
    for key, schema, name, other in reversed(steps):
        table = str(TableName(database, schema, name)) if database else name
        found = f"{quote(key)} IN (SELECT {quote(other)} FROM {table} WHERE {found})"
    return str(found)


@lru_cache(maxsize=4096)
def shape(bit: Bit) -> Bit:
    """A condition without its literals.

    >>> shape("a LIKE '%x%'") == shape("a LIKE 'y'"), shape("a LIKE 'y'") == shape("b LIKE 'y'")
    (True, False)
    """
    text, steps = (bit, ()) if isinstance(bit, str) else (bit[0], bit[1:])
    template = fingerprint(f"SELECT 1 FROM t WHERE {text}").template
    return (template, *steps) if steps else template


def looks_into_smaller(condition: Condition, source: Source, catalog: Catalog) -> bool:
    """Whether each table on the way has fewer rows than the one before it: the way from facts to what describes them."""
    infos = [catalog.info(table) for table in (source, *(step.table for step in condition.steps))]
    return all(one is not None and other is not None and other.rows < one.rows for one, other in pairwise(infos))
