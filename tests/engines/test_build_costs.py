"""Which way is foretold to be sooner: large copies on one thread are streamed, small ones never, and starting costs count."""

from __future__ import annotations

import pytest

from sartor.engines.duckdb import build_costs
from sartor.engines.duckdb.build_costs import streams_faster


@pytest.mark.parametrize(
    ("rows", "threads", "loaded", "expected"),
    [
        (20_000_000, 1, True, True),
        (20_000_000, 1, False, True),
        (2_000_000, 1, True, True),
        (2_000_000, 1, False, False),
        (300_000, 1, True, False),
        (0, 1, True, False),
        (20_000_000, 2, True, False),
    ],
)
def test_the_choice(rows: int, threads: int, loaded: bool, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_costs, "_KERNELS", "sartor.core.ordered" if loaded else "not.imported")
    monkeypatch.setattr(build_costs, "_is_compiled", lambda: True)
    monkeypatch.setattr(build_costs, "useful", lambda threads: threads)
    assert streams_faster(rows, ["number"] * 6, ["number"], threads) is expected


@pytest.mark.parametrize(
    ("cut", "threads", "expected"), [((), 2, False), ((16, 16, 16), 2, False), ((5, 5, 128), 2, True), ((16, 16), 1, True)]
)
def test_borders_that_order_by_compares_with_count(
    cut: tuple[int, ...], threads: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_costs, "_KERNELS", "sartor.core.ordered")
    monkeypatch.setattr(build_costs, "useful", lambda threads: threads)
    assert streams_faster(20_000_000, ["number"] * 8, ["number"], threads, cut) is expected


def test_compiling_counts_until_it_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_costs, "_KERNELS", "not.imported")
    monkeypatch.setattr(build_costs, "_is_compiled", lambda: False)
    assert not streams_faster(20_000_000, ["number"] * 6, ["number"], 1)
    assert streams_faster(200_000_000, ["number"] * 6, ["number"], 1)
