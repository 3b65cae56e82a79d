"""What Sartor keeps inside the user's file: one schema, with the state of each derived object beside the objects."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sartor.core.action import Action
from sartor.core.derived import SCHEMA, STATE_TABLE, Coverage, DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.core.errors import DatabaseUnavailable
from sartor.core.table import FileScan, Source, TableName, quote
from sartor.engines.base import Engine

_CHOICES, _TOKEN = "choices", "token"
UNKNOWN = -1  # a count that no registry ever shows: the object is not used until it is verified or refreshed


def prepare(engine: Engine) -> None:
    """Make the schema and its tables, if they are not there.

    Raises:
        DatabaseUnavailable: the user has a schema of that name, or a database: DuckDB takes `sartor.sartor` for ambiguous.
    """
    if engine.database.lower() == SCHEMA:
        raise DatabaseUnavailable(f"a database named {SCHEMA} can not be tuned; rename the file, then tune again")
    if _exists(engine):
        return
    if engine.rows(
        "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?",
        [engine.database, SCHEMA],
    ):
        raise DatabaseUnavailable(f"the database has a schema named {SCHEMA} that Sartor did not make; rename it, then tune again")
    with engine.transaction():
        engine.execute(f"CREATE SCHEMA {_schema(engine)}")
        engine.execute(
            f"CREATE TABLE {_table(engine, STATE_TABLE)} (identifier BIGINT, generation BIGINT, action VARCHAR, high_water BIGINT, "
            "rows_covered BIGINT, dense BOOLEAN, files VARCHAR, bytes_stored BIGINT, build_seconds DOUBLE)"
        )
        engine.execute(f"CREATE TABLE {_table(engine, _CHOICES)} (digest VARCHAR, alternative VARCHAR)")
        engine.execute(f"CREATE TABLE {_table(engine, _TOKEN)} (token VARCHAR)")


def load(engine: Engine) -> list[DerivedObject]:
    """All derived objects of the file, none of which is trusted yet."""
    if not _exists(engine):
        return []
    rows = engine.rows(f"SELECT * FROM {_table(engine, STATE_TABLE)} ORDER BY identifier, generation")
    return [_read(row, engine.database) for row in rows]


def save(engine: Engine, derived: DerivedObject) -> None:
    """Write an object's row; part of the transaction that builds the object."""
    coverage = derived.coverage
    forget(engine, derived)
    engine.execute(
        f"INSERT INTO {_table(engine, STATE_TABLE)} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            derived.identifier,
            derived.generation,
            json.dumps(_action_document(derived.action)),
            coverage.high_water,
            coverage.rows,
            coverage.dense,
            json.dumps(coverage.files),
            derived.bytes_stored,
            derived.build_seconds,
        ],
    )


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
    if _exists(engine):
        engine.execute(f"DROP SCHEMA {_schema(engine)} CASCADE")


def save_choices(engine: Engine, choices: dict[str, Alternative]) -> None:
    """Replace what the trials chose, in one transaction."""
    with engine.transaction():
        engine.execute(f"DELETE FROM {_table(engine, _CHOICES)}")
        for digest, alternative in choices.items():
            document = json.dumps([[item.reference, item.object] for item in alternative])
            engine.execute(f"INSERT INTO {_table(engine, _CHOICES)} VALUES (?, ?)", [digest, document])


def load_choices(engine: Engine) -> dict[str, Alternative]:
    """What the trials chose, per template digest."""
    if not _exists(engine):
        return {}
    return {
        digest: tuple(Replacement(reference, identifier) for reference, identifier in json.loads(document))
        for digest, document in engine.rows(f"SELECT digest, alternative FROM {_table(engine, _CHOICES)}")
    }


def save_token(engine: Engine, token: str) -> None:
    """Write the mark that a record of a clean close must match."""
    with engine.transaction():
        engine.execute(f"DELETE FROM {_table(engine, _TOKEN)}")
        engine.execute(f"INSERT INTO {_table(engine, _TOKEN)} VALUES (?)", [token])


def load_token(engine: Engine) -> str:
    rows = engine.rows(f"SELECT token FROM {_table(engine, _TOKEN)}") if _exists(engine) else []
    return rows[0][0] if rows else ""


def bytes_stored(engine: Engine, derived: DerivedObject) -> int:
    """What an object takes: its blocks in the file, counted once each; in memory, by the width of its types."""
    name = _table(engine, derived.table).replace("'", "''")
    blocks, block_size, memory = engine.rows(
        "SELECT count(DISTINCT block_id) FILTER (block_id >= 0), (SELECT block_size FROM pragma_database_size() LIMIT 1), "
        "sum(count * CASE segment_type WHEN 'VALIDITY' THEN 0.125 WHEN 'VARCHAR' THEN 16 ELSE 8 END) FILTER (NOT persistent) "
        f"FROM pragma_storage_info('{name}')"
    )[0]
    return int(blocks) * int(block_size) + int(memory or 0)


def _schema(engine: Engine) -> str:
    """The schema's full name, which means the same whatever else is attached."""
    return f"{quote(engine.database)}.{quote(SCHEMA)}"


def _table(engine: Engine, name: str) -> str:
    return f"{_schema(engine)}.{quote(name)}"


def _exists(engine: Engine) -> bool:
    return bool(
        engine.rows(
            "SELECT 1 FROM duckdb_tables() WHERE database_name = ? AND schema_name = ? AND table_name = ?",
            [engine.database, SCHEMA, STATE_TABLE],
        )
    )


def _read(row: tuple[Any, ...], database: str) -> DerivedObject:
    identifier, generation, action, high_water, rows, dense, files, size, seconds = row
    stamp = tuple((path, length, time, inode) for path, length, time, inode in json.loads(files))
    coverage = Coverage(high_water, rows, dense, UNKNOWN, UNKNOWN, stamp)
    return DerivedObject(identifier, generation, _action(json.loads(action), database), coverage, size, seconds)


def _action_document(action: Action) -> dict[str, Any]:
    source = action.source
    place = (
        {"schema": source.schema, "name": source.name}
        if isinstance(source, TableName)
        else {"text": source.text, "pattern": source.pattern, "kind": source.kind}
    )
    return {
        "component": action.component,
        "source": place,
        "definition": [[name, value] for name, value in action.definition],
        "templates": sorted(action.templates),
    }


def _action(document: dict[str, Any], database: str) -> Action:
    place = document["source"]
    source: Source = TableName(database, **place) if "schema" in place else FileScan(**place, database=database)
    definition = tuple((name, _frozen(value)) for name, value in document["definition"])
    return Action(document["component"], source, definition, frozenset(document["templates"]))


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def trusted(derived: DerivedObject, appends: int, mutations: int) -> DerivedObject:
    """The same object under the counts of a registry that vouches for it."""
    return replace(derived, coverage=replace(derived.coverage, appends=appends, mutations=mutations))
