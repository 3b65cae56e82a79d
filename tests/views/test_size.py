"""The storage that a view is foretold to take, against what it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.components.views.define import view_of
from sartor.components.views.estimate import estimate
from sartor.freshness.storage import bytes_stored
from sartor.interfaces.connection import session_of
from sartor.workload.workload import Workload

CASES = {
    "a number for each group": "SELECT number, sum(price) FROM items GROUP BY number",
    "a text for each group": "SELECT number, name, count(*) FROM items GROUP BY number, name",
    "texts in runs": "SELECT name, number % 10, sum(price), max(day) FROM items GROUP BY name, number % 10",
    "few texts": "SELECT number, kind, day, min(price), sum(price) FROM items GROUP BY number, kind, day",
    "floating sums": "SELECT number, day, sum(weight) FROM items GROUP BY number, day",
    "less than a row group": "SELECT number % 90000, kind, min(name), sum(price), max(day) FROM items GROUP BY number % 90000, kind",
    "a condition": "SELECT number, day, sum(price) FROM items WHERE kind <> 'kind 3' GROUP BY number, day",
}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Any:
    opened = sartor.connect(str(Path(tmp_path_factory.mktemp("size")) / "data.duckdb"), config={"threads": 1})
    opened.execute(
        "CREATE TABLE items AS SELECT i % 150000 AS number, "
        "'Customer#' || lpad((hash(i % 150000) % 150000)::VARCHAR, 9, '0') AS name, "
        "'kind ' || (hash(i) % 7) AS kind, DATE '2024-01-01' + (hash(i + 1) % 900)::INTEGER AS day, "
        "((hash(i + 2) % 100000) / 100)::DECIMAL(9, 2) AS price, random() AS weight FROM range(300000) t(i)"
    )
    return opened


@pytest.mark.parametrize("what", CASES)
def test_the_bytes_of_a_view_are_foretold(connection: Any, what: str) -> None:
    database = session_of(connection).database
    with database.engine_lock:
        catalog = database.catalog()
        action = view_of(CASES[what], catalog)
        assert action is not None
        (found,) = estimate([action], Workload(), catalog, database.engine())
    derived = database.install(action)
    connection.execute("CHECKPOINT")
    with database.engine_lock:
        written = bytes_stored(database.engine(), derived)
    assert written / 2 <= derived.bytes_stored <= written * 2, (written, derived.bytes_stored)
    assert written / 2 <= found.bytes_stored.value <= written * 2, (written, found.bytes_stored.value)
