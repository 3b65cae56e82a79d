"""A database and statements in which every name and every value is a mark that can be looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from sartor.core.errors import WorkloadError
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.workload.sharing.document import SharedWorkload
from sartor.workload.sharing.export import export
from sartor.workload.workload import Execution, TemplateStatistics, Workload

MARK = re.compile(r"zq\w*|73419\d+|2937-\d\d", re.IGNORECASE)
"""Names and texts begin with `zq`, numbers with 73419, dates with the year 2937."""

DEFINITIONS = (
    "CREATE SCHEMA zqschema",
    "CREATE TYPE zqmood AS ENUM ('zqhappy', 'zqsad')",
    "CREATE TABLE zqorders (zqid BIGINT PRIMARY KEY, zqcustomer INTEGER, zqday DATE, zqmoment TIMESTAMP, "
    "zqstatus VARCHAR DEFAULT 'zqopen', "
    'zqtotal DECIMAL(12,2) CHECK (zqtotal < 73419000000), "zq odd ""name" VARCHAR, zqjson JSON, zqfields STRUCT(zqinner INTEGER), '
    "zqmood zqmood, zqlist INTEGER[], zqweight DOUBLE)",
    'CREATE TABLE zqschema."zq Customers" (zqcustomer INTEGER NOT NULL UNIQUE, zqname VARCHAR, zqregion VARCHAR)',
    "CREATE VIEW zqview AS SELECT zqid FROM zqorders",
    "CREATE MACRO zqmacro(zqargument) AS zqargument + 1",
    "CREATE MACRO zqtable() AS TABLE SELECT 1 AS zqone",
    "INSERT INTO zqorders SELECT 734190000000 + i, 734190 + i % 50, DATE '2937-01-01' + (i // 10)::INTEGER, "
    "TIMESTAMP '2937-01-01' + to_seconds(i), ['zqopen', 'zqpaid', 'zqlost'][1 + i % 3], 7341900 + i, 'zqtext' || (i % 7), "
    """'{"zqkey": "zqvalue' || i || '"}', {'zqinner': 734190 + i}, 'zqhappy', [734190], 734190.5 + i FROM range(500) t(i)""",
    "INSERT INTO zqschema.\"zq Customers\" SELECT 734190 + i, 'zqname' || i, 'zqregion' || i % 5 FROM range(50) t(i)",
)


def marked_database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for statement in DEFINITIONS:
        connection.execute(statement)
    return connection


def exported(connection: duckdb.DuckDBPyConnection, statements: Iterable[tuple[str, object]]) -> SharedWorkload | None:
    """What is exported of statements, each a template of its own; None if that is nothing."""
    templates = tuple(
        TemplateStatistics(str(number), "", "read", 1, 0.1, 5.0, 5.0, (), (Execution(text, parameters, 5.0 + number, 0.1, 1),))
        for number, (text, parameters) in enumerate(statements)
    )
    engine = DuckDBEngine(connection)
    try:
        return export(Workload(templates), engine.catalog(), engine.rows, lambda text, share: None)
    except WorkloadError:
        return None


def marks(shared: SharedWorkload | None) -> set[str]:
    """The marks that a file of it would hold."""
    return set() if shared is None else set(MARK.findall(shared.text()))
