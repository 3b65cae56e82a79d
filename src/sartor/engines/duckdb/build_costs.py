"""Which way stores rows in an order sooner: DuckDB's ORDER BY, or a stream through the kernels."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from sartor.core.constants import (
    KERNEL_COMPILE_SECONDS,
    KERNEL_START_SECONDS,
    ORDER_BORDER_SECONDS,
    ORDER_CELL_SECONDS,
    ORDER_ROW_SECONDS,
    ORDER_TEXT_SECONDS,
    STREAM_CELL_SECONDS,
    STREAM_CUT_SECONDS,
    STREAM_KEY_SECONDS,
    STREAM_SECONDS,
    STREAM_TEXT_KEY_SECONDS,
    STREAM_TEXT_SECONDS,
)

Kind = Literal["number", "text"]
_NUMBERS = """BOOLEAN TINYINT SMALLINT INTEGER BIGINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT DOUBLE DECIMAL
DATE TIME TIMESTAMP TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS""".split()
_EXACT: dict[str, Kind] = {"TIMESTAMP WITH TIME ZONE": "number", "VARCHAR": "text", "BLOB": "text"}
_EXACT |= dict.fromkeys(_NUMBERS, "number")
_KERNELS = "sartor.kernels.staged"


def kind_of(sql_type: str) -> Kind | None:
    """What a column of this type costs to move; None if its values do not come back from Arrow exactly as they were.

    >>> kind_of("DECIMAL(12,2)"), kind_of("VARCHAR"), kind_of("HUGEINT"), kind_of("INTEGER[]")
    ('number', 'text', None, None)
    """
    name, _, parameters = sql_type.partition("(")
    return _EXACT.get(name) if not parameters or (name == "DECIMAL" and parameters.endswith(")")) else None


def streams_faster(rows: int, columns: Sequence[Kind], keys: Sequence[Kind], threads: int, cut: Sequence[int] = ()) -> bool:
    """Whether a stream is expected to take less time; storing what comes out takes both the same, and so does computing most keys.

    Threads share the work of ORDER BY. What a stream gains by them is not relied on: its steps come one after another.

    Args:
        cut: into how many parts each column is cut that the key is told by.
    """
    streamed = _stream_row_seconds(columns, keys) + len(cut) * STREAM_CUT_SECONDS.default
    ordered = _order_row_seconds(columns) + (sum(cut) - len(cut)) * ORDER_BORDER_SECONDS.default
    return _start_seconds() + rows * streamed < rows * ordered / useful(threads)


def _order_row_seconds(columns: Sequence[Kind]) -> float:
    texts = columns.count("text")
    return ORDER_ROW_SECONDS.default + (len(columns) - texts) * ORDER_CELL_SECONDS.default + texts * ORDER_TEXT_SECONDS.default


def _stream_row_seconds(columns: Sequence[Kind], keys: Sequence[Kind]) -> float:
    texts, key_texts = columns.count("text"), keys.count("text")
    order = (len(keys) - key_texts) * STREAM_KEY_SECONDS.default + key_texts * STREAM_TEXT_KEY_SECONDS.default
    return order + (len(columns) - texts) * STREAM_CELL_SECONDS.default + texts * STREAM_TEXT_SECONDS.default


def _start_seconds() -> float:
    """What it takes before the first row, also to import the kernels, and to compile them if that was never done here."""
    if _KERNELS in sys.modules:
        return STREAM_SECONDS.default
    return STREAM_SECONDS.default + KERNEL_START_SECONDS.default + (0.0 if _is_compiled() else KERNEL_COMPILE_SECONDS.default)


def useful(threads: int) -> int:
    """Threads that can run side by side here."""
    return max(1, min(threads, os.cpu_count() or 1))


@cache
def _is_compiled() -> bool:
    """Whether Numba has kept compiled kernels beside their source; told without importing it, as looking for their module would."""
    return any(Path(__file__).parents[2].glob("kernels/__pycache__/staged.*.nbi"))
