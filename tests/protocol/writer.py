"""A writer of the randomized freshness protocol: it owns one class of a table's rows and knows what they are at each version.

Every transaction of a writer leaves a marker row with its version. So an answer over the class tells by itself which
version it is of, and can be compared with what the writer did, however many others write and read at the same time.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import duckdb

KEYS = 8
MARKER = -1  # the key of marker rows, whose value is the version
Content = dict[int, tuple[int, int]]  # per key, how many rows and the sum of their values
_Plain = duckdb.DuckDBPyConnection


class Writer:
    """One class of rows.

    Attributes:
        rows: per key, the values of the version that is committed.
        history: per version, its content.
        committed: the version that every later snapshot holds at least.
        started: the version that a snapshot may hold at most.
    """

    def __init__(self, number: int, rows: dict[int, list[int]] | None = None, version: int = 0) -> None:
        self.number = number
        self.rows = rows or {key: [] for key in range(KEYS)}
        self.committed = self.started = version
        self.history = {version: _content(self.rows)}

    def write(self, connection: Any, draw: random.Random, seen: Counter[str]) -> None:
        """Do one write of a random kind; conflicts with others are theirs and ours to bear."""
        kinds: list[tuple[str, int, Callable[[Any, random.Random], str | None]]] = [
            ("append", 24, self._append),
            ("append many", 2, self._append_many),
            ("appender", 3, self._appender),
            ("transaction", 3, self._transaction),
            ("scattered delete", 1, self._scattered_delete),
            ("aborted transaction", 1, self._aborted),
            ("checkpoint", 1, self._checkpoint),
            ("definition", 1, self._define),
        ]
        name, _, act = draw.choices(kinds, [weight for _, weight, _ in kinds])[0]
        seen[act(connection, draw) or name] += 1

    def marker(self, version: int) -> str:
        return f"({self.number}, {MARKER}, {version})"

    def _append(self, connection: Any, draw: random.Random) -> None:
        new = [(draw.randrange(KEYS), draw.randrange(100)) for _ in range(draw.randrange(1, 9))]
        listed = ", ".join(f"({self.number}, {key}, {value})" for key, value in new)
        first = draw.random() < 0.5  # the marker: else no row but markers would ever be the last one

        def write(version: int) -> None:
            values = f"{self.marker(version)}, {listed}" if first else f"{listed}, {self.marker(version)}"
            connection.execute(f"INSERT INTO t (w, k, v) VALUES {values}")

        self._commit(write, _added(self.rows, new), connection)

    def _append_many(self, connection: Any, draw: random.Random) -> None:
        count = draw.randrange(500, 4_000)
        text = f"INSERT INTO t (w, k, v) SELECT {self.number}, i % {KEYS}, i FROM range({count}) r(i) UNION ALL VALUES "
        self._commit(
            lambda version: connection.execute(text + self.marker(version)),
            _added(self.rows, [(i % KEYS, i) for i in range(count)]),
            connection,
        )

    def _appender(self, connection: Any, draw: random.Random) -> None:
        new = [(draw.randrange(KEYS), draw.randrange(100)) for _ in range(3)]

        def write(version: int) -> None:
            with connection.appender("t") as appender:
                for key, value in [*new, (MARKER, version)]:
                    appender.append_row(self.number, key, value)

        self._commit(write, _added(self.rows, new), connection)

    def _transaction(self, connection: Any, draw: random.Random) -> str:
        changed, gone = draw.sample(range(KEYS), 2)
        new = [(draw.randrange(KEYS), draw.randrange(100)) for _ in range(5)]
        kept = {key: [value + (key == changed) for value in values] for key, values in self.rows.items()}
        kept[gone] = []
        commit = draw.random() < 0.7

        def write(version: int) -> None:
            connection.begin()
            try:
                connection.execute(f"UPDATE t SET v = v + 1 WHERE w = {self.number} AND k = {changed}")
                connection.execute(f"DELETE FROM t WHERE w = {self.number} AND k = {gone}")
                listed = ", ".join(f"({self.number}, {key}, {value})" for key, value in new)
                connection.execute(f"INSERT INTO t (w, k, v) VALUES {listed}, {self.marker(version)}")
            except BaseException:
                connection.rollback()
                raise
            connection.commit() if commit else connection.rollback()

        self._commit(write, _added(kept, new) if commit else None, connection)
        return "transaction: commit" if commit else "transaction: rollback"

    def _scattered_delete(self, connection: Any, draw: random.Random) -> None:
        part = draw.randrange(3)

        def write(version: int) -> None:
            connection.begin()
            try:
                connection.execute(f"DELETE FROM t WHERE w = {self.number} AND k >= 0 AND v % 3 <> {part}")
                connection.execute(f"INSERT INTO t (w, k, v) VALUES {self.marker(version)}")
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

        kept = {key: [value for value in values if value % 3 == part] for key, values in self.rows.items()}
        self._commit(write, kept, connection)

    def _aborted(self, connection: Any, draw: random.Random) -> None:
        def write(version: int) -> None:
            connection.begin()
            try:
                connection.execute(f"INSERT INTO t (w, k, v) VALUES {self.marker(version)}")
                connection.execute("SELECT 'no number'::INTEGER").fetchall()
            except duckdb.ConversionException:
                connection.rollback()

        self._commit(write, None, connection)

    def _checkpoint(self, connection: Any, draw: random.Random) -> str | None:
        try:
            connection.execute("CHECKPOINT")
        except duckdb.Error:
            return "checkpoint refused"
        return None

    def _define(self, connection: Any, draw: random.Random) -> str | None:
        name = f"other_{self.number}_{draw.randrange(1 << 30)}"
        try:
            connection.execute(f"CREATE TABLE {name} AS SELECT 1 AS a")
            connection.execute(f"DROP TABLE {name}")
        except duckdb.Error:
            return "definition refused"
        return None

    def _commit(self, write: Callable[[int], object], rows: dict[int, list[int]] | None, connection: Any) -> None:
        """Write under the next version; `rows` is what is there if it commits, None if it is not to."""
        version = self.started + 1
        if rows is not None:
            self.history[version] = _content(rows)
            self.started = version
        try:
            write(version)
        except duckdb.Error:
            if _newest(connection, self.number) != version:
                self.started = self.committed
                return
        if rows is not None:
            self.rows, self.committed = rows, version


def _newest(connection: Any, number: int) -> int:
    """The version that plain DuckDB sees."""
    cursor = _Plain.cursor(connection)
    try:
        return int(cursor.execute(f"SELECT max(v) FROM t WHERE w = {number} AND k = {MARKER}").fetchall()[0][0])
    finally:
        cursor.close()


def _added(rows: dict[int, list[int]], new: list[tuple[int, int]]) -> dict[int, list[int]]:
    found = {key: list(values) for key, values in rows.items()}
    for key, value in new:
        found[key].append(value)
    return found


def _content(rows: dict[int, list[int]]) -> Content:
    return {key: (len(values), sum(values)) for key, values in rows.items()}
