"""A few kills at set moments; `python -m tests.faults.kill` does two hundred at random ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.kill import kill_once


@pytest.mark.parametrize("seconds", [0.05, 0.6, 1.3])
def test_what_a_kill_leaves_is_whole(seconds: float, tmp_path: Path) -> None:
    assert kill_once(tmp_path / "killed.duckdb", seconds) == []
    assert kill_once(tmp_path / "killed.duckdb", seconds / 2) == []
