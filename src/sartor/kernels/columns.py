"""What users hand over, NumPy arrays and Arrow columns of every type, as keys or levels of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.core.constants import DICTIONARY_REPEATS, DICTIONARY_ROWS
from sartor.kernels.levels import Level, argsort_levels
from sartor.kernels.small import Rows
from sartor.kernels.strings import string_buffers, string_levels
from sartor.kernels.threads import Watch
from sartor.kernels.words import Keys, Words, keys_of

Nulls = Literal["first", "last"]
_WORD_BYTES = 8
_HALF_BYTES = 4
_ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class Column:
    """A column to sort by.

    Attributes:
        rows: how many.
        values: its numbers, if it has one fixed-width number a row (of 1 to 8 bytes, in the machine's byte order).
        levels: makes its levels; the only way in for types of more than one word.
        nulls: where it has none; None if it has none at all.
        descending, nulls_first: the order asked for.
    """

    rows: int
    values: NDArray[Any] | None
    levels: Callable[[], Iterator[Level]]
    nulls: NDArray[np.bool_] | None
    descending: bool
    nulls_first: bool

    def keys(self) -> Keys | None:
        """The column as one word a row without a copy, if it is such a one."""
        if self.values is None or self.nulls is not None or self.values.dtype.itemsize < _HALF_BYTES:
            return None
        return keys_of(self.values, self.descending)

    def all_levels(self) -> Iterator[Level]:
        """The levels, before them one that tells nulls from values; values under nulls are not looked at."""
        nulls = self.nulls
        if nulls is not None:
            flags = (~nulls if self.nulls_first else nulls).astype(np.uint64)
            yield lambda rows: flags if rows is None else flags[rows]
        for level in self.levels():
            yield level if nulls is None else _without(level, nulls)


def column_of(values: Any, descending: bool = False, nulls: Nulls = "last") -> Column:
    """Read a NumPy array (also masked), an Arrow array or chunked array, or a list.

    Raises:
        TypeError: for values that have no order here.
        ValueError: for arrays of more than one dimension.
    """
    if nulls not in ("first", "last"):
        raise ValueError(f'nulls is {nulls!r}; say "first" or "last"')
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks() if values.num_chunks != 1 else values.chunk(0)
    if isinstance(values, pa.Array):
        return _of_arrow(values, descending, nulls == "first")
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        inner = column_of(np.asarray(values.data), descending, nulls)
        absent = (mask if inner.nulls is None else mask | inner.nulls) if mask.any() else inner.nulls
        return Column(inner.rows, inner.values, inner.levels, absent, descending, nulls == "first")
    array = values if isinstance(values, np.ndarray) else np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"keys have {array.ndim} dimensions; hand over one column at a time")
    if array.dtype.kind in "iufbmM" and array.dtype.itemsize <= _WORD_BYTES:
        native = array.astype(array.dtype.newbyteorder("="), copy=False)
        return _of_numbers(native, None, descending, nulls == "first")
    if array.dtype.kind in "OUST":
        try:
            return _of_arrow(_arrow(array), descending, nulls == "first")
        except (pa.ArrowException, UnicodeError) as error:
            raise TypeError(
                f"these objects have no order that is known here ({error}); convert them to numbers, dates or text"
            ) from error
    raise TypeError(f"columns of {array.dtype} can not be sorted; convert them to numbers, dates or text")


def _arrow(array: NDArray[Any]) -> Any:
    if array.dtype.kind == "T":
        array = array.astype(object)
    found = pa.array(array)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _of_numbers(values: NDArray[Any], nulls: NDArray[np.bool_] | None, descending: bool, nulls_first: bool) -> Column:
    def levels() -> Iterator[Level]:
        keys = keys_of(widened(values), descending)
        yield keys.words

    return Column(values.size, values, levels, nulls, descending, nulls_first)


def widened(values: NDArray[Any]) -> NDArray[Any]:
    """Numbers of 4 or 8 bytes, in the same order."""
    if values.dtype.itemsize >= _HALF_BYTES:
        return values
    return values.astype({"i": np.int32, "f": np.float32}.get(values.dtype.kind, np.uint32))


def _of_arrow(array: Any, descending: bool, nulls_first: bool) -> Column:
    kind = array.type
    nulls = pc.is_null(array).to_numpy(zero_copy_only=False) if array.null_count else None
    if pa.types.is_dictionary(kind):
        return _of_dictionary(array, nulls, descending, nulls_first)
    numbers = fixed_numbers(array)
    if numbers is not None:
        return _of_numbers(numbers, nulls, descending, nulls_first)
    if pa.types.is_decimal(kind):
        parts = limbs(array)
        return Column(len(array), None, lambda: _limb_levels(parts, descending), nulls, descending, nulls_first)
    if is_text(kind):
        if _repeats(array):
            return _of_dictionary(pc.cast(array, pa.large_binary()).dictionary_encode(), nulls, descending, nulls_first)
        offsets, data = string_buffers(array)
        return Column(len(array), None, lambda: string_levels(offsets, data, descending), nulls, descending, nulls_first)
    if pa.types.is_null(kind):
        return _of_numbers(np.zeros(len(array), np.uint64), None, descending, nulls_first)
    raise TypeError(f"columns of {kind} can not be sorted; choose columns of numbers, dates or text")


def fixed_numbers(array: Any) -> NDArray[Any] | None:
    """The numbers of an Arrow array of a type with one of at most 8 bytes a row, without a copy but for booleans."""
    kind = array.type
    if pa.types.is_boolean(kind):
        return np.asarray(pc.cast(pc.fill_null(array, False), pa.uint8()).to_numpy(zero_copy_only=False))
    if pa.types.is_floating(kind):
        dtype = f"f{kind.bit_width // 8}"
    elif pa.types.is_unsigned_integer(kind):
        dtype = f"u{kind.bit_width // 8}"
    elif pa.types.is_integer(kind) or pa.types.is_temporal(kind) or _is_small_decimal(kind):
        try:
            dtype = f"i{kind.bit_width // 8}"
            np.dtype(dtype)
        except (ValueError, TypeError):  # an interval of several parts
            return None
    else:
        return None
    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(data, dtype)[array.offset : array.offset + len(array)]


def _is_small_decimal(kind: Any) -> bool:
    return bool(pa.types.is_decimal(kind) and kind.byte_width <= _WORD_BYTES)


def taken(column: Any, rows: Any) -> Any:
    """These rows of an Arrow column; also of views of text, which Arrow itself does not take."""
    kind = column.type
    if is_text_view(kind):
        plain = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
        return pc.cast(pc.cast(column, plain).take(pa.array(rows)), kind)
    return column.take(pa.array(rows))


def is_text_view(kind: Any) -> bool:
    """Whether an Arrow type is of text whose short values stand in its views."""
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is of strings or bytes."""
    tests = (
        "is_string",
        "is_large_string",
        "is_binary",
        "is_large_binary",
        "is_fixed_size_binary",
        "is_string_view",
        "is_binary_view",
    )
    return any(getattr(pa.types, test, lambda _: False)(kind) for test in tests)


def _repeats(array: Any) -> bool:
    """Whether text comes again and again: hashing it once is then less work than comparing it over and over."""
    if len(array) < DICTIONARY_ROWS.default:
        return False
    drawn = np.unique(np.random.default_rng(0).integers(0, len(array), int(DICTIONARY_ROWS.default)))
    repeated = drawn.size - len(pc.unique(taken(array, drawn)))
    return bool(repeated * len(array) >= DICTIONARY_REPEATS.default * drawn.size**2)


def _of_dictionary(array: Any, nulls: NDArray[np.bool_] | None, descending: bool, nulls_first: bool) -> Column:
    """The rank of each entry is the key: text is looked at once for each entry."""
    entries = column_of(array.dictionary)
    count, watch = entries.rows, Watch()
    if entries.nulls is not None:  # an entry may be null itself
        return column_of(pc.cast(array, array.type.value_type), descending, "first" if nulls_first else "last")
    order = argsort_levels(count, entries.all_levels(), 1, watch)
    sorted_entries = array.dictionary.take(pa.array(order))
    changes = np.ones(count, bool)
    if count > 1:
        changes[1:] = pc.not_equal(sorted_entries[1:], sorted_entries[:-1]).to_numpy(zero_copy_only=False)
        if pa.types.is_floating(sorted_entries.type):  # NaN is not equal to itself, and yet of one rank
            absent = np.isnan(sorted_entries.to_numpy(zero_copy_only=False))
            changes[1:] &= ~(absent[1:] & absent[:-1])
    rank = np.zeros(max(count, 1), np.uint32)
    rank[order] = np.cumsum(changes) - 1
    places = fixed_numbers(array.indices)
    assert places is not None
    known = np.where(nulls, 0, places) if nulls is not None else places
    return _of_numbers(rank[known], nulls, descending, nulls_first)


def limbs(array: Any) -> NDArray[np.uint64]:
    """The words of wide decimals, lowest first."""
    count = array.type.byte_width // _WORD_BYTES
    data = array.buffers()[1]
    if data is None:
        return np.zeros((len(array), count), np.uint64)
    return np.frombuffer(data, np.uint64).reshape(-1, count)[array.offset : array.offset + len(array)]


def _limb_levels(parts: NDArray[np.uint64], descending: bool) -> Iterator[Level]:
    flip = _ALL if descending else np.uint64(0)
    for place in reversed(range(parts.shape[1])):
        sign = np.uint64(1 << 63) if place == parts.shape[1] - 1 else np.uint64(0)

        def level(rows: Rows | None, place: int = place, turned: np.uint64 = sign ^ flip) -> Words:
            column = parts[:, place]
            return (column if rows is None else column[rows]) ^ turned

        yield level


def _without(level: Level, nulls: NDArray[np.bool_]) -> Level:
    """The level with all nulls alike."""

    def words(rows: Rows | None) -> Words:
        made = level(rows)
        made = made.copy() if not made.flags.owndata else made
        valid = ~(nulls if rows is None else nulls[rows])
        made[~valid] = made[valid].min() if valid.any() else np.uint64(0)
        return made

    return words
