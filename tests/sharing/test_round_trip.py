"""A workload that is exported and imported again: the generated rows lie as the user's, the statements keep as many of them."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sartor
from sartor.core.errors import DatabaseUnavailable, SartorError, WorkloadError
from sartor.core.table import TableInfo
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.interfaces.connection import Connection
from sartor.workload.replay import split
from sartor.workload.sharing.document import SharedTable, read_document
from sartor.workload.sharing.names import Names
from sartor.workload.sharing.statistics import column_statistics
from sartor.workload.shop import make_shop

COUNTED = [
    "SELECT count(*) FROM items WHERE product_id = 7",
    "SELECT count(*) FROM items WHERE product_id BETWEEN 100 AND 130",
    "SELECT count(*) FROM items WHERE shipped >= DATE '2024-06-01' AND shipped < DATE '2024-06-08'",
    "SELECT count(*) FROM items WHERE warehouse IN (3, 5, 11)",
    "SELECT count(*) FROM items WHERE quantity * price > 1500",
    "SELECT count(*) FROM items WHERE note LIKE 'gift%'",
    "SELECT count(*) FROM orders WHERE year(day) = 2023 AND status <> 'paid'",
    "SELECT count(*) FROM orders WHERE channel = 'phone'",
    "SELECT count(*) FROM orders WHERE total <= 5.50 OR total > 300",
    "SELECT count(*) FROM items i JOIN products p ON i.product_id = p.id WHERE p.category = 'category 7'",
    "WITH busy AS (SELECT customer_id, day FROM orders WHERE customer_id < 300) SELECT count(*) FROM busy WHERE day > '2024-01-01'",
    "SELECT count(*) FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer_id AND c.region = 'abroad')",
    "SELECT count(*) FROM items WHERE order_id < 50 AND shipped IS NOT NULL",
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop that was asked, its export and an import of that, side by side."""
    folder = tmp_path_factory.mktemp("sharing")
    with sartor.connect(folder / "shop.duckdb") as con:
        make_shop(con, 100_000, 3)
        con.execute(
            "CREATE TABLE keyed (a INTEGER NOT NULL, b SMALLINT NOT NULL, c UUID, d TIMESTAMP, e JSON, f BLOB, g TIME, "
            "PRIMARY KEY (a, b))"
        )
        con.execute(
            "INSERT INTO keyed SELECT 5000 - i // 3, i % 3, uuid(), NULL, '{}', 'x'::BLOB, "
            "TIME '00:00:00' + to_seconds(i) FROM range(9000) t(i)"
        )
        for text in COUNTED:
            con.execute(text).fetchall()
        con.execute("SELECT e, f, g FROM keyed WHERE a = 4000 AND b = 1").fetchall()
        con.export_workload(folder / "w.json")
    sartor.import_workload(folder / "w.json", folder / "new.duckdb")
    return folder


def test_columns_lie_as_they_did(shop: Path) -> None:
    shared = read_document(shop / "w.json")
    with duckdb.connect(shop / "new.duckdb", read_only=True) as connection:
        engine = DuckDBEngine(connection)
        catalog = engine.catalog()
        for table in shared.tables:
            info = catalog.resolve((table.schema, table.name))
            assert info is not None
            assert engine.rows(f"SELECT count(*) FROM {table}") == [(table.rows,)]
            assert {tuple(sorted(key)) for key in info.unique_keys} == set(table.keys)
            _compare(engine, info, table)


def _compare(engine: DuckDBEngine, info: TableInfo, table: SharedTable) -> None:
    in_keys = {name for key in table.keys if len(key) > 1 for name in key}
    for column in table.columns:
        known = info.column(column.name)
        assert known is not None
        again = column_statistics(engine.rows, info, table.rows, known, column.name)
        assert (again.type, again.nullable, again.nulls) == (column.type, column.nullable, column.nulls)
        if column.name in in_keys:
            continue
        assert again.distinct == pytest.approx(column.distinct, rel=0.03)
        assert again.correlation == pytest.approx(column.correlation, abs=0.1)
        if column.distinct <= 100:
            assert list(again.histogram) == [pytest.approx(pair, abs=0.01) for pair in column.histogram]


def test_statements_keep_as_many_rows(shop: Path) -> None:
    texts = [one.text for one in split((shop / "new.duckdb.sql").read_text())]
    assert len(texts) == len(COUNTED) + 1
    with duckdb.connect(shop / "shop.duckdb", read_only=True) as old, duckdb.connect(shop / "new.duckdb", read_only=True) as new:
        for before, after in zip(COUNTED, texts, strict=False):
            kept, kept_again = (c.execute(text).fetchall()[0][0] for c, text in ((old, before), (new, after)))
            assert kept / 2 - 5 <= kept_again <= kept * 2 + 5, (before, after, kept, kept_again)
        assert new.execute(texts[-1]).fetchall()


def test_nothing_of_the_shop_is_in_the_file(shop: Path) -> None:
    text = (shop / "w.json").read_text().lower()
    for word in ("items", "orders", "product", "shipped", "gift", "category", "abroad", "2024-06", "keyed", "busy"):
        assert word not in text


def test_a_scaled_import_keeps_keys_and_joins(shop: Path, tmp_path: Path) -> None:
    report = sartor.import_workload(shop / "w.json", tmp_path / "small.duckdb", rows=20_000)
    shared = read_document(shop / "w.json")
    assert report.failing == 0
    assert report.rows == pytest.approx(sum(table.rows for table in shared.tables) / 5, rel=0.02)
    with duckdb.connect(tmp_path / "small.duckdb", read_only=True) as connection:
        for left, right in shared.joins:
            ends = [end.rpartition(".") for end in (left, right)]
            sides = [f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL" for table, _, column in ends]
            alone = [len(connection.execute(f"{a} EXCEPT {b}").fetchall()) for a, b in (sides, sides[::-1])]
            assert 0 in alone  # one side's values are all among the other's


@pytest.mark.usefixtures("trials_win")
def test_tune_finds_the_same_column(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "shop.duckdb") as con:
        con.execute(
            "CREATE TABLE items AS SELECT range AS id, (hash(range) % 20000)::INTEGER AS product, "
            "(hash(range + 1) % 9)::INTEGER AS size FROM range(300000)"
        )
        for number in range(40):
            con.execute(f"SELECT size, count(*) FROM items WHERE product = {number * 7} GROUP BY size ORDER BY size").fetchall()
        con.export_workload(tmp_path / "w.json")
        renamed = Names(DuckDBEngine(duckdb.DuckDBPyConnection.cursor(con)).catalog())
    report = sartor.import_workload(tmp_path / "w.json", tmp_path / "new.duckdb", scale=5)
    assert (report.rows, report.statements) == (1_500_000, 40)
    with sartor.connect(tmp_path / "new.duckdb") as con:
        _ask(con, report.workload)
        _ask(con, report.workload)
        built = con.tune(seconds=30).built
    # A copy or a view, whichever is sooner on this machine.
    assert {line.split(" (")[0].partition(" of ")[2] for line in built} == {f"new.main.{renamed('items')} by {renamed('product')}"}


def _ask(con: Connection, workload: Path) -> None:
    for statement in split(workload.read_text()):
        con.execute(statement.text).fetchall()


def test_seeds_repeat(shop: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        sartor.import_workload(shop / "w.json", tmp_path / name, rows=5_000, seed=9)
    assert (tmp_path / "one.sql").read_text() == (tmp_path / "two.sql").read_text()


def test_what_exists_is_not_overwritten(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "a.duckdb").write_text("mine")
    (tmp_path / "b.duckdb.sql").write_text("mine")
    for name in ("a.duckdb", "b.duckdb"):
        with pytest.raises(DatabaseUnavailable, match="not overwritten"):
            sartor.import_workload(shop / "w.json", tmp_path / name)
    with sartor.connect(shop / "shop.duckdb") as con, pytest.raises(WorkloadError, match="exists"):
        con.export_workload(tmp_path / "a.duckdb")
    assert {path.name for path in tmp_path.iterdir()} == {"a.duckdb", "b.duckdb.sql"}
    assert (tmp_path / "a.duckdb").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"format": "other"}, "no exported workload"),
        ({"version": 2}, "version 2"),
        ({"templates": []}, "no templates"),
        ({"tables": None}, "damaged"),
        ({"joins": [["main.t9.c9", "main.t1.c1"]]}, "damaged"),
    ],
)
def test_files_that_can_not_be_used(shop: Path, tmp_path: Path, change: dict[str, object], word: str) -> None:
    file = tmp_path / "w.json"
    file.write_text(json.dumps(json.loads((shop / "w.json").read_text()) | change))
    with pytest.raises(WorkloadError, match=word):
        sartor.import_workload(file, tmp_path / "new.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["w.json"]


@pytest.mark.parametrize(
    "change",
    [
        {"sql": "DROP TABLE t1"},
        {"sql": "SELECT 1; DROP TABLE t1"},
        {"runs": []},
        {"holes": [{"table": "main.t1", "subject": "c1) FROM t1; DROP TABLE t1; SELECT (1", "operator": "="}]},
        {"holes": [{"table": "main.t1, main.t2", "subject": "c1", "operator": "="}]},
    ],
)
def test_a_file_can_not_run_what_is_no_read(shop: Path, tmp_path: Path, change: dict[str, object]) -> None:
    document = json.loads((shop / "w.json").read_text())
    document["templates"][0] |= change
    (tmp_path / "w.json").write_text(json.dumps(document))
    with pytest.raises(WorkloadError, match="damaged"):
        sartor.import_workload(tmp_path / "w.json", tmp_path / "new.duckdb")


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The places in a document."""
    if isinstance(value, dict):
        inner = [found for key, one in value.items() for found in _paths(one, (*path, key))]
    elif isinstance(value, list):
        inner = [found for key, one in enumerate(value[:3]) for found in _paths(one, (*path, key))]
    else:
        inner = []
    return [path, *inner] if path else inner


_WRONG = [
    None,
    -1,
    0,
    1e300,
    float("nan"),
    1 << 80,
    1 << 44,
    "",
    "t1; DROP TABLE t1",
    "main.t1",
    [],
    [[]],
    {},
    {"a": 1},
    True,
    "DATE",
    [0.5, 2],
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_never_breaks_out(shop: Path, tmp_path: Path, data: st.DataObject) -> None:
    document = json.loads((shop / "w.json").read_text())
    for table in document["tables"]:
        table["rows"] = min(table["rows"], 200)
    *path, last = data.draw(st.sampled_from(_paths(document)))
    at = document
    for key in path:
        at = at[key]
    at[last] = data.draw(st.sampled_from(_WRONG))
    (tmp_path / "w.json").write_text(json.dumps(document))
    try:
        sartor.import_workload(tmp_path / "w.json", tmp_path / "new.duckdb")
    except (SartorError, duckdb.Error):
        assert [path.name for path in tmp_path.iterdir()] == ["w.json"]
    for made in tmp_path.iterdir():
        made.unlink()


def test_nothing_is_left_where_no_statement_runs(shop: Path, tmp_path: Path) -> None:
    document = json.loads((shop / "w.json").read_text())
    document["templates"] = [{"sql": "SELECT 's1'::DATE", "count": 1, "total_seconds": 0, "holes": [], "runs": []}]
    document["templates"][0]["runs"] = [{"at": 0, "seconds": 0, "rows": 1, "positions": []}]
    (tmp_path / "w.json").write_text(json.dumps(document))
    with pytest.raises(WorkloadError, match="raises on the generated data"):
        sartor.import_workload(tmp_path / "w.json", tmp_path / "new.duckdb", rows=100)
    assert [path.name for path in tmp_path.iterdir()] == ["w.json"]


def test_an_empty_log_says_so(tmp_path: Path) -> None:
    with sartor.connect(tmp_path / "a.duckdb") as con, pytest.raises(WorkloadError, match="no statement was observed"):
        con.export_workload(tmp_path / "w.json")
    assert not (tmp_path / "w.json").exists()
