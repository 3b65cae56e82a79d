"""What a look-up reads: columns of a table in memory, in the order of their key, with a learned index over it.

Rows that are appended become parts of their own. Parts are merged as their sizes come near each other, so that there are few of them
and each row is moved a logarithmic number of times (the logarithmic method: Bentley, Saxe, Decomposable searching problems, 1980).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.index import LearnedIndex
from sartor.kernels.recluster import recluster

Reader = Callable[[int], Any]
Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MICROSECONDS = (datetime.min - _EPOCH) // timedelta(microseconds=1), (datetime.max - _EPOCH) // timedelta(microseconds=1)
_DAYS = date.min.toordinal() - _EPOCH_DAY, date.max.toordinal() - _EPOCH_DAY


class Unreadable(Exception):
    """Python has no value for one that a column holds."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows whose numbers follow each other.

    Attributes:
        index: over the keys.
        table: columns with the numbers of the rows behind them, each in one piece, in the stable order of the key; without NULL keys.
        readers: for each column of it the value of a row, as DuckDB hands it to Python.
        nbytes: the memory that it takes.
    """

    index: LearnedIndex
    table: pa.Table
    readers: tuple[Reader, ...]
    nbytes: int

    def places(self, key: Any, column: int) -> range:
        """Where the rows of one key are."""
        first = last = int(self.index.lower_bound(np.datetime64(key, "D") if type(key) is date else key))
        read, rows = self.readers[column], self.table.num_rows
        while last < rows and read(last) == key:
            last += 1
        return range(first, last)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """Columns of all rows that are covered.

    Attributes:
        columns: their names.
        key: the place of the key among them.
        parts: those with lower row numbers first.
    """

    columns: tuple[str, ...]
    key: int
    parts: tuple[Part, ...]

    @property
    def nbytes(self) -> int:
        """The memory that it takes."""
        return sum(part.nbytes for part in self.parts)

    def find(self, keys: Sequence[Any], columns: Sequence[int]) -> list[Row]:
        """Columns of the rows whose key is one of these, in the order of the row numbers."""
        if len(keys) == 1:
            found: list[Row] = []
            for part in self.parts:
                readers = [part.readers[column] for column in columns]
                found += [tuple([read(place) for read in readers]) for place in part.places(keys[0], self.key)]
            return found
        numbered = []
        for part in self.parts:
            readers, number = [part.readers[column] for column in columns], part.readers[-1]
            for key in set(keys):
                numbered += [(number(place), tuple([read(place) for read in readers])) for place in part.places(key, self.key)]
        numbered.sort(key=lambda pair: pair[0])
        return [row for _, row in numbered]

    def find_all(self, keys: Any, columns: Sequence[int]) -> pa.Table:
        """For each key, in the order in which they are given, the columns of its rows, in the order of the row numbers.

        Args:
            keys: an array of the key's type.
        """
        pieces, asked = [], []
        for part in self.parts:
            first, last = part.index.lower_bound(keys), part.index.upper_bound(keys)
            counts = last - first
            order = np.repeat(np.arange(len(counts)), counts)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            pieces.append(part.table.select(list(columns)).take(np.repeat(first, counts) + within))
            asked.append(order)
        if len(pieces) == 1:
            return pieces[0]
        return pa.concat_tables(pieces).take(np.argsort(np.concatenate(asked), kind="stable"))

    def extended(self, rows: pa.Table) -> Content:
        """With these rows behind all others; NULL keys are left out, for no key equals them.

        Raises:
            Unreadable: as `hold`.
        """
        parts = [*self.parts, _part(rows, self.key)]
        while len(parts) > 1 and parts[-2].table.num_rows <= 2 * parts[-1].table.num_rows:
            after, before = parts.pop(), parts.pop()
            parts.append(_part(pa.concat_tables([before.table, after.table]), self.key))
        return replace(self, parts=tuple(parts))


def hold(rows: pa.Table, key: str) -> Content:
    """The rows of a table, ready to be looked up.

    Args:
        rows: columns, and the numbers of the rows behind them, which rise.

    Raises:
        Unreadable: there is a date or a time that Python has no value for.
    """
    columns = tuple(rows.column_names[:-1])
    return Content(columns, columns.index(key), (_part(rows, columns.index(key)),))


def asked_keys(keys: Any, kind: str) -> Any:
    """Keys as an index of this type takes them; None if one is of another type, or is missing."""
    array = keys if isinstance(keys, np.ndarray | pa.Array | pa.ChunkedArray) else _from_values(keys)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if array is None or (isinstance(array, pa.Array) and array.null_count):
        return None
    if kind == "VARCHAR":
        return (
            array if isinstance(array, pa.Array) and (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)) else None
        )
    numbers = array if isinstance(array, np.ndarray) else array.to_numpy(zero_copy_only=False)
    wanted = "M" if kind == "DATE" else "iu"
    return numbers if numbers.ndim == 1 and numbers.dtype.kind in wanted and not (wanted == "M" and np.isnat(numbers).any()) else None


def _from_values(values: Any) -> pa.Array | None:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return None


def _part(rows: pa.Table, key: int) -> Part:
    if rows.column(key).null_count:
        rows = rows.filter(pc.is_valid(rows.column(key)))
    rows = recluster(rows, rows.column_names[key])
    table = pa.table([_whole(column) for column in rows.columns], names=rows.column_names)
    keys = table.column(key).chunk(0)
    index = LearnedIndex(keys)
    own = 0 if pa.types.is_int64(keys.type) else index.built.key_bytes  # 64 bits are searched where they lie
    return Part(
        index, table, tuple(_reader(column.chunk(0)) for column in table.columns), table.nbytes + own + index.built.model_bytes
    )


def _whole(column: pa.ChunkedArray) -> pa.Array:
    """A column in one piece."""
    if pa.types.is_string(column.type) or pa.types.is_string_view(column.type):
        column = column.cast(pa.large_string())
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _reader(column: pa.Array) -> Reader:
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _with_nulls(column, _numbers(column).__getitem__)
    if pa.types.is_date32(kind):
        days = _numbers(_readable(column, column.view(pa.int32()), _DAYS))
        return _with_nulls(column, lambda place: date.fromordinal(days[place] + _EPOCH_DAY))
    if pa.types.is_timestamp(kind) and kind.unit == "us" and kind.tz is None:
        times = _numbers(_readable(column, column.view(pa.int64()), _MICROSECONDS))
        return _with_nulls(column, lambda place: _EPOCH + timedelta(microseconds=times[place]))
    return lambda place: column[place].as_py()


def _numbers(column: pa.Array) -> memoryview:
    """The values themselves; where a column is NULL, anything."""
    dtype = np.dtype(column.type.to_pandas_dtype())
    values: NDArray[Any] = np.frombuffer(column.buffers()[1] or b"", dtype, len(column) + column.offset)
    return values[column.offset :].data


def _with_nulls(column: pa.Array, read: Reader) -> Reader:
    if not column.null_count:
        return read
    valid = memoryview(column.is_valid().to_numpy(zero_copy_only=False))
    return lambda place: read(place) if valid[place] else None


def _readable(column: pa.Array, numbers: pa.Array, bounds: tuple[int, int]) -> pa.Array:
    """The numbers of a column of dates or times, none of which is beyond what Python can tell, as infinity is."""
    ends = pc.min_max(numbers)
    if len(column) > column.null_count and not bounds[0] <= ends["min"].as_py() <= ends["max"].as_py() <= bounds[1]:
        raise Unreadable("a date or a time is infinite, or beyond the years that Python knows")
    return numbers
