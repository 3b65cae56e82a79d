"""The part of a statement that decides which rows of its tables count: FROM and WHERE of a SELECT, which mean the same read alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sartor.core.analysis import Analysis
from sartor.core.table import Catalog, TableInfo, TableName
from sartor.sql.fingerprint import Fingerprint
from sartor.sql.places import place_of

_ENDS = frozenset("SELECT GROUP HAVING ORDER LIMIT OFFSET QUALIFY WINDOW UNION EXCEPT INTERSECT".split())
_PARTS = frozenset({"expressions", "from_", "joins", "where"})
_AROUND = (exp.Subquery, exp.From, exp.Join, exp.With, exp.CTE, exp.SetOperation, exp.Select)


@dataclass(frozen=True, slots=True)
class Restriction:
    """FROM and WHERE of one SELECT.

    Every row that these hand on is made of exactly one row of each target. So a target's rows that are in none of them may be left
    out, and FROM and WHERE still hand on the same.

    Attributes:
        first_token, last_token: from FROM to the end of WHERE, both included.
        targets: positions in `Analysis.references`.
        tables: all base tables that are read there, those of queries inside it too.
    """

    first_token: int
    last_token: int
    targets: tuple[int, ...]
    tables: frozenset[TableName]


@dataclass(frozen=True, slots=True)
class Asked:
    """A restriction as one statement writes it.

    Attributes:
        text: its own text with `?` for each value that comes with the statement; names that DuckDB's relations generate are numbered.
        values: those values, in their order.
    """

    text: str
    values: tuple[Any, ...]


def restrictions(text: str, printed: Fingerprint, analysis: Analysis, catalog: Catalog) -> tuple[Restriction, ...]:
    """The restrictions of a statement, those that no row can be left out by not among them; never raises.

    Args:
        printed: the text's own fingerprint.
        analysis: of its template; only what may be replaced there is a target.
    """
    if analysis.refusal is not None or analysis.reads is None or analysis.facts:
        return ()
    words = printed.words(text)
    try:
        trees = [tree for tree in sqlglot.parse(text, read="duckdb") if tree is not None]
        tree = trees[0] if len(trees) == 1 else None
        if not isinstance(tree, exp.Expression):
            return ()
        found = _Search(text, words, printed, analysis, catalog, tree)
        return tuple(one for select in tree.find_all(exp.Select) for one in found.of(select))
    except (SqlglotError, RecursionError):
        return ()


def asked(text: str, printed: Fingerprint, restriction: Restriction, parameters: Any) -> Asked | None:
    """The restriction with this statement's own literals and values; None if a value is missing.

    >>> from sartor.sql.fingerprint import fingerprint
    >>> text = "SELECT ? FROM t WHERE a = $2 AND b = $1"
    >>> asked(text, fingerprint(text), Restriction(2, 13, (), frozenset()), [5, 6])
    Asked(text='FROM t WHERE a = ? AND b = ?', values=(6, 5))
    """
    tokens = printed.tokens
    first, last = restriction.first_token, restriction.last_token
    pieces: list[str] = []
    values: list[Any] = []
    unnamed = sum(text[start:end] == "?" for start, end in tokens[:first])
    position, place = tokens[first][0], first
    while place <= last:
        start, end = tokens[place]
        word = text[start:end]
        if word == "?":
            name: int | str = unnamed
            unnamed += 1
        elif word == "$" and place < last:
            place += 1
            end = tokens[place][1]
            named = text[tokens[place][0] : end]
            name = int(named) - 1 if named.isdigit() else named
        else:
            if word in printed.generated:
                pieces += [text[position:start], f'"generated#{printed.generated.index(word)}"']
                position = end
            place += 1
            continue
        value = _value(parameters, name)
        if value is _MISSING:
            return None
        pieces += [text[position:start], "?"]
        values.append(value)
        position, place = end, place + 1
    pieces.append(text[position : tokens[last][1]])
    return Asked("".join(pieces), tuple(values))


_MISSING = object()


def _value(parameters: Any, name: int | str) -> Any:
    if isinstance(parameters, Mapping):
        return parameters.get(name, _MISSING)
    if isinstance(parameters, list | tuple) and isinstance(name, int) and 0 <= name < len(parameters):
        return parameters[name]
    return _MISSING


class _Search:
    """Looks for the restrictions of one statement."""

    def __init__(
        self, text: str, words: tuple[str, ...], printed: Fingerprint, analysis: Analysis, catalog: Catalog, tree: exp.Expression
    ) -> None:
        self._text = text
        self._words = words
        self._printed = printed
        self._catalog = catalog
        self._analysis = analysis
        self._references = {reference.first_token: place for place, reference in enumerate(analysis.references)}
        self._named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}

    def of(self, select: exp.Select) -> Iterator[Restriction]:
        """The restriction of a SELECT, if it has one."""
        if (
            select.args.get("from_") is None
            or not (select.args.get("where") or select.args.get("joins"))
            or _inside_expression(select)
        ):
            return
        places = self._places(select)
        tables = self._tables(select)
        if places is None or tables is None:
            return
        span = self._span(self._analysis.references[places[0]].first_token)
        if span is None or self._names_a_query(*span) or not self._means_the_same(select, *span):
            return
        targets = tuple(place for place in self._kept(select, places) if self._may_be_left_out(place, tables))
        if targets:
            yield Restriction(*span, targets, frozenset(tables))

    def _places(self, select: exp.Select) -> list[int] | None:
        """The references of its FROM items, in their order; None if one is anything else than a base table."""
        found = []
        for item in [select.args["from_"].this, *(join.this for join in select.args.get("joins") or [])]:
            placed = place_of(item, self._printed, self._words) if isinstance(item, exp.Table) else None
            reference = self._references.get(placed[0]) if placed is not None else None
            if reference is None:
                return None
            found.append(reference)
        return found

    def _tables(self, select: exp.Select) -> dict[TableName, int] | None:
        """How often each base table is named in FROM and WHERE; None if anything else is read."""
        found: dict[TableName, int] = {}
        for part in (select.args["from_"], *(select.args.get("joins") or []), select.args.get("where")):
            for table in part.find_all(exp.Table) if part is not None else ():
                info: TableInfo | None = self._catalog.resolve(tuple(name.name for name in table.parts))
                if info is None or not isinstance(info.source, TableName):
                    return None
                found[info.source] = found.get(info.source, 0) + 1
        return found

    def _span(self, first: int) -> tuple[int, int] | None:
        """From the FROM before the first table to the end of WHERE."""
        words = self._words
        if first < 1 or words[first - 1].upper() != "FROM":
            return None
        depth, last = 0, first
        while last < len(words):
            word = words[last].upper()
            if depth == 0 and (word in _ENDS or word in (")", ";")):
                break
            depth += (word == "(") - (word == ")")
            last += 1
        return first - 1, last - 1

    def _names_a_query(self, first: int, last: int) -> bool:
        """Whether some word is the name of a common table expression: read alone it would mean something else."""
        return any(word.strip('"').lower() in self._named for word in self._words[first : last + 1])

    def _means_the_same(self, select: exp.Select, first: int, last: int) -> bool:
        """Whether the tokens read alone are the FROM and WHERE of this SELECT."""
        start, end = self._printed.tokens[first][0], self._printed.tokens[last][1]
        (alone,) = sqlglot.parse(f"SELECT 1 {self._text[start:end]}", read="duckdb")
        if not isinstance(alone, exp.Select) or not {name for name, value in alone.args.items() if value} <= _PARTS:
            return False
        return all(_same(alone.args.get(part), select.args.get(part)) for part in _PARTS - {"expressions"})

    def _kept(self, select: exp.Select, places: list[int]) -> list[int]:
        """The tables of which each row of the join has exactly one: all, or the first where others are joined to it from the left."""
        joins = select.args.get("joins") or []
        if any(join.args.get("method") or (join.kind or "INNER").upper() not in ("INNER", "CROSS", "OUTER") for join in joins):
            return []
        sides = {(join.side or "").upper() for join in joins}
        if sides <= {""}:
            return places
        return places[:1] if sides <= {"", "LEFT"} else []

    def _may_be_left_out(self, place: int, tables: dict[TableName, int]) -> bool:
        """Whether rows of a reference may be left out: nothing else reads its table, and no sequence of groups hangs on it."""
        reference = self._analysis.references[place]
        source = reference.source
        return reference.refusal is None and not reference.sequence and isinstance(source, TableName) and tables.get(source) == 1


def _inside_expression(select: exp.Expression) -> bool:
    """Whether a SELECT stands inside an expression, where it may name columns of what is around it."""
    node = select.parent
    while node is not None:
        if not isinstance(node, _AROUND):
            return True
        node = node.parent
    return False


def _same(one: Any, other: Any) -> bool:
    return bool((one or None) == (other or None))
