"""DuckDB as an engine: a plain cursor of Sartor's own on the instance that the user opened."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import duckdb

from sartor.core.table import Catalog, FileScan, TableInfo
from sartor.engines.base import Capabilities, Outcome, Parameters, Profile
from sartor.engines.duckdb.catalog import read_catalog, read_scan
from sartor.engines.duckdb.profile import read_profile


class DuckDBEngine:
    """An engine over a plain DuckDB connection that nobody else uses."""

    capabilities = Capabilities(row_identifiers=True, transactional_definitions=True, profiles=True)

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._closed = False
        self.database: str = self.rows("SELECT current_database()")[0][0]

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        self.rows(sql, parameters)

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def catalog(self, generation: int = 0) -> Catalog:
        return read_catalog(self, generation)

    def scan(self, source: FileScan) -> TableInfo | None:
        return read_scan(self, source)

    def run(self, sql: str, parameters: Parameters = None) -> Outcome:
        values = None if parameters is None else _plain_values(parameters)
        started = perf_counter()
        try:
            result = self._connection._submit(sql, values, "arrow")
            table = result.arrow_table()
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error
        seconds = perf_counter() - started
        columns = result.description
        return Outcome(tuple(c[0] for c in columns), tuple(str(c[1]) for c in columns), table, seconds)

    def profile(self, sql: str, parameters: Parameters = None) -> Profile:
        rows = self.rows(f"EXPLAIN (ANALYZE, FORMAT json) {sql}", parameters)
        return read_profile(json.loads(rows[0][1]))

    def changes(self) -> int:
        return -1 if self._closed else self._connection._catalog_version()

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._connection.close()


def _plain_values(parameters: Parameters) -> Any:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters or ())
