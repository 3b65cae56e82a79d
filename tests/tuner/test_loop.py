"""The state machine of a round against a made-up world: whatever comes back, and whenever it is stopped, the design is valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis, Reference, RowOrder, WantedKey
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.design import Alternative, Design, Replacement
from sartor.core.evidence import Evidence
from sartor.core.table import Catalog, Column, Inclusion, TableInfo, TableName
from sartor.freshness.facts import UNIQUE_KEY, is_fact
from sartor.tuner import loop, steps
from sartor.tuner.choosing import together
from sartor.tuner.outcome import Refusal
from sartor.tuner.trial import Pair
from sartor.workload.workload import Execution, TemplateStatistics, Workload

TABLE = TableName("data", "main", "items")
KEYS = ("k", "m", "d")
COPY_BYTES = 1_000


@dataclass(slots=True)
class World:
    """Answers each step from what is set; every step takes `step_seconds`.

    Attributes:
        ratios: per key, how many times faster than plain its copy turns out; None if its trial fails.
        withheld: templates that are offered only if that is asked for.
        overtaken: keys whose table is being changed when they are built.
        stop_at: the number of the step at which the user interrupts.
        grown: how many times larger than foretold the copies by `large` turn out.
    """

    ratios: Mapping[str, float | None]
    overtaken: frozenset[str] = frozenset()
    step_seconds: float = 0.1
    stop_at: int = -1
    grown: int = 1
    large: frozenset[str] = frozenset(KEYS)
    fact: bool = False
    withheld: frozenset[str] = frozenset()
    now: float = 0.0
    steps: list[steps.Step] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def play(self, machine: steps.Machine) -> steps.Round:
        try:
            step = next(machine)
            while True:
                self.steps.append(step)
                step = machine.throw(KeyboardInterrupt()) if len(self.steps) == self.stop_at else machine.send(self.answer(step))
        except StopIteration as end:
            decided = end.value
        assert isinstance(decided, steps.Round)
        return decided

    def answer(self, step: steps.Step) -> steps.Answer:
        self.now += self.step_seconds
        match step:
            case steps.FindKey():
                action = Action(UNIQUE_KEY, TABLE, (("key", ("k",)),))
                return steps.Made(self.now, DerivedObject(step.identifier, 1, action, Coverage(-1, 0, True)) if self.fact else None)
            case steps.Know():
                return steps.Known(self.now, workload(facts=(1,)), CATALOG)
            case steps.Appraise(asked, _, components):
                withheld = {} if components else dict.fromkeys(self.withheld, frozenset({"sort_keys"}))
                served = frozenset(template.digest for template in asked.templates) - withheld.keys()
                found = tuple(estimate(key, served) for key in KEYS if f"by {key}" in served)
                return steps.Appraised(self.now, found, (Refusal("the other", "its gain could not be estimated"),), withheld)
            case steps.Build():
                (key,) = step.estimate.action.get("key")
                if key in self.overtaken:
                    return steps.Made(self.now, None, "its table was being changed")
                return steps.Made(self.now, built(step.identifier, key, COPY_BYTES * (self.grown if key in self.large else 1)))
            case steps.Drop():
                return steps.Made(self.now, None)
            case steps.Try():
                (used,) = step.option
                (key,) = step.design.objects[used.object].action.get("key")
                ratio = self.ratios[key]
                if ratio is None:
                    return steps.Tried(self.now, None, "THE ANSWERS DIFFER")
                return steps.Tried(self.now, Pair(0.1, 0.1 / ratio))


def built(identifier: int, key: str, size: int = COPY_BYTES) -> DerivedObject:
    return DerivedObject(identifier, 1, action_of(key), Coverage(9, 10, True), size, 0.1)


def action_of(key: str) -> Action:
    return Action("sort_keys", TABLE, (("columns", KEYS), ("key", (key,))), frozenset([f"by {key}"]))


def estimate(key: str, served: frozenset[str]) -> Estimate:
    def predicted(value: float) -> Evidence:
        return Evidence(value, "predicted", "test")

    saved = {f"by {key}": predicted(0.05)} if f"by {key}" in served else {}
    return Estimate(action_of(key), saved, predicted(0.1), predicted(COPY_BYTES), predicted(0.0))


SAVED = Evidence(0.05, "predicted", "test")


def workload(facts: tuple[int, ...] = (), wanted: tuple[WantedKey, ...] = ()) -> Workload:
    templates = []
    for number, key in enumerate(KEYS):
        text = f"SELECT count(*) FROM items WHERE {key} = 1"
        reference = Reference(TABLE, (key,), (), RowOrder.FREE, None, 3, 3, "items")
        analysis = Analysis(f"by {key}", (reference,), facts=facts, wanted=wanted)
        execution = Execution(text, None, 0.0, 0.1, 1)
        templates.append(TemplateStatistics(f"by {key}", text, "read", 50 - number, 5.0, 0.0, 1.0, (0.1,) * 5, (execution,), analysis))
    return Workload(tuple(templates))


CATALOG = Catalog("data", (TableInfo(TABLE, tuple(Column(key, "INTEGER") for key in KEYS), rows=1_000),))


def start(world: World, *, serving: Mapping[str, str] | None = None, **changes: Any) -> steps.Start:
    """A round over three templates that each have a copy by their own key; `serving`: the keys of the copies that serve one."""

    def alternatives(analysis: Analysis, objects: Any) -> list[Alternative]:
        keys = (serving or {}).get(analysis.digest, analysis.digest[-1:])
        copies = [derived for derived in objects if derived.action.component == "sort_keys"]
        return [(Replacement(0, derived.identifier),) for derived in copies if derived.action.get("key")[0] in keys]

    def note(kind: str, subject: str, line: str, details: Mapping[str, Any]) -> None:
        world.notes.append((kind, line))

    options: dict[str, Any] = {
        "now": 0.0,
        "deadline": 60.0,
        "storage_bytes": 1e9,
        "design": Design(),
        "workload": workload(),
        "catalog": CATALOG,
        "alternatives": alternatives,
        "note": note,
        "next_identifier": count(100).__next__ if changes.get("design") else count(1).__next__,
    }
    return steps.Start(**(options | changes))


def check(decided: steps.Round, world: World, before: Design) -> None:
    """What holds after every round, however it ended."""
    design = decided.design
    for digest, choice in design.choices.items():
        assert all(item.object in design.objects for item in choice), digest
    used = {item.object for choice in design.choices.values() for item in choice}
    copies = {number for number, derived in design.objects.items() if derived.action.component == "sort_keys"}
    assert copies == used, "every copy that stays serves a template"
    assert not {derived.identifier for derived in decided.idle} & set(design.objects)
    made = {step.identifier for step in world.steps if isinstance(step, steps.Build)}
    known = set(design.objects) | {derived.identifier for derived in decided.idle} | set(before.objects)
    dropped = {step.derived.identifier for step in world.steps if isinstance(step, steps.Drop)}
    assert {derived.identifier for derived in decided.built} <= made <= known | dropped | made
    assert design.version > before.version


def test_what_wins_stays_and_what_loses_goes() -> None:
    world = World({"k": 4.0, "m": 1.0, "d": 0.5})
    decided = world.play(loop.rounds(start(world)))
    check(decided, world, Design())
    assert [derived.action.get("key") for derived in decided.built] == [("k",)]
    assert {derived.action.get("key") for derived in decided.idle} == {("m",), ("d",)}
    assert set(decided.design.choices) == {"by k", "by m", "by d"}
    assert [line for kind, line in world.notes if kind == "keep"] == ["sort_keys of data.main.items by k (0.0 MB) serves 1 templates"]


def test_building_leaves_time_for_trials_however_long_it_takes() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), step_seconds=2.0)
    decided = world.play(loop.rounds(start(world, deadline=7.5)))
    check(decided, world, Design())
    assert [type(step) for step in world.steps[1:4]] == [steps.Build, steps.Build, steps.Try]
    assert [refusal.reason for refusal in decided.refused].count("the time left was too short to build it") == 1


def test_a_wrong_answer_is_never_chosen() -> None:
    world = World(dict.fromkeys(KEYS))
    decided = world.play(loop.rounds(start(world)))
    check(decided, world, Design())
    assert not decided.design.objects
    assert set(decided.design.choices.values()) == {()}
    assert any("THE ANSWERS DIFFER" in line for kind, line in world.notes if kind == "trial")


def test_what_was_withheld_is_offered_to_all_if_nothing_chosen_serves_it() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), withheld=frozenset({"by m"}))
    decided = world.play(loop.rounds(start(world)))
    check(decided, world, Design())
    second = world.steps[1]
    assert isinstance(second, steps.Appraise)
    assert second.components == {"sort_keys"}
    assert {template.digest for template in second.workload.templates} == {"by k", "by m", "by d"}  # one copy may serve them together
    assert len(decided.built) == 3
    assert [refusal.what for refusal in decided.refused].count("the other") == 1


def test_one_thing_is_built_once_whichever_templates_it_was_proposed_for() -> None:
    both = together([estimate("k", frozenset({"by k"})), replace(estimate("k", frozenset()), seconds_saved={"other": SAVED})])
    (found,) = both
    assert found.seconds_saved.keys() == {"by k", "other"}


def test_a_round_that_reports_builds_nothing() -> None:
    world = World(dict.fromkeys(KEYS, 4.0))
    decided = world.play(loop.rounds(start(world, only_report=True)))
    assert [type(step) for step in world.steps] == [steps.Appraise]
    assert decided.design == Design()
    assert len(decided.lines) == 3


def test_what_takes_more_storage_than_promised_is_dropped_at_once() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), grown=10)
    decided = world.play(loop.rounds(start(world, storage_bytes=3.5 * COPY_BYTES)))
    check(decided, world, Design())
    assert sum(isinstance(step, steps.Drop) for step in world.steps) == 3
    assert not decided.design.objects


def test_what_is_dropped_for_its_size_leaves_its_room_to_something_else() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), grown=10, large=frozenset("k"))
    decided = world.play(loop.rounds(start(world, storage_bytes=1.5 * COPY_BYTES)))
    check(decided, world, Design())
    assert [step.estimate.action.get("key") for step in world.steps if isinstance(step, steps.Build)] == [("k",), ("m",)]
    assert [derived.action.get("key") for derived in decided.built] == [("m",)]


def test_a_table_that_is_being_changed_is_left_alone() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), overtaken=frozenset("m"))
    decided = world.play(loop.rounds(start(world)))
    check(decided, world, Design())
    assert Refusal("sort_keys of data.main.items by m", "its table was being changed") in decided.refused


def test_what_there_was_stays_and_is_not_tried_again() -> None:
    before = Design({7: built(7, "k")}, {"by k": (Replacement(0, 7),)}, 3)
    world = World({"k": 4.0, "m": 4.0, "d": 1.0})
    decided = world.play(loop.rounds(start(world, design=before)))
    check(decided, world, before)
    assert decided.design.objects[7] is before.objects[7]
    builds = [step.estimate.action.get("key") for step in world.steps if isinstance(step, steps.Build)]
    assert ("k",) not in builds
    assert min(derived.identifier for derived in decided.built) > 7


def test_what_serves_already_is_left_only_for_something_faster() -> None:
    before = Design({7: built(7, "d")}, {"by k": (Replacement(0, 7),), "by d": (Replacement(0, 7),)}, 3)
    for ratio, moves in ((3.0, False), (9.0, True)):
        world = World({"d": 5.0, "m": ratio})
        decided = world.play(loop.rounds(start(world, serving={"by k": "dm"}, design=before)))
        check(decided, world, before)
        assert decided.design.choices["by m"] != ()
        assert (decided.design.choices["by k"] != before.choices["by k"]) is moves


def test_what_saves_little_makes_room_for_what_saves_more() -> None:
    choices = {"by k": (Replacement(0, 7),)}
    for saved, room, ratios, goes in (
        (1e-6, 3, {"m": 4.0, "d": 4.0}, True),
        (1e-6, 9, {"m": 4.0, "d": 4.0}, False),
        (0.09, 3, {"m": 4.0, "d": 4.0}, False),
        (None, 3, {"m": 4.0, "d": 4.0}, False),
        (1e-6, 3, {"m": 4.0, "d": 1.0}, False),  # its trial shows that it needs no room
    ):
        before = Design({7: built(7, "k")}, choices, 3, {} if saved is None else {"by k": saved})
        world = World(ratios)
        decided = world.play(loop.rounds(start(world, design=before, storage_bytes=room * COPY_BYTES - 500)))
        check(decided, world, before)
        assert (7 in {derived.identifier for derived in decided.idle}) is goes
        assert ("refuse", "sort_keys of data.main.items by k: dropped: others save more in its room") in world.notes or not goes
        assert sum(derived.bytes_stored for derived in decided.design.objects.values()) <= room * COPY_BYTES - 500
        assert (decided.design.choices["by k"] == ()) is goes
        expected = {digest for digest, choice in decided.design.choices.items() if choice} - ({"by k"} if saved is None else set())
        assert decided.design.saved.keys() == expected


def test_where_room_is_scarce_something_smaller_takes_over() -> None:
    for room, moves in ((11.5, True), (30.0, False)):
        before = Design({7: built(7, "d", 10 * COPY_BYTES)}, {"by k": (Replacement(0, 7),)}, 3, {"by k": 0.02})
        world = World(dict.fromkeys(KEYS, 4.0))
        decided = world.play(loop.rounds(start(world, serving={"by k": "dk"}, design=before, storage_bytes=room * COPY_BYTES)))
        check(decided, world, before)
        assert (7 not in decided.design.objects) is moves
        assert all(decided.design.choices[f"by {key}"] for key in KEYS)
        assert sum(derived.bytes_stored for derived in decided.design.objects.values()) <= room * COPY_BYTES


def test_what_promises_most_for_its_room_is_built_first() -> None:
    world = World(dict.fromkeys(KEYS, 4.0))
    counts = {"by k": 1, "by m": 900, "by d": 30}
    templates = tuple(replace(one, count=counts[one.digest]) for one in workload().templates)
    world.play(loop.rounds(start(world, workload=Workload(templates), storage_bytes=4.5 * COPY_BYTES)))
    assert [step.estimate.action.get("key") for step in world.steps if isinstance(step, steps.Build)] == [("m",), ("d",), ("k",)]


def test_what_costs_more_than_it_saves_goes() -> None:
    before = Design({7: built(7, "k")}, {"by k": (Replacement(0, 7),)}, 3, {"by k": 1e-6})
    world = World({"m": 4.0, "d": 4.0})
    changed = replace(workload(), mutations={"items": 3})
    decided = world.play(loop.rounds(start(world, design=before, workload=changed)))
    check(decided, world, before)
    assert 7 in {derived.identifier for derived in decided.idle}
    assert ("refuse", "sort_keys of data.main.items by k: dropped: it costs more than it saves") in world.notes


def test_wherever_a_round_is_stopped_what_makes_room_is_there_or_not_named() -> None:
    before = Design({7: built(7, "k")}, {"by k": (Replacement(0, 7),)}, 3, {"by k": 1e-6})
    for stop_at in range(1, 20):
        world = World({"m": 4.0, "d": 4.0}, stop_at=stop_at)
        check(world.play(loop.rounds(start(world, design=before, storage_bytes=2.5 * COPY_BYTES))), world, before)


def test_what_turned_out_too_large_is_not_built_again() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), grown=10)
    decided = world.play(loop.rounds(start(world, storage_bytes=3.5 * COPY_BYTES)))
    again = World(dict.fromkeys(KEYS, 4.0), grown=10)
    again.play(loop.rounds(start(again, storage_bytes=3.5 * COPY_BYTES, sizes=decided.sizes)))
    assert len(decided.sizes) == 3
    assert not any(isinstance(step, steps.Build) for step in again.steps)


def test_time_that_runs_out_leaves_the_rest_plain() -> None:
    world = World(dict.fromkeys(KEYS, 4.0), step_seconds=1.0)
    decided = world.play(loop.rounds(start(world, deadline=9.5)))
    check(decided, world, Design())
    assert () in decided.design.choices.values()
    assert any(decided.design.choices.values())


def test_a_key_is_looked_for_and_kept_only_if_something_rests_on_it() -> None:
    wanted = workload(wanted=(WantedKey(TABLE, frozenset("k")),))
    for ratio, kept in ((4.0, True), (1.0, False)):
        world = World(dict.fromkeys(KEYS, ratio), fact=True)
        decided = world.play(loop.rounds(start(world, workload=wanted)))
        assert [type(step) for step in world.steps[:3]] == [steps.FindKey, steps.Know, steps.Appraise]
        assert [fact.identifier for fact in decided.facts] == ([1] if kept else [])
        assert (1 in decided.design.objects) is kept
        assert 1 not in {derived.identifier for derived in decided.idle}, "it was never saved, so there is nothing to drop"


def test_an_inclusion_is_looked_for_where_finding_out_pays_and_kept_where_something_rests_on_it() -> None:
    wanted = Inclusion(TABLE, TABLE, (("k", "m"),))
    for seconds, found in ((100.0, True), (1e-9, False)):
        world = World(dict.fromkeys(KEYS, 4.0), fact=True)
        asked: list[Workload] = []

        def wants(unanswered: Workload, seconds: float = seconds, asked: list[Workload] = asked) -> dict[Inclusion, float]:
            asked.append(unanswered)
            return {wanted: seconds}

        def rests(analysis: Analysis, option: Alternative, objects: Mapping[int, DerivedObject]) -> frozenset[int]:
            return frozenset({1}) & objects.keys() if option and option[0].object != 7 else frozenset()

        before = Design({7: built(7, "m")}, {"by m": (Replacement(0, 7),)}, 2)
        decided = world.play(loop.rounds(start(world, design=before, wants=wants, rests=rests, next_identifier=count(1).__next__)))
        assert [template.digest for template in asked[0].templates] == ["by k", "by d"], "the other is answered"
        assert (steps.FindKey(wanted, 1) in world.steps) is found
        assert any(is_fact(derived) for derived in decided.design.objects.values()) is found


ratios = st.fixed_dictionaries({key: st.one_of(st.none(), st.floats(0.2, 20.0)) for key in KEYS})


@settings(deadline=None)
@given(ratios, st.frozensets(st.sampled_from(KEYS)), st.integers(1, 40), st.floats(0.01, 3.0), st.integers(1, 3), st.booleans())
def test_stopped_anywhere_it_leaves_a_valid_design(
    ratio: dict[str, float | None], overtaken: frozenset[str], stop_at: int, step_seconds: float, grown: int, with_before: bool
) -> None:
    before = Design({4: built(4, "m")}, {"by m": (Replacement(0, 4),)}, 2) if with_before else Design()
    world = World(ratio, overtaken, step_seconds, stop_at, grown)
    decided = world.play(loop.rounds(start(world, design=before, deadline=10.0, storage_bytes=4 * COPY_BYTES)))
    check(decided, world, before)
    assert decided.interrupted is (stop_at <= len(world.steps))
    assert all(derived.bytes_stored <= 4 * COPY_BYTES for derived in decided.built)
