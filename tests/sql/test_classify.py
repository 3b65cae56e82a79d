"""What a text may do: a read only if the tokens prove it. What DuckDB really did decides."""

from __future__ import annotations

import duckdb
import pytest

from sartor.sql.classify import NOTHING, classify

READS = [
    "select 1",
    "SELECT * FROM t WHERE name = 'delete from t'",
    "from t",
    "table t",
    "values (1)",
    "with x as (select 1) select * from x",
    "(select 1) union all (select 2)",
    "select * replace (i + 1 as i) from t",
    "select replace(n, 'a', 'b') from t",
    "select t.delete from (select 1 as delete) t",
    "select i as update from t",
    "select i -- delete from t\n from t",
    "select 1 /* ; drop table t */",
    'select i as "insert into" from t',
    "select i from t; select 2; ;",
    "select $$ delete from t $$",
    "copy t to '/dev/null' (format csv)",
    "copy (select 1) to '/dev/null' (format csv)",
    "",
    " -- nothing\n",
    "SELECT\u00a01",
    "select 'caf\u00e9\u00a0noir'",
]


@pytest.mark.parametrize("text", READS)
def test_reads_are_proven(text: str) -> None:
    assert classify(text).reads_only


@pytest.mark.parametrize("text", ["show tables", "describe t", "summarize t", "explain select 1", "deallocate p"])
def test_what_duckdb_counts_as_a_change_changes_nothing(text: str) -> None:
    assert classify(text) == NOTHING


WRITES = [
    ("insert into t values (1, 'a')", {"t"}, set()),
    ('INSERT INTO main."T" select 1, null', {"t"}, set()),
    ("insert into memory.main.t (i) values (1) returning i", {"t"}, set()),
    ("with x as (select 7 as i) insert into t select i, null from x", {"t"}, set()),
    ("copy t from 'rows.csv'", {"t"}, set()),
    ("copy main.t (i) from 'rows.csv' (header true)", {"t"}, set()),
    ("insert or replace into t values (1, 'a')", set(), {"t"}),
    ("insert or ignore into t values (1, 'a')", set(), {"t"}),
    ("insert into t values (1, 'a') on conflict (i) do update set n = 'b'", set(), {"t"}),
    ("insert into t values (1, 'a') on conflict do nothing", set(), {"t"}),
    ("update t set n = 'x' where i = 1", set(), {"t"}),
    ("update main.t as q set n = 'x'", set(), {"t"}),
    ("delete from t", set(), {"t"}),
    ("delete from t using u where t.i = u.i", set(), {"t"}),
    ("truncate t", set(), {"t"}),
    ("truncate table main.t", set(), {"t"}),
    (
        "merge into t using u on t.i = u.i when matched then update set n = 'z' when not matched then insert values (u.i, 'z')",
        set(),
        {"t"},
    ),
    ("insert into t values (1, 'a'); delete from u", {"t"}, {"u"}),
    ("begin; insert into t values (1, 'a'); commit", {"t"}, set()),
]


@pytest.mark.parametrize(("text", "appends", "mutates"), WRITES)
def test_writes_name_their_tables(text: str, appends: set[str], mutates: set[str]) -> None:
    effects = classify(text)
    assert (effects.appends, effects.mutates) == (appends, mutates)
    assert not effects.reads_only
    assert not effects.everything


HIDDEN = [
    "with x as (delete from t returning *) select * from x",
    "WITH x AS (\u00a0DELETE FROM t RETURNING *) SELECT * FROM x",
    "with x as (with y as (select 1 as k) delete from t where i in (from y) returning *) select * from x",
    "with x as (insert into t values (41, 'h') returning *) insert into u select i from x",
    "with x as (update t set n = 'hidden' returning *) from x",
    "with x as (truncate t) select 1",
    "insert into u select i from t on conflict do nothing; with x as (update t set n = 'q') select 1",
    "create table made as with x as (delete from t returning *) select * from x",
    "explain analyze delete from t",
    "explain analyze insert into t values (42, 'e')",
    "select 1; delete from t",
    "execute gone",
    "select 1;\u00a0DELETE\u00a0FROM\u00a0t",
    "with x as (/* */delete/**/from t returning *) select 1 from x",
    'with "x" as (delete from t returning *) from "x"',
]


@pytest.mark.parametrize("text", HIDDEN)
def test_hidden_writes_change_something_and_are_told(text: str) -> None:
    connection = duckdb.connect()
    connection.execute("create table t (i int primary key, n varchar); insert into t values (1, 'a'), (2, 'b')")
    connection.execute("create table u (i int primary key)")
    connection.execute("prepare gone as delete from t")
    before = connection.execute("select * from t order by i").fetchall()
    connection.execute(text).fetchall()
    after = connection.execute("select * from t order by i").fetchall()
    assert before != after, "this statement was meant to change t"
    effects = classify(text)
    assert effects.everything or "t" in effects.mutates
    assert not effects.reads_only


@pytest.mark.parametrize(
    "text",
    [
        "select nextval('s')",
        "select \"nextval\"('s')",
        "select * from checkpoint()",
        "from dbgen(sf = 0.1)",
        "select * from json_execute_serialized_sql('{}')",
        "load spatial",
        "import database 'x'",
        "alter table t rename to v",
        "drop schema s cascade",
        "copy from database a to b",
        "create trigger x after insert on t for each statement select 1",
        "something new",
        "\ud800",
        "select 1 \ud800",
    ],
)
def test_what_is_not_understood_changes_everything(text: str) -> None:
    effects = classify(text)
    assert effects.everything
    assert not effects.reads_only


@pytest.mark.parametrize(
    ("text", "mutates", "shadows"),
    [
        ("create table a (i int)", set(), set()),
        ("create table if not exists a as select * from t", set(), set()),
        ("create or replace table a as select 1", {"a"}, set()),
        ("create view v as select * from t", set(), set()),
        ("create unique index k on t (i)", set(), set()),
        ("create temp table Items as select 1", set(), {"items"}),
        ("create or replace temporary view v as select 1", set(), {"v"}),
        ("create table temp.main.items (i int)", set(), {"items"}),
        ("create temp macro lower(a) as a", set(), {"lower"}),
        ("drop table if exists a, main.b", {"a", "b"}, set()),
        ("drop view v", set(), set()),
        ("alter table a add column x int", {"a"}, set()),
    ],
)
def test_definitions_move_the_catalog(text: str, mutates: set[str], shadows: set[str]) -> None:
    effects = classify(text)
    assert effects.defines
    assert not effects.everything
    assert (effects.mutates, effects.shadows) == (mutates, shadows)


def test_transactions() -> None:
    assert classify("BEGIN TRANSACTION").transaction == "begin"
    assert classify("start transaction").transaction == "begin"
    assert classify("commit").transaction == classify("end").transaction == "commit"
    assert classify("rollback").transaction == classify("abort").transaction == "rollback"
    balanced = classify("begin; insert into t values (1); commit; begin; delete from u; rollback")
    assert balanced.mixed_transaction
    assert not balanced.everything
    assert balanced.transaction == ""


@pytest.mark.parametrize(
    "text", ["begin; insert into t values (1)", "insert into t values (1); commit", "begin; begin; commit; commit"]
)
def test_a_transaction_left_open_by_a_script_is_not_followed(text: str) -> None:
    effects = classify(text)
    assert effects.everything
    assert any(name.startswith("<") for name, _ in effects.settings)


def test_a_commit_alone_may_have_committed_anything() -> None:
    assert classify("commit").everything


def test_settings_are_named() -> None:
    assert classify("SET TimeZone = 'UTC'").settings == (("timezone", "= 'UTC'"),)
    assert classify("set global threads to 4").settings == (("threads", "to 4"),)
    assert classify("RESET threads").settings[0][0] == "threads"
    assert classify("pragma threads = 2").settings[0][0] == "threads"
    assert classify("use other").settings[0][0] == "schema"
    assert classify("set variable x = 1").harmless_session
    assert classify("set a = 1; set b = 2").settings == (("a", "= 1"), ("b", "= 2"))


def test_settings_beside_new_names_are_not_lost() -> None:
    effects = classify("create temp table x (i int); set schema = 'other'")
    assert not effects.shadows
    assert {name for name, _ in effects.settings} >= {"schema"}


def test_prepared_statements() -> None:
    prepared = classify("prepare p as delete from t").prepares
    assert prepared is not None
    name, effects = prepared
    assert (name, effects.mutates) == ("p", {"t"})
    assert classify("execute p(1)").executes == "p"
    assert classify("execute p(1)").everything
    script = classify("deallocate p; prepare p as delete from t")
    assert script.prepares is None
    assert script.settings
    assert not script.harmless_session


def test_attached_databases_shadow_their_name() -> None:
    assert classify("attach 'x.db' as other").attaches == {"other"}
    assert classify("attach 'x.db'").settings
