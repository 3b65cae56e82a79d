"""The checks over seeds that are the same in every run, and over small columns that Hypothesis draws and shrinks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import sartor
from sartor.kernels import buckets, partitioning, spline
from sartor.kernels.spline import Spline
from tests.kernels import checks
from tests.kernels.fuzz import main

EXAMPLES = 24
NUMBERS = (np.int8, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float16, np.float32, np.float64)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_check(check: Callable[[int], None]) -> None:
    _run(check, EXAMPLES)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(NUMBERS).flatmap(lambda dtype: hnp.arrays(dtype, st.integers(0, 60))))
def test_small_columns(values: np.ndarray) -> None:
    np.testing.assert_array_equal(sartor.argsort(values), np.argsort(values, kind="stable"))
    np.testing.assert_array_equal(sartor.sort(values), np.sort(values))
    index = sartor.LearnedIndex(values)
    np.testing.assert_array_equal(index.lower_bound(values), np.searchsorted(np.sort(values), values))
    np.testing.assert_array_equal(index.upper_bound(values), np.searchsorted(np.sort(values), values, "right"))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=40), st.booleans(), st.sampled_from(["first", "last"]))
def test_small_text(values: list[str | None], falls: bool, nulls: str) -> None:
    present = [row for row, value in enumerate(values) if value is not None]
    missing = [row for row, value in enumerate(values) if value is None]
    order = sorted(present, key=lambda row: str(values[row]).encode(), reverse=falls)
    expected = missing + order if nulls == "first" else order + missing
    assert sartor.argsort(np.array(values, object), descending=falls, nulls=nulls).tolist() == expected


def _no_room_for_residuals(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket's width as if its floor and the next one's were all that counts, whatever the column's highest word."""
    real = buckets.widths
    monkeypatch.setattr(buckets, "widths", lambda model, low, high: (real(model, low, high)[0], real(model, low, high)[1] // 4096))


def _lossless_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that look alike are taken for equal."""
    from sartor.kernels import argsort_words

    real = argsort_words.order_alike
    monkeypatch.setattr(argsort_words, "order_alike", lambda packed, row_bits, lossy, *keys: real(packed, row_bits, False, *keys))


def _one_bit_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bit too few is dropped, so the highest keys of a bucket run into the next."""
    real = partitioning.Partition.drops
    monkeypatch.setattr(partitioning.Partition, "drops", lambda self, row_bits: np.maximum(real(self, row_bits), 1) - np.uint64(1))


def _error_too_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A spline that says less than it may miss by."""
    real = spline.fit

    def fit(*arguments: object, **options: object) -> Spline:
        found = real(*arguments, **options)  # type: ignore[arg-type]
        return Spline(found.knots, found.ranks, found.slopes, found.rows, max(found.error // 3, 1))

    monkeypatch.setattr(checks, "fit", fit)


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (_no_room_for_residuals, checks.ways),
        (_lossless_always, checks.ways),
        (_one_bit_short, checks.ways),
        (_error_too_small, checks.spline),
    ],
    ids=lambda value: value.__name__,
)
def test_planted_defects_are_found(
    plant: Callable[[pytest.MonkeyPatch], None], check: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError):
        _run(check, 300)


def _run(check: Callable[[int], None], seeds: int) -> None:
    for seed in range(seeds):
        check(seed)


def test_the_fuzzer_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "12"]) == 0
    assert "12 cases of 12 checks" in capsys.readouterr().out
