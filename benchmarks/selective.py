"""Which templates are selective: those that a better order of the rows could help most."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from benchmarks.statement import Statement

KEPT_SHARE = 0.01  # of the rows of the largest table; DESIGN.md's "1 % of a large table's rows or less"
READ_SHARE = 0.5  # of its rows are read although so few are kept: the load order does not cluster the column


def is_selective(connection: duckdb.DuckDBPyConnection, statement: Statement) -> bool:
    """Whether plain DuckDB keeps at most 1 % of the largest table it scans, and reads most of it to find them.

    Rows kept are counted after the filters that the statement itself writes; a filter that a join hands down does not make a
    template selective. The statement is run once.
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
    for scan, kept in scans:
        if scan["total_row_groups_to_scan"] < largest or kept is None:
            continue
        rows = _rows_of(connection, str(scan["extra_info"].get("Table", "")))
        if rows and kept <= KEPT_SHARE * rows and scan.get("rows_scanned", 0) >= READ_SHARE * rows:
            return True
    return False


def _scans(nodes: list[dict[str, Any]], parent: dict[str, Any] | None) -> Iterator[tuple[dict[str, Any], int | None]]:
    """Scans with the rows that their written filters keep; None where nothing is filtered."""
    for node in nodes:
        if "total_row_groups_to_scan" in node:
            filters = node.get("extra_info", {}).get("Filters", "")
            written = [text for text in ([filters] if isinstance(filters, str) else filters) if not _is_optional(text)]
            if parent is not None and parent.get("type") == "FILTER":
                yield node, int(parent.get("intermediate_rows", 0))
            elif written:
                yield node, int(node.get("intermediate_rows", 0))
            else:
                yield node, None
        yield from _scans(node.get("children", []), node)


def _is_optional(text: str) -> bool:
    return not text or text.startswith("optional:") or "Dynamic Filter" in text


def _rows_of(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    row = connection.execute(
        "SELECT max(estimated_size) FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = ?",
        [table.rpartition(".")[2].strip('"')],
    ).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
