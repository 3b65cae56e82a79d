"""What rows appended since add to a stored object, as a SELECT that tells the values itself and reads no table.

Planning the residual of a join, or of distinct counts, takes DuckDB several times as long as running it; lists of values it plans in
half a millisecond, however long they are up to some dozens.
"""

from __future__ import annotations

from collections.abc import Sequence

from sartor.core.constants import TOLD_ROWS
from sartor.core.derived import DerivedObject
from sartor.core.table import has_plain_values, quote
from sartor.engines.base import Engine
from sartor.freshness.residual import relation

_Rows = Sequence[Sequence[str | None]]


def appended_rows(engine: Engine, derived: DerivedObject, query: str) -> str | None:
    """The rows of a query with the columns of the object's table, told by their values; empty if there are none.

    None if they are too many, or some value does not come back from its text as it was: that is asked of the engine.

    Args:
        query: what a refresh would append.
    """
    columns = [(name, kind) for name, kind, *_ in engine.rows(f"DESCRIBE {relation(derived)}")]
    if not all(has_plain_values(kind) or kind == "HUGEINT" for _, kind in columns):
        return None
    typed = ", ".join(f"CAST({quote(name)} AS {kind}) AS {quote(name)}" for name, kind in columns)
    rows = _texts(engine, columns, f"SELECT {typed} FROM ({query}) LIMIT {int(TOLD_ROWS.default) + 1}")
    if len(rows) > TOLD_ROWS.default:
        return None
    if not rows:
        return ""
    lists = zip(columns, zip(*rows, strict=True), strict=True)
    told = "SELECT " + ", ".join(f"unnest({_list(values)}::{kind}[]) AS {quote(name)}" for (name, kind), values in lists)
    return told if _texts(engine, columns, told) == rows else None


def _texts(engine: Engine, columns: Sequence[tuple[str, str]], query: str) -> _Rows:
    """The rows of a query as the engine writes them: text that tells any two values of one type apart."""
    texts = ", ".join(f"CAST({quote(name)} AS VARCHAR)" for name, _ in columns)
    return engine.rows(f"SELECT {texts} FROM ({query})")


def _list(values: Sequence[str | None]) -> str:
    r"""A list of values as a literal that the engine casts.

    >>> print(_list(["1", None, "it's", 'a "b"']))
    '["1", NULL, "it''s", "a \"b\""]'
    """
    items = ", ".join("NULL" if value is None else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return "'[" + items.replace("'", "''") + "]'"
