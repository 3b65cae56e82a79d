"""What rows appended to a table lie between: the smallest and the largest value of some of its columns.

A statement whose conditions rule all values in between out needs none of these rows, as a scan skips a row group by its zone map.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sartor.core.table import TableName, quote
from sartor.engines.base import Engine

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?")


@dataclass(frozen=True, slots=True)
class Extent:
    """The smallest and the largest value of a column among some rows; both None if there is no value but NULL.

    >>> [Extent(3, 7).rules_out(operator, values) for operator, values in ((">", [7]), (">=", [7]), ("<", [3]), ("in", [2, 8]))]
    [True, False, True, True]
    >>> Extent(3, 7).rules_out("=", [5]), Extent(None, None).rules_out("=", [5])
    (False, True)
    """

    smallest: Any
    largest: Any

    def rules_out(self, operator: str, values: Sequence[Any]) -> bool:
        """Whether a comparison of the column with these values is true for none of the rows.

        Args:
            operator: as in `Compared`.
        """
        smallest, largest = self.smallest, self.largest
        if smallest is None:
            return True
        match operator:
            case "<":
                return bool(smallest >= values[0])
            case "<=":
                return bool(smallest > values[0])
            case ">":
                return bool(largest <= values[0])
            case ">=":
                return bool(largest < values[0])
            case _:
                return all(value < smallest or value > largest for value in values)


def extents(engine: Engine, table: TableName, after: int, kinds: Mapping[str, str]) -> dict[str, Extent | None]:
    """The extents of columns among the rows behind a row id; None where Python has no value that compares as the engine's does.

    Args:
        kinds: by the names of columns the kind of the literals that they are compared with: number, date or timestamp.
    """
    both = ", ".join(f"CAST(min({quote(name)}) AS VARCHAR), CAST(max({quote(name)}) AS VARCHAR)" for name in kinds)
    (row,) = engine.rows(f"SELECT {both} FROM {table} WHERE rowid > {after}")
    found: dict[str, Extent | None] = {}
    for (name, kind), smallest, largest in zip(kinds.items(), row[::2], row[1::2], strict=True):
        if smallest is None:
            found[name] = Extent(None, None)
            continue
        ends = [_value(kind, text) for text in (smallest, largest)]
        found[name] = Extent(*ends) if None not in ends else None
    return found


def _value(kind: str, text: str) -> Any:
    """A value as its text tells it; None for infinite ones, and days before or after those that Python knows."""
    match kind:
        case "number" if _NUMBER.fullmatch(text):
            return Decimal(text)
        case "date" if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        case "timestamp" if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text)
    return None
