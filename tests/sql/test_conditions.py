"""Whether conditions imply others, held against DuckDB's own answers."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.core.block import Bound
from sartor.core.view import Condition
from sartor.sql.matching.conditions import implies
from sartor.sql.matching.found import Within

_COLUMN = ("main.t", "x")
_DUCKDB = duckdb.connect()
_NUMBERS = st.integers(-3, 6).map(str) | st.sampled_from(["0.5", "2.50", "-1.5"])
_TEXTS = st.sampled_from(["''", "'a'", "'B'", "'b'", "'it''s'", "'é'", "'zz'"])
_DAYS = st.sampled_from(["'2024-01-01'", "'2024-02-29'", "'2023-12-31'", "'2024-10-01'"])
_KINDS = {"number": (_NUMBERS, "DECIMAL(9,2)"), "text": (_TEXTS, "VARCHAR"), "date": (_DAYS, "DATE")}
_VALUES = {
    "number": [f"{n / 4}::DECIMAL(9,2)" for n in range(-20, 30)],
    "text": ["''", "'A'", "'a'", "'aa'", "'B'", "'b'", "'it''s'", "'z'", "'zz'", "'zzz'", "'é'", "'ü'"],
    "date": [f"DATE '2023-12-29' + {n}" for n in range(0, 330, 3)],
}


@st.composite
def _conditions(draw: st.DrawFn, kind: str) -> list[tuple[str, tuple[str, ...]]]:
    values = _KINDS[kind][0]
    found = []
    for _ in range(draw(st.integers(1, 2))):
        operator = draw(st.sampled_from(["=", "<", "<=", ">", ">=", "between", "in"]))
        if operator == "in":
            found.append((operator, ("(" + ", ".join(draw(st.lists(values, min_size=1, max_size=3))) + ")",)))
        else:
            found.append((operator, tuple(draw(values) for _ in range(2 if operator == "between" else 1))))
    return found


def _sql(conditions: list[tuple[str, tuple[str, ...]]]) -> str:
    return " AND ".join(
        f"x BETWEEN {v[0]} AND {v[1]}" if operator == "between" else f"x {operator} {v[0]}" for operator, v in conditions
    )


def _guard(
    asked: list[tuple[str, tuple[str, ...]]], held: list[tuple[str, tuple[str, ...]]], kind: str, exactly: bool
) -> tuple[Within, tuple[str, ...]]:
    words: list[str] = []
    bounds = []
    for operator, values in asked:
        bounds.append(Bound(_COLUMN, operator, tuple((len(words) + n, len(words) + n) for n in range(len(values))), kind))
        words += values
    conditions = tuple(Condition("", "", _COLUMN, operator, values, kind) for operator, values in held)
    return Within(tuple(bounds), conditions, exactly), tuple(words)


@pytest.mark.parametrize("kind", _KINDS)
@given(data=st.data())
def test_what_is_implied_holds_for_every_value(kind: str, data: st.DataObject) -> None:
    asked, held = data.draw(_conditions(kind)), data.draw(_conditions(kind))
    values = ", ".join(f"({value})" for value in _VALUES[kind])
    rows = f"(VALUES {values}, (NULL)) t(x)"
    outside, inside = _DUCKDB.execute(
        f"SELECT count(*) FILTER (WHERE ({_sql(asked)}) AND NOT ({_sql(held)})), "
        f"count(*) FILTER (WHERE ({_sql(held)}) AND NOT ({_sql(asked)})) FROM {rows}"
    ).fetchall()[0]
    guard, words = _guard(asked, held, kind, False)
    if implies(guard, words):
        assert outside == 0
    guard, words = _guard(asked, held, kind, True)
    if implies(guard, words):
        assert (outside, inside) == (0, 0)


@pytest.mark.parametrize(
    ("asked", "held", "kind", "expected"),
    [
        (">", ">=", "number", True),
        (">=", ">", "number", False),
        ("=", "between", "number", False),
        ("=", "in", "text", True),
    ],
)
def test_examples(asked: str, held: str, kind: str, expected: bool) -> None:
    literal = "'a'" if kind == "text" else "5"
    values = {"between": ("6", "9"), "in": (f"({literal}, 'b')",)}.get(held, (literal,))
    guard, words = _guard([(asked, (literal,))], [(held, values)], kind, False)
    assert implies(guard, words) is expected


def test_a_literal_written_with_escapes_implies_nothing() -> None:
    guard, words = _guard([(">=", (r"E'\x41'",))], [(">=", ("'A'",))], "text", False)
    assert not implies(guard, words)
