"""Each suite at its smallest: it loads, every statement runs, the seed decides everything, and no answer is wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.cli import main
from benchmarks.columns import ask
from benchmarks.files import loaded
from benchmarks.statement import Options, Stream, Suite
from benchmarks.suites import SUITES, suite_of

SCALES = {"shop": 0.02, "elections": 1.0, "tpch": 0.01, "dashboards": 0.01}
STATEMENTS = 60
RUNS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suites")


@pytest.fixture(scope="module")
def data(folder: Path) -> Path:
    """Election results of the real file's shape."""
    path = folder / "elections.parquet"
    duckdb.connect().execute(
        "COPY (SELECT DATE '2014-06-03' + (range // 5000 * 365)::INTEGER AS election_date, "
        "['primary', 'general'][1 + range % 2] AS election, 'County ' || range // 500 % 10 AS county, "
        "'P' || range // 25 % 20 AS precinct, "
        "['Governor', 'U.S. House', 'State Senate', 'Proposition 1'][1 + range % 4] AS office, "
        "CASE range % 4 WHEN 0 THEN NULL ELSE (range % 7)::VARCHAR END AS district, "
        "CASE WHEN range % 9 < 7 THEN ['DEM', 'REP', 'Dem'][1 + range % 3] END AS party, "
        "['Anna', 'Bob', 'O''Neil', 'José'][(1 + hash(range) % 4)::INTEGER] || ' Candidate' || hash(range) % 23 AS candidate, "
        "CASE WHEN range % 50 > 0 THEN hash(range) % 300 END::BIGINT AS votes FROM range(15000)) "
        f"TO '{path}' (FORMAT parquet)"
    ).close()
    return path


def opened(suite: Suite, options: Options, cache: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(loaded(suite, options, cache)), read_only=True, config={"threads": 1})


def options_of(suite: Suite, data: Path, seed: int = 1) -> Options:
    of_suite = data if suite.name == "elections" else None
    return Options(SCALES[suite.name], seed, statements=STATEMENTS, data=of_suite, runs=RUNS if suite.default_runs else 0)


def stream_of(suite: Suite, options: Options, cache: Path) -> Stream:
    connection = opened(suite, options, cache)
    try:
        return suite.stream(connection, options)
    finally:
        connection.close()


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_the_seed_decides_the_stream(suite: Suite, data: Path, folder: Path) -> None:
    options = options_of(suite, data)
    one, again = (stream_of(suite, options, folder) for _ in range(2))
    other = stream_of(suite, options_of(suite, data, seed=2), folder)
    assert one == again
    assert [s.text for s in one.judged] != [s.text for s in other.judged]
    assert {s.text for s in one.judged} != {s.text for s in one.observed}
    # Some templates are new in the judged half, unless each is asked equally often.
    assert bool({s.name for s in one.judged} - one.seen) == (not suite.default_runs)


@pytest.mark.parametrize("name", ["elections", "tpch", "dashboards"])
def test_every_statement_runs_and_most_find_something(name: str, data: Path, folder: Path) -> None:
    suite = suite_of(name)
    options = options_of(suite, data)
    stream = stream_of(suite, options, folder)
    connection = opened(suite, options, folder)
    answers = [ask(connection, one.text, one.parameters) for one in stream.observed + stream.judged]
    connection.close()
    assert [answer.error for answer in answers if answer.error] == []
    assert sum(bool(answer.rows) for answer in answers) > len(answers) * 0.7


def test_there_are_enough_templates(data: Path, folder: Path) -> None:
    names = {suite.name: stream_of(suite, options_of(suite, data), folder) for suite in SUITES}
    assert len({s.name for s in names["elections"].judged}) >= 25
    assert len({s.name for s in names["tpch"].judged}) >= 22 + 10
    asked = Counter(s.name for s in names["dashboards"].judged)
    assert (len(asked), set(asked.values())) == (40, {RUNS})
    assert set(Counter(s.name for s in names["dashboards"].observed).values()) == {10}
    assert {f"q{number:02}" for number in range(1, 23)} <= {s.name for s in names["tpch"].judged}


@pytest.fixture(scope="module")
def ran(data: Path, folder: Path) -> Callable[[Suite], tuple[int, dict[str, Any]]]:
    """Runs a suite once and gives the exit status and the JSON."""
    done: dict[str, tuple[int, dict[str, Any]]] = {}

    def run(suite: Suite) -> tuple[int, dict[str, Any]]:
        if suite.name in done:
            return done[suite.name]
        target = folder / f"{suite.name}.json"
        arguments = ["run", suite.name, "--scale", str(SCALES[suite.name]), "--statements", str(STATEMENTS), "--seconds", "3"]
        arguments += ["--cache", str(folder), "--json", str(target)]
        arguments += ["--data", str(data)] if suite.name == "elections" else []
        arguments += ["--runs", str(RUNS)] if suite.default_runs else []
        status = main(arguments)
        done[suite.name] = status, json.loads(target.read_text())
        return done[suite.name]

    return run


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_a_run_of_each_suite_gives_the_agreed_json_and_no_wrong_answer(
    suite: Suite, ran: Callable[[Suite], tuple[int, dict[str, Any]]]
) -> None:
    status, figures = ran(suite)
    assert figures["wrong_statements"] == []
    assert figures["expert"]["other_rows"] <= 0.02 * figures["compared"]
    assert status == 0
    assert figures.keys() >= {"suite", "threads", "plain", "expert", "sartor", "templates", "wrong", "seed", "scale"}
    assert {"name", "seen", "n", "plain_s", "expert_s", "sartor_s"} <= figures["templates"][0].keys()
    assert sum(one["n"] for one in figures["templates"]) * 2 >= figures["compared"] * 0.7
    assert ("at" in figures) == bool(suite.default_runs)


def test_dashboards_tell_what_tuning_is_worth(ran: Callable[[Suite], tuple[int, dict[str, Any]]], folder: Path) -> None:
    suite = suite_of("dashboards")
    _, figures = ran(suite)
    size = loaded(suite, Options(SCALES[suite.name], 1), folder).stat().st_size
    assert figures["storage"] == f"{int(0.3 * size)}B"
    assert figures["expert"]["bytes_added"] <= 0.3 * size
    assert figures["expert"]["design"] == "summaries"
    assert (figures["runs"], figures["at"].keys()) == (RUNS, {"50", "500"})
    assert figures["at"]["50"].keys() == {"plain_s", "expert_s", "sartor_s", "speedup", "expert_speedup"}
    assert figures["at"]["500"]["plain_s"] == pytest.approx(10 * figures["at"]["50"]["plain_s"])
    assert 0 <= figures["views_share"] <= figures["served_share"] <= 1
    assert len(figures["break_even_runs"]) == 40


def test_a_shop_with_rounds_is_answered_right_by_all(folder: Path) -> None:
    target = folder / "rounds.json"
    arguments = ["run", "shop", "--scale", "0.02", "--statements", "60", "--rounds", "3", "--seconds", "2"]
    assert main([*arguments, "--cache", str(folder), "--json", str(target)]) == 0
    figures = json.loads(target.read_text())
    assert (figures["wrong"], figures["rounds"], figures["expert"]["other_rows"]) == (0, 3, 0)
    assert figures["expert"]["design"] == "summaries"
    assert figures["sartor"]["refresh_s"] > 0
    counts = {one["name"]: one["n"] for one in figures["templates"] if one["name"].startswith("round: ")}
    assert counts == {
        "round: load orders": 2,
        "round: load items": 2,
        "round: cancel orders": 2,
        "round: close orders": 2,
        "round: correct prices": 4,
        "round: delete items": 2,
        "round: delete orders": 2,
    }


def test_bad_input_gets_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = tmp_path / "absent.parquet"
    for arguments, words in (
        (["run", "nothing"], "no suite 'nothing'; there are shop, elections, tpch, dashboards"),
        (["run", "elections", "--data", str(absent)], "say with --data where"),
        (["run", "tpch", "--scale", "0"], "leaves no rows"),
        (["run", "tpch", "--threads", "0"], "at least 1"),
        (["expert", "tpch", "--scale", "-1"], "leaves no rows"),
        (["run", "tpch", "--rounds", "2"], "--rounds and --days are for shop"),
        (["run", "shop", "--days", "0"], "--runs, --rounds, --days and --block must be at least 1"),
        (["run", "dashboards", "--runs", "0"], "must be at least 1"),
        (["run", "elections", "--expert", "summaries"], "run it with --expert sorts"),
    ):
        assert main(arguments) == 2
        printed = capsys.readouterr().err
        assert words in printed
        assert printed.count("\n") == 1
