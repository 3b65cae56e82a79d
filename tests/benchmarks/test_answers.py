"""The comparison that decides what is called wrong."""

from __future__ import annotations

import math

import duckdb
import pytest

from benchmarks.answers import Answer, difference
from benchmarks.columns import ask

ROWS_WITHOUT_ORDER = "SELECT a, sum(b) FROM t GROUP BY a"


def answer(*rows: tuple[object, ...], types: str = "BIGINT") -> Answer:
    return Answer((("a", types),), list(rows))


def test_equal_answers_do_not_differ() -> None:
    assert difference("SELECT a FROM t", answer((1,), (None,)), answer((1,), (None,)), 10) == ""


@pytest.mark.parametrize(
    "other",
    [
        answer((2,), (1,)),
        answer((1,)),
        answer((1,), (3,)),
        answer((1,), (2,), types="INTEGER"),
        Answer((("A", "BIGINT"),), [(1,), (2,)]),
        Answer((), [], error="CatalogException: gone"),
    ],
    ids=["sequence", "fewer", "value", "type", "name", "error"],
)
def test_what_must_not_pass_is_told(other: Answer) -> None:
    assert difference("SELECT a FROM t", answer((1,), (2,)), other, 10)


def test_groups_have_no_sequence_unless_they_are_ordered() -> None:
    one, other = answer(("x", 1.5), ("y", 2.5)), answer(("y", 2.5), ("x", 1.5))
    assert difference(ROWS_WITHOUT_ORDER, one, other, 10) == ""
    assert difference(ROWS_WITHOUT_ORDER + " ORDER BY 2", one, other, 10)
    assert difference(ROWS_WITHOUT_ORDER, one, answer(("y", 2.5), ("y", 2.5)), 10)


def test_a_set_operation_that_keeps_duplicates_keeps_its_sequence() -> None:
    one, other = answer((1,), (2,)), answer((2,), (1,))
    assert difference("SELECT a FROM t UNION ALL SELECT a FROM u", one, other, 10)
    assert difference("SELECT a FROM t UNION SELECT a FROM u", one, other, 10) == ""


def test_floats_may_differ_by_the_rounding_of_a_sum_and_no_more() -> None:
    exact = answer((1.0, math.nan))
    assert difference("SELECT a FROM t", exact, answer((1.0 + 2**-50, math.nan)), 1000) == ""
    assert difference("SELECT a FROM t", exact, answer((1.0 + 2**-40, math.nan)), 1000)
    assert difference("SELECT a FROM t", exact, answer((1.0, 0.0)), 1000)


def test_the_same_error_on_both_sides_is_the_same_answer() -> None:
    connection = duckdb.connect()
    failed = ask(connection, "SELECT x FROM nowhere")
    assert "CatalogException" in failed.error
    assert difference("SELECT x FROM nowhere", failed, ask(connection, "SELECT x FROM nowhere"), 1) == ""
    connection.close()


def test_names_and_types_are_told_for_empty_results_too() -> None:
    connection = duckdb.connect()
    empty = ask(connection, "SELECT 1::DECIMAL(9,2) AS d, 'x' AS s WHERE false")
    assert empty.rows == []
    assert empty.columns == (("d", "DECIMAL(9,2)"), ("s", "VARCHAR"))
    connection.close()
