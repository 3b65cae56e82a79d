"""The suite of layouts: every way is run and told side by side. Times decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.layouts import drift, measure
from benchmarks.layouts.measure import COLUMNS
from benchmarks.suites.elections.suite import DEFAULT_DATA


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer statements to learn from, and runs of each."""
    monkeypatch.setattr(measure, "_TRAINED", 40)
    monkeypatch.setattr(measure, "_RUNS", 1)


def test_a_small_run_tells_of_every_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "layouts.json"
    asked = ["run", "layouts", "--scale", "0.02", "--seconds", "1", "--cache", str(tmp_path / "cache"), "--json", str(target)]
    assert main(asked) == 0
    figures = json.loads(target.read_text())
    assert figures["wrong"] == 0
    told_of = {name.partition(",")[0] for name in figures["workloads"]}
    found = {"results"} if DEFAULT_DATA.exists() else set()
    assert told_of == {"several ranges", "one range of three", "conditions that repeat", "star joins", "lines"} | found
    assert len(figures["skipped"]) == 1 - len(found)
    for name in COLUMNS:
        assert figures[name]["row_groups"] == sum(ways[name]["row_groups"] for ways in figures["workloads"].values())
        assert set(figures[name]) == {"total_s", "row_groups", "build_s", "bytes"}
    for ways in figures["workloads"].values():
        assert ways["bound"] is None or ways["bound"] >= 30
    assert set(figures["drift"]["static"]) == set(drift.KEYS)
    assert figures["drift"]["sartor"] >= figures["drift"]["queries"] > 0
    told = capsys.readouterr().out
    assert "conditions that repeat" in told
    assert "a dimension that changes half-way" in told


def test_some_of_them_can_be_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["run", "layouts", "--scale", "0.01", "--seconds", "2", "--cache", str(tmp_path)]
    assert main([*asked, "--only", "one range"]) == 0
    assert "one range of three" in (told := capsys.readouterr().out)
    assert "star joins" not in told
    assert main([*asked, "--only", "nothing"]) == 2
    assert "--only 'nothing'" in capsys.readouterr().err


def test_no_rows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "layouts", "--scale", "0"]) == 2
    assert "--scale" in capsys.readouterr().err
