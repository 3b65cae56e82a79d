"""Bringing a copy up to date after deletes and updates without sorting it anew.

While no row id has moved, a row of the copy and its row in the table have the same number. So the rows gone are those whose
numbers the table lacks, and a scan of its row ids finds them; rows updated are found by comparing the columns that were set; rows
appended, among them those that an update deleted and inserted, have higher numbers. In the end the copy must have as many rows as
the table; and if a checkpoint came, which may have moved rows but seldom does, the same sum of hashes. Object and state change in
one transaction, so that the generation stays.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from sartor.core.constants import MEND_SHARE
from sartor.core.derived import ORDER_COLUMN, DerivedObject
from sartor.core.table import TableName, quote
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.refresh import Query, checksum, coverage_now, rows_stood
from sartor.freshness.registry import Registry
from sartor.freshness.residual import relation

_CHANGED = "temp.sartor_changed"
_COMPARED = frozenset(
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT DATE TIME UUID TIMESTAMP "
    "TIMESTAMP_S TIMESTAMP_MS TIMESTAMP_NS".split()
) | {"TIMESTAMP WITH TIME ZONE"}  # two values of these that are equal are the same


class _Unmended(Exception):
    """The copy has to be built anew; nothing was changed."""


def mend(engine: Engine, registry: Registry, query: Query, derived: DerivedObject) -> DerivedObject | None:
    """The copy under what its table holds now; None if it has to be built anew, or is no copy of one table.

    The table has no generated columns.

    Raises:
        Overtaken: a mutation of the table was under way.
    """
    source, old = derived.action.source, derived.coverage
    if (
        derived.others
        or not isinstance(source, TableName)
        or old.numbered < 0
        or old.rough != registry.state.rough(source.name.lower())
    ):
        return None
    started = perf_counter()
    try:
        with engine.transaction():
            fresh = _mended(engine, registry, query, derived, source)
            fresh = replace(fresh, build_seconds=derived.build_seconds + perf_counter() - started)
            stored.save(engine, fresh)
    except _Unmended:
        return None
    return fresh


def _mended(engine: Engine, registry: Registry, query: Query, derived: DerivedObject, source: TableName) -> DerivedObject:
    old, copy = derived.coverage, relation(derived)
    before = registry.state
    (now,) = coverage_now(engine, registry, derived.action)
    if now.rough != old.rough or now.iteration < 0:
        raise _Unmended
    types = {name: kind for name, kind, *_ in engine.rows(f"DESCRIBE {copy}")}
    if ORDER_COLUMN not in types:
        raise _Unmended
    updated = registry.state.updated(source.name.lower(), old.mutations)
    columns = [name for name in types if name.lower() in updated and name != ORDER_COLUMN]
    if any(name.lower() in updated for name in derived.action.get("key")):
        raise _Unmended
    if old.numbered != now.iteration:
        for name, kind in types.items():
            _differs(name, name, kind)  # raises where equal values are not always the same
    most = MEND_SHARE.default * old.rows
    kept = engine.rows(f"SELECT count(*) FROM {source} WHERE rowid <= {old.high_water}")[0][0]
    unsorted = old.unsorted + now.rows - kept
    if old.rows - kept > most or unsorted > most:
        raise _Unmended
    number = quote(ORDER_COLUMN)
    if kept < old.rows:
        engine.execute(f"DELETE FROM {copy} WHERE {number} IN ({_gone(str(source), old.high_water)})")
    if columns:
        _update(engine, copy, str(source), columns, types, most)
    if now.rows > kept:
        engine.execute(f"INSERT INTO {copy} {query(derived.action, f'rowid > {old.high_water}')}")
    if not rows_stood(registry, before, now.iteration) or engine.rows(f"SELECT count(*) FROM {copy}") != [(now.rows,)]:
        raise _Unmended
    if old.numbered != now.iteration and not _is_same(engine, copy, str(source), types):
        raise _Unmended
    return derived.covering(replace(now, numbered=now.iteration, unsorted=unsorted))


def _gone(source: str, high_water: int) -> str:
    """The row ids up to the high water that the table lacks, as a SELECT."""
    ids = f"SELECT rowid AS id, lag(rowid, 1, -1) OVER () AS before FROM {source} WHERE rowid <= {high_water}"
    last = f"SELECT coalesce(max(rowid), -1) + 1 AS first, {high_water} AS last FROM {source} WHERE rowid <= {high_water}"
    gaps = f"SELECT before + 1 AS first, id - 1 AS last FROM ({ids}) WHERE id > before + 1 UNION ALL {last}"
    return f"SELECT unnest(range(first, last + 1)) FROM ({gaps}) WHERE first <= last"


def _is_same(engine: Engine, copy: str, source: str, types: dict[str, str]) -> bool:
    """Whether each row of the copy is the row of the table that has its number as row id."""
    columns = [name for name in types if name != ORDER_COLUMN]
    held = engine.rows(f"SELECT {checksum(columns, types, quote(ORDER_COLUMN))} FROM {copy}")
    return held == engine.rows(f"SELECT {checksum(columns, types, 'rowid')} FROM {source}")


def _update(engine: Engine, copy: str, source: str, columns: list[str], types: dict[str, str], most: float) -> None:
    """Give the copy's rows the values that their rows in the table have in some columns."""
    number = quote(ORDER_COLUMN)
    differs = " OR ".join(_differs(f"c.{quote(name)}", f"b.{quote(name)}", types[name]) for name in columns)
    values = ", ".join(f"b.{quote(name)}" for name in columns)
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE sartor_changed AS SELECT c.{number}, {values} "
        f"FROM {copy} AS c JOIN {source} AS b ON b.rowid = c.{number} WHERE {differs}"
    )
    if engine.rows(f"SELECT count(*) FROM {_CHANGED}")[0][0] > most:
        raise _Unmended
    setting = ", ".join(f"{quote(name)} = b.{quote(name)}" for name in columns)
    engine.execute(f"UPDATE {copy} AS c SET {setting} FROM {_CHANGED} AS b WHERE b.{number} = c.{number}")
    engine.execute(f"DROP TABLE {_CHANGED}")


def _differs(one: str, other: str, kind: str) -> str:
    """The condition that two values are not the same to the last bit that shows."""
    if kind in ("DOUBLE", "FLOAT"):
        return f"({one} IS DISTINCT FROM {other} OR signbit({one}) IS DISTINCT FROM signbit({other}))"
    if kind == "VARCHAR":
        return f"encode({one}) IS DISTINCT FROM encode({other})"  # a collation takes different texts for equal
    if kind in _COMPARED or kind.startswith("DECIMAL("):
        return f"{one} IS DISTINCT FROM {other}"
    raise _Unmended
