"""The ledger: numbers, causes, several processes, torn lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from sartor import DecisionNotFound
from sartor.tuner.explain import explain
from sartor.tuner.ledger import Ledger


def test_decisions_are_kept_with_their_causes(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    cause = first.record("round", "database", "a round began")
    first.record("build", "1", "a copy was built", {"seconds": 2}, cause)
    again = Ledger(tmp_path)
    assert [d.summary for d in again.decisions()] == ["a round began", "a copy was built"]
    assert again.record("undo", "database", "all is gone") == 3
    assert [d.number for d in again.story(cause)] == [1, 2]
    assert "a copy was built" in explain(again, 2)
    assert again.as_table().num_rows == 3


def test_a_torn_line_is_skipped(tmp_path: Path) -> None:
    Ledger(tmp_path).record("round", "database", "a round began")
    (segment,) = tmp_path.glob("ledger-*.jsonl")
    segment.write_text(segment.read_text() + '{"number": 2, "cau')
    assert [d.number for d in Ledger(tmp_path).decisions()] == [1]


def test_without_a_folder_it_is_in_memory() -> None:
    ledger = Ledger(None)
    assert ledger.record("round", "database", "a round began") == 1
    with pytest.raises(DecisionNotFound, match="no decision 7"):
        explain(ledger, 7)


def test_a_folder_that_can_not_be_written_costs_nothing_else(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    ledger = Ledger(blocked)
    assert ledger.record("round", "database", "a round began") == 1
    assert len(ledger.decisions()) == 1
