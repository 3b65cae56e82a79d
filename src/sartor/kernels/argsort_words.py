"""The stable order of one column of words; everything else that sorts is made of this."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from sartor.core.constants import COST_ROWS, STRETCH_ROWS
from sartor.kernels.cost import costs, useful
from sartor.kernels.packing import Packing, packing_for
from sartor.kernels.partitioning import Extent, extent, model_for, partitioned
from sartor.kernels.pool import result
from sartor.kernels.small import Rows, argsort_small, order_alike
from sartor.kernels.split import packed_parts
from sartor.kernels.threads import Watch, over
from sartor.kernels.words import Keys, Words, change_places, leading_run, order_run, order_stretches, pack


def argsort_words(keys: Keys, threads: int, watch: Watch) -> Rows:
    """Rows in the order of their words, equal ones in the order of rows, by whatever way is expected to be the fastest.

    Exact by each of them: models only decide where rows go first.

    >>> from sartor.kernels.words import keys_of
    >>> argsort_words(keys_of(np.array([3, 1, 2, 1])), 1, Watch()).tolist()
    [1, 3, 2, 0]
    """
    rows = keys.rows
    if rows < COST_ROWS.default:
        return argsort_small(keys.bits, keys.form)
    run, falling, ties = leading_run(keys.bits, keys.form)
    if run == rows:
        found = result(rows, np.int64)
        order_run(keys.bits, keys.form, falling, ties, found)
        return found
    seen = extent(keys, threads, watch)
    if seen.changes * STRETCH_ROWS.default < rows:
        return by_stretches(keys, seen.changes)
    packing = packing_for(keys, seen)
    known = costs()
    ways: list[tuple[float, Callable[[], Rows]]] = [
        (known.packing(rows, threads, packing.alike), lambda: by_packing(keys, seen, packing, useful(threads), watch)),
        (known.partitioning(rows, threads, seen.narrow), lambda: by_partition(keys, seen, threads, watch)),
        (known.merging(rows, seen.falls + 1), lambda: by_merging(keys)),
    ]
    return min(ways, key=lambda way: way[0])[1]()


def by_merging(keys: Keys) -> Rows:
    """NumPy's stable sort, which finds runs that are sorted and merges them."""
    return np.argsort(keys.typed(), kind="stable")


def by_stretches(keys: Keys, changes: int) -> Rows:
    """Stretches of equal rows, put in order by their first ones; beyond the result it takes 24 bytes for each of them."""
    starts = np.zeros(changes + 1, np.int64)
    change_places(keys.bits, keys.form, starts[1:])
    found = result(keys.rows, np.int64)
    order_stretches(starts, np.argsort(keys.words(starts), kind="stable"), found)
    return found


def by_packing(keys: Keys, seen: Extent, packing: Packing, threads: int, watch: Watch) -> Rows:
    """Key and row number in one word, sorted as numbers; rows that look alike are put in order by their true keys.

    Several threads sort a part each.
    """
    rows = keys.rows
    low, high, drop, row_bits = (np.uint64(part) for part in (packing.low, packing.high, packing.drop, packing.row_bits))
    is_whole = (packing.low, packing.high) == (seen.low, seen.high)
    if threads > 1:
        packed, parts = packed_parts(keys, packing, is_whole and packing.lossless, threads, watch)
    else:
        packed, parts = cast(Words, result(rows, np.uint64)), [(0, rows)]
        pack(keys.bits, keys.form, low, high, drop, row_bits, packed)
    watch.phase(0.7, len(parts))
    over(parts, lambda part: packed[part[0] : part[1]].sort(), threads, watch)
    first, last = (0, rows) if is_whole else packing.ends(packed)
    regions = ((0, first, True), (first, last, not packing.lossless), (last, rows, True))
    pieces = [(max(start, begin), min(stop, end), lossy) for start, stop, lossy in regions for begin, end in parts]
    watch.phase(0.1, len(pieces))

    def finish(piece: tuple[int, int, bool]) -> None:
        start, stop, lossy = piece
        if start < stop:
            order_alike(packed[start:stop], row_bits, lossy, keys.bits, keys.form)

    over(pieces, finish, threads, watch)
    return packed.view(np.int64)


def by_partition(keys: Keys, seen: Extent, threads: int, watch: Watch) -> Rows:
    """Rows are first brought to learned buckets; then each bucket is sorted by itself, in the cache.

    Beyond the result it takes two bytes a row.
    """
    row_bits = (keys.rows - 1).bit_length()
    model = model_for(keys, seen)
    watch.phase(0.2)
    with partitioned(keys, seen, model, threads, watch) as partition:
        packed: Words = result(keys.rows, np.uint64)
        drops = partition.drops(row_bits)
        watch.phase(0.2)
        partition.scatter(keys, row_bits, drops, packed, watch)
        bounds = partition.bounds
        several, lossy = partition.several(seen), partition.lossy(seen, drops)
    watch.phase(0.5, len(bounds))

    def finish(bucket: tuple[int, int, int]) -> None:
        number, start, stop = bucket
        if several[number]:
            packed[start:stop].sort()
        order_alike(packed[start:stop], np.uint64(row_bits), lossy[number], keys.bits, keys.form)

    over(bounds, finish, threads, watch)
    return packed.view(np.int64)
