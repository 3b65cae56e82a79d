"""Which cell rows lie in: each column is cut at borders, and the parts that a row's values fall into tell its place together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.buckets import Ids, SplitterTree, cut_at
from sartor.kernels.columns import fixed_numbers, widened
from sartor.kernels.words import keys_of


@dataclass(frozen=True, slots=True)
class Cut:
    """A column's parts.

    Attributes:
        model: tells the border that a value is not below.
        parts: the part that begins at each, other ones than that where borders are equal; None if there are none.
        count: how many parts there are.
    """

    model: SplitterTree
    parts: Ids | None
    count: int

    def part_of(self, array: Any) -> Ids:
        """The part of each value of an Arrow array: as many borders are not above it; the last one for nulls."""
        keys, found = keys_of(widened(_numbers(array))), np.empty(len(array), np.uint16)
        self.model.classify(keys.bits, keys.form, found, np.zeros(self.model.floors.size, np.int64))
        if self.parts is not None:
            found = self.parts[found]
        if array.null_count:
            found[pc.is_null(array).to_numpy(zero_copy_only=False)] = self.count - 1
        return found


def cut(borders: Any, count: int) -> Cut | None:
    """The parts between rising borders, an Arrow list of one fewer than there are parts; None for types that it can not be told of.

    Where the list is null, all values belong to the last part.

    >>> cut(pa.scalar([2, 2, 5], pa.list_(pa.int16())), 4).part_of(pa.array([1, 2, None, 4, 5], pa.int16())).tolist()
    [0, 2, 3, 2, 3]
    """
    kind = borders.type.value_type
    if fixed_numbers(pa.array([], kind)) is None:
        return None
    if not borders.is_valid:
        return Cut(cut_at(np.empty(0, np.uint64)), np.array([count - 1], np.uint16), count)
    words = keys_of(widened(_numbers(borders.values))).words()
    model = cut_at(np.unique(words))
    parts = np.searchsorted(words, model.floors, "right").astype(np.uint16)
    return Cut(model, None if parts.size == count else parts, count)


def placed(arrays: Sequence[Any], cuts: Sequence[Cut], places: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The place of each row's cell.

    Args:
        arrays: the columns that are cut, as Arrow arrays.
        places: of each cell, the last column's parts running fastest; at most 2^16.

    >>> halves = cut(pa.scalar([2], pa.list_(pa.int64())), 2)
    >>> placed([pa.array([1, 1, 3, 3]), pa.array([1, 3, 1, 3])], [halves, halves], np.array([0, 1, 3, 2], np.uint16)).tolist()
    [0, 1, 3, 2]
    """
    cells: Ids | None = None
    for array, one in zip(arrays, cuts, strict=True):
        part = one.part_of(array)
        cells = part if cells is None else cells * np.uint16(one.count) + part
    assert cells is not None
    return places[cells]


def _numbers(array: Any) -> NDArray[Any]:
    numbers = fixed_numbers(array)
    assert numbers is not None
    return numbers
