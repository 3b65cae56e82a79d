"""The walk over a statement's blocks: which references stand where, and what the answer needs of their row order.

A block is one SELECT. `Need` travels from the outside in: what whoever reads a block's rows needs of their order.

- FREE: any order.
- INSERTION: the order matters as far as DuckDB defines it: selections come in the order of the table; the order of groups is
  not defined, so below a grouping nothing is needed.
- EXACT: the very sequence decides the answer (LIMIT, or ORDER BY with ties over groups), so below a grouping
  the groups must appear in the same sequence too. DuckDB appends groups as they first appear as long as its hash table is not
  restarted, so this is served only for one table and a bounded number of groups (MAXIMAL_GROUPS).
- CHUNKED: ORDER BY with ties. DuckDB's sort is not stable, and how it leaves ties depends on the chunks in which rows come; with
  LIMIT it finds the first rows of a base table by their row ids and sorts them again. So ties of a selection come in another
  order than from a replacement, and it is not served. Groups come in the same sequence and chunks still.

Over 500 lines, for it is one recursive walk: its parts call each other, and apart each would need all the others' state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import pairwise
from typing import Any

from sqlglot import exp

from sartor.core.analysis import Reference, RowOrder, WantedKey
from sartor.core.block import ColumnOf, Compared, Operand
from sartor.core.constants import MAXIMAL_GROUPS
from sartor.core.predicate import HIDDEN_FROM_ZONE_MAPS, JoinEdge, Operator
from sartor.core.table import Catalog, FileScan, TableInfo
from sartor.sql.algebra.compared import compared
from sartor.sql.algebra.terms import Reader
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.floats import Sum, aggregates, kind_of_sum, passes_through
from sartor.sql.keys import UNBOUND, group_key, has_grouping_sets, order_key, text
from sartor.sql.places import place_of
from sartor.sql.predicates import compare_alike, conjuncts, join_edge, only_inner, operator_of, predicate
from sartor.sql.raising import raising
from sartor.sql.total_order import totality
from sartor.sql.written import written

_IN_SCAN = frozenset(Operator) - {Operator.IN, Operator.LIKE, Operator.OTHER}
_ALONE = 2  # one condition and one table: whatever it raises on, it is evaluated on


class Refused(Exception):
    """Nothing in the statement may be replaced; the message says why."""


class Need(IntEnum):
    """What a reader needs of the order of rows."""

    FREE = 0
    INSERTION = 1
    EXACT = 2
    CHUNKED = 3


@dataclass(slots=True)
class BaseTable:
    """A base table in a FROM clause, until all its columns are known."""

    info: TableInfo
    alias: str
    first_token: int
    last_token: int
    written: str
    need: Need
    refusal: str | None
    columns: set[str] = field(default_factory=set)
    predicates: list[Any] = field(default_factory=list)
    group_keys: set[str] = field(default_factory=set)
    sequence: bool = False
    compared: list[Compared] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """One SELECT with the base tables of its FROM clause and the names of what else stands there."""

    outer: Block | None
    need: Need = Need.FREE
    tables: list[BaseTable] = field(default_factory=list)
    others: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Named:
    """A common table expression: visited when everything that reads it has been."""

    query: exp.Expression
    outer: Block | None
    visible: dict[str, Named]
    need: Need = Need.FREE
    exact_values: bool = False
    read: bool = False


class Walk:
    """Walks one statement and gathers its references; raises Refused."""

    def __init__(
        self, catalog: Catalog, printed: Fingerprint, words: tuple[str, ...], scans: Mapping[str, FileScan], *, thorough: bool = False
    ) -> None:
        self._thorough = thorough
        self._catalog = catalog
        self._scans = scans
        self._printed = printed
        self._words = words
        self._tables: list[BaseTable] = []
        self._edges: list[tuple[BaseTable, str, BaseTable, str, bool]] = []
        self._blocks = 0
        self.references: list[Reference] = []
        self.joins: list[JoinEdge] = []
        self.facts: set[int] = set()
        self.wanted: list[WantedKey] = []
        self.operands: set[Operand] = set()

    def statement(self, tree: exp.Expression) -> None:
        self._blocks = sum(1 for _ in tree.find_all(exp.Select))
        self._query(tree, None, {}, Need.INSERTION, exact_values=False)
        self._tables.sort(key=lambda table: table.first_token)
        self.references = [_reference(table) for table in self._tables]
        place = {id(table): number for number, table in enumerate(self._tables)}
        self.joins = [JoinEdge(place[id(a)], x, place[id(b)], y, inner) for a, x, b, y, inner in self._edges]

    # Queries ------------------------------------------------------------------------------------------------------

    def _query(
        self,
        node: exp.Expression,
        outer: Block | None,
        visible: dict[str, Named],
        need: Need,
        *,
        exact_values: bool,
    ) -> None:
        """Visit a query; with `exact_values` its floating-point results must not differ in the last bit."""
        named: list[Named] = []
        with_ = node.args.get("with_")
        if with_ is not None:
            visible = dict(visible)
            for cte in with_.expressions:
                if cte.args["alias"].args.get("columns"):
                    raise Refused("a common table expression renames its columns")
                item = Named(cte.this, outer, dict(visible))
                visible[cte.alias.lower()] = item
                named.append(item)
        match node:
            case exp.Subquery():
                self._wrapped(node, outer, visible, need, exact_values)
            case exp.SetOperation():
                self._set_operation(node, outer, visible, need, exact_values)
            case exp.Select():
                self._select(node, outer, visible, need, exact_values)
            case _:
                raise Refused(f"a query of kind {type(node).__name__} is not understood")
        for item in reversed(named):
            if item.read:
                self._query(item.query, item.outer, item.visible, item.need, exact_values=item.exact_values)
            elif any(True for _ in item.query.find_all(exp.Table)):
                self._query(item.query, item.outer, item.visible, Need.FREE, exact_values=True)

    def _wrapped(
        self,
        node: exp.Subquery,
        outer: Block | None,
        visible: dict[str, Named],
        need: Need,
        exact_values: bool,
    ) -> None:
        if node.args.get("order") or node.args.get("limit") or node.args.get("offset"):
            need, exact_values = Need.CHUNKED, True
        if isinstance(node.this, exp.Table):
            raise Refused("it joins tables in parentheses")
        self._query(node.this, outer, visible, need, exact_values=exact_values)

    def _set_operation(
        self,
        node: exp.SetOperation,
        outer: Block | None,
        visible: dict[str, Named],
        need: Need,
        exact_values: bool,
    ) -> None:
        ordered = bool(node.args.get("order"))
        limited = bool(node.args.get("limit") or node.args.get("offset"))
        if ordered or limited:
            sorted_only = Need.FREE if need is Need.FREE else Need.EXACT
            need = Need.CHUNKED if ordered and limited else Need.EXACT if limited else sorted_only
            exact_values = True
        if not (isinstance(node, exp.Union) and node.args.get("distinct") is False):
            if need >= Need.EXACT:
                raise Refused("the order of a set operation's rows decides the answer")
            need, exact_values = Need.FREE, True
        for side in (node.this, node.expression):
            self._query(side, outer, visible, need, exact_values=exact_values)

    # One SELECT ---------------------------------------------------------------------------------------------------

    def _select(self, node: exp.Select, outer: Block | None, visible: dict[str, Named], need: Need, exact_values: bool) -> None:
        if node.args.get("distinct") is not None and node.args["distinct"].args.get("on"):
            raise Refused("it uses DISTINCT ON")
        block = Block(outer)
        if any(not isinstance(item, exp.Alias) and item.find(exp.Query) for item in node.expressions):
            raise Refused("a query inside it gives its own text to a column as a name")
        sources = _sources(node)
        joins = node.args.get("joins") or []
        grouped = bool(node.args.get("group")) or bool(node.args.get("distinct"))
        summed = aggregates(node)
        inner = self._inner_need(node, need, visible)
        if not grouped and summed:
            inner = Need.FREE  # one row
        elif grouped and inner is Need.INSERTION:
            inner = Need.FREE  # the order of groups is not defined
        elif grouped and inner is Need.CHUNKED:
            inner = Need.EXACT
        if inner is not Need.FREE and len(sources) > 1:
            raise Refused("the order of a join's rows, which its plan decides, is the order of the answer")
        block.need = inner
        through = passes_through(node)
        for source in sources:
            self._source(source, block, visible, inner, exact_values or not through)
        if inner is Need.EXACT and grouped:
            self._bound_groups(node, block, visible)
            self._keep_scan_order(node, block)
        if summed:
            self._keep_sums(node, block, exact_values)
        if inner is Need.CHUNKED:
            self._refuse(block, "ORDER BY with LIMIT leaves ties, and only a base table breaks them as plain does")
        self._keep_errors(node, block, len(sources), need)
        self._tables += block.tables
        self._expressions(node, block, visible)
        self._conditions(node, block, joins)

    def _inner_need(self, node: exp.Select, need: Need, visible: dict[str, Named]) -> Need:
        ordered, limited = node.args.get("order"), node.args.get("limit") or node.args.get("offset")
        if ordered is not None and self._total(node, visible):
            return Need.FREE
        if limited is not None:
            return Need.EXACT if ordered is None and need is not Need.CHUNKED else Need.CHUNKED
        if ordered is not None:
            return Need.FREE if need is Need.FREE else Need.CHUNKED
        return need

    def _total(self, node: exp.Select, visible: dict[str, Named]) -> bool:
        """Whether ORDER BY leaves no ties: it names all group keys, or a unique key of every table."""
        order = [order_key(item.this, node) for item in node.args["order"].expressions]
        texts = {text(key) for key in order} - {UNBOUND}
        if node.args.get("distinct"):
            return {text(item.unalias()) for item in node.expressions} <= texts
        group = node.args.get("group")
        if group is None:
            return self._ordered_by_unique_keys(node, order, visible)
        if has_grouping_sets(group):
            return False
        return {text(key) for key in self._group_keys(node, visible)} <= texts

    def _ordered_by_unique_keys(self, node: exp.Select, order: list[exp.Expression | None], visible: dict[str, Named]) -> bool:
        named = [(source.alias_or_name.lower(), self._base(source, visible)) for source in _sources(node)]
        sources = [(alias, info) for alias, info in named if info is not None]
        if len(sources) < len(named):
            return False
        found = totality(node, order, sources)
        self.facts |= found.facts
        self.wanted += found.wanted
        return found.total

    def _base(self, source: exp.Expression, visible: dict[str, Named]) -> TableInfo | None:
        """The base table that a FROM item is, or None for anything else."""
        if not isinstance(source, exp.Table) or not isinstance(source.this, exp.Identifier):
            return None
        parts = tuple(part.name for part in source.parts)
        return None if len(parts) == 1 and parts[0].lower() in visible else self._resolve(parts)

    def _resolve(self, parts: tuple[str, ...]) -> TableInfo | None:
        """The table or the scan of files that a name means; a table of a path's name comes before the file."""
        scan = self._scans.get(parts[0])
        if scan is None:
            return self._catalog.resolve(parts)
        return self._catalog.info(scan) if not self._catalog.has_name(scan.pattern) else None

    def _group_keys(self, node: exp.Select, visible: dict[str, Named]) -> list[exp.Expression | None]:
        """What a block groups by, DISTINCT included; None for a key that is not known."""
        group = node.args.get("group")
        if group is None or group.args.get("all"):
            plain = [item.unalias() for item in node.expressions if not item.find(exp.AggFunc)]
            return [None if item.find(exp.Star) else item for item in plain]
        infos = [self._base(source, visible) for source in _sources(node)]

        def has_column(name: str) -> bool | None:
            known = [info for info in infos if info is not None]
            if any(info.column(name) is not None for info in known):
                return True
            return False if len(known) == len(infos) else None

        return [group_key(key, node, has_column) for key in group.expressions]

    def _bound_groups(self, node: exp.Select, block: Block, visible: dict[str, Named]) -> None:
        """Groups come in the same sequence only from a base table, and only while their number is bounded."""
        if not block.tables:
            raise Refused("the sequence of a derived table's groups decides the answer")
        table = block.tables[0]
        group = node.args.get("group")
        if group is not None and has_grouping_sets(group):
            self._refuse(block, "the sequence of grouping sets decides the answer")
            return
        bound = 1
        names: set[str] = set()
        for key in self._group_keys(node, visible):
            if key is None:
                self._refuse(block, "the number of its groups is not known")
                return
            names |= {column.name.lower() for column in key.find_all(exp.Column)}
        for name in names:
            bound *= table.info.distinct.get(name, int(MAXIMAL_GROUPS.default) + 1) + 1
        if bound > MAXIMAL_GROUPS.default:
            self._refuse(block, "it has too many groups for their sequence to be kept")
        table.sequence = True

    def _keep_scan_order(self, node: exp.Select, block: Block) -> None:
        """Refuse a sequence of groups whose rows go through a filter behind the scan.

        Below a grouping such a filter holds back chunks that have become small, so that rows come in another order than the
        table's. Comparisons with values are done within the scan; of the rest some are, and some are not.
        """
        conditions = list(conjuncts(node.args.get("where")))
        conditions += [condition for condition in conjuncts(node.args.get("having")) if not condition.find(exp.AggFunc)]
        outer = node.find_ancestor(exp.Select)
        while outer is not None:
            conditions += conjuncts(outer.args.get("where"))
            outer = outer.find_ancestor(exp.Select)
        behind = [condition for condition in conditions if operator_of(condition) not in _IN_SCAN]
        if behind:
            self._refuse(block, f"the sequence of its groups decides the answer, and the scan may not do {behind[0].sql('duckdb')}")

    def _keep_sums(self, node: exp.Select, block: Block, exact_values: bool) -> None:
        """Refuse what would let the last bit of a floating-point aggregate decide anything.

        Feeding rows in the base table's order is not enough: of a constant vector DuckDB adds the product.
        """
        types = _types(block)
        tables = frozenset(table.alias for table in block.tables)
        kinds = [(call, kind_of_sum(call, types, tables)) for call in aggregates(node)]
        reason = None
        if any(kind is Sum.UNKNOWN for _, kind in kinds):
            reason = "an aggregate may overflow, or is of a type that is not understood"
        risky = [call for call, kind in kinds if kind is Sum.FLOATING]
        order = node.args.get("order")
        ordered = [order_key(item.this, node) for item in order.expressions] if order is not None else []
        if risky and (
            exact_values
            or node.args.get("distinct")
            or not all(_is_output(call, node) for call in risky)
            or any(key is None or text(call) in text(key) for call in risky for key in ordered)
            or any(isinstance(key, exp.Var) for key in ordered)
        ):
            reason = "the last bit of a floating-point aggregate decides the answer"
        if reason is not None:
            if not block.tables:
                raise Refused(reason)
            self._refuse(block, reason)

    def _keep_errors(self, node: exp.Select, block: Block, sources: int, need: Need) -> None:
        """Refuse what might raise on rows that plain does not look at, or not raise on rows that it does."""
        types = _types(block)
        aliases = {item.alias.lower(): item.this for item in node.expressions if isinstance(item, exp.Alias)}
        conditions = list(conjuncts(node.args.get("where")))
        for join in node.args.get("joins") or []:
            conditions += conjuncts(join.args.get("on"))
        among = len(conditions) + sources > _ALONE or self._blocks > 1
        for condition in conditions if among else ():
            used = [aliases.get(column.name.lower()) for column in condition.find_all(exp.Column) if not column.table]
            for expression in (condition, *(item for item in used if item is not None)):
                part = raising(expression, types)
                if part is not None:
                    self._refuse_all(block, f"{part} may raise, and which rows it is evaluated on depends on the plan")
        grouped = node.args.get("group") or node.args.get("distinct") or aggregates(node)
        limited = not grouped and (need >= Need.EXACT or node.args.get("limit") or node.args.get("offset"))
        if limited or self._filtered_later(node):
            for item in node.expressions:
                part = raising(item, types)
                if part is not None and not item.find(exp.AggFunc):
                    self._refuse_all(block, f"{part} may raise, and on how many rows it is evaluated depends on the plan")

    def _filtered_later(self, node: exp.Select) -> bool:
        """Whether a query around this block filters or joins its rows."""
        outer = node.find_ancestor(exp.Select)
        while outer is not None:
            if outer.args.get("where") or outer.args.get("joins") or outer.args.get("limit"):
                return True
            outer = outer.find_ancestor(exp.Select)
        return False

    def _refuse_all(self, block: Block, reason: str) -> None:
        if not block.tables:
            raise Refused(reason)
        self._refuse(block, reason)

    def _refuse(self, block: Block, reason: str) -> None:
        for table in block.tables:
            table.refusal = table.refusal or reason

    # FROM ---------------------------------------------------------------------------------------------------------

    def _source(self, node: exp.Expression, block: Block, visible: dict[str, Named], need: Need, exact_values: bool) -> None:
        """Take in one FROM item."""
        match node:
            case exp.Subquery():
                if node.args.get("pivots") or node.args.get("sample"):
                    raise Refused("it pivots or samples a derived table")
                block.others.add(node.alias.lower())
                self._query(node, block.outer, visible, need, exact_values=exact_values)
            case exp.Table():
                self._table(node, block, visible, need, exact_values)
            case _:
                raise Refused(f"a FROM item of kind {type(node).__name__} is not understood")

    def _table(self, node: exp.Table, block: Block, visible: dict[str, Named], need: Need, exact_values: bool) -> None:
        extra = [name for name, value in node.args.items() if value and name not in ("this", "db", "catalog", "alias")]
        if extra:
            raise Refused(f"a FROM item has {extra[0]}, which is not understood")
        if not isinstance(node.this, exp.Identifier):
            raise Refused("it reads a table function")
        parts = tuple(part.name for part in node.parts)
        named = visible.get(parts[0].lower()) if len(parts) == 1 else None
        if named is not None:
            block.others.add(node.alias_or_name.lower())
            named.read = True
            named.need = max(named.need, need)
            named.exact_values |= exact_values
            return
        info = self._resolve(parts)
        place = place_of(node, self._printed, self._words)
        if info is None or place is None:
            block.others.add(node.alias_or_name.lower())
            return
        first, last, written = place
        block.tables.append(BaseTable(info, node.alias_or_name.lower(), first, last, written, need, _never(info, node)))

    # Names --------------------------------------------------------------------------------------------------------

    def _expressions(self, node: exp.Select, block: Block, visible: dict[str, Named]) -> None:
        """Note every column that the block's own expressions read, and visit the queries inside them."""
        for item in _own(node):
            match item:
                case exp.Column() if isinstance(item.this, exp.Star):
                    self._star(block, item.table.lower())
                case exp.Column():
                    self._column(item, block)
                case exp.Star() if not isinstance(item.parent, exp.Column | exp.Count):
                    self._star(block, "")
                case exp.Select() | exp.SetOperation():
                    self._nested(item, block, visible)
        for join in node.args.get("joins") or []:
            for name in join.args.get("using") or []:
                self._bare(name.name.lower(), block)
        for key in self._group_keys(node, visible) if node.args.get("group") is not None else []:
            for column in key.find_all(exp.Column) if key is not None else ():
                for table in block.tables:
                    if table.info.column(column.name) is not None and column.table.lower() in (
                        "",
                        table.alias,
                    ):
                        table.group_keys.add(column.name.lower())

    def _nested(self, query: exp.Expression, block: Block, visible: dict[str, Named]) -> None:
        """A query inside an expression: a set, a test for existence, or a single value.

        It becomes a join, and the plan decides in which order a join hands out its rows.
        """
        if block.need is not Need.FREE:
            raise Refused("the order of its rows depends on how a query inside it is planned")
        parent = query.parent
        while isinstance(parent, exp.Subquery | exp.Paren):
            parent = parent.parent
        as_set = isinstance(parent, exp.In | exp.Exists | exp.Any | exp.All)
        if any(True for _ in query.find_all(exp.Limit, exp.Offset)):
            raise Refused("a query inside an expression keeps some rows only")
        if not as_set and not (isinstance(query, exp.Select) and aggregates(query) and not query.args.get("group")):
            raise Refused("a query inside an expression is not known to give one row")
        self._query(query, block, visible, Need.FREE, exact_values=True)

    def _star(self, block: Block, alias: str) -> None:
        for table in block.tables:
            if alias in ("", table.alias):
                table.columns |= {column.name.lower() for column in table.info.columns}

    def _column(self, column: exp.Column, block: Block) -> None:
        if column.args.get("db") or column.args.get("catalog"):
            raise Refused(f"a column is qualified with more than a table: {column.sql()}")
        name, alias = column.name.lower(), column.table.lower()
        if name == "rowid":
            raise Refused("it reads the row id")
        if not alias:
            self._bare(name, block)
            return
        scope: Block | None = block
        while scope is not None:
            for table in scope.tables:
                if table.alias == alias:
                    if table.info.column(name) is None:
                        raise Refused(f"{column.sql()} is not a column")
                    table.columns.add(name)
                    return
            if alias in scope.others:
                return
            scope = scope.outer
        if not self._bare(alias, block):
            raise Refused(f"{column.sql()} is not understood")

    def _bare(self, name: str, block: Block) -> bool:
        """Note an unqualified name as read of every table in sight that has it: more than is read does no harm."""
        found = False
        scope: Block | None = block
        while scope is not None:
            for table in scope.tables:
                if table.info.column(name) is not None:
                    table.columns.add(name)
                    found = True
                elif table.alias == name and not found:
                    raise Refused(f"{name} is read as a whole row")
            scope = scope.outer
        return found

    # Conditions ---------------------------------------------------------------------------------------------------

    def _conditions(self, node: exp.Select, block: Block, joins: list[exp.Join]) -> None:
        conditions = list(conjuncts(node.args.get("where")))
        in_where, inner = len(conditions), only_inner(node)
        for join in joins:
            if join.args.get("on") is not None and not join.side:
                conditions += conjuncts(join.args["on"])
            for name in join.args.get("using") or []:
                self._edges_of_using(name.name, block, inner)
        for number, condition in enumerate(conditions):
            edge = join_edge(condition, block.tables)
            if edge is not None:
                (left, left_column), (right, right_column) = edge
                self._edge(left, left_column, right, right_column, inner)
                continue
            found = predicate(condition, block.tables, sole=not block.others)
            if found is not None:
                table, made = found
                if number < in_where:
                    comparisons = self._compared(condition, table.info)
                    self.operands |= {one.operand for one in comparisons}
                    if inner and not block.others:
                        table.compared += comparisons
                joined = self._thorough or (inner and len(block.tables) > 1)
                stored = self._catalog.has_layouts and (joined or made.operator in HIDDEN_FROM_ZONE_MAPS)
                if number < in_where and stored:
                    where = written(node, condition, table.info, table.alias, self._printed, self._words)
                    made = replace(made, written=where)
                table.predicates.append(made)

    def _compared(self, condition: exp.Expression, info: TableInfo) -> list[Compared]:
        """What a condition on one table compares a column with."""

        def resolve(node: exp.Column) -> ColumnOf | None:
            column = info.column(node.name)
            return ("", column.name) if column is not None else None

        types = {("", column.name): column.type.upper() for column in info.columns}
        return list(compared(condition, Reader(self._printed, self._words, "", resolve, types), self._words))

    def _edges_of_using(self, name: str, block: Block, inner: bool) -> None:
        having = [table for table in block.tables if table.info.column(name) is not None]
        for left, right in pairwise(having):
            self._edge(left, name, right, name, inner and not having[2:] and not block.others)

    def _edge(self, left: BaseTable, left_column: str, right: BaseTable, right_column: str, inner: bool) -> None:
        one, other = left.info.column(left_column), right.info.column(right_column)
        inner = inner and one is not None and other is not None and compare_alike(one.type, other.type)
        self._edges.append((left, one.name if one else left_column, right, other.name if other else right_column, inner))


def _reference(table: BaseTable) -> Reference:
    names = tuple(column.name for column in table.info.columns if column.name.lower() in table.columns)
    keys = tuple(column.name for column in table.info.columns if column.name.lower() in table.group_keys)
    return Reference(
        source=table.info.source,
        columns=names,
        predicates=tuple(table.predicates),
        order=RowOrder.FREE if table.need is Need.FREE else RowOrder.BASE,
        refusal=table.refusal or _ambiguous_values(table),
        first_token=table.first_token,
        last_token=table.last_token,
        alias=table.written,
        group_keys=keys,
        sequence=table.sequence,
        compared=() if table.sequence else tuple(table.compared),
    )


def _ambiguous_values(table: BaseTable) -> str | None:
    """Intervals and times with a zone may be equal and yet look different; which one a group shows depends on the order."""
    for column in table.info.columns:
        kind = column.type.upper()
        if column.name.lower() in table.columns and ("INTERVAL" in kind or "TIME WITH TIME ZONE" in kind):
            return f"equal values of its column {column.name} may look different"
    return None


def _never(info: TableInfo, node: exp.Table) -> str | None:
    """Why a table is never replaced, whatever the statement."""
    if info.has_rowid_column:
        return "a column named rowid hides the row id"
    if info.has_generated:
        return "it has generated columns"
    if info.has_triggers:
        return "the database has triggers"
    if any(column.collated for column in info.columns):
        return "it has collated columns"
    alias = node.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return "its columns are renamed"
    return None


def _own(node: exp.Select) -> list[exp.Expression]:
    """The nodes of a block's own expressions; a query inside them is given but not entered."""
    found: list[exp.Expression] = []
    pending: list[Any] = []
    for name, value in node.args.items():
        if name in ("from_", "with_"):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, exp.Join):
                pending += [item.args["on"]] if item.args.get("on") is not None else []
            elif isinstance(item, exp.Expression):
                pending.append(item)
    while pending:
        item = pending.pop()
        found.append(item)
        if isinstance(item, exp.Select | exp.SetOperation):
            continue
        if isinstance(item, exp.Column):
            if isinstance(item.this, exp.Star):
                pending += list(item.this.iter_expressions())
            continue
        pending += list(item.iter_expressions())
    return found


def _sources(node: exp.Select) -> list[exp.Expression]:
    """The FROM items of a block."""
    first = [node.args["from_"].this] if node.args.get("from_") else []
    return first + [join.this for join in node.args.get("joins") or []]


def _types(block: Block) -> dict[str, str]:
    """The types of the block's columns by lower-case name, those left out that another table has with another type."""
    types: dict[str, str] = {}
    for table in block.tables:
        for column in table.info.columns:
            name = column.name.lower()
            types[name] = column.type if types.get(name, column.type) == column.type else ""
    return {name: kind for name, kind in types.items() if kind}


def _is_output(call: exp.Expression, node: exp.Select) -> bool:
    """Whether an aggregate is itself an output column of its block, under an alias or a filter at most."""
    parent = call.parent
    while isinstance(parent, exp.Filter | exp.Alias | exp.Paren):
        parent = parent.parent
    return parent is node
