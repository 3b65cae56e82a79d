"""What look-ups from memory would gain and cost: nearly all of their time, and memory for each value."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from sartor.core.action import Action, Estimate
from sartor.core.constants import LOOKUP_BUILD_SECONDS_PER_CELL, LOOKUP_SECONDS, LOOKUP_TEXT_BYTES
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog
from sartor.workload.workload import Workload

_WIDTHS = {
    "BOOLEAN": 1, "TINYINT": 1, "UTINYINT": 1, "SMALLINT": 2, "USMALLINT": 2, "INTEGER": 4, "UINTEGER": 4, "FLOAT": 4, "DATE": 4,
}  # fmt: skip
_MODEL = "cells"


def estimate(actions: Sequence[Action], workload: Workload, catalog: Catalog) -> list[Estimate]:
    """One estimate an action, in order; its memory is charged to the storage budget."""
    return [_one(action, workload, catalog) for action in actions]


def _one(action: Action, workload: Workload, catalog: Catalog) -> Estimate:
    saved = {}
    for template in workload.reads():
        if template.digest in action.templates and template.plain_seconds:
            seconds = median(template.plain_seconds) - LOOKUP_SECONDS.default
            if seconds > 0:
                saved[template.digest] = Evidence(seconds, "predicted", _MODEL)
    info = catalog.info(action.source)
    rows = info.rows if info is not None else 0
    types = dict(action.get("schema")).values()
    row_seconds = (2 + len(types)) * LOOKUP_BUILD_SECONDS_PER_CELL.default
    # Beside each row stands its number, and its key once more where it is not of 64 bits.
    row_bytes = (8 if dict(action.get("schema"))[action.get("key")[0]] == "BIGINT" else 16) + sum(
        LOOKUP_TEXT_BYTES.default if kind == "VARCHAR" else _width(kind) for kind in types
    )
    return Estimate(
        action,
        saved,
        Evidence(rows * row_seconds, "predicted", _MODEL),
        Evidence(rows * row_bytes, "predicted", "types"),
        Evidence(row_seconds, "predicted", _MODEL),
    )


def _width(kind: str) -> int:
    return 16 if kind.startswith("DECIMAL") else _WIDTHS.get(kind, 8)
