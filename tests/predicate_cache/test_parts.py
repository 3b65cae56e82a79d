"""Ranges, what is put out of a full store, and when an entry has turned out not to pay: without a database."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sartor.components.predicate_cache.apply import ranges
from sartor.components.predicate_cache.estimate import pays, share_read
from sartor.components.predicate_cache.serve import condition
from sartor.core.action import Action
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import TableName
from sartor.interfaces.remembered import Entry, Store

GROUP = 122_880


@given(st.sets(st.integers(0, 200_000), max_size=60), st.integers(1, 9), st.integers(1, 5_000))
def test_ranges_cover_all_rows_in_order(rows: set[int], most: int, least_gap: int) -> None:
    vectors = sorted({row // 2048 for row in rows}, key=lambda vector: vector % 7)
    first = np.array([min(row for row in rows if row // 2048 == vector) for vector in vectors], np.int64)
    last = np.array([max(row for row in rows if row // 2048 == vector) for vector in vectors], np.int64)
    found = ranges(first, last, most, least_gap)
    assert len(found) <= most
    assert all(any(start <= row <= end for start, end in found) for row in rows)
    assert all(before[1] + least_gap < after[0] for before, after in pairwise(found))
    assert all(start in rows and end in rows for start, end in found)


@given(st.lists(st.tuples(st.integers(0, 40 * GROUP), st.integers(0, 3 * GROUP)), max_size=9), st.integers(1, 40))
def test_the_share_of_row_groups_is_what_they_touch(spans: list[tuple[int, int]], groups: int) -> None:
    high_water = groups * GROUP - 1
    position, found = 0, []
    for gap, length in spans:
        start = position + gap
        if start + length > high_water:
            break
        found.append((start, start + length))
        position = start + length + 1
    touched = {group for start, end in found for group in range(start // GROUP, end // GROUP + 1)}
    assert share_read(tuple(found), high_water) == pytest.approx(len(touched) / groups)


def test_an_empty_table_does_not_pay() -> None:
    assert not pays((), -1)
    assert pays((), 10 * GROUP)
    assert not pays(((0, 10 * GROUP),), 10 * GROUP)


def test_the_condition_takes_everything_behind_the_high_water() -> None:
    assert condition((), -1) == "rowid > -1"


def _entry(plain: float, template: str = "t") -> Entry:
    derived = DerivedObject(0, 1, Action("predicate_cache", TableName("a", "b", "c"), ()), Coverage(9, 10, True), content=())
    return Entry(derived, 0, template, plain, plain, spared_seconds=plain)


def test_the_least_valuable_goes_first() -> None:
    store = Store(3)
    kept, little, much = _entry(1.0), _entry(0.01), _entry(5.0)
    for key, entry in (("kept", kept), ("little", little), ("much", much)):
        store.put(key, entry)
    for _ in range(3):
        store.use(kept)
        kept.served(0.1, is_own=True)
    store.put("new", _entry(0.02))
    assert (kept.live, little.live, much.live) == (True, False, True)
    assert len(store) == 3


def test_what_is_used_no_longer_makes_room_some_time() -> None:
    store = Store(2)
    old = _entry(3.0)
    store.put("old", old)
    for number in range(50):
        store.put(number, _entry(0.5))
        assert len(store) == 2
    assert not old.live


def test_one_key_has_one_entry() -> None:
    store = Store(3)
    first, second = _entry(1.0), _entry(1.0)
    store.put("one", first)
    store.put("one", second)
    assert (len(store), first.live, second.live) == (1, False, True)
    store.clear()
    assert (len(store), second.live) == (0, False)


def test_an_entry_that_never_is_faster_does_not_pay() -> None:
    entry = _entry(1.0)
    assert [entry.served(0.95, is_own=True) for _ in range(3)] == [False, False, True]
    entry = _entry(1.0)
    assert not any(entry.served(seconds, is_own=True) for seconds in (0.95, 0.95, 0.3, 0.95, 0.95, 0.2))
    assert not any(_entry(1.0).served(5.0, is_own=False) for _ in range(5))


def test_what_appended_rows_cost_is_added_up() -> None:
    entry = _entry(1.0)
    for seconds in (0.2, 0.1, 0.15, 0.3):
        entry.served(seconds, is_own=True)
    assert entry.lost_seconds == pytest.approx(0.25)
