"""Which copies are kept for what they tell of their tables."""

from __future__ import annotations

from sartor.core.action import Action
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import TableName
from sartor.freshness.facts import UNIQUE_KEY
from sartor.tuner.telling import Wanted, changes, telling, wanted
from sartor.workload.workload import Workload

ITEMS, ORDERS = TableName("shop", "main", "Items"), TableName("shop", "main", "orders")
BOTH = Workload(mutations={"items": 2, "orders": 9})
SCHEMAS = (("schemas", ((("day", "DATE"), ("Price", "DECIMAL(9,2)")), (("id", "BIGINT"),))),)
JOINED = Action("views", ITEMS, SCHEMAS, others=(ORDERS,))


def _copy(source: TableName, *columns: str) -> Action:
    return Action("sort_keys", source, (("columns", columns), ("key", columns[:1])))


def _objects(*actions: Action) -> dict[int, DerivedObject]:
    nothing = Coverage(-1, 0, True)
    return {
        place: DerivedObject(place, 1, action, nothing, 100 - place, others=(nothing,) * len(action.others))
        for place, action in enumerate(actions, 1)
    }


def test_what_is_wanted_are_the_columns_of_each_table_that_changes() -> None:
    items, orders = Wanted(ITEMS, frozenset({"day", "price"})), Wanted(ORDERS, frozenset({"id"}))
    assert wanted(JOINED, BOTH) == [items, orders]
    assert wanted(JOINED, Workload(mutations={"items": 1})) == [items]
    assert wanted(JOINED, Workload()) == []
    assert wanted(_copy(ITEMS, "day"), BOTH) == [], "a copy finds its own changes"
    assert wanted(Action("point_lookup", ITEMS, (("schema", ()), ("in_memory", True))), BOTH) == []
    strict = Action("views", ITEMS, SCHEMAS, others=(ORDERS,), strict=frozenset({1}))
    assert wanted(strict, BOTH) == [items, Wanted(ORDERS, None)]
    assert not Wanted(ORDERS, None).is_told_by(_copy(ORDERS, "id")), "no change of a table that may be missing is carried along"


def test_a_copy_tells_of_the_columns_that_it_holds() -> None:
    items = Wanted(ITEMS, frozenset({"day", "price"}))
    assert items.is_told_by(_copy(ITEMS, "DAY", "price", "id"))
    assert not items.is_told_by(_copy(ITEMS, "day"))
    assert not items.is_told_by(_copy(ORDERS, "day", "price"))
    assert not items.is_told_by(JOINED)


def test_changes_are_bounded_for_they_come_in_bursts() -> None:
    assert changes(_copy(ITEMS, "day"), Workload()) == 0
    assert 0 < changes(_copy(ITEMS, "day"), BOTH) < changes(JOINED, BOTH)
    assert changes(JOINED, BOTH) == changes(JOINED, Workload(mutations={"items": 10**6}))


def test_the_smallest_copy_that_tells_is_kept() -> None:
    objects = _objects(JOINED, _copy(ITEMS, "day", "price"), _copy(ITEMS, "day", "price", "id"), _copy(ORDERS, "day"))
    assert telling([1], objects, BOTH) == {3}, "of orders nothing tells"
    assert telling([1, 2], objects, BOTH) == set(), "one that is used tells"
    assert telling([4], objects, BOTH) == set()
    assert telling([1], objects, Workload()) == set()
    fact = DerivedObject(9, 1, Action(UNIQUE_KEY, ITEMS, (("key", ("id",)),)), Coverage(-1, 0, True))
    assert telling([9], {**objects, 9: fact}, BOTH) == set(), "a fact is looked at again, not mended"
