"""The gate of overheads: what it measures and when it closes. The figures themselves decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import overhead
from benchmarks.cli import main


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overhead, "FACT_ROWS", 2000)
    monkeypatch.setattr(overhead, "OBSERVED", 5)


@pytest.mark.usefixtures("small")
def test_the_figures_have_the_agreed_names(tmp_path: Path) -> None:
    target = tmp_path / "overhead.json"
    status = main(["overhead", "--repetitions", "30", "--json", str(target)])
    figures = json.loads(target.read_text())
    assert figures.keys() >= {"repeated_us", "new_literals_us", "new_template_first_us", "new_template_second_us"}
    assert status == (1 if overhead.too_slow(figures) else 0)


def test_the_gate_closes_above_each_limit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    figures = dict(overhead.LIMITS_US)
    monkeypatch.setattr(overhead, "measure", lambda repetitions: figures)
    assert main(["overhead", "--check"]) == 0
    for name, limit in overhead.LIMITS_US.items():
        monkeypatch.setattr(overhead, "measure", lambda repetitions, slow=name, at=limit: {**figures, slow: at + 1})
        assert main(["overhead", "--check"]) == 1
        assert f"FAILED: {name} is over" in capsys.readouterr().out
