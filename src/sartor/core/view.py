"""What a materialized view holds: the groups of a join, with the states of aggregates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

from sartor.core.action import Action
from sartor.core.block import ColumnOf, names_of
from sartor.core.table import TableName

VIEWS = "views"
ROWS = "sartor_n"
"""The column of each view that says how many joined rows a group has."""
AT_LAST, AT_FIRST = "at last", "at first"
"""States that count distinct values, each in one group: that of its last or its first row; see `State`."""


@dataclass(frozen=True, slots=True)
class State:
    """One aggregate that a view keeps for each group: count, sum, min, max, bool_and or bool_or of an expression.

    Or, AT_LAST and AT_FIRST, how many values of a column have their last (first) row in this group: among the rows that agree with it
    in all keys but one, `along`, the rows of a value are in the groups of several such keys, and it is counted in that of the greatest
    (least) one. So the groups from some key on tell, added up, how many distinct values they hold.

    Attributes:
        text, sql: of the argument, as in `Term`.
        along: the text of that key, a column; else empty.
    """

    function: str
    text: str
    sql: str
    along: str = ""

    @property
    def is_placed(self) -> bool:
        """Whether it is AT_LAST or AT_FIRST."""
        return bool(self.along)


@dataclass(frozen=True, slots=True)
class KeyColumn:
    """One expression that a view groups by.

    Attributes:
        text, sql: as in `Term`.
        is_column: it is a column of a table, not an expression.
    """

    text: str
    sql: str
    is_column: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that a view's rows fulfil.

    Attributes:
        column, operator, values, kind: as in `Bound`, the literals as written; an empty operator where it is none.
    """

    text: str
    sql: str
    column: ColumnOf = ("", "")
    operator: str = ""
    values: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True)
class ViewDefinition:
    """A SELECT-project-join-group block without the user's names.

    Attributes:
        tables: in the order of the FROM clause, those of LEFT JOINs last.
        outer: for each LEFT JOIN its canonical conditions and its ON clause, in the order of its tables.
        equalities: pairs of columns that the join sets equal.
        sorted_by: positions of the keys that the stored rows are sorted by.
        schemas: for each table the columns that the view reads, names as the catalog spells them, with their types.
    """

    tables: tuple[TableName, ...]
    equalities: tuple[tuple[ColumnOf, ColumnOf], ...]
    conditions: tuple[Condition, ...]
    keys: tuple[KeyColumn, ...]
    states: tuple[State, ...]
    sorted_by: tuple[int, ...] = ()
    schemas: tuple[tuple[tuple[str, str], ...], ...] = ()
    outer: tuple[tuple[tuple[str, ...], str], ...] = ()

    def __hash__(self) -> int:
        return self._hash  # kept: what was found of a view is looked up by it

    @cached_property
    def _hash(self) -> int:
        return hash((self.tables, self.equalities, self.conditions, self.keys, self.states, self.sorted_by, self.outer))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical names of its tables."""
        return names_of(self.tables)

    @cached_property
    def inner(self) -> tuple[str, ...]:
        """The canonical names of the tables that are joined by equalities."""
        return self.names[: len(self.tables) - len(self.outer)]

    @cached_property
    def alike(self) -> tuple[tuple[ColumnOf, ColumnOf], ...]:
        """The equalities between columns of one type: in each row of the view the one may stand for the other."""
        return tuple(pair for pair in self.equalities if self._types.get(pair[0], "") == self._types.get(pair[1]))

    @cached_property
    def _types(self) -> dict[ColumnOf, str]:
        return {(table, name.lower()): kind for table, schema in zip(self.names, self.schemas, strict=True) for name, kind in schema}

    def type_of(self, column: ColumnOf) -> str:
        """The type of a column that it reads, without what stands in parentheses; empty where it is not known."""
        return self._types.get(column, "").upper().partition("(")[0]

    @cached_property
    def key_of(self) -> dict[str, int]:
        """The position of each key by its canonical text."""
        return {key.text: place for place, key in enumerate(self.keys)}

    @cached_property
    def state_of(self) -> dict[tuple[str, str], int]:
        """The position of each state by its function and the canonical text of its argument."""
        return {(state.function, state.text): place for place, state in enumerate(self.states)}

    def action(self, templates: frozenset[str] = frozenset()) -> Action:
        """The action that builds it."""
        names = tuple(self.keys[place].text.rpartition(".")[2].replace('"', "") for place in self.sorted_by)
        definition: tuple[tuple[str, Any], ...] = (
            ("key", names),
            ("equalities", self.equalities),
            ("conditions", tuple((c.text, c.sql, c.column, c.operator, c.values, c.kind) for c in self.conditions)),
            ("keys", tuple((key.text, key.sql, key.is_column) for key in self.keys)),
            ("states", tuple((s.function, s.text, s.sql, *([s.along] if s.along else [])) for s in self.states)),
            ("sorted_by", self.sorted_by),
            ("schemas", self.schemas),
            ("outer", self.outer),
        )
        strict = frozenset(range(len(self.inner), len(self.tables)))
        return Action(VIEWS, self.tables[0], definition, templates, self.tables[1:], strict)


def definition_of(action: Action) -> ViewDefinition:
    """The view that an action builds."""
    values = dict(action.definition)
    return ViewDefinition(
        tuple(source for source in action.sources if isinstance(source, TableName)),
        tuple(((a, b), (c, d)) for (a, b), (c, d) in values["equalities"]),
        tuple(Condition(text, sql, (a, b), operator, tuple(v), kind) for text, sql, (a, b), operator, v, kind in values["conditions"]),
        tuple(KeyColumn(*key) for key in values["keys"]),
        tuple(State(*state) for state in values["states"]),
        values["sorted_by"],
        values["schemas"],
        values["outer"],
    )


def key_column(place: int) -> str:
    """The name of the column that holds a key."""
    return f"sartor_k{place}"


def state_column(place: int) -> str:
    """The name of the column that holds a state."""
    return f"sartor_s{place}"


def part_column(text: str) -> str:
    """The name of the column that holds a part of a date which a key tells.

    Args:
        text: of the part in canonical form; the name tells capital letters apart, which names of columns do not: `%m` and `%M`.
    """
    return f"sartor_p{blake2b(text.encode(), digest_size=8).hexdigest()}"
