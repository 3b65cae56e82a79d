"""One run of a tiny suite: the shape of its JSON, and that wrong answers are found."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from benchmarks.answers import Answer
from benchmarks.columns import Plain, Tailored
from benchmarks.expert import Expert
from benchmarks.files import loaded
from benchmarks.runner import DAY_BEGINS, Run, _blocks, run
from benchmarks.sorted_copies import SortedCopy
from benchmarks.statement import Options, Statement
from benchmarks.summary import document, failures, print_table
from tests.benchmarks.tiny import Tiny

OPTIONS = Options(scale=1.0, seed=1, statements=8, tune_seconds=2.0, storage="200MB")
EXPERT = """CREATE TABLE by_product AS SELECT * FROM sales ORDER BY product, id;
CREATE TABLE by_store AS SELECT * FROM sales ORDER BY store"""


@pytest.fixture
def suite(tmp_path: Path) -> Tiny:
    (tmp_path / "expert.sql").write_text(EXPERT)
    return Tiny(tmp_path)


@pytest.fixture
def result(suite: Tiny, tmp_path: Path) -> Run:
    return run(suite, OPTIONS, tmp_path / "cache")


def test_the_figures_have_the_agreed_shape(result: Run) -> None:
    figures = json.loads(json.dumps(document(result)))
    assert figures["suite"] == "tiny"
    assert figures["threads"] == 1
    assert figures["wrong"] == 0
    assert figures["undetermined"] == 0
    assert figures["compared"] == 2 * 8 * 2 + 2 * 4 + 1
    assert figures["expert"]["other_rows"] == 0
    assert figures["plain"]["total_s"] > 0
    assert figures["expert"]["total_s"] >= figures["expert"]["build_s"] > 0
    assert figures["sartor"]["total_s"] >= figures["sartor"]["tune_s"] + figures["sartor"]["refresh_s"]
    assert {"total_s", "tune_s", "build_s", "bytes_added"} <= figures["sartor"].keys()
    templates = {one["name"]: one for one in figures["templates"]}
    assert templates.keys() == {"lookup", "by_store", "load", "correct", "return", "after", "new"}
    assert templates["lookup"].items() >= {"seen": True, "n": 8, "writes": False}.items()
    assert templates["load"].items() >= {"seen": True, "n": 1, "writes": True}.items()
    assert not templates["new"]["seen"]
    assert all(one[key] > 0 for one in templates.values() for key in ("plain_s", "expert_s", "sartor_s"))
    assert not failures(result)


def test_the_table_says_what_was_not_seen_and_what_lost(result: Run, capsys: pytest.CaptureFixture[str]) -> None:
    print_table(result, Console(width=140))
    printed = capsys.readouterr().out
    assert "templates not seen before" in printed
    assert "what lost:" in printed
    assert "wrong 0, undetermined 0 of 41 compared" in printed


def test_nothing_of_a_run_stays_but_the_loaded_data(result: Run, tmp_path: Path) -> None:
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".duckdb"]


def test_a_wrong_answer_is_counted_and_shown(
    suite: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = Tailored.answer

    def forgetful(column: Tailored, statement: Statement) -> Answer:
        answer = right(column, statement)
        return replace(answer, rows=answer.rows[1:]) if statement.name == "new" else answer

    monkeypatch.setattr(Tailored, "answer", forgetful)
    result = run(suite, OPTIONS, tmp_path / "cache")
    assert [(wrong.statement.name, wrong.half) for wrong in result.wrong] == [("new", "judged")]
    assert document(result)["wrong"] == 1
    assert failures(result) == ["1 wrong answers"]
    print_table(result, Console(width=140))
    assert "SELECT DISTINCT note FROM sales" in capsys.readouterr().out


def test_a_statement_that_plain_answers_in_two_ways_is_undetermined(
    suite: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, turns = Plain.answer, iter(range(1000))

    def wavering(column: Plain, statement: Statement) -> Answer:
        answer = right(column, statement)
        return replace(answer, rows=[(next(turns),)]) if statement.name == "new" else answer

    monkeypatch.setattr(Plain, "answer", wavering)
    result = run(suite, OPTIONS, tmp_path / "cache")
    assert result.wrong == []
    assert [statement.name for statement in result.undetermined] == ["new"]
    assert document(result)["undetermined"] == 1
    assert len(failures(result)) == 1  # one of 41 is over 2 %


def test_copies_of_the_expert_hold_what_the_tables_hold_after_every_write(suite: Tiny, tmp_path: Path) -> None:
    copies = (SortedCopy("sales", ("product", "id")), SortedCopy("sales", ("store",)))
    expert = Expert(loaded(suite, OPTIONS, tmp_path / "cache"), OPTIONS, copies)
    expert.build()
    for statement in (
        *suite.stream(expert.connection, OPTIONS).observed,
        Statement("x", "UPDATE sales SET store = 1", writes=True),
    ):
        assert expert.answer(statement).error == ""
        for copy in copies:
            for one, other in (("sales", copy.name), (copy.name, "sales")):
                left = expert.connection.execute(f'SELECT * FROM "{one}" EXCEPT ALL SELECT * FROM "{other}"').fetchall()
                assert left == []
    expert.close()


def test_the_loaded_file_is_made_once_and_never_seen_half_made(suite: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    first = loaded(suite, OPTIONS, cache)
    made = first.stat().st_mtime_ns
    assert loaded(suite, OPTIONS, cache) == first
    assert first.stat().st_mtime_ns == made

    def broken(connection: object, options: Options) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(suite, "load", broken)
    with pytest.raises(OSError, match="no space"):
        loaded(suite, replace(OPTIONS, seed=2), cache)
    assert list(cache.iterdir()) == [first]


def test_what_answered_a_statement_is_told_apart(suite: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sartor.interfaces import connection

    sartor = Tailored(loaded(suite, OPTIONS, tmp_path / "cache"), OPTIONS)
    statement = Statement("count", "SELECT count(*) FROM sales")
    sartor.answer(statement)
    assert sartor.served_by == frozenset()
    session = connection.session_of(sartor.connection)
    assert session.pending is not None
    assert session.pending.alternative == ()
    objects = {number: SimpleNamespace(action=SimpleNamespace(component=kind)) for number, kind in ((3, "views"), (4, "sort_keys"))}
    idle = SimpleNamespace(wait=lambda: None)
    database = SimpleNamespace(design=SimpleNamespace(objects=objects), holding=idle, predicates=idle)
    told = SimpleNamespace(database=database, pending=SimpleNamespace(alternative=(3, 4)))
    monkeypatch.setattr(connection, "session_of", lambda of: told)
    sartor.answer(statement)
    assert sartor.served_by == {"views", "sort_keys"}
    sartor.close()


def test_a_block_ends_where_another_answer_could_be_due() -> None:
    def reads(*at_seconds: float) -> list[Statement]:
        return [Statement("read", "SELECT 1", at_seconds=at) for at in at_seconds]

    write, idle = Statement("load", "", writes=True, at_seconds=1.0), Statement("read", "SELECT 1", at_seconds=DAY_BEGINS, idle=True)
    stream = [*reads(0.0, 0.0, 0.0), write, write, *reads(2.0, DAY_BEGINS), idle, *reads(DAY_BEGINS)]
    blocks = list(_blocks(stream, 2))
    assert [one for block in blocks for one in block] == stream
    assert [len(block) for block in blocks] == [2, 1, 1, 1, 1, 2, 1]
    assert not list(_blocks([], 2))
