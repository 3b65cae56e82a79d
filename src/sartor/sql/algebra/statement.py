"""The blocks of a statement that views may answer: outermost, in common table expressions, below FROM, in UNION ALL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from sartor.core.analysis import WantedKey
from sartor.core.block import Order, QueryBlock, Ranking
from sartor.core.table import TableInfo
from sartor.sql.algebra.queries import queries
from sartor.sql.algebra.select import INEXACT, NoBlock, Statement, last_bits_decide, read_block
from sartor.sql.algebra.tokens import clauses, ranking, without_alias
from sartor.sql.floats import aggregates, passes_through
from sartor.sql.keys import UNBOUND, HasColumn, group_key, has_grouping_sets, order_key, text
from sartor.sql.total_order import Totality, totality


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a statement holds.

    Attributes:
        found: the blocks, outermost first.
        ranking: of the statement's own ORDER BY, where it may leave ties.
        reasons: why other SELECTs are none.
        wanted: keys by which its ORDER BY would leave none, if they were verified.
    """

    found: tuple[QueryBlock, ...] = ()
    ranking: Ranking | None = None
    reasons: tuple[str, ...] = ()
    wanted: tuple[WantedKey, ...] = ()


@dataclass(slots=True)
class _Walk:
    statement: Statement
    found: list[QueryBlock] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    ranking: Ranking | None = None
    wanted: tuple[WantedKey, ...] = ()


def blocks(tree: exp.Expr, statement: Statement) -> Blocks:
    """The blocks of a statement; never raises.

    A block may be replaced if it hands out the same rows in any order, so what stands around it must not look at the order of
    its rows: no LIMIT without ORDER BY, and below an ORDER BY that may leave ties it is to be looked whether it does.
    """
    walk = _Walk(statement)
    match tree:
        case exp.Select():
            _outermost(tree, walk)
        case exp.Subquery() if not _ordered(tree) and isinstance(tree.this, exp.Select):
            _outermost(tree.this, walk)
        case exp.SetOperation() if tree.args.get("with_") is None and not _ordered(tree):
            only_appended = isinstance(tree, exp.Union) and tree.args.get("distinct") is False
            for side in (tree.this, tree.expression):
                if only_appended and isinstance(side, exp.Select) and not _ordered(side):
                    _select(side, walk, frozenset(), Order.FREE, exact_values=False)
                else:
                    _within(side, walk, frozenset())
        case _:
            walk.reasons.append("its outermost query is neither a SELECT nor a set operation without order")
    return Blocks(tuple(walk.found), walk.ranking, tuple(walk.reasons), walk.wanted)


def _outermost(node: exp.Select, walk: _Walk) -> None:
    order = Order.FREE
    limited = node.args.get("limit") is not None or node.args.get("offset") is not None
    if node.args.get("order") is not None:
        found = _totality(node, walk.statement)
        walk.wanted = found.wanted
        if not found.total or found.facts:
            walk.ranking = _ranking(node, walk.statement, found.facts)
            order = Order.TIES
            if walk.ranking is None:
                walk.reasons.append("whether its ORDER BY leaves ties can not be looked at")
                return
    elif limited:
        walk.reasons.append("LIMIT without ORDER BY shows what comes first")
        return
    _select(node, walk, frozenset(), order, exact_values=False)


def _select(node: exp.Select, walk: _Walk, hidden: frozenset[str], order: Order, *, exact_values: bool) -> None:
    """A SELECT whose rows may come in any order, or in one that is looked at."""
    named = hidden | _names(node)
    try:
        walk.found.append(read_block(node, walk.statement, named, order, exact_values=exact_values))
    except NoBlock as reason:
        walk.reasons.append(str(reason))
        _inside(node, walk, hidden, order)
    else:
        for query in queries(node):
            _within(query, walk, named, order)


def _inside(node: exp.Select, walk: _Walk, hidden: frozenset[str], order: Order) -> None:
    """The queries inside a SELECT that is no block itself."""
    sources = _sources(node)
    named = hidden | _names(node)
    gathers = bool(node.args.get("group") or node.args.get("distinct") or aggregates(node))
    derived = all(_is_derived(source, named) for source in sources)
    if not gathers and order is Order.FREE and not (derived and len(sources) == 1) and not node.args.get("order"):
        walk.reasons.append("the order of its rows depends on the plan")
        return
    if last_bits_decide(node, [call for call in aggregates(node) if isinstance(call, INEXACT)], exact_values=False):
        walk.reasons.append("the last bit of an aggregate over it may decide the answer")
        return
    with_ = node.args.get("with_")
    known = set(hidden)
    for item in with_.expressions if with_ is not None else ():
        if item.args["alias"].args.get("columns"):
            return
        _within(item.this, walk, frozenset(known), order)
        known.add(item.alias.lower())
    for query in (*queries(node), *(source for source in sources if isinstance(source, exp.Subquery))):
        _within(query, walk, named, order, exact_values=not passes_through(node) or order is not Order.FREE)


def _within(node: exp.Expr, walk: _Walk, hidden: frozenset[str], order: Order = Order.FREE, *, exact_values: bool = True) -> None:
    """A query inside another: its rows may come in any order, and are used further unless the other hands them on as they are."""
    match node:
        case exp.Subquery():
            if not (_ordered(node) or node.args.get("pivots") or node.args.get("sample")):
                _within(node.this, walk, hidden, order, exact_values=exact_values)
        case exp.SetOperation() if node.args.get("with_") is None and not _ordered(node):
            _within(node.this, walk, hidden, order)
            _within(node.expression, walk, hidden, order)
        case exp.Select():
            if _ordered(node):
                walk.reasons.append("a query inside it is ordered or limited")
            else:
                _select(node, walk, hidden, order, exact_values=exact_values)
        case _:
            walk.reasons.append("a query inside it is not understood")


def _sources(node: exp.Select) -> list[exp.Expr]:
    """The FROM items of a SELECT."""
    first = [node.args["from_"].this] if node.args.get("from_") else []
    return first + [join.this for join in node.args.get("joins") or []]


def _names(node: exp.Select) -> frozenset[str]:
    with_ = node.args.get("with_")
    return frozenset(item.alias.lower() for item in with_.expressions) if with_ is not None else frozenset()


def _is_derived(source: exp.Expr, named: frozenset[str]) -> bool:
    if isinstance(source, exp.Subquery):
        return True
    return isinstance(source, exp.Table) and len(source.parts) == 1 and source.name.lower() in named


def _ordered(node: exp.Expr) -> bool:
    return any(node.args.get(name) is not None for name in ("order", "limit", "offset"))


def _totality(node: exp.Select, statement: Statement) -> Totality:
    """Whether ORDER BY leaves no ties: it names every key of a grouping, or what all of them follow from."""
    if [item.this.name.upper() for item in node.args["order"].expressions if isinstance(item.this, exp.Var | exp.Column)] == ["ALL"]:
        return Totality(True)  # by all output columns: rows that are equal in them are the same
    order = [order_key(item.this, node) for item in node.args["order"].expressions]
    texts = {text(key) for key in order} - {UNBOUND}
    if node.args.get("distinct"):
        return Totality({text(item.unalias()) for item in node.expressions} <= texts)
    group = node.args.get("group")
    if group is None:
        return Totality(bool(aggregates(node)))  # one row
    if group.args.get("all") or has_grouping_sets(group):
        return Totality(False)
    bases = _bases(node, statement)
    keys = [group_key(key, node, _has_column(bases)) for key in group.expressions]
    others = [key for key in keys if key is None or text(key) not in texts]
    known = [(alias, info) for alias, info in bases if info is not None]
    if not others:
        return Totality(True)
    return totality(node, order, known, others) if None not in others and len(known) == len(bases) else Totality(False)


def _bases(node: exp.Select, statement: Statement) -> list[tuple[str, TableInfo | None]]:
    """The alias of each FROM item, in lower case, and the base table that it is; None for anything else."""
    hidden = _names(node)
    found: list[tuple[str, TableInfo | None]] = []
    for source in _sources(node):
        parts = tuple(part.name for part in source.parts) if isinstance(source, exp.Table) else ()
        is_base = bool(parts) and not (len(parts) == 1 and source.name.lower() in hidden)
        found.append((source.alias_or_name.lower(), statement.catalog.resolve(parts) if is_base else None))
    return found


def _has_column(bases: Sequence[tuple[str, TableInfo | None]]) -> HasColumn:
    """Whether a table of the FROM clause has a column; None where that is not known."""
    infos = [info for _, info in bases]

    def has_column(name: str) -> bool | None:
        if any(info is not None and info.column(name) is not None for info in infos):
            return True
        return None if None in infos else False

    return has_column


def _ranking(node: exp.Select, statement: Statement, facts: frozenset[int]) -> Ranking | None:
    if node.args.get("distinct") or node.args.get("from_") is None:
        return None
    first_table = _first_token(node, statement)
    found = clauses(statement.words, first_table, len(node.expressions)) if first_table >= 0 else None
    if found is None or any(item.find(exp.Star) and not item.find(exp.Count) for item in node.expressions):
        return None
    named = [isinstance(item, exp.Alias) for item in node.expressions]
    items = tuple(without_alias(statement.words, span) if alias else span for span, alias in zip(found.items, named, strict=True))
    aliases = tuple(item.alias.lower() if isinstance(item, exp.Alias) else "" for item in node.expressions)
    made = ranking(statement.words, first_table, items, aliases)
    return None if made is None else replace(made, items_end=found.items[-1][1], facts=tuple(sorted(facts)))


def _first_token(node: exp.Select, statement: Statement) -> int:
    """The first token after FROM of the outermost SELECT."""
    depth = 0
    begun = -1
    for place, word in enumerate(statement.words):
        depth += (word == "(") - (word == ")")
        if depth == 0 and word.upper() == "SELECT":
            begun = place
        if depth == 0 and begun >= 0 and word.upper() == "FROM":
            return place + 1
    return -1
