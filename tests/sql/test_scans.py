"""Which texts scan local files, and which only look like it."""

from __future__ import annotations

import pytest

from sartor.core.table import Catalog, Column, FileScan, TableInfo
from sartor.sql.analyse import analyse
from sartor.sql.fingerprint import fingerprint
from sartor.sql.scans import file_scans, named


@pytest.mark.parametrize(
    ("text", "scans"),
    [
        ("SELECT a FROM 'x.parquet'", ["'x.parquet'"]),
        ("SELECT a FROM 'd/x.csv.gz' JOIN '/e/*.PARQUET' USING (a)", ["'d/x.csv.gz'", "'/e/*.PARQUET'"]),
        ("FROM read_csv('x.txt', header=true , delim = '|')", ["read_csv('x.txt',header=true,delim='|')"]),
        ("FROM READ_PARQUET ( 'x*.pq' ) t", ["READ_PARQUET('x*.pq')"]),
        ("SELECT (SELECT max(a) FROM 'x.csv') FROM t", ["'x.csv'"]),
        ("FROM 'https://example.org/x.parquet'", []),
        ("FROM 's3://bucket/x.parquet'", []),
        ("FROM '~/x.parquet'", []),
        ("FROM 'x.json'", []),
        ("FROM 'it''s.parquet'", []),
        ("FROM '*.parquet'", ["'*.parquet'"]),
        ("FROM read_parquet(['x.parquet', 'y.parquet'])", []),
        ("FROM read_parquet($1)", []),
        ("FROM read_csv('x.csv', ignore_errors = true)", []),
        ("FROM read_csv('x.csv', columns = {'a': 'INTEGER'})", []),
        ("FROM read_parquet('x.parquet', filename = true)", []),
        ("FROM t WHERE a IS DISTINCT FROM 'x.parquet'", []),
        ("SELECT 'x.parquet' FROM t", []),
        ("FROM \"file#0\".t JOIN 'x.parquet'", []),
        ("SELECT", []),
        ("", []),
    ],
)
def test_scans_of_a_text(text: str, scans: list[str]) -> None:
    assert [scan.text for scan in file_scans(text, "memory")] == scans


def test_the_named_text_keeps_its_tokens_places() -> None:
    text = "SELECT x.a FROM read_csv('x.csv', header = true) AS x JOIN 'y.parquet' ON x.a=y.a WHERE y.b = 3"
    found = named(text, fingerprint(text), "memory")
    assert found is not None
    assert found.text == 'SELECT x.a FROM "file#5"."read_csv" AS x JOIN "file#16"."y" ON x.a=y.a WHERE y.b = 3'
    words = [found.text[start:end] for start, end in found.printed.tokens]
    assert words[5:9] == ['"file#5"', ".", '"read_csv"', "AS"]
    assert found.origin[5] == (5, 12)


def _catalog(*texts: str) -> Catalog:
    scans = [scan for text in texts for scan in file_scans(f"FROM {text}", "memory")]
    known = {scan: TableInfo(scan, (Column("a", "BIGINT"), Column("b", "INTEGER"), Column("v", "DOUBLE")), 1000) for scan in scans}
    return Catalog("memory", ()).knowing({}, known)


def test_a_known_scan_is_a_reference_with_its_span_and_its_name() -> None:
    text = "SELECT count(*) FROM 'x.parquet' WHERE x.b = 3 AND a BETWEEN 1 AND 2"
    analysis = analyse(text, _catalog("'x.parquet'"))
    (reference,) = analysis.references
    assert isinstance(reference.source, FileScan)
    assert (reference.alias, reference.columns, reference.refusal) == ('"x"', ("a", "b"), None)
    start, end = fingerprint(text).tokens[reference.first_token]
    assert (text[start:end], reference.first_token) == ("'x.parquet'", reference.last_token)
    assert [(p.column, p.operator.value) for p in reference.predicates] == [("b", "="), ("a", "between")]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT filename FROM 'x.parquet'",
        "SELECT file_row_number FROM 'x.parquet' WHERE b = 3",
        "SELECT file_index FROM 'x.parquet'",
        "SELECT x FROM 'x.parquet'",
        "SELECT a FROM 'x.parquet' TABLESAMPLE 10%",
        "SELECT p FROM 'x.parquet' AS t(p, q)",
        "SELECT b, count(*) FROM 'x.parquet' GROUP BY b LIMIT 3",
        "SELECT a FROM 'x.parquet' ORDER BY b LIMIT 3",
        "SELECT sum(v) AS s FROM 'x.parquet' ORDER BY s",
        "SELECT extract(year FROM 'x.parquet') FROM t",
    ],
)
def test_what_is_not_served_from_a_scan(text: str) -> None:
    analysis = analyse(text, _catalog("'x.parquet'"))
    assert analysis.refusal is not None or all(reference.refusal is not None for reference in analysis.references)


def test_a_scan_that_is_not_known_is_left_alone() -> None:
    assert analyse("SELECT a FROM 'y.parquet'", _catalog("'x.parquet'")).references == ()
