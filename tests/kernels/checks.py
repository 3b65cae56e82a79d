"""What must hold of every column: each check takes a seed, so that the tests and the fuzzer ask the same."""

from __future__ import annotations

import bisect
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import sartor
from sartor.kernels import Distribution, cdf, partition, recluster
from sartor.kernels.argsort_words import argsort_words, by_merging, by_packing, by_partition, by_stretches
from sartor.kernels.columns import widened
from sartor.kernels.packing import packing_for
from sartor.kernels.partitioning import extent
from sartor.kernels.runs import Run, build
from sartor.kernels.sort import by_parts
from sartor.kernels.spline import fit, holds
from sartor.kernels.threads import Watch
from sartor.kernels.words import keys_of
from tests.kernels import cases


def argsort(seed: int) -> None:
    """The order of one column is that of NumPy's stable sort."""
    values = cases.column(seed)
    threads = 1 + seed % 2
    np.testing.assert_array_equal(sartor.argsort(values, threads=threads), np.argsort(values, kind="stable"))


def ways(seed: int) -> None:
    """Each way to sort gives the same order, also where another would be chosen."""
    values = widened(_native(cases.column(seed)))
    expected = np.argsort(values, kind="stable")
    keys, watch = keys_of(values), Watch()
    if keys.rows < 2:
        return
    seen = extent(keys, 1 + seed % 3, watch)
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(by_packing(keys, seen, packing_for(keys, seen), threads, watch), expected)
    np.testing.assert_array_equal(by_partition(keys, seen, 1 + seed % 3, watch), expected)
    np.testing.assert_array_equal(by_merging(keys), expected)
    np.testing.assert_array_equal(by_stretches(keys, seen.changes), expected)
    np.testing.assert_array_equal(argsort_words(keys, 1, watch), expected)


def descending(seed: int) -> None:
    """Descending is stable, too: the order of the ranks turned round."""
    values = cases.column(seed)
    np.testing.assert_array_equal(sartor.argsort(values, descending=True), np.argsort(-ranks(values), kind="stable"))


def several(seed: int) -> None:
    """Several columns, nulls in some, each with its own direction."""
    draw = np.random.default_rng(seed)
    rows = int(draw.choice([0, 1, 2, 50, 3000]))
    keys, directions, places, columns = [], [], [], []
    for number in range(int(draw.integers(1, 4))):
        falls, first = bool(draw.integers(0, 2)), bool(draw.integers(0, 2))
        if draw.random() < 0.3:
            values: Any = pa.array(cases.text(draw, rows), pa.string())
            order = {value: place for place, value in enumerate(sorted({text.encode() for text in values.to_pylist()}))}
            rank = np.array([order[text.encode()] for text in values.to_pylist()], np.int64)
        else:
            values = cases.column(seed * 7 + number, rows)
            rank = ranks(values)
        nulls = draw.random(rows) < draw.choice([0.0, 0.5])
        if nulls.any():
            values = (
                pa.array([None if null else value for value, null in zip(values.to_pylist(), nulls, strict=True)], pa.string())
                if (isinstance(values, pa.Array))
                else np.ma.array(values, mask=nulls)
            )
            rank = np.where(nulls, -1, rank)
        signed = np.where(nulls, -(2**40) if first else 2**40, -rank if falls else rank)
        keys.append(values)
        columns.append(signed)
        directions.append(falls)
        places.append("first" if first else "last")
    found = sartor.argsort(*keys, descending=directions, nulls=places, threads=1 + seed % 2)
    np.testing.assert_array_equal(found, np.lexsort(columns[::-1]))


def sort(seed: int) -> None:
    """Sorted copies equal np.sort's, on several threads as well."""
    values = cases.column(seed)
    before = values.copy()
    np.testing.assert_array_equal(sartor.sort(values, threads=1 + seed % 2), np.sort(values))
    np.testing.assert_array_equal(sartor.sort(values, descending=True), np.sort(values)[::-1])
    native = _native(values)
    if native.dtype.itemsize >= 4 and native.size > 1:
        for threads in (2, 3):
            np.testing.assert_array_equal(by_parts(native, threads, Watch(), always=True), np.sort(native))
    np.testing.assert_array_equal(values, before)


def parts(seed: int) -> None:
    """Parts hold every row once, in order, and their keys do not overlap."""
    values = cases.column(seed)
    wanted = int(np.random.default_rng(seed).choice([1, 2, 3, 17, 256, 1024]))
    found = partition(values, wanted, threads=1 + seed % 2)
    np.testing.assert_array_equal(np.sort(found.rows), np.arange(values.size))
    assert len(found) <= wanted
    rank = ranks(values)
    for part in found:
        assert (np.diff(part) > 0).all()
    for lower, higher in pairwise(found):
        assert rank[lower].max() < rank[higher].min()


def spline(seed: int) -> None:
    """The bound of a spline holds for words that are there, between, before and behind."""
    draw = np.random.default_rng(seed)
    words = np.sort(cases.column(seed, dtype="u8"))
    if words.size == 0:
        return
    model = fit(words, int(draw.choice([1, 4, 16, 64])))
    one = np.uint64(1)
    asked = np.concatenate(
        (words, words + one, words - one, draw.integers(0, 2**64 - 1, 100, np.uint64), np.array([0, 2**64 - 1], np.uint64))
    )
    off = np.abs(model.estimate(asked) - np.searchsorted(words, asked))
    assert off.max() <= model.error
    assert holds(model, words)


def searches(seed: int) -> None:
    """Every way to search finds what np.searchsorted finds."""
    draw = np.random.default_rng(seed)
    words = np.sort(cases.column(seed, dtype="u8"))
    asked = np.concatenate((words[:500], draw.integers(0, 2**64 - 1, 100, np.uint64), np.array([0, 2**64 - 1], np.uint64)))
    draw.shuffle(asked)
    expected = np.searchsorted(words, asked)
    run = build(words)
    for learned in (False, True):
        tried = Run(run.words, run.flip, run.spline, learned)
        np.testing.assert_array_equal(tried.lower(asked, 1 + seed % 2), expected)
        np.testing.assert_array_equal(tried.lower(np.sort(asked)), np.sort(expected))
        assert [tried.lower_one(int(word)) for word in asked[:20]] == expected[:20].tolist()


def index(seed: int) -> None:
    """Ranks, ranges and membership equal those of a sorted array, while keys come and go."""
    draw = np.random.default_rng(seed)
    values = _native(cases.column(seed, int(draw.choice([0, 1, 2, 50, 3000]))))
    asked = np.concatenate((values[:200], _native(cases.column(seed + 1, 200, values.dtype.str))))
    present = np.sort(values)
    found = sartor.LearnedIndex(values)
    for step in range(3):
        assert len(found) == present.size
        for side, bound in (("left", found.lower_bound), ("right", found.upper_bound)):
            np.testing.assert_array_equal(bound(asked, threads=1 + seed % 2), np.searchsorted(present, asked, side))
            assert bound(asked[0]) == np.searchsorted(present, asked[0], side)
        near, error = found.estimate_rank(asked)
        assert (np.abs(near - np.searchsorted(present, asked)) <= error).all()
        known = np.searchsorted(present, asked, "right") > np.searchsorted(present, asked)
        np.testing.assert_array_equal(found.contains(asked), known)
        if step == 0:
            new = draw.choice(asked, 60)
            found.insert(new)
            present = np.sort(np.concatenate((present, new)))
        else:
            gone = draw.choice(asked, 60)
            kept = Counter(_plain(present))
            removed = sum((Counter(_plain(gone)) & kept).values())
            assert found.delete(gone) == removed
            left = kept - Counter(_plain(gone))
            present = present[[take for take, _ in _take(present, left)]]
    np.testing.assert_array_equal(ranks(found.keys()), ranks(present))


def text_index(seed: int) -> None:
    """The same of strings, by their bytes."""
    draw = np.random.default_rng(seed)
    keys = cases.text(draw, int(draw.choice([0, 1, 50, 1000])))
    asked = keys[:100] + cases.text(draw, 100) + [key[: len(key) // 2] for key in keys[:50]] + ["", "\U0010ffff"]
    present = sorted(key.encode() for key in keys)
    found = sartor.LearnedIndex(pa.array(keys, pa.string()))
    for step in range(2):
        wanted = [key.encode() for key in asked]
        assert found.lower_bound(asked).tolist() == [bisect.bisect_left(present, key) for key in wanted]
        assert found.upper_bound(asked).tolist() == [bisect.bisect_right(present, key) for key in wanted]
        if step == 0:
            found.insert(asked[:30])
            present = sorted(present + wanted[:30])
            assert found.delete(asked[10:20]) == 10
            for key in wanted[10:20]:
                present.remove(key)
    assert found.keys().to_pylist() == present


def reclustered(seed: int) -> None:
    """A reclustered table is the table's rows taken in the order of its keys."""
    draw = np.random.default_rng(seed)
    rows = int(draw.choice([0, 1, 2, 100, 5000]))
    nulls = draw.random(rows) < 0.2
    columns = {
        "key": _native(cases.column(seed, rows, str(draw.choice(["i1", "i4", "i8", "u8", "f4", "f8"])))),
        "row": np.arange(rows),
        "half": pa.array(draw.integers(0, 9, rows).astype(np.int32), mask=nulls),
        "flag": pa.array(draw.random(rows) < 0.5, mask=nulls),
        "text": pa.array(cases.text(draw, rows), pa.string(), mask=nulls),
    }
    table = pa.table(columns)
    cut = rows // 3
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    keys = [["key"], ["text", "key"], ["half", "flag"], ["text"]][int(draw.integers(0, 4))]
    falls = bool(draw.integers(0, 2))
    found = recluster(table, keys, descending=falls, threads=1 + seed % 2)
    found.validate(full=True)
    order = sartor.argsort(*[table[name] for name in keys], descending=falls)
    np.testing.assert_array_equal(found["row"].to_numpy(), order)
    expected = table.take(pa.array(order))
    assert all(found[name].equals(expected[name]) for name in ("half", "flag", "text"))


def distribution(seed: int) -> None:
    """Shares rise with values, are as near as is said where all rows were seen, and cells hold no more than they may."""
    values = _native(cases.column(seed))
    values = values[~np.isnan(values)] if values.dtype.kind in "fmM" else values
    if values.size == 0 or values.dtype.itemsize < 2:
        return
    known: Distribution = cdf.learn(values, rows=values.size)
    ordered = values[np.argsort(widened(values), kind="stable")]  # np.sort takes halves next to zero for zeros where AVX-512 does
    shares = known.share_below(ordered)
    assert (np.diff(shares) >= 0).all()
    assert np.abs(shares - np.searchsorted(ordered, ordered) / values.size).max() <= known.error
    cells = known.cells(ordered, 10)
    assert cells.min() >= 0
    assert cells.max() <= 9
    assert (np.diff(cells) >= 0).all()


CHECKS = (argsort, ways, descending, several, sort, parts, spline, searches, index, text_index, reclustered, distribution)


def ranks(values: NDArray[Any]) -> NDArray[np.int64]:
    """Place among the different values, all NaN alike and last, both zeros alike."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    changes = np.zeros(values.size, np.int64)
    if values.size:
        missing = np.isnan(ordered) if values.dtype.kind in "fmM" else np.zeros(values.size, bool)
        changes[1:] = (ordered[1:] != ordered[:-1]) & ~(missing[1:] & missing[:-1])
    found = np.empty(values.size, np.int64)
    found[order] = np.cumsum(changes)
    return found


def _native(values: NDArray[Any]) -> NDArray[Any]:
    return values.astype(values.dtype.newbyteorder("="))


def _plain(values: NDArray[Any]) -> list[str]:
    """Values that can be counted: all NaN alike, both zeros alike."""
    return [
        str(value) if isinstance(value, str) else str(value + 0 if isinstance(value, float) else value) for value in values.tolist()
    ]


def _take(values: NDArray[Any], counts: Counter[str]) -> list[tuple[int, str]]:
    left = Counter(counts)
    taken = []
    for place, name in enumerate(_plain(values)):
        if left[name]:
            left[name] -= 1
            taken.append((place, name))
    return taken
