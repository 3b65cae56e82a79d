"""The joint choice against trying every subset."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import pytest

from sartor.core.action import Action, Estimate
from sartor.core.constants import MENDING_SHARE, PAYBACK_REPEATS
from sartor.core.evidence import Evidence
from sartor.core.table import TableName
from sartor.tuner.chooser import choose, pays
from sartor.workload.workload import TemplateStatistics, Workload


def _predicted(value: float) -> Evidence:
    return Evidence(value, "predicted", "test")


def _instance(seed: int) -> tuple[list[Estimate], Workload]:
    draw = random.Random(seed)
    templates = tuple(TemplateStatistics(f"t{n}", f"t{n}", "read", draw.randrange(1, 50), 1.0, 0.0, 1.0) for n in range(5))
    estimates = []
    for number in range(7):
        source, *others = (TableName("db", "main", name) for name in draw.choice((("one",), ("two",), ("one", "two"))))
        saved = {t.digest: _predicted(draw.uniform(0.01, 0.5)) for t in templates if draw.random() < 0.5}
        action = Action("sort_keys", source, (("key", (str(number),)),), others=tuple(others))
        estimates.append(Estimate(action, saved, _predicted(draw.uniform(0.1, 4)), _predicted(draw.uniform(1, 9)), _predicted(0.0)))
    return estimates, Workload(templates)


def _changing(seed: int) -> tuple[list[Estimate], Workload]:
    """The same where rows of one table are deleted: what is no copy needs one that holds its columns, or is built anew each time."""
    draw = random.Random(f"changing {seed}")
    estimates, workload = _instance(seed)
    changed = []
    for item in estimates:
        columns = tuple(draw.sample(("a", "b", "C"), draw.randrange(1, 4)))
        if item.action.others or draw.random() < 0.5:
            definition: tuple[tuple[str, object], ...] = (
                ("schemas", tuple(tuple((c.lower(), "INTEGER") for c in columns) for _ in "12")),
            )
        else:
            definition = (("columns", columns), *item.action.definition)
        changed.append(replace(item, action=replace(item.action, component="any", definition=definition)))
    return changed, replace(workload, mutations={"one": draw.randrange(1, 9)})


def _upkeep(chosen: tuple[Estimate, ...], workload: Workload) -> float:
    """What deletes are expected to cost: a share of each build where a copy tells of them, else all of it."""
    total = 0.0
    for item in chosen:
        changes = 4 * min(sum(workload.mutations.get(source.name, 0) for source in item.action.sources), 4)
        told = all(
            workload.mutations.get(source.name, 0) == 0
            or any(
                other.action.sources == (source,)
                and other.action.is_copy
                and {c.lower() for c in item.action.columns(place)} <= {c.lower() for c in other.action.columns(0)}
                for other in chosen
            )
            for place, source in enumerate(item.action.sources)
        )
        total += item.build_seconds.value * changes * (MENDING_SHARE.default if told else 1.0)
    return total


def _gain(chosen: tuple[Estimate, ...], workload: Workload) -> float:
    total = -sum(item.build_seconds.value for item in chosen) - _upkeep(chosen, workload)
    together = [
        subset
        for size in range(len(chosen) + 1)
        for subset in combinations(chosen, size)
        if all(set(one.action.sources).isdisjoint(other.action.sources) for one, other in combinations(subset, 2))
    ]
    for template in workload.templates:
        saved = [
            [item.seconds_saved[template.digest].value if template.digest in item.seconds_saved else 0.0 for item in subset]
            for subset in together
        ]
        total += template.count * PAYBACK_REPEATS.default * max(sum(values) for values in saved)
    return total


def test_what_stands_costs_storage_and_nothing_to_build() -> None:
    workload = Workload((TemplateStatistics("one", "one", "read", 10, 1.0, 0.0, 1.0),))
    action = Action("sort_keys", TableName("db", "main", "one"), (("key", ("k",)),))
    costs = (_predicted(100.0), _predicted(5.0), _predicted(0.0))
    stands = Estimate(action, {"one": _predicted(0.01)}, *costs, standing=7)
    assert choose([replace(stands, standing=0)], workload, storage_bytes=9.0, build_seconds=200.0).chosen == ()
    assert choose([stands], workload, storage_bytes=9.0, build_seconds=1.0).chosen == (stands,)
    assert choose([stands], workload, storage_bytes=4.0, build_seconds=1.0).chosen == ()
    rewritten = replace(workload, mutations={"one": 3})
    assert choose([stands], rewritten, storage_bytes=9.0, build_seconds=1.0).chosen == ()
    other = Estimate(replace(action, definition=(("key", ("m",)),)), {"one": _predicted(0.02)}, _predicted(0.1), *costs[1:])
    assert choose([stands, other], workload, storage_bytes=9.0, build_seconds=1.0).chosen == (other,)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("instance", [_instance, _changing])
def test_no_subset_within_the_budgets_is_better(instance: Callable[[int], tuple[list[Estimate], Workload]], seed: int) -> None:
    estimates, workload = instance(seed)
    storage, seconds = 15.0, 6.0
    choice = choose(estimates, workload, storage_bytes=storage, build_seconds=seconds)
    assert sum(item.bytes_stored.value for item in choice.chosen) <= storage
    assert sum(item.build_seconds.value for item in choice.chosen) <= seconds
    best = max(
        _gain(subset, workload)
        for size in range(len(estimates) + 1)
        for subset in combinations(estimates, size)
        if sum(item.bytes_stored.value for item in subset) <= storage and sum(item.build_seconds.value for item in subset) <= seconds
    )
    assert _gain(choice.chosen, workload) == pytest.approx(best, rel=2e-3)
    assert len(choice.chosen) + len(choice.refused) == len(estimates)


@pytest.mark.parametrize("mends", [True, False])
def test_a_copy_is_worth_the_rebuilding_that_it_spares(mends: bool) -> None:
    """It answers nothing itself; where no row ids can be told to stand it spares nothing either."""
    table = TableName("db", "main", "one")
    template = TemplateStatistics("t", "t", "read", 100, 1.0, 0.0, 1.0)
    view = Action("views", table, (("schemas", ((("a", "INTEGER"),),)),))
    copy = Action("auxiliary_copies", table, (("columns", ("A", "b")), ("key", ())))
    narrow = Action("auxiliary_copies", table, (("columns", ("b",)), ("key", ())))
    estimates = [
        Estimate(view, {"t": _predicted(1.0)}, _predicted(1.0), _predicted(1), _predicted(0)),
        *(Estimate(action, {}, _predicted(1.0), _predicted(1), _predicted(0)) for action in (copy, narrow)),
    ]
    workload = Workload((template,), mutations={"one": 4})
    choice = choose(estimates, workload, storage_bytes=9, build_seconds=9, mends=mends)
    assert [item.action for item in choice.chosen] == ([view, copy] if mends else [view])
    still = choose(estimates, Workload((template,)), storage_bytes=9, build_seconds=9, mends=mends)
    assert [item.action for item in still.chosen] == [view], "nothing changes, so that nothing is to be told"


def test_what_is_in_memory_is_built_anew_after_each_change() -> None:
    template = TemplateStatistics("t", "t", "read", 10, 1.0, 0.0, 1.0)
    table = TableName("db", "main", "one")
    actions = [Action("any", table, (("columns", ("a",)), ("in_memory", in_memory))) for in_memory in (True, False)]
    changed = Workload((template,), mutations={"one": 4})
    for seconds, paying in ((0.1, [False, True]), (1.0, [True, True])):  # saved by each run, 40 of which are expected, and 16 changes
        estimates = [Estimate(a, {"t": _predicted(seconds)}, _predicted(1.0), _predicted(1), _predicted(0)) for a in actions]
        assert [pays(item, changed) for item in estimates] == paying
        assert all(pays(item, Workload((template,))) for item in estimates) is (seconds == 1.0)


def test_nothing_is_chosen_where_nothing_pays() -> None:
    estimates, workload = _instance(1)
    none = choose(estimates, workload, storage_bytes=0.0, build_seconds=0.0)
    assert none.chosen == ()
    assert all(reason for _, reason in none.refused)


def test_rows_appended_to_any_of_its_tables_are_to_be_carried_along() -> None:
    one, two = TableName("db", "main", "one"), TableName("db", "main", "Two")
    saved = {"t": _predicted(1.0)}
    template = TemplateStatistics("t", "t", "read", 10, 1.0, 0.0, 1.0)
    for source, others, chosen in ((one, (), True), (one, (two,), False), (two, (one,), False)):
        item = Estimate(Action("views", source, (), others=others), saved, _predicted(1), _predicted(1), _predicted(1.0))
        workload = Workload((template,), appended_rows={"one": 1, "two": 10**6})
        assert bool(choose([item], workload, storage_bytes=9, build_seconds=9).chosen) is chosen
