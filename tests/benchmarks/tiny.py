"""A suite small enough for tests: one table, look-ups and groups, and writes of all kinds."""

from __future__ import annotations

from pathlib import Path
from random import Random

import duckdb

from benchmarks.statement import NO_QUESTIONS, Options, Statement, Stream

NIGHT, MORNING = 3600.0, 7 * 3600.0


class Tiny:
    """Rows in an order that clusters nothing."""

    name = "tiny"
    default_scale = 1.0
    default_storage = "2GB"
    default_runs = 0
    has_rounds = False
    questions = NO_QUESTIONS
    unit = "times 20,000 rows"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def origin(self, options: Options) -> str:
        return ""

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        connection.execute(
            "CREATE TABLE sales AS SELECT range AS id, range * 7919 % 500 AS product, range * 31 % 40 AS store, "
            "(range % 97)::DOUBLE / 7 AS amount, 'note ' || range % 13 AS note "
            f"FROM range({round(20_000 * options.scale)})"
        )

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        return Stream(self._half(1, options), self._half(2, options))

    def _half(self, number: int, options: Options) -> tuple[Statement, ...]:
        random = Random(options.seed * 10 + number)
        statements = [
            Statement(
                "load",
                "INSERT INTO sales SELECT id + 1000000, product, store, amount, note FROM sales WHERE id < 50",
                writes=True,
                at_seconds=NIGHT,
            ),
            Statement("correct", "UPDATE sales SET amount = amount + 1 WHERE product = 3", writes=True, at_seconds=NIGHT),
        ]
        for moment in range(options.statements):
            at = MORNING + moment
            product = random.randrange(500)
            statements += [
                Statement("lookup", f"SELECT id, amount FROM sales WHERE product = {product}", at_seconds=at),
                Statement(
                    "by_store",
                    "SELECT store, sum(amount) AS total FROM sales WHERE product = ? GROUP BY store",
                    [product],
                    at_seconds=at,
                ),
            ]
        statements.append(Statement("return", 'DELETE FROM "sales" WHERE id = 7', writes=True, at_seconds=MORNING + 100))
        statements.append(Statement("after", "SELECT count(*), max(id) FROM sales s WHERE s.store = 5", at_seconds=MORNING + 101))
        if number == 2:
            statements.append(Statement("new", "SELECT DISTINCT note FROM sales WHERE id < 100", at_seconds=MORNING + 102))
        return tuple(statements)
