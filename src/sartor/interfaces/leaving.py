"""Leaving a file so that the next process may trust what was built, and finding out whether it may.

A clean close writes a random token into the file, checkpoints, sees the write-ahead log gone, and notes beside the file the
token, the whole header and how each derived object stood. The next process trusts exactly those objects if token and header
are the same and there is no write-ahead log; it removes the note before it writes anything.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.freshness import stored
from sartor.freshness.usable import use

if TYPE_CHECKING:
    from sartor.engines.base import Engine
    from sartor.interfaces.database import Database

_NOTE = "closed.json"


def leave_clean(database: Database, engine: Engine) -> None:
    """Note how the file was left; notes nothing if a transaction is open, so that everything is distrusted next time."""
    note = _note(database)
    held = database.opened.held
    if note is None or held is None or database.registry.state.open:
        return
    if note.exists() and _agrees(database, engine, _read(note)):
        return  # nothing was written since the last clean close
    standing_now = {
        str(identifier): use(derived, database.registry.state).value for identifier, derived in database.design.objects.items()
    }
    token = secrets.token_hex(16)
    stored.save_token(engine, token)
    try:
        engine.execute("CHECKPOINT")
    except duckdb.Error:
        return
    if held.pair()[0] > 0:
        return
    _write(note, {"token": token, "header": held.header().hex(), "objects": standing_now})


def standing(database: Database, engine: Engine) -> dict[int, str]:
    """How each object stood when the file was closed; empty if the file is not as it was left."""
    note = _note(database)
    if note is None or not note.exists():
        return {}
    document = _read(note)
    if not _agrees(database, engine, document):
        return {}
    return {int(identifier): state for identifier, state in document["objects"].items()}


def forget(database: Database) -> None:
    """Something is about to be written: the note holds no longer."""
    note = _note(database)
    if note is not None:
        note.unlink(missing_ok=True)


def rewrite_small(database: Database, engine: Engine) -> None:
    """Let DuckDB give back the free blocks at the file's end."""
    engine.execute("FORCE CHECKPOINT")


def _note(database: Database) -> Path | None:
    folder = database.opened.folder
    return folder / _NOTE if folder is not None else None


def _agrees(database: Database, engine: Engine, document: dict[str, Any]) -> bool:
    held = database.opened.held
    return (
        held is not None
        and held.pair()[0] <= 0
        and document.get("header") == held.header().hex()
        and document.get("token") == stored.load_token(engine)
    )


def _read(note: Path) -> dict[str, Any]:
    try:
        document = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _write(note: Path, document: dict[str, Any]) -> None:
    note.parent.mkdir(parents=True, exist_ok=True)
    draft = note.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(note)
