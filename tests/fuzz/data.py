"""Tables with everything that goes wrong: NULL, NaN, -0.0, empty strings, ties, duplicates, skew, extremes, an empty table."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from pathlib import Path
from time import time

import duckdb

COLUMNS = {
    "k": "INTEGER",
    "g": "SMALLINT",
    "n": "BIGINT",
    "d": "DATE",
    "t": "TIMESTAMP",
    "s": "VARCHAR",
    "m": "DECIMAL(18,2)",
    "x": "DOUBLE",
    "b": "BOOLEAN",
    "h": "HUGEINT",
}
WIDEST = {"HUGEINT": str(2**127 - 1), "DECIMAL(38,0)": "9" * 38}  # the types that h may have, each with its largest value
TABLES = ("facts", "others", "empty_one", "keyed", "numbered")
FIRST = {"keyed": "id", "numbered": "i"}  # the column before the others: a declared key, and one that nobody declared


@dataclass(slots=True)
class Rows:
    """Random row literals, the same for a seed; `widest` is the type of h."""

    random: random.Random
    widest: str = "HUGEINT"

    def value(self, column: str) -> str:
        pick = self.random
        if pick.random() < 0.06:
            return "NULL"
        match column:
            case "k":
                return str(int(pick.paretovariate(0.6)) % 400)
            case "g":
                return str(pick.randrange(5))
            case "n":
                return str(pick.choice([pick.randrange(1000), 2**53 + 1, -(2**62), 0]))
            case "d":
                return f"DATE '2024-01-01' + {pick.randrange(90)}"
            case "t":
                return f"TIMESTAMP '2024-01-01' + INTERVAL {pick.randrange(200_000)} MINUTE"
            case "s":
                return pick.choice(["''", "'a'", "'A'", "'ab'", "'abc%'", "'é'", "'it''s'", f"'v{pick.randrange(30)}'"])
            case "m":
                return pick.choice([f"{pick.randrange(-500, 500)}.{pick.randrange(100):02d}", "9999999999999999.99"])
            case "x":
                return pick.choice([f"{pick.uniform(-5, 5)!r}", "'NaN'::DOUBLE", "'-0.0'::DOUBLE", "0.0", "0.1", "1e300"])
            case "b":
                return pick.choice(["TRUE", "FALSE"])
            case _:
                return pick.choice(["1", "0", WIDEST[self.widest], str(pick.randrange(99))])

    def row(self) -> str:
        return "(" + ", ".join(self.value(column) for column in COLUMNS) + ")"

    def rows(self, count: int) -> str:
        return ", ".join(self.row() for _ in range(count))


def create_statements(rows: Rows, bulk: int) -> list[str]:
    """The statements that make the tables, with enough rows for several row groups in the first."""
    columns = ", ".join(f"{name} {kind}" for name, kind in (COLUMNS | {"h": rows.widest}).items())
    made = [f"CREATE TABLE {name} ({columns})" for name in TABLES[:3]]
    made.append(f"CREATE TABLE keyed (id INTEGER PRIMARY KEY, {columns})")
    made.append(f"CREATE TABLE numbered (i INTEGER, {columns})")
    made.append(
        "INSERT INTO numbered SELECT i, hash(i) % 50, hash(i + 1) % 5, hash(i) % 9, DATE '2024-01-01' + (hash(i + 2) % 90)::INTEGER, "
        "NULL, 'v' || (hash(i + 3) % 30), 1.5, 0.25, i % 3 = 0, i FROM range(5000) r(i)"
    )
    made.append(
        "INSERT INTO facts SELECT hash(i) % 400, hash(i + 1) % 5, i, DATE '2024-01-01' + (hash(i + 2) % 90)::INTEGER, "
        "TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND, 'v' || (hash(i + 3) % 30), (hash(i + 4) % 1000) / 10, "
        f"(hash(i + 5) % 100) / 8, i % 3 = 0, i FROM range({bulk}) r(i)"
    )
    made += [f"INSERT INTO {name} VALUES {rows.rows(60)}" for name in ("facts", "others")]
    made.append(f"INSERT INTO keyed SELECT row_number() OVER (), * FROM (VALUES {rows.rows(80)})")
    return made


@dataclass(slots=True)
class Files:
    """Local files with rows of the same columns, under two scans: a Parquet file, and all CSV files of a folder."""

    folder: Path
    rows: Rows
    changes: int = 0
    scans: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        parts = self.folder / "parts"
        parts.mkdir()
        self.scans = (f"'{self.folder}/one.parquet'", f"read_csv('{parts}/*.csv', header = true)")
        self._write(self.folder / "one.parquet", 5_000)
        self._write(parts / "1.csv", 500)

    def change(self, random_: random.Random) -> str:
        """Rewrite a file, in place or by another, or let one come or go; says what was done."""
        if random_.random() < 0.5:
            self._write(self.folder / "one.parquet", random_.choice([0, 100, 5_000]))
            return "rewrote a Parquet file"
        path = self.folder / "parts" / f"{random_.randrange(1, 4)}.csv"
        if path.exists() and path.name != "1.csv":
            path.unlink()
            return "removed a CSV file"
        self._write(path, random_.choice([1, 500]))
        return "wrote a CSV file"

    def _write(self, path: Path, bulk: int) -> None:
        typed = ", ".join(f"{name}::{kind} AS {name}" for name, kind in COLUMNS.items())
        many = (
            "SELECT hash(i) % 50, hash(i + 1) % 5, i, DATE '2024-01-01' + (hash(i + 2) % 90)::INTEGER, "
            "TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND, 'v' || (hash(i + 3) % 30), 1.5, 0.25, i % 3 = 0, i "
            f"FROM range({self.changes}, {self.changes + bulk}) r(i)"
        )
        rows = f"SELECT {typed} FROM ({many} UNION ALL VALUES {self.rows.rows(20)}) r({', '.join(COLUMNS)})"
        duckdb.execute(f"COPY ({rows}) TO '{path}' (HEADER true)" if path.suffix == ".csv" else f"COPY ({rows}) TO '{path}'")
        self.changes += 1
        os.utime(path, (time() - 3_600 + self.changes,) * 2)
