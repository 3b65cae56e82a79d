"""What Sartor writes into a database, and the design that names it: built by hand, put in force, dropped.

Each function takes the database first and uses Sartor's own connection under `engine_lock`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sartor.core.analysis import WantedKey
from sartor.core.design import Design
from sartor.core.errors import DatabaseUnavailable
from sartor.core.table import FileScan, Inclusion, TableName
from sartor.freshness import stored
from sartor.freshness.facts import find_key, is_fact, verified_keys
from sartor.freshness.files import known_scans
from sartor.freshness.inclusions import find_inclusion, verified_inclusions

if TYPE_CHECKING:
    from sartor.core.action import Action
    from sartor.core.derived import DerivedObject
    from sartor.interfaces.database import Database


@contextmanager
def own_write(database: Database) -> Iterator[None]:
    """Sartor's own connection is about to write: the file's pair moves, but no table of the user's does."""
    database.touch()
    with own_look(database):
        try:
            yield
        except BaseException:
            _keep_in_step(database)
            raise


@contextmanager
def own_look(database: Database) -> Iterator[None]:
    """Sartor's own connection is about to run what counts as a change and is none, such as EXPLAIN; the file stays as it is."""
    if not database.registry.state.open:
        database.look_for_unseen_writes()  # before they hide behind this window
    window = database.registry.window(own=True)
    try:
        yield
    except BaseException:
        database.registry.write_raised()
        raise
    finally:
        database.settle()
        window.close()


def _keep_in_step(database: Database) -> None:
    """What was committed before an interrupt and not put in force: such objects hold other rows than the design says.

    They are used no more until the next refresh has verified them. Those that are gone leave the design, and what it does not name
    is dropped.
    """
    try:
        found = {(one.identifier, one.generation): one for one in stored.load(database.engine())}
        objects = {one.identifier: one for one in database.design.objects.values() if not one.action.in_memory}
        there = {identifier: found.get((identifier, one.generation)) for identifier, one in objects.items()}
        gone = {identifier for identifier, one in there.items() if one is None}
        other = {one.identifier: one for one in there.values() if one is not None and _rows(one) != _rows(objects[one.identifier])}
        if gone or other:
            left = database.design.without(gone)
            database.publish(replace(left, objects={**left.objects, **other}))
        named = {(one.identifier, one.generation) for one in database.design.objects.values()}
        stored.drop(database.engine(), [one for place, one in found.items() if place not in named])
    except BaseException:
        database.distrust("Sartor was interrupted while it wrote, and again while it looked what came of that")
        raise


def _rows(derived: DerivedObject) -> list[tuple[int, int, int]]:
    """Which rows of its sources an object holds."""
    return [(one.high_water, one.rows, one.unsorted) for one in derived.coverages]


def install(database: Database, action: Action) -> DerivedObject:
    """Build one derived object by hand and put it in force, without a trial."""
    from sartor.components import component, holding
    from sartor.freshness.held import hold
    from sartor.freshness.refresh import build

    with database.engine_lock, own_write(database):
        engine = database.engine()
        stored.prepare(engine)
        identifier = database.next_identifier()
        if action.in_memory:
            derived = hold(engine, database.registry, holding(action.component), action, identifier)
            with engine.transaction():
                stored.save(engine, derived)
        else:
            derived = build(engine, database.registry, component(action.component).build_query, action, identifier)
        replace_object(database, derived)
        if any(isinstance(source, FileScan) for source in action.sources):
            database.define()
        return derived


def install_key(database: Database, source: TableName, columns: frozenset[str]) -> DerivedObject | None:
    """Find a key of a table among these columns by hand and rest on it from now on; None if they hold none."""
    with database.engine_lock, own_write(database):
        engine = database.engine()
        stored.prepare(engine)
        info = database.catalog().info(source)
        if info is None:
            return None
        identifier = database.next_identifier()
        return _rest_on(database, find_key(engine, database.registry, WantedKey(source, columns), info, identifier))


def install_inclusion(database: Database, wanted: Inclusion) -> DerivedObject | None:
    """Look whether an inclusion holds by hand and rest on it from now on; None if it does not."""
    with database.engine_lock, own_write(database):
        engine = database.engine()
        stored.prepare(engine)
        identifier = database.next_identifier()
        return _rest_on(database, find_inclusion(engine, database.registry, wanted, database.catalog(), identifier))


def _rest_on(database: Database, fact: DerivedObject | None) -> DerivedObject | None:
    """Keep a fact and put it in force, if there is one."""
    if fact is not None:
        with database.engine().transaction():
            stored.save(database.engine(), fact)
        replace_object(database, fact)
        database.define()
    return fact


def publish_and_save(database: Database, design: Design) -> None:
    """Put a design in force and keep what its trials chose in the file."""
    before, after = database.design.objects.values(), design.objects.values()
    database.publish(design)
    if _known(before) != _known(after):
        database.define()
    if design.objects:
        stored.save_choices(database.engine(), design)


def _known(objects: Collection[DerivedObject]) -> object:
    """What the analysis of statements rests on of some objects."""
    return verified_keys(objects), frozenset(verified_inclusions(objects)), known_scans(objects)


def replace_object(database: Database, derived: DerivedObject) -> None:
    design = database.design
    database.publish(replace(design, objects={**design.objects, derived.identifier: derived}, version=design.version + 1))


def drop_objects(database: Database, objects: list[DerivedObject]) -> None:
    design = database.design.without({derived.identifier for derived in objects})
    database.publish(design)
    if any(is_fact(derived) for derived in objects):
        database.define()
    stored.drop(database.engine(), objects)
    stored.save_choices(database.engine(), design)


def require_writable(database: Database) -> None:
    if database.opened.read_only:
        raise DatabaseUnavailable("the database was opened read-only; open it for writing to change what is built")
