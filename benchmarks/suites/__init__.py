"""The suites, by name."""

from __future__ import annotations

from benchmarks.statement import BenchmarkError, Suite
from benchmarks.suites.dashboards.suite import Dashboards
from benchmarks.suites.elections.suite import Elections
from benchmarks.suites.shop.suite import Shop
from benchmarks.suites.tpch.suite import TpcH

SUITES: tuple[Suite, ...] = (Shop(), Elections(), TpcH(), Dashboards())


def suite_of(name: str) -> Suite:
    """The suite of this name.

    Raises:
        BenchmarkError: there is none.
    """
    for suite in SUITES:
        if suite.name == name:
            return suite
    raise BenchmarkError(f"no suite {name!r}; there are {', '.join(suite.name for suite in SUITES)}")
