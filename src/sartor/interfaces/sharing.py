"""Giving a workload away without the user's names and values, and taking one in."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from sartor.core.errors import DatabaseUnavailable, WorkloadError

if TYPE_CHECKING:
    from sartor.interfaces.database import Database
    from sartor.interfaces.tailoring import Progress
    from sartor.workload.sharing.document import SharedWorkload


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import made.

    Attributes:
        workload: the file of SQL statements, for `sartor tune --workload` and `sartor replay`.
        failing: templates that raise on the generated data and are not in it.
    """

    database: Path
    workload: Path
    tables: int
    rows: int
    statements: int
    failing: int

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "database": str(self.database), "workload": str(self.workload)}

    def __str__(self) -> str:
        failing = f"; {self.failing} templates raise on generated data and are left out" if self.failing else ""
        return (
            f"{self.database}: {self.tables} tables, {self.rows} rows\n{self.workload}: {self.statements} statements{failing}\n"
            f"next: sartor tune {self.database} --workload {self.workload}"
        )


def export_workload(database: Database, path: str | os.PathLike[str], progress: Progress) -> SharedWorkload:
    """Write what was observed to a new file, anonymised."""
    from sartor.workload.sharing.export import export

    file = Path(path)
    if file.exists():
        raise WorkloadError(f"{file} exists; give the path of a new file")
    database.observer.take_in()
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


def import_workload(
    path: str | os.PathLike[str],
    database: str | os.PathLike[str],
    *,
    rows: int | None = None,
    scale: float | None = None,
    seed: int = 1,
    progress: Progress = None,
) -> ImportReport:
    """Make a new database with generated data like the exported ones, and beside it a file of statements: docs/workload-files.md.

    Args:
        path: a file that `export_workload` wrote.
        database: the database file to make; the statements go beside it, with `.sql` behind its name.
        rows: how many rows the largest table gets, all others in proportion.
        scale: or the factor of all row counts.
        seed: the same file and seed give the same data.
        progress: is told what goes on and the share done, between 0 and 1.

    Raises:
        WorkloadError: the file can not be used, or there is nothing to generate.
        DatabaseUnavailable: the database or the file of statements exists, or can not be made.
    """
    from sartor.workload.sharing.document import read_document
    from sartor.workload.sharing.domains import scaled
    from sartor.workload.sharing.generate import generate
    from sartor.workload.sharing.statements import statements

    tell = progress or (lambda text, share: None)
    file, text_file = Path(database), Path(f"{os.fspath(database)}.sql")
    draft = file.with_name(file.name + ".draft")
    for made in (file, text_file, draft):
        if made.exists():
            raise DatabaseUnavailable(f"{made} exists and is not overwritten; give the path of a new database")
    workload = scaled(read_document(Path(path)), rows, scale)
    try:
        with _made(draft) as connection:
            generate(connection, workload, seed, tell)
            tell("drawing literals", 1.0)
            texts, failing = statements(connection, workload, seed)
        if not texts:
            raise WorkloadError(f"{path}: every statement raises on the generated data; export the workload again")
        write_new(text_file, "".join(f"{text};\n" for text in texts))
        os.replace(draft, file)
    except BaseException as error:
        for left in (draft, draft.with_name(draft.name + ".wal"), text_file):
            left.unlink(missing_ok=True)
        if isinstance(error, MemoryError):
            raise WorkloadError(f"{path}: the rows do not fit into memory; give fewer with --rows or --scale") from None
        raise
    return ImportReport(file, text_file, len(workload.tables), sum(table.rows for table in workload.tables), len(texts), failing)


def _made(draft: Path) -> duckdb.DuckDBPyConnection:
    """A new database that what the file says can not reach out of."""
    try:
        return duckdb.connect(draft, config={"enable_external_access": False})
    except (duckdb.Error, OSError):
        raise DatabaseUnavailable(f"{draft.parent} can not be written; give a path that you may write to") from None
