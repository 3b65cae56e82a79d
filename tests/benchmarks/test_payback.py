"""The arithmetic of what tuning is worth, with numbers that can be checked by hand."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmarks.payback import Means, break_even, break_even_of_all, scaled
from benchmarks.runner import Measured, Run
from benchmarks.statement import Options, Statement
from benchmarks.summary import document, from_views, payback, print_table

HALVED = Means("halved", 10, plain_s=0.2, expert_s=0.05, sartor_s=0.1)
SLOWER = Means("slower", 10, plain_s=0.1, expert_s=0.1, sartor_s=0.15)
OFTEN = Means("often", 30, plain_s=0.04, expert_s=0.04, sartor_s=0.03)


def test_totals_are_means_times_runs_and_what_is_paid_once() -> None:
    told = scaled([HALVED, SLOWER], 50, expert_once_s=5.0, sartor_once_s=2.5)
    assert told == pytest.approx({"plain_s": 15.0, "expert_s": 12.5, "sartor_s": 15.0, "speedup": 1.0, "expert_speedup": 1.2})


def test_a_template_breaks_even_when_its_share_of_the_tuning_is_saved() -> None:
    # Saved: 10 · 0.1 = 1.0 s and 30 · 0.01 = 0.3 s of 1.3 s. Shares of 13 s: 10 s and 3 s, paid back by 0.1 s and 0.01 s a run.
    runs = break_even([HALVED, SLOWER, OFTEN], tune_s=13.0)
    assert runs == {"halved": pytest.approx(100.0), "slower": None, "often": pytest.approx(300.0)}


def test_what_was_run_equally_often_breaks_even_together() -> None:
    little = Means("little", 10, plain_s=0.2, expert_s=0.2, sartor_s=0.199)
    runs = break_even([HALVED, little], tune_s=1.01)
    assert runs["halved"] == pytest.approx(10.0)
    assert runs["little"] == pytest.approx(10.0)


def test_what_was_never_served_was_faster_by_chance() -> None:
    chance = Means("chance", 10, plain_s=0.2, expert_s=0.2, sartor_s=0.1, served=False)
    assert break_even([HALVED, chance], tune_s=1.0) == {"halved": pytest.approx(10.0), "chance": None}


def test_nothing_saved_never_breaks_even() -> None:
    assert break_even([SLOWER], 1.0) == {"slower": None}
    assert break_even_of_all([SLOWER], 1.0) is None
    assert break_even_of_all([HALVED, SLOWER], 1.0) == pytest.approx(20.0)


def test_a_run_tells_shares_of_its_reads_only(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = {"plain": 0.2, "expert": 0.1, "sartor": 0.1}
    ask = Statement("ask", "SELECT 1")
    run = Run("tiny", Options(1.0, 1, runs=4), tune_seconds=4.0)
    served = [frozenset({"views"}), frozenset({"sort_keys"}), frozenset({"sort_keys", "views"}), frozenset[str]()]
    run.judged = [Measured(ask, seconds, kinds) for kinds in served]
    run.judged.append(Measured(Statement("load", "INSERT INTO t VALUES (1)", writes=True), seconds))
    told = payback(run)
    assert (told["served_share"], told["views_share"]) == (0.75, 0.5)
    assert told["break_even_runs"] == {"ask": pytest.approx(40.0)}
    assert told["break_even_runs_median"] == pytest.approx(40.0)
    assert told["at"]["50"] == pytest.approx(
        {"plain_s": 10.0, "expert_s": 5.0, "sartor_s": 9.0, "speedup": 10 / 9, "expert_speedup": 2.0}
    )
    assert document(run)["runs"] == 4
    print_table(run, Console(width=140))
    printed = capsys.readouterr().out
    assert "served 75% of the judged reads, 50% from views; templates break even after 40 runs (median), 0 never do" in printed
    assert "scaled to 50 runs: plain 10.0 s, expert 5.0 s, sartor 9.0 s" in printed
    assert "what lost:" in printed


def test_a_suite_that_does_not_count_in_runs_is_not_scaled() -> None:
    run = Run(
        "tiny", Options(1.0, 1), judged=[Measured(Statement("ask", "SELECT 1"), dict.fromkeys(("plain", "expert", "sartor"), 1.0))]
    )
    told = payback(run)
    assert "at" not in told
    assert "runs" not in told
    assert told["break_even_runs_median"] is None


def test_what_views_are_worth_is_told_of_slow_templates_alone() -> None:
    run = Run("test", Options(1.0, 1))
    for name, plain_s, sartor_s, by in (("slow", 0.4, 0.01, "views"), ("slower", 0.9, 0.1, "views"), ("quick", 0.01, 0.002, "views")):
        run.judged += [Measured(Statement(name, name), {"plain": plain_s, "expert": 1.0, "sartor": sartor_s}, frozenset([by]))] * 3
    run.judged += [Measured(Statement("sorted", "sorted"), {"plain": 1.0, "expert": 1.0, "sartor": 0.01}, frozenset(["sort_keys"]))]
    told = from_views(run)
    assert told["views_slow_templates"] == 2
    assert told["views_speedup"] == pytest.approx((40 * 9) ** 0.5)
    assert told["views_quick_s"] == 0.002
    assert told["views_residual_speedup"] is None
    run.residual = {"slow": [(0.4, 0.1), (0.4, 0.2), (0.4, 0.05)], "quick": []}
    assert from_views(run)["views_residual_speedup"] == pytest.approx(4.0)
