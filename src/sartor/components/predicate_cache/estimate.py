"""Whether ranges of row ids pay: they do where they leave most row groups out, which are what a scan spares."""

from __future__ import annotations

from sartor.components.predicate_cache.apply import Ranges
from sartor.core.constants import PREDICATE_SHARE, ROW_GROUP_ROWS


def share_read(ranges: Ranges, high_water: int) -> float:
    """The share of a table's row groups that a scan reads with these ranges; row groups as DuckDB fills them.

    >>> share_read(((0, 10), (100, 200)), 10 * 122_880 - 1)
    0.1
    """
    size = int(ROW_GROUP_ROWS.default)
    groups, read = high_water // size + 1, 0
    before = -1
    for first, last in ranges:
        start, end = max(first // size, before + 1), last // size
        read += max(0, end - start + 1)
        before = max(before, end)
    return read / groups if groups else 1.0


def pays(ranges: Ranges, high_water: int) -> bool:
    """Whether a statement is worth running with these ranges."""
    return share_read(ranges, high_water) <= PREDICATE_SHARE.default
