"""Types: every Arrow type that is said to work, nulls, dictionaries, offsets and chunks, and clear errors for the rest."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import sartor

DAY = datetime.date(2021, 1, 1)
MOMENT = datetime.datetime(2021, 1, 1)
VALUES: list[tuple[Any, list[Any]]] = [
    *[(kind, [3, None, 1, 2, 1]) for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint32(), pa.uint64())],
    *[(kind, [1.5, None, float("nan"), -1.0, 1.5]) for kind in (pa.float32(), pa.float64())],
    (pa.float16(), [np.float16(2), None, np.float16(-1)]),
    (pa.bool_(), [True, None, False, True]),
    (pa.date32(), [DAY, None, DAY - datetime.timedelta(1)]),
    (pa.date64(), [DAY, None, DAY - datetime.timedelta(1)]),
    (pa.timestamp("us"), [MOMENT, None, MOMENT - datetime.timedelta(1)]),
    (pa.timestamp("ns", "Europe/Berlin"), [MOMENT.replace(tzinfo=datetime.UTC), None]),
    (pa.time64("us"), [datetime.time(3), None, datetime.time(1)]),
    (pa.duration("s"), [datetime.timedelta(3), None, datetime.timedelta(-1)]),
    (
        pa.decimal128(38, 2),
        [decimal.Decimal("1e30"), None, decimal.Decimal("-1e30"), decimal.Decimal("0.01"), decimal.Decimal("-0.01")],
    ),
    (pa.decimal256(70, 2), [decimal.Decimal("1e60"), None, decimal.Decimal("-1e60"), decimal.Decimal("0.01")]),
    (pa.decimal64(10, 2), [decimal.Decimal("2.50"), None, decimal.Decimal("-1.00")]),
    *[(kind, ["b", None, "", "ab", "a", "a\0", "a\0\0"]) for kind in (pa.string(), pa.large_string(), pa.string_view())],
    *[(kind, [b"b", None, b"", b"\xff", b"a"]) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())],
    (pa.binary(2), [b"bb", None, b"ab"]),
]


def _rank(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode()
    return (1, 0) if isinstance(value, float) and value != value else (0, value) if isinstance(value, float) else value


@pytest.mark.parametrize(("kind", "values"), VALUES, ids=lambda value: str(value) if isinstance(value, pa.DataType) else "")
def test_arrow_types(kind: Any, values: list[Any]) -> None:
    column = pa.array(values, kind)
    present = [row for row, value in enumerate(values) if value is not None]
    missing = [row for row, value in enumerate(values) if value is None]
    rising = sorted(present, key=lambda row: _rank(values[row]))
    falling = sorted(present, key=lambda row: _rank(values[row]), reverse=True)
    assert sartor.argsort(column).tolist() == rising + missing
    assert sartor.argsort(column, nulls="first").tolist() == missing + rising
    assert sartor.argsort(column, descending=True).tolist() == falling + missing
    assert sartor.argsort(column, descending=True, nulls="first").tolist() == missing + falling
    longer = pa.concat_arrays([pa.array(values[:1], kind), column])
    assert sartor.argsort(longer[1:]).tolist() == rising + missing
    assert sartor.argsort(pa.chunked_array([column[:2], column[2:]])).tolist() == rising + missing
    assert sartor.sort(column[:2]).to_pylist() == [values[0], None]


def test_a_dictionary_is_sorted_by_what_it_stands_for() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([2, None, 0, 1, 3], pa.int32()), ["b", "a", "c", "b"])
    assert sartor.argsort(column).tolist() == [3, 2, 4, 0, 1]
    assert sartor.argsort(pa.chunked_array([column, pa.array(["0"]).dictionary_encode()]).unify_dictionaries()).tolist() == [
        5,
        3,
        2,
        4,
        0,
        1,
    ]
    with_null = pa.DictionaryArray.from_arrays(pa.array([0, 1, 1]), pa.array([None, "a"]))
    assert sartor.argsort(with_null, nulls="first").tolist() == [0, 1, 2]


def test_a_dictionary_may_hold_nan_twice() -> None:
    keys = pa.DictionaryArray.from_arrays(pa.array([0, 1, 0, 2]), pa.array([np.nan, np.nan, 1.0]))
    assert sartor.argsort(keys).tolist() == [3, 0, 1, 2]


@pytest.mark.parametrize(("nulls", "rows"), [("last", [2, 3, 0, 1]), ("first", [0, 1, 2, 3])])
def test_what_is_masked_and_what_is_none_are_nulls_alike(nulls: Any, rows: list[int]) -> None:
    keys = np.ma.array([None, "x", "a", "b"], mask=[0, 1, 0, 0], dtype=object)
    assert sartor.argsort(keys, nulls=nulls).tolist() == rows


def test_lists_masks_and_objects() -> None:
    assert sartor.argsort([3, 1, 2]).tolist() == [1, 2, 0]
    assert sartor.argsort(np.ma.array([3, 1, 2], mask=[False, True, False])).tolist() == [2, 0, 1]
    assert sartor.argsort(np.array(["b", None, "a"], object)).tolist() == [2, 0, 1]
    assert sartor.argsort(np.array(["b", "é", "a"])).tolist() == [2, 0, 1]
    assert sartor.argsort(np.array([b"b", b"a"])).tolist() == [1, 0]
    assert sartor.argsort(pa.nulls(3)).tolist() == [0, 1, 2]
    assert sartor.argsort([]).tolist() == []


def test_a_result_is_of_the_kind_of_what_is_sorted() -> None:
    assert sartor.sort(np.array([2, 1], ">i4")).dtype == np.dtype(">i4")
    assert isinstance(sartor.sort(pa.array([2, 1])), pa.Array)
    assert isinstance(sartor.sort(pa.chunked_array([[2], [1]])), pa.ChunkedArray)
    masked = sartor.sort(np.ma.array([3, 1, 2], mask=[False, True, False]))
    assert masked.tolist() == [2, 3, None]
    assert sartor.argsort(np.array([2, 1])).dtype == np.intp


@pytest.mark.parametrize(
    ("keys", "options", "error", "says"),
    [
        ((), {}, TypeError, "at least one key"),
        (([[1, 2]],), {}, ValueError, "dimensions"),
        (([1j],), {}, TypeError, "can not be sorted"),
        ((np.array([object()]),), {}, TypeError, "no order"),
        ((pa.array([[1]]),), {}, TypeError, "can not be sorted"),
        (([1], [1, 2]), {}, ValueError, "same number"),
        (([1],), {"nulls": "middle"}, ValueError, "first"),
        (([1],), {"threads": 0}, ValueError, "at least 1"),
        (([1], [2]), {"descending": [True]}, ValueError, "one for each"),
    ],
)
def test_what_can_not_be_sorted_says_why(keys: tuple[Any, ...], options: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        sartor.argsort(*keys, **options)
