"""`con.lookup`: the rows of many keys at once, from memory where they are held, else by one join."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.components.point_lookup.serve import find_all, holds
from sartor.core.analysis import PointLookup
from sartor.core.derived import DerivedObject
from sartor.core.errors import LookupRefused
from sartor.core.table import TableInfo, TableName, quote
from sartor.freshness.usable import Use, use
from sartor.interfaces import serving
from sartor.workload.log import Observation

if TYPE_CHECKING:
    import pyarrow

    from sartor.interfaces.session import Session


def lookup(
    connection: duckdb.DuckDBPyConnection, session: Session, table: str, keys: Any, columns: Sequence[str] | None, key: str | None
) -> pyarrow.Table:
    """See `Connection.lookup`."""
    serving.finish(session)
    info = session.database.current_catalog().resolve(tuple(part.strip('"') for part in table.split(".")))
    if key is None:
        key = _only_key(table, info)
    if columns is None:
        if info is None:
            raise LookupRefused(f"{table} is no table of this database; name the columns that are wanted")
        columns = [column.name for column in info.columns]
    wanted = [key, *(name for name in columns if name.lower() != key.lower())]
    started = time.perf_counter()
    found = _from_memory(session, info, key, wanted, keys)
    if found is not None:
        return found
    given = keys.tolist() if hasattr(keys, "tolist") else keys.to_pylist() if hasattr(keys, "to_pylist") else list(keys)
    text = _join(table, key, wanted) if given else f"SELECT {', '.join(map(quote, wanted))} FROM {table} LIMIT 0"
    result = duckdb.DuckDBPyConnection._submit(connection, text, [given] if given else None, "arrow").arrow_table()
    _observe(session, table, key, wanted, given, time.perf_counter() - started)
    return result


def _join(table: str, key: str, wanted: Sequence[str]) -> str:
    columns = ", ".join(f"t.{quote(name)}" for name in wanted)
    asked = "SELECT unnest($1) AS wanted, unnest(range(len($1))) AS place"
    return f"SELECT {columns} FROM ({asked}) AS q JOIN {table} AS t ON t.{quote(key)} = q.wanted ORDER BY q.place, t.rowid"


def _from_memory(session: Session, info: TableInfo | None, key: str, wanted: Sequence[str], keys: Any) -> pyarrow.Table | None:
    """The rows, where an object in memory holds all of them and nothing says that the name means something else here."""
    database = session.database
    if info is None or session.transaction is not None or session.plain or database.plain:
        return None
    known = [info.column(name) for name in wanted]
    if any(column is None for column in known):
        return None
    names = tuple(column.name for column in known if column is not None)
    assert isinstance(info.source, TableName)
    if {info.source.name.lower(), info.source.schema.lower()} & (session.shadows | database.shadows):
        return None
    database.look_for_unseen_writes()
    wants = PointLookup(info.source, names, names[0], 0, 0)
    held = [derived for derived in database.design.objects.values() if holds(derived.action, wants)]
    current = [derived for derived in held if derived.content is not None and use(derived, database.registry.state) is Use.WHOLE]
    return find_all(min(current, key=_width), names, keys) if current else None


def _width(derived: DerivedObject) -> int:
    return len(derived.action.get("columns"))


def _only_key(table: str, info: TableInfo | None) -> str:
    single = [next(iter(key)) for key in info.unique_keys if len(key) == 1] if info is not None else []
    if len(single) != 1:
        raise LookupRefused(f"{table} does not declare one column as its key; name it: con.lookup(table, keys, columns, key=...)")
    return single[0]


def _observe(session: Session, table: str, key: str, wanted: Sequence[str], given: list[Any], seconds: float) -> None:
    """The workload sees it as one run of the look-up of a single key, which took as long as all of them: so much would be spared."""
    if given:
        text = f"SELECT {', '.join(map(quote, wanted))} FROM {table} WHERE {quote(key)} = ?"
        session.database.log.record(Observation("", text, [given[0]], time.time() - seconds, seconds, len(given), "read"))
