"""A short run of the randomized freshness protocol, and proof that it can fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.protocol.run import protocol


def test_a_short_run(tmp_path: Path) -> None:
    report = protocol(tmp_path, 11, 150, delays=False)
    print(f"seed {report.seed}: {report.served} of {report.answers} served, {dict(report.seen)}")
    assert report.wrong == []
    assert report.served >= 150


@pytest.mark.parametrize("defect", ["drop the residual", "ignore mutations"])
def test_a_planted_defect_is_found(tmp_path: Path, defect: str) -> None:
    report = protocol(tmp_path, 11, 2_000, defect=defect, delays=False)
    assert report.wrong
