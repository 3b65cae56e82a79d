"""The benchmark of the kernels: its lines, its targets, and that it runs without the real columns. Times decide nothing here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.kernels.columns import DISTRIBUTIONS, HARD, column
from benchmarks.kernels.run import targets


def test_a_small_run_writes_what_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "kernels.json"
    assert (
        main(["kernels", "--sizes", "1000", "--threads", "1", "--types", "int64", "--only", "sort,lookup", "--json", str(target)]) == 0
    )
    figures = json.loads(target.read_text())
    assert {record["task"] for record in figures["records"]} == {"sort", "lookup"}
    assert {record["column"] for record in figures["records"]} >= set(DISTRIBUTIONS)
    assert all("sartor" in record["nanoseconds_per_row"] for record in figures["records"])
    assert "--data was not given" in figures["data"]
    assert "real columns: left out" in capsys.readouterr().out


def test_a_target_is_held_by_its_worst_case() -> None:
    records = [
        {"task": "sort", "column": name, "rows": 10_000, "threads": 1, "type": "int64", "ratio": {"np.sort": ratio}}
        for name, ratio in (("uniform", 1.0), ("zipf", 0.5))
    ]
    (target,) = targets(records)
    assert (target["least"], target["held"]) == (0.5, False)
    assert "zipf" in target["at"]


def test_columns_are_the_same_for_a_seed() -> None:
    for name in (*DISTRIBUTIONS, *HARD):
        assert np.array_equal(column(name, 100, "float64"), column(name, 100, "float64"), equal_nan=True)


@pytest.mark.parametrize(
    "arguments", [["--only", "everything"], ["--sizes", "many"], ["--threads", "0"], ["--data", "absent.parquet"]]
)
def test_bad_input_gets_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kernels", *arguments]) == 2
    assert "benchmarks:" in capsys.readouterr().err
