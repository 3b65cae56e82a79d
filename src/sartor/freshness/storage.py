"""What rows take in the file, told from their values."""

from __future__ import annotations

from collections.abc import Iterable

from sartor.core.constants import BLOCK_FILL, ROW_GROUP_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.table import literal, quote
from sartor.core.width import Width, width_of
from sartor.engines.base import Engine
from sartor.freshness.residual import relation

_WHOLE = frozenset("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT DATE".split())


def widths(engine: Engine, rows: str, columns: Iterable[str] | None = None) -> dict[str, Width]:
    """What the values of some columns need.

    Args:
        rows: a table, or a SELECT in parentheses.
        columns: all of them if None.
    """
    types = {name: kind for name, kind, *_ in engine.rows(f"DESCRIBE SELECT * FROM {rows}")}
    asked = list(types if columns is None else columns)
    measures = [measure for name in asked for measure in _measures(quote(name), types[name])]
    values = iter(engine.rows(f"SELECT {', '.join(measures)} FROM {rows}")[0] if measures else ())
    return {name: _width(types[name], next(values), next(values)) for name in asked}


def bytes_stored(engine: Engine, derived: DerivedObject) -> int:
    """What an object takes: its blocks in the file, counted once each, and what will be written of rows that only the log holds yet.

    In memory nothing is compressed.
    """
    name = relation(derived)
    blocks, block_size, memory, first, path = engine.rows(
        "SELECT count(DISTINCT block_id) FILTER (block_id >= 0), (SELECT block_size FROM pragma_database_size() LIMIT 1), "
        "sum(count * CASE segment_type WHEN 'VALIDITY' THEN 0.125 WHEN 'VARCHAR' THEN 16 ELSE 8 END) FILTER (NOT persistent), "
        "min(row_group_id) FILTER (NOT persistent), (SELECT path FROM duckdb_databases() WHERE database_name = ?) "
        f"FROM pragma_storage_info({literal(name)})",
        [engine.database],
    )[0]
    written = int(blocks) * int(block_size)
    if memory is None:
        return written
    if path is None or memory <= block_size:  # a block is the least that the file grows by; telling the widths takes 12 ms
        return written + int(memory)
    waiting = f"(SELECT * FROM {name} WHERE rowid >= {first * int(ROW_GROUP_ROWS.default)})"
    rows = engine.rows(f"SELECT count(*) FROM {waiting}")[0][0]
    each = sum(width.bits(rows) for width in widths(engine, waiting).values()) if rows else 0.0
    return written + int(min(rows * each / 8.0 / BLOCK_FILL.default, float(memory)))


def _measures(column: str, kind: str) -> tuple[str, str]:
    """Two aggregates that tell a column's width."""
    if kind == "VARCHAR":
        return f"approx_count_distinct({column})", f"avg(strlen({column}))"
    if kind == "DATE":
        return f"max({column}) - min({column})", "NULL"
    if kind in _WHOLE or kind.startswith("DECIMAL("):
        return f"max({column})::DOUBLE - min({column})::DOUBLE", "NULL"
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us(max({column})) - epoch_us(min({column}))", "NULL"
    return "NULL", "NULL"


def _width(kind: str, first: float | None, second: float | None) -> Width:
    return width_of(kind, None, first or 1.0, second or 0.0) if kind == "VARCHAR" else width_of(kind, first)
