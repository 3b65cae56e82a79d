"""Look-ups by a key: answered from memory by Sartor, by plain DuckDB beside it, and fetched in every way that a result can be."""

from __future__ import annotations

import datetime
import tempfile
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

from sartor.components.point_lookup.apply import held_columns
from sartor.core.derived import DerivedObject
from sartor.core.table import Column, TableName
from sartor.interfaces import results
from sartor.interfaces.connection import session_of
from sartor.interfaces.holding import Holding
from sartor.interfaces.results import KEPT
from tests.fuzz.data import COLUMNS, Rows
from tests.fuzz.pair import Each, Pair, Report, silent
from tests.fuzz.queries import Query

_TABLES = {"facts": "ksd", "others": "kg", "empty_one": "ks", "keyed": "nk"}  # with the keys that each is held by
_KEYS = "kgnsd"
_HELD = tuple(Column(name, kind) for name, kind in COLUMNS.items() if kind != "HUGEINT")
_DEFINED = ", ".join(f"{column.name} {column.type}" for column in _HELD)
_NAMES = ", ".join(column.name for column in _HELD)
_LEAST_SECONDS = ("KEPT_SECONDS", "KEPT_ANALYSED_SECONDS", "KEPT_FRAME_SECONDS", "KEPT_FRAME_ROW_SECONDS")
_SHAPES = 16  # asked in turn, each soon again
_ROWS = 20_000
_FETCHES = ("fetchall", "fetchone", "fetchmany 0", "fetchmany 1", "fetchmany 7", "df", "description", "rowcount", "arrow", "numpy")
_OTHER_WORK = ("relation", "register", "begin", "table", "cursor", "complete", "abort")


class LookUps(Pair):
    """Statements that look rows up, a few that do not, and writes, transactions and definitions between them."""

    _hidden = ("facts", "SELECT * FROM others LIMIT 20")
    _keeps_results = None

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed, "lookups")
        self._rows = Rows(self._random)
        self._open()
        self._shapes: list[tuple[str, str, str, str]] = []
        self._way: list[str] = []
        self._write(f"CREATE TABLE keyed (id INTEGER PRIMARY KEY, {_DEFINED}, h HUGEINT)")
        for name in ("facts", "others", "empty_one"):
            self._write(f"CREATE TABLE {name} ({_DEFINED})")
        self._fill()
        self._write("CREATE VIEW seen AS SELECT * FROM others")
        self._write(f"INSERT INTO others VALUES {self._new_rows(300)}")
        for number in range(60):
            self._write(f"INSERT INTO keyed VALUES ({number}, {self._cells()}, {number})")
        self._hold_all()

    def step(self) -> None:
        """One statement, or one event around statements."""
        pick = self._random.random()
        self.report.statements += 1
        if pick < 0.8:
            for _ in range(4):
                self._select(self._random.randrange(2))
            if self._random.random() < 0.4:
                self._ask_again()
        elif pick < 0.95:
            self._change_by(self._random.randrange(2))
            if self._random.random() < 0.5:
                self._refresh()
        else:
            self._random.choice(
                [
                    self._checkpoint,
                    self._reader_transaction,
                    self._writer_transaction,
                    self._shadow,
                    self._scattered_delete,
                    self._define,
                    self._undo if self._random.random() < 0.3 else self._refresh,
                    self._reopen,
                    self._past_sartor,
                    self._purge,
                ]
            )()

    def _ask_again(self) -> None:
        """The same several times, between writes that may change it or not."""
        query = self._ask() if self._random.random() < 0.3 else self._grouped()
        for _ in range(self._random.choice([2, 3, 5])):
            self._select(self._random.randrange(2), query=query)
        if query.rule == "kept by parameters":
            for value in (1, True, 2, None):
                self._select(0, query=replace(query, parameters=(value,)))
        if self._random.random() < 0.5:
            self._change_by(self._random.randrange(2))
        elif self._random.random() < 0.1:
            self._define()
        for _ in range(2):
            self._select(self._random.randrange(2), query=query)

    def _grouped(self) -> Query:
        """Statements of which a result may be kept, some that differ in their parameters only, and some that depend on more."""
        pick = self._random
        table, number = pick.choice(list(_TABLES)), pick.randrange(9)
        texts = [
            f"SELECT g, count(*), sum(n), max(d), min(s) FROM {table} WHERE k < {number * 10} GROUP BY g ORDER BY g",
            f"SELECT count(*), sum(k), avg(m), max(t) FROM {table}",
            f"WITH others AS (SELECT * FROM {table}) SELECT count(*), sum(k) FROM others",
            f"SELECT k, s FROM {table} WHERE k IN (SELECT k FROM others WHERE g = {number % 5}) ORDER BY ALL LIMIT 9",
            f"SELECT sum(a.k), count(b.k) FROM {table} a LEFT JOIN others b ON a.k = b.k AND b.g = {number % 5} WHERE a.g = 1",
            f"SELECT count(*) FROM {table} UNION ALL SELECT count(*) FROM others",
            "SELECT count(*) FROM seen",
            f"SELECT bool_or(b), current_schema() FROM {table}",
            f"SELECT 7 + {number} AS seven",
        ]
        if pick.random() < 0.2:
            value = pick.choice([1, True, "1", None, 2, 1.0])
            return Query("kept by parameters", f"SELECT ? AS given, count(*), sum(k) FROM {table}", True, parameters=(value,))
        return Query("kept", pick.choice(texts), True)

    # Reads --------------------------------------------------------------------------------------------------------

    def _ask(self) -> Query:
        pick = self._random
        if len(self._shapes) < _SHAPES or pick.random() < 0.03:
            if len(self._shapes) >= _SHAPES:
                self._shapes.pop(pick.randrange(len(self._shapes)))
            self._shapes.append(self._shape())
        table, columns, key, tail = pick.choice(self._shapes)
        start = f"SELECT {columns} FROM {table} t WHERE {key} "
        match tail:
            case "= literal":
                return Query("literal", f"{start}= {self._literal(key)}", True)
            case "IN literals":
                return Query("literals", f"{start}IN ({', '.join(self._literal(key) for _ in range(pick.choice([1, 2, 3])))})", True)
            case "= ?":
                return Query("parameter", f"{start}= ?", True, parameters=(self._value(key),))
            case "IN (?, ?)":
                return Query("parameters", start + tail, True, parameters=(self._value(key), self._value(key)))
            case _:
                return Query("alike", start + tail, True)

    def _shape(self) -> tuple[str, str, str, str]:
        """A table, output columns, a key, and how it is compared."""
        pick = self._random
        tails = ["= literal"] * 3 + ["= ?"] * 3 + ["IN literals"] * 2 + ["IN (?, ?)"] * 2
        tails.append(pick.choice(["IS NULL", "<> 3 LIMIT 4", "= NULL", "= 3 AND g = 1", "NOT IN (1, 2) LIMIT 3", "= 1 + 2"]))
        columns = pick.choice(["*", "s, m", "k", "g AS one, t.*", "t.d, t.t, x", "b, b", "n, s, k AS key", "m", "k, x, d"])
        table = pick.choice(("facts", *_TABLES))
        return table, columns, pick.choice(_TABLES[table] if pick.random() < 0.95 else _KEYS), pick.choice(tails)

    @property
    def _in_transaction(self) -> bool:
        """Whether an error would end a transaction."""
        return any(session_of(connection).transaction is not None for connection in self._connections)

    def _literal(self, key: str) -> str:
        pick = self._random
        if key == "s":
            return pick.choice([f"'v{pick.randrange(30)}'", "''", "'it''s'", "'é'"])
        if key == "d":
            return f"'2024-0{pick.randrange(1, 4)}-{pick.randrange(10, 29)}'"
        usual = [str(pick.randrange(60)) for _ in range(6)]
        return pick.choice([*usual, f"'{pick.randrange(9)}'", "-1", "3.0", str(2**53 + 1), "70000"])

    def _value(self, key: str) -> Any:
        pick = self._random
        if pick.random() < 0.15 and not self._in_transaction:
            return pick.choice([None, True, 3.0, 3.5, "3", 2**40, 2**70, -1, b"a"])
        if key == "s":
            return pick.choice([f"v{pick.randrange(30)}", "", "it's", "é", "a"])
        if key == "d":
            return datetime.date(2024, pick.randrange(1, 4), pick.randrange(1, 29))
        return pick.choice([pick.randrange(60), pick.randrange(400), 2**53 + 1, -(2**62)])

    def _outcome(self, connection: Any, query: Query, *, watch: bool = False) -> Any:
        """Fetch in some way, the same for both connections of a pair."""
        if watch:
            way = self._way
        else:
            way = self._way = [self._random.choice(_FETCHES) for _ in range(self._random.choice([0, 0, 1, 2, 3]))]
            if self._random.random() < 0.1 and not self._in_transaction:
                way.append(self._random.choice(_OTHER_WORK))
        if not way:
            found = super()._outcome(connection, query, watch=watch)
        else:
            found = [(("way", str(way)),)], [self._fetched(connection, query, way, watch)]
        if watch:
            session_of(connection).database.holding.wait()
        return found

    def _fetched(self, connection: Any, query: Query, way: list[str], watch: bool) -> tuple[Any, ...]:
        seen: list[Any] = []
        try:
            connection.execute(query.text, query.parameters or None)
            if watch:
                self._note_use(connection)
            seen += [repr(_step(connection, item)) for item in way]
            seen.append(repr(_step(connection, "fetchall")))
        except duckdb.Error as error:
            seen.append((type(error).__name__, str(error)))
        return tuple(seen)

    def _objects(self) -> list[DerivedObject]:
        return list(session_of(self._connections[0]).database.design.objects.values())

    def _judge(self, query: Query, expected: Any, given: Any, connection: Any) -> None:
        self.report.coverage["fetched otherwise"] += bool(self._way)
        super()._judge(query, expected, given, connection)

    def _plain_differs_too(self, query: Query, expected: Any, given: Any, connection: Any) -> bool:
        """Whether plain DuckDB answers on the same file as Sartor did: an update may leave -0.0 in one file and 0.0 in the other."""
        database = session_of(connection).database
        mode, database.mode = database.mode, "off"
        try:
            return bool(self._outcome(connection, query, watch=True) == given)
        finally:
            database.mode = mode

    def _note_served(self, pending: Any) -> None:
        if KEPT in pending.alternative:
            self.report.coverage["kept"] += 1
            return
        self.report.coverage["looked up"] += 1
        parts = max(len(derived.content.parts) for derived in self._objects() if derived.identifier in pending.alternative)
        self.report.coverage["looked up in several parts"] += parts > 1

    # Writes -------------------------------------------------------------------------------------------------------

    def _cells(self) -> str:
        return ", ".join(self._rows.value(column.name) for column in _HELD)

    def _new_rows(self, count: int) -> str:
        return ", ".join(f"({self._cells()})" for _ in range(count))

    def _fill(self) -> None:
        self._write(
            "INSERT INTO facts SELECT hash(i) % 400, hash(i + 1) % 5, hash(i) % 5000, DATE '2024-01-01' + (hash(i + 2) % 90)::INTEGER,"
            " TIMESTAMP '2024-01-01' + INTERVAL (i) SECOND, 'v' || (hash(i + 3) % 3000), (hash(i + 4) % 1000) / 10, "
            f"CASE i % 9 WHEN 0 THEN 'NaN'::DOUBLE WHEN 1 THEN NULL ELSE i / 7 END, i % 3 = 0 FROM range({_ROWS}) r(i)"
        )

    def _change_by(self, which: int) -> None:
        pick = self._random
        if which in self._temporary:
            return
        table = pick.choice(["facts", "facts", "others", "empty_one"])
        makers: list[Callable[[], str]] = [
            *[lambda: f"INSERT INTO {table} ({_NAMES}) VALUES {self._new_rows(pick.randrange(1, 9))}"] * 6,
            lambda: f"UPDATE {table} SET g = {pick.randrange(5)} WHERE k = {pick.randrange(60)}",
            lambda: f"UPDATE {table} SET s = 'v{pick.randrange(9)}' WHERE n = {pick.randrange(60)}",
            lambda: f"DELETE FROM {table} WHERE k = {pick.randrange(100)}",
            lambda: f"INSERT OR REPLACE INTO keyed VALUES ({pick.randrange(120)}, {self._cells()}, 5)",
            lambda: f"BEGIN; INSERT INTO {table} ({_NAMES}) VALUES {self._new_rows(1)}; COMMIT",
            lambda: f"INSERT INTO {table} ({_NAMES}) SELECT {_NAMES} FROM others LIMIT 1500",
            lambda: "TRUNCATE empty_one",
        ]
        text = pick.choice(makers)()
        self.report.coverage[f"write: {text.split()[0]}"] += 1
        self._write(text, which)

    def _scattered_delete(self) -> None:
        self._write("DELETE FROM facts WHERE n % 3 <> 0")
        self._refresh()
        self._write("CHECKPOINT")
        self._write(f"INSERT INTO facts VALUES {self._new_rows(7)}")
        self.report.coverage["checkpoint after a scattered delete"] += 1
        for _ in range(6):
            self._select(0)
        self._fill()

    def _define(self) -> None:
        self._random.choice(
            [
                lambda: self._write(f"CREATE OR REPLACE VIEW seen AS SELECT * FROM {self._random.choice(list(_TABLES))}"),
                lambda: self._write("CREATE OR REPLACE TABLE empty_one AS SELECT * FROM others LIMIT 9"),
                lambda: self._write("ALTER TABLE others ADD COLUMN IF NOT EXISTS extra INTEGER DEFAULT 3"),
                lambda: self._write("ALTER TABLE others DROP COLUMN IF EXISTS extra"),
                lambda: [self._write(text) for text in ("ALTER TABLE others RENAME TO away", "ALTER TABLE away RENAME TO others")],
            ]
        )()
        self.report.coverage["definition"] += 1

    # Events -------------------------------------------------------------------------------------------------------

    def _hold_all(self) -> None:
        for name, keys in _TABLES.items():
            for key in keys:
                self._hold(name, key)

    def _hold(self, name: str, key: str) -> None:
        """Hold columns of a table by one of its keys; sometimes one of them alone."""
        database = session_of(self._connections[0]).database
        source = TableName(database.engine().database, "main", name)
        columns = _HELD if self._random.random() < 0.8 else tuple(one for one in _HELD if one.name in (key, "m"))
        database.install(held_columns(source, key, columns))
        self.report.coverage["held"] += 1

    def _undo(self) -> None:
        self._connections[0].undo()
        self._hold_all()
        self.report.coverage["undo"] += 1

    def _purge(self) -> None:
        self._connections[0].purge()
        for _ in range(3):
            self._select(0)
        self.report.coverage["purge"] += 1

    def _shadow(self) -> None:
        """What was looked up, and what was kept, of a table that a temporary one hides then."""
        asked = [Query("shadowed", "SELECT * FROM facts t WHERE k = ?", True, parameters=(self._random.randrange(30),))]
        asked.append(Query("shadowed", "SELECT count(*), sum(k) FROM facts", True))
        for query in asked * 3:
            self._select(1, query=query)
        self._connections[1].execute(self._hiding)
        self._temporary.add(1)
        self.report.coverage["shadowed name"] += 1
        for query in asked:
            self._select(1, query=query)
        self._shadow_off(1)

    def _past_sartor(self) -> None:
        key = self._random.randrange(30)
        query = Query("past Sartor", "SELECT * FROM facts t WHERE k = ?", True, parameters=(key,))
        for _ in range(3):
            self._select(1, query=query)
        text = f"UPDATE facts SET g = g + 1 WHERE k = {key}"
        self._write_past(text)
        self._select(1, query=query)
        self._reopen()

    def _reopen(self) -> None:
        self._open_again(f"UPDATE facts SET b = TRUE WHERE k = {self._random.randrange(50)}")
        for _ in range(3):
            self._select(0)


def _step(connection: Any, item: str) -> Any:
    """One thing done with a connection whose last statement was a SELECT, as something that can be compared."""
    name, _, count = item.partition(" ")
    try:
        match name:
            case "fetchmany":
                return connection.fetchmany(int(count))
            case "df":
                return _repeatable(connection.df())
            case "description":
                return [(column[0], str(column[1])) for column in connection.description]
            case "rowcount":
                return connection.rowcount
            case "arrow":
                with warnings.catch_warnings(action="ignore"):  # that con.sql would spare a copy
                    found = connection.to_arrow_table()
                return None if found is None else (str(found.schema), repr(found.to_pylist()))
            case "numpy":
                columns = connection.fetchnumpy()
                return None if columns is None else {key: repr(list(value)) for key, value in columns.items()}
            case "relation":
                return connection.sql("SELECT 1").fetchall()
            case "register":
                return connection.register("a_frame", {"a": [1]}) is connection
            case "table":
                return len(connection.table("others").columns)
            case "cursor":
                return connection.cursor().execute("SELECT 7").fetchall()
            case "begin":
                connection.begin()
                connection.rollback()
                return connection.description
            case _:
                return repr(getattr(connection, name)())
    except (duckdb.Error, TypeError) as error:
        return type(error).__name__, str(error).partition("\n")[0]


def _repeatable(frame: Any) -> Any:
    return None if frame is None else (list(map(str, frame.dtypes)), repr(frame.to_dict("list")))


def _at_once(self: Any, derived: Any, how: Any) -> float:
    return 0.0


def fuzz_look_ups(seed: int, statements: int, *, stop_at_wrong: bool = False, each: Each = silent) -> Report:
    """Run that many steps in a folder of its own; what is missing in memory is read at the first look-up that misses it."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as patched:
        patched.enter_context(mock.patch.object(Holding, "_cost", _at_once))
        for name in _LEAST_SECONDS:
            patched.enter_context(mock.patch.object(results, name, replace(getattr(results, name), default=0.0)))
        run = LookUps(Path(folder), seed)
        return run.play(statements, each, stop_at_wrong=stop_at_wrong)
