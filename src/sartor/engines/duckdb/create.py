"""Tables of rows in an order: DuckDB's ORDER BY, or a stream through `kernels.streaming` where that is faster.

The stream reads or computes the key, works out the order, reads the rows into it, and hands them back for DuckDB to store, all on one
connection in one transaction. Whatever it can not do exactly, or in the memory that is free, is left to ORDER BY.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.constants import ROW_GROUP_ROWS
from sartor.core.errors import SortCancelled
from sartor.core.ordered import OrderedQuery
from sartor.engines.duckdb import computed
from sartor.engines.duckdb.build_costs import kind_of, streams_faster
from sartor.engines.duckdb.catalog import BYTEWISE
from sartor.engines.duckdb.memory import free_bytes

if TYPE_CHECKING:
    from sartor.engines.duckdb.engine import DuckDBEngine

# Small decimals in 8 bytes, short text in its view, truth values in bits whatever the user has set for all sessions.
_ARROW = {"arrow_output_version": "'1.5'", "produce_arrow_string_view": "true", "arrow_lossless_conversion": "false"}
_NAME = ", ".join(f"'\"' || replace({part}, '\"', '\"\"') || '\"'" for part in ("database_name", "schema_name", "table_name"))
_MADE = f"SELECT sql FROM duckdb_tables() WHERE concat_ws('.', {_NAME}) = ?"


def create(engine: DuckDBEngine, relation: str, query: OrderedQuery) -> None:
    """Make a table of a query's rows in their order, in the current transaction.

    Raises:
        KeyboardInterrupt: `engine.interrupt` was called meanwhile.
    """
    engine.interrupted.clear()
    if not is_streamed(engine, query):
        engine.execute(f"CREATE TABLE {relation} AS {query.sql}")
        return
    engine.execute(f"CREATE TABLE {relation} AS {query.kept} WITH NO DATA")
    if _is_collated(engine, relation) or not stream(engine, relation, query):
        engine.execute(f"INSERT INTO {relation} {query.sql}")


def is_streamed(engine: DuckDBEngine, query: OrderedQuery) -> bool:
    """Whether the rows can be streamed as they are, and are expected to be stored sooner."""
    if not query.key or not (query.scans or query.computed):
        return False
    columns = {name: kind_of(kind) for name, kind, *_ in engine.rows(f"DESCRIBE {query.select}")}
    if None in columns.values() or not set(query.key) <= columns.keys():
        return False
    names = ("threads", "preserve_insertion_order", "default_collation", "lock_configuration")
    settings = ", ".join(f"current_setting('{name}')" for name in names)
    ((rows, threads, keeps_order, collation, locked),) = engine.rows(f"SELECT count(*), {settings} FROM ({query.scan})")
    if not keeps_order or locked or collation.lower() not in BYTEWISE:
        return False
    kinds = {name: kind for name, kind in columns.items() if kind is not None}
    cells = query.computed.cells if query.computed else None
    keys = [kinds.pop(name) if name in query.unstored else kinds[name] for name in query.key]
    return streams_faster(rows, list(kinds.values()), keys, threads, cells.parts if cells else ())


def _is_collated(engine: DuckDBEngine, relation: str) -> bool:
    """Whether the table just made has a column with a collation: no type tells."""
    made = engine.rows(_MADE, [relation])
    return len(made) != 1 or "COLLATE" in made[0][0].upper()


def stream(engine: DuckDBEngine, relation: str, query: OrderedQuery) -> bool:
    """Fill an empty table; False if memory does not suffice or rows come in another order, and then it is empty still."""
    from sartor.kernels.streaming import ORDER_BYTES, in_order, row_bytes
    from sartor.kernels.threads import Watch

    ((threads,),) = engine.rows("SELECT current_setting('threads')")
    budget = free_bytes(engine)
    watch = Watch(lambda _: not engine.interrupted.is_set())
    with _as_interrupts(engine), _compact(engine):
        try:
            keys = computed.keys(engine, query, budget)
            budget -= ORDER_BYTES * keys.num_rows
            if keys.nbytes > budget:
                return False
            hidden = keys.select([name for name in (query.computed.names if query.computed else ()) if name not in query.unstored])
            budget -= hidden.nbytes
            with in_order(keys, query.key, threads, watch) as arrangement:
                del keys
                if arrangement is None:
                    engine.execute(f"INSERT INTO {relation} {query.sql if hidden.num_columns else query.scan}")
                    return True
                with computed.rows(engine, query, hidden) as (schema, batches):
                    budget -= row_bytes(schema) * arrangement.rows
                    waiting = arrangement.fill(batches, schema, budget)
                _insert(engine, relation, schema, arrangement.batches(waiting, schema, int(ROW_GROUP_ROWS.default)))
        except (MemoryError, computed.OutOfOrder):
            return False
    return True


def _insert(engine: DuckDBEngine, relation: str, schema: Any, batches: Iterable[Any]) -> None:
    """Store batches in their order; what they raise comes out as it is, not as DuckDB's report of it."""
    import pyarrow as pa

    raised: list[BaseException] = []

    def noting() -> Iterator[Any]:
        try:
            yield from batches
        except BaseException as error:
            raised.append(error)
            raise

    try:
        engine.connection.from_arrow(pa.RecordBatchReader.from_batches(schema, noting())).insert_into(relation)
    except duckdb.Error as error:
        if raised:
            raise raised[0] from error
        if "KeyboardInterrupt" in str(error):  # Ctrl-C while DuckDB asked the reader what it hands out
            raise KeyboardInterrupt from error
        raise


@contextmanager
def _as_interrupts(engine: DuckDBEngine) -> Iterator[None]:
    try:
        yield
    except (duckdb.InterruptException, SortCancelled) as error:
        raise KeyboardInterrupt from error
    except RuntimeError as error:  # Ctrl-C while DuckDB runs
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
    except OSError as error:  # how Arrow reports what DuckDB raised while rows were read
        if engine.interrupted.is_set():
            raise KeyboardInterrupt from error
        raise duckdb.Error(str(error)) from error


@contextmanager
def _compact(engine: DuckDBEngine) -> Iterator[None]:
    """Narrow Arrow types, on Sartor's own connection only."""
    try:
        for name, value in _ARROW.items():
            engine.execute(f"SET SESSION {name} = {value}")
        yield
    finally:
        engine.put_back(_ARROW)
