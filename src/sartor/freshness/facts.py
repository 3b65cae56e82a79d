"""Facts about the data that analyses may rest on: that some columns of a table are a key, though nobody declared it.

A fact is a derived object without a table: it has a coverage, and it holds in a snapshot exactly if it covers every row of its
table there. Appended rows are looked at in the next refresh; until then whatever rests on the fact runs plain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from time import perf_counter

from sartor.core.action import Action
from sartor.core.analysis import WantedKey
from sartor.core.constants import KEY_DISTINCT_SHARE, KEY_FIRST_ROWS
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.table import TableInfo, TableName, quote
from sartor.engines.base import Engine
from sartor.freshness.refresh import are_first, coverage_now
from sartor.freshness.registry import Registry

UNIQUE_KEY, INCLUSION = "unique_key", "inclusion"  # what stands in the place of a component's name

Facts = Mapping[TableName, Mapping[frozenset[str], int]]


def is_fact(derived: DerivedObject) -> bool:
    """Whether an object is a fact, which has no table and serves nothing by itself."""
    return derived.action.component in (UNIQUE_KEY, INCLUSION)


def is_inclusion(derived: DerivedObject) -> bool:
    """Whether an object is the fact that each row of a table has exactly one of another: see `freshness.inclusions`."""
    return derived.action.component == INCLUSION


def is_key(derived: DerivedObject) -> bool:
    """Whether an object is the fact that some columns of a table are a key."""
    return derived.action.component == UNIQUE_KEY


def verified_keys(objects: Iterable[DerivedObject]) -> Facts:
    """The keys that are facts, in lower case, with their identifiers."""
    found: dict[TableName, dict[frozenset[str], int]] = {}
    for derived in objects:
        if is_key(derived) and isinstance(derived.action.source, TableName):
            key = frozenset(name.lower() for name in derived.action.get("key"))
            found.setdefault(derived.action.source, {})[key] = derived.identifier
    return found


def find_key(engine: Engine, registry: Registry, wanted: WantedKey, info: TableInfo, identifier: int) -> DerivedObject | None:
    """The smallest of the wanted columns that are a key of the table as it is now; None if all of them together are none.

    Raises:
        Overtaken: a mutation of the table was under way.
    """
    names = tuple(column.name for column in info.columns if column.name.lower() in wanted.columns)
    if not names or not _may_be_key(names, info) or not _is_unique_at_first(engine, str(wanted.source), names):
        return None
    for size in dict.fromkeys((1, 2, len(names))):
        for columns in combinations(names, size):
            if not _may_be_key(columns, info) or not _is_unique_at_first(engine, str(wanted.source), columns):
                continue
            action = Action(UNIQUE_KEY, wanted.source, (("key", columns),))
            found = checked(engine, registry, DerivedObject(identifier, 1, action, Coverage(-1, 0, True)))
            if found is not None:
                return found
    return None


def checked(engine: Engine, registry: Registry, fact: DerivedObject) -> DerivedObject | None:
    """The same fact for the table as it is now; None if it does not hold any more.

    Where the table only grew no more than what came since is looked at.

    Raises:
        Overtaken: a mutation of the table was under way.
    """
    started = perf_counter()
    columns = [quote(name) for name in fact.action.get("key")]
    source = str(fact.action.source)
    with engine.transaction():
        (coverage,) = coverage_now(engine, registry, fact.action, fact)
        holds = is_unique(engine, source, columns, known_up_to(fact.coverage, coverage))
    spent = fact.build_seconds + perf_counter() - started
    return DerivedObject(fact.identifier, fact.generation, fact.action, coverage, 0, spent) if holds else None


def known_up_to(covered: Coverage, now: Coverage) -> int:
    """The row id up to which a fact tells of a table's rows still; -1 if of none."""
    return covered.high_water if are_first(covered, now.mutations, now.iteration) else -1


def is_unique(engine: Engine, source: str, columns: list[str], last: int) -> bool:
    """Whether no two rows of a table are equal in some columns, and none is NULL in one of them.

    Args:
        columns: quoted.
        last: up to this row id they are known to be so.
    """
    if last >= 0:
        return _is_unique(engine, source, columns, last)
    return _increases(engine, source, columns) or _is_unique(engine, source, columns, last)


def _may_be_key(columns: tuple[str, ...], info: TableInfo) -> bool:
    """Whether the columns have about as many values as the table has rows, by the catalog's statistics."""
    values = 1.0
    for column in columns:
        values *= info.distinct.get(column.lower(), 0)
    return values >= info.rows * KEY_DISTINCT_SHARE.default


def _is_unique_at_first(engine: Engine, source: str, columns: tuple[str, ...]) -> bool:
    """Whether no two of the first rows are equal in the columns: most of what is no key is found out by them."""
    names = ", ".join(quote(name) for name in columns)
    first = f"SELECT {names} FROM {source} LIMIT {int(KEY_FIRST_ROWS.default)}"
    return not engine.rows(f"SELECT 1 FROM ({first}) GROUP BY {names} HAVING count(*) > 1 LIMIT 1")


def _increases(engine: Engine, source: str, columns: list[str]) -> bool:
    """Whether the columns rise from each row to the next: keys that a system gives out do, and it is told at scan speed."""
    before = [f"before_{place}" for place in range(len(columns))]
    lagged = ", ".join(f"lag({column}) OVER () AS {name}" for column, name in zip(columns, before, strict=True))
    rises = "false"
    for column, name in zip(reversed(columns), reversed(before), strict=True):
        rises = f"({column} > {name} OR ({column} = {name} AND {rises}))"
    missing = " OR ".join(f"{column} IS NULL" for column in columns)
    answer = engine.rows(
        f"SELECT coalesce(bool_and({rises}), true), coalesce(bool_or({missing}), false) "
        f"FROM (SELECT {', '.join(columns)}, {lagged} FROM {source})"
    )
    return answer == [(True, False)]


def _is_unique(engine: Engine, source: str, columns: list[str], last: int) -> bool:
    names, behind = ", ".join(columns), f"rowid > {last}" if last >= 0 else "true"
    missing = " OR ".join(f"{column} IS NULL" for column in columns)
    if engine.rows(f"SELECT 1 FROM {source} WHERE {behind} AND ({missing}) LIMIT 1"):
        return False
    # DuckDB hands the new values down to the scan as a range, so that most of the table is not read where keys rise.
    alike = f"(SELECT {names} FROM {source} SEMI JOIN (SELECT {names} FROM {source} WHERE {behind}) USING ({names}))"
    return not engine.rows(f"SELECT 1 FROM {alike if last >= 0 else source} GROUP BY {names} HAVING count(*) > 1 LIMIT 1")
