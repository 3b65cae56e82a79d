"""What rows take in the file, told from their values by the way DuckDB compresses columns.

Numbers take the bits that their range needs (bit packing), texts take a number into a dictionary of those in their row group, which is
compressed itself (FSST), and numbers that rows are sorted by are stored in runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log2

from sartor.core.constants import BLOCK_FILL, ROW_GROUP_ROWS, TEXT_COMPRESSED_SHARE
from sartor.core.derived import DerivedObject
from sartor.core.table import quote
from sartor.engines.base import Engine
from sartor.freshness.residual import relation

_WHOLE = frozenset("TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT DATE".split())
_BITS = {"BOOLEAN": 1.0, "FLOAT": 32.0}
_UNKNOWN_BITS = 64.0  # of what does not compress: floating numbers, and types that are not told apart here


@dataclass(frozen=True, slots=True)
class Width:
    """What the values of a column need.

    Attributes:
        steps: how many values its range holds; 0 where that does not tell its size.
        flat_bits: of each value, where the range does not tell.
        texts: how many different texts there are, 0 for other types.
        text_bytes: the mean length of a text.
    """

    steps: float = 0.0
    flat_bits: float = _UNKNOWN_BITS
    texts: float = 0.0
    text_bytes: float = 0.0

    def bits(self, rows: float, *, runs: bool = False) -> float:
        """What each of so many rows takes.

        Args:
            runs: the rows are sorted by it.
        """
        if not self.texts:
            return 0.0 if runs else log2(1.0 + self.steps) if self.steps else self.flat_bits
        group = max(1.0, min(rows, ROW_GROUP_ROWS.default))
        held = min(group, self.texts * group / max(rows, 1.0) if runs else self.texts)
        return log2(1.0 + held) + 8.0 * TEXT_COMPRESSED_SHARE.default * self.text_bytes * held / group


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
    name, quoted = relation(derived), relation(derived).replace("'", "''")
    blocks, block_size, memory, first, path = engine.rows(
        "SELECT count(DISTINCT block_id) FILTER (block_id >= 0), (SELECT block_size FROM pragma_database_size() LIMIT 1), "
        "sum(count * CASE segment_type WHEN 'VALIDITY' THEN 0.125 WHEN 'VARCHAR' THEN 16 ELSE 8 END) FILTER (NOT persistent), "
        "min(row_group_id) FILTER (NOT persistent), (SELECT path FROM duckdb_databases() WHERE database_name = ?) "
        f"FROM pragma_storage_info('{quoted}')",
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
    if kind == "VARCHAR":
        return Width(texts=float(first or 1), text_bytes=float(second or 0))
    if first is None:
        return Width(flat_bits=_BITS.get(kind, _UNKNOWN_BITS))
    behind = kind.partition(",")[2].rstrip(")") if kind.startswith("DECIMAL(") else ""
    return Width(steps=1.0 + first * 10.0 ** int(behind or 0))
