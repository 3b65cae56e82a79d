"""Variances put together of whole numbers: as exact as a DOUBLE can be, and never out of range."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

import duckdb
import pytest

from sartor.sql.matching.moments import DIGITS, MOMENTS, moment, square

_ULPS = 8  # rounded a few times
_MOST = 10**14


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as opened:
        yield opened


def exact(groups: Sequence[tuple[int, Fraction]]) -> dict[str, Fraction | None]:
    """The variances of values that come so many times."""
    n = sum(count for count, _ in groups)
    mean = sum(count * value for count, value in groups) / n
    squared = sum(count * (value - mean) ** 2 for count, value in groups)
    return {"var_pop": squared / n, "var_samp": squared / (n - 1) if n > 1 else None}


def _times(value: str, count: int) -> str:
    with localcontext(prec=60):
        return f"{Decimal(value) * count:f}"


def put_together(con: duckdb.DuckDBPyConnection, groups: Sequence[tuple[int, str]], kind: str, scale: int) -> dict[str, float | None]:
    """What is computed of the states of groups, in each of which one value comes so many times."""
    total = f"DECIMAL(38, {scale})" if scale else "HUGEINT"
    rows = ", ".join(f"({count}::BIGINT, CAST('{value}' AS {kind}), '{_times(value, count)}'::{total})" for count, value in groups)
    squares = f"({square('x', scale)}) * n"
    con.execute(f"CREATE OR REPLACE TEMP TABLE v AS SELECT n, s, {squares} AS q FROM (VALUES {rows}) t(n, x, s)")
    functions = sorted(MOMENTS)
    row = con.execute(f"SELECT {', '.join(_sql(function, scale) for function in functions)} FROM v").fetchall()[0]
    return dict(zip(functions, row, strict=True))


def _sql(function: str, scale: int) -> str:
    return "".join(map(str, moment(function, (("sum(n)",), ("sum(s)",), ("sum(q)",)), scale)))


@pytest.mark.parametrize(
    ("groups", "kind", "scale"),
    [
        ([(1, "7")], "SMALLINT", 0),
        ([(3, "-2147483648"), (2, "2147483647")], "INTEGER", 0),
        ([(_MOST // 2, "-2147483648"), (_MOST // 2, "2147483647")], "INTEGER", 0),
        ([(_MOST // 2, "0"), (_MOST // 2, "4294967295")], "UINTEGER", 0),
        ([(_MOST - 1, "4294967295"), (1, "4294967294")], "UINTEGER", 0),
        ([(_MOST - 1, "5"), (1, "6")], "TINYINT", 0),
        ([(10**9, "1000000"), (10**9, "1000001")], "INTEGER", 0),
        ([(1, "1000000"), (2, "1000001"), (4, "1000003")], "INTEGER", 0),
        ([(_MOST - 9, "999999999999"), (9, "999999999998")], "DECIMAL(12,0)", 0),
        ([(_MOST // 2, "-999999999999"), (_MOST // 2, "999999999999")], "DECIMAL(12,0)", 0),
        ([(_MOST // 2, "-9999999999.99"), (_MOST // 2, "9999999999.99")], "DECIMAL(12,2)", 2),
        ([(7, "9999999999.99"), (5, "9999999999.98")], "DECIMAL(12,2)", 2),
        ([(_MOST // 4, "0.999999999999"), (_MOST // 4, "-0.999999999999"), (3, "0.1")], "DECIMAL(12,12)", 12),
        ([(3, "0.01"), (2, "0.02"), (6, "-0.03")], "DECIMAL(4,2)", 2),
        ([(10**6, "1234567.8"), (10**6 + 1, "1234567.7")], "DECIMAL(9,1)", 1),
    ],
)
def test_as_exact_as_it_can_be(con: duckdb.DuckDBPyConnection, groups: Sequence[tuple[int, str]], kind: str, scale: int) -> None:
    wanted = exact([(count, Fraction(value)) for count, value in groups])
    found = put_together(con, groups, kind, scale)
    for name, variance in wanted.items():
        for function, value in ((name, found[name]), (name.replace("var", "stddev"), found[name.replace("var", "stddev")])):
            if variance is None:
                assert value is None
                continue
            expected = float(variance) if function.startswith("var") else math.sqrt(variance)
            assert value is not None
            assert abs(value - expected) <= _ULPS * math.ulp(expected), (function, value, expected)


@pytest.mark.parametrize("value", ["0", "-1", "999999999999", "0.1", "-3333.33"])
def test_equal_values_do_not_vary(con: duckdb.DuckDBPyConnection, value: str) -> None:
    scale = len(value.partition(".")[2])
    found = put_together(con, [(3, value), (1, value), (10**7, value)], f"DECIMAL({DIGITS},{scale})", scale)
    assert [(found[name], math.copysign(1, found[name] or 0.0)) for name in sorted(found)] == [(0.0, 1.0)] * len(MOMENTS)


def test_of_no_values(con: duckdb.DuckDBPyConnection) -> None:
    none = "(SELECT 0::BIGINT AS n, NULL::HUGEINT AS s, NULL::HUGEINT AS q)"
    assert [con.execute(f"SELECT {_sql(function, 0)} FROM {none}").fetchall() for function in sorted(MOMENTS)] == [[(None,)]] * len(
        MOMENTS
    )


@pytest.mark.parametrize("rows", [1, 2, 5, 1000])
def test_of_many_small_groups(con: duckdb.DuckDBPyConnection, rows: int) -> None:
    """As plain DuckDB computes it, where this loses little."""
    for seed in range(20):
        values = [(1, f"{((i + 1) * (seed + 3) * 7919 % 20011 - 9000) / 100:.2f}") for i in range(rows)]
        found = put_together(con, values, "DECIMAL(9,2)", 2)
        for function, value in found.items():
            plain = con.execute(f"SELECT {function}(x / 100.0) FROM (SELECT round(s * 100) AS x FROM v)").fetchall()[0][0]
            assert (value is None) == (plain is None)
            assert value is None or math.isclose(value, plain, rel_tol=1e-11, abs_tol=1e-9)
