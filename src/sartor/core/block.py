"""A SELECT-project-join-group block in normal form: what it computes, and where each part of it stands in the statement's text.

Names inside a block are *canonical*: each table is known as `"schema.table"`, lower-case, so that two blocks over the same tables
write the same expression in the same way whatever their aliases are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from sartor.core.table import Inclusion, TableName, quote

ColumnOf = tuple[str, str]
"""A column of a block: the table's canonical name and the column's name, both in lower case."""


def canonical(table: TableName) -> str:
    """The name that a block knows a table by.

    >>> canonical(TableName("shop", "main", "Items"))
    'main.items'
    """
    return f"{table.schema}.{table.name}".lower()


def names_of(tables: Sequence[TableName]) -> tuple[str, ...]:
    """The names of a block's tables, in their order: a table that comes again has its number behind its name.

    >>> names_of((TableName("shop", "main", "a"), TableName("shop", "main", "b"), TableName("shop", "main", "a")))
    ('main.a', 'main.b', 'main.a#2')
    """
    names: list[str] = []
    for place, table in enumerate(tables):
        number = 1 + sum(other == table for other in tables[:place])
        names.append(canonical(table) + (f"#{number}" if number > 1 else ""))
    return tuple(names)


def column_text(column: ColumnOf) -> str:
    """A column as it is written in canonical expressions.

    >>> column_text(("main.items", "price"))
    '"main.items"."price"'
    """
    return f"{quote(column[0])}.{quote(column[1])}"


WITH_QUERY = " -- holds a query"  # ends the text of what holds one, so that it is equal to nothing that does not


@dataclass(frozen=True, slots=True)
class Term:
    """An expression over a block's columns that holds no aggregate.

    Attributes:
        text: the expression in canonical form: equal for equal expressions.
        sql: the same as the user wrote it, with canonical column names; empty where its place is not known.
        first, last: its tokens, both included; -1 where they are not known (then only its parts can be replaced).
        column: the column that it is, or None for anything else.
        parts: the largest expressions inside it that read columns.
        literals: those of its tokens that the template folded: another statement of the template may have others.
        steady: it gives the same value in every session and raises on no row, so that it may be computed beforehand.
        bound: what it says of one column, if it is a comparison of a column with a literal.
        unit: the coarsest unit of time whose beginning tells it, if it is a part of a day or moment that one column holds; else empty.
    """

    text: str
    sql: str
    first: int
    last: int
    column: ColumnOf | None = None
    parts: tuple[Term, ...] = ()
    literals: tuple[int, ...] = ()
    steady: bool = False
    bound: Bound | None = None
    unit: str = ""

    @property
    def has_query(self) -> bool:
        """Whether it holds a query, so that no row tells by itself what it gives."""
        return self.text.endswith(WITH_QUERY)

    def columns(self) -> Iterator[ColumnOf]:
        """The columns that it reads."""
        if self.column is not None:
            yield self.column
        for part in self.parts:
            yield from part.columns()


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison of a column with literals.

    Attributes:
        operator: `=`, `<`, `<=`, `>`, `>=`, `between` or `in`.
        tokens: first and last token of each literal; of `in` the whole list, which is one token.
        kind: how the literals compare: number, text, date.
    """

    column: ColumnOf
    operator: str
    tokens: tuple[tuple[int, int], ...]
    kind: str

    def values(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The literals as a statement with these tokens writes them."""
        return tuple("".join(words[first : last + 1]) for first, last in self.tokens)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that a CASE may give.

    Attributes:
        value: None for a literal.
        first, last: its tokens.
        nullable: it may be NULL.
    """

    value: Term | None
    first: int
    last: int
    nullable: bool


@dataclass(frozen=True, slots=True)
class Pivot:
    """The argument of an aggregate that is a CASE, or an if(): conditions that choose among values.

    Attributes:
        choices: the literals among them are 0, 1 or NULL.
    """

    conditions: tuple[Term, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An aggregate call.

    Attributes:
        function: count, sum, avg, min, max, bool_and, bool_or, var_samp, var_pop, stddev_samp or stddev_pop.
        argument: None for count(*).
        condition: of a FILTER clause.
        first, last: the call's own tokens, the FILTER clause left out.
        end: the last token with the FILTER clause.
        floating: adding up in another order may change its last bits.
        nullable: its argument may be NULL.
        pivot: what its argument is, if it is of that form.
        integer: its argument is a column of whole numbers.
        scale: the digits behind the point of what a variance or standard deviation is of.
    """

    function: str
    argument: Term | None
    distinct: bool
    condition: Term | None
    first: int
    last: int
    end: int
    floating: bool
    nullable: bool = True
    pivot: Pivot | None = None
    integer: bool = False
    scale: int = 0


@dataclass(frozen=True, slots=True)
class Equality:
    """An equality of two columns that a WHERE or ON clause asks for; tokens -1 for one that USING says."""

    left: ColumnOf
    right: ColumnOf
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class OuterJoin:
    """A LEFT JOIN of a base table.

    Attributes:
        conditions: those of its ON clause in canonical form, in the order of their texts.
        sql: the ON clause as the user wrote it, with canonical column names.
        literals: tokens of the ON clause that the template folded.
    """

    table: TableName
    conditions: tuple[str, ...]
    sql: str
    literals: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """An output column without a name of its own: the tokens of its expression, and its name if that needs no look at them.

    Attributes:
        name: empty where it depends on the statement's literals; then it is read from the text.
    """

    first: int
    last: int
    name: str


class Order(Enum):
    """What the order of a block's rows means for the statement's answer."""

    FREE = "free"  # no order is asked for, or one that leaves no ties
    TIES = "ties"  # right as long as the statement's ORDER BY leaves no ties among the rows it shows: to be looked at


@dataclass(frozen=True, slots=True)
class Ranking:
    """The outermost ORDER BY of a statement, for looking whether it leaves ties.

    Attributes:
        items_end: the last token of the select list.
        keys: the tokens of what each key of ORDER BY means.
        order: the tokens from ORDER to the last key with its direction.
        limit, offset: the tokens of the counts; -1 for none.
        facts: identifiers of verified keys by which it leaves no ties while all of them hold; none if no keys tell that.
    """

    items_end: int
    keys: tuple[tuple[int, int], ...]
    order: tuple[int, int]
    limit: int = -1
    offset: int = -1
    facts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Operand:
    """A literal, or a list of them, that WHERE compares a column with, so that its value may be handed over beside the text.

    Attributes:
        first_token, last_token: in the fingerprint's tokens, both included, a sign or the word DATE before it with it.
        kind: number, text, date or timestamp.
    """

    first_token: int
    last_token: int
    kind: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A conjunct of WHERE that compares a column with literals: rows for which it is not true count for nothing.

    Attributes:
        column: of a block; of a single table, with no name of a table.
        operator: `=`, `<`, `<=`, `>`, `>=` or `in`; `between` is two of these. Empty where values do not tell if it is true.
    """

    column: ColumnOf
    operator: str
    operand: Operand


@dataclass(frozen=True)
class QueryBlock:
    """One SELECT that groups rows of base tables. Its hash is kept, for what was found of a block is looked up by it.

    Attributes:
        sources: the tables, in the order of the FROM clause, those of LEFT JOINs last.
        outer: the LEFT JOINs, in the order of the FROM clause.
        equalities: equalities between columns.
        filters: all other conditions on rows.
        moved: those of the filters that stand in ON clauses, and so inside `from_`.
        reads: the largest expressions outside aggregates and conditions that read columns and have to be put into terms of the view.
        keys: what it groups by.
        calls: the aggregates.
        items: output columns that have to be given their names.
        from_: the tokens of the FROM clause without the word FROM.
        grouping: the tokens of the GROUP BY clause where each row handed out is one group and nothing else looks at several: without
            HAVING, DISTINCT, grouping sets and windows; else None.
        inclusions: those of the database that are declared or were verified.
        parameters: it holds parameters; then nothing that holds one may be copied.
        words: the tokens of the statement that was analysed.
        compared: the columns that conjuncts of WHERE compare with literals whose values may be handed over beside the text.
    """

    sources: tuple[TableName, ...]
    equalities: tuple[Equality, ...]
    filters: tuple[Term, ...]
    moved: tuple[Term, ...]
    reads: tuple[Term, ...]
    keys: tuple[Term, ...]
    calls: tuple[Call, ...]
    items: tuple[Item, ...]
    from_: tuple[int, int]
    grouping: tuple[int, int] | None = None
    outer: tuple[OuterJoin, ...] = ()
    order: Order = Order.FREE
    parameters: bool = False
    words: tuple[str, ...] = ()
    inclusions: frozenset[Inclusion] = frozenset()
    compared: tuple[Compared, ...] = field(default=(), compare=False)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.sources, self.equalities, self.filters, self.reads, self.calls, self.words))

    @cached_property
    def tables(self) -> frozenset[TableName]:
        """Its tables, each once."""
        return frozenset(self.sources)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical names of its tables."""
        return names_of(self.sources)

    @cached_property
    def inner(self) -> tuple[str, ...]:
        """The canonical names of the tables that are joined by equalities."""
        return self.names[: len(self.sources) - len(self.outer)]

    def columns(self) -> Iterator[ColumnOf]:
        """The columns that it reads; some may come twice."""
        for one in self.equalities:
            yield one.left
            yield one.right
        for term in (*self.filters, *self.reads, *self.keys):
            yield from term.columns()
        for call in self.calls:
            for part in (call.argument, call.condition):
                if part is not None:
                    yield from part.columns()
