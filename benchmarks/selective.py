"""Which templates are selective: those that a better order of the rows could help most."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb
from sqlglot import exp, parse_one
from sqlglot.errors import ParseError

from benchmarks.statement import Statement

KEPT_SHARE = 0.01  # of the rows of the largest table; DESIGN.md's "1 % of a large table's rows or less"
READ_SHARE = 0.5  # of its rows are read although so few are kept: the load order does not cluster the column


def is_selective(connection: duckdb.DuckDBPyConnection, statement: Statement) -> bool:
    """Whether the statement keeps at most 1 % of the largest table by its conditions on one column, and reads most of it.

    Only conditions that the statement itself writes count; what a join hands down does not make a template selective, nor do
    several conditions of which each keeps a lot. The statement is run once.
    """
    text = f"EXPLAIN (ANALYZE, FORMAT json) {statement.text}"
    try:
        row = connection.execute(text, statement.parameters).fetchone()
    except duckdb.Error:
        return False
    if row is None:
        return False
    scans = list(_scans(json.loads(row[1]).get("operator", []), None))
    largest = max((scan["total_row_groups_to_scan"] for scan, _ in scans), default=0)
    for scan, written in scans:
        table = str(scan["extra_info"].get("Table", ""))
        rows = _count(connection, table, "true") if written and scan["total_row_groups_to_scan"] == largest else 0
        if rows and scan.get("rows_scanned", 0) >= READ_SHARE * rows:
            by_column = [_count(connection, table, condition) for condition in _by_column(written)]
            if any(kept <= KEPT_SHARE * rows for kept in by_column):
                return True
    return False


def _scans(nodes: list[dict[str, Any]], parent: dict[str, Any] | None) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Scans with the conditions that the statement wrote on them, as the engine spells them."""
    for node in nodes:
        if "total_row_groups_to_scan" in node:
            filters = node.get("extra_info", {}).get("Filters", "")
            written = [text for text in ([filters] if isinstance(filters, str) else filters) if not _is_optional(text)]
            if parent is not None and parent.get("type") == "FILTER":
                written.append(parent.get("extra_info", {}).get("Expression", ""))
            yield node, [text for text in written if isinstance(text, str) and text]
        yield from _scans(node.get("children", []), node)


def _by_column(conditions: list[str]) -> list[str]:
    """For each column, all conditions on it alone."""
    found: dict[str, list[str]] = {}
    for condition in conditions:
        try:
            tree = parse_one(condition, dialect="duckdb")
        except ParseError:
            continue
        parts = list(tree.unnest().flatten()) if isinstance(tree.unnest(), exp.And) else [tree]
        for part in parts:
            columns = {column.name.lower() for column in part.find_all(exp.Column)}
            if len(columns) == 1:
                found.setdefault(columns.pop(), []).append(part.sql("duckdb"))
    return [" AND ".join(f"({part})" for part in parts) for parts in found.values()]


def _is_optional(text: str) -> bool:
    return not text or text.startswith("optional:") or "Dynamic Filter" in text


def _count(connection: duckdb.DuckDBPyConnection, table: str, condition: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()
    assert row is not None
    return int(row[0])
