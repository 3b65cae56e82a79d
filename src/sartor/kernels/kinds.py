"""What an index does differently for numbers and for text; both kinds have the same methods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sartor.kernels.domain import Domain, Places
from sartor.kernels.runs import Run, build
from sartor.kernels.search import Ranks, changes
from sartor.kernels.sort import sort
from sartor.kernels.texts import Texts, build_texts
from sartor.kernels.words import Words

_TOP = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class Numbers:
    """Keys that are numbers or times."""

    domain: Domain

    def run(self, keys: NDArray[Any], error: int | None) -> Run:
        """Sort keys, unless they are, and learn from them."""
        stored, flip = self.domain.stored(keys), self.domain.flip
        if changes(stored, flip) < 0:
            stored = sort(stored.view(self.domain.dtype if self.domain.dtype.kind in "iu" else np.uint64)).view(np.uint64)
        return build(stored, flip, error)

    def nothing(self) -> NDArray[Any]:
        """No keys."""
        return np.empty(0, self.domain.dtype)

    def array(self, keys: Any) -> NDArray[Any]:
        """Keys as an array, to be inserted or deleted."""
        places = self.domain.places(keys)
        if (places.below is not None and places.below.any()) or (places.above is not None and places.above.any()):
            raise OverflowError(f"keys are {self.domain.dtype}; some of these do not fit, so build a new index of a wider type")
        return self.domain.restored(places.words)

    def queries(self, values: Any) -> tuple[Places, bool]:
        """Queries to look up, and whether one was asked for alone."""
        places = self.domain.places(values)
        return places, places.scalar

    def lower(self, run: Run, places: Places, after: bool, threads: int) -> Ranks:
        """How many keys are lower than each query; with `after`, how many are not higher."""
        if places.words.size == 1:
            word = int(places.words[0]) + after
            found = np.array([run.lower_one(word) if word <= int(_TOP) else run.rows])
        else:
            found = run.lower(places.words + np.uint64(after), threads)
            if after:
                found[places.words == _TOP] = run.rows
        for outside, rank in ((places.below, 0), (places.above, run.rows)):
            if outside is not None:
                found[outside] = rank
        return found

    def estimate(self, run: Run, places: Places) -> NDArray[np.float64]:
        """What the model alone says."""
        if run.spline is None:
            return np.zeros(places.words.size)
        found = run.spline.estimate(places.words)
        for outside, rank in ((places.below, 0), (places.above, run.rows)):
            if outside is not None:
                found[outside] = rank
        return found

    def keys(self, run: Run) -> NDArray[Any]:
        """The keys, sorted."""
        return self.domain.restored(run.words ^ run.flip)

    def distinct(self, keys: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Different keys and how often each comes."""
        values, counts = np.unique(keys, return_counts=True)
        return values, counts.astype(np.int64)

    def repeated(self, keys: NDArray[Any], times: NDArray[np.int64]) -> NDArray[Any]:
        """Each key so many times."""
        return np.repeat(keys, times)

    def merged(self, main: Run, added: Run, places: Ranks, error: int | None) -> Run:
        """A run without the keys at some places, and with others."""
        kept: Words = np.delete(main.words, places) ^ main.flip
        words = np.concatenate((kept, added.words ^ added.flip))
        words.sort(kind="stable")  # two runs: it merges them
        return build(words, error=error)


@dataclass(frozen=True, slots=True)
class Text:
    """Keys that are strings or bytes, in the order of their bytes."""

    def run(self, keys: Any, error: int | None) -> Texts:
        """Sort keys, unless they are, and learn from them."""
        return build_texts(keys, error)

    def nothing(self) -> Any:
        """No keys."""
        return pa.array([], pa.large_binary())

    def array(self, keys: Any) -> Any:
        """Keys as an Arrow array of bytes, to be looked up, inserted or deleted."""
        if isinstance(keys, str | bytes):
            keys = [keys]
        if isinstance(keys, pa.ChunkedArray):
            keys = keys.combine_chunks()
        try:
            array = keys if isinstance(keys, pa.Array) else pa.array(keys)
            text = pc.cast(array, pa.large_binary()) if len(array) else self.nothing()
        except pa.ArrowException as error:
            raise TypeError(f"keys are text; look up text ({error})") from error
        if text.null_count:
            raise ValueError("there are nulls among the keys; leave them out")
        return text

    def queries(self, values: Any) -> tuple[Any, bool]:
        """Queries to look up, which are bytes where one was asked for alone, and whether it was."""
        if isinstance(values, str | bytes):
            try:
                return values.encode() if isinstance(values, str) else values, True
            except UnicodeEncodeError as error:
                raise TypeError(f"keys are text; look up text ({error})") from error
        return self.array(values), False

    def lower(self, run: Texts, queries: Any, after: bool, threads: int) -> Ranks:
        """How many keys are lower than each query; with `after`, how many are not higher."""
        if isinstance(queries, bytes):
            return np.array([run.lower_one(queries, after)], np.int64)
        return run.lower(queries, after, threads)

    def estimate(self, run: Texts, queries: Any) -> NDArray[np.float64]:
        """The model knows only the first bytes of text, so this looks at the keys too."""
        return self.lower(run, queries, False, 1).astype(np.float64)

    def keys(self, run: Texts) -> Any:
        """The keys, sorted, as an Arrow array of bytes."""
        return run.array()

    def distinct(self, keys: Any) -> tuple[Any, NDArray[np.int64]]:
        """Different keys and how often each comes."""
        counted = pc.value_counts(keys)
        return counted.field(0), np.asarray(counted.field(1).to_numpy(), np.int64)

    def repeated(self, keys: Any, times: NDArray[np.int64]) -> Any:
        """Each key so many times."""
        return keys.take(pa.array(np.repeat(np.arange(len(keys)), times)))

    def merged(self, main: Texts, added: Texts, places: Ranks, error: int | None) -> Texts:
        """A run without the keys at some places, and with others."""
        kept = np.delete(np.arange(main.rows), places)
        return build_texts(pa.concat_arrays([main.array().take(pa.array(kept)), added.array()]), error)
