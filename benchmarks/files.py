"""The database files of a run: loaded once into a cache, copied for each column."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import duckdb

from benchmarks.statement import Options, Suite

CACHE = Path(__file__).parent / ".cache"


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
