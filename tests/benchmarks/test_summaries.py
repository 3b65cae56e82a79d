"""The expert's summary tables: how they are written down, that rewrites answer the same, that upkeep keeps them right."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from random import Random

import duckdb
import pytest

from benchmarks.answers import difference, same_rows
from benchmarks.columns import ask
from benchmarks.expert import Expert, told
from benchmarks.files import loaded
from benchmarks.sorted_copies import SortedCopy
from benchmarks.statement import BenchmarkError, Options, Statement
from benchmarks.suites import suite_of
from benchmarks.summaries import SUMMARY_FILE, Summaries, question_of, read_summaries
from sartor.workload.stream import templates
from tests.benchmarks.tiny import Tiny

OPTIONS = Options(scale=1.0, seed=1, statements=8, storage="200MB", expert="summaries")
TOTAL = "SELECT store, sum(amount) AS total FROM sales WHERE product = ? GROUP BY store"
SALES = """
-- Rows of the same store and product.
--: summary
CREATE TABLE expert_sold AS SELECT store, product, count(*) AS n, sum(id) AS ids FROM sales GROUP BY ALL;
--: after insert into sales
INSERT INTO expert_sold SELECT store, product, count(*), sum(id) FROM sales WHERE rowid > {last} GROUP BY ALL;
--: before update, delete of sales
CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT product FROM sales WHERE {where};
--: after update, delete of sales
DELETE FROM expert_sold WHERE product IN (FROM touched);
INSERT INTO expert_sold SELECT store, product, count(*), sum(id) FROM sales WHERE product IN (FROM touched) GROUP BY ALL;
--: question of a store
SELECT {what:product|store}, sum(id) FROM sales WHERE store = {store} GROUP BY {what}
--: rewrite of a store
SELECT {what}, sum(ids) FROM expert_sold WHERE store = {store} GROUP BY {what};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("summaries")


@pytest.fixture
def sales(tmp_path: Path) -> Tiny:
    (tmp_path / SUMMARY_FILE).write_text(SALES)
    return Tiny(tmp_path)


def expert_of(suite: Tiny, tmp_path: Path, options: Options = OPTIONS, copies: tuple[SortedCopy, ...] = ()) -> Expert:
    return Expert(loaded(suite, options, tmp_path / "cache"), options, copies, read_summaries(suite))


def test_a_question_is_matched_whole_with_the_same_literal_in_all_its_places() -> None:
    question = question_of("SELECT {k} FROM t\nWHERE {k} > {low}{more:| AND c} GROUP BY {k}")
    match = question.fullmatch("SELECT a  FROM t WHERE a > 1 AND c GROUP BY a")
    assert match is not None
    assert match.groupdict() == {"k": "a", "low": "1", "more": " AND c"}
    for other in ("SELECT a FROM t WHERE b > 1 GROUP BY a", "SELECT a FROM u WHERE a > 1 GROUP BY a", "SELECT a FROM t"):
        assert question.fullmatch(other) is None


@pytest.mark.parametrize("section", ["summary", "rewrite unknown", "after insert into t", "sumary"])
def test_a_section_that_is_not_understood_is_told_with_its_place(section: str, tmp_path: Path) -> None:
    (tmp_path / SUMMARY_FILE).write_text(f"--: {section}\nSELECT 1;\n")
    with pytest.raises(BenchmarkError, match=rf"expert_summaries\.sql: '--: {section}' is not understood"):
        read_summaries(Tiny(tmp_path))


def test_summaries_hold_what_the_tables_hold_after_every_write(sales: Tiny, tmp_path: Path) -> None:
    expert = expert_of(sales, tmp_path, copies=(SortedCopy("sales", ("product",)),))
    expert.build()
    for statement in (*sales.stream(expert.connection, OPTIONS).observed, Statement("x", "DELETE FROM sales", writes=True)):
        assert expert.answer(statement).error == ""
        for copy, table in (("store, product, n, ids", "expert_sold"), ("*", expert.copies[0].name)):
            base = "SELECT store, product, count(*), sum(id) FROM sales GROUP BY ALL" if copy != "*" else "FROM sales"
            kept = f"SELECT store, product, sum(n), sum(ids) FROM {table} GROUP BY ALL" if copy != "*" else f"FROM {table}"
            for one, other in ((base, kept), (kept, base)):
                assert expert.connection.execute(f"({one}) EXCEPT ALL ({other})").fetchall() == []
    expert.close()


def test_a_write_that_fails_leaves_nothing_behind(sales: Tiny, tmp_path: Path) -> None:
    expert = expert_of(sales, tmp_path)
    expert.build()
    before = expert.connection.execute("FROM expert_sold ORDER BY ALL").fetchall()
    assert "Error" in expert.answer(Statement("x", "UPDATE sales SET product = note WHERE id < 9", writes=True)).error
    assert "Error" in expert.answer(Statement("x", "INSERT INTO sales VALUES (1)", writes=True)).error
    assert expert.connection.execute("FROM expert_sold ORDER BY ALL").fetchall() == before
    expert.close()


def test_only_what_is_used_and_fits_is_built_and_paid(sales: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = (SortedCopy("sales", ("product",)), SortedCopy("sales", ("note",)))
    expert = expert_of(sales, tmp_path, copies=copies)
    expert.build()
    assert list(expert.objects) == ["expert_sold", copies[0].name, copies[1].name]
    (rewrite,) = expert.summaries.rewrites
    seconds = {"": 3.0, copies[0].name: 2.0, copies[1].name: 2.5, told(rewrite): 1.0}
    monkeypatch.setattr(Expert, "_best_of", lambda self, statement, way: seconds[told(way) if way else ""])
    expert.answer(Statement("a", "SELECT store, sum(id) FROM sales WHERE store = 1 GROUP BY store"))
    expert.answer(Statement("b", "SELECT count(*) FROM sales WHERE product = 1"))
    assert {name: told(way) for name, way in expert.chosen.items()} == {"a": "summary: of a store", "b": copies[0].name}
    expert.settle()
    assert list(expert.objects) == ["expert_sold", copies[0].name]
    assert expert.build_seconds == pytest.approx(sum(seconds for seconds, _ in expert.objects.values()))
    assert expert.bytes_added == sum(size for _, size in expert.objects.values())
    expert.close()

    small = expert_of(sales, tmp_path / "small", replace(OPTIONS, storage="1KB"), copies)
    small.build()
    assert (small.objects, small.build_seconds, small.summaries) == ({}, 0.0, Summaries())
    small.close()


def test_the_dashboards_rewrites_answer_the_same(folder: Path) -> None:
    suite, options = suite_of("dashboards"), Options(0.01, 7, runs=4, storage="200MB", expert="summaries")
    summaries = read_summaries(suite)
    connection = duckdb.connect(str(loaded(suite, options, folder)))
    for summary in summaries.tables:
        connection.execute(summary.create)
    rewritten = set()
    for statement in suite.stream(connection, options).judged:
        for rewrite, text in summaries.of(statement.text):
            assert rewrite.name == statement.name
            # An expert is not held to plain's order of ties, nor to which of them a LIMIT keeps: all rows are compared.
            plain, other = (ask(connection, re.sub(r"\sLIMIT \d+$", "", each)) for each in (statement.text, text))
            assert plain.columns == other.columns, text
            assert same_rows(plain.rows, other.rows, 60_000 * 2.0**-52), text
            rewritten.add(rewrite.name)
    assert rewritten == {rewrite.name for rewrite in summaries.rewrites}
    assert 6 <= len(summaries.tables) <= 10
    connection.close()


def test_the_shops_rewrites_answer_the_same_between_all_writes(folder: Path) -> None:
    suite, options = suite_of("shop"), Options(0.02, 1, statements=80, rounds=4, storage="200MB", expert="summaries")
    expert = Expert(loaded(suite, options, folder), options, (), read_summaries(suite))
    stream = suite.stream(expert.connection, options)
    expert.build()
    asked: defaultdict[str, list[Statement]] = defaultdict(list)
    draw = Random(1)
    for seed in range(1, 40):
        for template in templates(seed, 32):
            statement = Statement(template.name, *template.ask(draw))
            for rewrite, _ in expert.summaries.of(statement.text):
                asked[rewrite.name].append(statement)
    assert asked.keys() == {rewrite.name for rewrite in expert.summaries.rewrites}
    turn = 0
    for statement in (*stream.observed, *stream.judged):
        if not statement.writes:
            continue
        assert expert.answer(statement).error == ""
        turn += 1
        for questions in asked.values():
            question = questions[turn % len(questions)]
            plain = ask(expert.connection, question.text, question.parameters)
            for _, text in expert.summaries.of(question.text):
                again = ask(expert.connection, text, question.parameters)
                assert difference(question.text, plain, again, 20_000) == "", text
    assert turn > 3 * 7
    expert.close()
