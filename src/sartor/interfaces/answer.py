"""A result that was looked up in memory, as DuckDB's own methods would hand it out."""

from __future__ import annotations

from typing import Any

from sartor.core.table import quote


class Answer:
    """The rows of one statement, until the next one replaces them.

    Attributes:
        description: of the result, as DuckDB gave it for the same statement.
    """

    __slots__ = ("_fetched", "_finished_by", "_rows", "description")

    def __init__(self, rows: list[tuple[Any, ...]], description: Any) -> None:
        self._rows = rows
        self.description = description
        self._fetched = 0
        self._finished_by = ""

    @property
    def finished(self) -> bool:
        """Whether a fetch has come to the end of the rows; until then DuckDB refuses other work on the connection."""
        return bool(self._finished_by)

    def fetchall(self) -> list[tuple[Any, ...]]:
        rows = self._rows[self._fetched :]
        self._fetched, self._finished_by = len(self._rows), "fetchall"
        return rows

    def fetchone(self) -> tuple[Any, ...] | None:
        found = self.fetchmany(1)
        return found[0] if found else None

    def fetchmany(self, size: int) -> list[tuple[Any, ...]]:
        rows = self._rows[self._fetched : self._fetched + size]
        self._fetched += len(rows)
        if len(rows) < size:
            self._finished_by = self._finished_by or "fetchmany"
        return rows

    def give(self, connection: Any, plain: type[Any]) -> None:
        """Make it the result of a connection, fetched as far as it has been here.

        Args:
            plain: the class whose methods are DuckDB's own.
        """
        columns = [f"unnest(${number}::{column[1]}[]) AS {quote(column[0])}" for number, column in enumerate(self.description, 1)]
        values = [[row[place] for row in self._rows] for place in range(len(self.description))]
        plain.execute(connection, f"SELECT {', '.join(columns)}", values)
        if self._finished_by == "fetchall":
            plain.fetchall(connection)
        elif self._fetched or self._finished_by:
            plain.fetchmany(connection, self._fetched + bool(self._finished_by))
