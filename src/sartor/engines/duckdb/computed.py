"""The two readings of a stream: the keys of all rows, and then the rows, beside which what was computed of the keys is put again.

What is computed is computed once. Both readings give rows in the same order, or the numbers of the rows tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sartor.core.constants import ROW_GROUP_ROWS
from sartor.core.ordered import Cells, Computed, OrderedQuery
from sartor.core.table import quote

if TYPE_CHECKING:
    from sartor.engines.duckdb.engine import DuckDBEngine

_READ_ROWS = 2 * int(ROW_GROUP_ROWS.default)


class OutOfOrder(Exception):
    """The rows do not come as they are numbered."""


def keys(engine: DuckDBEngine, query: OrderedQuery, budget: float) -> Any:
    """The key of each row as an Arrow table.

    Raises:
        OutOfOrder: what computes it hands the rows out in another order.
        MemoryError: it takes more bytes than the budget.
    """
    import pyarrow as pa

    computed = query.computed
    found = _placed(engine, computed, computed.cells) if computed is not None and computed.cells else None
    if found is not None:
        return found
    number = f", {quote(computed.number)}" if computed is not None else ""
    with _reading(engine, f"SELECT {_named(query.key)}{number} FROM ({query.select})") as reader:
        batches = _numbered(reader, computed.number) if computed is not None else reader
        held = []
        for batch in batches:
            held.append(batch.select(query.key))
            budget -= held[-1].nbytes
            if budget < 0:
                raise MemoryError
        return pa.Table.from_batches(held, pa.schema([reader.schema.field(name) for name in query.key]))


@contextmanager
def rows(engine: DuckDBEngine, query: OrderedQuery, hidden: Any) -> Iterator[tuple[Any, Iterable[Any]]]:
    """The columns of all rows, with those of a table that were computed before, and the rows in batches.

    What is not read is given up at the end: an open result would hold the connection.
    """
    with _reading(engine, query.scan) as reader:
        schema = reader.schema
        if query.computed is None or not hidden.num_columns:
            yield schema, reader
            return
        for place, field in enumerate(hidden.schema, schema.get_field_index(query.computed.number)):
            schema = schema.insert(place, field)
        yield schema, _beside(_numbered(reader, query.computed.number), hidden, schema)


def _beside(batches: Iterable[Any], hidden: Any, schema: Any) -> Iterator[Any]:
    """Batches with the columns of a table of as many rows."""
    import pyarrow as pa

    first = 0
    for batch in batches:
        found = hidden.slice(first, batch.num_rows).combine_chunks()
        first += batch.num_rows
        held = [found.column(name).chunk(0) if name in hidden.column_names else batch.column(name) for name in schema.names]
        yield pa.RecordBatch.from_arrays(held, schema=schema)


def _placed(engine: DuckDBEngine, computed: Computed, cells: Cells) -> Any | None:
    """The only key of each row, told by its cell; None if a column can not be cut here."""
    import numpy as np
    import pyarrow as pa

    from sartor.kernels.cells import cut, placed

    borders = engine.connection.sql(cells.borders).to_arrow_table()
    cuts = [cut(borders.column(number)[0], count) for number, count in enumerate(cells.parts)]
    known = [one for one in cuts if one is not None]
    if len(known) < len(cuts):
        return None
    places = np.array(cells.places, np.uint16)
    with _reading(engine, f"SELECT {_named(cells.columns)} FROM ({computed.rows})") as reader:
        found = [pa.array(placed(batch.columns, known, places)) for batch in reader]
    return pa.table({computed.names[0]: pa.chunked_array(found, pa.uint16())})


def _numbered(batches: Iterable[Any], number: str) -> Iterator[Any]:
    """Batches whose rows are numbered in rising order, from batch to batch.

    A join that computes keys may hand rows out otherwise, and so does each reading once somebody has set `preserve_insertion_order`; a
    column of the user's may hide the row id.

    Raises:
        OutOfOrder: they are not.
    """
    import numpy as np
    import pyarrow as pa

    last = np.int64(-1)
    for batch in batches:
        column = batch.column(number)
        if column.null_count or not pa.types.is_int64(column.type):
            raise OutOfOrder
        numbers = column.to_numpy()
        if not bool(np.all(np.diff(numbers, prepend=last) > 0)):
            raise OutOfOrder
        last = numbers[-1] if numbers.size else last
        yield batch


def _reading(engine: DuckDBEngine, select: str) -> Any:
    """A reader of Arrow batches that is closed at the end of its block."""
    return engine.connection.sql(select).to_arrow_reader(_READ_ROWS)


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(map(quote, names))
