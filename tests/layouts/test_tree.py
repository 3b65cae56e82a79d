"""Copies in the order of a tree of cuts: what grows, what is asked of the leaves, and that row groups are left out by them."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

import sartor
from sartor.components.layouts import tree
from sartor.components.layouts.conditions import cuts, others
from sartor.components.layouts.grow import Node, grow
from sartor.core.derived import DerivedObject
from sartor.core.table import TableName
from sartor.interfaces.connection import Connection, session_of
from sartor.sql.analyse import analyse
from tests.layouts.support import opened, plain, proposed, served
from tests.profiles import row_groups

_CUTS = (
    "note LIKE '%error%'",
    "r < q",
    "d >= DATE '2024-09-01'",
    "lower(note) = 'an error 3'",
    "note IS NULL OR r > 990",
    "r < 300",
)
_TREE: Node = (1, (0, 0, (5, 1, 2)), (2, (4, 3, 4), (0, 5, (3, 6, 7))))
_JOIN = "SELECT count(*), sum(f.r) FROM facts f JOIN dims d ON d.dim = f.dim WHERE d.name = 'n1'"


def _install(connection: Connection, *texts: str, grown: Node = _TREE, dimensions: tuple[str, ...] = ("d", "r")) -> DerivedObject:
    """A layout of all facts by a tree over the conditions of some statements, put in force without a trial."""
    database = session_of(connection).database
    with database.engine_lock:
        catalog = database.catalog()
        info = catalog.resolve(("facts",))
        found = [one for text in texts for one in cuts(analyse(text, catalog, thorough=True), 0)]
    assert info is not None
    assert isinstance(info.source, TableName)
    bits = tuple(one.example for one in found)
    return database.install(tree.tree(info.source, info.columns, bits, grown, ("r",), frozenset(), others(found, catalog), dimensions))


def _asking(*conditions: str) -> list[str]:
    return [f"SELECT count(*) FROM facts WHERE {condition}" for condition in conditions]


def test_answers_are_plain_duckdbs() -> None:
    with opened() as connection:
        _install(connection, *_asking(*_CUTS))
        texts = [
            *(f"SELECT count(*), sum(r), min(id), max(d) FROM facts WHERE {cut}" for cut in _CUTS),
            "SELECT * FROM facts WHERE note LIKE '%error%' AND r < q AND r < 300",
            "SELECT id FROM facts WHERE lower(note) = 'an error 3' AND r < q LIMIT 5",
            "SELECT dim, count(*) FROM facts WHERE (note IS NULL OR r > 990) AND d >= DATE '2024-09-01' GROUP BY dim ORDER BY dim",
            "SELECT count(*) FROM facts WHERE r BETWEEN 5 AND 9",  # other literals: by the zone maps alone
            "SELECT count(*) FROM facts WHERE note LIKE '%fine 8%' AND d < DATE '2024-02-01'",
        ]
        for text in texts:
            assert served(connection, text), text
        for text in (
            "SELECT count(*) FROM facts WHERE note LIKE '%fine 8%'",
            "SELECT count(*) FROM facts WHERE note NOT LIKE '%error%'",
            "SELECT count(*) FROM facts WHERE NOT (note LIKE '%error%')",
            "SELECT count(*) FROM facts WHERE note LIKE '%error%' OR q = 5",
            "SELECT count(*) FROM dims d LEFT JOIN facts f ON f.dim = d.dim WHERE f.note IS NULL OR f.r > 990",
            "SELECT count(*) FROM facts",
        ):
            assert not served(connection, text), text


def test_leaves_are_left_out_by_what_no_zone_map_sees_and_by_zone_maps() -> None:
    with opened() as connection:
        texts = _asking(
            "note LIKE '%error%'", "r < q AND d >= DATE '2024-09-01'", "d >= DATE '2025-06-01'", "note LIKE '%fine%' AND r < 20"
        )
        before = [row_groups(connection, text) for text in texts]
        _install(
            connection, *_asking("r < q", "note LIKE '%error%'", "d >= DATE '2024-09-01'"), grown=(1, 0, (2, (0, 1, 2), (0, 3, 4)))
        )
        assert all(served(connection, text) for text in texts)
        assert before == [4, 4, 4, 4]
        after = [row_groups(connection, text) for text in texts]
        assert after[0] == 1
        assert after[1] <= 3
        assert "BETWEEN" in connection.explain_rewrite(texts[1]).text or " = " in connection.explain_rewrite(texts[1]).text
        assert after[2] <= 4


def test_a_joined_cut_ends_with_a_change_of_its_table() -> None:
    with opened() as connection:
        layout = _install(connection, _JOIN, *_asking("r < q"), grown=(0, (1, 0, 1), (1, 2, 3)))
        assert [source.name for source in layout.action.others] == ["dims"]
        assert served(connection, _JOIN)
        assert row_groups(connection, _JOIN) <= 2 + 1
        connection.execute("INSERT INTO dims VALUES (35, 'n1')")
        assert not served(connection, _JOIN)
        connection.refresh()
        assert served(connection, _JOIN)
        connection.execute("UPDATE dims SET name = 'n1' WHERE dim = 4")
        assert not served(connection, _JOIN)
        connection.refresh()
        assert served(connection, _JOIN)


@pytest.mark.parametrize("where", ["file", "memory"])
def test_appends_updates_deletes_and_a_reopening(where: str, tmp_path: Path) -> None:
    texts = [f"SELECT count(*), min(id) FROM facts WHERE {cut}" for cut in _CUTS]
    path = tmp_path / "t.duckdb" if where == "file" else ":memory:"
    with opened(path) as connection:
        _install(connection, *_asking(*_CUTS))
        connection.execute("INSERT INTO facts (id, note, r, q) VALUES (-1, 'an error', 1, 2), (-2, NULL, NULL, 1)")
        assert all(served(connection, text) for text in texts)
        connection.refresh()
        assert all(served(connection, text) for text in texts)
        connection.execute("UPDATE facts SET note = 'an error 3' WHERE id % 1000 = 1; DELETE FROM facts WHERE id % 1000 = 4")
        assert not any(served(connection, text) for text in texts)
        connection.refresh()
        assert all(served(connection, text) for text in texts)
    if where == "file":
        with sartor.connect(path, config={"threads": 1}) as connection:
            assert all(served(connection, text) for text in texts)


def test_few_ranges_are_asked_of_many_leaves() -> None:
    node: Node = 40
    for place in range(39, -1, -1):
        node = (place % 2, place, node)
    action = tree.tree(TableName("d", "main", "t"), (), ("a", "b"), node, (), frozenset())
    told = tree.condition(action, {"b"})
    assert told.count("OR") <= 7
    allowed = set(tree.leaves_asked(action, {"b"}))
    ranges = [tuple(map(int, part.strip("()").split("BETWEEN")[1].split(" AND "))) for part in told.split(" OR ") if "BETWEEN" in part]
    ranges += [(int(part.strip("()").split("=")[1]),) * 2 for part in told.split(" OR ") if "=" in part]
    assert allowed <= {number for low, high in ranges for number in range(low, high + 1)}
    assert tree.condition(action, {"c"}) == ""


@pytest.mark.parametrize("seed", range(20))
def test_a_grown_tree_parts_all_rows_into_leaves_that_are_large_enough(seed: int) -> None:
    pick = random.Random(seed)
    rows = {mask: pick.randrange(1, 200) for mask in (pick.randrange(256) for _ in range(60))}
    asked = [(pick.randrange(1, 256), pick.random()) for _ in range(12)]
    node = grow(rows, asked, pick.randrange(256), 400)
    count: Counter[int] = Counter()
    for mask, number in rows.items():
        at = node
        while not isinstance(at, int):
            at = at[1] if mask >> at[0] & 1 else at[2]
        count[at] += number
        for wanted, _ in asked:
            if wanted & mask == wanted:  # a row that a statement asks is in a leaf that it reads
                assert at in tree.leaves(node, frozenset(place for place in range(8) if wanted >> place & 1))
    assert sorted(count) == tree.leaves(node) == list(range(len(count)))
    assert len(count) == 1 or min(count.values()) >= 400


def test_trees_are_proposed_grown_and_read_less() -> None:
    with opened() as connection:
        connection.execute("INSERT INTO facts SELECT * REPLACE (id + 400000 AS id) FROM facts; INSERT INTO facts FROM facts")
        texts = [
            f"SELECT id, m FROM facts WHERE {condition}"
            for condition in (
                "r < q AND d < DATE '2024-03-01'",
                "d >= DATE '2025-06-01'",
                "r < 150 AND note LIKE '%fine%'",
                "r >= 850",
            )
        ]
        texts.append(_JOIN)
        for text in texts * 3:
            connection.execute(text).fetchall()
        actions, found = proposed(connection, tree.is_tree)
        assert actions
        best = max(found, key=lambda item: sum(saved.value for saved in item.seconds_saved.values()))
        assert len(best.seconds_saved) > 1
        assert len(tree.leaves(best.action.get("tree"))) > 2
        before = [row_groups(connection, text) for text in texts]
        session_of(connection).database.install(best.action)
        wanted = [text for text in texts if served(connection, text)]
        assert len(wanted) > 2
        after = sum(row_groups(connection, text) for text in wanted)
        assert after * 3 < 2 * sum(groups for text, groups in zip(texts, before, strict=True) if text in wanted)
        assert plain(connection, texts[0])[1]
