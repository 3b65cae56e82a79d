"""The report: well-formed, escaped, true to the numbers, and sensible where there is nothing to tell."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.derived import Coverage, DerivedObject
from sartor.core.design import Design, Replacement
from sartor.core.table import TableName
from sartor.freshness.registry import Registry
from sartor.interfaces.cli.main import app
from sartor.interfaces.connection import session_of
from sartor.interfaces.report.facts import Facts, gather
from sartor.interfaces.report.page import render, write
from sartor.tuner.ledger import Ledger
from sartor.workload.workload import Execution, TemplateStatistics, Workload

NASTY = "SELECT '<script>alert(\"&\")</script>' FROM t WHERE a < ?"
TABLE = TableName("data", "main", "items")


def _template(digest: str, text: str, count: int, plain: float) -> TemplateStatistics:
    execution = Execution(text, None, 0.0, plain, 1)
    return TemplateStatistics(digest, text, "read", count, count * plain, 0.0, 1.0, (plain,) * 3, (execution,))


def _facts() -> Facts:
    ledger = Ledger(None)
    number = ledger.record("round", "database", "a round began")
    ledger.record("refuse", "a <b>bold</b> key", "a <b>bold</b> key: it would cost more than it saves", cause=number)
    details = {"plain_seconds": 0.1, "tuned_seconds": 0.01}
    ledger.record("trial", "served", "with object 1: keep", details, cause=number)
    ledger.record("end", "database", "the round ended", {"seconds": 3.0, "build_seconds": 2.0}, cause=number)
    copy = DerivedObject(1, 1, sorted_copy(TABLE, ("a",), ("a",), frozenset()), Coverage(9, 10, True), 5_000_000, 2.0)
    design = Design({1: copy}, {"served": (Replacement(0, 1),), "plain": ()}, 1)
    workload = Workload((_template("served", "SELECT sum(a) FROM items", 50, 0.1), _template("plain", NASTY, 10, 0.2)))
    return gather("shop & <sons>.duckdb", workload, design, Registry().state, ledger.decisions())


def _parsed(page: str) -> ElementTree.Element:
    return ElementTree.fromstring(page.partition("\n")[2])


def test_the_numbers_are_those_of_the_trials_and_the_log() -> None:
    facts = _facts()
    assert facts.plain_seconds == pytest.approx(50 * 0.1 + 10 * 0.2)
    assert facts.tuned_seconds == pytest.approx(50 * 0.01 + 10 * 0.2)
    assert (facts.tune_seconds, facts.build_seconds) == (3.0, 2.0)
    text = "".join(_parsed(render(facts)).itertext())
    for told in ("60 reads: 7 s plain, 2.5 s with what is built", "2.8 times faster", "5.0 MB", "100 ms", "10 ms", "10.0"):
        assert told in text
    assert json.loads(json.dumps(facts.to_dict(), default=str))["tuned_seconds"] == pytest.approx(2.5)


def test_the_page_is_well_formed_and_nothing_of_the_users_is_markup() -> None:
    page = render(_facts())
    root = _parsed(page)
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not names & {"script", "b", "sons", "link", "img"}
    assert not re.search(r"(src|href)=", page)
    text = "".join(root.itertext())
    assert "<script>alert" in text
    assert "shop & <sons>.duckdb" in text
    assert "a <b>bold</b> key" in text


def test_one_dumbbell_for_each_template() -> None:
    groups = list(_parsed(render(_facts())).iter("{http://www.w3.org/2000/svg}g"))
    assert len(groups) == 2
    circles = [[circle.get("class") for circle in group.iter("{http://www.w3.org/2000/svg}circle")] for group in groups]
    assert sorted(map(sorted, circles)) == [["plain"], ["plain", "tuned"]]  # type: ignore[type-var]


def test_nothing_to_tell() -> None:
    facts = gather("empty.duckdb", Workload(), Design(), Registry().state, [])
    assert "Nothing has been asked yet" in "".join(_parsed(render(facts)).itertext())
    asked = gather("asked.duckdb", Workload((_template("a", NASTY, 1, 0.5),)), Design(), Registry().state, [])
    assert "Nothing is built" in "".join(_parsed(render(asked)).itertext())


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert write(_facts(), target) == target
    assert _parsed(target.read_text(encoding="utf-8")) is not None
    with pytest.raises(OSError, match="Is a directory"):
        write(_facts(), tmp_path)
    with pytest.raises(OSError, match="No such file"):
        write(_facts(), tmp_path / "missing" / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_of_a_tuned_database(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with sartor.connect(path) as connection:
        connection.execute("CREATE TABLE items AS SELECT i AS id, (i * 7919 % 400009)::INTEGER AS v FROM range(400000) r(i)")
        for number in range(8):
            connection.execute(f"SELECT sum(id) FROM items WHERE v = {number}").fetchall()
        session_of(connection).database.install(sorted_copy(TableName("shop", "main", "items"), ("id", "v"), ("v",), frozenset()))
        connection.execute("DELETE FROM items WHERE v = 3")
        page = connection.report(tmp_path / "one.html").read_text(encoding="utf-8")
    text = "".join(_parsed(page).itertext())
    assert "sum(id)" in text
    assert "not used until refreshed" in text


def test_the_command(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with sartor.connect(path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        connection.execute("SELECT a FROM t").fetchall()
    before = path.read_bytes()
    runner = CliRunner()
    result = runner.invoke(app, ["report", str(path)])
    assert result.exit_code == 0, result.output
    page = tmp_path / "shop.duckdb.report.html"
    assert str(page) in result.output.replace("\n", "")
    assert _parsed(page.read_text(encoding="utf-8")) is not None
    told: dict[str, Any] = json.loads(runner.invoke(app, ["report", str(path), "--json"]).output)
    assert told["templates"][0]["template"] == "SELECT a FROM t"
    assert path.read_bytes() == before, "looking changes nothing"
    for arguments in ([str(tmp_path / "none.duckdb")], [str(path), "--html", str(tmp_path / "no" / "x.html")]):
        failed = runner.invoke(app, ["report", *arguments])
        assert isinstance(failed.exception, sartor.SartorError | OSError)
