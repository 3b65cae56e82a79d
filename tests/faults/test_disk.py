"""No space: a clear line, the right answers, and nothing half-built."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import sartor

pytest.importorskip("resource", reason="this system limits no files")

COUNT = "SELECT count(*), sum(a) FROM t WHERE b BETWEEN 10 AND 900"
ROWS = 1_000_000

# Files may grow by some bytes more; then runs a piece of Python with `con` and `database`, and tells what it raised.
LIMITED = f"""
import os, resource, sys, sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import TableName
from sartor.interfaces.connection import session_of
path, room, code = sys.argv[1], int(sys.argv[2]), sys.argv[3]
con = sartor.connect(path)
database = session_of(con).database
copy = sorted_copy(TableName("data", "main", "t"), ("a", "b", "c"), ("b",), frozenset())
if "refresh" in code:
    database.install(copy)
    con.execute("UPDATE t SET b = b + 1 WHERE b % 2 = 0")
    con.execute("CHECKPOINT")
limit = os.path.getsize(path) + room
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    exec(code)
    print("nothing was raised")
except Exception as error:
    print(type(error).__name__, str(error).partition(chr(10))[0])
print(con.execute("{COUNT}").fetchall())
"""


def _made(path: Path) -> None:
    with duckdb.connect(path) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT i AS a, (i * 7919 % {ROWS})::INTEGER AS b, hash(i) AS c FROM range({ROWS}) r(i)")


def _limited(path: Path, code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(path), "1000000", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("database.install(copy)", "Could not write"),
        ("con.refresh(); assert not database.design.objects", "nothing was raised"),  # what can not be rebuilt goes
    ],
)
def test_no_space(tmp_path: Path, code: str, told: str) -> None:
    path = tmp_path / "data.duckdb"
    _made(path)
    raised, answered = _limited(path, code)
    assert told in raised
    with duckdb.connect(path) as plain:
        assert [eval(answered)] == [plain.execute(COUNT).fetchall()]
        built = plain.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall()
        copies = [name for (name,) in built if name.startswith("sort_keys")]
        listed = plain.execute("SELECT count(*) FROM sartor.state").fetchall() if built else [(0,)]
        assert listed == [(len(copies),)]
    with sartor.connect(path) as connection:
        connection.undo()
    with duckdb.connect(path) as plain:
        assert plain.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]


def test_the_command_says_so_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "data.duckdb"
    _made(path)
    queries = tmp_path / "queries.sql"
    queries.write_text("".join(f"SELECT sum(a), max(c) FROM t WHERE b = {number};\n" for number in range(300)))
    command = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({os.path.getsize(path)} + 1000000,) * 2); "
    command += "import sys; from sartor.interfaces.cli.main import run; sys.argv[0] = 'sartor'; run()"
    done = subprocess.run(
        [sys.executable, "-c", command, "tune", str(path), "--workload", str(queries)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.splitlines()
    # A copy or a view: which one is worth more depends on how fast this machine runs the statements.
    assert re.match(r"sartor: (sort_keys|views) of data\.main\.t by b: building it failed: IO Error: Could not write file", line)
    with duckdb.connect(path) as plain:
        kinds = "table_name LIKE 'sort_keys%' OR table_name LIKE 'views%'"
        assert not plain.execute(f"SELECT 1 FROM duckdb_tables() WHERE {kinds}").fetchall()
