"""Which conjuncts of WHERE may have their truth stored, and the text that they are known by."""

from __future__ import annotations

import pytest

from sartor.core.analysis import Analysis
from sartor.core.table import Catalog, Column, TableInfo, TableName
from sartor.sql.analyse import analyse
from sartor.sql.fingerprint import fingerprint

_KINDS = {
    "a": "INTEGER",
    "b": "INTEGER",
    "Note": "VARCHAR",
    "d": "DATE",
    "m": "DECIMAL(9,2)",
    "x": "DOUBLE",
    "z": "TIMESTAMP WITH TIME ZONE",
}
_T = TableInfo(TableName("db", "main", "t"), tuple(Column(name, kind) for name, kind in _KINDS.items()), 1_000)
_U = TableInfo(TableName("db", "main", "u"), (Column("a", "INTEGER"), Column("y", "VARCHAR")), 1_000)
_CATALOG = Catalog("db", (_T, _U))


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("note LIKE '%x%'", ["\"Note\" LIKE '%x%'"]),
        ("t.NOTE not like '%X%' AND a BETWEEN 1 AND 2", ["\"Note\" NOT LIKE '%X%'"]),
        ("a in (1,2) and not (a = 3 or b < 4)", ['"a" IN (1,2)', 'NOT ( "a" = 3 OR "b" < 4 )']),
        ("a < b AND d BETWEEN DATE '2024-01-01' AND DATE '2024-02-01' AND b <> -5", ['"a" < "b"', '"b" <> - 5']),
        ("case when a > 1 and b > 2 then true else false end", ['CASE WHEN "a" > 1 AND "b" > 2 THEN TRUE ELSE FALSE END']),
        ("((note LIKE '%x%' AND a <> 5) AND b <> 7) AND (a < b OR a = 1)", None),
        ("(note LIKE '%x%') /* why */ AND -- because\n ((a != 3))", ["\"Note\" LIKE '%x%'", '"a" != 3']),
        ("note LIKE '%x%' OR a = 5 AND b = 6", []),  # cut at the AND, which is not one of WHERE's own
        ("year(d) = 2024 AND extract(month FROM d) IN (1,2)", ['YEAR ( "d" ) = 2024', 'EXTRACT ( MONTH FROM "d" ) IN (1,2)']),
        ("x * 1.5 > m", ['"x" * 1.5 > "m"']),
        ("a % 7 = 3", ['"a" % 7 = 3']),
        ("note LIKE ? AND a <> ?", []),
        ("a + b > 5", []),
        ("z > '2024-01-01'", []),
        ("z::DATE = DATE '2024-01-01'", []),
        ("d <> current_date", []),
        ("a IN (SELECT a FROM u)", []),
        ("a = 5 AND note IS NULL AND x > 2", []),
    ],
)
def test_conjuncts(where: str, expected: list[str] | None) -> None:
    if expected is None:
        expected = ["\"Note\" LIKE '%x%'", '"a" <> 5', '"b" <> 7', '"a" < "b" OR "a" = 1']
    for tail in ("", " GROUP BY ALL", " ORDER BY 1 LIMIT 5"):
        text = f"SELECT count(*) FROM t WHERE {where}{tail}"
        assert _written(analyse(text, _CATALOG)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT count(*) FROM t, u WHERE t.a = u.a AND note LIKE 'x' AND y LIKE 'y'", ["\"Note\" LIKE 'x'", "\"y\" LIKE 'y'"]),
        ("SELECT count(*) FROM t LEFT JOIN u ON t.a = u.a WHERE note LIKE 'x' AND y LIKE 'y'", ["\"Note\" LIKE 'x'"]),
        ("SELECT count(*) FROM u LEFT JOIN t ON t.a = u.a WHERE note LIKE 'x'", []),
        ("SELECT count(*) FROM u RIGHT JOIN t ON t.a = u.a WHERE note LIKE 'x'", []),
        ("SELECT count(*) FROM t FULL JOIN u ON t.a = u.a WHERE note LIKE 'x'", []),
        ("SELECT count(*) FROM t JOIN u ON t.a = u.a AND note LIKE 'x'", []),
        ("SELECT b, count(*) FROM t GROUP BY b HAVING max(note) LIKE 'x'", []),
        ("SELECT count(*) FILTER (WHERE note LIKE 'x') FROM t", []),
        ("SELECT count(*) FROM u WHERE EXISTS (SELECT 1 FROM t WHERE t.a = u.a AND note LIKE 'x')", ["\"Note\" LIKE 'x'"]),
        ("WITH c AS (SELECT b FROM t WHERE note LIKE 'x') SELECT count(*) FROM c WHERE b <> 3", ["\"Note\" LIKE 'x'"]),
    ],
)
def test_where_a_row_that_fails_is_left_out(text: str, expected: list[str]) -> None:
    assert _written(analyse(text, _CATALOG)) == expected


def test_another_statement_of_the_template_has_its_own_literals() -> None:
    one, other = (
        f"SELECT b FROM t AS q WHERE q.note LIKE '{word}' AND q.a IN ({values})" for word, values in (("x", "1, 2"), ("O''x", "3"))
    )
    assert fingerprint(one).digest == fingerprint(other).digest
    (reference,) = analyse(one, _CATALOG).references
    words = [other[start:end] for start, end in fingerprint(other).tokens]
    found = [predicate.written.text(words) for predicate in reference.predicates if predicate.written is not None]
    assert found == ["\"Note\" LIKE 'O''x'", '"a" IN (3)']


def _written(analysis: Analysis) -> list[str]:
    predicates = [predicate for reference in analysis.references for predicate in reference.predicates]
    return [predicate.written.example for predicate in predicates if predicate.written is not None]
