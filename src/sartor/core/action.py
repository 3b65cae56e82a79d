"""What a component may do to a database, and what it has built."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sartor.core.evidence import Evidence
from sartor.core.table import Source, TableName


@dataclass(frozen=True)
class Action:
    """One change that a component proposes; its inverse is to drop what it built.

    Attributes:
        component: the name of the component that proposed it.
        source: the table or files that it derives from; its database holds what is built.
        definition: what to build, as JSON-able values that the component alone reads
            (for sort_keys: columns and key, each a tuple of names). Some names are read by all: see `schemas`, `in_memory`, `hidden`.
        templates: digests of the templates that it was proposed for.
        strict: places of the sources whose appended rows change what is derived as any other change would: no residual tells of them.
        others: further tables or files that it derives from, distinct, of the same database. A source's *place* is 0 for
            `source`, and 1 and on for these.
    """

    component: str
    source: Source
    definition: tuple[tuple[str, Any], ...]
    templates: frozenset[str] = frozenset()
    others: tuple[Source, ...] = ()
    strict: frozenset[int] = frozenset()

    def __hash__(self) -> int:
        return self._hash  # kept: an object's definition is looked up by it in each decision

    @cached_property
    def _hash(self) -> int:
        return hash((self.component, self.sources, self.definition, self.templates, self.strict))

    @cached_property
    def tables(self) -> frozenset[Source]:
        """All that it derives from, each once."""
        return frozenset(self.sources)

    @cached_property
    def table_names(self) -> frozenset[str]:
        """The bare, lower-case names of the tables that it derives from, by which a workload counts what was written."""
        return frozenset(source.name.lower() for source in self.sources if isinstance(source, TableName))

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All that it derives from, in the order of their places.

        >>> from sartor.core.table import TableName
        >>> one, two = TableName("shop", "main", "items"), TableName("shop", "main", "orders")
        >>> Action("views", one, (), others=(two,)).sources == (one, two)
        True
        """
        return (self.source, *self.others)

    @property
    def schemas(self) -> tuple[tuple[tuple[str, str], ...], ...]:
        """For each place, names and types of the columns that it rests on; empty where the definition keeps none.

        The definition keeps them under `schemas`, one for each place, or under `schema` for its one source. Of files it keeps all
        columns, for no catalog holds them. An object is dropped, not rebuilt, once they are not as they were.
        """
        definition = dict(self.definition)
        kept = definition.get("schemas") or (definition.get("schema", ()),)
        return tuple(kept[place] if place < len(kept) else () for place in range(1 + len(self.others)))

    def columns(self, place: int) -> tuple[str, ...]:
        """Names of the columns of a source that it rests on; the definition of a copy keeps them under `columns`."""
        copied = dict(self.definition).get("columns") if place == 0 else None
        return copied or tuple(name for name, _ in self.schemas[place])

    @cached_property
    def is_copy(self) -> bool:
        """Whether it stores rows of one table as they are, each beside its number, and so tells later how they have changed."""
        return isinstance(self.source, TableName) and not self.others and not self.in_memory and "columns" in dict(self.definition)

    @cached_property
    def in_memory(self) -> bool:
        """Whether what is built stays in the memory of this process and no table holds it: the definition says `in_memory`."""
        return bool(dict(self.definition).get("in_memory", False))

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """Columns of what is built that are no columns of its source, and are never handed out: the definition says `hidden`."""
        return tuple(dict(self.definition).get("hidden", ()))

    def get(self, name: str) -> Any:
        """The value that the definition holds under this name; KeyError if none."""
        return dict(self.definition)[name]


@dataclass(frozen=True, slots=True)
class Estimate:
    """What an action is expected to bring and to cost, before it is done.

    Attributes:
        seconds_saved: per template digest, seconds saved on each execution.
        build_seconds: time to build it.
        bytes_stored: storage that it takes.
        upkeep_seconds_per_row: time to carry one appended row into it.
        standing: the identifier of the object that was built by it already, so that building costs nothing more; 0 if none was.
    """

    action: Action
    seconds_saved: dict[str, Evidence]
    build_seconds: Evidence
    bytes_stored: Evidence
    upkeep_seconds_per_row: Evidence
    standing: int = 0
