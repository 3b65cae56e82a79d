"""The gate of matching: what it measures and when it closes. The figures themselves decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import matching
from benchmarks.cli import main


def test_each_template_is_looked_up_among_the_views_and_answered_from_one(tmp_path: Path) -> None:
    target = tmp_path / "matching.json"
    status = main(["matching", "--views", "200", "--repetitions", "1", "--cache", str(tmp_path), "--json", str(target)])
    figures = json.loads(target.read_text())
    assert (figures["views"], len(figures["templates"]), figures["answered"]) == (200, 40, 40)
    assert figures["median_ms"] <= figures["most_ms"]
    assert figures["first_ms"] == figures["templates"][0]["matching_ms"] > 0
    assert status == (1 if matching.failures(figures) else 0)


def test_the_gate_closes_above_the_limit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = {"name": "orders by day", "matching_ms": matching.LIMIT_MS, "analysing_ms": 1.0, "answered": True}
    figures = {"templates": [line], "views": 1, "answered": 1, "median_ms": 1.0, "most_ms": 1.0, "first_ms": 1.0}
    monkeypatch.setattr(matching, "measure", lambda views, repetitions, seed, cache: figures)
    assert main(["matching"]) == 0
    line["matching_ms"] = matching.LIMIT_MS + 1
    assert main(["matching"]) == 1
    assert "FAILED: orders by day takes 4.0 ms" in capsys.readouterr().out


@pytest.mark.parametrize("asked", [["--views", "0"], ["--repetitions", "0"]])
def test_too_few_are_told(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matching", *asked]) == 2
    assert "--views and --repetitions must be above 0" in capsys.readouterr().err
