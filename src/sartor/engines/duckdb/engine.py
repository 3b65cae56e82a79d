"""DuckDB as an engine: a plain cursor of Sartor's own on the instance that the user opened."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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
        with _as_interrupt():
            return self.connection.execute(sql, parameters).fetchall()

    def transaction(self) -> AbstractContextManager[None]:
        return _Transaction(self)

    def roll_back(self) -> None:
        """End the transaction that may have begun, however often Ctrl-C comes meanwhile."""
        open_still = True
        while open_still:
            try:
                with _as_interrupt():
                    self.connection.execute("ROLLBACK")
                open_still = False
            except KeyboardInterrupt:  # whether it came through is seen by the next one
                continue
            except duckdb.Error:  # there is none, or the connection is closed
                open_still = False
        self.put_back(self._changed_settings)

    def catalog(self, generation: int = 0) -> Catalog:
        return read_catalog(self, generation)

    def scan(self, source: FileScan) -> TableInfo | None:
        return read_scan(self, source)

    def run(self, sql: str, parameters: Parameters = None) -> Outcome:
        values = None if parameters is None else _plain_values(parameters)
        started = perf_counter()
        with _as_interrupt():
            result = self.connection._submit(sql, values, "arrow")
            table = result.arrow_table()
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


class _Transaction:
    """A transaction of the engine's connection: committed at the end of the block, rolled back if that raises.

    It is no generator: one that Ctrl-C ends while it begins stays suspended, and when it is collected rolls back what has begun since.
    """

    def __init__(self, engine: DuckDBEngine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        self._run("BEGIN TRANSACTION")

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None:
            self._run("COMMIT")
        else:
            self._engine.roll_back()

    def _run(self, text: str) -> None:
        try:
            with _as_interrupt():
                self._engine.connection.execute(text)
        except BaseException:
            self._engine.roll_back()
            raise


@contextmanager
def _as_interrupt() -> Iterator[None]:
    """Ctrl-C while DuckDB runs comes out of its client as a RuntimeError, an interrupt by another thread as an error of its own."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise


def _plain_values(parameters: Parameters) -> Any:
    return dict(parameters) if isinstance(parameters, Mapping) else list(parameters or ())
