"""Tables that join: NULL keys, keys that come twice, a declared foreign key, an empty table, and measures that go wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass

TABLES: dict[str, dict[str, str]] = {
    "sales": {
        "i": "INTEGER",
        "h": "INTEGER",
        "c": "VARCHAR",
        "y": "SMALLINT",
        "d": "DATE",
        "t": "TIMESTAMP",
        "u": "INTEGER NOT NULL",
        "q": "DECIMAL(9,2)",
        "m": "DECIMAL(18,2)",
        "n": "BIGINT",
        "x": "DOUBLE",
        "b": "BOOLEAN",
    },
    "items": {"i": "INTEGER", "k": "INTEGER", "brand": "VARCHAR", "w": "SMALLINT", "p": "DECIMAL(9,2)"},  # i comes twice
    "kinds": {"k": "INTEGER", "title": "VARCHAR", "l": "SMALLINT", "r": "DOUBLE"},
    "shops": {"h": "INTEGER PRIMARY KEY", "city": "VARCHAR", "area": "VARCHAR", "opened": "DATE", "tag": "INTEGER"},
    "visits": {"h": "INTEGER NOT NULL REFERENCES shops (h)", "d": "DATE", "v": "INTEGER", "z": "DOUBLE"},
    "nothing": {"i": "INTEGER", "c": "VARCHAR", "u": "INTEGER", "x": "DOUBLE"},
}
ALIASES = {"s": "sales", "g": "items", "o": "kinds", "p": "shops", "v": "visits", "e": "nothing", "w": "items"}
ITEMS, KINDS, SHOPS = 30, 8, 15


@dataclass(slots=True)
class Rows:
    """Random row literals, the same for a seed."""

    random: random.Random

    def value(self, column: str) -> str:
        """A cell; columns of one name hold values of one kind in all tables."""
        pick = self.random
        if column not in ("u", "h", "tag") and pick.random() < 0.07:
            return "NULL"
        match column:
            case "i":
                return str(pick.randrange(ITEMS))
            case "k":
                return str(pick.randrange(KINDS))
            case "h":
                return str(pick.randrange(SHOPS))
            case "c" | "brand" | "title" | "city" | "area":
                return pick.choice(["''", "'a'", "'A'", "'é'", "'it''s'", *(f"'v{n}'" for n in range(4))])
            case "y" | "w" | "l":
                return str(pick.randrange(5))
            case "d" if pick.random() < 0.03:
                return pick.choice(
                    ["DATE 'infinity'", "DATE '-infinity'", "DATE '0044-03-15 (BC)'", "DATE '2024-12-31'", "DATE '2025-01-01'"]
                )
            case "d" | "opened":
                return f"DATE '2024-01-01' + {pick.randrange(60) * pick.choice([1, 1, 9])}"
            case "t":
                return f"TIMESTAMP '2024-01-01' + INTERVAL {pick.randrange(200_000)} MINUTE"
            case "tag":
                return str(pick.randrange(10_000))
            case "u" | "v":
                return str(pick.randrange(1, 7))
            case "q" | "p":
                return f"{pick.randrange(-50, 90)}.{pick.choice(['00', '25', '10'])}"
            case "m":
                return pick.choice(
                    [f"{pick.randrange(-500, 500)}.{pick.randrange(100):02d}", "9999999999999999.99", "-9999999999999999.99"]
                )
            case "n":
                return str(pick.choice([pick.randrange(1000), 2**53 + 1, -(2**62), 0]))
            case "b":
                return pick.choice(["TRUE", "FALSE"])
            case _:
                return pick.choice(
                    [f"{pick.uniform(-5, 5)!r}", f"{pick.randrange(1, 9)}e-1", "0.1", "0.2", "'-0.0'::DOUBLE", "'NaN'::DOUBLE"]
                )

    def row(self, table: str) -> str:
        return "(" + ", ".join(self.value(column) for column in TABLES[table]) + ")"

    def rows(self, table: str, count: int) -> str:
        return ", ".join(self.row(table) for _ in range(count))


def bulk(first: int, count: int) -> str:
    """Rows of sales by the thousand, whose values repeat."""
    return (
        f"INSERT INTO sales SELECT CASE WHEN j % 11 > 0 THEN hash(j) % {ITEMS} END, hash(j + 1) % {SHOPS + 2}, "
        "CASE WHEN j % 13 > 0 THEN 'v' || hash(j + 2) % 4 END, CASE WHEN j % 17 > 0 THEN hash(j + 3) % 5 END, "
        "DATE '2024-01-01' + (hash(j + 4) % 40)::INTEGER, TIMESTAMP '2024-01-01' + INTERVAL (j) MINUTE, 1 + hash(j + 5) % 6, "
        "(hash(j + 6) % 900) / 10, (hash(j + 7) % 90000) / 100, j, (hash(j + 8) % 100) / 10, j % 3 = 0 "
        f"FROM range({first}, {first + count}) r(j)"
    )


def create_statements(rows: Rows, sales: int) -> list[str]:
    """The statements that make the tables."""
    made = []
    for name, columns in TABLES.items():
        made.append(f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})")
    shops = ", ".join(f"({h}, {rows.row('shops').partition(', ')[2]}" for h in range(SHOPS))
    made += [f"INSERT INTO shops VALUES {shops}", bulk(0, sales)]
    made += [f"INSERT INTO {name} VALUES {rows.rows(name, count)}" for name, count in (("items", 40), ("visits", 200), ("sales", 80))]
    kinds = ", ".join(f"({k}, {rows.row('kinds').partition(', ')[2]}" for k in range(KINDS))
    return [*made, f"INSERT INTO kinds VALUES {kinds}"]
