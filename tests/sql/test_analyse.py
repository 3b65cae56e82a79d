"""What may be replaced: each statement of the fixture as it says, and served from shuffled copies without a difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sql.served import Served

from sartor.core.analysis import Analysis, RowOrder
from sartor.core.predicate import JoinEdge, Operator
from sartor.core.table import TableName

FIXTURE = Path(__file__).parents[1] / "fixtures" / "analyse.sql"


def _cases() -> list[tuple[str, str]]:
    lines = [line for line in FIXTURE.read_text().splitlines() if line and not line.startswith("--")]
    return [(text, expected) for text, _, expected in (line.rpartition("; -- ") for line in lines)]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.connection.close()


def outcome(analysis: Analysis) -> str:
    if analysis.refusal is not None:
        return "refused"
    said = []
    for reference in analysis.references:
        assert isinstance(reference.source, TableName)
        verdict = reference.order.value if reference.refusal is None else "refused"
        said.append(f"{reference.source.name.replace(' ', '_')}:{verdict}")
    return " ".join(said) or "nothing"


def is_ordered(text: str, analysis: Analysis) -> bool:
    """Whether rows must come in plain's order: where they are ordered, and where a selection hands them out."""
    return " order by " in text.lower() or any(item.order is RowOrder.BASE for item in analysis.references)


@pytest.mark.parametrize(("text", "expected"), _cases())
def test_fixture(served: Served, text: str, expected: str) -> None:
    analysis = served.analyse(text)
    assert outcome(analysis) == expected
    if expected == "refused":
        assert analysis.refusal
        assert served.serve(text, analysis) == text
    else:
        assert served.difference(text, ordered=is_ordered(text, analysis)) == ""


def test_the_fixture_holds_enough_of_each() -> None:
    expected = [verdict for _, verdict in _cases()]
    assert len(expected) >= 200
    assert sum("free" in verdict for verdict in expected) >= 80
    assert sum("base" in verdict for verdict in expected) >= 40
    assert sum("refused" in verdict for verdict in expected) >= 80


def test_columns_are_those_that_are_read(served: Served) -> None:
    def columns(text: str) -> list[tuple[str, ...]]:
        return [reference.columns for reference in served.analyse(text).references]

    assert columns("SELECT V, count(*) FROM items WHERE G > 1 GROUP BY v ORDER BY v") == [("g", "v")]
    assert columns("SELECT o.* FROM orders o") == [("id", "customer", "status", "total", "placed", "g")]
    assert columns("SELECT count(*) FROM items i JOIN orders o USING (id)") == [("id",), ("id",)]
    assert columns("SELECT count(*) FROM items") == [()]
    assert columns("SELECT s.f FROM items") == [("s",)]
    assert columns("SELECT i.id FROM items i WHERE EXISTS (FROM orders o WHERE o.id = i.order_id)")[:1] in ([], [("id", "order_id")])


def test_predicates_and_joins(served: Served) -> None:
    analysis = served.analyse(
        "SELECT count(*) FROM items i JOIN orders o ON i.order_id = o.id AND o.total > 5"
        " WHERE i.g = 3 AND i.d BETWEEN '2020-01-01' AND '2020-02-01' AND h LIKE 'a%' AND code IN ('1', '2')"
        " AND i.n IS NULL AND 7 < p AND (i.g = 1 OR v > 2) AND status = ?"
    )
    items, orders = analysis.references
    found = {(item.column, item.operator) for item in items.predicates}
    assert found >= {
        ("g", Operator.EQUAL),
        ("d", Operator.BETWEEN),
        ("h", Operator.LIKE),
        ("code", Operator.IN),
        ("n", Operator.IS_NULL),
        ("p", Operator.GREATER),
        ("", Operator.OTHER),
    }
    assert {(item.column, item.operator) for item in orders.predicates} == {
        ("total", Operator.GREATER),
        ("status", Operator.EQUAL),
    }
    assert analysis.joins == (JoinEdge(0, "order_id", 1, "id", inner=True),)
    for predicate in (*items.predicates, *orders.predicates):
        if predicate.sql is not None:
            table = "items" if predicate in items.predicates else "orders"
            assert served.answer(f"SELECT count(*) FROM {table} WHERE {predicate.sql}").error == ""
        else:
            assert predicate.column == "status"


def test_group_keys(served: Served) -> None:
    analysis = served.analyse("SELECT h AS k, date_trunc('month', d), sum(p) FROM items GROUP BY k, 2")
    assert analysis.references[0].group_keys == ("h", "d")


def test_a_sequence_of_groups_is_told(served: Served) -> None:
    def sequence(text: str) -> list[bool]:
        return [reference.sequence for reference in served.analyse(text).references]

    assert sequence("SELECT h, count(*) FROM items GROUP BY h ORDER BY count(*) LIMIT 2") == [True]
    assert sequence("SELECT h, count(*) FROM items GROUP BY h ORDER BY h LIMIT 2") == [False]


@pytest.mark.parametrize(
    "text",
    ["", "not sql at all", "select", "select (", "select 'a", "delete from items", "\ud800", "select * from", "((((", "select\u00a01"],
)
def test_never_raises(served: Served, text: str) -> None:
    analysis = served.analyse(text)
    assert analysis.refusal is not None or analysis.references == ()


def test_deep_nesting_is_refused_or_read(served: Served) -> None:
    text = "SELECT count(*) FROM items WHERE " + "(" * 3000 + "g = 1" + ")" * 3000
    assert served.analyse(text).digest


def test_relations_are_understood(served: Served) -> None:
    texts: list[str] = []
    relation = served.connection.sql("select g, sum(p) as x from items where d > '2020-02-01' group by g")
    texts.append(relation.filter("x > 10").order("x desc").limit(3).sql_query())
    texts.append(served.connection.table("items").filter("id < 100").aggregate("count(*), max(p)").sql_query())
    texts.append(served.connection.sql("from items").filter("g = 2").project("id, h").sql_query())
    for text in texts:
        analysis = served.analyse(text)
        assert analysis.refusal is None, text
        assert [reference.refusal for reference in analysis.references] == [None]
        assert served.difference(text, ordered=is_ordered(text, analysis)) == ""
