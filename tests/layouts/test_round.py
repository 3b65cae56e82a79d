"""A round of the tuner: layouts are proposed, estimated, built and proved where nothing simpler helps, and left alone elsewhere."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sartor.components.layouts import LAYOUTS, cells
from sartor.core.action import Estimate
from sartor.interfaces.connection import Connection, session_of
from sartor.interfaces.tailoring import _knowing
from tests.layouts.support import install_cells, opened, plain, proposed, served
from tests.profiles import row_groups

_ROWS = 1_500_000
_WIDE = (
    "CREATE TABLE wide AS SELECT i AS id, (hash(i) % 100000)::INTEGER AS a, (hash(i + 1) % 100000)::INTEGER AS b, "
    "CASE WHEN hash(i + 2) % 200 = 0 THEN 'a rare word ' || i ELSE 'usual words ' || hash(i + 3) END AS note, "
    f"(hash(i + 4) % 1000000) / 8 AS v FROM range({_ROWS}) r(i)"
)


def _asked(connection: Connection, texts: Sequence[str]) -> None:
    for text in texts:
        connection.execute(text).fetchall()


def _boxes(count: int) -> list[str]:
    pick = random.Random(7)
    found = []
    for _ in range(count):
        a, b = pick.randrange(95_000), pick.randrange(95_000)
        found.append(f"SELECT id, v FROM wide WHERE a BETWEEN {a} AND {a + 20_000} AND b BETWEEN {b} AND {b + 20_000} AND v < 3000")
    return found


def test_conditions_that_repeat_are_given_bits() -> None:
    texts = [f"SELECT {columns} FROM wide WHERE note LIKE '%rare%' AND a < b" for columns in ("id, note", "id, v, note, a, b")]
    with opened() as connection:
        connection.execute(_WIDE)
        _asked(connection, texts * 6)
        report = connection.tune(seconds=120)
        assert [line for line in report.built if line.startswith("layouts of memory.main.wide by")], report
        for text in texts:
            assert served(connection, text)
            assert row_groups(connection, text) <= 2
        other = "SELECT id, note FROM wide WHERE note LIKE '%usual words 7%'"
        served(connection, other)
        assert "layouts_" not in connection.explain_rewrite(other).text


def test_what_is_foretold_to_save_reads_half_as_much_at_most() -> None:
    with opened() as connection:
        connection.execute(_WIDE)
        texts = _boxes(12)
        _asked(connection, texts)
        found = _estimates(connection)
        kinds = {item.action.get("kind") for item in found if item.seconds_saved}
        assert set(cells.KINDS) <= kinds <= {*cells.KINDS, cells.OUTLIERS}
        every = sum(row_groups(connection, text) for text in texts)
        for kind in cells.KINDS:
            best = max((e for e in found if e.action.get("kind") == kind), key=_saving)
            session_of(connection).database.install(best.action)
            assert all(served(connection, text) for text in texts)
            assert sum(row_groups(connection, text) for text in texts) < every / 2
            connection.undo()


def test_the_best_estimate_reads_least() -> None:
    with opened() as connection:
        connection.execute(_WIDE)
        texts = _boxes(12)
        _asked(connection, texts)
        ranked = sorted(_estimates(connection), key=_saving)
        groups = []
        for one in (ranked[0], ranked[-1]):
            session_of(connection).database.install(one.action)
            for text in texts:
                served(connection, text)
            groups.append(sum(row_groups(connection, text) for text in texts))
            connection.undo()
        assert groups[1] <= groups[0]


def test_nothing_is_proposed_for_what_no_order_helps() -> None:
    with opened() as connection:
        _asked(
            connection, ["SELECT count(*) FROM facts", "SELECT dim, sum(r) FROM facts GROUP BY dim", "SELECT max(r) FROM facts"] * 3
        )
        database = session_of(connection).database
        database.observer.take_in()
        with database.engine_lock:
            workload, catalog = _knowing(database, database.design)
        assert list(LAYOUTS.propose(workload, catalog)) == []


def test_explain_rewrite_tells_why_not() -> None:
    with opened() as connection:
        install_cells(connection, "z-order", "r", "q")
        told = connection.explain_rewrite("SELECT count(*) FROM facts WHERE dim = 3")
        assert "it is not ordered by any condition of the statement" in str(told)
        assert "z-order of r and q" in str(told)
        assert plain(connection, "SELECT count(*) FROM facts WHERE dim = 3")[1] == [(10_000,)]


@pytest.mark.parametrize("dimensions", [("a",), ("a", "b", "v", "id", "note")])
def test_curves_are_of_two_to_four_columns(dimensions: tuple[str, ...]) -> None:
    with opened() as connection:
        connection.execute(_WIDE.replace(str(_ROWS), "1000"))
        with pytest.raises(ValueError, match="two to four"):
            install_cells(connection, "hilbert", *dimensions, table="wide")


def _estimates(connection: Connection) -> list[Estimate]:
    actions, estimates = proposed(connection, cells.is_cells)
    assert actions
    return estimates


def _saving(item: Estimate) -> float:
    return sum(saved.value for saved in item.seconds_saved.values())
