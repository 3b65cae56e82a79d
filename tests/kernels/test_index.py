"""The learned index beyond plain ranks: what may be asked, what is said of the model, files, and clear errors."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sartor import LearnedIndex
from sartor.core.constants import INDEX_BUFFER_ROWS, INDEX_MODEL_SHARE
from sartor.kernels import spline

KEYS = np.sort(np.random.default_rng(0).integers(-(2**62), 2**62, 200_000))


def test_dates_are_ranked() -> None:
    orders = np.arange("2020-01-01", "2022-01-01", dtype="M8[D]")
    index = LearnedIndex(orders)
    assert index.rank("2021-01-01") == 366
    assert index.count("2021-01-01", "2021-02-01") == 31
    estimate, error = index.estimate_rank(np.datetime64("2021-01-01"))
    assert abs(estimate - 366) <= error
    assert np.datetime64("2020-02-29") in index
    assert LearnedIndex(pa.array(orders)).rank("2021-01-01") == 366


def test_integers_are_searched_where_they_lie() -> None:
    assert LearnedIndex(KEYS).keys().base is not None
    before = KEYS.copy()
    index = LearnedIndex(KEYS, copy=True)
    assert not np.shares_memory(index._main.words, KEYS)
    assert np.shares_memory(LearnedIndex(KEYS)._main.words, KEYS)
    np.testing.assert_array_equal(KEYS, before)


def test_size_and_error_are_told_and_kept() -> None:
    for values in (KEYS, np.random.default_rng(0).zipf(1.2, 100_000), np.cumsum(np.random.default_rng(0).pareto(0.2, 100_000))):
        index = LearnedIndex(values)
        built = index.built
        assert built.rows == len(values)
        assert built.model_bytes <= INDEX_MODEL_SHARE.default * built.key_bytes
        assert built.seconds > 0
        present = index.keys()
        estimate, error = index.estimate_rank(present)
        assert np.abs(estimate - np.searchsorted(present, present)).max() <= error == built.error
    assert LearnedIndex(KEYS, error=100).built.knots < LearnedIndex(KEYS, error=20).built.knots
    assert "model of" in repr(LearnedIndex(KEYS))


def test_any_integer_may_be_asked_for() -> None:
    index = LearnedIndex(np.array([-5, 0, 5], np.int8))
    assert [index.lower_bound(number) for number in (-(2**70), -5, 300, 2**70)] == [0, 0, 3, 3]
    assert index.lower_bound([2**70, 0, -(2**70)]).tolist() == [3, 1, 0]
    assert index.lower_bound(np.array([2**64 - 1], np.uint64)).tolist() == [3]
    unsigned = LearnedIndex(np.array([0, 2**64 - 1], np.uint64))
    assert unsigned.lower_bound(np.array([-1, 1])).tolist() == [0, 1]
    assert unsigned.upper_bound(2**64 - 1) == 2
    assert (2**64 in unsigned, -1 in unsigned, 2**64 - 1 in unsigned) == (False, False, True)
    assert unsigned.upper_bound(2**64) == 2


def test_nothing_is_indexed() -> None:
    index = LearnedIndex(np.empty(0))
    assert (len(index), index.lower_bound(1.0), index.estimate_rank(1.0)[0], 1.0 in index) == (0, 0, 0, False)
    index.insert([2.0, 1.0])
    assert index.keys().tolist() == [1.0, 2.0]


def test_buffers_are_merged_when_they_have_grown() -> None:
    index = LearnedIndex(KEYS[:1000])
    for start in range(1000, 4000, 500):
        index.insert(KEYS[start : start + 500])
        assert index._added.rows <= INDEX_BUFFER_ROWS.default
    assert len(index) == 4000
    np.testing.assert_array_equal(index.keys(), KEYS[:4000])


def test_a_file_holds_an_index(tmp_path: Path) -> None:
    for name, keys in (
        ("numbers", KEYS),
        ("floats", np.array([1.5, np.nan, -0.0])),
        ("none", np.empty(0, np.int64)),
        ("text", ["b", "a"]),
    ):
        index = LearnedIndex(keys)
        index.save(tmp_path / name)
        loaded = LearnedIndex.load(tmp_path / name)
        assert repr(loaded).split("built")[0] == repr(index).split("built")[0]
        assert str(loaded.keys()) == str(index.keys())


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index"
    LearnedIndex(KEYS).save(path)
    with np.load(path) as file:
        parts = dict(file)
    changes: list[dict[str, Any]] = [
        {"words": parts["words"][::-1]},
        {"ranks": parts["ranks"] + 50},
        {"error": np.array(1)},
        {"knots": parts["knots"][:-1]},
        {"dtype": np.array("O")},
        {"format": np.array("another")},
    ]
    for change in changes:
        with path.open("wb") as file:
            np.savez(file, **(parts | change))
        with pytest.raises(ValueError, match="build it anew"):
            LearnedIndex.load(path)
    path.write_bytes(b"PK\3\4 nothing")
    with pytest.raises(ValueError, match="build it anew"):
        LearnedIndex.load(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("format.npy", b"no array")
    with pytest.raises(ValueError, match="build it anew"):
        LearnedIndex.load(path)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: LearnedIndex([1, 2]).lower_bound(1.5), TypeError, "convert"),
        (lambda: LearnedIndex([1, 2]).lower_bound("a"), TypeError, "convert"),
        (lambda: LearnedIndex(["a"]).lower_bound([1]), TypeError, "text"),
        (lambda: LearnedIndex(["a"]).lower_bound(["a", None]), ValueError, "nulls"),
        (lambda: LearnedIndex(np.array(["2020-01-01"], "M8[D]")).lower_bound(np.datetime64(1, "ns")), TypeError, "convert"),
        (lambda: LearnedIndex(pa.array([1, None])), ValueError, "nulls"),
        (lambda: LearnedIndex(np.ma.array([1, 2], mask=[True, False])), ValueError, "nulls"),
        (lambda: LearnedIndex([[1, 2]]), ValueError, "dimensions"),
        (lambda: LearnedIndex([1j]), TypeError, "convert"),
        (lambda: LearnedIndex([1], error=0), ValueError, "at least 1"),
        (lambda: LearnedIndex([1]).lower_bound([1], threads=0), ValueError, "at least 1"),
        (lambda: LearnedIndex([1]).insert([2**64]), OverflowError, "do not fit"),
    ],
)
def test_what_can_not_be_done_says_why(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


@pytest.mark.parametrize("error", [1, 8, 64])
def test_no_spline_needs_more_room_than_it_is_given(error: int) -> None:
    generator = np.random.default_rng(error)
    for length in (1, error, error + 1, error + 2, 2 * error, 2 * error + 1, 5 * error):
        values = np.cumsum(generator.integers(1, 2 ** generator.integers(1, 40, 6000, dtype=np.uint64)))
        words = np.repeat(values.astype(np.uint64), generator.integers(1, length + 1, values.size))
        for repeated in (words, np.repeat(values.astype(np.uint64), length)):
            room = spline.most_knots(repeated.size, error)
            knots, ranks = np.zeros(8 * room, np.uint64), np.zeros(8 * room)
            count = spline._corridor(repeated, np.uint64(0), float(error), knots, ranks)
            assert count <= room, (error, length)
            assert spline.holds(spline.fit(repeated, error), repeated)


def test_one_text_is_looked_up_as_many_are() -> None:
    generator = np.random.default_rng(5)
    texts = ["", "a", "ab", "ab\0", "é", "prefix of seven", "prefix of seven and more", *map(str, generator.integers(0, 500, 3000))]
    asked = [*texts[:200], "b", "prefix", "prefix of seven and", "\0", "zz"]
    for keys in (texts, [f"same {text}" for text in texts], ["one"]):
        index = LearnedIndex(pa.array(keys))
        for bound in (index.lower_bound, index.upper_bound):
            assert [bound(text) for text in asked] == bound(asked).tolist()
            assert [bound(text.encode()) for text in asked[:9]] == bound(asked[:9]).tolist()
    with pytest.raises(TypeError):
        LearnedIndex(["a"]).lower_bound("\ud800")
