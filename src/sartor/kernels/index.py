"""`sartor.LearnedIndex`: sorted keys, what was learned of them, and how many of them are lower than any other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from sartor.core.constants import INDEX_BUFFER_ROWS, INDEX_BUFFER_SHARE
from sartor.kernels import index_file
from sartor.kernels.domain import Domain
from sartor.kernels.kinds import Numbers, Text
from sartor.kernels.runs import Run
from sartor.kernels.search import Ranks
from sartor.kernels.texts import Texts


@dataclass(frozen=True, slots=True)
class Built:
    """What building an index came to.

    Attributes:
        rows: keys in the main run; those in buffers are not among them.
        key_bytes, model_bytes: their size, and that of what was learned.
        seconds: the time to sort, if that was needed, and to learn.
        error: no estimate of a rank is farther off than this.
        knots: of the spline.
        learned: whether look-ups use the model: only where that was clearly faster than searching without.
    """

    rows: int
    key_bytes: int
    model_bytes: int
    seconds: float
    error: int
    knots: int
    learned: bool


class LearnedIndex:
    """Ranks of keys: exact, for single keys and for batches, with duplicates; keys may be inserted and deleted.

    Guarantee: every answer but `estimate_rank` is exact and equal to that of np.searchsorted on the sorted keys (for text, sorted by
    its bytes); `estimate_rank` is at most its stated error away. A position is a rank among all present keys.

    Integers and times are searched where they lie if they are handed over sorted, of 64 bits and contiguous: do not write to them
    while the index is in use, or ask for a copy. Not safe for use by several threads while keys are inserted.

    Args:
        keys: numbers, dates and times, or text, as a NumPy array, an Arrow array or a list; sorted or not; no nulls.
        error: ranks that the model may miss by; smaller ones make it larger.
        copy: keep an own copy of the keys in any case.

    >>> index = LearnedIndex(np.array([10, 20, 20, 30]))
    >>> index.lower_bound(20), index.upper_bound(20), 25 in index, index.count(15, 30)
    (1, 3, False, 2)
    >>> index.lower_bound([5, 20, 99]).tolist()
    [0, 1, 4]
    """

    def __init__(self, keys: Any, *, error: int | None = None, copy: bool = False) -> None:
        if error is not None and error < 1:
            raise ValueError(f"error is {error}; it must be at least 1")
        began = perf_counter()
        self._error = error
        self._kind: Any
        self._kind, values = _kind_of(keys)
        if copy and isinstance(values, np.ndarray):
            values = values.copy()
        self._start(self._kind.run(values, error), perf_counter() - began)

    def _start(self, main: Run | Texts, seconds: float) -> None:
        self._main: Any = main
        self._seconds = seconds
        self._nothing: Any = self._kind.run(self._kind.nothing(), None)
        self._added: Any = self._nothing
        self._removed: Any = self._nothing

    @property
    def built(self) -> Built:
        """Size, error and time of what was built last."""
        run: Run = self._main.run if isinstance(self._main, Texts) else self._main
        key_bytes = run.words.nbytes + (self._main.data.nbytes + self._main.offsets.nbytes if isinstance(self._main, Texts) else 0)
        model = run.spline
        if model is None:
            return Built(0, key_bytes, 0, self._seconds, 0, 0, False)
        return Built(run.rows, key_bytes, model.nbytes, self._seconds, model.error, model.knots.size, run.learned)

    def __len__(self) -> int:
        return int(self._main.rows + self._added.rows - self._removed.rows)

    def __repr__(self) -> str:
        built = self.built
        model = f"model of {built.model_bytes} bytes, error {built.error}"
        return f"<LearnedIndex of {len(self)} keys: {model}, built in {built.seconds:.3f} s>"

    def lower_bound(self, queries: Any, threads: int = 1) -> Any:
        """How many keys are lower than each query: the first position where it could stand. An int for one, else an array."""
        return self._bound(queries, False, threads)

    def upper_bound(self, queries: Any, threads: int = 1) -> Any:
        """How many keys are not higher than each query: the last position where it could stand."""
        return self._bound(queries, True, threads)

    rank = lower_bound

    def estimate_rank(self, queries: Any) -> tuple[Any, int]:
        """The rank from the model alone, without a look at the keys, and the most that it can be off.

        Buffers of inserted and deleted keys are counted exactly. For text the answer is exact.

        >>> index = LearnedIndex(np.arange(0, 1_000_000, 10))
        >>> estimate, error = index.estimate_rank(500_000)
        >>> abs(estimate - 50_000) <= error
        True
        """
        asked, scalar = self._kind.queries(queries)
        found = np.rint(self._kind.estimate(self._main, asked)).astype(np.int64) + self._buffered(asked, False, 1)
        error = 0 if isinstance(self._kind, Text) else self.built.error
        return (int(found[0]) if scalar else found), error

    def range(self, low: Any, high: Any) -> tuple[int, int]:
        """First position, and the one after the last, of the keys from `low` up to but without `high`."""
        first = int(self.lower_bound(low))
        return first, max(int(self.lower_bound(high)), first)

    def count(self, low: Any, high: Any) -> int:
        """How many keys are from `low` up to but without `high`."""
        first, last = self.range(low, high)
        return last - first

    def contains(self, queries: Any, threads: int = 1) -> Any:
        """Whether each query is among the keys. A bool for one, else an array."""
        present = self.upper_bound(queries, threads) > self.lower_bound(queries, threads)
        return bool(present) if isinstance(present, bool | np.bool_) else present

    def __contains__(self, query: Any) -> bool:
        return bool(self.contains(query))

    def keys(self) -> Any:
        """All keys, sorted: a NumPy array, or an Arrow array of bytes for text. Merges the buffers first."""
        self.merge()
        return self._kind.keys(self._main)

    def insert(self, keys: Any) -> None:
        """Add keys. They wait in a sorted buffer, which is merged when it has grown to a share of the index."""
        new = self._kind.array(keys)
        self._added = self._kind.merged(self._added, self._kind.run(new, None), np.empty(0, np.int64), None)
        self._merge_if_large()

    def delete(self, keys: Any) -> int:
        """Remove one of the present keys for each key handed over, if there is one; how many were removed."""
        values, wanted = self._kind.distinct(self._kind.array(keys))
        asked, _ = self._kind.queries(values)
        present = self._both(asked, True, 1) - self._both(asked, False, 1)
        gone = self._kind.repeated(values, np.minimum(wanted, present))
        self._removed = self._kind.merged(self._removed, self._kind.run(gone, None), np.empty(0, np.int64), None)
        self._merge_if_large()
        return len(gone)

    def merge(self) -> None:
        """Bring what was inserted and deleted into the main run, and learn anew."""
        if not self._added.rows and not self._removed.rows:
            return
        began = perf_counter()
        nowhere = np.empty(0, np.int64)
        main = self._kind.merged(self._main, self._added, nowhere, self._error) if self._added.rows else self._main
        if self._removed.rows:
            values, times = self._kind.distinct(self._kind.keys(self._removed))
            asked, _ = self._kind.queries(values)
            first = self._kind.lower(main, asked, False, 1)
            within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
            main = self._kind.merged(main, self._nothing, np.repeat(first, times) + within, self._error)
        self._start(main, perf_counter() - began)

    def save(self, path: str | Path) -> None:
        """Write keys and model to a file of plain arrays, without pickle. Merges the buffers first."""
        self.merge()
        index_file.write(Path(path), self._kind, self._main)

    @classmethod
    def load(cls, path: str | Path) -> LearnedIndex:
        """Read what `save` wrote. Order and error bound are checked over all keys, so a damaged file can not answer wrongly.

        Raises:
            ValueError: if the file is not such a one, or is damaged.
        """
        began = perf_counter()
        index = cls.__new__(cls)
        index._error = None
        index._kind, main = index_file.read(Path(path))
        index._start(main, perf_counter() - began)
        return index

    def _bound(self, queries: Any, after: bool, threads: int) -> Any:
        if threads < 1:
            raise ValueError(f"threads is {threads}; it must be at least 1")
        asked, scalar = self._kind.queries(queries)
        found = self._both(asked, after, threads)
        return int(found[0]) if scalar else found

    def _both(self, asked: Any, after: bool, threads: int) -> Ranks:
        found: Ranks = self._kind.lower(self._main, asked, after, threads)
        return found + self._buffered(asked, after, threads) if self._added.rows or self._removed.rows else found

    def _buffered(self, asked: Any, after: bool, threads: int) -> Any:
        """What the buffers add to ranks."""
        if not self._added.rows and not self._removed.rows:
            return 0
        return self._kind.lower(self._added, asked, after, threads) - self._kind.lower(self._removed, asked, after, threads)

    def _merge_if_large(self) -> None:
        waiting = self._added.rows + self._removed.rows
        if waiting > max(INDEX_BUFFER_ROWS.default, INDEX_BUFFER_SHARE.default * self._main.rows):
            self.merge()


def _kind_of(keys: Any) -> tuple[Numbers | Text, Any]:
    """The kind of keys, and the keys as an array."""
    if isinstance(keys, pa.ChunkedArray):
        keys = keys.combine_chunks()
    if isinstance(keys, np.ma.MaskedArray) and np.ma.is_masked(keys):
        raise ValueError("keys have nulls; leave them out")
    array = keys if isinstance(keys, np.ndarray | pa.Array) else np.asarray(keys)
    if isinstance(array, pa.Array):
        if array.null_count:
            raise ValueError("keys have nulls; leave them out")
        numbers = array.to_numpy(zero_copy_only=False) if _is_numeric(array.type) else None
        if numbers is None:
            return Text(), Text().array(array)
        array = numbers
    if array.ndim != 1:
        raise ValueError(f"keys have {array.ndim} dimensions; hand over one column")
    if array.dtype.kind in "OUST":
        return Text(), Text().array(array.tolist() if array.dtype.kind == "T" else array)
    array = np.asarray(array)
    return Numbers(Domain.of(array)), array


def _is_numeric(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind))
