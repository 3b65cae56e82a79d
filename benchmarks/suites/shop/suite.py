"""A shop: days of dashboards, look-ups, loads by night and inserts in between, as `sartor.workload` makes them."""

from __future__ import annotations

import inspect
from pathlib import Path

import duckdb

from benchmarks.statement import NO_QUESTIONS, Options, Statement, Stream
from benchmarks.suites.shop.rounds import appended, facts_of, with_rounds

STATEMENTS = 4000  # a statement every twenty seconds of a day
MILLION = 1_000_000
DAY = 86_400.0


class Shop:
    """Skewed, correlated, time-ordered data under a realistic stream with writes."""

    name = "shop"
    default_scale = 3.0
    default_storage = "2GB"
    default_runs = 0
    has_rounds = True
    questions = NO_QUESTIONS
    folder = Path(__file__).parent
    unit = "million order items"

    def origin(self, options: Options) -> str:
        from sartor.workload import shop

        return inspect.getsource(shop)

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        from sartor.workload.shop import make_shop

        make_shop(connection, round(options.scale * MILLION), options.seed)

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        statements = options.statements or STATEMENTS
        days = [_day(options.seed, number, statements) for number in range(1, 2 + options.days)]
        writes = options.rounds - 1
        facts = facts_of(connection, options.seed, len(days) * writes)
        if writes:
            days = [with_rounds(day, options.rounds, facts, options.seed, writes * number) for number, day in enumerate(days)]
        return Stream(days[0], sum(days[1:], ()), appended(facts, options.seed))


def _day(seed: int, number: int, statements: int) -> tuple[Statement, ...]:
    from sartor.workload.stream import day

    return tuple(
        Statement(one.name, one.text, one.parameters, one.kind != "read", one.at_seconds % DAY)
        for one in day(seed, number, statements)
    )
