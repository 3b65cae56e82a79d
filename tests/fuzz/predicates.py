"""Conditions that are asked again: run with remembered row ids by Sartor, by plain DuckDB beside it, between writes of every kind."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sartor.freshness.usable import Use, use
from sartor.interfaces.connection import session_of
from tests.fuzz.pair import Each, Pair, Report, silent
from tests.fuzz.queries import Query
from tests.predicate_cache.support import everything_is_remembered

_ASKED = 10  # statements that come again and again
_ROWS = 60_000
_CLUSTER = 1_500  # rows that lie together and look alike
_CLUSTERS = _ROWS // _CLUSTER
_COLUMNS = "i BIGINT, c INTEGER, g INTEGER, s VARCHAR, d DATE, m DECIMAL(9,2), x DOUBLE"
_NAMES = "i, c, g, s, d, m, x"
_FACTS = (
    f"SELECT i, (i // {_CLUSTER})::INTEGER AS c, (hash(i) % 20)::INTEGER AS g, 'c' || (i // {_CLUSTER}) || 'z' AS s, "
    f"DATE '2024-01-01' + (i // 900)::INTEGER AS d, (i % 999) / 7 AS m, i / 3 AS x FROM range({{}}, {{}}) r(i)"
)


class Conditions(Pair):
    """Statements with conditions that most rows fail, and what may change which rows pass."""

    _hidden = ("facts", "SELECT * FROM facts WHERE c = 3 LIMIT 20")
    _remembers = True

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, "predicates")
        self._open()
        self._write(f"CREATE TABLE facts ({_COLUMNS})")
        self._write(f"CREATE TABLE small ({_COLUMNS})")
        self._write("CREATE TABLE dims (c INTEGER, g INTEGER, name VARCHAR)")
        self._write(f"CREATE TABLE keyed (id INTEGER PRIMARY KEY, {_COLUMNS})")
        self._next = _ROWS
        self._write(f"INSERT INTO facts {_FACTS.format(0, _ROWS)}")
        self._write(f"INSERT INTO small {_FACTS.format(0, 9_000)}")
        self._write(f"INSERT INTO keyed {_FACTS.format(0, 20_000).replace('SELECT i,', 'SELECT i::INTEGER, i,')}")
        self._write(f"INSERT INTO dims SELECT i, i % 6, 'n' || i FROM range({_CLUSTERS}) r(i)")
        self._write("CREATE VIEW seen AS SELECT * FROM facts WHERE g < 15")
        self._asked: list[Query] = []

    def step(self) -> None:
        """One statement asked a few times, or one event around statements."""
        pick = self._random.random()
        self.report.statements += 1
        if pick < 0.75:
            query = self._ask()
            for _ in range(self._random.choice([1, 2, 3])):
                self._select(self._random.randrange(2), query=query)
        elif pick < 0.93:
            self._change_by(self._random.randrange(2))
        else:
            self._random.choice(
                [
                    self._checkpoint,
                    self._reader_transaction,
                    self._writer_transaction,
                    self._shadow,
                    self._scattered_delete,
                    self._scattered_delete,
                    self._define,
                    self._define,
                    self._alike,
                    self._alike,
                    self._others_grow,
                    self._others_grow,
                    self._refresh,
                    self._forget,
                    self._reopen,
                    self._past_sartor,
                ]
            )()

    # Reads --------------------------------------------------------------------------------------------------------

    def _ask(self) -> Query:
        """A statement that was asked before, or sometimes another one."""
        pick = self._random
        if len(self._asked) < _ASKED or pick.random() < 0.1:
            if len(self._asked) >= _ASKED:
                self._asked.pop(pick.randrange(len(self._asked)))
            self._asked.append(pick.choice([self._single] * 3 + [self._joined] * 3 + [self._nested] * 2 + [self._valued])())
        inside = any(session_of(connection).transaction is not None for connection in self._connections)
        return pick.choice([query for query in self._asked if not (inside and query.rule == "valued")])  # an error would end it

    def _condition(self, prefix: str = "") -> str:
        pick = self._random
        cluster, g = pick.randrange(_CLUSTERS), pick.randrange(20)
        return pick.choice(
            [
                f"{prefix}s LIKE '%{cluster}z'",
                f"contains({prefix}s, 'c{cluster}z')",
                f"{prefix}c = {cluster} AND {prefix}g < {g}",
                f"{prefix}c IN ({cluster}, {pick.randrange(_CLUSTERS)}, 77)",
                f"{prefix}d BETWEEN DATE '2024-01-05' AND DATE '2024-01-{pick.randrange(10, 29)}' AND {prefix}g = {g}",
                f"length({prefix}s) = 3",
                f"{prefix}s IS NULL",
                f"({prefix}c = {cluster} OR {prefix}i < {pick.randrange(3000)}) AND {prefix}m > 3",
                f"{prefix}s = 'none'",
                f"year({prefix}d) = 2024 AND {prefix}g = {g} AND {prefix}c < {cluster}",
            ]
        )

    def _single(self) -> Query:
        pick = self._random
        table, where = pick.choice(["facts", "facts", "facts", "small", "keyed", "seen"]), self._condition()
        if pick.random() < 0.3:
            table, where = f"{table} AS t", self._condition("t.")
        text, floats = pick.choice(
            [
                ("SELECT count(*), sum(m), min(i), max(s) FROM {} WHERE {}", False),
                ("SELECT sum(x), avg(x) FROM {} WHERE {}", True),
                ("SELECT * FROM {} WHERE {} LIMIT 40", False),
                ("SELECT i, s FROM {} WHERE {} LIMIT 7 OFFSET 3", False),
                ("SELECT i, g + 1 AS h, upper(s) FROM {} WHERE {}", False),
                ("SELECT g, count(*), min(d) FROM {} WHERE {} GROUP BY g ORDER BY g", False),
                ("SELECT DISTINCT c, g FROM {} WHERE {} ORDER BY c, g", False),
                ("SELECT g, count(*) AS n FROM {} WHERE {} GROUP BY g ORDER BY n DESC LIMIT 3", False),
                ("SELECT i FROM {} WHERE {} ORDER BY g LIMIT 5", False),
            ]
        )
        return Query("single", text.format(table, where), True, floats)

    def _joined(self) -> Query:
        pick = self._random
        g, where = pick.randrange(6), self._condition("f.")
        text = pick.choice(
            [
                f"SELECT count(*), sum(f.i) FROM facts f JOIN dims d ON d.c = f.c WHERE d.g = {g}",
                f"SELECT count(*), sum(f.i) FROM facts f JOIN dims d ON d.c = f.c AND d.g = {g} WHERE {where}",
                f"SELECT count(*), max(d.name) FROM facts f, dims d WHERE d.c = f.c AND d.name LIKE 'n{g}%'",
                f"SELECT count(*), min(i) FROM facts JOIN dims USING (c) WHERE dims.g = {g} AND name <> 'n3'",
                f"SELECT count(*), count(d.c), sum(f.i) FROM facts f LEFT JOIN dims d ON d.c = f.c AND d.g = {g} WHERE {where}",
                f"SELECT count(*), sum(d.c) FROM dims d LEFT JOIN facts f ON d.c = f.c AND f.i % 5000 = {g} WHERE f.i IS NULL",
                f"SELECT count(*) FROM dims d LEFT JOIN small f ON d.c = f.c AND f.i % 3000 = {g} WHERE f.g IS NULL OR d.g = {g}",
                f"SELECT count(*), sum(a.i) FROM facts a JOIN facts b ON a.c = b.c AND a.i < b.i AND b.i >= {_ROWS} AND b.g = {g}",
                f"SELECT d.name, count(*) FROM facts f JOIN dims d ON d.c = f.c WHERE d.g = {g} GROUP BY d.name ORDER BY d.name",
                f"SELECT count(*) FROM facts f RIGHT JOIN dims d ON d.c = f.c AND {where}",
            ]
        )
        return Query("joined", text, True)

    def _nested(self) -> Query:
        pick = self._random
        g, other_g, where, other = pick.randrange(6), pick.randrange(6), self._condition(), self._condition()
        text = pick.choice(
            [
                f"SELECT count(*), sum(i) FROM facts WHERE c IN (SELECT c FROM dims WHERE g = {g})",
                f"SELECT count(*), sum(i) FROM facts WHERE c NOT IN (SELECT c FROM dims WHERE g <> {g})",
                f"SELECT count(*) FROM facts f WHERE EXISTS (SELECT 1 FROM dims d WHERE d.c = f.c AND d.g = {g})",
                f"SELECT count(*) FROM small WHERE c = (SELECT max(c) FROM dims WHERE g = {g} AND c < 6)",
                f"SELECT count(*) FROM facts WHERE c = 3 AND i >= (SELECT avg(i) FROM facts WHERE {where})",
                f"WITH q AS (SELECT i, g, c FROM facts WHERE {where}) SELECT g, count(*) FROM q WHERE c < 30 GROUP BY g ORDER BY g",
                *[
                    f"WITH dims AS (SELECT DISTINCT c + {other_g} AS c, {g} AS g FROM small WHERE i < 3000) "
                    f"SELECT count(*), sum(i) FROM facts WHERE c IN (SELECT c FROM dims WHERE g = {g})"
                ]
                * 3,
                f"SELECT count(*) FROM facts WHERE {where} UNION ALL SELECT count(*) FROM facts WHERE {other}",
                f"SELECT max(n) FROM (SELECT g, count(*) AS n FROM facts WHERE {where} GROUP BY g) q",
                f"SELECT i FROM facts WHERE {where} UNION ALL SELECT i FROM small WHERE {other}",
            ]
        )
        return Query("nested", text, True)

    def _valued(self) -> Query:
        """The values are drawn from few, some equal and of different types."""
        pick = self._random
        number = pick.randrange(3)
        value = pick.choice([number, number, float(number), str(number), True, None, number + 2**40])
        text, values = pick.choice(
            [
                ("SELECT count(*), sum(i) FROM facts WHERE c = ?", (value,)),
                ("SELECT ? AS given, count(*) FROM facts WHERE c = ? AND g < 9", (5, value)),
                ("SELECT count(*), sum(i) FROM facts WHERE s = ? OR s = ?", (f"c{number}z", value)),
                ("SELECT count(*) FROM facts WHERE g = $2 AND c = $1", (value, number)),
                ("SELECT count(*), min(i) FROM facts WHERE d < ?", (datetime.date(2024, 1, 1 + number),)),
            ]
        )
        return Query("valued", text, True, parameters=values)

    def _alike(self) -> None:
        """Values that look alike and are not."""
        number = self._random.randrange(9)
        for value in self._random.sample([number, str(number), number, str(number)], 4):
            query = Query("alike", "SELECT count(*), sum(i) FROM facts WHERE concat('0', c) = ?", True, parameters=(value,))
            for _ in range(2):
                self._select(0, query=query)
        self.report.coverage["values alike"] += 1

    def _others_grow(self) -> None:
        """Rows that failed a condition pass it, for another table of it has more rows."""
        if 0 in self._temporary:
            return
        queries = [query for query in self._asked if "dims" in query.text][:4]
        for query in queries * 2:
            self._select(0, query=query)
        clusters = ", ".join(map(str, self._random.sample(range(_CLUSTERS), 6)))
        self._write(f"INSERT INTO dims SELECT c, g, 'new' FROM range({_CLUSTERS}) r(c), range(6) s(g) WHERE c IN ({clusters})")
        for query in queries:
            self._select(0, query=query)
        self._write(f"DELETE FROM dims WHERE c IN ({clusters})")
        self.report.coverage["others grow"] += 1

    def _outcome(self, connection: Any, query: Query, *, watch: bool = False) -> Any:
        found = super()._outcome(connection, query, watch=watch)
        if watch:
            session_of(connection).database.predicates.wait()
        return found

    def _note_served(self, pending: Any) -> None:
        coverage, ranged = self.report.coverage, pending.ranged
        coverage["several restrictions"] += len(ranged.entries) > 1
        coverage["rows may move"] += bool(ranged.iterations)
        coverage["values"] += bool(pending.parameters)
        for _, entry in ranged.entries:
            derived = entry.derived
            appended = use(derived, session_of(self._connections[0]).database.registry.state) is Use.RESIDUAL
            coverage["rows appended since" if appended else "all rows covered"] += 1
            coverage["of a join or a set"] += bool(derived.others)
            coverage["no row let through"] += not derived.content
            coverage["several ranges"] += len(derived.content) > 1

    # Writes -------------------------------------------------------------------------------------------------------

    def _change_by(self, which: int) -> None:
        pick = self._random
        if which in self._temporary:
            return
        table, cluster, other = pick.choice(["facts", "facts", "facts", "small"]), pick.randrange(_CLUSTERS), pick.randrange(_CLUSTERS)
        makers: list[Callable[[], str]] = [
            *[lambda: f"INSERT INTO {table} ({_NAMES}) {self._appended(pick.randrange(1, 9), cluster)}"] * 5,
            lambda: f"INSERT INTO {table} ({_NAMES}) {self._appended(5000, cluster)}",
            lambda: f"UPDATE {table} SET s = 'c{cluster}z', c = {cluster} WHERE c = {other} AND g < 4",
            lambda: f"UPDATE {table} SET s = NULL WHERE i % 5000 = {cluster}",
            lambda: f"UPDATE {table} SET g = g + 1 WHERE c = {other} AND g < 3",
            lambda: f"DELETE FROM {table} WHERE c = {cluster} AND g = {pick.randrange(20)}",
            *[lambda: f"INSERT INTO dims VALUES ({cluster}, {pick.randrange(6)}, 'new')"] * 3,
            lambda: f"UPDATE dims SET g = {pick.randrange(6)} WHERE c = {cluster}",
            lambda: f"DELETE FROM dims WHERE c = {cluster} AND g = {pick.randrange(6)}",
            lambda: f"INSERT OR REPLACE INTO keyed SELECT {pick.randrange(20_000)}, * FROM facts WHERE c = {cluster} LIMIT 1",
            lambda: f"BEGIN; UPDATE {table} SET s = 'c{cluster}z' WHERE c = {other} AND g = 2; DELETE FROM dims WHERE c = 3; COMMIT",
            lambda: f"MERGE INTO small o USING (SELECT {other} AS c) f ON o.c = f.c WHEN MATCHED THEN UPDATE SET s = 'c{cluster}z'",
        ]
        text = pick.choice(makers)()
        self.report.coverage[f"write: {text.split()[0]}"] += 1
        self._write(text, which)

    def _appended(self, count: int, cluster: int) -> str:
        """New rows that look as those of a cluster do."""
        first, self._next = self._next, self._next + count
        return _FACTS.format(first, self._next).replace(f"i // {_CLUSTER}", str(cluster)).replace("(i // 900)", str(cluster))

    def _scattered_delete(self) -> None:
        """Rows move at the checkpoint, after they were remembered; new ones get lower row ids than there were."""
        queries = [query for query in self._asked if "facts" in query.text][:5]
        self._write(f"DELETE FROM facts WHERE i % {self._random.choice([3, 10])} <> 0 AND i < {self._next // 2}")
        for query in queries * 2:
            self._select(0, query=query)
        self._write("CHECKPOINT")
        for query in queries:
            self._select(1 if 1 not in self._temporary else 0, query=query)
        self._write(f"INSERT INTO facts {self._appended(7, 3)}")
        for query in queries * 2:
            self._select(0, query=query)
        self.report.coverage["checkpoint after a scattered delete"] += 1
        if self._random.random() < 0.5:
            self._write(f"CREATE OR REPLACE TABLE facts AS {_FACTS.format(0, _ROWS)}")
        else:
            self._write(f"INSERT INTO facts {_FACTS.format(self._next, self._next + 20_000)}")
        self._next += 20_000

    def _define(self) -> None:
        self._random.choice(
            [
                lambda: self._write(f"CREATE OR REPLACE VIEW seen AS SELECT * FROM facts WHERE g < {self._random.randrange(20)}"),
                lambda: self._write(f"CREATE OR REPLACE TABLE small AS {_FACTS.format(0, 5_000)}"),
                lambda: self._write("ALTER TABLE small ADD COLUMN IF NOT EXISTS extra INTEGER DEFAULT 3"),
                lambda: self._write("ALTER TABLE small DROP COLUMN IF EXISTS extra"),
                lambda: [
                    self._write(text)
                    for text in (
                        "ALTER TABLE small RENAME TO away",
                        "CREATE TABLE small AS SELECT * FROM facts WHERE c > 30",
                        "DROP TABLE away",
                    )
                ],
                lambda: self._write("CREATE OR REPLACE TEMP TABLE unrelated AS SELECT 1 AS a"),
            ]
        )()
        self.report.coverage["definition"] += 1
        for _ in range(4):
            self._select(0)

    # Events -------------------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self._random.choice([self._connections[0].undo, self._connections[0].purge])()
        self.report.coverage["forgotten"] += 1

    def _past_sartor(self) -> None:
        query = Query("past Sartor", "SELECT count(*), sum(i) FROM facts WHERE contains(s, 'c7z')", True)
        for _ in range(3):
            self._select(1, query=query)
        text = f"UPDATE facts SET s = 'c7z' WHERE c = {self._random.randrange(_CLUSTERS)} AND g < 10"
        self._write_past(text)
        self._select(1, query=query)
        self._reopen()

    def _reopen(self) -> None:
        self._open_again(f"UPDATE facts SET s = 'c9z' WHERE c = {self._random.randrange(_CLUSTERS)} AND g < 10")
        for _ in range(3):
            self._select(0)


def fuzz_conditions(seed: int, statements: int, *, stop_at_wrong: bool = False, each: Each = silent) -> Report:
    """Run that many steps in a folder of its own; whatever can be remembered is, before the next statement."""
    with tempfile.TemporaryDirectory() as folder, everything_is_remembered():
        run = Conditions(Path(folder), seed)
        return run.play(statements, each, stop_at_wrong=stop_at_wrong)
