"""What statements have shown is taken in by batches, and none of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sartor
from sartor.core.constants import OBSERVED_TOGETHER
from sartor.freshness.usable import Use
from sartor.interfaces.connection import session_of
from sartor.interfaces.known import Template
from sartor.interfaces.observing import Observer
from sartor.tuner.history import Probation

TOGETHER = int(OBSERVED_TOGETHER.default)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Any]:
    with sartor.connect(tmp_path / "data.duckdb") as connection:
        connection.execute("CREATE TABLE t AS SELECT range AS k FROM range(100)")
        connection.workload()
        yield connection


def _ask(connection: Any, number: int) -> None:
    connection.execute(f"SELECT k FROM t WHERE k = {number}").fetchall()


def _template(connection: Any) -> Template:
    known = session_of(connection).database.texts["SELECT k FROM t WHERE k = 1"]
    assert known.template is not None
    return known.template


def _counted(connection: Any) -> int:
    found = connection.workload().filter("template LIKE '%FROM t WHERE%'").project("count").fetchall()
    return sum(count for (count,) in found)


def test_a_batch_is_taken_in_by_the_statement_that_fills_it(connection: Any) -> None:
    observer = session_of(connection).database.observer
    for number in range(TOGETHER):
        _ask(connection, number % 2)
    assert len(_template(connection).seconds) == 0
    assert len(observer._waiting) == TOGETHER - 1  # the last one may still be fetched
    _ask(connection, 1)
    assert len(observer._waiting) == 0
    assert len(_template(connection).seconds[None]) > 0


def test_the_workload_holds_every_statement_also_those_of_other_connections(connection: Any) -> None:
    other = connection.cursor()
    for number in range(3):
        _ask(connection, number)
        _ask(other, number)
    assert _counted(connection) == 6


def test_what_waits_at_the_close_is_logged(tmp_path: Path) -> None:
    for expected in (0, 5):
        with sartor.connect(tmp_path / "data.duckdb") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t AS SELECT range AS k FROM range(100)")
            assert _counted(connection) == expected
            for number in range(5):
                _ask(connection, number)


def test_what_was_handed_out_from_memory_is_counted_apart(tmp_path: Path, kept_at_once: None) -> None:
    for _ in range(2):
        with sartor.connect(tmp_path / "data.duckdb") as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t AS SELECT range AS k FROM range(100)")
            for _ in range(5):
                connection.execute("SELECT count(*) FROM t WHERE k < 7").fetchall()
            found = connection.workload().filter("template LIKE '%k <%'").project("count, kept").fetchall()
    assert [sum(column) for column in zip(*found, strict=True)] == [4, 6]


def test_a_template_on_probation_is_observed_at_once(connection: Any) -> None:
    _ask(connection, 0)
    _ask(connection, 1)
    template = _template(connection)
    probation = template.probation[Use.WHOLE] = Probation(8)
    for number in range(3):
        _ask(connection, number)
    assert (
        len(probation.plain_seconds) == 3
    )  # neither the first of its kind, whose template was unknown, nor the last, which may still be fetched


def test_the_last_connection_may_be_collected_while_statements_are_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sartor.connect(tmp_path / "other.duckdb")
    connection.execute("CREATE TABLE t AS SELECT range AS k FROM range(100)")
    for number in range(5):
        _ask(connection, number)
    observer = session_of(connection).database.observer
    held = [connection]
    weigh = Observer._weigh

    def collected(*arguments: Any, **options: Any) -> None:
        held.clear()
        weigh(*arguments, **options)

    monkeypatch.setattr(Observer, "_weigh", collected)
    del connection
    observer.take_in()
    assert len(observer._waiting) == 0
    with sartor.connect(tmp_path / "other.duckdb") as again:
        assert _counted(again) == 5


def test_threads_lose_nothing(connection: Any) -> None:
    def ask() -> None:
        with connection.cursor() as own:
            for number in range(2 * TOGETHER):
                _ask(own, number % 7)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _counted(connection) == 4 * 2 * TOGETHER
