"""TPC-H: the 22 queries once in each half, and the selective ones that users ask all day."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from random import Random

import duckdb

from benchmarks.statement import NO_QUESTIONS, BenchmarkError, Options, Stream
from benchmarks.suites.drawing import Template, halves
from benchmarks.suites.tpch.queries import QUERIES
from benchmarks.suites.tpch.selective import TEMPLATES, Facts
from benchmarks.suites.tpch.substitution import literals

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")
STATEMENTS = 1000
POOL = 500  # keys that the literals are drawn from, by Zipf


class TpcH:
    """TPC-H at a scale factor; the data comes from tpchgen-cli and is the same for every seed."""

    name = "tpch"
    default_scale = 1.0
    default_storage = "2GB"
    default_runs = 0
    has_rounds = False
    questions = NO_QUESTIONS
    folder = Path(__file__).parent
    unit = "scale factor"

    def origin(self, options: Options) -> str:
        try:
            return version("tpchgen-cli")
        except PackageNotFoundError:
            return "another generator"

    def load(self, connection: duckdb.DuckDBPyConnection, options: Options) -> None:
        generator = shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")
        if generator is None:
            raise BenchmarkError("tpchgen-cli is missing; install it with: pip install 'sartor[bench]'")
        with tempfile.TemporaryDirectory() as folder:
            command = [generator, "parquet", "-s", f"{options.scale:g}", f"--output-dir={folder}"]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            if made.returncode != 0:
                raise BenchmarkError(f"tpchgen-cli failed, give another --scale: {made.stderr.strip()[-300:]}")
            for table in TABLES:
                connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet(?)", [f"{folder}/{table}.parquet"])

    def stream(self, connection: duckdb.DuckDBPyConnection, options: Options) -> Stream:
        queries = [Template(f"q{number:02}", _Query(number)) for number in QUERIES]
        facts = _facts(connection, options)
        return halves(TEMPLATES, facts, options.seed, options.statements or STATEMENTS, always=queries)


class _Query:
    """Draws one of the 22."""

    __slots__ = ("_number",)

    def __init__(self, number: int) -> None:
        self._number = number

    def __call__(self, random: Random, facts: Facts) -> str:
        return QUERIES[self._number].format(**literals(self._number, random, facts.scale))


def _facts(connection: duckdb.DuckDBPyConnection, options: Options) -> Facts:
    def keys(column: str, table: str) -> list[int]:
        text = f"SELECT DISTINCT {column} FROM {table} ORDER BY hash({column}, {options.seed}) LIMIT {POOL}"
        return [row[0] for row in connection.execute(text).fetchall()]

    clerks = connection.execute("SELECT DISTINCT o_clerk FROM orders ORDER BY o_clerk LIMIT 100").fetchall()
    last = connection.execute("SELECT max(p_partkey) FROM part").fetchone()
    return Facts(
        scale=options.scale,
        orders=keys("o_orderkey", "orders"),
        customers=keys("o_custkey", "orders"),
        parts=keys("l_partkey", "lineitem"),
        suppliers=keys("s_suppkey", "supplier"),
        clerks=[row[0] for row in clerks],
        last_part=int(last[0]) if last else 1,
    )
