"""`sartor.sort`: the keys themselves, in order. On one thread that is np.sort, which no partition beats; see docs/kernels.md."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.core.constants import COST_ROWS, RESULT_LEAST_BYTES, SMALL_ROWS, SPLIT_SAMPLE_ROWS
from sartor.kernels.argsort import columns_of, order_of
from sartor.kernels.columns import Nulls, taken
from sartor.kernels.compiled import kernel
from sartor.kernels.cost import costs, useful
from sartor.kernels.partitioning import sample
from sartor.kernels.pool import result
from sartor.kernels.split import value_parts
from sartor.kernels.threads import Progress, Watch, cuts, over, run
from sartor.kernels.words import keys_of, leading_run

_HALF_BYTES = 4
_FEW = 64  # values that are looked at first; any number that takes no time does
_WORD_BYTES = 8


def sort(values: Any, *, descending: bool = False, nulls: Nulls = "last", threads: int = 1, progress: Progress | None = None) -> Any:
    """A sorted copy: an array for an array, a masked one for a masked one, an Arrow array for an Arrow array.

    Guarantee: equal to np.sort for NumPy arrays (NaN and NaT last; where -0.0 and 0.0 stand among each other is left open, as in
    np.sort), to taking the rows of `argsort` for everything else.

    Args:
        values: one column, of any type that `argsort` takes.
        descending: highest first; NaN is the highest.
        nulls: where nulls stand, "first" or "last".
        threads: how many may work side by side.
        progress: as for `argsort`.

    >>> sort(np.array([3, 1, 2]), descending=True).tolist()
    [3, 2, 1]
    """
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    if (type(values) is np.ndarray or _is_plain(values)) and _is_number(values):
        if values.size < COST_ROWS.default and values.ndim == 1 and not descending and progress is None:
            return by_numpy(values)
        if values.ndim != 1:
            raise ValueError(f"keys have {values.ndim} dimensions; hand over one column at a time")
        return _sort_numbers(values, descending, threads, Watch(progress))
    columns = columns_of([values], descending, nulls)
    rows = order_of(columns, threads, Watch(progress))
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return taken(values, rows)
    return values[rows] if isinstance(values, np.ndarray) else np.asarray(values)[rows]


def _is_plain(values: Any) -> bool:
    return isinstance(values, np.ndarray) and not isinstance(values, np.ma.MaskedArray)


def _is_number(values: NDArray[Any]) -> bool:
    return values.itemsize <= _WORD_BYTES and values.dtype.kind in "iufbmM"


def _sort_numbers(values: NDArray[Any], descending: bool, threads: int, watch: Watch) -> NDArray[Any]:
    watch.tell()
    width = values.dtype.itemsize
    if (found := _in_order(values, useful(threads), watch)) is not None:
        pass
    elif useful(threads) > 1 and values.size >= COST_ROWS.default and width >= _HALF_BYTES and values.dtype.isnative:
        found = by_parts(values, useful(threads), watch)
    else:
        found = by_numpy(values)
    if descending:
        reverse(found.view(f"u{width}"))
    watch.finish()
    return found


def _in_order(values: NDArray[Any], threads: int, watch: Watch) -> NDArray[Any] | None:
    """A sorted copy of what is sorted already, either way; None if it is not: mostly that shows at the first rows."""
    if values.dtype.itemsize < _HALF_BYTES or values.size <= SMALL_ROWS.default or not values.dtype.isnative:
        return None
    keys = keys_of(values)
    if keys.bits[0] == keys.bits[-1]:
        return None  # if they are in order they are all equal, and np.sort sees that as soon
    ordered, falling, _ = leading_run(keys.bits, keys.form)
    if ordered < values.size:
        return None
    turned = values[::-1] if falling else values
    found = result(values.size, values.dtype)
    parts = cuts(values.size, threads if values.size >= COST_ROWS.default else 1)
    run([partial(np.copyto, found[start:stop], turned[start:stop]) for start, stop in parts], watch)
    return found


def by_numpy(values: NDArray[Any]) -> NDArray[Any]:
    """np.sort; numbers of one byte are counted by its stable kind, while the other compares them."""
    kind: Literal["stable"] | None = "stable" if values.itemsize == 1 else None
    if values.nbytes < RESULT_LEAST_BYTES.default:
        found = np.array(values)
    else:
        found = result(values.size, values.dtype)
        np.copyto(found, values)
    found.sort(kind=kind)  # what np.sort does, without its 0.5 µs of calls
    return found


def by_parts(values: NDArray[Any], threads: int, watch: Watch, always: bool = False) -> NDArray[Any]:
    """A part of the values for each thread, split as a sample says, and np.sort for each; nothing is taken beyond the result.

    Where np.sort alone is expected to be faster it is called, unless that `always` is forbidden.
    """
    few = values[:: max(1, values.size // _FEW)]
    if not always and bool((few == few[0]).all()):
        return by_numpy(values)  # which sees that they are all equal sooner than a sample is drawn
    keys = keys_of(values)
    drawn = sample(keys, int(SPLIT_SAMPLE_ROWS.default))
    if not always:
        distinct = np.count_nonzero(drawn[1:] != drawn[:-1]) / drawn.size
        known = costs()
        if known.sorting(values.size) <= known.sorting_parts(values.size, threads, float(distinct)):
            return by_numpy(values)
    watch.phase(0.4)
    found, parts = value_parts(keys, values.dtype, drawn, threads, threads, watch)
    watch.phase(0.6, len(parts))
    over(parts, lambda part: found[part[0] : part[1]].sort(), threads, watch)
    return found


@kernel
def reverse(values: NDArray[Any]) -> None:
    """Turn an array round where it stands."""
    for place in range(values.size // 2):
        values[place], values[values.size - 1 - place] = values[values.size - 1 - place], values[place]
