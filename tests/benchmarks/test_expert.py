"""The expert's design: how it is written down, how queries are rewritten for it, how it is searched."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from benchmarks import expert_search
from benchmarks.columns import ask
from benchmarks.expert_search import Tried, choose, search, total
from benchmarks.sorted_copies import (
    DESIGN_FILE,
    SortedCopy,
    mentioned_columns,
    mirrored,
    read_design,
    read_hand_made,
    rewritten,
    write_target,
)
from benchmarks.statement import BenchmarkError, Options, Statement
from benchmarks.suites import SUITES
from tests.benchmarks.tiny import Tiny

COPY = SortedCopy("sales", ("product",))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*), sum(id) FROM sales WHERE product = 5",
        "SELECT sales.id FROM sales WHERE sales.product = 5 ORDER BY sales.id",
        "SELECT s.id FROM Sales s WHERE s.product = 5 ORDER BY s.id",
        'SELECT count(*) FROM "sales" AS x, sales AS y WHERE x.product = 5 AND y.id = x.id',
        "SELECT count(*) FROM other JOIN sales USING (id) WHERE product IN (SELECT product FROM sales WHERE id = 3)",
        "WITH sold AS (SELECT * FROM sales WHERE product = 5) SELECT count(*) FROM sold",
        "WITH sales AS (SELECT 1 AS id) SELECT id FROM sales",
    ],
)
def test_a_rewritten_query_answers_the_same(text: str, tmp_path: Path) -> None:
    connection = duckdb.connect()
    Tiny(tmp_path).load(connection, Options(0.1, 1))
    connection.execute("CREATE TABLE other AS SELECT id FROM sales WHERE store = 1")
    connection.execute(COPY.create)
    changed = rewritten(text, (COPY,))
    assert (changed == text) == text.startswith("WITH sales")
    plain, copied = ask(connection, text), ask(connection, changed)
    assert plain.error == copied.error == ""
    assert (plain.columns, plain.rows) == (copied.columns, copied.rows)
    connection.close()


def test_writes_are_mirrored_by_their_target_only() -> None:
    assert mirrored('DELETE FROM "sales" WHERE id = 1', COPY) == 'DELETE FROM "expert_sales_by_product" WHERE id = 1'
    text = "UPDATE sales SET note = 'sales' WHERE id = 1"
    assert mirrored(text, COPY) == "UPDATE \"expert_sales_by_product\" SET note = 'sales' WHERE id = 1"
    assert write_target("COPY sales FROM 'x.csv'") == ("", "")


def test_a_copy_holds_the_columns_that_are_named_and_all_where_one_selects_all() -> None:
    columns = ("id", "product", "store", "amount", "note")
    named = [Statement("a", "SELECT id FROM sales WHERE product = 1"), Statement("b", "SELECT note FROM elsewhere")]
    assert mentioned_columns(named, "sales", columns) == ("id", "product")
    written = [*named, Statement("c", "UPDATE sales SET store = 1 WHERE id = 3", writes=True)]
    assert mentioned_columns(written, "sales", columns) == ("id", "product", "store")
    counted = [*named, Statement("d", "SELECT count(*) * 2, amount*store FROM sales")]
    assert mentioned_columns(counted, "sales", columns) == ("id", "product", "store", "amount")
    for text in ("SELECT * FROM sales", "SELECT s.* FROM sales s", "SELECT id, * FROM sales"):
        assert mentioned_columns([*named, Statement("e", text)], "sales", columns) == columns


def test_the_search_tries_all_orders_and_keeps_the_best_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expert_search, "VECTOR", 1)
    (tmp_path / "expert.sql").write_text("CREATE TABLE x AS SELECT * FROM sales ORDER BY note;")
    suite = Tiny(tmp_path)
    options = Options(scale=1.0, seed=1, statements=2, storage="1GB")
    found = search(suite, options, tmp_path / "cache", lambda what, share: None, smallest_table=0)
    assert found["orders_tried"] == 3 + 2 + 2 + 1  # alone; after product; after store; the one by hand. An id is unique
    assert found["chosen_s"] <= min(found["plain_s"], found["hand_s"], found["search_s"])
    quick = search(suite, options, tmp_path / "cache", lambda what, share: None, smallest_table=0, quick=True)
    assert 3 + 1 <= quick["orders_tried"] <= found["orders_tried"]
    (tmp_path / DESIGN_FILE).write_text(json.dumps(found))
    design = read_design(suite)
    assert [(c.table, list(c.keys), list(c.columns)) for c in design] == [
        (c["table"], c["keys"], c["columns"]) for c in found["copies"]
    ]


def tried(key: str, seconds: dict[str, float], build: float = 1.0, size: int = 10) -> Tried:
    return Tried(SortedCopy("sales", (key,)), build, size, 0.0, seconds)


def test_the_choice_counts_building_and_keeps_the_storage() -> None:
    plain, counts = {"lookup": 1.0, "report": 2.0}, {"lookup": 10, "report": 5}
    fast_lookup = tried("product", {"lookup": 0.1, "report": 2.0})
    fast_report = tried("store", {"lookup": 1.0, "report": 1.0})
    dear = tried("note", {"lookup": 0.0, "report": 0.0}, build=100.0)
    everything = [fast_lookup, fast_report, dear]
    assert set(map(id, choose(plain, counts, everything, 100))) == {id(fast_lookup), id(fast_report)}
    assert choose(plain, counts, everything, 10) == (fast_lookup,)
    assert choose(plain, counts, everything, 9) == ()
    assert choose(plain, counts, [dear], 100) == ()
    assert total(plain, counts, (fast_lookup, fast_report)) == pytest.approx(2 + 10 * 0.1 + 5 * 1.0)


def test_each_suite_keeps_an_experts_design_as_sql() -> None:
    for suite in SUITES:
        copies = read_hand_made(suite)
        assert copies, suite.name
        assert len({copy.name for copy in copies}) == len(copies)
        assert read_design(suite), suite.name


def test_a_design_that_is_no_sorted_copy_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "expert.sql").write_text("CREATE TABLE x AS SELECT * FROM sales;")
    with pytest.raises(BenchmarkError, match=r"expert\.sql: write each copy as"):
        read_hand_made(Tiny(tmp_path))
