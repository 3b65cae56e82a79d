"""When a copy with a long tail is sorted again, so that all rewriting stays within a constant factor of what was appended.

Each refresh puts the rows that came behind the others, in the copy's order among themselves. One large run is skipped by its own zone
maps; many short ones are not, for each holds all keys and they share row groups. Once the tail is a share s of the sorted rows, and
a statement that needs one row group of these would read several of it, the copy is built anew. That writes (1 + s) / s rows for each
row of the tail, which is sorted then: in all no more than 2 + 1 / s times the rows that were ever appended, however they came, their
own appending counted in.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.constants import ROW_GROUP_ROWS, TAIL_DEPTH, TAIL_SHARE
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import has_plain_values, literal
from sartor.engines.base import Engine
from sartor.freshness.residual import relation


def is_long(coverage: Coverage) -> bool:
    """Whether the tail of a copy is so long that sorting it again may pay; less than a row group is read as a whole in any case.

    >>> [is_long(Coverage(-1, 1_000_000, True, unsorted=rows)) for rows in (100_000, 190_000, 210_000)]
    [False, False, True]
    """
    return coverage.unsorted > max(ROW_GROUP_ROWS.default, TAIL_SHARE.default * (coverage.rows - coverage.unsorted))


def is_deep(engine: Engine, copy: DerivedObject, columns: Sequence[str]) -> bool:
    """Whether a statement that needs one row group of the sorted rows reads several of the tail, by the bounds that are stored.

    Args:
        columns: that the copy is ordered by, those of which a row group holds a narrow range.
    """
    kinds = {name: kind for name, kind, *_ in engine.rows(f"DESCRIBE {relation(copy)}")}
    if not all(has_plain_values(kinds.get(name, "")) for name in columns):
        return True
    ends = [
        f"{end}(CASE WHEN column_name = {literal(name)} THEN stats.{end}::{kinds[name]} END) AS {end}_{number}"
        for number, name in enumerate(columns)
        for end in ("min", "max")
    ]
    bounds = (
        f"SELECT row_group_id, {', '.join(ends)}, sum(count) FILTER (column_name = {literal(columns[0])}) AS rows "
        f"FROM pragma_storage_info({literal(relation(copy))}) WHERE segment_type <> 'VALIDITY' "
        f"AND column_name IN ({', '.join(map(literal, columns))}) GROUP BY row_group_id"
    )
    placed = (
        f"SELECT *, sum(rows) OVER (ORDER BY row_group_id) > {copy.coverage.rows - copy.coverage.unsorted} AS behind FROM ({bounds})"
    )
    meet = [f"other.min_{number} <= one.max_{number} AND other.max_{number} >= one.min_{number}" for number in range(len(columns))]
    ((met, groups),) = engine.rows(
        f"WITH placed AS MATERIALIZED ({placed}) SELECT (SELECT count(*) FROM placed AS one, placed AS other WHERE NOT one.behind AND "
        f"other.behind AND {' AND '.join(meet)}), (SELECT count(*) FROM placed WHERE NOT behind)"
    )
    return bool(met >= TAIL_DEPTH.default * max(1, groups))
