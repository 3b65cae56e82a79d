"""Which statements are look-ups: pairs of those that are and those that look alike."""

from __future__ import annotations

import pytest

from sartor.core.table import Catalog, Column, TableInfo, TableName
from sartor.sql.analyse import analyse

_TABLE = TableInfo(TableName("shop", "main", "t"), (Column("k", "BIGINT"), Column("a", "VARCHAR"), Column("b", "DOUBLE")), 10)
_ODD = TableInfo(TableName("shop", "main", "odd"), (Column("k", "BIGINT"), Column("rowid", "BIGINT")), 10, has_rowid_column=True)
_CATALOG = Catalog("shop", (_TABLE, _ODD), views=frozenset({("main", "v")}))


@pytest.mark.parametrize(
    ("text", "columns", "key"),
    [
        ("SELECT a, b FROM t WHERE k = 5", ("a", "b"), "k"),
        ("SELECT A FROM T WHERE K = 5;", ("a",), "k"),
        ("SELECT * FROM t WHERE k = ?", ("k", "a", "b"), "k"),
        ("FROM t WHERE k = $1", ("k", "a", "b"), "k"),
        ("SELECT b FROM t WHERE k = $id", ("b",), "k"),
        ("SELECT x.* FROM t AS x WHERE x.k IN (1, 2, 3)", ("k", "a", "b"), "k"),
        ("SELECT x.* FROM t x WHERE x.k IN (1)", ("k", "a", "b"), "k"),
        ("SELECT a AS z, t.*, a FROM main.t WHERE k IN (?, ?)", ("a", "k", "a", "b", "a"), "k"),
        ("SELECT b FROM shop.main.t WHERE k = -5", ("b",), "k"),
        ("SELECT k FROM t WHERE a = 'it''s'", ("k",), "a"),
        ("SELECT k FROM t WHERE a IN ('x', 'y,z')", ("k",), "a"),
        ('SELECT "a" /* here */ FROM t WHERE "k" = 5 -- there', ("a",), "k"),
    ],
)
def test_look_ups(text: str, columns: tuple[str, ...], key: str) -> None:
    found = analyse(text, _CATALOG).lookup
    assert found is not None
    assert (found.columns, found.key) == (columns, key)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t WHERE k = 1e3",
        "SELECT a FROM t WHERE k = 1 + 1",
        "SELECT a FROM t WHERE k = 5::BIGINT",
        "SELECT a FROM t WHERE k = NULL",
        "SELECT a FROM t WHERE k = b",
        "SELECT a FROM t WHERE 5 = k",
        "SELECT a FROM t WHERE k + 0 = 5",
        "SELECT a FROM t WHERE k = 5 AND b = 2",
        "SELECT a FROM t WHERE k = 5 OR k = 6",
        "SELECT a FROM t WHERE NOT k = 5",
        "SELECT a FROM t WHERE k NOT IN (5)",
        "SELECT a FROM t WHERE k IN (SELECT 5)",
        "SELECT a FROM t WHERE k > 5",
        "SELECT a FROM t WHERE k IS NOT DISTINCT FROM 5",
        "SELECT a FROM t",
        "SELECT DISTINCT a FROM t WHERE k = 5",
        "SELECT a FROM t WHERE k = 5 LIMIT 1",
        "SELECT a FROM t WHERE k = 5 ORDER BY a",
        "SELECT count(*) FROM t WHERE k = 5",
        "SELECT a FROM t WHERE k = 5 GROUP BY a",
        "SELECT upper(a) FROM t WHERE k = 5",
        "SELECT 1 FROM t WHERE k = 5",
        "SELECT rowid FROM t WHERE k = 5",
        "SELECT * EXCLUDE (a) FROM t WHERE k = 5",
        "SELECT * REPLACE (1 AS a) FROM t WHERE k = 5",
        "SELECT COLUMNS('a') FROM t WHERE k = 5",
        "SELECT a FROM t AS x(y, a) WHERE y = 5",
        "SELECT t.a FROM t, t AS u WHERE t.k = 5",
        "SELECT a FROM t TABLESAMPLE 10% WHERE k = 5",
        "SELECT a FROM (SELECT * FROM t) WHERE k = 5",
        "WITH t AS (SELECT 1 AS k, 2 AS a) SELECT a FROM t WHERE k = 5",
        "SELECT a FROM t WHERE k = 5 UNION ALL SELECT a FROM t WHERE k = 6",
        "SELECT a FROM v WHERE k = 5",
        "SELECT a FROM nowhere WHERE k = 5",
        "SELECT k FROM odd WHERE k = 5",
        "SELECT a FROM t WHERE k = 5; SELECT a FROM t WHERE k = 5",
    ],
)
def test_statements_that_look_alike(text: str) -> None:
    assert analyse(text, _CATALOG).lookup is None
