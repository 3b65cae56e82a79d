"""Shares, counts and ranks of a table's columns, computed in the engine so that no value leaves it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
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
    value = _carried(column)
    is_text = kind in ("VARCHAR", "JSON", "BLOB")
    length = f"coalesce(round(avg(length({value}::VARCHAR))), 0)::BIGINT" if is_text else "0"
    present, letters = rows(f"SELECT count({value}), {length} FROM {info.source}")[0]
    nulls = round(1 - present / count, _DIGITS) if count else 0.0
    if not present:
        return SharedColumn(name, kind, column.nullable, 0, nulls, (), 0.0, 0)
    sample = sampled(info, count, int(EXPORT_ROWS.default))
    values = f"SELECT {value} AS v FROM {sample} WHERE {value} IS NOT NULL"
    distinct, histogram = _histogram(rows, values)
    if sample != str(info.source):
        distinct = _estimated(rows, values, present, info.distinct.get(column.name.lower(), present))
    correlation = 0.0 if info.has_rowid_column else _correlation(rows, info, value, count)
    return SharedColumn(name, kind, column.nullable, distinct, nulls, histogram, correlation, letters)


def _carried(column: Column) -> str:
    """A column's values as the export takes them."""
    return quote(column.name) if carried_type(column.type) == column.type else f"{quote(column.name)}::VARCHAR"


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


def positions(rows: Rows, info: TableInfo, sample: str, asked: Iterable[Asked]) -> dict[Asked, Position]:
    """Where constants lie in what they are compared with; those that the engine can not compare with it are absent."""
    carried = {quote(column.name): _carried(column) for column in info.columns}
    by_subject: dict[str, list[Asked]] = defaultdict(list)
    for one in sorted(set(asked)):
        by_subject[one[0]].append(one)
    size, found = int(EXPORT_BATCH.default), dict[Asked, Position]()
    for subject, wanted in by_subject.items():
        values = (
            f"SELECT v, count(*) AS n FROM (SELECT {carried.get(subject, subject)} AS v FROM {sample}) WHERE v IS NOT NULL GROUP BY v"
        )
        for batch in (wanted[start : start + size] for start in range(0, len(wanted), size)):
            try:
                found |= _placed(rows, values, batch)
            except duckdb.Error:
                for one in batch:
                    with suppress(duckdb.Error):
                        found |= _placed(rows, values, [one])
    return found


def _placed(rows: Rows, values: str, batch: list[Asked]) -> dict[Asked, Position]:
    calls, patterns = [], {}
    for one in batch:
        _, operator, constant = one
        less, equal = f"v < ({constant})", f"v = ({constant})"
        if operator in PATTERNS:
            patterns[one] = pattern = str(rows(f"SELECT {constant}")[0][0])
            begin = pattern.partition("%")[0].partition("_")[0].replace("'", "''")
            less, equal = f"v::VARCHAR < '{begin}'", f"v {operator} ({constant})"
        calls += [f"coalesce(sum(n) FILTER ({less}), 0)", f"coalesce(sum(n) FILTER ({equal}), 0)"]
    *counts, total = (int(number or 0) for number in rows(f"SELECT {', '.join(calls)}, sum(n) FROM ({values})")[0])
    if not total:
        return {}
    found = {}
    for one, lesser, same in zip(batch, counts[::2], counts[1::2], strict=True):
        upto = round(min(total, lesser + same) / total, _DIGITS)
        below = round(min(total - same, lesser) / total, _DIGITS)
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
