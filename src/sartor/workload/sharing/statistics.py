"""Shares, counts and ranks of a table's columns, computed in the engine so that no value leaves it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import duckdb

from sartor.core.constants import EXPORT_BATCH, EXPORT_DEPTHS, EXPORT_FREQUENT, EXPORT_ROWS, KEY_DISTINCT_SHARE, SAMPLE_ROWS
from sartor.core.table import Column, TableInfo, quote
from sartor.workload.sharing.anonymise import PATTERNS
from sartor.workload.sharing.document import Position, SharedColumn, carried_type

Rows = Callable[[str], list[tuple[Any, ...]]]
"""Runs a SELECT on the user's database."""

Asked = tuple[str, str, str]
"""Subject, operator and constant, all as the user's SQL."""

_DIGITS = 9  # a share of one row in a billion


def column_statistics(rows: Rows, info: TableInfo, count: int, column: Column, name: str) -> SharedColumn:
    """How a column's values lie.

    Args:
        count: the table's rows.
        name: the column's name in the export.
    """
    kind = carried_type(column.type)
    value = quote(column.name) if kind == column.type else f"{quote(column.name)}::VARCHAR"
    present, length = rows(f"SELECT count({value}), coalesce(avg(length({value}::VARCHAR)), 0) FROM {info.source}")[0]
    nulls = round(1 - present / count, _DIGITS) if count else 0.0
    if not present:
        return SharedColumn(name, kind, column.nullable, 0, nulls, (), 0.0, 0)
    sample = sampled(info, count, int(EXPORT_ROWS.default))
    values = f"SELECT {value} AS v FROM {sample} WHERE {value} IS NOT NULL"
    distinct, histogram = _histogram(rows, values)
    if sample != str(info.source):
        distinct = _estimated(rows, values, present, info.distinct.get(column.name.lower(), present))
    correlation = 0.0 if info.has_rowid_column else _correlation(rows, info, value, count)
    letters = round(length) if kind in ("VARCHAR", "JSON", "BLOB") else 0
    return SharedColumn(name, kind, column.nullable, distinct, nulls, histogram, correlation, letters)


def sampled(info: TableInfo, count: int, wanted: int) -> str:
    """A table, or an even sample of its rows if it has many more than wanted, as a FROM item."""
    stride = count // wanted
    if stride < 2:
        return str(info.source)
    if info.has_rowid_column:
        return f"(FROM {info.source} USING SAMPLE {wanted} ROWS (reservoir, 1))"
    return f"(SELECT * FROM {info.source} WHERE rowid % {stride} = 0)"


def _estimated(rows: Rows, values: str, present: int, approximate: int) -> int:
    """How many distinct values a column has, of which a sample was seen: Chao's estimate, or the engine's where that is less.

    Rows of one value often stand together, so that an even sample sees each value once; of that the engine's own count knows.
    """
    seen, singles, doubles = rows(
        f"SELECT count(*), count(*) FILTER (n = 1), count(*) FILTER (n = 2) FROM (SELECT count(*) AS n FROM ({values}) GROUP BY v)"
    )[0]
    if singles == seen and approximate >= KEY_DISTINCT_SHARE.default * present:
        return present
    unseen = singles * singles // max(1, 2 * doubles)
    return int(min(present, seen + unseen, max(seen, approximate)))


def _histogram(rows: Rows, values: str) -> tuple[int, tuple[tuple[float, float], ...]]:
    """Distinct values, and the shares at quantiles and around the values that are more frequent than most."""
    found = rows(
        f"WITH g AS (SELECT v, count(*) AS n FROM ({values}) GROUP BY v), "
        "r AS (SELECT n, row_number() OVER (ORDER BY v) AS place, sum(n) OVER (ORDER BY v ROWS UNBOUNDED PRECEDING) AS upto, "
        "row_number() OVER (ORDER BY n DESC) AS frequent, count(*) OVER () AS distinct_values, sum(n) OVER () AS total FROM g) "
        "SELECT place, upto - n, upto, distinct_values, total FROM r "
        f"WHERE (frequent <= {EXPORT_FREQUENT.default} AND n * distinct_values > 2 * total) "
        f"OR upto * {EXPORT_DEPTHS.default} // total > (upto - n) * {EXPORT_DEPTHS.default} // total"
    )
    distinct, total = int(found[0][3]), int(found[0][4])
    points = {(0.0, 0.0), (1.0, 1.0)}
    for place, below, upto, _, _ in found:
        points.add((round((place - 1) / distinct, _DIGITS), round(float(below) / total, _DIGITS)))
        points.add((round(place / distinct, _DIGITS), round(float(upto) / total, _DIGITS)))
    return distinct, tuple(sorted(points))


def _correlation(rows: Rows, info: TableInfo, value: str, count: int) -> float:
    stride = count // int(SAMPLE_ROWS.default) + 1
    found = rows(
        f"WITH s AS (SELECT {value} AS v, rowid AS p FROM {info.source} WHERE {value} IS NOT NULL AND rowid % {stride} = 0), "
        "r AS (SELECT p, rank() OVER (ORDER BY v) + (count(*) OVER (PARTITION BY v) - 1) / 2.0 AS r FROM s) "
        "SELECT CASE WHEN min(r) < max(r) THEN corr(r, p) END FROM r"
    )[0][0]
    return round(found, _DIGITS) if found is not None and math.isfinite(found) else 0.0


def positions(rows: Rows, sample: str, asked: Iterable[Asked]) -> dict[Asked, Position]:
    """Where constants lie in what they are compared with; those that the engine can not compare with it are absent."""
    wanted, size = sorted(set(asked)), int(EXPORT_BATCH.default)
    found: dict[Asked, Position] = {}
    for batch in (wanted[start : start + size] for start in range(0, len(wanted), size)):
        try:
            found |= _placed(rows, sample, batch)
        except duckdb.Error:
            for one in batch:
                try:
                    found |= _placed(rows, sample, [one])
                except duckdb.Error:
                    continue
    return found


def _placed(rows: Rows, sample: str, batch: list[Asked]) -> dict[Asked, Position]:
    calls, patterns = [], {}
    for one in batch:
        subject, operator, constant = one
        less, equal = f"({subject}) < ({constant})", f"({subject}) = ({constant})"
        if operator in PATTERNS:
            patterns[one] = pattern = str(rows(f"SELECT {constant}")[0][0])
            begin = pattern.partition("%")[0].partition("_")[0].replace("'", "''")
            less, equal = f"({subject})::VARCHAR < '{begin}'", f"({subject}) {operator} ({constant})"
        calls += [f"count(*) FILTER ({less})", f"count(*) FILTER ({equal})", f"count({subject})"]
    counts = rows(f"SELECT {', '.join(calls)} FROM {sample}")[0]
    found = {}
    for one, less, equal, total in zip(batch, counts[::3], counts[1::3], counts[2::3], strict=True):
        if not total:
            continue
        upto = round(min(total, less + equal) / total, _DIGITS)
        below = round(min(total - equal, less) / total, _DIGITS)
        found[one] = Position(below, upto, shape_of(patterns[one]) if one in patterns else "")
    return found


def shape_of(pattern: str) -> str:
    """What kind of pattern it is, without its text.

    >>> [shape_of(pattern) for pattern in ("a", "a%", "%a", "%a%", "a_b%c")]
    ['exact', 'prefix', 'suffix', 'contains', 'other']
    """
    bare = pattern.strip("%")
    if "%" in bare or "_" in bare:
        return "other"
    begins, ends = pattern.startswith("%"), pattern.endswith("%")
    return {(False, False): "exact", (False, True): "prefix", (True, False): "suffix", (True, True): "contains"}[begins, ends]
