"""Objects of several tables: used only while each of their sources allows it, and appended to by what any of them got."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

import sartor
import sartor.components
from sartor.components.sort_keys import SORT_KEYS
from sartor.core.action import Action, Estimate
from sartor.core.analysis import Analysis
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.design import Alternative, Design, Replacement
from sartor.core.ordered import OrderedQuery
from sartor.core.table import Catalog, FileScan, TableName
from sartor.engines.base import Engine
from sartor.freshness import refresh, stored
from sartor.freshness.changes import Change, Unmended
from sartor.freshness.files import identity
from sartor.freshness.refresh import Overtaken
from sartor.freshness.registry import Registry
from sartor.freshness.residual import appended_since, covered_before, relation
from sartor.freshness.usable import Use, moved, unchanged, use
from sartor.interfaces.database import Database
from sartor.interfaces.writing import own_write
from sartor.tuner.steps import name_of
from sartor.workload.workload import Workload
from tests.freshness.support import database_of

ONE, TWO = TableName("memory", "main", "one"), TableName("memory", "main", "Two")
JOINED = "SELECT one.a, two.b FROM one JOIN two ON one.k = two.k"
COUNT = 40


class Joined:
    """A component whose objects hold the rows of a join of two tables, with a residual of two terms."""

    name = "joined"
    answers_untried = True

    def propose(self, workload: Workload, catalog: Catalog) -> Sequence[Action]:
        return ()

    def estimate(self, actions: Sequence[Action], workload: Workload, catalog: Catalog, engine: Engine) -> Sequence[Estimate]:
        return ()

    def build_query(self, action: Action) -> OrderedQuery:
        return OrderedQuery(JOINED)

    def tail_query(self, derived: DerivedObject, moved: frozenset[int]) -> str:
        terms = []
        if 0 in moved:
            terms.append(f"{JOINED} WHERE {appended_since(derived, 0, 'one.rowid')}")
        if 1 in moved:
            old = f" AND {covered_before(derived, 0, 'one.rowid')}" if 0 in moved else ""
            terms.append(f"{JOINED} WHERE {appended_since(derived, 1, 'two.rowid')}{old}")
        return " UNION ALL ".join(terms)

    def mend(self, engine: Engine, derived: DerivedObject, changes: Mapping[int, Change]) -> int:
        raise Unmended

    def alternatives(self, analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
        return ()


@pytest.fixture(autouse=True)
def _with_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sartor.components, "COMPONENTS", (SORT_KEYS, Joined()))


@pytest.fixture
def connection() -> Iterator[Any]:
    with sartor.connect() as con:
        yield filled(con)


def filled(con: Any) -> Any:
    for name, value in (("one", "a"), ("two", "b")):
        con.execute(f"CREATE TABLE {name} AS SELECT range % 10 AS k, range AS {value} FROM range({COUNT})")
    return con


def join_of(con: Any, *, typed: bool = False) -> DerivedObject:
    database = database_of(con)
    one, two = (TableName(database.engine().database, "main", name) for name in ("one", "two"))
    columns = (("k", "BIGINT"), ("a", "BIGINT")), (("k", "BIGINT"), ("b", "BIGINT"))
    definition: tuple[tuple[str, Any], ...] = (("schemas", columns),) if typed else ()
    return database.install(Action("joined", one, definition, others=(two,)))


def in_force(con: Any) -> tuple[DerivedObject, Use]:
    database = database_of(con)
    (derived,) = database.design.objects.values()
    return derived, use(derived, database.registry.state)


def served(con: Any) -> list[Any]:
    """The rows of the object and of the terms for what has moved since, by one statement."""
    database = database_of(con)
    derived, how = in_force(con)
    text = f"FROM {relation(derived)}"
    places = moved(derived, database.registry.state)
    assert bool(places) == (how is Use.RESIDUAL)
    if places:
        text += f" UNION ALL {Joined().tail_query(derived, places)}"
    return sorted(database.engine().rows(text))


def right(con: Any) -> list[Any]:
    return sorted(database_of(con).engine().rows(JOINED))


# Use and moved ----------------------------------------------------------------------------------------------------


def two_of(first: Coverage = Coverage(9, 10, True), second: Coverage = Coverage(4, 5, True)) -> DerivedObject:  # noqa: B008
    return DerivedObject(1, 1, Action("joined", ONE, (), others=(TWO,)), first, others=(second,))


def after(registry: Registry, *windows: dict[str, frozenset[str]]) -> Any:
    for window in windows:
        registry.window(**window).close()
    return registry.state


APPEND_ONE, APPEND_TWO = {"appends": frozenset({"one"})}, {"appends": frozenset({"two"})}
CHANGE_ONE, CHANGE_TWO = {"mutates": frozenset({"one"})}, {"mutates": frozenset({"two"})}


@pytest.mark.parametrize(
    ("windows", "how", "places"),
    [
        ((), Use.WHOLE, set()),
        ((APPEND_ONE,), Use.RESIDUAL, {0}),
        ((APPEND_TWO,), Use.RESIDUAL, {1}),
        ((APPEND_ONE, APPEND_TWO), Use.RESIDUAL, {0, 1}),
        ((CHANGE_ONE,), Use.NO, None),
        ((CHANGE_TWO,), Use.NO, None),
        ((APPEND_ONE, CHANGE_TWO), Use.NO, None),
        ((CHANGE_ONE, APPEND_TWO), Use.NO, None),
        (({"appends": frozenset({"three"})}, {"mutates": frozenset({"three"})}), Use.WHOLE, set()),
    ],
)
def test_every_source_has_a_say(windows: Any, how: Use, places: set[int] | None) -> None:
    state = after(Registry(), *windows)
    assert use(two_of(), state) is how
    if places is not None:
        assert moved(two_of(), state) == places


def test_open_windows_count_and_so_does_an_unknown_count() -> None:
    registry = Registry()
    unknown = two_of(second=Coverage(4, 5, True, appends=stored.UNKNOWN))
    assert (use(unknown, registry.state), moved(unknown, registry.state)) == (Use.RESIDUAL, {1})
    appending = registry.window(appends=frozenset({"two"}))
    assert (use(two_of(), registry.state), moved(two_of(), registry.state)) == (Use.RESIDUAL, {1})
    everything = registry.window(everything=True)
    assert use(two_of(), registry.state) is Use.NO
    everything.close()
    appending.close()
    assert use(stored.trusted(two_of(), 0, stored.UNKNOWN), Registry().state) is Use.NO
    registry = Registry()
    registry.distrust("a test")
    assert use(two_of(), registry.state) is Use.NO


@pytest.mark.parametrize(
    ("before", "later", "stands"),
    [
        ((), (), True),
        ((), (APPEND_ONE,), False),
        ((), (APPEND_TWO,), False),
        ((APPEND_ONE,), (APPEND_ONE,), True),
        ((APPEND_ONE,), (APPEND_TWO,), False),
        ((APPEND_TWO,), (APPEND_ONE,), False),
        ((APPEND_TWO,), (APPEND_TWO,), True),
        ((APPEND_ONE, APPEND_TWO), (APPEND_TWO, APPEND_ONE), True),
        ((APPEND_ONE, APPEND_TWO), (CHANGE_TWO,), False),
        ((APPEND_ONE,), (CHANGE_ONE,), False),
        ((), (CHANGE_TWO,), False),
    ],
)
def test_an_answer_stands_while_only_what_the_residual_has_terms_for_moves(before: Any, later: Any, stands: bool) -> None:
    registry = Registry()
    sent = after(registry, *before)
    how = use(two_of(), sent)
    begun = after(registry, *later)
    assert unchanged([(two_of(), how)], sent, begun) is stands
    assert unchanged([(two_of(), how), (two_of(), how)], sent, sent)


def test_files_beside_a_table_are_looked_at_each_time(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("k\n1\n")
    scan = FileScan(f"'{path}'", str(path), "csv", "memory")
    action = Action("joined", ONE, (), others=(scan,))
    derived = DerivedObject(1, 1, action, Coverage(9, 10, True), others=(Coverage(-1, 0, False, files=identity(scan) or ()),))
    state = after(Registry(), APPEND_ONE)
    assert (use(derived, state), moved(derived, state)) == (Use.RESIDUAL, {0})
    assert unchanged([(derived, Use.RESIDUAL)], state, state)
    path.write_text("k\n1\n2\n")
    assert use(derived, state) is Use.NO
    assert not unchanged([(derived, Use.RESIDUAL)], state, state)


def test_a_coverage_for_each_source() -> None:
    with pytest.raises(ValueError, match="1 coverages for 2 sources"):
        replace(two_of(), others=())
    assert two_of().coverages == (two_of().coverage, *two_of().others)
    assert name_of(two_of().action) == "joined of memory.main.one, memory.main.Two"


# Which rows are covered -------------------------------------------------------------------------------------------


def told_apart(con: Any, derived: DerivedObject, place: int) -> tuple[int, int]:
    """How many rows of a table are told to be covered, and how many to be new; no row may be both or neither."""
    table, row = derived.action.sources[place], '"x".rowid'
    new, old = appended_since(derived, place, row), covered_before(derived, place, row)
    numbers = f"count(*) FILTER ({old}), count(*) FILTER ({new}), count(*), count(*) FILTER (({old}) = ({new}))"
    covered, appended, every, wrong = database_of(con).engine().rows(f'SELECT {numbers} FROM {table} AS "x"')[0]
    assert (covered + appended, wrong) == (every, 0)
    assert database_of(con).engine().rows(f"SELECT count(*) FROM {table} WHERE {appended_since(derived, place)}") == [(appended,)]
    return covered, appended


def test_each_place_has_a_high_water_of_its_own(connection: Any) -> None:
    derived = join_of(connection)
    connection.execute("INSERT INTO two SELECT 1, range FROM range(3)")
    assert told_apart(connection, derived, 0) == (COUNT, 0)
    assert told_apart(connection, derived, 1) == (COUNT, 3)


def test_a_table_that_was_empty(connection: Any) -> None:
    connection.execute("TRUNCATE two")
    derived = join_of(connection)
    assert derived.others == (replace(derived.others[0], high_water=-1, rows=0, dense=True),)
    connection.execute("INSERT INTO two SELECT 1, range FROM range(3)")
    assert told_apart(connection, derived, 1) == (0, 3)


def test_no_row_covered_of_a_table_that_is_not_dense(connection: Any) -> None:
    """It can not come about by itself; an offset of -1 would raise."""
    database = database_of(connection)
    connection.execute("CREATE OR REPLACE TABLE two (k BIGINT, b BIGINT)")
    derived = join_of(connection)
    derived = derived.covering(derived.coverage, replace(derived.others[0], dense=False))
    assert told_apart(connection, derived, 1) == (0, 0)
    connection.execute("INSERT INTO two SELECT 1, range FROM range(3)")
    assert told_apart(connection, derived, 1) == (0, 3)
    with database.engine_lock, own_write(database):
        later = refresh.append_tail(database.engine(), database.registry, Joined().tail_query, derived)
    assert not later.others[0].dense
    connection.execute("INSERT INTO two SELECT 1, range FROM range(2)")
    assert told_apart(connection, later, 1) == (3, 2)
    assert told_apart(connection, derived, 1) == (3, 2), "a text that was made before the tail was appended"


def test_each_place_is_anchored_by_its_own_density(tmp_path: Path) -> None:
    """A checkpoint moves what is left of one table down; of the other nothing moves."""
    path = tmp_path / "t.duckdb"
    with sartor.connect(path) as con:
        filled(con)
        con.execute("INSERT INTO two SELECT range % 10, range FROM range(300_000)")
        con.execute("DELETE FROM two WHERE b % 10 <> 0")
        derived = join_of(con)
        assert [coverage.dense for coverage in derived.coverages] == [True, False]
    with sartor.connect(path) as con:
        con.execute("CHECKPOINT")
        con.execute("INSERT INTO two SELECT range, range FROM range(10)")
        (derived,) = database_of(con).design.objects.values()
        high_water = derived.others[0].high_water
        assert database_of(con).engine().rows("SELECT max(rowid) FROM two")[0][0] < high_water, "rows did not move"
        assert told_apart(con, derived, 0) == (COUNT, 0)
        assert told_apart(con, derived, 1) == (derived.others[0].rows, 10)
        assert served(con) == right(con)
        con.refresh()
        assert in_force(con)[1] is Use.WHOLE
        assert served(con) == right(con)


# Stored -----------------------------------------------------------------------------------------------------------


def test_what_is_stored_is_what_is_loaded(connection: Any) -> None:
    database = database_of(connection)
    engine = database.engine()
    derived = join_of(connection, typed=True)
    assert stored.load(engine) == [stored.trusted(derived, stored.UNKNOWN, stored.UNKNOWN)]
    scan = FileScan("'x.csv'", "x.csv", "csv", "memory")
    other = Action("joined", scan, (("schemas", ((("k", "BIGINT"),), ())),), frozenset({"t"}), (derived.action.source, TWO))
    files = Coverage(-1, 7, False, files=(("x.csv", 1, 2, 3),))
    three = DerivedObject(9, 2, other, files, 5, 0.5, (Coverage(3, 4, True), Coverage(9, 2, False)))
    with database.engine_lock, own_write(database):
        stored.save(engine, three)
        stored.save(engine, three)
    assert engine.rows("SELECT count(*) FROM sartor.state") == [(5,)]
    assert stored.load(engine)[1] == stored.trusted(three, stored.UNKNOWN, stored.UNKNOWN)
    with database.engine_lock, own_write(database):
        engine.execute("DELETE FROM sartor.state WHERE identifier = 9 AND place = 1")
        assert [item.identifier for item in stored.load(engine)] == [derived.identifier]
        stored.drop(engine, [three, derived])
    assert engine.rows("SELECT count(*) FROM sartor.state") == [(0,)]


def test_choices_of_blocks(connection: Any) -> None:
    database = database_of(connection)
    join_of(connection)
    choices: dict[str, Alternative] = {"one": (Replacement(0, 1), Replacement(2, 1, block=True)), "none": ()}
    with database.engine_lock, own_write(database):
        stored.save_choices(database.engine(), Design({}, choices))
    assert stored.load_choices(database.engine()) == (choices, {})


# Building and appending -------------------------------------------------------------------------------------------


class Between:
    """An engine that lets something happen after its first query."""

    def __init__(self, engine: Engine, then: Any) -> None:
        self._engine, self._then = engine, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def rows(self, *arguments: Any) -> Any:
        found = self._engine.rows(*arguments)
        then, self._then = self._then, None
        if then is not None:
            then()
        return found


def coverage_between(con: Any, derived: DerivedObject, text: str) -> tuple[Coverage, ...]:
    """The coverages that are stamped while a statement runs after the first query of their transaction."""
    database = database_of(con)
    engine = cast(Any, Between(database.engine(), lambda: con.execute(text)))
    with database.engine_lock, own_write(database), engine.transaction():
        return refresh.coverage_now(engine, database.registry, derived.action)


def test_all_sources_are_stamped_with_one_snapshot(connection: Any) -> None:
    derived = join_of(connection)
    assert coverage_between(connection, derived, "SELECT 1") == derived.coverages
    found = coverage_between(connection, derived, "INSERT INTO two SELECT 1, 1")
    assert [coverage.rows for coverage in found] == [COUNT, COUNT]
    state = database_of(connection).registry.state
    assert moved(derived.covering(*found), state) == {1}
    with pytest.raises(Overtaken):
        coverage_between(connection, derived, "DELETE FROM two WHERE b = 3")


def test_nothing_is_built_while_a_source_is_mutated(connection: Any) -> None:
    database = database_of(connection)
    derived = join_of(connection)
    for name in ("one", "two"):
        window = database.registry.window(mutates=frozenset({name}))
        with pytest.raises(Overtaken):
            join_of(connection)
        window.close()
        with pytest.raises(Overtaken), database.engine_lock, own_write(database):
            refresh.append_tail(database.engine(), database.registry, Joined().tail_query, derived)
    assert database.engine().rows("SELECT count(*) FROM sartor.state") == [(2,)]


@pytest.mark.parametrize("seed", range(4))
def test_object_and_residual_are_the_join_after_whatever_happens(seed: int, connection: Any) -> None:
    draw = random.Random(seed)
    join_of(connection)
    seen = set()
    for number in range(60):
        table = draw.choice(("one", "two"))
        match draw.randrange(8):
            case 0 | 1 | 2 | 3:
                connection.execute(f"INSERT INTO {table} SELECT range % 10, {number} FROM range({draw.randrange(4)})")
            case 4:
                connection.execute(f"DELETE FROM {table} WHERE k = {draw.randrange(10)} AND rowid % 2 = 0")
            case 5:
                connection.execute("BEGIN; INSERT INTO one VALUES (1, 1); INSERT INTO two VALUES (1, 1); ROLLBACK")
            case _:
                connection.refresh()
                assert in_force(connection)[1] is Use.WHOLE
        how = in_force(connection)[1]
        seen.add(how)
        if how is not Use.NO:
            assert served(connection) == right(connection)
    assert seen == set(Use)


def test_a_refresh_appends_only_what_moved_and_keeps_the_generation(connection: Any) -> None:
    derived = join_of(connection)
    connection.execute("INSERT INTO two VALUES (3, 100)")
    assert connection.refresh() == 1
    fresh, how = in_force(connection)
    assert (how, fresh.generation) == (Use.WHOLE, derived.generation)
    assert fresh.coverage == replace(derived.coverage, unsorted=4)
    assert fresh.others[0].rows == COUNT + 1
    assert stored.load(database_of(connection).engine()) == [stored.trusted(fresh, stored.UNKNOWN, stored.UNKNOWN)]
    assert served(connection) == right(connection)


@pytest.mark.parametrize("table", ["one", "two"])
def test_a_mutation_of_any_table_rebuilds(connection: Any, table: str) -> None:
    join_of(connection, typed=True)
    connection.execute(f"UPDATE {table} SET k = 3 WHERE k = 4")
    assert in_force(connection)[1] is Use.NO
    connection.refresh()
    derived, how = in_force(connection)
    assert (how, derived.generation) == (Use.WHOLE, 2)
    assert served(connection) == right(connection)


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE two",
        "ALTER TABLE one ALTER a TYPE INTEGER",
        "ALTER TABLE two RENAME b TO c",
        "ALTER TABLE two ALTER b TYPE VARCHAR",
    ],
)
def test_without_its_tables_as_they_were_it_is_dropped(connection: Any, change: str) -> None:
    join_of(connection, typed=True)
    connection.execute(change)
    connection.refresh()
    assert not database_of(connection).design.objects
    assert stored.load(database_of(connection).engine()) == []


def test_a_further_column_does_no_harm(connection: Any) -> None:
    join_of(connection, typed=True)
    connection.execute("ALTER TABLE two ADD COLUMN c INTEGER")
    connection.refresh()
    assert in_force(connection)[1] is Use.WHOLE


def test_the_design_names_all_its_tables(connection: Any) -> None:
    join_of(connection)
    (line,) = connection.design().lines
    assert line.source == "memory.main.one, memory.main.two"
    assert line.rows == 2 * COUNT


# Across processes -------------------------------------------------------------------------------------------------


def test_after_a_clean_close_what_had_moved_is_not_known_any_more(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with sartor.connect(path) as con:
        join_of(filled(con))
    with sartor.connect(path) as con:
        assert in_force(con)[1] is Use.WHOLE
        con.execute("INSERT INTO two VALUES (3, 100)")
    with sartor.connect(path) as con:
        derived, how = in_force(con)
        assert how is Use.RESIDUAL
        assert moved(derived, database_of(con).registry.state) == {0, 1}
        assert served(con) == right(con)
        con.refresh()
        assert in_force(con)[1] is Use.WHOLE
        assert served(con) == right(con)


def test_what_is_distrusted_is_rebuilt(connection: Any) -> None:
    derived = join_of(connection)
    database: Database = database_of(connection)
    assert refresh.verify(database.engine(), database.registry, derived) is None
    database.distrust("a test")
    assert in_force(connection)[1] is Use.NO
    connection.refresh()
    assert in_force(connection)[0].generation == 2
    assert served(connection) == right(connection)
