"""The database files of a run: loaded once into a cache, copied for each column."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import duckdb

from benchmarks.statement import BenchmarkError, Options, Suite

CACHE = Path(__file__).parent / ".cache"
_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|[KMGT]?B)", re.IGNORECASE)


def loaded(suite: Suite, options: Options, cache: Path | None = None) -> Path:
    """The database file that holds the suite's data as it was loaded; made if it is not there yet.

    It is written under another name and moved when it is whole, so a broken run leaves nothing that looks finished.
    """
    folder = cache or CACHE
    folder.mkdir(parents=True, exist_ok=True)
    origin = blake2b(f"{duckdb.__version__} {suite.origin(options)}".encode(), digest_size=6).hexdigest()
    target = folder / f"{suite.name}-{options.scale:g}-{options.seed}-{origin}.duckdb"
    if target.exists():
        return target
    unfinished = target.with_suffix(f".{os.getpid()}.loading")
    unfinished.unlink(missing_ok=True)
    try:
        connection = duckdb.connect(str(unfinished))
        try:
            suite.load(connection, options)
            connection.execute("CHECKPOINT")
        finally:
            connection.close()
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


@contextmanager
def working_folder(cache: Path | None = None) -> Iterator[Path]:
    """A folder for the copies of one run, gone afterwards."""
    parent = cache or CACHE
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def bytes_of(storage: str, file_bytes: int = 0) -> int:
    """A storage budget as bytes; a share is one of the database file.

    >>> bytes_of("2GB"), bytes_of("30%", 1000)
    (2000000000, 300)
    """
    match = _SIZE.fullmatch(storage.strip())
    size = float(match[1]) * (file_bytes / 100 if match[2] == "%" else _UNITS[match[2].upper()]) if match else 0.0
    if size <= 0:
        raise BenchmarkError(f"--storage {storage!r} is not a size; write it as 500MB, 2GB, or 30% of the database file")
    return int(size)


def stored_bytes(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """What a table takes in the file as of the last checkpoint."""
    blocks = connection.execute(f"SELECT count(DISTINCT block_id) FROM pragma_storage_info('{table}') WHERE block_id >= 0").fetchone()
    size = connection.execute("SELECT block_size FROM pragma_database_size()").fetchone()
    return (int(blocks[0]) if blocks else 0) * (int(size[0]) if size else 0)
