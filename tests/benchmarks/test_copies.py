"""The benchmark of copies and layouts: both ways are run and told side by side. Times decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.copies import CASES


def test_a_small_run_tells_of_both_ways(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "copies.json"
    asked = ["copies", "shop", "--scale", "0.01", "--repetitions", "2", "--cache", str(tmp_path / "cache"), "--json", str(target)]
    assert main(asked) == 0
    figures = json.loads(target.read_text())
    assert [record["case"] for record in figures["records"]] == [case.name for case in CASES["shop"]]
    for record in figures["records"]:
        ways = ["order by", "stream", *(["one key"] if record["kind"] else []), "in order"]
        assert {name: len(taken) for name, taken in record["raw"].items()} == dict.fromkeys(ways, 2)
        assert record["chosen"] == "order by"
        assert record["rows"] == 10_000
    told = capsys.readouterr().out
    assert "items by note" in told
    assert told.count("by one key") == 3


def test_a_suite_without_a_large_table_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["copies", "dashboards", "--scale", "0.001"]) == 2
    assert "choose shop or tpch" in capsys.readouterr().err
