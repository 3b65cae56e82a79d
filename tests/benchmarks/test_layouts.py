"""The suite of layouts: every way is run and told side by side. Times decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import drift
from benchmarks.cli import main
from benchmarks.layouts import COLUMNS, WORKLOADS


def test_a_small_run_tells_of_every_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "layouts.json"
    assert main(["run", "layouts", "--scale", "0.02", "--seconds", "5", "--json", str(target)]) == 0
    figures = json.loads(target.read_text())
    assert figures["wrong"] == 0
    assert set(figures["workloads"]) == {workload.name for workload in WORKLOADS}
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


def test_no_rows_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "layouts", "--scale", "0"]) == 2
    assert "--scale" in capsys.readouterr().err
