"""Kill a process at random moments while it writes and tunes: `python -m tests.faults.kill --kills 200`.

After each kill the file must open, plain DuckDB and Sartor must agree, every row that was reported as committed must be there, and
everything in the schema `sartor` must be whole: each object of the state table has its table, and each table its row.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import duckdb

import sartor

_CHILD = """
import sartor
con = sartor.connect({path!r})
con.execute("CREATE TABLE IF NOT EXISTS t AS SELECT range AS a, (hash(range) % 5000)::INTEGER AS b FROM range(400000)")
print("open", flush=True)
number = 0
while True:
    number += 1
    con.execute("INSERT INTO t VALUES (?, 7)", [10**9 + number])
    print("committed", 10**9 + number, flush=True)
    for value in range(40):
        con.execute(f"SELECT count(*), sum(a) FROM t WHERE b = {{value + number}}").fetchall()
    con.tune(seconds=5)
    con.execute("UPDATE t SET b = 8 WHERE a = ?", [number])
    con.refresh()
    if number % 3 == 0:
        con.undo()
"""
_QUESTIONS = [f"SELECT count(*), sum(a) FROM t WHERE b = {value}" for value in (7, 8, 100, 4999)]


def kill_once(path: Path, seconds: float) -> list[str]:
    """Let the child run that long after it has opened the file, kill it, and say what is wrong with what it left."""
    command = [sys.executable, "-c", _CHILD.format(path=str(path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        opened = child.stdout.readline()
        timer = threading.Timer(seconds, child.send_signal, [signal.SIGKILL])
        timer.start()
        said = child.stdout.read()
        child.wait()
        timer.join()
    assert opened == "open\n"
    committed = {int(line.split()[1]) for line in said.splitlines() if line.startswith("committed ") and len(line) == 20}
    return inspect(path, committed)


def inspect(path: Path, committed: set[int]) -> list[str]:
    """What is wrong with a file; nothing if all is well."""
    wrong = []
    with sartor.connect(path) as con:
        plain = duckdb.DuckDBPyConnection.cursor(con)
        for again in range(3):
            wrong += [
                f"asked for the {again + 1}. time: {question}"
                for question in _QUESTIONS
                if con.execute(question).fetchall() != plain.execute(question).fetchall()
            ]
            con.refresh()
        present = {row[0] for row in plain.execute("SELECT a FROM t WHERE a >= 1000000000").fetchall()}
        if not committed <= present:
            wrong.append(f"rows are lost: {committed - present}")
        tables = {row[0] for row in plain.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'sartor'").fetchall()}
        if tables:
            stored = plain.execute("SELECT DISTINCT action->>'component', identifier, generation FROM sartor.state").fetchall()
            objects = {f"{component}_{identifier}_{generation}" for component, identifier, generation in stored}
            if objects != tables - {"state", "choices", "token"}:
                wrong.append(f"half-built: {objects} and {tables}")
        plain.close()
    return wrong


def main() -> int:
    """Kill as often as asked for, and say what was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kill")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.kills):
            seconds = draw.uniform(0.0, 2.5)
            wrong = kill_once(Path(folder) / "killed.duckdb", seconds)
            found += [f"kill {number} after {seconds:.3f} s: {text}" for text in wrong]
    print("\n".join([*found, f"{arguments.kills} kills, {len(found)} wrong"]))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
