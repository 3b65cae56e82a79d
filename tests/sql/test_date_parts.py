"""The table of parts of dates beside DuckDB itself: what a unit is said to tell it tells of every day, and nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest
import sqlglot

from sartor.sql.date_parts import TELLS, UNITS, unit_of

_NAMES = (
    "year decade century millennium era quarter month monthname last_day week weekofyear isoyear yearweek day dayofmonth dayofweek "
    "weekday isodow dayofyear dayname"
).split()
_TRUNCATED = ("millennium", "century", "decade", "isoyear", *UNITS)
PARTS = (
    *(f"{name}(d)" for name in (*_NAMES, "hour", "minute", "second")),
    *(f"date_trunc('{unit}', d)" for unit in _TRUNCATED),
    *(f"extract({name} FROM d)" for name in ("year", "decade", "century", "era", "quarter", "week", "isoyear", "dow", "doy", "hour")),
    *(f"date_part('{name}', d)" for name in ("YEAR", "millennium", "Month", "yearweek", "isodow", "minute")),
    *(f"strftime(d, '{written}')" for written in ("%Y", "%y-%m", "%b %Y", "%B", "%-d.%-m.%Y", "%j", "%A %a", "%H h", "%H:%M", "%S")),
    "d::DATE",
    "year(d::DATE)",
    "date_trunc('quarter', CAST(d AS DATE))",
)
NONE = (
    "epoch(d)",
    "strftime(d, '%V')",
    "strftime(d, 'text')",
    "hour(d::DATE)",
    "date_trunc('dow', d)",
    "d + INTERVAL 1 DAY",
    "year(d + 1)",
)


@pytest.fixture(scope="module")
def moments() -> Iterator[duckdb.DuckDBPyConnection]:
    """Moments of all centuries around ours, of the years around Christ's birth, far away, NULL and infinity."""
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("CREATE TABLE moments (d TIMESTAMP)")
        for first in ("0005-01-01 (BC)", "0995-01-01", "1996-01-01"):
            con.execute(f"INSERT INTO moments SELECT TIMESTAMP '{first} 00:00:00' + to_hours(i * 25) FROM range(3000) r(i)")
        con.execute("INSERT INTO moments SELECT TIMESTAMP '2019-12-25' + to_seconds(i * 60011) FROM range(2000) r(i)")
        con.execute("INSERT INTO moments SELECT TIMESTAMP '2024-02-28' + to_milliseconds(i * 700) FROM range(2000) r(i)")
        con.execute(
            "INSERT INTO moments VALUES (NULL), ('infinity'), ('-infinity'), ('200000-07-31 23:59:59'), ('9999-12-31 12:00:00')"
        )
        yield con


def needed(part: str) -> str:
    return unit_of(sqlglot.parse_one(part, read="duckdb"), lambda column: "TIMESTAMP")


@pytest.mark.parametrize("part", PARTS)
def test_a_unit_tells_what_it_is_said_to_tell_and_no_more(moments: duckdb.DuckDBPyConnection, part: str) -> None:
    assert needed(part) in UNITS
    beginnings = [re.sub(r"(?<!-)\bd\b", f"date_trunc('{unit}', d)", part) for unit in UNITS]
    counts = ", ".join(f"count(*) FILTER ({part} IS DISTINCT FROM {beginning})" for beginning in beginnings)
    for unit, wrong in zip(UNITS, moments.execute(f"SELECT {counts} FROM moments").fetchall()[0], strict=True):
        by_chance = ("era" in part, unit) == (True, "week")  # the year 1 begins on a Monday
        assert (wrong == 0) is (needed(part) in TELLS[unit] or by_chance), (part, unit, wrong)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP"])
def test_beginnings_of_days_are_of_the_type_of_the_column(moments: duckdb.DuckDBPyConnection, part: str, kind: str) -> None:
    """What a view holds is cast to the column's type, so that infinity stays itself and the part has its type."""
    of_column = f"SELECT d::{kind} AS d FROM moments WHERE minute(d) < 9 OR minute(d) IS NULL"
    for unit in UNITS:
        if needed(part) in TELLS[unit]:
            of_key = f"SELECT CAST(date_trunc('{unit}', d) AS {kind}) AS d FROM ({of_column})"
            one, other = (f"SELECT typeof({part}) AS t, {part} AS p FROM ({rows})" for rows in (of_column, of_key))
            assert moments.execute(f"{one} EXCEPT ALL {other}").fetchall() == []


@pytest.mark.parametrize("text", NONE)
def test_what_no_unit_tells(text: str) -> None:
    assert needed(text) == ""


def test_of_other_types_nothing_is_told() -> None:
    node = sqlglot.parse_one("year(d)", read="duckdb")
    assert [unit_of(node, lambda column, kind=kind: kind) for kind in ("DATE", "TIMESTAMP WITH TIME ZONE", "VARCHAR", "")] == [
        "year",
        "",
        "",
        "",
    ]
