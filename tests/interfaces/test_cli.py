"""The command line: what it answers, and one line with exit status 2 for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import sartor


def _sartor(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from sartor.interfaces.cli.main import run; run()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS a, (hash(range) % 1000)::INTEGER AS b FROM range(200000)")
    return path


def test_a_round_from_a_workload_file(shop: Path, tmp_path: Path) -> None:
    workload = tmp_path / "queries.sql"
    workload.write_text("SELECT count(*) FROM t WHERE b = 5; -- first\nSELECT nope FROM t;\nSELECT a FROM missing;\n")
    done = _sartor("tune", shop, "--workload", workload, "--seconds", 5, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["mode"] == "apply"
    assert [line.split(": ")[0].rpartition(":")[2] for line in done.stderr.splitlines()] == ["2", "3"]
    assert "missing" in done.stderr
    for command in ("design", "ledger", "workload", "refresh", "purge", "undo"):
        answer = _sartor(command, shop, "--json")
        assert answer.returncode == 0, answer.stderr
        json.loads(answer.stdout)
    assert "round" in _sartor("explain", shop, 1).stdout
    assert "plain" in _sartor("replay", shop, workload).stdout


def _one_line(done: subprocess.CompletedProcess[str], word: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert word in done.stderr


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    for command in ("tune", "design", "undo", "refresh"):
        _one_line(_sartor(command, tmp_path / "none.duckdb"), "does not exist")
    assert list(tmp_path.iterdir()) == []


def test_bad_input(shop: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.duckdb"
    text.write_text("this is not a database " * 500)
    empty = tmp_path / "empty.sql"
    empty.write_text("-- nothing\n")
    _one_line(_sartor("tune", text), "not a DuckDB database")
    _one_line(_sartor("tune", tmp_path), "directory")
    _one_line(_sartor("tune", shop, "--seconds", 0), "0 seconds")
    _one_line(_sartor("tune", shop, "--storage", "0"), "0 bytes")
    _one_line(_sartor("tune", shop, "--mode", "maybe"), "not one of")
    _one_line(_sartor("tune", shop, "--workload", tmp_path / "none.sql"), "none.sql")
    _one_line(_sartor("tune", shop, "--workload", empty), "no statement")
    _one_line(_sartor("explain", shop, 999), "no decision 999")


def test_a_database_that_another_process_holds(shop: Path) -> None:
    with duckdb.connect(shop):
        _one_line(_sartor("tune", shop), "another process")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.duckdb"
    duckdb.connect(path).close()
    path.chmod(0)
    _one_line(_sartor("tune", path), "permission")


def test_a_workload_is_given_away_and_taken_in(shop: Path, tmp_path: Path) -> None:
    with sartor.connect(shop) as con:
        con.execute("SELECT count(*) FROM t WHERE b = 7").fetchall()
    file, made = tmp_path / "w.json", tmp_path / "new.duckdb"
    done = _sartor("export-workload", shop, "--out", file, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["templates"] >= 1
    done = _sartor("import-workload", file, made, "--rows", 1000, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == 1000
    assert "plain" in _sartor("replay", made, f"{made}.sql").stdout
    _one_line(_sartor("export-workload", shop, "--out", file), "exists")
    _one_line(_sartor("export-workload", tmp_path / "none.duckdb", "--out", tmp_path / "x.json"), "does not exist")
    _one_line(_sartor("export-workload", made, "--out", tmp_path / "none" / "x.json"), "can not be written")
    _one_line(_sartor("import-workload", file, made), "exists")
    _one_line(_sartor("import-workload", tmp_path / "none.json", tmp_path / "x.duckdb"), "No such file")
    _one_line(_sartor("import-workload", f"{made}.sql", tmp_path / "x.duckdb"), "not JSON")
    _one_line(_sartor("import-workload", made, tmp_path / "x.duckdb"), "not JSON")
    _one_line(_sartor("import-workload", tmp_path, tmp_path / "x.duckdb"), "directory")
    _one_line(_sartor("import-workload", file, tmp_path / "none" / "x.duckdb"), "can not be written")
    _one_line(_sartor("import-workload", file, tmp_path / "x.duckdb", "--rows", 0), "above 0")
    _one_line(_sartor("import-workload", file, tmp_path / "x.duckdb", "--rows", 10, "--scale", 2), "one of them")
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("x.") or "draft" in path.name]
