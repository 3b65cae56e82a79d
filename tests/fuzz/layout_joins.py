"""Inner joins for the fuzzer of layouts: what a condition on the joined table implies for the rows of the other."""

from __future__ import annotations

import random

from tests.fuzz.data import Rows
from tests.fuzz.queries import Shape

# FROM clauses over `{t} f`, and what WHERE has to say besides; the conditions are on the table `o`.
JOINS = (
    ("{t} f JOIN others o ON f.k = o.k", ""),
    ("{t} f JOIN others o USING (k)", ""),
    ("{t} f, others o", "o.k = f.k AND "),
    ("{t} f JOIN keyed o ON o.id = f.k", ""),
    ("{t} f JOIN numbered o ON o.i = f.k AND o.g = f.g", ""),
    ("keyed m JOIN {t} f ON m.id = f.k JOIN others o ON o.k = m.k", ""),
    ("{t} f JOIN others m ON m.k = f.k JOIN others o ON o.k = f.g", ""),
    ("{t} f JOIN others o ON o.s = f.s AND o.k = f.k LEFT JOIN empty_one e ON e.k = f.k", ""),
    ("{t} f JOIN others o ON f.k = o.k RIGHT JOIN keyed m ON m.id = f.k", ""),  # never: o may be empty
)
# With values of which the first is asked most; the last two are true of NULL.
_CONDITIONS = (
    ("o.g = {v}", ("1", "2", "3")),
    ("o.s LIKE 'v{v}%'", ("1", "2")),
    ("o.k BETWEEN 3 AND {v}", ("9", "30")),
    ("o.b", ("",)),
    ("o.d >= DATE '2024-02-{v}'", ("10", "01")),
    ("o.g IN (1, {v})", ("2", "4")),
    ("o.s IS NULL", ("",)),
    ("(o.s IS NULL OR o.k = {v})", ("1", "5")),
)
_USUAL = 3


def condition(pick: random.Random) -> Shape:
    """A condition on the joined table, with one of few literals."""
    pattern, values = pick.choice(_CONDITIONS)
    weights = [_USUAL, *[1] * (len(values) - 1)]
    return lambda: pattern.format(v=pick.choices(values, weights)[0])


def join(pick: random.Random) -> Shape:
    """FROM and WHERE of an inner join, under one or two conditions on the joined table."""
    clause, besides = pick.choice(JOINS)
    table = pick.choice(["facts", "facts", "facts", "keyed", "empty_one"])
    conditions = [condition(pick) for _ in range(pick.choice([1, 1, 2]))]
    return lambda: f"FROM {clause.format(t=table)} WHERE {besides}{' AND '.join(one() for one in conditions)}"


def change(pick: random.Random, rows: Rows) -> str:
    """A change of one of the joined tables, or a row or two more that are joined to them."""
    return pick.choice(
        [
            *[f"INSERT INTO facts SELECT * FROM facts WHERE k < g LIMIT {pick.randrange(1, 3)}"] * 3,
            *[f"INSERT INTO others VALUES {rows.rows(5)}"] * 3,
            f"INSERT INTO others SELECT * FROM facts WHERE k < {pick.randrange(1, 40)} LIMIT {pick.randrange(1, 60)}",
            f"UPDATE others SET g = {pick.randrange(1, 4)}, s = NULL WHERE k % 3 = {pick.randrange(3)}",
            f"UPDATE others SET b = NOT b, d = d + 20 WHERE k < {pick.randrange(1, 9)}",
            f"DELETE FROM others WHERE k % 4 = {pick.randrange(4)}",
            f"UPDATE keyed SET g = {pick.randrange(1, 4)}, s = 'v1' WHERE id % 3 = {pick.randrange(3)}",
            f"INSERT OR REPLACE INTO keyed VALUES ({pick.randrange(400)}, {rows.row()[1:]}",
            f"MERGE INTO keyed o USING (SELECT {pick.randrange(120)} AS id) f ON o.id = f.id WHEN MATCHED THEN UPDATE SET g = 1",
        ]
    )


def statements(pick: random.Random, table: str, count: int) -> list[str]:
    """So many statements that give bits of a table, or none where it is joined in no such way."""
    return [
        f"SELECT count(*), min(f.d) FROM {clause.format(t=table)} WHERE {besides}{condition(pick)()}"
        for clause, besides in pick.choices(JOINS, k=count)
    ]
