"""DuckDB's catalog as one frozen value."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.derived import SCHEMA
from sartor.core.table import Catalog, Column, FileScan, TableInfo, TableName, quote
from sartor.core.width import Width, width_of

if TYPE_CHECKING:
    from sartor.engines.base import Engine

BYTEWISE = ("", "binary")
"""Collations under which text is compared and ordered by its bytes."""

_RANGED = (int, Decimal, date)  # values whose range tells what they take

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
    statistics = {
        (schema, name): _statistics(engine, TableName(database, schema, name), [column for column, _ in columns[schema, name]])
        for schema, name, *_ in tables
    }
    infos = tuple(
        TableInfo(
            TableName(database, schema, name),
            tuple(column for column, _ in columns[schema, name]),
            rows,
            tuple(keys[schema, name]),
            distinct=_distinct(statistics[schema, name]),
            widths=_widths(statistics[schema, name], [column for column, _ in columns[schema, name]], rows),
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


def _statistics(engine: Engine, table: TableName, columns: list[Column]) -> dict[str, dict[str, Any]]:
    """Per column in lower case what DuckDB knows of its values; nothing of a table that was dropped since it was listed."""
    if not columns:
        return {}
    calls = ", ".join(f"stats({quote(column.name)})" for column in columns)
    try:
        rows: list[tuple[Any, ...]] = engine.rows(f"SELECT {calls} FROM {table} LIMIT 1")
    except duckdb.Error:
        return {}
    known = rows[0] if rows else [{"approx_unique": 0}] * len(columns)
    return {column.name.lower(): told for column, told in zip(columns, known, strict=True) if isinstance(told, dict)}


def _distinct(statistics: dict[str, dict[str, Any]]) -> dict[str, int]:
    """The distinct values that DuckDB estimates."""
    return {name: int(told["approx_unique"]) for name, told in statistics.items() if told.get("approx_unique") is not None}


def _widths(statistics: dict[str, dict[str, Any]], columns: list[Column], rows: int) -> dict[str, Width]:
    """What values need, by the lowest and the highest of each column."""
    found = {}
    for column in columns:
        told = statistics.get(column.name.lower())
        if told is None or (told.get("min") is None and told.get("has_no_null", True)):
            continue
        span = _span(told["min"], told.get("max")) if told.get("min") is not None else 0.0  # there are nulls only
        texts, characters = float(told.get("approx_unique") or 0), float(told.get("total_string_length") or 0)
        found[column.name.lower()] = width_of(column.type, span, texts, characters / max(rows, 1))
    return found


def _span(low: Any, high: Any) -> float | None:
    """How far one value is above another: dates in days, times in microseconds; None for what takes the same whatever the range."""
    if isinstance(low, bool) or not all(isinstance(one, _RANGED) for one in (low, high)):
        return None
    try:
        apart = high - low
    except TypeError:  # of a time without end, which has no zone
        return None
    if isinstance(apart, timedelta):
        return apart / timedelta(microseconds=1) if isinstance(low, datetime) else float(apart.days)
    return float(apart)
