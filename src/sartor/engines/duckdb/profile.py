"""DuckDB's JSON profile as a `Profile`."""

from __future__ import annotations

from typing import Any

from sartor.engines.base import Profile, Scan


def read_profile(document: dict[str, Any]) -> Profile:
    """Flatten the operator tree, parents first."""
    operators: list[tuple[str, float, int]] = []
    scans: list[Scan] = []
    pending = list(document.get("operator", []))
    while pending:
        node = pending.pop(0)
        rows = int(node.get("intermediate_rows", 0))
        seconds = float(node.get("timing", 0.0))
        operators.append((str(node.get("type", "")), seconds, rows))
        if "total_row_groups_to_scan" in node:
            scans.append(
                Scan(
                    str(node.get("extra_info", {}).get("Table", "")),
                    rows,
                    seconds,
                    int(node.get("row_groups_scanned", -1)),
                    int(node["total_row_groups_to_scan"]),
                )
            )
        pending = list(node.get("children", [])) + pending
    return Profile(float(document.get("query", {}).get("total_time", 0.0)), tuple(operators), tuple(scans))
