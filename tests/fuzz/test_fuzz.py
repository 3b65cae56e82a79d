"""Short runs of the fuzzer, and a few of the planted defects; `make fuzz` runs all of it."""

from __future__ import annotations

import pytest

from tests.fuzz.defects import DEFECTS
from tests.fuzz.layout_defects import DEFECTS as LAYOUT_DEFECTS
from tests.fuzz.layouts import fuzz_layouts
from tests.fuzz.lookup_defects import DEFECTS as LOOK_UP_DEFECTS
from tests.fuzz.lookups import fuzz_look_ups
from tests.fuzz.predicate_defects import DEFECTS as PREDICATE_DEFECTS
from tests.fuzz.predicates import fuzz_conditions
from tests.fuzz.run import fuzz
from tests.fuzz.star_defects import DEFECTS as VIEW_DEFECTS
from tests.fuzz.star_run import fuzz_views


@pytest.mark.parametrize("seed", [11, 12])
def test_answers_are_those_of_plain_duckdb(seed: int) -> None:
    report = fuzz(seed, 350)
    print(f"seed {seed}: {report.served} of {report.selects} SELECTs rewritten")
    assert report.wrong == []
    assert report.served > 100


@pytest.mark.parametrize("seed", [61, 62])
def test_answers_from_layouts_are_those_of_plain_duckdb(seed: int) -> None:
    report = fuzz_layouts(seed, 350)
    print(f"seed {seed}: {report.served} of {report.selects} SELECTs answered from layouts")
    assert report.wrong == []
    assert report.served > 30


@pytest.mark.parametrize("seed", [31, 32])
def test_answers_from_memory_are_those_of_plain_duckdb(seed: int) -> None:
    report = fuzz_look_ups(seed, 250)
    print(f"seed {seed}: {report.served} of {report.selects} SELECTs looked up")
    assert report.wrong == []
    assert report.served > 50


@pytest.mark.parametrize("seed", [41, 42])
def test_answers_with_remembered_row_ids_are_those_of_plain_duckdb(seed: int) -> None:
    report = fuzz_conditions(seed, 250)
    print(f"seed {seed}: {report.served} of {report.selects} SELECTs run with row ids")
    assert report.wrong == []
    assert report.served > 100


@pytest.mark.parametrize("seed", [21, 22])
def test_answers_from_views_are_those_of_plain_duckdb(seed: int) -> None:
    report = fuzz_views(seed, 350)
    print(f"seed {seed}: {report.served} of {report.selects} SELECTs answered from views")
    assert report.wrong == []
    assert report.served > 100


@pytest.mark.parametrize("name", ["lose the base order", "stale literal", "trust the file after a reopen"])
def test_planted_defects_are_found(name: str) -> None:
    with DEFECTS[name]():
        assert fuzz(1, 2_000, stop_at_wrong=True).wrong


@pytest.mark.parametrize("name", ["forget the rows appended", "a bit whatever the literals"])
def test_planted_defects_in_layouts_are_found(name: str) -> None:
    with LAYOUT_DEFECTS[name]():
        assert fuzz_layouts(1, 2_000, stop_at_wrong=True).wrong


@pytest.mark.parametrize("name", ["forget the rows that came behind", "give nothing back to DuckDB"])
def test_planted_defects_in_look_ups_are_found(name: str) -> None:
    with LOOK_UP_DEFECTS[name]():
        assert fuzz_look_ups(1, 2_000, stop_at_wrong=True).wrong


@pytest.mark.parametrize("name", ["leave out what came behind", "another table of the condition may grow"])
def test_planted_defects_in_conditions_are_found(name: str) -> None:
    with PREDICATE_DEFECTS[name]():
        assert fuzz_conditions(1, 2_000, stop_at_wrong=True).wrong


@pytest.mark.parametrize("name", ["residual of the first moved table only", "lose the NULL group", "NULL for a count of no rows"])
def test_planted_defects_in_views_are_found(name: str) -> None:
    with VIEW_DEFECTS[name]():
        assert fuzz_views(1, 2_000, stop_at_wrong=True).wrong
