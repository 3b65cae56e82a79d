"""When a copy with a long tail is sorted again, so that all rewriting stays within a constant factor of what was appended.

Each refresh puts the rows that came behind the others, in the copy's order among themselves. One large run is skipped by its own zone
maps; many short ones are not, for each holds all keys and they share row groups. Once the tail is a share s of the sorted rows, and
a statement that needs one row group of these would read several of it, the copy is built anew. That writes (1 + s) / s rows for each
row of the tail, which is sorted then: in all no more than 2 + 1 / s times the rows that were ever appended, however they came, their
own appending counted in.
"""

from __future__ import annotations

from sartor.core.constants import ROW_GROUP_ROWS, TAIL_DEPTH, TAIL_SHARE
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import has_plain_values
from sartor.engines.base import Engine
from sartor.freshness.residual import relation


def is_long(coverage: Coverage) -> bool:
    """Whether the tail of a copy is so long that sorting it again may pay; less than a row group is read as a whole in any case.

    >>> [is_long(Coverage(-1, 1_000_000, True, unsorted=rows)) for rows in (100_000, 190_000, 210_000)]
    [False, False, True]
    """
    return coverage.unsorted > max(ROW_GROUP_ROWS.default, TAIL_SHARE.default * (coverage.rows - coverage.unsorted))


def is_deep(engine: Engine, copy: DerivedObject, key: str) -> bool:
    """Whether a statement that needs one row group of the sorted rows reads several of the tail, by the bounds that are stored.

    Args:
        key: the first column that the copy is ordered by.
    """
    kind = next((kind for name, kind, *_ in engine.rows(f"DESCRIBE {relation(copy)}") if name == key), "")
    if not has_plain_values(kind):
        return True
    table, column = (text.replace("'", "''") for text in (relation(copy), key))
    bounds = (
        f"SELECT row_group_id, min(stats.min::{kind}) AS low, max(stats.max::{kind}) AS high, sum(count) AS rows "
        f"FROM pragma_storage_info('{table}') WHERE column_name = '{column}' AND segment_type <> 'VALIDITY' GROUP BY row_group_id"
    )
    placed = (
        f"SELECT *, sum(rows) OVER (ORDER BY row_group_id) > {copy.coverage.rows - copy.coverage.unsorted} AS behind FROM ({bounds})"
    )
    ((met, groups),) = engine.rows(
        f"WITH placed AS MATERIALIZED ({placed}) SELECT (SELECT count(*) FROM placed AS one, placed AS other WHERE NOT one.behind AND "
        "other.behind AND other.low <= one.high AND other.high >= one.low), (SELECT count(*) FROM placed WHERE NOT behind)"
    )
    return bool(met >= TAIL_DEPTH.default * max(1, groups))
