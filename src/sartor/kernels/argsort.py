"""`sartor.argsort`: the stable order of columns of any type."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sartor.core.constants import COST_ROWS, SMALL_ROWS
from sartor.kernels.argsort_words import argsort_words
from sartor.kernels.columns import Column, Nulls, column_of
from sartor.kernels.levels import argsort_levels
from sartor.kernels.small import Rows, argsort_small
from sartor.kernels.threads import Progress, Watch
from sartor.kernels.words import form_of

_HALF_BYTES = 4
_PLAIN_TYPES = "iIlLqQfd"


def argsort(
    *keys: Any,
    stable: bool = True,
    descending: bool | Sequence[bool] = False,
    nulls: Nulls | Sequence[Nulls] = "last",
    threads: int = 1,
    progress: Progress | None = None,
) -> NDArray[np.intp]:
    """Row numbers in the order of one or several columns, the first column first.

    Guarantee: the result equals that of a stable comparison sort: np.argsort(kind="stable") where NumPy knows the type, so NaN and
    NaT stand last and -0.0 equals 0.0. NaN counts as the highest value: it comes first when descending. Equal rows keep the order
    of rows, also when descending. Text is in the order of its bytes.

    Args:
        keys: NumPy arrays (masked values are nulls), Arrow arrays or chunked arrays, or lists, of equal length.
        stable: the result is always stable; as NumPy has it.
        descending: for all keys, or one for each.
        nulls: where nulls stand, "first" or "last", whether descending or not; for all keys, or one for each.
        threads: how many may work side by side.
        progress: is told the share done, on the calling thread; if it returns False, the sort ends with `SortCancelled`.

    Raises:
        TypeError: for types that have no order here.
        ValueError: for keys of different lengths or of several dimensions.

    >>> argsort(np.array([2.5, np.nan, -1.0])).tolist()
    [2, 0, 1]
    >>> argsort(["b", None, "a", "b"], [1, 2, 3, 0], nulls="first").tolist()
    [1, 2, 3, 0]
    """
    if len(keys) == 1 and progress is None and threads == 1 and descending is False:
        found = _argsort_plain(keys[0])
        if found is not None:
            return found
    columns = columns_of(keys, descending, nulls)
    return order_of(columns, threads, Watch(progress))


def columns_of(keys: Sequence[Any], descending: bool | Sequence[bool], nulls: Nulls | Sequence[Nulls]) -> list[Column]:
    """The keys as columns of one length."""
    if not keys:
        raise TypeError("argsort needs at least one key")
    falls = [descending] * len(keys) if isinstance(descending, bool | np.bool_) else list(descending)
    places = [nulls] * len(keys) if isinstance(nulls, str) else list(nulls)
    if len(falls) != len(keys) or len(places) != len(keys):
        raise ValueError(f"there are {len(keys)} keys; descending and nulls must say one thing for all or one for each")
    columns = [column_of(key, bool(fall), place) for key, fall, place in zip(keys, falls, places, strict=True)]
    if len({column.rows for column in columns}) > 1:
        raise ValueError(f"keys have {[column.rows for column in columns]} rows; they must have the same number")
    return columns


def order_of(columns: Sequence[Column], threads: int, watch: Watch) -> Rows:
    """Row numbers in the order of the columns."""
    if threads < 1:
        raise ValueError(f"threads is {threads}; it must be at least 1")
    watch.tell()
    first = columns[0]
    single = len(columns) == 1
    if single and first.values is not None and first.nulls is None and first.values.dtype.itemsize < _HALF_BYTES:
        order = _argsort_small(first)
    elif single and (keys := first.keys()) is not None:
        order = argsort_words(keys, threads, watch)
    else:
        order = argsort_levels(first.rows, chain.from_iterable(column.all_levels() for column in columns), threads, watch)
    watch.finish()
    return order


def _argsort_small(column: Column) -> Rows:
    """Numbers of one or two bytes: NumPy's stable sort counts them, and nothing here is faster."""
    values = column.values
    assert values is not None
    if values.dtype.kind == "f":
        sign = np.uint16(1 << 15)
        bits: Any = values.view(np.uint16)
        rising = np.where(np.isnan(values), np.uint16(2**16 - 1), np.where(bits > sign, ~bits, bits | sign))
    else:
        rising = values
    if column.descending:
        rising = ~rising
    return np.argsort(rising, kind="stable")


def _argsort_plain(values: Any) -> Rows | None:
    """Small arrays that need no preparation, without the microseconds that it takes to find that out of a column."""
    if type(values) is not np.ndarray or values.dtype.char not in _PLAIN_TYPES or values.size >= COST_ROWS.default or values.ndim != 1:
        return None
    if values.size <= SMALL_ROWS.default:
        return values.argsort(kind="stable")
    flags = values.flags
    if not (flags.c_contiguous and flags.aligned and flags.writeable and values.dtype.isnative):
        return None
    bits: Any = values.view(np.uint64 if values.dtype.itemsize > _HALF_BYTES else np.uint32)
    return argsort_small(bits, form_of(values.dtype, False))
