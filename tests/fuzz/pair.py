"""A database file under Sartor and one under plain DuckDB, that get the same writes and are asked the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import duckdb

import sartor
from sartor.interfaces.connection import session_of
from sartor.interfaces.known import Appended
from tests.fuzz.compare import answer, difference
from tests.fuzz.queries import Query

THREADS = {"threads": 1}


@dataclass(slots=True)
class Report:
    """What a run did and found.

    Attributes:
        coverage: how often each thing happened that the run is there for.
        wrong: for each difference, what was asked and what differed.
    """

    seed: int
    statements: int = 0
    selects: int = 0
    served: int = 0
    coverage: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


Each = Callable[[Report], None]


def silent(report: Report) -> None:
    """Tell nobody."""


class Pair:
    """Two connections of Sartor on one file, and the reference beside them; runs add what is asked and written.

    Attributes:
        _hidden: the table that a temporary one hides now and then, and what that one holds.
        _keeps_results: results are kept, so that what is asked again may not be answered by what the run is about; None if they are
            each other time that the file is opened.
        _remembers: the predicate cache is on; in other runs what takes long on a busy machine would be answered by it.
        _lays_out: layouts are asked for, so that the conditions of statements are looked for in their words.
    """

    _hidden: ClassVar[tuple[str, str]]
    _keeps_results: ClassVar[bool | None] = False
    _remembers: ClassVar[bool] = False
    _lays_out: ClassVar[bool] = False

    def __init__(self, folder: Path, seed: int, name: str) -> None:
        self.report = Report(seed)
        self._random = random.Random(seed)
        self._path = folder / f"{name}{seed}.duckdb"
        self._reference = duckdb.connect(str(folder / f"plain{seed}.duckdb"), config=THREADS)
        self._connections: list[Any] = []
        self._opened = 0
        self._temporary: set[int] = set()  # connections on which a temporary table hides one of the catalog
        self._served = False

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._reference.close()

    def _open(self) -> None:
        keeps = self._opened % 2 == 0 if self._keeps_results is None else self._keeps_results
        self._opened += 1
        modes = {"keep_results": keeps, "predicate_cache": self._remembers, "layouts": self._lays_out}
        first = sartor.connect(str(self._path), config=THREADS, **modes)
        self._connections = [first, first.cursor()]

    @property
    def _hiding(self) -> str:
        return "CREATE TEMP TABLE {} AS {}".format(*self._hidden)

    def step(self) -> None:
        """One statement, or one event around statements."""
        raise NotImplementedError

    def play(self, statements: int, each: Each, *, stop_at_wrong: bool) -> Report:
        """Make that many steps, and close; `each` is told after each of them what was done and found."""
        try:
            for _ in range(statements):
                self.step()
                each(self.report)
                if stop_at_wrong and self.report.wrong:
                    break
        finally:
            self.close()
        return self.report

    # What runs say ------------------------------------------------------------------------------------------------

    def _ask(self) -> Query:
        """The next statement."""
        raise NotImplementedError

    def _change_by(self, which: int) -> None:
        """Write something by one of the connections."""
        raise NotImplementedError

    def _note_served(self, pending: Any) -> None:
        """A statement was answered from something built."""

    # Reads --------------------------------------------------------------------------------------------------------

    def _select(self, which: int, reference: Any = None, query: Query | None = None) -> None:
        query = query or self._ask()
        connection = self._connections[which]
        reference = reference or self._reference
        if which in self._temporary:
            reference.execute(self._hiding)
        try:
            expected = self._outcome(reference, query)
            given = self._outcome(connection, query, watch=True)
        finally:
            if which in self._temporary:
                reference.execute(f"DROP TABLE temp.{self._hidden[0]}")
        self.report.selects += 1
        self._judge(query, expected, given, connection)

    def _outcome(self, connection: Any, query: Query, *, watch: bool = False) -> Any:
        try:
            if query.parameters:
                connection.execute(query.text, query.parameters)
            else:
                connection.execute(query.text)
            if watch:
                self._note_use(connection)
            return answer(connection)
        except duckdb.Error as error:
            return type(error), str(error)

    def _note_use(self, connection: Any) -> None:
        pending = session_of(connection).pending
        self._served = pending is not None and bool(pending.alternative)
        if self._served:
            self.report.served += 1
            self.report.coverage["literals handed over"] += pending.served and pending.handed is not None
            self.report.coverage["appended rows ruled out"] += pending.served and pending.appended is Appended.RULED_OUT
            self._note_served(pending)

    def _judge(self, query: Query, expected: Any, given: Any, connection: Any) -> None:
        coverage = self.report.coverage
        if isinstance(expected[0], type) or isinstance(given[0], type):
            coverage["errors"] += 1
            found = None if expected == given else f"{given} instead of {expected}"
        else:
            found = difference(expected, given, ordered=query.ordered, floats=query.floats)
        coverage[f"asked: {query.rule}"] += 1
        if found is not None and self._plain_differs_too(query, expected, given, connection):
            how = "plain DuckDB itself answers otherwise on this file" if self._served else "plain DuckDB, of both files"
            coverage[f"undetermined: {how}"] += 1
        elif found is not None:
            how = "served" if self._served else "plain"
            self.report.wrong.append(
                f"statement {self.report.statements} ({query.rule}, {how}): {query.text} {query.parameters}\n    {found}"
            )

    def _plain_differs_too(self, query: Query, expected: Any, given: Any, connection: Any) -> bool:
        """Whether plain DuckDB in the very same snapshot of the very same file answers as Sartor did, and that may be.

        An answer that was not served is plain DuckDB's on that file.
        """
        if isinstance(expected[0], type) or isinstance(given[0], type):
            return False
        loose = query.loose or " LIMIT " in query.text
        if not loose and difference(expected, given, ordered=False, floats=query.floats) is not None:
            return False
        if not self._served:
            return True
        database = session_of(connection).database
        mode, database.mode = database.mode, "off"
        try:
            again = self._outcome(connection, query)
        finally:
            database.mode = mode
        return difference(again, given, ordered=True, floats=query.floats) is None

    # Writes -------------------------------------------------------------------------------------------------------

    def _write(self, text: str, which: int = 0) -> None:
        results = []
        for connection in (self._reference, self._connections[which]):
            try:
                connection.execute(text).fetchall()
                results.append(None)
            except duckdb.Error as error:
                results.append((type(error), str(error)))
        if results[0] != results[1]:
            self.report.wrong.append(f"write {text}\n    {results[1]} instead of {results[0]}")

    def _checkpoint(self) -> None:
        self._write("CHECKPOINT")
        self.report.coverage["checkpoint"] += 1

    def _refresh(self) -> None:
        self._connections[0].refresh()
        self.report.coverage["refresh"] += 1

    # Transactions -------------------------------------------------------------------------------------------------

    def _reader_transaction(self) -> None:
        """One connection reads in a transaction while the other one writes: its snapshot must not move."""
        cursor = self._reference.cursor()
        reader = 1
        if reader in self._temporary:
            return
        for connection in (cursor, self._connections[reader]):
            connection.execute("BEGIN")
        self._select(reader, cursor)
        for _ in range(3):
            self._change_by(0)
            if self._random.random() < 0.3:
                self._refresh()
            self._select(reader, cursor)
        for connection in (cursor, self._connections[reader]):
            connection.execute("COMMIT")
        cursor.close()
        self.report.coverage["reading transaction"] += 1

    def _writer_transaction(self) -> None:
        """A transaction that writes, reads its own rows, and ends one way or the other."""
        which = 0
        if which in self._temporary:
            return
        end = self._random.choice(["COMMIT", "COMMIT", "ROLLBACK"])
        self._write("BEGIN", which)
        for _ in range(2):
            self._change_by(which)
            self._select(which)
        if self._random.random() < 0.2:
            self._write("SELECT * FROM no_such_table", which)
            end = "ROLLBACK"
            self.report.coverage["aborted transaction"] += 1
        self._write(end, which)
        self.report.coverage[f"writing transaction: {end.lower()}"] += 1
        self._select(1)

    # Events -------------------------------------------------------------------------------------------------------

    def _open_again(self, between: str = "") -> None:
        """Everything is closed, plain DuckDB writes if it is told what, and all is opened again."""
        for connection in self._connections:
            connection.close()
        self._temporary.clear()
        if between:
            self._reference.execute(between)
            with duckdb.connect(str(self._path), config=THREADS) as plain:
                plain.execute(between)
            self.report.coverage["written by plain DuckDB between"] += 1
        self._open()
        self.report.coverage["reopen"] += 1

    def _write_past(self, text: str) -> None:
        """A write that goes past the subclass: it must be noticed, and everything distrusted."""
        self._reference.execute(text)
        duckdb.execute(text, connection=self._connections[0])
        self.report.coverage["write past Sartor"] += 1

    def _shadow(self) -> None:
        """A temporary table hides a table of the catalog on one connection."""
        which = 1
        if which in self._temporary:
            self._connections[which].execute(f"DROP TABLE temp.{self._hidden[0]}")
            self._temporary.discard(which)
            return
        self._connections[which].execute(self._hiding)
        self._temporary.add(which)
        self.report.coverage["shadowed name"] += 1
        self._select(which)
        self._shadow_off(which)

    def _shadow_off(self, which: int) -> None:
        for _ in range(6):
            self._select(which)
        self._connections[which].execute(f"DROP TABLE temp.{self._hidden[0]}")
        self._temporary.discard(which)
        self._connections[which].close()
        self._connections[which] = self._connections[0].cursor()
