"""Numbers and times that can be looked up: a domain of 64-bit words for the keys, and any number's place in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sartor.kernels.words import Words, keys_of

_TOP = 2**64 - 1


@dataclass(frozen=True, slots=True)
class Places:
    """Queries as words.

    Attributes:
        words: one for each query.
        below, above: queries that lie outside of all words the domain has; their words mean nothing.
        scalar: whether one number was asked for, not an array.
    """

    words: Words
    below: NDArray[np.bool_] | None
    above: NDArray[np.bool_] | None
    scalar: bool


@dataclass(frozen=True, slots=True)
class Domain:
    """The type that keys are compared in: of 64 bits, at least as wide as the keys' own.

    Attributes:
        dtype: int64, uint64, float64, or a datetime64 or timedelta64 with its unit.
    """

    dtype: np.dtype[Any]

    @staticmethod
    def of(values: NDArray[Any]) -> Domain:
        """The domain of an array of numbers or times.

        >>> Domain.of(np.array([1, 2], np.int8)).dtype
        dtype('int64')
        """
        kind = values.dtype.kind
        if kind in "mM":
            return Domain(values.dtype.newbyteorder("="))
        wide = {"i": np.int64, "u": np.uint64, "b": np.uint64, "f": np.float64}.get(kind)
        if wide is None or values.dtype.itemsize > np.dtype(wide).itemsize:
            raise TypeError(f"keys of {values.dtype} can not be indexed; convert them to numbers, dates or text")
        return Domain(np.dtype(wide))

    @property
    def flip(self) -> np.uint64:
        """What the stored bits of a key are flipped with to make its word, where that is all there is to it."""
        return np.uint64(1 << 63) if self.dtype.kind == "i" else np.uint64(0)

    def stored(self, values: NDArray[Any]) -> Words:
        """Words, flipped with `flip`: of int64 and uint64 the keys themselves, where they lie."""
        wide = values.astype(self.dtype, copy=False)
        if self.dtype.kind in "iu":
            return np.ascontiguousarray(wide).view(np.uint64)
        return keys_of(wide).words()

    def restored(self, words: Words) -> NDArray[Any]:
        """The keys of words."""
        if self.dtype.kind == "f":
            sign = np.uint64(1 << 63)
            return np.where(words >= sign, words ^ sign, ~words).view(np.float64)
        if self.dtype.kind in "mM":
            return ((words + np.uint64(1)) ^ np.uint64(1 << 63)).view(self.dtype)
        return (words ^ self.flip).view(self.dtype)

    def places(self, queries: Any) -> Places:
        """Words of queries.

        Raises:
            TypeError: for queries that can not be compared with the keys without loss.
        """
        if type(queries) is int and self.dtype.kind in "iu":
            word = queries + (1 << 63 if self.dtype.kind == "i" else 0)
            inside = np.array([min(max(word, 0), _TOP)], np.uint64)
            return Places(inside, np.array([True]) if word < 0 else None, np.array([True]) if word > _TOP else None, True)
        array = queries.to_numpy(zero_copy_only=False) if isinstance(queries, pa.Array) else np.asarray(queries)
        if isinstance(queries, pa.ChunkedArray):
            array = queries.to_numpy()
        flat = np.atleast_1d(array)
        if flat.ndim != 1:
            raise ValueError(f"look-ups have {flat.ndim} dimensions; hand over one column at a time")
        if flat.dtype.kind == "O" and flat.size and all(isinstance(value, int) for value in flat):
            return self._far(flat, array.ndim == 0)
        if self.dtype.kind in "iu" and flat.dtype.kind in "iub":
            below = flat < 0 if self.dtype.kind == "u" and flat.dtype.kind == "i" else None
            above = flat > np.uint64(2**63 - 1) if self.dtype.kind == "i" and flat.dtype == np.uint64 else None
            wide = flat.astype(np.uint64 if flat.dtype.kind == "u" else np.int64, copy=False)
            words = np.ascontiguousarray(wide).view(np.uint64) ^ self.flip
            return Places(words, below, above, array.ndim == 0)
        if self.dtype.kind in "mM" and flat.dtype.kind in "US":
            flat = flat.astype(self.dtype.kind + "8")
        if (self.dtype.kind == "f" and flat.dtype.kind in "iubf") or np.can_cast(flat.dtype, self.dtype, "safe"):
            return Places(keys_of(flat.astype(self.dtype)).words(), None, None, array.ndim == 0)
        raise TypeError(f"keys are {self.dtype}; look-ups of {flat.dtype} could lose what tells them apart: convert them")

    def _far(self, values: NDArray[Any], scalar: bool) -> Places:
        """Integers beyond 64 bits."""
        if self.dtype.kind == "f":
            return self.places(values.astype(np.float64))
        if self.dtype.kind not in "iu":
            raise TypeError(f"keys are {self.dtype}; convert the look-ups to it")
        each = [self.places(int(value)) for value in values]
        below = np.array([place.below is not None for place in each])
        above = np.array([place.above is not None for place in each])
        return Places(np.concatenate([place.words for place in each]), below, above, scalar)
