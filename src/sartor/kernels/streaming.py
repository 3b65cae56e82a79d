"""Recluster what comes as batches and goes as batches: the order is worked out from the keys alone, then each row moves twice.

Where `recluster` has a table before and after, here it is in memory once: rows are written to their buckets as they arrive and leave
bucket by bucket in the order of the key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.kernels.argsort import columns_of
from sartor.kernels.buckets import Counts, Ids
from sartor.kernels.columns import fixed_numbers, is_text_view
from sartor.kernels.movement import order_buckets
from sartor.kernels.partitioning import Partition, extent, model_for, partitioned
from sartor.kernels.pool import scratch
from sartor.kernels.recluster import one_word
from sartor.kernels.staged import PAIR, Flags, Pairs, Pieces, Plain, Staged, Whole, known_extent
from sartor.kernels.staged_text import Text, known_of, ranked
from sartor.kernels.threads import Watch, over
from sartor.kernels.words import Keys, keys_of, writable

ORDER_BYTES = 24
"""Bytes a row to work the order out: its key, its bucket, its packed word and its place in the bucket."""


_PAIR_BYTES = 16
_WORDS, _HALF_WORDS = 1 << 64, 1 << 32


def row_bytes(schema: Any) -> int:
    """The most bytes that a row takes while it waits, without text that stands elsewhere.

    Raises:
        TypeError: there is a column that can not be taken.
    """
    return sum(1 + _width(kind) for kind in schema.types)


def _width(kind: Any) -> int:
    if is_text_view(kind):
        return _PAIR_BYTES
    types = pa.types
    known = (types.is_boolean, types.is_integer, types.is_floating, types.is_decimal, types.is_date, types.is_time, types.is_timestamp)
    if not any(is_(kind) for is_ in known) or kind.bit_width > 8 * _PAIR_BYTES:
        raise TypeError(f"columns of {kind} can not be streamed; hand over numbers, times, and views of text")
    return max(int(kind.bit_width) // 8, 1)


def staged(kind: Any, begins: Counts, stack: ExitStack) -> Staged:
    """A column of rows in buckets that begin so; its memory is lent until the stack is closed."""
    rows = int(begins[-1])
    flags = Flags(rows, stack)
    if is_text_view(kind):
        return Text(kind, flags, begins, stack, stack.enter_context(scratch(rows, np.uint16, small_pages=True)))
    if _width(kind) == _PAIR_BYTES:
        low, high = (stack.enter_context(scratch(rows, np.uint64, small_pages=True)) for _ in range(PAIR))
        return Pairs(kind, flags, low, high)
    if pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        return Plain(kind, flags, stack.enter_context(scratch(rows, f"u{_width(kind)}", small_pages=True)))
    return Whole(kind, flags, begins, stack)


@contextmanager
def in_order(keys: Any, names: Sequence[str], threads: int, watch: Watch) -> Iterator[Arrangement | None]:
    """Work out the stable order of the rows of a table of keys, ascending and nulls last; None if they are in order.

    The table may be given up by the caller meanwhile. What is handed out is usable inside the block.
    """
    word = _word([keys.column(name) for name in names], threads, watch)
    del keys
    seen = extent(word, threads, watch) if word.rows > 1 else None
    if seen is None or seen.falls == 0:
        yield None
        return
    with ExitStack() as stack:
        partition = stack.enter_context(partitioned(word, seen, model_for(word, seen), threads, watch))
        local = stack.enter_context(scratch(word.rows, np.uint32))
        order_buckets(word, seen, partition, None, local, threads, watch)
        rows = word.rows
        del word
        yield Arrangement(rows, partition, local, threads, watch, stack)


def _word(columns: Sequence[Any], threads: int, watch: Watch) -> Keys:
    """The key of each row as one word: of several columns, or with nulls, by their distances from the least, if these fit together."""
    parts = [_distances(column) for column in columns]
    known = [part for part in parts if part is not None]
    most = prod(span for _, span in known)
    if len(known) < len(parts) or most > _WORDS // 2:
        sortable = [
            part[0] if part is not None and is_text_view(column.type) else column for column, part in zip(columns, parts, strict=True)
        ]
        return one_word(columns_of(sortable, False, "last"), threads, watch)
    dtype = np.dtype(np.uint32 if most < _HALF_WORDS else np.uint64)
    word = known[0][0].astype(dtype, copy=False)
    for distances, span in known[1:]:
        word = word * dtype.type(span)
        word += distances.astype(dtype, copy=False)
    return keys_of(word)


def _distances(column: Any) -> tuple[NDArray[Any], int] | None:
    """How far each value is above the least, nulls above all, and what all of this is below; None if no small number can tell."""
    if is_text_view(column.type):
        ranks = ranked(column)
        return None if ranks is None else (ranks, int(ranks.max(initial=0)) + 1)
    array = column.combine_chunks()
    array = array.chunk(0) if isinstance(array, pa.ChunkedArray) and array.num_chunks else array
    if not len(array) or pa.types.is_floating(array.type) or (numbers := fixed_numbers(array)) is None:
        return None
    numbers, known = writable(numbers), known_of(array)
    low, high = map(int, known_extent(numbers, known))
    if array.null_count == len(array):
        low = high
    unsigned = numbers.view(f"u{numbers.itemsize}")
    distances = unsigned - unsigned.dtype.type(low % (1 << 8 * numbers.itemsize))
    if not array.null_count:
        return distances, high - low + 1
    wide = distances.astype(np.uint32) if high - low + 1 < _HALF_WORDS else distances.astype(np.uint64)
    wide[known == 0] = min(high - low + 1, _WORDS - 1)
    return wide, high - low + 2


@dataclass(slots=True)
class Arrangement:
    """An order of rows, and the columns that wait in it.

    Attributes:
        rows: how many there are and have to come.
        partition: rows by bucket.
        local: for each place, which row of its bucket stands there.
        threads: that work side by side, each on a column.
        watch: progress.
    """

    rows: int
    partition: Partition
    local: NDArray[np.uint32]
    threads: int
    watch: Watch
    stack: ExitStack

    def fill(self, batches: Iterable[Any], schema: Any, memory_bytes: int) -> list[Staged]:
        """Take all rows, which come in the order of the keys.

        Raises:
            MemoryError: text takes more than this beside the rows.
            ValueError: there are fewer or more rows than keys.
        """
        columns = [staged(kind, self.partition.begins, self.stack) for kind in schema.types]
        offsets = self.partition.begins[:-1].copy()
        first, threads = 0, min(self.threads, len(columns))
        for batch in batches:
            ids = self.partition.ids[first : first + batch.num_rows]
            if ids.size < batch.num_rows:
                raise ValueError(f"more than the {self.rows} rows that there are keys of; hand over the same rows")
            over(zip(columns, batch.columns, strict=True), partial(_put, ids, offsets), threads, Watch())
            offsets += np.bincount(ids, minlength=offsets.size)
            first += batch.num_rows
            if sum(column.text_bytes for column in columns) > memory_bytes:
                raise MemoryError
            self.watch.step(batch.num_rows)
            self.watch.tell()
        if first < self.rows:
            raise ValueError(f"{first} rows, but keys of {self.rows}; hand over the same rows")
        return columns

    def batches(self, columns: Sequence[Staged], schema: Any, rows: int) -> Iterator[Any]:
        """All rows in order, in batches of so many."""
        bounds = np.array([(start, start, stop) for _, start, stop in self.partition.bounds], np.int64)
        for first in range(0, self.rows, rows):
            stop = min(first + rows, self.rows)
            low, high = np.searchsorted(bounds[:, 2], first, "right"), np.searchsorted(bounds[:, 1], stop, "left")
            some = bounds[low:high].copy()
            some[:, 1], some[:, 2] = np.maximum(some[:, 1], first), np.minimum(some[:, 2], stop)
            pieces = Pieces(first, stop, self.local, some)
            yield pa.RecordBatch.from_arrays([column.take(pieces) for column in columns], schema=schema)
            self.watch.step(pieces.rows)
            self.watch.tell()


def _put(ids: Ids, offsets: Counts, pair: tuple[Staged, Any]) -> None:
    column, array = pair
    column.put(array, ids, offsets)
