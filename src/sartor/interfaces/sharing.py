"""Giving a workload away without the user's names and values, and taking one in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sartor.core.errors import WorkloadError

if TYPE_CHECKING:
    from sartor.interfaces.database import Database
    from sartor.interfaces.tailoring import Progress
    from sartor.workload.sharing.document import SharedWorkload


def export_workload(database: Database, path: str | os.PathLike[str], progress: Progress) -> SharedWorkload:
    """Write what was observed to a new file, anonymised."""
    from sartor.interfaces.serving import finish
    from sartor.workload.sharing.export import export

    file = Path(path)
    if file.exists():
        raise WorkloadError(f"{file} exists; give the path of a new file")
    for session in database.sessions():
        finish(session)
    with database.engine_lock:
        engine = database.engine()
        shared = export(database.log.workload(), database.catalog(), engine.rows, progress or (lambda text, share: None))
    write_new(file, shared.text())
    return shared


def write_new(file: Path, text: str) -> None:
    """Write a file as a whole or not at all.

    Raises:
        WorkloadError: it can not be written.
    """
    draft = file.with_name(file.name + ".draft")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, file)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise WorkloadError(f"{file} can not be written ({error.strerror or error}); give a path that you may write to") from None
