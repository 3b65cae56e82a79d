"""Dashboards over TPC-H: 40 questions of a tool for reports, each asked again and again with other literals."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb

from benchmarks.statement import Options, Statement, Stream
from benchmarks.suites.dashboards.literals import literals
from benchmarks.suites.dashboards.queries import QUERIES
from benchmarks.suites.tpch.suite import TpcH

OBSERVED_RUNS = 10  # of each question in the half that the tuner watches


class Dashboards:
    """Joins of up to six tables, grouped by a few columns; the data is TPC-H's and the same for every seed.

    Each question comes equally often, 10 times in the observed half and `runs` times in the judged one.
    """

    name = "dashboards"
    default_scale = 1.0
    default_storage = "30%"
    default_runs = 50
    has_rounds = False
    questions = QUERIES
    folder = Path(__file__).parent
    unit = "scale factor"

    def origin(self, options: Options) -> str:
        return TpcH().origin(options)

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        TpcH().load(connection, options)

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        observed = _half(Random(2 * options.seed + 1), OBSERVED_RUNS)
        return Stream(observed, _half(Random(2 * options.seed + 2), options.runs or self.default_runs))


def _half(random: Random, runs: int) -> tuple[Statement, ...]:
    names = [name for name in QUERIES for _ in range(runs)]
    random.shuffle(names)
    return tuple(Statement(name, QUERIES[name].format(**literals(random))) for name in names)
