"""What DuckDB's own profile tells of a statement."""

from __future__ import annotations

import json
from typing import Any


def row_groups(connection: Any, text: str, parameters: Any = None) -> int:
    """How many row groups a statement reads."""
    (_, plan), *_ = connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {text}", parameters).fetchall()
    return sum(_scanned(json.loads(plan)))


def _scanned(node: Any) -> list[int]:
    if isinstance(node, list):
        return [count for one in node for count in _scanned(one)]
    if not isinstance(node, dict):
        return []
    found = [int(value) for key, value in node.items() if key == "row_groups_scanned" and isinstance(value, int | str)]
    return found + [count for value in node.values() for count in _scanned(value)]
