"""Writes between rounds: what they are, how large, and that without them nothing changes."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import duckdb
import pytest

from benchmarks.files import loaded
from benchmarks.statement import Options, Statement, Stream
from benchmarks.suites.shop.suite import Shop

OPTIONS = Options(0.05, 1, statements=90)


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(loaded(Shop(), OPTIONS, tmp_path_factory.mktemp("rounds"))))


def stream(connection: duckdb.DuckDBPyConnection, rounds: int, seed: int = 1) -> Stream:
    return Shop().stream(connection, replace(OPTIONS, rounds=rounds, seed=seed))


def between(judged: tuple[Statement, ...]) -> list[Statement]:
    return [one for one in judged if one.name.startswith("round: ")]


def test_one_round_is_the_stream_without_rounds(connection: duckdb.DuckDBPyConnection) -> None:
    day = stream(connection, 1)
    assert between(day.judged) == []
    cut = stream(connection, 4)
    for whole, parts in ((day.observed, cut.observed), (day.judged, cut.judged)):
        assert tuple(one for one in parts if not one.name.startswith("round: ")) == whole
        assert len(between(parts)) == 3 * 8
    assert not {one.text for one in between(cut.observed) if "orders SET status = 'paid'" not in one.text} & {
        one.text for one in between(cut.judged)
    }
    assert stream(connection, 4) == cut
    assert [one.text for one in between(stream(connection, 4, seed=2).judged)] != [one.text for one in between(cut.judged)]


def test_further_days_go_on_where_the_first_ones_end(connection: duckdb.DuckDBPyConnection) -> None:
    one, three = stream(connection, 3), Shop().stream(connection, replace(OPTIONS, rounds=3, days=3))
    assert three.observed == one.observed
    assert three.judged[: len(one.judged)] == one.judged
    assert len(between(three.judged)) == 3 * len(between(one.judged))
    nights = [place for place, (early, late) in enumerate(pairwise(three.judged)) if late.at_seconds < early.at_seconds]
    assert len(nights) == 2
    loads = [one.text for one in between(three.judged) if one.name in ("round: load orders", "round: delete orders")]
    assert len(set(loads)) == len(loads) == 12


def test_rounds_are_equally_long_and_end_their_writes_in_idle_time(connection: duckdb.DuckDBPyConnection) -> None:
    judged = stream(connection, 3).judged
    marks = "".join("w" if one.name.startswith("round: ") else "." for one in judged)
    parts = re.split("w+", marks)
    assert [len(part) for part in parts] == [31, 31, 31]
    assert re.findall("w+", marks) == ["w" * 8] * 2
    assert [judged[number + 1].name.startswith("round: ") for number, one in enumerate(judged) if one.idle] == [False, False]
    assert all(one.at_seconds <= other.at_seconds for one, other in pairwise(judged))


def test_each_write_changes_rows_and_loads_are_of_the_agreed_size(connection: duckdb.DuckDBPyConnection) -> None:
    counts = connection.execute("SELECT count(*) FROM orders").fetchone()
    assert counts is not None
    loads = []
    connection.begin()
    both = stream(connection, 5)
    for one in between(both.observed) + between(both.judged):
        changed = connection.execute(one.text).fetchone()
        assert changed is not None
        if one.name != "round: close orders":
            assert changed[0] > 0, one.text
        if one.name == "round: load orders":
            loads.append(changed[0] / counts[0])
        if one.name == "round: load items":
            assert changed[0] == round(loads[-1] * counts[0]) * 5 // 2
    stray = connection.execute("SELECT count(*) FROM items WHERE order_id NOT IN (SELECT id FROM orders)").fetchone()
    connection.rollback()
    assert len(loads) == 8
    assert all(0.0009 <= share <= 0.0101 for share in loads)
    assert max(loads) > 2 * min(loads)
    assert stray == (0,)
