"""Precinct results of California's elections, loaded as they come, asked as an analyst of elections would."""

from __future__ import annotations

from pathlib import Path

import duckdb

from benchmarks.statement import NO_QUESTIONS, BenchmarkError, Options, Stream
from benchmarks.suites.drawing import halves
from benchmarks.suites.elections.templates import TEMPLATES, Facts

DEFAULT_DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "elections_ca.parquet"
STATEMENTS = 3000
POOL = 400
MILLIONTHS = 1_000_000


class Elections:
    """Real and messy data: skewed, with soft functional dependencies, arriving clustered by date and county."""

    name = "elections"
    default_scale = 1.0
    default_storage = "2GB"
    default_runs = 0
    has_rounds = False
    questions = NO_QUESTIONS
    folder = Path(__file__).parent
    unit = "share of the rows"

    def origin(self, options: Options) -> str:
        path = options.data or DEFAULT_DATA
        return f"{path.stat().st_size} {path.stat().st_mtime_ns}" if path.exists() else "no data"

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        path = options.data or DEFAULT_DATA
        if not path.exists():
            raise BenchmarkError(f"the election results are not at {path}; say with --data where elections_ca.parquet lies")
        share = round(options.scale * MILLIONTHS)
        where = f"WHERE hash(file_row_number) % {MILLIONTHS} < {share}" if share < MILLIONTHS else ""
        connection.execute(
            f"CREATE TABLE results AS SELECT * EXCLUDE (file_row_number) FROM read_parquet(?, file_row_number = true) {where}",
            [str(path)],
        )

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        facts = _facts(connection, options.seed)
        return halves(TEMPLATES, facts, options.seed, options.statements or STATEMENTS)


def _facts(connection: duckdb.DuckDBPyConnection, seed: int) -> Facts:
    def frequent(columns: str, order: str = "count(*) DESC", limit: int = POOL) -> list[tuple[str, ...]]:
        wanted = " AND ".join(f"{column} IS NOT NULL" for column in columns.split(", "))
        texts = ", ".join(f"{column}::VARCHAR" for column in columns.split(", "))
        text = f"SELECT {texts} FROM results WHERE {wanted} GROUP BY {columns} ORDER BY {order}, {columns} LIMIT {limit}"
        return connection.execute(text).fetchall()

    def single(column: str) -> list[str]:
        return [row[0] for row in frequent(column)]

    return Facts(
        counties=single("county"),
        dates=single("election_date"),
        contests=[(row[0], row[1]) for row in frequent("election_date, office")],
        offices=single("office"),
        candidates=single("candidate"),
        parties=single("party"),
        districts=single("district"),
        places=[
            (row[0], row[1], row[2])
            for row in frequent("county, precinct, election_date", f"hash(county, precinct, election_date, {seed})")
        ],
        races=[
            (row[0], row[1], row[2], row[3])
            for row in frequent("county, election_date, office, candidate", f"hash(county, election_date, candidate, {seed})")
        ],
        seats=[(row[0], row[1], row[2]) for row in frequent("election_date, office, district")],
    )
