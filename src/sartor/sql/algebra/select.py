"""One SELECT over base tables as a query block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from sartor.core.block import (
    Call,
    Choice,
    ColumnOf,
    Compared,
    Equality,
    Item,
    Order,
    OuterJoin,
    Pivot,
    QueryBlock,
    Term,
    column_text,
    names_of,
)
from sartor.core.table import Catalog, TableInfo, TableName
from sartor.sql.algebra.compared import compared
from sartor.sql.algebra.queries import is_closed, queries
from sartor.sql.algebra.steady import INTEGERS, width_of
from sartor.sql.algebra.terms import Reader
from sartor.sql.algebra.tokens import Clauses, clauses, grouping
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.floats import Sum, aggregates, kind_of_sum
from sartor.sql.keys import group_key, has_grouping_sets, text
from sartor.sql.matching.moments import DIGITS, MOMENTS
from sartor.sql.places import place_of
from sartor.sql.predicates import conjuncts
from sartor.sql.raising import raising

RESERVED = "sartor_"
"""What the names of a view's columns begin with."""

_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Avg: "avg",
    exp.Min: "min",
    exp.Max: "max",
    exp.LogicalAnd: "bool_and",
    exp.LogicalOr: "bool_or",
    exp.Variance: "var_samp",
    exp.VariancePop: "var_pop",
    exp.Stddev: "stddev_samp",
    exp.StddevSamp: "stddev_samp",
    exp.StddevPop: "stddev_pop",
}
INEXACT = (exp.Sum, exp.Avg, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop)
"""Aggregates that may give another last bit when rows come in another order, by their kind alone."""

_KEY_TYPES = frozenset(
    """
    BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT VARCHAR DATE TIMESTAMP TIMESTAMP_S
    TIMESTAMP_MS TIMESTAMP_NS TIME UUID
    """.split()
)


class NoBlock(Exception):
    """A SELECT is no block that a view could answer; the message says why."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What reading a block needs of the statement that it stands in.

    Attributes:
        named: lower-case names of common table expressions, which hide tables.
    """

    catalog: Catalog
    printed: Fingerprint
    words: tuple[str, ...]
    text: str


def read_block(node: exp.Select, statement: Statement, named: frozenset[str], order: Order, *, exact_values: bool) -> QueryBlock:
    """The block that a SELECT is.

    Args:
        named: lower-case names of the common table expressions in sight, which hide tables.
        exact_values: what it hands out is used further, so that floating-point results must not differ in the last bit.

    Raises:
        NoBlock: it is none.
    """
    return _Block(node, statement, named).read(order, exact_values)


class _Block:
    def __init__(self, node: exp.Select, statement: Statement, named: frozenset[str]) -> None:
        self._node = node
        self._statement = statement
        self._named = named
        self._infos: dict[str, TableInfo] = {}  # by alias, in the order of the FROM clause
        self._spans: list[tuple[int, int]] = []
        self._using: set[str] = set()
        self._called: dict[str, str] = {}  # canonical names by alias, in the order of the block's sources
        self._supplied: frozenset[str] = frozenset()  # those that a LEFT JOIN may leave empty
        self._aliases = {item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias)}

    def read(self, order: Order, exact_values: bool) -> QueryBlock:
        node = self._node
        if node.args.get("windows") or node.args.get("qualify") or node.args.get("sample") or node.args.get("kind"):
            raise NoBlock("it has a clause that is not understood")
        if any(not isinstance(item, exp.Alias) and isinstance(item, exp.Star | exp.Query) for item in node.expressions):
            raise NoBlock("it selects a star or a query")
        self._tables()
        for query in queries(node):
            if not is_closed(query, self._statement.catalog):
                raise NoBlock("a query in its expressions may read its rows")
        calls = [call for call in aggregates(node) if not isinstance(call, exp.Grouping)]
        grouped = node.args.get("group") is not None
        distinct = node.args.get("distinct")
        if not (grouped or calls or distinct):
            raise NoBlock("it neither groups nor aggregates")
        if distinct is not None and distinct.args.get("on"):
            raise NoBlock("it uses DISTINCT ON")
        types = {
            (self._called[alias], column.name.lower()): column.type.upper()
            for alias, info in self._infos.items()
            for column in info.columns
        }
        self._types = types
        self._reader = Reader(self._statement.printed, self._statement.words, self._statement.text, self._column, types)
        span = clauses(self._statement.words, self._spans[0][0], len(node.expressions))
        if span is None:
            raise NoBlock("its clauses are not found in the text")
        last = max(end for _, end in self._spans)
        equalities, filters, moved, outer, last = self._conditions(last)
        if any(self._supplied & {one.left[0], one.right[0]} for one in equalities):
            raise NoBlock("an inner join reads a table that a LEFT JOIN may leave empty")
        if any(term.first < 0 for term in moved):
            raise NoBlock("a condition in an ON clause is not found in the text")
        made = [self._call(call) for call in calls]
        if last_bits_decide(node, [one for one, call in zip(calls, made, strict=True) if call.floating], exact_values=exact_values):
            raise NoBlock("the last bit of a floating-point aggregate decides the answer")
        reads, keys = self._reads(distinct is not None and not grouped and not calls)
        self._keep_types(keys, filters, reads, made)
        return QueryBlock(
            sources=tuple(_name(self._infos[alias]) for alias in self._called),
            outer=tuple(outer),
            equalities=tuple(equalities),
            filters=tuple(filters),
            moved=tuple(moved),
            reads=tuple(reads),
            keys=tuple(keys),
            calls=tuple(made),
            items=tuple(self._items(span)),
            from_=(self._spans[0][0], last),
            grouping=grouping(self._statement.words, last) if self._is_row_by_row() else None,
            order=order,
            words=self._statement.words,
            inclusions=self._statement.catalog.inclusions,
            parameters=any(True for _ in node.find_all(exp.Placeholder, exp.Parameter)),
            compared=tuple(self._compared()),
        )

    def _compared(self) -> Iterator[Compared]:
        for condition in conjuncts(self._node.args.get("where")):
            yield from compared(condition, self._reader, self._statement.words)

    def _is_row_by_row(self) -> bool:
        """Whether each group gives one row, and nothing else looks at groups."""
        node, group = self._node, self._node.args.get("group")
        if group is None or has_grouping_sets(group):
            return False
        return not (node.args.get("having") or node.args.get("distinct") or node.find(exp.Window))

    # FROM ---------------------------------------------------------------------------------------------------------

    def _tables(self) -> None:
        node = self._node
        from_ = node.args.get("from_")
        joins: list[exp.Join] = node.args.get("joins") or []
        if from_ is None:
            raise NoBlock("it reads no table")
        for join in joins:
            kind = (join.kind or "").upper()
            if join.method or join.args.get("match_condition") or (join.side or "").upper() not in ("", "LEFT"):
                raise NoBlock(f"it uses a {join.side or join.method} join")
            if kind not in (("", "OUTER") if join.side else ("", "INNER", "CROSS")):
                raise NoBlock(f"it uses a {kind} join")
            self._using |= {name.name.lower() for name in join.args.get("using") or []}
        for source in [from_.this, *(join.this for join in joins)]:
            self._table(source)
        sides = dict(zip(self._infos, ["", *(join.side for join in joins)], strict=True))
        ordered = sorted(self._infos, key=lambda alias: bool(sides[alias]))
        self._called = dict(zip(ordered, names_of([_name(self._infos[alias]) for alias in ordered]), strict=True))
        self._supplied = frozenset(self._called[alias] for alias in ordered if sides[alias])

    def _table(self, source: exp.Expr) -> None:
        plain = isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
        extra = [name for name, value in source.args.items() if value and name not in ("this", "db", "catalog", "alias")]
        if not plain or extra:
            raise NoBlock("it reads something that is no table")
        assert isinstance(source, exp.Table)
        parts = tuple(part.name for part in source.parts)
        info = None if len(parts) == 1 and parts[0].lower() in self._named else self._statement.catalog.resolve(parts)
        place = place_of(source, self._statement.printed, self._statement.words)
        if info is None or place is None or not isinstance(info.source, TableName):
            raise NoBlock(f"{source.sql('duckdb')} is no base table")
        alias = source.args.get("alias")
        if alias is not None and alias.args.get("columns"):
            raise NoBlock("the columns of a table are renamed")
        if info.has_rowid_column or info.has_generated or info.has_triggers:
            raise NoBlock("a table has triggers, generated columns or a column named rowid")
        if any(mark in name for mark in '."#' for name in (info.source.schema, info.source.name)):
            raise NoBlock("a table's name holds a point, a quote or a #")
        if source.alias_or_name.lower() in self._infos:
            raise NoBlock("two tables have one alias")
        self._infos[source.alias_or_name.lower()] = info
        self._spans.append((place[0], place[1]))

    # Names --------------------------------------------------------------------------------------------------------

    def _column(self, node: exp.Column) -> ColumnOf | None:
        """The column that a name means; None for an alias of the select list."""
        if isinstance(node.this, exp.Star) or node.args.get("catalog") or (node.args.get("db") and not self._is_full_name(node)):
            raise NoBlock(f"{node.sql('duckdb')} is not understood")
        name, alias = node.name.lower(), node.table.lower()
        if name.startswith(RESERVED) or name == "rowid":
            raise NoBlock(f"it reads {name}")
        owners = [key for key, info in self._infos.items() if alias in ("", key) and info.column(name) is not None]
        if not owners:
            if not alias and name in self._aliases:
                return None
            raise NoBlock(f"{node.sql('duckdb')} is no column of its tables")
        if len(owners) > 1 and name not in self._using:
            raise NoBlock(f"{name} is a column of several tables")
        if not alias and name in self._aliases and node.find_ancestor(exp.Order) is not None:
            return None  # ORDER BY looks at the select list first
        return self._called[owners[0]], name

    def _is_full_name(self, node: exp.Column) -> bool:
        """Whether a column is qualified by the schema and the name of a table that has no alias."""
        info = self._infos.get(node.table.lower())
        if info is None:
            return False
        name = _name(info)
        return (node.args["db"].name.lower(), node.table.lower()) == (name.schema.lower(), name.name.lower())

    # Conditions ---------------------------------------------------------------------------------------------------

    def _conditions(self, last: int) -> tuple[list[Equality], list[Term], list[Term], list[OuterJoin], int]:
        """Equalities, other conditions, those of them in ON clauses, LEFT JOINs, and the last token of the FROM clause."""
        equalities: list[Equality] = []
        filters: list[Term] = []
        moved: list[Term] = []
        outer: list[OuterJoin] = []
        aliases = list(self._infos)
        for number, join in enumerate(self._node.args.get("joins") or [], 1):
            asked: list[Equality] = []
            for name in join.args.get("using") or []:
                owner = next((other for other in aliases[:number] if self._infos[other].column(name.name) is not None), None)
                if owner is None:
                    raise NoBlock("USING names a column that is not understood")
                key = name.name.lower()
                asked.append(Equality((self._called[owner], key), (self._called[aliases[number]], key), -1, -1))
                last = max(last, self._reader.token_at(name.meta.get("start")))
            further: list[Term] = []
            for condition in conjuncts(join.args.get("on")):
                last = max(last, self._last_token(condition))
                self._condition(condition, asked, further)
            last = max([last, *(one.last for one in asked), *(term.last for term in further)])
            if join.side:
                outer.append(self._outer(_name(self._infos[aliases[number]]), asked, further))
            else:
                equalities += asked
                moved += further
        words = self._statement.words
        first = self._spans[0][0]
        while last + 1 < len(words) and words[first : last + 1].count("(") > words[first : last + 1].count(")"):
            last += 1
        for condition in conjuncts(self._node.args.get("where")):
            self._condition(condition, equalities, filters)
        return equalities, [*filters, *moved], moved, outer, last

    def _outer(self, table: TableName, asked: Sequence[Equality], further: Sequence[Term]) -> OuterJoin:
        """A LEFT JOIN by these conditions, all of which have to be written as they are told."""
        if any(term.first < 0 or not term.steady for term in further) or not asked:
            raise NoBlock("the condition of a LEFT JOIN is not understood")
        texts = [" = ".join(sorted((column_text(one.left), column_text(one.right)))) for one in asked]
        conditions = tuple(sorted([*texts, *(term.text for term in further)]))
        literals = sorted({place for term in further for place in term.literals})
        return OuterJoin(table, conditions, " AND ".join([*texts, *(f"({term.sql})" for term in further)]), tuple(literals))

    def _last_token(self, condition: exp.Expr) -> int:
        """The last token of a condition in an ON clause, where it ends in a column or a literal."""
        positions = [node.meta["end"] for node in condition.walk() if "end" in node.meta]
        end = max(positions, default=-1)
        return max((place for place, (start, stop) in enumerate(self._statement.printed.tokens) if start <= end < stop), default=-1)

    def _condition(self, condition: exp.Expr, equalities: list[Equality], others: list[Term]) -> None:
        if isinstance(condition, exp.EQ) and isinstance(condition.this, exp.Column) and isinstance(condition.expression, exp.Column):
            left, right = self._reader.term(condition.this), self._reader.term(condition.expression)
            if left is not None and right is not None and left.column and right.column and left.column[0] != right.column[0]:
                first, last = min(left.first, right.first), max(left.last, right.last)
                tokens = (left.last - left.first) + (right.last - right.first) + 3
                if left.first >= 0 and right.first >= 0 and last - first + 1 == tokens:
                    equalities.append(Equality(left.column, right.column, first, last))
                    return
        part = raising(condition, self._plain_types())
        if part is not None:
            raise NoBlock(f"{part} may raise, and which rows it is evaluated on depends on the plan")
        term = self._reader.term(condition)
        if term is not None:
            others.append(term)
        elif any(True for _ in condition.find_all(exp.Column)):
            raise NoBlock("a condition reads an alias of the select list")

    def _plain_types(self) -> dict[str, str]:
        types: dict[str, str] = {}
        for (_, name), kind in self._types.items():
            types[name] = kind if types.get(name, kind) == kind else ""
        return {name: kind for name, kind in types.items() if kind}

    # Expressions --------------------------------------------------------------------------------------------------

    def _call(self, node: exp.Expr) -> Call:
        function = _FUNCTIONS.get(type(node))
        first, last = self._reader.span(node)
        if function is None or first < 0:
            raise NoBlock(f"{node.sql('duckdb')} can not be put together from parts")
        argument: Any = node.this
        distinct = isinstance(argument, exp.Distinct)
        if distinct:
            if len(argument.expressions) != 1 or function != "count":
                raise NoBlock(f"{node.sql('duckdb')} can not be put together from parts")
            argument = argument.expressions[0]
        extra = [name for name, value in node.args.items() if value and name not in ("this", "big_int")]
        if extra or isinstance(argument, exp.Order | exp.Limit | exp.IgnoreNulls | exp.RespectNulls):
            raise NoBlock(f"{node.sql('duckdb')} is not understood")
        filter_ = node.parent if isinstance(node.parent, exp.Filter) else None
        condition = self._reader.term(filter_.expression.this) if filter_ is not None else None
        end = last
        if filter_ is not None:
            if condition is None or self._statement.words[last + 1].upper() != "FILTER":
                raise NoBlock("a FILTER clause is not understood")
            end = self._reader.closing(last + 2)
            part = raising(filter_.expression.this, self._plain_types())
            if part is not None:
                raise NoBlock(f"{part} may raise")
        if argument is None or isinstance(argument, exp.Star) or (function == "count" and isinstance(argument, exp.Literal)):
            if function != "count":
                raise NoBlock(f"{node.sql('duckdb')} is not understood")
            return Call("count", None, False, condition, first, last, end, False, False)
        term = self._reader.term(argument)
        if term is None:
            raise NoBlock(f"{node.sql('duckdb')} reads no column")
        if term.column is None and not distinct:
            raw = self._reader.raw(first + 2, last - 1, [term])
            term = replace(term, sql=raw, first=first + 2, last=last - 1, literals=self._literals(first + 2, last - 1))
        kind = kind_of_sum(node, self._plain_types(), frozenset(self._infos))
        if kind is Sum.UNKNOWN:
            raise NoBlock("an aggregate may overflow, or is of a type that is not understood")
        if function in ("min", "max") and any(self._types[column] in ("DOUBLE", "FLOAT") for column in term.columns()):
            raise NoBlock("which of 0.0 and -0.0 is the smallest depends on the order of rows")
        scale = self._scale(term) if function in MOMENTS else 0
        pivot = self._pivot(argument) if filter_ is None and not distinct else None
        integer = term.column is not None and self._types[term.column] in INTEGERS
        # DuckDB divides a sum by a count in a wider type than SQL has, so an average put together may differ in its last bit.
        floating = kind is Sum.FLOATING or function == "avg"
        return Call(function, term, distinct, condition, first, last, end, floating, self._nullable(term), pivot, integer, scale)

    def _scale(self, term: Term) -> int:
        """The digits behind the point of a column whose squares add up without rounding."""
        exact = width_of(self._types[term.column]) if term.column is not None else None
        if exact is None or exact[0] == "double" or exact[1] > DIGITS:
            raise NoBlock("a variance is put together of whole numbers and decimals of few digits only")
        return exact[2]

    def _pivot(self, node: exp.Expr) -> Pivot | None:
        """A CASE, or an if(), whose values are terms, or literals that count rows."""
        if isinstance(node, exp.Case):
            arms, default, operand = node.args["ifs"], node.args.get("default"), node.this
        elif isinstance(node, exp.If):
            arms, default, operand = [node], node.args.get("false"), None
        else:
            return None
        asked = [operand, *(arm.this for arm in arms)]
        if any(part is not None and raising(part, self._plain_types()) is not None for part in asked):
            return None
        conditions = [self._reader.term(part) for part in asked if part is not None]
        choices = [self._choice(value) for value in (*(arm.args["true"] for arm in arms), default) if value is not None]
        if any(choice is None for choice in choices) or not any(conditions):
            return None
        found = tuple(condition for condition in conditions if condition is not None)
        return Pivot(found, tuple(choice for choice in choices if choice is not None))

    def _choice(self, node: exp.Expr) -> Choice | None:
        if isinstance(node, exp.Null):
            return Choice(None, -1, -1, True)
        if isinstance(node, exp.Literal):
            place = self._reader.token_at(node.meta.get("start"))
            return Choice(None, place, place, False) if node.name in ("0", "1") and not node.is_string and place >= 0 else None
        term = self._reader.term(node)
        if term is None:
            return None
        first, last = self._between(node) if term.first < 0 else (term.first, term.last)
        if first < 0:
            return None
        if term.column is None:
            term = replace(
                term, sql=self._reader.raw(first, last, [term]), first=first, last=last, literals=self._literals(first, last)
            )
        return Choice(term, first, last, self._nullable(term))

    def _between(self, node: exp.Expr) -> tuple[int, int]:
        """The tokens of a value of a CASE, from the word before it to the word behind it; -1 where the text is not as expected."""
        words = self._statement.words
        places = [place for leaf in node.walk() if (place := self._reader.token_at(leaf.meta.get("start"))) >= 0]
        if not places:
            return -1, -1
        first, last = min(places), max(places)
        while first > 0 and words[first - 1].upper() not in ("THEN", "ELSE"):
            first -= 1
        while last + 1 < len(words) and words[last + 1].upper() not in ("WHEN", "ELSE", "END"):
            last += 1
        inside = [word.upper() for word in words[first : last + 1]]
        plain = not {"CASE", "WHEN", "THEN", "END"} & set(inside) and inside.count("(") == inside.count(")")
        return (first, last) if plain else (-1, -1)

    def _literals(self, first: int, last: int) -> tuple[int, ...]:
        return tuple(place for place in range(first, last + 1) if self._reader.is_folded(place))

    def _nullable(self, term: Term) -> bool:
        if term.column is None:
            return True
        for alias, info in self._infos.items():
            if self._called[alias] == term.column[0] and term.column[0] not in self._supplied:
                column = info.column(term.column[1])
                return column is None or column.nullable
        return True

    def _reads(self, distinct: bool) -> tuple[list[Term], list[Term]]:
        """What is read outside aggregates and conditions, and the keys."""
        node, keys = self._node, []
        group = node.args.get("group")
        written: list[exp.Expression] = []
        if distinct:
            keys = [item.unalias() for item in node.expressions]
        elif group is not None and group.args.get("all"):
            if node.args.get("having") is not None:
                raise NoBlock("GROUP BY ALL beside HAVING is not understood")
            keys = [item.unalias() for item in node.expressions if not item.find(exp.AggFunc)]
        elif group is not None:
            if group.args.get("totals"):
                raise NoBlock("WITH TOTALS is not understood")
            sets = [one for name in ("cube", "rollup", "grouping_sets") for one in group.args.get(name) or []]
            written = [*group.expressions, *(column for one in sets for column in one.find_all(exp.Column))]
            for key in written:
                meant = group_key(key, node, lambda name: any(i.column(name) is not None for i in self._infos.values()))
                if meant is None:
                    raise NoBlock("what it groups by is not understood")
                keys.append(meant)
        outside = [*node.expressions, *written, node.args.get("having"), node.args.get("order")]
        reads = [term for part in outside if part is not None for term in self._outside(part)]
        return reads, [term for key in keys if (term := self._reader.term(key)) is not None]

    def _outside(self, node: exp.Expr) -> Iterator[Term]:
        """The terms of an expression that lie outside aggregates."""
        if isinstance(node, exp.Filter | exp.Query) or (isinstance(node, exp.AggFunc) and not isinstance(node, exp.Grouping)):
            return
        if not any(not isinstance(call, exp.Grouping) for call in node.find_all(exp.AggFunc)):
            term = self._reader.term(node)
            if term is not None:
                yield term
            return
        for child in node.iter_expressions():
            if isinstance(child, exp.Expr):
                yield from self._outside(child)

    def _keep_types(self, keys: Sequence[Term], filters: Sequence[Term], reads: Sequence[Term], calls: Sequence[Call]) -> None:
        """Values that are equal and yet look different can not be told apart by a group."""
        outside = [*keys, *filters, *reads, *(call.condition for call in calls if call.condition is not None)]
        outside += [call.argument for call in calls if call.argument is not None and call.distinct]
        for term in outside:
            for column in term.columns():
                kind = self._types[column]
                if kind not in _KEY_TYPES and not kind.startswith(("DECIMAL", "ENUM")):
                    raise NoBlock(f"its column {column[1]} is of a type whose equal values may look different")
        for info in self._infos.values():
            if any(column.collated for column in info.columns):
                raise NoBlock("a table has collated columns")

    def _items(self, span: Clauses) -> Iterator[Item]:
        """The output columns that have no name of their own."""
        for item, (first, last) in zip(self._node.expressions, span.items, strict=True):
            if isinstance(item, exp.Alias):
                continue
            if isinstance(item, exp.Column):
                column = self._column(item)
                if column is None:
                    raise NoBlock("an output column is an alias")
                yield Item(first, last, self._spelled(column))
            elif item.find(exp.Placeholder, exp.Parameter):
                raise NoBlock("the name of an output column depends on where its parameters stand in the statement")
            else:
                yield Item(first, last, "")

    def _spelled(self, column: ColumnOf) -> str:
        """A column's name as the catalog spells it."""
        for alias, info in self._infos.items():
            found = info.column(column[1]) if self._called[alias] == column[0] else None
            if found is not None:
                return found.name
        raise NoBlock("a column is gone")


def last_bits_decide(node: exp.Select, risky: Sequence[exp.Expr], *, exact_values: bool) -> bool:
    """Whether the last bit of these aggregates may decide anything: they have to go straight to the output.

    Args:
        exact_values: the output is used further.
    """
    if not risky:
        return False
    order = node.args.get("order")
    ordered = [item.this for item in order.expressions] if order is not None else []
    outputs = {text(call) for call in risky}
    named = {item.alias.lower() for item in node.expressions if isinstance(item, exp.Alias) and text(item.this) in outputs}
    places = {str(number + 1) for number, item in enumerate(node.expressions) if item.find(exp.AggFunc)}
    by_name = any(
        (isinstance(key, exp.Column) and key.name.lower() in named) or (isinstance(key, exp.Literal) and key.name in places)
        for key in ordered
    )
    if exact_values or by_name or node.args.get("distinct") or any(isinstance(key, exp.Var) for key in ordered):
        return True
    for call in risky:
        parent = call.parent
        while isinstance(parent, exp.Filter | exp.Alias | exp.Paren):
            parent = parent.parent
        if parent is not node:
            return True
    return False


def _name(info: TableInfo) -> TableName:
    assert isinstance(info.source, TableName)
    return info.source
