"""DuckDB as an engine: a plain cursor of Sartor's own on the instance that the user opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import duckdb

from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog, FileScan, TableInfo
from sartor.engines.base import Capabilities, Outcome, Parameters, Profile
from sartor.engines.duckdb.catalog import read_catalog, read_scan
from sartor.engines.duckdb.create import create
from sartor.engines.duckdb.profile import read_profile


class DuckDBEngine:
    """An engine over a plain DuckDB connection that nobody else uses."""

    capabilities = Capabilities(row_identifiers=True, transactional_definitions=True, profiles=True)

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.interrupted = threading.Event()  # for what runs between statements; whoever looks at it clears it first
        self._closed = False
        self._changed_settings: tuple[str, ...] = ()
        self.database: str = self.rows("SELECT current_database()")[0][0]

    def execute(self, sql: str, parameters: Parameters = None) -> None:
        self.rows(sql, parameters)

    def create(self, relation: str, query: OrderedQuery) -> None:
        create(self, relation, query)

    def rows(self, sql: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except duckdb.InterruptException as error:
            raise KeyboardInterrupt from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            self.put_back(self._changed_settings)
            raise
        self.connection.execute("COMMIT")

    def catalog(self, generation: int = 0) -> Catalog:
        return read_catalog(self, generation)

    def scan(self, source: FileScan) -> TableInfo | None:
        return read_scan(self, source)

    def run(self, sql: str, parameters: Parameters = None) -> Outcome:
        values = None if parameters is None else _plain_values(parameters)
        started = perf_counter()
        try:
            result = self.connection._submit(sql, values, "arrow")
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
        return -1 if self._closed else self.connection._catalog_version()

    def understands(self, sql: str) -> bool:
        try:
            self.connection.extract_statements(sql)
        except duckdb.ParserException:
            return False
        return True

    def put_back(self, settings: Iterable[str]) -> None:
        """Reset settings of this session; in a transaction that has failed, at its end."""
        self._changed_settings = tuple(settings)
        try:
            for name in settings:
                self.connection.execute(f"RESET SESSION {name}")
        except duckdb.TransactionException:
            return
        self._changed_settings = ()

    def interrupt(self) -> None:
        self.interrupted.set()
        self.connection.interrupt()

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.connection.close()


def _plain_values(parameters: Parameters) -> Any:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters or ())
