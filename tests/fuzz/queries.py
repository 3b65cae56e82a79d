"""SELECTs from a grammar. Each shape is drawn once and then asked many times with other literals, as dashboards do."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Shape = Callable[[], str]
_SHAPES = 24  # shapes asked in turn: few, so that each is soon asked again
_READINGS = 4
_TOTALS = 6  # of them with an order that an undeclared key makes total


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT of a certain shape.

    Attributes:
        ordered: plain's own order is asked for; else rows are compared as a multiset.
        floats: sums of floating-point numbers go to the output, which may differ in the last bits.
        parameters: values of its `?`.
        loose: plain DuckDB itself may answer it otherwise on a file that was written otherwise.
    """

    rule: str
    text: str
    ordered: bool
    floats: bool = False
    parameters: tuple[Any, ...] = ()
    loose: bool = False


class Grammar:
    """Draws statements over the fuzzer's tables, the same for a seed."""

    def __init__(self, random_: random.Random, scans: tuple[str, ...]) -> None:
        self._random = random_
        self._scans = scans
        self._shapes: list[Callable[[], Query]] = []
        self._totals = [self._numbered() for _ in range(_TOTALS)]
        self._readings = [self._of_files() for _ in range(_READINGS)]

    def query(self) -> Query:
        """A statement: mostly of a shape that was drawn before, with other literals."""
        if len(self._shapes) < _SHAPES or self._random.random() < 0.03:
            if len(self._shapes) >= _SHAPES:
                self._shapes.pop(self._random.randrange(len(self._shapes)))
            self._shapes.append(self._shape())
        return self._random.choice(self._shapes)()

    def numbered(self) -> Query:
        """A statement whose order is total as long as an undeclared key is one."""
        return self._random.choice(self._totals)()

    def of_files(self) -> Query:
        """A statement over files, always of the same few shapes."""
        return self._random.choice(self._readings)()

    def _shape(self) -> Callable[[], Query]:
        pick = self._random
        makers = [
            self._selection,
            self._selection,
            self._ungrouped,
            self._grouped,
            self._grouped,
            self._top,
            self._join,
            self._cte,
            self._union,
            self._distinct,
            self._set_test,
            self._numbered,
            self._shown,
            self._of_files,
        ]
        return pick.choice(makers)()

    # Literals -----------------------------------------------------------------------------------------------------

    def _literal(self, column: str) -> str:
        pick = self._random
        match column:
            case "k":
                return str(int(pick.paretovariate(0.6)) % 400)
            case "g":
                return str(pick.randrange(5))
            case "n":
                return str(pick.randrange(1000))
            case "d":
                return f"DATE '2024-{pick.randrange(1, 4):02d}-{pick.randrange(1, 29):02d}'"
            case "t":
                return f"TIMESTAMP '2024-01-{pick.randrange(1, 29):02d} 00:00:00'"
            case "s":
                return f"'v{pick.randrange(30)}'"
            case "m":
                return f"{pick.randrange(-100, 100)}.5"
            case "x":
                return f"{pick.randrange(12)}.5"
            case "b":
                return pick.choice(["TRUE", "FALSE"])
            case _:
                return str(pick.randrange(99))

    def _condition(self, prefix: str = "", columns: str = "kgdts") -> Shape:
        pick = self._random
        column = pick.choice(columns)
        name = f"{prefix}{column}"
        kind = pick.choice(["=", "<", ">=", "between", "in", "null", "like" if column == "s" else "="])
        match kind:
            case "between":
                return lambda: f"{name} BETWEEN {self._literal(column)} AND {self._literal(column)}"
            case "in":
                return lambda: f"{name} IN ({', '.join(self._literal(column) for _ in range(3))})"
            case "null":
                word = pick.choice(["IS NULL", "IS NOT NULL"])
                return lambda: f"{name} {word}"
            case "like":
                return lambda: f"{name} LIKE 'v{pick.randrange(9)}%'"
            case _:
                return lambda: f"{name} {kind} {self._literal(column)}"

    def _where(self, prefix: str = "") -> Shape:
        conditions = [self._condition(prefix) for _ in range(self._random.choice([1, 1, 2, 3]))]
        word = self._random.choice([" AND ", " AND ", " OR "])
        return lambda: "WHERE " + word.join(condition() for condition in conditions)

    def _table(self) -> str:
        return self._random.choice(["facts", "facts", "facts", "others", "empty_one", "keyed"])

    # Shapes -------------------------------------------------------------------------------------------------------

    def _selection(self) -> Callable[[], Query]:
        pick = self._random
        table, where = self._table(), self._where()
        columns = pick.choice(["*", "k, s, m", "n + 1 AS n1, upper(s), d", "k, x, b, h, t", "* EXCLUDE (x)", "t.k, t.*"])
        alias = " AS t" if "t." in columns else ""
        tail = pick.choice(["", "", " LIMIT 7", " LIMIT 5 OFFSET 3", " ORDER BY d, k", " ORDER BY g DESC LIMIT 9", " ORDER BY ALL"])
        if "ALL" in tail and columns == "t.k, t.*":
            tail = ""
        return lambda: Query("selection", f"SELECT {columns} FROM {table}{alias} {where()}{tail}", True)

    def _aggregate(self) -> tuple[str, bool]:
        return self._random.choice(
            [
                ("count(*)", False),
                ("count(s)", False),
                ("sum(k)", False),
                ("sum(m)", False),
                ("avg(k)", False),
                ("min(d), max(t)", False),
                ("count(DISTINCT g)", False),
                ("sum(k) FILTER (WHERE b)", False),
                ("sum(CASE WHEN s LIKE 'a%' THEN k ELSE 0 END), avg(CASE g WHEN 1 THEN m END)", False),
                ("min(s), max(s)", False),
                ("sum(x)", True),
                ("avg(x)", True),
                ("bool_and(b), bool_or(b)", False),
            ]
        )

    def _ungrouped(self) -> Callable[[], Query]:
        table, where = self._table(), self._where()
        aggregate, floats = self._aggregate()
        return lambda: Query("ungrouped", f"SELECT {aggregate} FROM {table} {where()}", True, floats)

    def _grouped(self) -> Callable[[], Query]:
        pick = self._random
        table, where, key = self._table(), self._where(), pick.choice(["g", "s", "d", "g, b", "k", "month(d)"])
        aggregate, floats = self._aggregate()
        tail = pick.choice(["", f" ORDER BY {key}", f" HAVING count(*) > {pick.randrange(3)}", " HAVING sum(m) > 10"])
        return lambda: Query(
            "grouped", f"SELECT {key}, {aggregate} FROM {table} {where()} GROUP BY {key}{tail}", "ORDER" in tail, floats
        )

    def _top(self) -> Callable[[], Query]:
        pick = self._random
        table, where, key = self._table(), self._where(), pick.choice(["g", "s", "k", "d, g"])
        order = pick.choice(["count(*) DESC", "sum(m)", "max(d)"])
        return lambda: Query(
            "top", f"SELECT {key}, {order.split()[0]} AS v FROM {table} {where()} GROUP BY {key} ORDER BY {order} LIMIT 4", True
        )

    def _join(self) -> Callable[[], Query]:
        pick = self._random
        where = self._where("f.")
        kind = pick.choice(["JOIN", "LEFT JOIN", "JOIN"])
        other = pick.choice(["others", "keyed"])
        return lambda: Query(
            "join",
            f"SELECT f.g, count(*), sum(o.m) FROM facts f {kind} {other} o ON f.k = o.k {where()} GROUP BY f.g ORDER BY f.g",
            True,
        )

    def _cte(self) -> Callable[[], Query]:
        table, where, condition = self._table(), self._where(), self._condition()
        return lambda: Query(
            "cte",
            f"WITH c AS (SELECT k, g, d, s, t FROM {table} {where()}) SELECT g, count(*) FROM c WHERE {condition()} "
            "GROUP BY g ORDER BY g",
            True,
        )

    def _union(self) -> Callable[[], Query]:
        one, other = self._where(), self._where()
        return lambda: Query("union", f"SELECT k, s FROM facts {one()} UNION ALL SELECT k, s FROM others {other()}", True)

    def _distinct(self) -> Callable[[], Query]:
        table, where = self._table(), self._where()
        tail = self._random.choice(["", " ORDER BY g, s", " LIMIT 3"])
        return lambda: Query("distinct", f"SELECT DISTINCT g, s FROM {table} {where()}{tail}", bool(tail))

    def _numbered(self) -> Callable[[], Query]:
        """Orders that are total as long as a column that nobody declared a key is one."""
        where = self._where()
        tail = self._random.choice(["k, i", "i DESC LIMIT 7", "d, i LIMIT 5 OFFSET 2", "g, i DESC LIMIT 20", "i LIMIT 50"])
        return lambda: Query("numbered", f"SELECT i, k, d, s, n FROM numbered {where()} ORDER BY {tail}", True)

    def _shown(self) -> Callable[[], Query]:
        """Rows that ORDER BY does not tell apart show the same, but where a column is left out of it."""
        pick = self._random
        shown = pick.choice([["k", "s", "m"], ["d", "g"], ["t", "g", "b"], ["g", "x"]])
        keys = [f"{name}{pick.choice(['', ' DESC', ' NULLS FIRST'])}" for name in pick.sample(shown, len(shown))]
        table, where = self._table(), self._where()
        keys = keys[1:] if len(keys) > 1 and pick.random() < 0.4 else keys
        tail = f"ORDER BY {', '.join(keys)} LIMIT {pick.choice([3, 20])} OFFSET {pick.choice([0, 2])}"
        return lambda: Query("shown", f"SELECT {', '.join(shown)} FROM {table} {where()} {tail}", True)

    def _of_files(self) -> Callable[[], Query]:
        """Reads of local files: their rows in order, groups of them, and a join with a table."""
        scan, where = self._random.choice(self._scans), self._where("f.")
        text = self._random.choice(
            [
                f"SELECT * FROM {scan} f {{}}",
                f"SELECT s, n FROM {scan} AS f {{}} LIMIT 6",
                f"SELECT g, count(*), max(d) FROM {scan} f {{}} GROUP BY g ORDER BY g",
                f"SELECT count(*), sum(f.k), min(o.s) FROM {scan} f JOIN others o ON f.k = o.k {{}}",
            ]
        )
        return lambda: Query("files", text.format(where()), True)

    def _set_test(self) -> Callable[[], Query]:
        where, condition = self._where("f."), self._condition()
        word = self._random.choice(["IN", "NOT IN"])
        return lambda: Query(
            "set test",
            f"SELECT count(*), min(f.d) FROM facts f {where()} AND f.k {word} (SELECT k FROM others WHERE {condition()})",
            True,
        )
