"""Building and refreshing derived objects: each change one transaction, stamped with the counts of its own snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN, Coverage, DerivedObject
from sartor.core.table import FileScan, TableName, quote
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.files import identity, is_settled
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.residual import appended_since, relation

Query = Callable[[Action, str], str]
"""`Component.build_query`: the SELECT whose rows an object stores, limited by a condition on the base table if given."""


class Overtaken(Exception):
    """A write came between, so that the snapshot can not be stamped; nothing was changed. Try again later."""


def build(engine: Engine, registry: Registry, query: Query, action: Action, identifier: int, generation: int = 1) -> DerivedObject:
    """Build an object in one transaction; a kill at any moment leaves all of it or nothing.

    Raises:
        Overtaken: a mutation of its table was under way, or its files changed.
    """
    started = perf_counter()
    derived = DerivedObject(identifier, generation, action, Coverage(-1, 0, True))
    with engine.transaction():
        coverage = coverage_now(engine, registry, action)
        engine.execute(f"CREATE TABLE {relation(derived)} AS {query(action, '')}")
        if isinstance(action.source, FileScan):
            if identity(action.source) != coverage.files:
                raise Overtaken
            rows = engine.rows(f"SELECT count(*) FROM {relation(derived)}")[0][0]
            coverage = replace(coverage, rows=rows)
        derived = replace(derived, coverage=coverage, build_seconds=perf_counter() - started)
        stored.save(engine, derived)
    derived = replace(derived, bytes_stored=stored.bytes_stored(engine, derived))
    with engine.transaction():
        stored.save(engine, derived)
    return derived


def append_tail(engine: Engine, registry: Registry, query: Query, derived: DerivedObject) -> DerivedObject:
    """Append the rows that came since, under the same generation: every snapshot sees object and state row together.

    Raises:
        Overtaken: a mutation came between; the object has to be rebuilt.
    """
    source = derived.action.source
    assert isinstance(source, TableName), "files are rebuilt, never appended to"
    started = perf_counter()
    with engine.transaction():
        coverage = coverage_now(engine, registry, derived.action)
        if coverage.mutations != derived.coverage.mutations:
            raise Overtaken
        rows = query(derived.action, appended_since(derived))
        if not derived.coverage.dense:
            # Rows may have moved down since: numbers of new rows must still come after all numbers given before.
            number = quote(ORDER_COLUMN)
            last = engine.rows(f"SELECT max({number}) FROM {relation(derived)}")[0][0]
            rows = f"SELECT * REPLACE ({number} + {(last if last is not None else -1) + 1} AS {number}) FROM ({rows})"
        engine.execute(f"INSERT INTO {relation(derived)} {rows}")
        # Density only counts from here on if it held before: an earlier loss may still be compacted away.
        coverage = replace(coverage, dense=coverage.dense and derived.coverage.dense)
        derived = replace(derived, coverage=coverage, build_seconds=derived.build_seconds + perf_counter() - started)
        stored.save(engine, derived)
    return derived


def verify(engine: Engine, registry: Registry, derived: DerivedObject) -> DerivedObject | None:
    """Compare an object of unknown standing with its table, row by row at the speed of a scan.

    Returns the object under the counts of the snapshot in which it was found right, or None if it has to be rebuilt. Only
    tables without lost rows can be compared, for there the row id tells the row.
    """
    source = derived.action.source
    if isinstance(source, FileScan):
        return derived if identity(source) == derived.coverage.files else None
    if not derived.coverage.dense:
        return None
    with engine.transaction():
        now = coverage_now(engine, registry, derived.action)
        columns = [row[0] for row in engine.rows(f"DESCRIBE {relation(derived)}")]
        kept = [column for column in columns if column != ORDER_COLUMN]
        types = {row[0]: row[1] for row in engine.rows(f"DESCRIBE {source}")}
        if any(types.get(row[0]) != row[1] for row in engine.rows(f"DESCRIBE {relation(derived)}") if row[0] in kept):
            return None
        copied = engine.rows(f"SELECT {_checksum(kept, types, quote(ORDER_COLUMN))} FROM {relation(derived)}")
        base = engine.rows(f"SELECT {_checksum(kept, types, 'rowid')} FROM {source} WHERE rowid <= {derived.coverage.high_water}")
        if copied != base or base[0][0] != derived.coverage.rows:
            return None
    appends = now.appends if now.rows == derived.coverage.rows else stored.UNKNOWN
    return stored.trusted(derived, appends, now.mutations)


def _checksum(columns: list[str], types: dict[str, str], number: str) -> str:
    # hash() takes -0.0 and 0.0 for the same; the sign is hashed beside it.
    parts = [quote(column) for column in columns]
    parts += [f"signbit({quote(column)})" for column in columns if types[column] in ("DOUBLE", "FLOAT")]
    return f"count(*), sum(hash({', '.join([*parts, number])})::HUGEINT)"


def coverage_now(engine: Engine, registry: Registry, action: Action) -> Coverage:
    """What a copy made in the current transaction will cover; begins the transaction's snapshot."""
    source = action.source
    if isinstance(source, FileScan):
        files = identity(source)
        if files is None or not is_settled(files):
            raise Overtaken
        return Coverage(-1, 0, False, files=files)
    name = source.name.lower()
    before = registry.state
    if before.mutating(name):
        raise Overtaken
    rows, last = engine.rows(f"SELECT count(*), max(rowid) FROM {source}")[0]
    after = registry.state
    if after.mutating(name) or after.mutations(name) != before.mutations(name):
        raise Overtaken
    high_water = -1 if last is None else int(last)
    return Coverage(
        high_water,
        rows,
        high_water + 1 == rows,
        _settled_appends(name, before, after),
        before.mutations(name),
    )


def _settled_appends(name: str, before: RegistryState, after: RegistryState) -> int:
    settled = not before.appending(name) and before.appends(name) == after.appends(name)
    return before.appends(name) if settled else stored.UNKNOWN
