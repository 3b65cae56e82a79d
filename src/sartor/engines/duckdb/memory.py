"""How much memory may be used beside DuckDB's own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.core.constants import STREAM_MEMORY_SHARE

if TYPE_CHECKING:
    from sartor.engines.duckdb.engine import DuckDBEngine

_UNITS = {unit: 1000**power for power, unit in enumerate(("B", "KB", "MB", "GB", "TB", "PB"))} | {
    unit: 1024**power for power, unit in enumerate(("BYTES", "KIB", "MIB", "GIB", "TIB", "PIB"))
}
_AVAILABLE = Path("/proc/meminfo")


def free_bytes(engine: DuckDBEngine) -> int:
    """A share of what DuckDB's limit leaves, and of what the machine has left, whichever is less; 0 if the limit can not be read."""
    ((limit, used),) = engine.rows(
        "SELECT current_setting('memory_limit'), coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()"
    )
    left = max(parsed_bytes(limit) - used, 0)
    available = _available_bytes()
    return int((left if available is None else min(left, available)) * STREAM_MEMORY_SHARE.default)


def parsed_bytes(text: str) -> int:
    """A size as DuckDB writes it; 0 for what is none.

    >>> parsed_bytes("1.5 GiB"), parsed_bytes("much")
    (1610612736, 0)
    """
    match = re.fullmatch(r"([0-9.]+) *([A-Za-z]+)", text.strip())
    return int(float(match[1]) * _UNITS.get(match[2].upper(), 0)) if match else 0


def _available_bytes() -> int | None:
    """What the system could hand out without writing anything to disk; None where it does not tell."""
    try:
        text = _AVAILABLE.read_text(encoding="ascii")
    except OSError:
        return None
    match = re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 if match else None
