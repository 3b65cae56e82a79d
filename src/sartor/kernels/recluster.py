"""`kernels.recluster`: the rows of an Arrow table in the order of a key."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.argsort import columns_of
from sartor.kernels.columns import Column, Nulls, fixed_numbers, limbs, taken, widened
from sartor.kernels.compiled import kernel
from sartor.kernels.levels import argsort_levels, fold
from sartor.kernels.movement import Movement, movement
from sartor.kernels.pool import result_buffer
from sartor.kernels.threads import Progress, Watch, cuts, run
from sartor.kernels.words import Keys, keys_of, writable

_PLAN_SHARE = 0.4
_BLOCK = 256  # texts that are copied together


def recluster(
    table: Any,
    keys: str | Sequence[str],
    *,
    descending: bool | Sequence[bool] = False,
    nulls: Nulls | Sequence[Nulls] = "last",
    threads: int = 1,
    progress: Progress | None = None,
) -> Any:
    """A table with the same rows in the stable order of one or several of its columns.

    Guarantee: the rows of `argsort(*keys)`, taken. A table that is in order is handed back as it is. Beyond the result it takes at
    most 22 bytes a row and one column, whatever the number of columns.

    Args:
        table: an Arrow table of columns of any type; keys are of the types that `argsort` takes.
        keys: names of columns, the first counts first.
        descending, nulls, threads, progress: as for `argsort`.

    >>> table = pa.table({"day": [3, 1, 2], "name": ["c", "a", "b"]})
    >>> recluster(table, "day").to_pydict()
    {'day': [1, 2, 3], 'name': ['a', 'b', 'c']}
    """
    names = [keys] if isinstance(keys, str) else list(keys)
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    columns = columns_of([table.column(name) for name in names], descending, nulls)
    watch = Watch(progress)
    with ExitStack() as stack:
        with watch.part(_PLAN_SHARE):
            moved = stack.enter_context(movement(one_word(columns, threads, watch), threads, watch))
        if moved is None:
            watch.finish()
            return table
        del columns
        watch.phase(1 - _PLAN_SHARE, table.num_columns)
        arrays = []
        for number in range(table.num_columns):
            arrays.append(_moved(table.column(number), moved))
            watch.step()
            watch.tell()
    watch.finish()
    return pa.Table.from_arrays(arrays, schema=table.schema)


def one_word(columns: Sequence[Column], threads: int, watch: Watch) -> Keys:
    """The key of each row as one word: itself, several columns that fit together, or its rank."""
    first = columns[0]
    if len(columns) == 1 and first.values is not None and first.nulls is None:
        return keys_of(widened(first.values), first.descending)
    if first.rows == 0:
        return keys_of(np.empty(0, np.uint64))
    folded, waiting, left = fold(chain.from_iterable(column.all_levels() for column in columns))
    if not waiting and next(left, None) is None:
        return keys_of(folded)
    del folded, waiting
    order = argsort_levels(first.rows, chain.from_iterable(column.all_levels() for column in columns), threads, watch)
    rank = np.empty(first.rows, np.uint32 if first.rows < 2**32 else np.uint64)
    rank[order] = np.arange(first.rows, dtype=rank.dtype)
    return keys_of(rank)


def _moved(column: Any, moved: Movement) -> Any:
    """A column in its new order."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        whole = _whole(column.unify_dictionaries())
        return pa.DictionaryArray.from_arrays(_moved(pa.chunked_array([whole.indices]), moved), whole.dictionary, ordered=kind.ordered)
    if isinstance(kind, pa.BaseExtensionType):
        whole = _whole(column)
        storage = _moved(pa.chunked_array([whole.storage]), moved)
        return pa.ExtensionArray.from_storage(kind, _whole(storage) if isinstance(storage, pa.ChunkedArray) else storage)
    text = pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    if text and column.nbytes < np.iinfo(np.int32).max:
        whole = _whole(column)
        return pa.Array.from_buffers(kind, len(whole), [_validity(whole, moved), *_text(whole, moved)])
    if pa.types.is_boolean(kind):
        whole = _whole(column)
        return pa.Array.from_buffers(kind, len(whole), [_validity(whole, moved), _flags(pc.fill_null(whole, False), moved)])
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        whole = _whole(column)
        numbers = _numbers(whole)
        if numbers is not None:
            return pa.Array.from_buffers(kind, len(whole), [_validity(whole, moved), moved.values(numbers)])
    return taken(column, moved.rows_in_order())


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _numbers(array: Any) -> NDArray[Any] | None:
    """The values of a column of fixed width; wide ones as pairs or fours of words."""
    numbers = fixed_numbers(array)
    if numbers is not None or not pa.types.is_decimal(array.type):
        return numbers
    return limbs(array)


def _validity(array: Any, moved: Movement) -> Any:
    if not array.null_count:
        return None
    return _flags(array.is_valid(), moved)


def _flags(array: Any, moved: Movement) -> Any:
    """A column of true and false in its new order, eight to a byte."""
    flags = pc.cast(array, pa.uint8()).to_numpy(zero_copy_only=False)
    return pa.py_buffer(np.packbits(np.frombuffer(moved.values(flags), np.uint8), bitorder="little"))


def _text(array: Any, moved: Movement) -> tuple[Any, Any]:
    """Offsets and bytes of text in its new order."""
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    dtype = np.int64 if wide else np.int32
    _, offset_buffer, data_buffer = array.buffers()
    offsets = writable(np.frombuffer(offset_buffer, dtype)[array.offset : array.offset + len(array) + 1])
    data = writable(np.frombuffer(data_buffer, np.uint8)) if data_buffer is not None else np.empty(0, np.uint8)
    order = moved.rows_in_order()
    buffer = result_buffer(offsets.nbytes)
    new_offsets = np.frombuffer(buffer, dtype)
    new_offsets[0] = 0
    parts = cuts(moved.rows, moved.threads)
    run([partial(_lengths, offsets, order[start:stop], new_offsets[start + 1 : stop + 1]) for start, stop in parts], moved.watch)
    np.cumsum(new_offsets, out=new_offsets)
    bytes_buffer = result_buffer(int(new_offsets[-1]))
    found = np.frombuffer(bytes_buffer, np.uint8)
    run([partial(_copy, offsets, data, order[start:stop], new_offsets[start:stop], found) for start, stop in parts], moved.watch)
    return buffer, bytes_buffer


@kernel
def _lengths(offsets: NDArray[Any], order: NDArray[Any], lengths: NDArray[Any]) -> None:
    for place in range(np.uint64(order.size)):
        row = np.uint64(order[place])
        lengths[place] = offsets[row + np.uint64(1)] - offsets[row]


@kernel
def _copy(offsets: NDArray[Any], data: NDArray[np.uint8], order: NDArray[Any], starts: NDArray[Any], found: NDArray[np.uint8]) -> None:
    """Copy text block by block: first bytes first, so that the cache misses of a block overlap, then the rest."""
    one = np.uint64(1)
    begins, ends = np.empty(_BLOCK, np.uint64), np.empty(_BLOCK, np.uint64)
    for first in range(0, order.size, _BLOCK):
        rows, targets = order[first : first + _BLOCK], starts[first : first + _BLOCK]
        for place in range(rows.size):
            row = np.uint64(rows[place])
            begins[place], ends[place] = np.uint64(offsets[row]), np.uint64(offsets[row + one])
        for place in range(rows.size):
            if begins[place] < ends[place]:
                found[np.uint64(targets[place])] = data[begins[place]]
        for place in range(rows.size):
            target = np.uint64(targets[place]) - begins[place]
            for at in range(begins[place] + one, ends[place]):
                found[target + at] = data[at]
