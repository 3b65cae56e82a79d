"""How the rows of a table move to a new order: what is worked out once from the key, and then done for each column.

A column of 4 or 8 bytes moves in two steps that both stay in the caches: written line by line to its buckets, then gathered within
each bucket. Everything else is gathered straight from where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import NEAR_ROWS
from sartor.kernels.argsort_words import argsort_words
from sartor.kernels.compiled import kernel
from sartor.kernels.partitioning import Extent, Partition, extent, model_for, partitioned, sample
from sartor.kernels.pool import result, result_buffer, scratch
from sartor.kernels.small import order_alike
from sartor.kernels.threads import Watch, cuts, over, run
from sartor.kernels.words import Keys, Words, writable

_BLOCKS, _BLOCK_ROWS = 64, 64  # blocks of neighbouring rows that tell how far rows have to go
_SAMPLE_ROWS = 4096
_HALF_BITS = 32
_MOVED = (4, 8)  # bytes of a value that moves by way of its bucket


@dataclass(slots=True)
class Movement:
    """Where each row goes.

    Attributes:
        rows: how many.
        threads: that work side by side.
        watch: progress.
        partition: rows by bucket; None if every column is gathered.
        local: for each place of the result, which row of its bucket stands there.
        work: scratch memory of 8 bytes a row.
        order: for each place of the result, which row of the table stands there; made when first needed.
    """

    rows: int
    threads: int
    watch: Watch
    partition: Partition | None
    local: NDArray[np.uint32] | None
    work: Words | None
    order: NDArray[Any] | None

    def values(self, column: NDArray[Any]) -> Any:
        """A column of fixed width, or of rows of words, in its new order, as an Arrow buffer."""
        width = column.dtype.itemsize
        bits = writable(column.view(f"u{width}"))
        buffer = result_buffer(bits.nbytes)
        found = np.frombuffer(buffer, bits.dtype).reshape(bits.shape)
        if self.partition is not None and bits.ndim == 1 and width in _MOVED:
            self._through_buckets(bits, found)
        else:
            order = self.rows_in_order()
            take = gather if bits.ndim == 1 else gather_wide
            run(
                [partial(take, bits, order[start:stop], found[start:stop]) for start, stop in cuts(self.rows, self.threads)],
                self.watch,
            )
        return buffer

    def rows_in_order(self) -> NDArray[Any]:
        """For each place of the result, which row stands there."""
        if self.order is None:
            numbers = np.arange(self.rows, dtype=np.uint32 if self.rows <= np.iinfo(np.uint32).max else np.uint64)
            order = result(numbers.size, numbers.dtype)
            self._through_buckets(numbers, order)
            self.order = order
        return self.order

    def _through_buckets(self, bits: NDArray[Any], found: NDArray[Any]) -> None:
        assert self.partition is not None
        assert self.local is not None
        assert self.work is not None
        staged = self.work.view(bits.dtype)[: self.rows]
        self.partition.scatter_values(bits, staged, self.watch)
        local = self.local
        parts = _even(self.partition.bounds, self.threads)
        run([partial(gather_local, staged, local, bounds, 0, found) for bounds in parts], self.watch)


@contextmanager
def movement(keys: Keys, threads: int, watch: Watch) -> Iterator[Movement | None]:
    """Work out the stable order of a key; None if rows are in order. Usable inside the block."""
    rows = keys.rows
    seen = extent(keys, threads, watch) if rows > 1 else Extent(0, 0, 0, 0, 0)
    if seen.falls == 0:
        yield None
        return
    if reach(keys) <= NEAR_ROWS.default:
        yield Movement(rows, threads, watch, None, None, None, argsort_words(keys, threads, watch))
        return
    with ExitStack() as stack:
        partition = stack.enter_context(partitioned(keys, seen, model_for(keys, seen), threads, watch))
        work = stack.enter_context(scratch(rows, np.uint64))
        local = stack.enter_context(scratch(rows, np.uint32))
        order_buckets(keys, seen, partition, work, local, threads, watch)
        yield Movement(rows, threads, watch, partition, local, work, None)


def reach(keys: Keys) -> float:
    """How many rows of the sorted column neighbouring rows are apart, by the middle one of some blocks of neighbours."""
    drawn = sample(keys, _SAMPLE_ROWS)
    starts = np.linspace(0, max(keys.rows - _BLOCK_ROWS, 0), _BLOCKS).astype(np.int64)
    blocks = np.minimum(starts[:, None] + np.arange(_BLOCK_ROWS), keys.rows - 1)
    words = keys.words(blocks.ravel()).reshape(blocks.shape)
    spans = np.searchsorted(drawn, words.max(1)) - np.searchsorted(drawn, words.min(1))
    return float(np.median(spans)) / drawn.size * keys.rows


def order_buckets(
    keys: Keys, seen: Extent, partition: Partition, work: Words | None, local: NDArray[np.uint32], threads: int, watch: Watch
) -> None:
    """Which row of its bucket stands at each place: packed words with places in the bucket, sorted bucket by bucket.

    Half words, if they hold what the buckets leave of the keys: these need no memory but `local`.

    Args:
        work: scratch memory of 8 bytes a row; borrowed if it is needed and not given.
    """
    row_bits = max((stop - start - 1).bit_length() for _, start, stop in partition.bounds)
    several = partition.several(seen)
    halves = partition.drops(row_bits, _HALF_BITS)
    with ExitStack() as stack:
        packed: NDArray[Any] = local
        lossy, drops, staged = [False] * halves.size, halves, keys.bits[:0]
        if row_bits > _HALF_BITS or any(partition.lossy(seen, halves)):
            packed = work if work is not None else stack.enter_context(scratch(keys.rows, np.uint64))
            drops = partition.drops(row_bits)
            lossy = partition.lossy(seen, drops)
        if any(lossy):
            staged = stack.enter_context(scratch(keys.rows, keys.bits.dtype))
            partition.scatter_values(keys.bits, staged, watch)
        partition.scatter(keys, row_bits, drops, packed, watch, local=True)
        mask = packed.dtype.type((1 << row_bits) - 1)

        def finish(bucket: tuple[int, int, int]) -> None:
            number, start, stop = bucket
            rows = packed[start:stop]
            if several[number]:
                rows.sort()
            if lossy[number]:
                order_alike(rows, np.uint64(row_bits), True, staged[start:stop], keys.form)
            else:
                np.bitwise_and(rows, mask, out=rows)
            if packed is not local:
                local[start:stop] = rows

        over(partition.bounds, finish, threads, watch)


def _even(bounds: list[tuple[int, int, int]], parts: int) -> list[NDArray[np.int64]]:
    """Buckets in parts of about as many rows each, as `gather_local` takes them."""
    spans = np.array([(start, start, stop) for _, start, stop in bounds], np.int64)
    marks = np.linspace(0, spans[-1, 2], parts + 1)[1:-1]
    return np.split(spans, np.searchsorted(spans[:, 2], marks))


@kernel
def gather_local(staged: NDArray[Any], local: NDArray[np.uint32], bounds: NDArray[np.int64], first: int, found: NDArray[Any]) -> None:
    """Bring values of buckets into order within each.

    Args:
        bounds: for each bucket, or part of one: where the bucket begins, and the places to fill.
        first: the place that `found` begins with.
    """
    shift = np.uint64(first)
    for number in range(bounds.shape[0]):
        base, start, stop = np.uint64(bounds[number, 0]), np.uint64(bounds[number, 1]), np.uint64(bounds[number, 2])
        for place in range(start, stop):
            found[place - shift] = staged[base + np.uint64(local[place])]


@kernel
def gather(column: NDArray[Any], order: NDArray[Any], found: NDArray[Any]) -> None:
    """The values of some rows."""
    for place in range(np.uint64(order.size)):
        found[place] = column[np.uint64(order[place])]


@kernel
def gather_wide(column: NDArray[Any], order: NDArray[Any], found: NDArray[Any]) -> None:
    """The values of some rows, of several words each."""
    for place in range(np.uint64(order.size)):
        for part in range(column.shape[1]):
            found[place, part] = column[np.uint64(order[place]), part]
