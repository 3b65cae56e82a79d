"""Recluster what does not fit into memory: learned ranges of keys, each sorted in memory, one after the other, without a merge.

The idea of ELSAR (Carastan-Santos et al.): a sample's quantiles cut the keys into ranges of about equal depth. One pass writes each
row to the file of its range; then each file is read, reclustered and handed on. Every row is written and read once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sartor.core.constants import DISTRIBUTION_ROWS, RANGE_SHARE, RANGES_MOST
from sartor.kernels.columns import Nulls, column_of, is_text, widened
from sartor.kernels.recluster import recluster
from sartor.kernels.strings import places, prefix, string_buffers
from sartor.kernels.threads import Progress, Watch
from sartor.kernels.words import Words, keys_of

_FIRST_PASS = 0.5
_TOP = 2**64 - 1


def recluster_dataset(
    source: Any,
    keys: str | Sequence[str],
    *,
    memory_bytes: int,
    descending: bool | Sequence[bool] = False,
    nulls: Nulls | Sequence[Nulls] = "last",
    threads: int = 1,
    folder: str | Path | None = None,
    progress: Progress | None = None,
) -> Iterator[Any]:
    """The rows of a dataset in the stable order of a key, as tables that follow each other, each of about a quarter of the memory.

    Guarantee: the tables put together equal `recluster` of the whole. How well ranges fit the memory rests on a sample; rows that
    share the first word of the first key (a number; seven bytes of text) stay together, however many they are.

    Args:
        source: an Arrow dataset, the path of Parquet files, or a table; it is read twice, the first time only the first key.
        keys, descending, nulls, threads: as for `recluster`.
        memory_bytes: what may be used at a time.
        folder: for the files of the ranges; a new one for temporary files, removed at the end, also if the iteration is given up.
        progress: as for `argsort`.

    >>> parts = recluster_dataset(pa.table({"a": [3, 1, 2]}), "a", memory_bytes=1 << 30)
    >>> [part.to_pydict() for part in parts]
    [{'a': [1, 2, 3]}]
    """
    names = [keys] if isinstance(keys, str) else list(keys)
    if memory_bytes < 1 or threads < 1:
        raise ValueError("memory_bytes and threads must be at least 1")
    dataset = _dataset(source)
    order = (descending if isinstance(descending, bool) else descending[0], nulls if isinstance(nulls, str) else nulls[0])
    watch = Watch(progress)
    with tempfile.TemporaryDirectory(dir=folder, prefix="sartor-recluster-") as place:
        first, rows = _learn(dataset, names[0], *order)
        borders = first.borders(_ranges(dataset, rows, memory_bytes))
        watch.phase(_FIRST_PASS, rows)
        files = _spill(dataset, names[0], first, borders, Path(place), watch)
        watch.phase(1 - _FIRST_PASS, len(files))
        for file in files:
            if file.exists():
                with pa.OSFile(str(file)) as opened:
                    table = pa.ipc.open_stream(opened).read_all()
                file.unlink()
                yield recluster(table, names, descending=descending, nulls=nulls, threads=threads)
                del table
            watch.step()
            watch.tell()
    watch.finish()


def _dataset(source: Any) -> Any:
    from pyarrow import dataset  # it imports pandas, if there is one

    return source if isinstance(source, dataset.Dataset) else dataset.dataset(str(source) if isinstance(source, Path) else source)


@dataclass(frozen=True, slots=True)
class _FirstKey:
    """The first key as one word, for all batches alike: it never falls where the key rises, and tells as much as one word can.

    Attributes:
        descending, nulls: the order asked for.
        sample: some of the keys; text is told apart behind the prefix that these share.
    """

    descending: bool
    nulls: Nulls
    sample: Any

    def borders(self, parts: int) -> Words:
        """Words that cut the sample into at most so many ranges."""
        words = np.sort(self.words(self.sample))
        return np.unique(words[np.arange(1, parts) * words.size // parts]) if words.size else words

    def words(self, array: Any) -> Words:
        """The word of each key."""
        if is_text(array.type):
            words = self._text(array) ^ np.uint64(_TOP if self.descending else 0)
        else:
            known = pc.cast(array, pa.float64()) if pa.types.is_decimal(array.type) else array
            column = column_of(known, self.descending)
            assert column.values is not None
            words = keys_of(widened(column.values), self.descending).words()
        if array.null_count:
            words[pc.is_null(array).to_numpy(zero_copy_only=False)] = 0 if self.nulls == "first" else _TOP
        return words

    def _text(self, array: Any) -> Words:
        known_offsets, known = string_buffers(self.sample)
        shared = prefix(known_offsets, known)[0] if known_offsets.size > 1 else 0
        offsets, data = string_buffers(array)
        words, sides = np.empty(len(array), np.uint64), np.empty(len(array), np.int8)
        places(known_offsets, known, shared, offsets, data, words, sides)
        words[sides > 0] = _TOP
        return words


def _learn(dataset: Any, name: str, descending: bool, nulls: Nulls) -> tuple[_FirstKey, int]:
    """Draw a sample of the first key; also the number of rows."""
    rows = int(dataset.count_rows())
    share, draw = min(DISTRIBUTION_ROWS.default / max(rows, 1), 1.0), np.random.default_rng(0)
    drawn = [
        batch.column(0).filter(pa.array(draw.random(batch.num_rows) < share)).drop_null()
        for batch in dataset.to_batches(columns=[name])
    ]
    kind = dataset.schema.field(name).type
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    sample = pa.chunked_array([_plain(array) for array in drawn], plain).combine_chunks()
    return _FirstKey(descending, nulls, sample), rows


def _plain(array: Any) -> Any:
    """The array without a dictionary: each batch may have another one."""
    return pc.cast(array, array.type.value_type) if pa.types.is_dictionary(array.type) else array


def _ranges(dataset: Any, rows: int, memory_bytes: int) -> int:
    """How many ranges it takes for one to fit into a share of the memory."""
    some = dataset.head(int(DISTRIBUTION_ROWS.default))
    table_bytes = rows * some.nbytes / max(some.num_rows, 1)
    return min(int(table_bytes / (memory_bytes * RANGE_SHARE.default)) + 1, int(RANGES_MOST.default))


def _spill(dataset: Any, name: str, first: _FirstKey, borders: Words, place: Path, watch: Watch) -> list[Path]:
    """Write each row to the file of its range, in the order of the rows."""
    files = [place / f"{number}.arrow" for number in range(borders.size + 1)]
    writers: dict[int, Any] = {}
    try:
        for batch in dataset.to_batches():
            ranges = np.searchsorted(borders, first.words(_plain(batch.column(name))), side="right").astype(np.uint16)
            moved = pa.Table.from_batches([batch]).take(pa.array(np.argsort(ranges, kind="stable")))
            ends = np.cumsum(np.bincount(ranges, minlength=len(files)))
            for number, (start, end) in enumerate(pairwise(np.append(0, ends).tolist())):
                if end > start:
                    if number not in writers:
                        writers[number] = pa.ipc.new_stream(str(files[number]), batch.schema)
                    writers[number].write_table(moved.slice(start, end - start))
            watch.step(batch.num_rows)
            watch.tell()
    finally:
        for writer in writers.values():
            writer.close()
    return files
