"""Which column of which table a name in a statement means, through subqueries and CTEs that hand it on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from sartor.core.table import Catalog, TableInfo, TableName
from sartor.workload.sharing.names import name_of

ColumnKey = tuple[TableName, str]
"""A column in catalog spelling, with its table."""


@dataclass(frozen=True, slots=True)
class Origin:
    """A base column, and the place in FROM that hands it out: a self-join has two of them."""

    column: ColumnKey
    reference: int


class Origins:
    """The origins of all columns of one statement."""

    def __init__(self, tree: exp.Expression, catalog: Catalog) -> None:
        self._catalog = catalog
        self._found: dict[int, Origin] = {}
        for scope in traverse_scope(tree):
            for column in scope.columns:
                at: Scope | None = scope
                while at is not None and id(column) not in self._found:
                    origin = self._in_scope(column.name, column.table, at)
                    if origin is not None:
                        self._found[id(column)] = origin
                    at = at.parent

    def of(self, column: exp.Expression | None) -> Origin | None:
        """Where a column comes from; None if it is computed, ambiguous, or no column."""
        return self._found.get(id(column))

    def subject(self, expression: exp.Expression | None) -> tuple[TableName, exp.Expression] | None:
        """An expression over the columns of one table, with bare quoted names; None for anything else."""
        if not isinstance(expression, exp.Expression):
            return None
        if expression.find(exp.AggFunc, exp.Window, exp.Query, exp.Placeholder, exp.Star, exp.Lambda, exp.Unnest):
            return None
        columns = list(expression.find_all(exp.Column))
        origins = [self.of(column) for column in columns]
        places = {origin.reference if origin is not None else 0 for origin in origins}
        if len(places) != 1 or 0 in places:
            return None
        copy = expression.copy()
        table = origins[0].column[0]  # type: ignore[union-attr]
        for column, origin in zip(list(copy.find_all(exp.Column)), origins, strict=True):
            bare = exp.column(exp.to_identifier(origin.column[1], quoted=True))  # type: ignore[union-attr]
            if column is copy:
                return table, bare
            column.replace(bare)
        return table, copy

    def joins(self, tree: exp.Expression) -> frozenset[tuple[ColumnKey, ColumnKey]]:
        """The pairs of columns that the statement sets equal."""
        pairs = [(self.of(node.this), self.of(node.expression)) for node in tree.find_all(exp.EQ)]
        pairs += [(self.of(node.this), self._handed_out(node)) for node in tree.find_all(exp.In)]
        found = [(left.column, right.column) for left, right in pairs if left is not None and right is not None]
        return frozenset(found + list(self._using(tree)))

    def _using(self, tree: exp.Expression) -> list[tuple[ColumnKey, ColumnKey]]:
        pairs = []
        for scope in traverse_scope(tree):
            for join in scope.expression.args.get("joins") or ():
                for identifier in join.args.get("using") or ():
                    found = [self._through(identifier.name, source) for source in scope.sources.values()]
                    columns = [origin.column for origin in found if origin is not None]
                    pairs += [(columns[0], other) for other in columns[1:]]
        return pairs

    def _handed_out(self, node: exp.In) -> Origin | None:
        query = node.args.get("query")
        select = query.this if isinstance(query, exp.Subquery) else query
        if not isinstance(select, exp.Select) or len(select.expressions) != 1:
            return None
        return self.of(select.expressions[0].unalias())

    def _in_scope(self, name: str, alias: str, scope: Scope) -> Origin | None:
        sources = {key.lower(): source for key, source in scope.sources.items()}
        chosen = [sources.get(alias.lower())] if alias else list(sources.values())
        found = [origin for source in chosen if source is not None and (origin := self._through(name, source)) is not None]
        return found[0] if len(found) == 1 else None

    def _through(self, name: str, source: exp.Expression | Scope) -> Origin | None:
        if isinstance(source, exp.Table):
            info: TableInfo | None = self._catalog.resolve(tuple(part.name for part in source.parts))
            column = info.column(name) if info is not None else None
            if info is None or column is None or (source.args.get("alias") and source.args["alias"].columns):
                return None
            return Origin((name_of(info), column.name), id(source))
        if not isinstance(source, Scope) or not isinstance(source.expression, exp.Select):
            return None
        for item in source.expression.expressions:
            if item.alias_or_name.lower() == name.lower() and isinstance(item.unalias(), exp.Column):
                inner = item.unalias()
                return self._in_scope(inner.name, inner.table, source)
        return self._in_scope(name, "", source) if source.expression.is_star else None
