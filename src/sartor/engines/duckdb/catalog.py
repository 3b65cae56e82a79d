"""DuckDB's catalog as one frozen value."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.derived import SCHEMA
from sartor.core.table import Catalog, Column, FileScan, TableInfo, TableName, quote

if TYPE_CHECKING:
    from sartor.engines.base import Engine

BYTEWISE = ("", "binary")
"""Collations under which text is compared and ordered by its bytes."""

_TABLES = """
SELECT schema_name, table_name, estimated_size, sql FROM duckdb_tables()
WHERE database_name = ? AND NOT internal AND NOT temporary AND schema_name <> ?
"""
_COLUMNS = """
SELECT schema_name, table_name, column_name, data_type, is_nullable, is_generated FROM duckdb_columns()
WHERE database_name = ? AND NOT internal ORDER BY column_index
"""
_KEYS = """
SELECT schema_name, table_name, constraint_column_names FROM duckdb_constraints()
WHERE database_name = ? AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')
"""
_FOREIGN_KEYS = """
SELECT schema_name, table_name, constraint_column_names, referenced_table, referenced_column_names FROM duckdb_constraints()
WHERE database_name = ? AND constraint_type = 'FOREIGN KEY'
"""


def read_catalog(engine: Engine, generation: int) -> Catalog:
    """The user's tables, views and macros as of now, without the schema `sartor`.

    The distinct counts are DuckDB's own estimates, read from its column statistics at no cost of a scan. Where texts have a collation
    by default, every column of texts has one.
    """
    database = engine.database
    columns: dict[tuple[str, str], list[tuple[Column, bool]]] = defaultdict(list)
    tables = engine.rows(_TABLES, [database, SCHEMA])
    collated = {(schema, name) for schema, name, _, sql in tables if sql and "COLLATE" in sql.upper()}
    ((collation,),) = engine.rows("SELECT current_setting('default_collation')")
    everywhere = collation.lower() not in BYTEWISE
    for schema, name, column, kind, nullable, generated in engine.rows(_COLUMNS, [database]):
        is_collated = (everywhere or (schema, name) in collated) and "VARCHAR" in kind.upper()
        columns[schema, name].append((Column(column, kind, nullable, is_collated), generated))
    keys: dict[tuple[str, str], list[frozenset[str]]] = defaultdict(list)
    for schema, name, names in engine.rows(_KEYS, [database]):
        required = {column.name for column, _ in columns[schema, name] if not column.nullable}
        if set(names) <= required:
            keys[schema, name].append(frozenset(names))
    foreign: dict[tuple[str, str], list[tuple[tuple[str, ...], TableName, tuple[str, ...]]]] = defaultdict(list)
    for schema, name, names, other, referred in engine.rows(_FOREIGN_KEYS, [database]):
        required = {column.name for column, _ in columns[schema, name] if not column.nullable}
        if set(names) <= required:
            foreign[schema, name].append((tuple(names), TableName(database, schema, other), tuple(referred)))
    triggers = bool(engine.rows("SELECT 1 FROM duckdb_triggers() LIMIT 1"))
    infos = tuple(
        TableInfo(
            TableName(database, schema, name),
            tuple(column for column, _ in columns[schema, name]),
            rows,
            tuple(keys[schema, name]),
            distinct=_distinct(engine, TableName(database, schema, name), [c.name for c, _ in columns[schema, name]]),
            foreign_keys=tuple(foreign[schema, name]),
            has_rowid_column=any(column.name.lower() == "rowid" for column, _ in columns[schema, name]),
            has_generated=any(generated for _, generated in columns[schema, name]),
            has_triggers=triggers,
        )
        for schema, name, rows, _ in tables
    )
    views = engine.rows(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = ? AND NOT internal",
        [database],
    )
    macros = engine.rows("SELECT function_name FROM duckdb_functions() WHERE NOT internal")
    return Catalog(
        database,
        infos,
        frozenset((a, b) for a, b in views),
        frozenset(name for (name,) in macros),
        generation,
    )


def read_scan(engine: Engine, source: FileScan) -> TableInfo | None:
    """What files hold. Times with a zone that are parsed from text are left out: they depend on the session's zone."""
    try:
        described = engine.rows(f"DESCRIBE SELECT * FROM {source}")
        rows = engine.rows(f"SELECT count(*) FROM {source}")[0][0]
    except duckdb.Error:
        return None
    columns = tuple(Column(name, kind) for name, kind, *_ in described)
    if source.kind == "csv" and any("TIME ZONE" in column.type for column in columns):
        return None
    return TableInfo(source, columns, rows)


def _distinct(engine: Engine, table: TableName, names: list[str]) -> dict[str, int]:
    """Per column the distinct values that DuckDB estimates; nothing of a table that was dropped since it was listed."""
    if not names:
        return {}
    calls = ", ".join(f"stats({quote(name)})" for name in names)
    try:
        rows: list[tuple[Any, ...]] = engine.rows(f"SELECT {calls} FROM {table} LIMIT 1")
    except duckdb.Error:
        return {}
    if not rows:
        return dict.fromkeys((name.lower() for name in names), 0)
    return {
        name.lower(): int(statistics["approx_unique"])
        for name, statistics in zip(names, rows[0], strict=True)
        if isinstance(statistics, dict) and statistics.get("approx_unique") is not None
    }
