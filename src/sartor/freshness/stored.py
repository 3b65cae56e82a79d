"""What Sartor keeps inside the user's file: one schema, with the state of each derived object beside the objects.

A schema of an earlier shape holds nothing that is read; `prepare` puts a new one in its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from sartor.core.action import Action
from sartor.core.derived import SCHEMA, STATE_TABLE, Coverage, DerivedObject
from sartor.core.design import Alternative, Design, Replacement
from sartor.core.errors import DatabaseUnavailable
from sartor.core.table import FileScan, Source, TableName, quote
from sartor.engines.base import Engine

_CHOICES, _TOKEN = "choices", "token"
_STATE = {
    "identifier": "BIGINT",
    "generation": "BIGINT",
    "place": "BIGINT",
    "action": "VARCHAR",
    "high_water": "BIGINT",
    "rows_covered": "BIGINT",
    "dense": "BOOLEAN",
    "files": "VARCHAR",
    "unsorted": "BIGINT",
    "bytes_stored": "BIGINT",
    "build_seconds": "DOUBLE",
}
_FORMER = (  # when an object derived from one source; when nobody knew what stood behind the sorted rows
    tuple(name for name in _STATE if name not in ("place", "unsorted")),
    tuple(name for name in _STATE if name != "unsorted"),
)
UNKNOWN = -1  # a count that no registry ever shows: the object is not used until it is verified or refreshed


def prepare(engine: Engine) -> None:
    """Make the schema and its tables, if they are not there; what is there in a former shape is dropped.

    Raises:
        DatabaseUnavailable: the user has a schema of that name, or a database: DuckDB takes `sartor.sartor` for ambiguous.
    """
    if engine.database.lower() == SCHEMA:
        raise DatabaseUnavailable(f"a database named {SCHEMA} can not be tuned; rename the file, then tune again")
    if _exists(engine):
        return
    former = _is_former(engine)
    if not former and engine.rows(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [engine.database, SCHEMA],
    ):
        raise DatabaseUnavailable(f"the database has a schema named {SCHEMA} that Sartor did not make; rename it, then tune again")
    columns = ", ".join(f"{name} {kind}" for name, kind in _STATE.items())
    with engine.transaction():
        if former:
            engine.execute(f"DROP SCHEMA {_schema(engine)} CASCADE")
        engine.execute(f"CREATE SCHEMA {_schema(engine)}")
        engine.execute(f"CREATE TABLE {_table(engine, STATE_TABLE)} ({columns})")
        engine.execute(f"CREATE TABLE {_table(engine, _CHOICES)} (digest VARCHAR, alternative VARCHAR)")
        engine.execute(f"CREATE TABLE {_table(engine, _TOKEN)} (token VARCHAR)")


def load(engine: Engine) -> list[DerivedObject]:
    """All derived objects of the file, none of which is trusted yet."""
    if not _exists(engine):
        return []
    rows = engine.rows(f"SELECT {', '.join(_STATE)} FROM {_table(engine, STATE_TABLE)} ORDER BY identifier, generation, place")
    found = (_read(list(places), engine.database) for _, places in groupby(rows, key=lambda row: row[:2]))
    return [derived for derived in found if derived is not None]


def save(engine: Engine, derived: DerivedObject) -> None:
    """Write an object's rows, one for each source; part of the transaction that builds the object."""
    forget(engine, derived)
    action = json.dumps(_action_document(derived.action))
    rows: list[list[Any]] = [
        [
            derived.identifier,
            derived.generation,
            place,
            action,
            coverage.high_water,
            coverage.rows,
            coverage.dense,
            json.dumps(coverage.files),
            coverage.unsorted,
            derived.bytes_stored,
            derived.build_seconds,
        ]
        for place, coverage in enumerate(derived.coverages)
    ]
    values = ", ".join([f"({', '.join('?' * len(_STATE))})"] * len(rows))
    engine.execute(f"INSERT INTO {_table(engine, STATE_TABLE)} VALUES {values}", [value for row in rows for value in row])


def forget(engine: Engine, derived: DerivedObject) -> None:
    engine.execute(
        f"DELETE FROM {_table(engine, STATE_TABLE)} WHERE identifier = ? AND generation = ?",
        [derived.identifier, derived.generation],
    )


def drop(engine: Engine, objects: Iterable[DerivedObject]) -> None:
    """Drop objects with their rows, in one transaction."""
    with engine.transaction():
        for derived in objects:
            engine.execute(f"DROP TABLE IF EXISTS {_table(engine, derived.table)}")
            forget(engine, derived)


def drop_everything(engine: Engine) -> None:
    """Leave exactly the user's objects in the file."""
    if _exists(engine) or _is_former(engine):
        engine.execute(f"DROP SCHEMA {_schema(engine)} CASCADE")


def save_choices(engine: Engine, design: Design) -> None:
    """Replace what the trials chose and what it saves, in one transaction."""
    with engine.transaction():
        engine.execute(f"DELETE FROM {_table(engine, _CHOICES)}")
        for digest, alternative in design.choices.items():
            replacements = [[item.reference, item.object, item.block] for item in alternative]
            document = json.dumps({"replacements": replacements, "saved": design.saved.get(digest)})
            engine.execute(f"INSERT INTO {_table(engine, _CHOICES)} VALUES (?, ?)", [digest, document])


def load_choices(engine: Engine) -> tuple[dict[str, Alternative], dict[str, float]]:
    """What the trials chose, and the seconds that it saves on each run where that is known; both per template digest."""
    choices: dict[str, Alternative] = {}
    saved: dict[str, float] = {}
    for digest, text in engine.rows(f"SELECT digest, alternative FROM {_table(engine, _CHOICES)}") if _exists(engine) else ():
        document = json.loads(text)
        if isinstance(document, list):  # as written before savings were kept
            document = {"replacements": document}
        choices[digest] = tuple(Replacement(*item) for item in document["replacements"])
        if document.get("saved") is not None:
            saved[digest] = document["saved"]
    return choices, saved


def save_token(engine: Engine, token: str) -> None:
    """Write the mark that a record of a clean close must match."""
    with engine.transaction():
        engine.execute(f"DELETE FROM {_table(engine, _TOKEN)}")
        engine.execute(f"INSERT INTO {_table(engine, _TOKEN)} VALUES (?)", [token])


def load_token(engine: Engine) -> str:
    rows = engine.rows(f"SELECT token FROM {_table(engine, _TOKEN)}") if _exists(engine) else []
    return rows[0][0] if rows else ""


def _schema(engine: Engine) -> str:
    """The schema's full name, which means the same whatever else is attached."""
    return f"{quote(engine.database)}.{quote(SCHEMA)}"


def _table(engine: Engine, name: str) -> str:
    return f"{_schema(engine)}.{quote(name)}"


def _exists(engine: Engine) -> bool:
    return _state_columns(engine) == tuple(_STATE)


def _is_former(engine: Engine) -> bool:
    return _state_columns(engine) in _FORMER


def _state_columns(engine: Engine) -> tuple[str, ...]:
    """The names of the state table's columns; none if there is no such table."""
    rows = engine.rows(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? AND table_name = ? "
        "ORDER BY column_index",
        [engine.database, SCHEMA, STATE_TABLE],
    )
    return tuple(row[0] for row in rows)


def _read(rows: list[tuple[Any, ...]], database: str) -> DerivedObject | None:
    """An object from its rows, in the order of their places; None if there is not one for each source."""
    identifier, generation, _, document, *_, size, seconds = rows[0]
    action = _action(json.loads(document), database)
    if [row[2] for row in rows] != list(range(len(action.sources))):
        return None
    coverage, *others = (_coverage(*row[4:9]) for row in rows)
    return DerivedObject(identifier, generation, action, coverage, size, seconds, tuple(others))


def _coverage(high_water: int, rows: int, dense: bool, files: str, unsorted: int) -> Coverage:
    stamp = tuple((path, length, time, inode) for path, length, time, inode in json.loads(files))
    return Coverage(high_water, rows, dense, UNKNOWN, UNKNOWN, stamp, unsorted=unsorted)


def _action_document(action: Action) -> dict[str, Any]:
    return {
        "component": action.component,
        "source": _source_document(action.source),
        "definition": [[name, value] for name, value in action.definition],
        "templates": sorted(action.templates),
        "others": [_source_document(source) for source in action.others],
        "strict": sorted(action.strict),
    }


def _action(document: dict[str, Any], database: str) -> Action:
    definition = tuple((name, _frozen(value)) for name, value in document["definition"])
    others = tuple(_source(place, database) for place in document["others"])
    source, templates = _source(document["source"], database), frozenset(document["templates"])
    return Action(document["component"], source, definition, templates, others, frozenset(document.get("strict", ())))


def _source_document(source: Source) -> dict[str, str]:
    if isinstance(source, TableName):
        return {"schema": source.schema, "name": source.name}
    return {"text": source.text, "pattern": source.pattern, "kind": source.kind}


def _source(document: dict[str, str], database: str) -> Source:
    return TableName(database, **document) if "schema" in document else FileScan(**document, database=database)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def trusted(derived: DerivedObject, appends: int, mutations: int) -> DerivedObject:
    """The same object under the counts of a registry that vouches for it, for each of its sources."""
    return derived.covering(
        *(
            Coverage(one.high_water, one.rows, one.dense, appends, mutations, one.files, unsorted=one.unsorted)
            for one in derived.coverages
        )
    )
