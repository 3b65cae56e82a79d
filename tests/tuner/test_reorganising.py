"""Copies that make room for others of their table: told by what was asked since, not by all that ever was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.core.design import Design, Replacement
from sartor.core.evidence import Evidence
from sartor.interfaces.connection import session_of
from sartor.tuner import loop
from sartor.tuner.drift import Counters
from sartor.tuner.ledger import Ledger
from sartor.tuner.reorganising import KIND, Drifting, moves, remembered, state_of
from sartor.tuner.standing import standing
from sartor.tuner.steps import Round
from sartor.workload.workload import Workload
from tests.tuner.test_loop import COPY_BYTES, KEYS, TABLE, World, action_of, built, check, estimate, start, workload

BEFORE = Design({7: built(7, "k")}, {"by k": (Replacement(0, 7),)}, 3, {"by k": 0.05})


def _asked(**counts: int) -> Workload:
    return Workload(tuple(replace(one, count=counts[one.digest[-1:]]) for one in workload().templates))


def _round(
    asked: Workload,
    known: Mapping[str, Drifting],
    *,
    room: float = 1.5,
    ratios: Mapping[str, float | None] | None = None,
    **options: Any,
) -> tuple[Round, World]:
    world = World(ratios or dict.fromkeys(KEYS, 4.0))
    given = start(world, design=BEFORE, storage_bytes=room * COPY_BYTES, workload=asked, drifting=known, **options)
    decided = world.play(loop.rounds(given))
    check(decided, world, BEFORE)
    return decided, world


def _known(**counted: int) -> dict[str, Drifting]:
    return {str(TABLE): Drifting(counted={f"by {key}": count for key, count in counted.items()})}


def _keys(decided: Round) -> set[str]:
    return {derived.action.get("key")[0] for derived in decided.design.objects.values()}


def test_what_is_asked_now_is_moved_to_once_staying_has_cost_the_move() -> None:
    for before, moves_to in ((14, "k"), (13, "m"), (0, "m")):
        decided, world = _round(_asked(k=100, m=15, d=1), _known(k=100, m=before, d=1))
        assert _keys(decided) == {moves_to}, before
        (line,) = [line for kind, line in world.notes if kind == KIND]
        assert line.endswith("it moves" if moves_to == "m" else "it stays as it is")


def test_what_was_asked_long_ago_moves_nothing() -> None:
    decided, _ = _round(_asked(k=10, m=50, d=40), _known(k=10, m=50, d=40))
    assert _keys(decided) == {"k"}
    assert any("has not cost enough yet" in refusal.reason for refusal in decided.refused)
    decided, _ = _round(_asked(k=10, m=50, d=40), {})
    assert _keys(decided) == {"m"}, "nothing is known of it: all was asked since"


def test_counters_decide_nothing_where_there_is_room() -> None:
    decided, world = _round(_asked(k=10, m=50, d=40), _known(k=10, m=50, d=40), room=3.5)
    assert _keys(decided) == set(KEYS)
    assert not [line for kind, line in world.notes if kind == KIND]


def test_a_move_that_its_trial_does_not_bear_out_is_not_tried_again_at_once() -> None:
    known = _known(k=100, m=0, d=1)
    decided, _ = _round(_asked(k=100, m=15, d=1), known, ratios={"k": 4.0, "m": 1.0, "d": 1.0})
    assert _keys(decided) == {"k"}
    (move,) = decided.moves
    kept = move.settled(decided.made, decided.design.objects)
    assert kept.counters.regret[state_of(action_of("m"))] == inf
    decided, _ = _round(_asked(k=100, m=18, d=1), {str(TABLE): kept})
    assert _keys(decided) == {"k"}
    decided, _ = _round(_asked(k=100, m=21, d=1), {str(TABLE): kept})
    assert _keys(decided) == {"m"}, "the phase has ended, and twice as much was lost"


def test_after_a_move_its_worth_is_watched() -> None:
    decided, _ = _round(_asked(k=100, m=15, d=1), _known(k=100, m=0, d=1))
    (move,) = decided.moves
    kept = move.settled(decided.made, decided.design.objects)
    assert kept.counters.left == state_of(action_of("k"))
    assert kept.counters.spared == pytest.approx(-0.1), "what building took"
    assert kept.counted == {"by k": 100, "by m": 15, "by d": 1}
    assert kept.took == {state_of(action_of("m")): 0.1}


def test_what_building_took_is_what_a_move_costs() -> None:
    took = {state_of(action_of(key)): 7.0 for key in KEYS}
    known = {str(TABLE): replace(_known(k=100, m=0, d=1)[str(TABLE)], took=took)}
    decided, _ = _round(_asked(k=100, m=15, d=1), known)
    assert _keys(decided) == {"k"}
    assert decided.moves[0].cost == 7.0


def test_what_can_stay_beside_stays() -> None:
    design = Design(
        {7: built(7, "k"), 8: built(8, "d")},
        {"by k": (Replacement(0, 7),), "by d": (Replacement(0, 8),)},
        3,
        {"by k": 0.05, "by d": 0.05},
    )
    (move,) = moves(
        standing(design),
        [estimate("m", frozenset({"by m"}))],
        {"by k": 1, "by d": 9, "by m": 90},
        {},
        storage_left=COPY_BYTES / 2,
    )
    assert (move.stays, move.goes) == ({8}, {7})
    assert move.rival is not None


def test_rivals_that_fit_beside_or_nowhere_are_none() -> None:
    rivals = [replace(estimate("m", frozenset({"by m"})), bytes_stored=Evidence(size, "predicted", "test")) for size in (10.0, 1e9)]
    assert not list(moves(standing(BEFORE), rivals, {"by k": 1, "by m": 90}, {}, storage_left=500.0))


def test_a_round_that_reports_keeps_no_counters() -> None:
    world = World(dict.fromkeys(KEYS, 4.0))
    given = start(world, design=BEFORE, storage_bytes=1.5 * COPY_BYTES, only_report=True)
    decided = world.play(loop.rounds(given))
    assert not [line for kind, line in world.notes if kind == KIND]
    assert decided.design == BEFORE


def test_the_ledger_keeps_counters_for_the_next_process(tmp_path: Path) -> None:
    drifting = Drifting(Counters({"a": 1.5, "b": inf}, {"b": 2.0}, 0.25, 2.0, "c", -3.0), {"one": 7}, {"a": 0.5})
    Ledger(tmp_path).record(KIND, "items", "a line", drifting.to_dict())
    Ledger(tmp_path).record(KIND, "other", "a line", {"counters": {"what": 1}})
    assert remembered(Ledger(tmp_path).decisions()) == {"items": drifting}
    assert json.loads(json.dumps(drifting.to_dict()))["counted"] == {"one": 7}


@pytest.mark.usefixtures("trials_win")
def test_a_real_table_is_rearranged_and_answers_as_before(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    by = {
        "a": "SELECT id, b FROM items WHERE a BETWEEN {0} AND {0} + 3",
        "b": "SELECT id, a FROM items WHERE b BETWEEN {0} AND {0} + 3",
    }

    def ask(connection: Any, key: str, times: int) -> None:
        for number in range(times):
            connection.execute(by[key].format(number)).fetchall()

    with sartor.connect(path, config={"threads": 1}) as connection:
        connection.execute(
            "CREATE TABLE items AS SELECT range AS id, (hash(range) % 20000)::INTEGER AS a, (hash(range + 1) % 20000)::INTEGER AS b "
            "FROM range(1000000)"
        )
        expected = connection.execute(by["b"].format(3)).fetchall()
        ask(connection, "a", 200)
        connection.tune(seconds=60, storage="1GB")
        (first,) = _arranged(connection)
        assert first.action.get("key")[0] == "a"
        size = first.bytes_stored
    with sartor.connect(path, config={"threads": 1}) as connection:
        for _ in range(4):
            ask(connection, "b", 200)
            connection.tune(seconds=60, storage=int(size * 1.7))
            if [one.action.get("key")[0] for one in _arranged(connection)] == ["b"]:
                break
        assert [one.action.get("key")[0] for one in _arranged(connection)] == ["b"]
        assert connection.execute(by["b"].format(3)).fetchall() == expected
        kinds = [decision.summary for decision in session_of(connection).database.ledger.decisions() if decision.kind == KIND]
        assert sum(line.endswith("it moves") for line in kinds) == 1


def _arranged(connection: Any) -> list[Any]:
    return [one for one in session_of(connection).database.design.objects.values() if one.action.component in ("sort_keys", "layouts")]
