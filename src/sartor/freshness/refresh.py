"""Building and refreshing derived objects: each change one transaction, stamped with the counts of its own snapshot.

The snapshot begins with the first query of the transaction and is the same for all tables of the database, so that the
coverages of an object's sources belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from sartor.core.action import Action
from sartor.core.derived import ORDER_COLUMN, Coverage, DerivedObject
from sartor.core.ordered import OrderedQuery
from sartor.core.table import FileScan, Source, TableName, quote
from sartor.engines.base import Engine
from sartor.freshness import stored
from sartor.freshness.files import Identity, identity, is_settled
from sartor.freshness.registry import Registry, RegistryState
from sartor.freshness.residual import relation
from sartor.freshness.storage import bytes_stored
from sartor.freshness.usable import Use, loose, use

Query = Callable[[Action], OrderedQuery]
"""`Component.build_query`: the rows that an object stores, and their order."""

Tail = Callable[[DerivedObject, frozenset[int]], str]
"""`Component.tail_query`: the SELECT of the rows that an object lacks since rows were appended to the tables of these places."""


_Bounds = tuple[int, int | None, int]


class Overtaken(Exception):
    """A write came between, so that the snapshot can not be stamped; nothing was changed. Try again later."""


def build(engine: Engine, registry: Registry, query: Query, action: Action, identifier: int, generation: int = 1) -> DerivedObject:
    """Build an object in one transaction; a kill at any moment leaves all of it or nothing.

    Raises:
        Overtaken: a mutation of one of its tables was under way, or its files changed.
    """
    started = perf_counter()
    with engine.transaction():
        before = registry.state
        coverage, *others = coverage_now(engine, registry, action)
        derived = DerivedObject(identifier, generation, action, coverage, others=tuple(others))
        engine.create(relation(derived), query(action))
        if coverage.iteration >= 0 and rows_stood(registry, before, coverage.iteration):
            derived = derived.covering(replace(coverage, numbered=coverage.iteration), *others)
        derived = _with_rows_of_files(engine, derived)
        if not _has_same_files(derived):
            raise Overtaken
        derived = replace(derived, build_seconds=perf_counter() - started)
        stored.save(engine, derived)
    derived = replace(derived, bytes_stored=bytes_stored(engine, derived))
    with engine.transaction():
        stored.save(engine, derived)
    return derived


def append_tail(engine: Engine, registry: Registry, tail: Tail, derived: DerivedObject) -> DerivedObject:
    """Append what came since, under the same generation: every snapshot sees object and state rows together.

    Raises:
        Overtaken: a mutation of one of its tables came between, or its files changed; the object has to be rebuilt.
    """
    with engine.transaction():
        now = coverage_now(engine, registry, derived.action, derived)
        pairs = list(zip(derived.coverages, now, strict=True))
        if any(new.mutations != old.mutations or new.files != old.files for old, new in pairs):
            raise Overtaken
        grown = frozenset(place for place, (old, new) in enumerate(pairs) if not old.files and new.rows != old.rows)
        if grown & derived.action.strict:
            raise Overtaken
        before, iteration = registry.state, registry.iteration()
        keeps_numbers = not derived.others and _keeps_numbers(derived.coverage, now[0])
        behind = derived.coverage.unsorted
        if grown:
            known = derived.covering(replace(derived.coverage, dense=True)) if keeps_numbers else derived
            behind += engine.rows(f"INSERT INTO {relation(derived)} {tail(known, grown)}")[0][0]
            keeps_numbers &= rows_stood(registry, before, iteration)
            if known is not derived and not derived.coverage.dense and not keeps_numbers:
                raise Overtaken
            if loose(derived, grown) and not (rows_stood(registry, before, iteration) or _is_complete(engine, derived, now[0])):
                raise Overtaken  # the last row covered may have moved after it was found and before the rows behind it were read
        if not _has_same_files(derived):
            raise Overtaken
        # Density only counts from here on if it held before: an earlier loss may still be compacted away.
        coverages = [old if old.files else replace(new, dense=new.dense and old.dense) for old, new in pairs]
        numbered = coverages[0].iteration if keeps_numbers else -1
        coverages[0] = replace(coverages[0], numbered=numbered, unsorted=behind)
        derived = derived.covering(*coverages)
        stored.save(engine, derived)
    return derived


def _keeps_numbers(old: Coverage, now: Coverage) -> bool:
    """Whether the numbers in a copy are the row ids still, so that those of new rows may be theirs."""
    if old.numbered < 0 or now.iteration < 0 or old.files:
        return False
    return old.dense or old.numbered == old.iteration == now.iteration


def anchor(engine: Engine, registry: Registry, derived: DerivedObject) -> DerivedObject | None:
    """Find the last rows covered anew, after a checkpoint that may have moved them; None if there is nothing to do or it can not be.

    Of an object that may be used: then the rows covered are the first ones of their tables, in their order.
    """
    iteration, before = registry.iteration(), registry.state
    if iteration < 0:
        return None
    places = [place for place, one in enumerate(derived.coverages) if not (one.dense or one.files or one.iteration == iteration)]
    if use(derived, before) is Use.NO or all(one.files or one.iteration == iteration for one in derived.coverages):
        return None
    coverages = [
        replace(one, iteration=iteration, numbered=iteration if one.numbered >= 0 else -1) if one.dense else one
        for one in derived.coverages
    ]
    with engine.transaction():
        for place in places:
            rows = coverages[place].rows
            last = engine.rows(f"SELECT rowid FROM {derived.action.sources[place]} LIMIT 1 OFFSET {rows - 1}") if rows else [(-1,)]
            if not last:
                return None
            numbered = -1
            if coverages[place].numbered >= 0:
                covered = f"FROM {derived.action.sources[place]} WHERE rowid <= {last[0][0]}"
                if engine.rows(f"SELECT coalesce(sum(rowid), 0)::HUGEINT {covered}") == [(coverages[place].row_ids,)]:
                    numbered = iteration
            coverages[place] = replace(coverages[place], high_water=last[0][0], iteration=iteration, numbered=numbered)
        if use(derived, registry.state) is Use.NO or not rows_stood(registry, before, iteration):
            return None
        derived = derived.covering(*coverages)
        if places:
            stored.save(engine, derived)
    return derived


def verify(engine: Engine, registry: Registry, derived: DerivedObject) -> DerivedObject | None:
    """Compare an object of unknown standing with its table, row by row at the speed of a scan.

    Returns the object under the counts of the snapshot in which it was found right, or None if it has to be rebuilt. Only copies
    of one table without lost rows can be compared, for there the row id tells the row; and what was made of files alone is right
    while they are the same.
    """
    if all(isinstance(source, FileScan) for source in derived.action.sources):
        return derived if _has_same_files(derived) else None
    source = derived.action.source
    if derived.others or not derived.coverage.dense:
        return None
    with engine.transaction():
        (now,) = coverage_now(engine, registry, derived.action)
        held = held_types(engine, derived)
        if ORDER_COLUMN not in held:
            return None
        types = column_types(engine, str(source))
        if any(types.get(name) != kind for name, kind in held.items() if name != ORDER_COLUMN):
            return None
        if not is_same(engine, derived, held, derived.coverage.rows, f" WHERE rowid <= {derived.coverage.high_water}"):
            return None
    appends = now.appends if now.rows == derived.coverage.rows else stored.UNKNOWN
    return stored.trusted(derived, appends, now.mutations)


def is_same(engine: Engine, copy: DerivedObject, types: Mapping[str, str], rows: int, where: str = "") -> bool:
    """Whether a copy holds so many rows, and each is the row of the table that has its number as row id.

    Args:
        types: of the copy's columns.
        where: which rows of the table it should hold.
    """
    columns = [name for name in types if name != ORDER_COLUMN]
    held, base = (
        engine.rows(f"SELECT count(*), {hash_sum(columns, types, number)} FROM {source}")
        for source, number in ((relation(copy), quote(ORDER_COLUMN)), (f"{copy.action.source}{where}", "rowid"))
    )
    return held == base and base[0][0] == rows


def column_types(engine: Engine, source: str) -> dict[str, str]:
    """The columns of a table, in their order, with their types."""
    return {name: kind for name, kind, *_ in engine.rows(f"DESCRIBE {source}")}


def held_types(engine: Engine, derived: DerivedObject) -> dict[str, str]:
    """The columns that an object holds, in their order, with their types, but for those that its source does not have."""
    return {name: kind for name, kind in column_types(engine, relation(derived)).items() if name not in derived.action.hidden}


def has_numbers(engine: Engine, derived: DerivedObject) -> bool:
    """Whether it is a copy of one source, which keeps the numbers of the rows."""
    return not derived.others and ORDER_COLUMN in column_types(engine, relation(derived))


def hash_sum(columns: Sequence[str], types: Mapping[str, str], number: str) -> str:
    """The sum of the hashes of rows together with their numbers, as an aggregate."""
    # hash() takes -0.0 and 0.0 for the same; the sign is hashed beside it.
    parts = [quote(column) for column in columns]
    parts += [f"signbit({quote(column)})" for column in columns if types[column] in ("DOUBLE", "FLOAT")]
    return f"sum(hash({', '.join([*parts, number])})::HUGEINT)"


def coverage_now(engine: Engine, registry: Registry, action: Action, since: DerivedObject | None = None) -> tuple[Coverage, ...]:
    """What an object made in the current transaction will cover of each source; begins the transaction's snapshot.

    Args:
        since: the object as it stands. Of a table that only got rows since, no row having moved, only the rows behind those that it
            covers are looked at: all of them take 20 ms at 20 M rows, for each object.

    Raises:
        Overtaken: a mutation of one of the tables was under way, or files are too new to tell a change of them.
    """
    home = action.source.database
    assert all(source.database == home for source in action.others), "the snapshots of two databases do not belong together"
    files = {source: _settled_files(source) for source in action.sources if isinstance(source, FileScan)}
    tables = [source for source in action.sources if isinstance(source, TableName)]
    names = [table.name.lower() for table in tables]
    before, iteration = registry.state, registry.iteration()
    if any(before.mutating(name) for name in names):
        raise Overtaken
    known = _covered_still(since, before, iteration) if since is not None else {}
    bounds: dict[Source, _Bounds] = {}
    after = before
    for place, table in enumerate(tables):
        bounds[table] = _bounds(engine, table, known.get(table))
        if place == 0:
            after = registry.state  # the snapshot has begun: what is committed from now on is not in it, of whatever table
    if any(after.mutating(name) or after.mutations(name) != before.mutations(name) for name in names):
        raise Overtaken
    if not rows_stood(registry, before, iteration):
        iteration = -1
        bounds |= {table: _bounds(engine, table) for table, coverage in known.items() if not coverage.dense}
    return tuple(
        Coverage(-1, 0, False, files=files[source])
        if isinstance(source, FileScan)
        else replace(coverage_of(source.name.lower(), bounds[source], before, after), iteration=iteration)
        for source in action.sources
    )


def _covered_still(derived: DerivedObject, state: RegistryState, iteration: int) -> dict[TableName, Coverage]:
    """The tables of which the rows that an object covers are the first ones still, with the row ids that they had."""
    pairs = zip(derived.action.sources, derived.coverages, strict=True)
    return {
        source: one
        for source, one in pairs
        if isinstance(source, TableName) and one.row_ids >= 0 and are_first(one, state.mutations(source.name.lower()), iteration)
    }


def are_first(covered: Coverage, mutations: int, iteration: int) -> bool:
    """Whether rows covered are the first ones of their table still, with the row ids that they had, at these counts of it."""
    return covered.mutations == mutations and (covered.dense or covered.iteration == iteration >= 0)


def _bounds(engine: Engine, table: TableName, covered: Coverage | None = None) -> _Bounds:
    """Count, largest row id or None, and sum of the row ids of a table.

    Args:
        covered: of its first rows, which need not be read.
    """
    behind = f" WHERE rowid > {covered.high_water}" if covered is not None else ""
    rows, last, row_ids = engine.rows(f"SELECT count(*), max(rowid), coalesce(sum(rowid), 0)::HUGEINT FROM {table}{behind}")[0]
    if covered is None:
        return rows, last, row_ids
    return rows + covered.rows, covered.high_water if last is None else last, row_ids + covered.row_ids


def rows_stood(registry: Registry, before: RegistryState, iteration: int) -> bool:
    """Whether no checkpoint has moved row ids since a moment; only Sartor's own connection writes, and it has not committed since."""
    after = registry.state
    quiet = before.open == before.own and after.open == after.own
    return quiet and (registry.iteration() == iteration if iteration >= 0 else after is before)


def _is_complete(engine: Engine, derived: DerivedObject, now: Coverage) -> bool:
    """Whether a copy holds as many rows as its table. Rows keep their order when they move, so a wrong tail has a wrong length."""
    return has_numbers(engine, derived) and engine.rows(f"SELECT count(*) FROM {relation(derived)}") == [(now.rows,)]


def coverage_of(name: str, bounds: _Bounds, before: RegistryState, after: RegistryState) -> Coverage:
    """What a snapshot that began between two states of the registry covers of a table.

    Args:
        bounds: count, largest row id or None, sum of the row ids.
    """
    rows, last, row_ids = bounds
    high_water = -1 if last is None else int(last)
    settled = not before.appending(name) and before.appends(name) == after.appends(name)
    appends = before.appends(name) if settled else stored.UNKNOWN
    dense = high_water + 1 == rows
    return Coverage(high_water, rows, dense, appends, before.mutations(name), rough=before.rough(name), row_ids=row_ids)


def _settled_files(scan: FileScan) -> Identity:
    files = identity(scan)
    if files is None or not is_settled(files):
        raise Overtaken
    return files


def _has_same_files(derived: DerivedObject) -> bool:
    """Whether the files among its sources, if there are any, are those that its coverages name."""
    pairs = zip(derived.action.sources, derived.coverages, strict=True)
    return all(identity(source) == coverage.files for source, coverage in pairs if isinstance(source, FileScan))


def _with_rows_of_files(engine: Engine, derived: DerivedObject) -> DerivedObject:
    """The object with the rows covered of each scan of files: those of a copy are its own, others are counted."""
    if not any(isinstance(source, FileScan) for source in derived.action.sources):
        return derived
    is_copy = has_numbers(engine, derived)
    coverages = []
    for source, coverage in zip(derived.action.sources, derived.coverages, strict=True):
        if isinstance(source, FileScan):
            rows = engine.rows(f"SELECT count(*) FROM {relation(derived) if is_copy else source}")[0][0]
            coverages.append(replace(coverage, rows=rows))
        else:
            coverages.append(coverage)
    return derived.covering(*coverages)
