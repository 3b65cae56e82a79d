"""Queries inside expressions."""

from __future__ import annotations

from sqlglot import exp

from sartor.core.table import Catalog, TableInfo


def queries(node: exp.Select) -> list[exp.Expr]:
    """The queries in a SELECT's expressions: not those of its FROM clause or its common table expressions, nor those inside others."""
    found: list[exp.Expr] = []
    pending: list[exp.Expr] = []
    for name, value in node.args.items():
        if name in ("with_", "from_"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Join):
                pending += [child.args["on"]] if child.args.get("on") is not None else []
            elif isinstance(child, exp.Expr):
                pending.append(child)
    while pending:
        item = pending.pop()
        if isinstance(item, exp.Query):
            found.append(item)
        else:
            pending += [child for child in item.iter_expressions() if isinstance(child, exp.Expr)]
    return found


def is_closed(query: exp.Expr, catalog: Catalog) -> bool:
    """Whether a query reads nothing of the rows around it: each name in it belongs to a base table of its own."""
    infos: dict[str, TableInfo] = {}
    for table in query.find_all(exp.Table):
        info = catalog.resolve(tuple(part.name for part in table.parts)) if isinstance(table.this, exp.Identifier) else None
        if info is None:
            return False
        infos[table.alias_or_name.lower()] = info
    for column in query.find_all(exp.Column):
        owners = [infos.get(column.table.lower())] if column.table else list(infos.values())
        if not any(info is not None and info.column(column.name) is not None for info in owners):
            return False
    return True
