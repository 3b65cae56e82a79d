"""One run: a stream of random statements on two Sartor connections, with plain DuckDB beside them as the reference."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

from sartor.components.sort_keys import serve
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.analysis import Reference
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.freshness.facts import is_fact
from sartor.freshness.usable import Use
from sartor.interfaces import known
from sartor.interfaces.connection import session_of
from sartor.interfaces.habit import Habit
from sartor.sql.scans import file_scans
from tests.fuzz.data import COLUMNS, FIRST, TABLES, Files, Rows, create_statements
from tests.fuzz.pair import Each, Pair, Report, silent
from tests.fuzz.queries import Grammar, Query


class Run(Pair):
    """Statements over single tables, files and verified keys, served from copies."""

    _hidden = ("facts", "SELECT * FROM others LIMIT 20")
    _widest = "HUGEINT"  # the type of h

    def __init__(self, folder: Path, seed: int, bulk: int) -> None:
        super().__init__(folder, seed, "fuzz")
        self._rows = Rows(self._random, self._widest)
        self._files = Files(folder, self._rows)
        self._grammar = Grammar(self._random, self._files.scans)
        self._open()
        for text in create_statements(self._rows, bulk):
            self._write(text)
        for name in TABLES:
            self._install(name)
        for scan in self._files.scans:
            self._install_scan(scan)

    def step(self) -> None:
        """One statement, or one event around statements."""
        pick = self._random.random()
        self.report.statements += 1
        if pick < 0.82:
            self._select(self._random.randrange(2))
        elif pick < 0.92:
            self._change()
            if self._random.random() < 0.6:
                self._refresh()
        else:
            self._random.choice(
                [
                    self._checkpoint,
                    self._refresh,
                    self._refresh,
                    self._install,
                    self._reader_transaction,
                    self._writer_transaction,
                    self._writer_transaction,
                    self._shadow,
                    self._scattered_delete,
                    self._around_the_high_water,
                    self._around_the_high_water,
                    self._past_sartor,
                    self._reopen,
                    self._define,
                    self._install_key,
                    self._number,
                    self._number,
                    self._number,
                    self._rewrite_file,
                    self._rewrite_file,
                    self._rewrite_file,
                ]
            )()

    # Reads --------------------------------------------------------------------------------------------------------

    def _ask(self) -> Query:
        return self._grammar.query()

    def _note_served(self, pending: Any) -> None:
        if ".parquet" in pending.known.text or ".csv" in pending.known.text:
            self.report.coverage["served from files"] += 1
        if len(pending.alternative) > 1 and "FROM numbered" in pending.known.text:
            self.report.coverage["rested on a verified key"] += 1
        for how in pending.how:
            self.report.coverage["residual" if how is Use.RESIDUAL else "whole"] += 1

    # Writes -------------------------------------------------------------------------------------------------------

    def _change(self) -> None:
        pick = self._random
        table = pick.choice(["facts", "facts", "others", "empty_one"])
        which = pick.choice([i for i in range(2) if i not in self._temporary] or [0])
        if which in self._temporary:
            return None
        maker: Callable[[], str] = pick.choice(
            [
                *[lambda: f"INSERT INTO {table} VALUES {self._rows.rows(pick.randrange(1, 9))}"] * 6,
                lambda: f"INSERT INTO {table} SELECT * FROM others WHERE k < {pick.randrange(20)} LIMIT 20",
                lambda: f"UPDATE {table} SET g = {pick.randrange(5)} WHERE k = {pick.randrange(60)}",
                lambda: f"DELETE FROM {table} WHERE k = {pick.randrange(100)} AND g = {pick.randrange(5)}",
                lambda: f"INSERT OR REPLACE INTO keyed VALUES ({pick.randrange(120)}, {self._rows.row()[1:]}",
                lambda: f"INSERT INTO keyed VALUES ({pick.randrange(120)}, {self._rows.row()[1:]} ON CONFLICT DO NOTHING",
                lambda: (
                    f"MERGE INTO others o USING (SELECT * FROM facts LIMIT 3) f ON o.k = f.k AND o.g = f.g "
                    f"WHEN MATCHED THEN UPDATE SET b = {pick.choice(['TRUE', 'FALSE'])}"
                ),
                lambda: f"INSERT INTO {table} VALUES {self._rows.row()}; INSERT INTO others VALUES {self._rows.row()}",
                lambda: f"BEGIN; INSERT INTO {table} VALUES {self._rows.row()}; COMMIT",
                lambda: "TRUNCATE empty_one",
            ]
        )
        text = maker()
        self.report.coverage[f"write: {text.split()[0]}"] += 1
        if pick.random() < 0.1 and text.startswith("INSERT INTO others VALUES") and ";" not in text:
            return self._by_relation(which)
        return self._write(text, which)

    def _by_relation(self, which: int) -> None:
        for connection in (self._reference, self._connections[which]):
            connection.table("others").filter("k < 2").limit(2).insert_into("others")
        self.report.coverage["write: relation"] += 1

    def _around_the_high_water(self) -> None:
        """Rows that look alike, the last one covered and the first one not among them, and conditions that rule them out."""
        if 0 in self._temporary:
            return
        pick = self._random
        k = pick.randrange(400)
        self._refresh()
        for _ in range(2):
            self._write(
                f"INSERT INTO facts VALUES ({k}, {self._rows.row().partition(', ')[2]}, ({k}, {self._rows.row().partition(', ')[2]}"
            )
            for _ in range(2):
                others = [f"{pick.choice(['=', '<', '<=', '>', '>='])} {k + pick.randrange(-1, 2)}" for _ in range(2)]
                others.append(f"IN ({k - 1}, {k + pick.randrange(1, 3)})")
                shown = [("count(*), sum(g)", f"= {k}"), ("k, g, n", f"= {k}"), *(("count(*), sum(k), sum(g)", one) for one in others)]
                for columns, condition in shown:
                    self._select(0, query=Query("around the high water", f"SELECT {columns} FROM facts WHERE k {condition}", True))
            self._refresh()
        self.report.coverage["around the high water"] += 1

    def _scattered_delete(self) -> None:
        share = self._random.choice([2, 3, 10])
        self._write(f"DELETE FROM facts WHERE n % {share} <> 0 AND n BETWEEN 0 AND 100000000")
        self._refresh()
        self._write("CHECKPOINT")
        self._write(f"INSERT INTO facts VALUES {self._rows.rows(7)}")
        self.report.coverage["checkpoint after a scattered delete"] += 1
        for _ in range(4):
            self._select(0)
        self._write(
            "INSERT INTO facts SELECT hash(i) % 400, hash(i + 1) % 5, i, DATE '2024-01-01' + (hash(i + 2) % 90)::INTEGER, "
            "NULL, 'v' || (hash(i + 3) % 30), 1.5, 0.25, i % 3 = 0, i FROM range(20000) r(i)"
        )

    def _define(self) -> None:
        name = self._random.choice(["others", "empty_one"])
        self._write(f"CREATE OR REPLACE VIEW seen AS SELECT count(*) FROM {name}")
        self._write(f"CREATE OR REPLACE TABLE empty_one AS SELECT * FROM {name} LIMIT {self._random.randrange(30)}")
        self.report.coverage["definition"] += 1

    def _change_by(self, which: int) -> None:
        if which not in self._temporary:
            text = self._random.choice(
                [
                    f"INSERT INTO facts VALUES {self._rows.rows(3)}",
                    f"UPDATE facts SET g = 4 WHERE k = {self._random.randrange(50)}",
                    f"DELETE FROM others WHERE k = {self._random.randrange(50)}",
                ]
            )
            self._write(text, which)

    # Events -------------------------------------------------------------------------------------------------------

    def _install(self, name: str = "") -> None:
        """A copy made by hand of a table, by random columns; sometimes everything is undone first."""
        database = session_of(self._connections[0]).database
        if len(database.design.objects) >= 2 * (len(TABLES) + len(self._files.scans)) + 1:
            self._connections[0].undo()
            self.report.coverage["undo"] += 1
            for other in TABLES:
                self._install(other)
            for scan in self._files.scans:
                self._install_scan(scan)
        name = name or self._random.choice(TABLES)
        columns = (FIRST[name], *COLUMNS) if name in FIRST else tuple(COLUMNS)
        key = tuple(self._random.sample(["k", "g", "d", "s", "n", "t"], self._random.choice([1, 2])))
        source = TableName(database.engine().database, "main", name)
        by_row = self._random.random() < 0.5
        database.install(sorted_copy(source, columns, key, frozenset(), then_by_row=by_row))
        self.report.coverage["installed copy"] += 1

    def _install_scan(self, text: str) -> None:
        database = session_of(self._connections[0]).database
        (scan,) = file_scans(f"FROM {text}", database.engine().database)
        info = database.engine().scan(scan)
        assert info is not None
        columns = tuple(column.name for column in info.columns)
        key = tuple(self._random.sample(["k", "g", "d"], self._random.randrange(3)))
        database.install(sorted_copy(scan, columns, key, frozenset(), schema=info.columns))
        self.report.coverage["installed copy of files"] += 1

    def _rewrite_file(self) -> None:
        """Other rows in a file, or one file more or less."""
        for _ in range(2):
            self._select(0, query=self._grammar.of_files())
        self.report.coverage[self._files.change(self._random)] += 1
        for _ in range(3):
            self._select(self._random.randrange(2), query=self._grammar.of_files())
        if self._random.random() < 0.7:
            self._refresh()
            for _ in range(4):
                self._select(0, query=self._grammar.of_files())

    def _install_key(self) -> bool:
        """Look for a key that nobody declared, and rest on it where there is one."""
        database = session_of(self._connections[0]).database
        if any(is_fact(derived) for derived in database.design.objects.values()):
            return True
        source = TableName(database.engine().database, "main", "numbered")
        found = database.install_key(source, frozenset(("i", "g", "d"))) is not None
        self.report.coverage["verified key" if found else "no key"] += 1
        return found

    def _number(self) -> None:
        """Rows that keep the undeclared key one, or rows that do not, which may go again."""
        after = "(SELECT coalesce(max(i), 0) + 1 FROM numbered)"
        cells = self._rows.row()[1:]
        choices = [f"INSERT INTO numbered VALUES ({after}, {cells}"] * 3
        choices += [f"INSERT INTO numbered SELECT * REPLACE (i // 2 AS i) FROM numbered WHERE k < {self._random.randrange(9)}"] * 2
        choices += ["DELETE FROM numbered WHERE i IN (SELECT i FROM numbered GROUP BY i HAVING count(*) > 1)"] * 2
        self._write(self._random.choice(choices))
        self._select(0, query=self._grammar.numbered())
        self._refresh()
        self._install("numbered")
        for _ in range(12 if self._install_key() else 1):
            self._select(0, query=self._grammar.numbered())

    def _past_sartor(self) -> None:
        text = f"UPDATE facts SET g = 1 WHERE k = {self._random.randrange(30)}"
        self._write_past(text)
        for _ in range(3):
            self._select(1)
        self._reopen()

    def _reopen(self) -> None:
        writes = self._random.random() < 0.4
        self._open_again(f"UPDATE facts SET b = TRUE WHERE k = {self._random.randrange(50)}" if writes else "")
        for _ in range(2):
            self._select(0)
            self._select(0, query=Query("after a reopen", "SELECT count(*), sum(k) FROM facts WHERE b AND k < 50", True))
        self._refresh()
        sources = [derived.action.source for derived in session_of(self._connections[0]).database.design.objects.values()]
        copied = {source.name if isinstance(source, TableName) else source.text for source in sources}
        for name in sorted(set(TABLES) - copied):  # what was stale at the close is gone
            self._install(name)
        for scan in self._files.scans:
            if scan not in copied:
                self._install_scan(scan)


def _covers(reference: Reference, joined: frozenset[str], derived: DerivedObject) -> float:
    """Serve whatever can be served: whether it pays does not matter here."""
    same = derived.action.source == reference.source and not is_fact(derived)
    return 0.5 if same and set(reference.columns) <= set(derived.definition()["columns"]) else 1.0


def _never_slower(plain_seconds: object, served_seconds: object) -> bool:
    """How long anything takes must not decide what is tested."""
    return False


def _at_once(self: object, times: float, saved_seconds: object) -> bool:
    """What appended rows lie between is looked at whenever it is asked for."""
    return True


def fuzz(seed: int, statements: int, *, bulk: int = 150_000, stop_at_wrong: bool = False, each: Each = silent) -> Report:
    """Run that many steps in a folder of its own; `each` is told after each of them what was done and found."""
    patches = [(serve, "share_kept", _covers), (known, "is_suspect", _never_slower), (Habit, "pays", _at_once)]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for target, name, instead in patches:
            stack.enter_context(mock.patch.object(target, name, instead))
        run = Run(Path(folder), seed, bulk)
        return run.play(statements, each, stop_at_wrong=stop_at_wrong)
