"""Run a statement plain and with every accepted reference served from a shuffled copy, and compare.

The copies hold the rows in another order, with the base table's row id beside them, as Sartor's own copies do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import duckdb

from sartor.core.analysis import Analysis, RowOrder
from sartor.core.table import Catalog, TableName, quote
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.sql.analyse import analyse
from sartor.sql.fingerprint import fingerprint
from sartor.sql.rewrite import Splice, splice

SCHEMA = """
CREATE TABLE items AS
SELECT
    (i * 7919 % 4001)::INTEGER AS id,
    CASE WHEN i % 11 = 0 THEN NULL ELSE i * 31 % 7 END::INTEGER AS g,
    ['pear', 'apple', 'fig', 'plum', '', 'Apple', NULL][1 + i * 13 % 7] AS h,
    DATE '2020-01-01' + (i * 17 % 400)::INTEGER AS d,
    TIMESTAMP '2020-01-01' + INTERVAL (i * 7321 % 90000) MINUTE AS ts,
    CASE WHEN i % 97 = 0 THEN NULL WHEN i % 1009 = 0 THEN 1e15 ELSE sin(i) * (i % 13) END::DOUBLE AS v,
    (i * 37 % 10007 / 100)::DECIMAL(12, 2) AS p,
    i % 3 = 0 AS b,
    CASE WHEN i % 5 = 0 THEN NULL ELSE i * 101 % 23 END::BIGINT AS n,
    {'f': (i % 9)::INTEGER, 'x': cos(i)} AS s,
    [i % 3, i % 4] AS l,
    (i % 5 / 7)::FLOAT AS f,
    (i % 17)::HUGEINT AS hg,
    (i % 50)::VARCHAR AS code,
    i % 40 AS order_id
FROM range(4000) r(i);
ALTER TABLE items ADD PRIMARY KEY (id);
CREATE TABLE orders AS
SELECT i::INTEGER AS id, (i * 7 % 11)::INTEGER AS customer, ['new', 'paid', 'sent'][1 + i % 3] AS status,
    (i * 19 % 501 / 10)::DECIMAL(9, 1) AS total, DATE '2020-01-01' + (i % 100)::INTEGER AS placed, i % 7 AS g
FROM range(40) r(i);
ALTER TABLE orders ADD PRIMARY KEY (id);
CREATE TABLE customers (id INTEGER PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, region VARCHAR, score DOUBLE);
INSERT INTO customers SELECT i, 'c' || i, ['n', 's', NULL][1 + i % 3], i / 7 FROM range(11) r(i);
CREATE TABLE empty_table (id INTEGER, g INTEGER, v DOUBLE, h VARCHAR);
CREATE TABLE generated_table (a INTEGER, twice INTEGER AS (a * 2));
INSERT INTO generated_table VALUES (1), (2);
CREATE TABLE collated (name VARCHAR COLLATE NOCASE, k INTEGER);
INSERT INTO collated VALUES ('a', 1), ('A', 2), ('b', 3);
CREATE TABLE hidden_rowid ("rowid" INTEGER, a INTEGER);
INSERT INTO hidden_rowid VALUES (5, 1), (4, 2);
CREATE SCHEMA other;
CREATE TABLE other.items AS SELECT i::INTEGER AS id, (i % 4)::INTEGER AS g, i::DOUBLE AS z FROM range(50) r(i);
CREATE TABLE "Odd Name" AS SELECT i::INTEGER AS "Select", (i % 3)::INTEGER AS "a ""b"" c" FROM range(30) r(i);
CREATE VIEW item_view AS SELECT id, g, v FROM items WHERE g > 2;
CREATE MACRO plus_one(x) AS x + 1;
CREATE SCHEMA copies;
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a statement gave: its error's class and text, or names, types and rows."""

    error: str
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


class Served:
    """A database whose every base table has a shuffled copy of all its columns."""

    def __init__(self, schema: str = SCHEMA) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute(schema)
        self.catalog: Catalog = DuckDBEngine(self.connection.cursor()).catalog()
        for info in self.catalog:
            assert isinstance(info.source, TableName)
            if info.has_rowid_column or info.source.schema == "copies":
                continue
            self.connection.execute(
                f"CREATE TABLE copies.{quote(_copy(info.source))} AS SELECT *, rowid AS sartor_row FROM {info.source}"
                " ORDER BY hash(rowid * 7 + 3)"
            )

    def analyse(self, text: str) -> Analysis:
        return analyse(text, self.catalog)

    def serve(self, text: str, analysis: Analysis | None = None) -> str:
        """The text with each accepted reference spliced to its copy."""
        analysis = analysis or self.analyse(text)
        splices = []
        for reference in analysis.references if analysis.refusal is None else ():
            if reference.refusal is not None:
                continue
            assert isinstance(reference.source, TableName)
            columns = ", ".join(quote(column) for column in reference.columns) or "sartor_row"
            order = " ORDER BY sartor_row ASC" if reference.order is RowOrder.BASE else ""
            select = f"SELECT {columns} FROM copies.{quote(_copy(reference.source))}{order}"
            splices.append(Splice(reference.first_token, reference.last_token, f"({select}) AS {reference.alias}"))
        return splice(text, fingerprint(text), splices)

    def answer(self, text: str) -> Answer:
        try:
            relation = self.connection.execute(text)
            names = tuple(str(column[0]) for column in relation.description or ())
            types = tuple(str(column[1]) for column in relation.description or ())
            return Answer("", names, types, tuple(relation.fetchall()))
        except duckdb.Error as error:
            return Answer(f"{type(error).__name__}: {error}")

    def difference(self, text: str, *, ordered: bool) -> str:
        """How the answer served from copies differs from plain's; empty if it does not. One transaction: one `now()`."""
        served = self.serve(text)
        self.connection.begin()
        plain = self.answer(text)
        if plain.error:
            self.connection.rollback()
            self.connection.begin()
        other = self.answer(served)
        self.connection.rollback()
        if plain.error or other.error:
            return "" if bool(plain.error) == bool(other.error) else f"{plain.error!r} != {other.error!r}: {served}"
        if (plain.names, plain.types) != (other.names, other.types):
            return f"{plain.names} {plain.types} != {other.names} {other.types}: {served}"
        mine, theirs = list(plain.rows), list(other.rows)
        if not ordered:
            mine, theirs = sorted(mine, key=_key), sorted(theirs, key=_key)
        if len(mine) != len(theirs):
            return f"{len(mine)} rows != {len(theirs)} rows: {served}"
        for place, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            if not _same(a, b):
                return f"row {place}: {a} != {b}: {served}"
        return ""


def _copy(source: TableName) -> str:
    return f"{source.schema}_{source.name}"


def _key(row: tuple[Any, ...]) -> str:
    return repr(tuple(float(f"{value:.9g}") if isinstance(value, float) else value for value in row))


def _same(a: Any, b: Any) -> bool:
    """Equal, but for the last bits of floating-point numbers, which may be added in another order."""
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and bool(a == b)
