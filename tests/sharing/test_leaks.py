"""No value and no name of the user may be in an export."""

from __future__ import annotations

import datetime
import decimal
from functools import cache

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sharing.marked import MARK, exported, marked_database, marks

CARRIED: list[tuple[str, object]] = [
    ("SELECT zqid FROM zqorders WHERE zqcustomer = 734195", None),
    ("SELECT zqid AS zqalias -- zqcomment\n FROM zqorders /* zqcomment 734191 */ WHERE zqstatus = 'zqopen'", None),
    ('SELECT "zq odd ""name", count(*) "zq n" FROM zqorders AS "zq o" GROUP BY 1 ORDER BY "zq n" DESC LIMIT 7', None),
    ("SELECT * FROM zqorders WHERE zqday BETWEEN DATE '2937-01-03' AND '2937-01-05'::DATE", None),
    ("SELECT * FROM zqorders WHERE zqday >= ? AND zqstatus IN (?, ?)", [datetime.date(2937, 1, 9), "zqopen", "zq'lost"]),
    (
        "SELECT * FROM zqorders WHERE zqtotal > $zqlow AND zqid < $zqhigh",
        {"zqlow": decimal.Decimal("7341950.5"), "zqhigh": 734190000300},
    ),
    ("SELECT * FROM zqorders WHERE zqmoment < $1", [datetime.datetime(2937, 1, 1, 0, 2)]),
    ("SELECT zqstatus FROM zqorders WHERE zqstatus LIKE 'zq%n' OR zqstatus ILIKE '%ZQLOST%' OR zqstatus NOT LIKE 'zq_open'", None),
    ("WITH zqcte(zqa, zqb) AS (SELECT zqid, zqday FROM zqorders) SELECT zqa FROM zqcte WHERE zqb > '2937-01-07'", None),
    (
        "WITH zqcte AS (SELECT zqid, zqtotal * 734190 zqmuch FROM zqorders WHERE zqid > 734190000007) SELECT max(zqmuch) FROM zqcte",
        None,
    ),
    ("SELECT zqname FROM zqschema.\"zq Customers\" JOIN zqorders USING (zqcustomer) WHERE zqregion = 'zqregion3'", None),
    (
        'SELECT zqname FROM memory.zqschema."ZQ customers" c, main.zqorders o WHERE c.zqcustomer = o.zqcustomer AND o.zqid > 73419',
        None,
    ),
    ("SELECT CASE WHEN zqstatus = 'zqopen' THEN 'zqone' WHEN zqtotal > 734190 THEN 'zqtwo' ELSE 'zqthree' END FROM zqorders", None),
    ("SELECT zqstatus || 'zqsuffix', replace(zqstatus, 'zq', 'zqzq'), zqtotal * 734191.25, 73419 FROM zqorders", None),
    ("SELECT zqjson ->> '$.zqkey', zqjson -> 'zqkey' FROM zqorders WHERE zqjson ->> '$.zqkey' = 'zqvalue7'", None),
    ("SELECT json_extract_string(zqjson, '$.zqkey') FROM zqorders", None),
    (
        "SELECT date_trunc('month', zqday), strftime(zqday, '%Y-%m'), extract(year FROM zqday) FROM zqorders WHERE year(zqday) = 2937",
        None,
    ),
    (
        "SELECT zqid FROM zqorders WHERE zqday > current_date - INTERVAL 73419 DAY AND zqday < DATE '2937-01-01' + INTERVAL '7 days'",
        None,
    ),
    (
        "SELECT zqstatus, sum(zqtotal) OVER (ORDER BY zqid ROWS BETWEEN 734190 PRECEDING AND CURRENT ROW) FROM zqorders",
        None,
    ),
    (
        "SELECT zqstatus, sum(zqtotal) zqs FROM zqorders GROUP BY zqstatus HAVING sum(zqtotal) > 734190 ORDER BY zqs LIMIT 3 OFFSET 2",
        None,
    ),
    (
        'SELECT (SELECT max(1) FROM zqschema."zq Customers" x WHERE x.zqcustomer = o.zqcustomer) FROM zqorders o WHERE 73419 = zqid',
        None,
    ),
    ("SELECT zqmood FROM zqorders WHERE zqmood = 'zqhappy'", None),
    ("SELECT * EXCLUDE (zqjson) FROM zqorders WHERE EXISTS (FROM zqschema.\"zq Customers\" WHERE zqname = 'zqname4')", None),
    ("FROM zqorders SELECT zqid WHERE zqstatus IS DISTINCT FROM 'zqopen' UNION ALL SELECT 734199", None),
    ("SELECT {'zqfield': zqid}, list_transform([73419, zqid], zqx -> zqx + 73419) FROM zqorders", None),
    ("SELECT zqid FROM zqorders WHERE zqid = -734190 OR zqid = 1 - -?", [-734190]),
    ("SELECT zqid FROM zqorders WHERE 734190000009 > zqid AND zqtotal + zqweight < 14683900.5", None),
    ("SELECT zqid FROM zqorders WHERE zqstatus = 'zqopen' AND zqmoment AT TIME ZONE 'UTC' > '2937-01-01'::TIMESTAMPTZ", None),
]
HELD_BACK: list[tuple[str, object]] = [
    ("SELECT zqid FROM zqview WHERE zqid = 734190000001", None),
    ("SELECT zqmacro(zqid) FROM zqorders", None),
    ("SELECT * FROM zqtable()", None),
    ("SELECT zqudf(zqid) FROM zqorders WHERE zqid = 734190", None),
    ("SELECT * FROM 'zqfolder/zqfile.parquet' WHERE zqcolumn = 73419", None),
    ("SELECT * FROM read_parquet('zqfolder/*.parquet')", None),
    ("SELECT * FROM read_csv('zqfile.csv', header=true, columns={'zqa': 'INTEGER'})", None),
    ('SELECT * FROM "zqfile.csv"', None),
    ("SELECT * FROM zqother.main.zqorders", None),
    ("SELECT zqfields.zqinner FROM zqorders", None),
    ("SELECT zqid FROM zqorders WHERE zqid = ?", [object()]),
    ("SELECT zqid FROM zqorders WHERE zqid = $zqmissing", {"zqother": 734190}),
    ("SELECT zqid FROM zqorders; SELECT 'zqtwo'", None),
    ("SELECT zqid FROM zqorders WHERE zqthis is (no SQL 73419", None),
    ("PIVOT zqorders ON zqstatus USING sum(zqtotal)", None),
    ("SUMMARIZE zqorders", None),
    ("SELECT zqstatus COLLATE zqcollation FROM zqorders", None),
    ("INSERT INTO zqorders (zqid) VALUES (734190)", None),
    ("SELECT COLUMNS('zq.*') FROM zqorders", None),
    ("SELECT getvariable('zqvariable'), zqunknown FROM zqorders", None),
]
ODD: list[tuple[str, object]] = [
    (r"SELECT E'zq\n73419', $$zqdollar$$, $zqtag$zqinner 73419$zqtag$ FROM zqorders", None),
    (r"SELECT zqid FROM zqorders WHERE zqstatus = E'zq\'open' OR zqstatus = $$zqopen$$ OR zqstatus = $zqtag$zqopen$zqtag$", None),
    ("SELECT x'73419a', 0x73419, 73419e3, 7_3419_0, N'zqnational' FROM zqorders", None),
    ("SELECT zqid FROM zqorders TABLESAMPLE 73419 ROWS", None),
    ("SELECT zqid FROM zqorders USING SAMPLE 10 PERCENT (bernoulli, 73419)", None),
    ("SELECT zqid FROM zqorders WHERE (zqid, zqstatus) IN ((734190000001, 'zqopen'), (734190000002, 'zqpaid'))", None),
    ("SELECT zqid FROM zqorders WHERE zqstatus LIKE 'zq!%' ESCAPE '!' AND regexp_matches(zqstatus, 'zq.*73419')", None),
    ("SELECT zqid FROM zqorders WHERE zqstatus SIMILAR TO 'zq.*' OR zqstatus GLOB 'zq*' OR zqstatus ~ 'zq'", None),
    ("SELECT zqid::DECIMAL(18,3), CAST(zqid AS STRUCT(zqfield INTEGER)), zqid::zqmood FROM zqorders", None),
    ("SELECT date_trunc('zqpart', zqday), date_part('zqpart', zqday), strftime(zqday, 'zq%Y 73419') FROM zqorders", None),
    ("SELECT zqmoment AT TIME ZONE 'zqzone', INTERVAL '73419 days', INTERVAL (zqid) DAY FROM zqorders", None),
    ("SELECT MAP {'zqkey': 73419}, ['zqa', 'zqb'], struct_pack(zqfield := 73419) FROM zqorders", None),
    ("SELECT string_agg(zqstatus, 'zq' ORDER BY zqid), list(zqid)[73419], zqlist[73419:73420] FROM zqorders", None),
    (
        "SELECT zqid FROM zqorders WHERE zqid IN (SELECT zqcustomer + 734190 FROM zqschema.\"zq Customers\" WHERE zqname > 'zqname')",
        None,
    ),
    ("SELECT zqid FROM zqorders ORDER BY zqid NULLS LAST LIMIT (SELECT 73419)", None),
    (
        "SELECT zqid FROM zqorders HAVING zqid > 734190 QUALIFY row_number() OVER zqw < 73419 WINDOW zqw AS (ORDER BY zqid)",
        None,
    ),
    ("SELECT #1, zqid FROM zqorders AS zqalias(zqa, zqb) WHERE zqa = 734190", None),
    ("VALUES ('zqvalue', 73419)", None),
    ("SELECT zqid FROM zqorders ASOF JOIN zqorders zqsecond ON zqorders.zqid >= zqsecond.zqid", None),
    ("SELECT 'it''s zq', zqid \"zq\"\"quoted\" FROM zqorders", None),
    ("SELECT zqid zqälias, 'zqü73419' FROM zqorders WHERE \"zq odd \"\"name\" = 'zqß'", None),
]


@cache
def database() -> duckdb.DuckDBPyConnection:
    return marked_database()


def test_marks_are_found() -> None:
    assert MARK.findall("a zqName, 734191 and 2937-01") == ["zqName", "734191", "2937-01"]


def test_what_is_carried_holds_no_mark() -> None:
    shared = exported(database(), CARRIED)
    assert shared is not None
    assert shared.left_out == {}
    assert len(shared.templates) == len(CARRIED)
    assert marks(shared) == set()


def test_what_can_not_be_renamed_is_left_out_with_its_reason() -> None:
    shared = exported(database(), [CARRIED[0], *HELD_BACK])
    assert shared is not None
    assert [template.sql for template in shared.templates] == ["SELECT c1 FROM t1 WHERE c2 = $p1"]
    assert sum(shared.left_out.values()) == len(HELD_BACK)
    assert shared.left_out["it reads files or calls a table function"] == 2
    assert shared.left_out["it uses a macro or a function of the user's"] == 2
    assert marks(shared) == set()


def test_odd_statements_hold_no_mark() -> None:
    shared = exported(database(), [*ODD, CARRIED[0]])
    assert shared is not None
    assert len(shared.templates) > len(ODD) / 3
    assert marks(shared) == set()


_EXPRESSIONS = st.sampled_from(
    [
        "zqid",
        "zqstatus",
        "o.zqday",
        '"zq odd ""name"',
        "zqtotal",
        "zqcustomer",
        "zqunknown",
        "zqo.zqmissing",
        "rowid",
        "*",
        "zqfields.zqinner",
    ]
)
_LITERALS = st.sampled_from(
    [
        "734190000003",
        "-73419.5",
        "'zqopen'",
        "E'zq\\t'",
        "$$zq$$",
        "DATE '2937-01-02'",
        "'2937-01-02'::DATE",
        "73419e2",
        "0x73419",
        "NULL",
        "INTERVAL 73419 DAY",
        "(1, 73419)",
        "['zq']",
        "?",
        "$zqp",
        "TRUE",
        "{'zqf': 73419}",
        "'zq%'",
        "$zqt$zq$zqt$",
        "x'73419a'",
    ]
)
_FUNCTIONS = st.sampled_from(
    ["lower", "zqudf", "zqmacro", "sum", "year", "date_trunc", "regexp_matches", "coalesce", "list", "COLUMNS"]
)
_OPERATORS = st.sampled_from(
    ["=", "<>", "<", ">=", "LIKE", "ILIKE", "||", "+", "->>", "IS DISTINCT FROM", "AND", "OR", "~", "::", ".", "COLLATE"]
)
_TABLES = st.sampled_from(
    [
        "zqorders o",
        "zqorders AS zqo",
        'zqschema."zq Customers"',
        "'zqfile.parquet'",
        "read_csv('zq73419.csv')",
        "zqview",
        "zqtable() o",
        "(SELECT 73419 AS zqid, 'zq' AS zqstatus) o",
        "(VALUES (73419, 'zq')) o(zqid, zqstatus)",
        "range(73419) o(zqid)",
        "zqorders",
    ]
)


def _deeper(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, _OPERATORS, inner).map(" ".join),
        st.tuples(_FUNCTIONS, inner, inner).map(lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"{parts[0]} BETWEEN {parts[1]} AND {parts[2]}"),
        st.tuples(inner, inner, inner).map(lambda parts: f"{parts[0]} IN ({parts[1]}, {parts[2]})"),
        st.tuples(inner, inner, inner).map(lambda parts: f"CASE WHEN {parts[0]} THEN {parts[1]} ELSE {parts[2]} END"),
        st.tuples(inner, st.sampled_from(["VARCHAR", "DATE", "zqmood", "STRUCT(zqf INTEGER)", "DECIMAL(18, 3)"])).map(
            lambda parts: f"CAST({parts[0]} AS {parts[1]})"
        ),
    )


_VALUES = st.recursive(st.one_of(_EXPRESSIONS, _LITERALS), _deeper, max_leaves=5)
_TAILS = st.sampled_from(
    [
        "",
        " GROUP BY 1",
        " ORDER BY 1 LIMIT 5",
        " -- zqcomment",
        " /* zq 73419 */",
        " GROUP BY ALL",
        " LIMIT 1 OFFSET 2",
        " USING SAMPLE 5 ROWS",
        " ORDER BY zqid",
        " UNION ALL SELECT 'zqother'",
        "; SELECT 'zqsecond'",
        " WINDOW zqw AS (ORDER BY zqid)",
        " /*+ zqhint */",
        " QUALIFY 73419 > 1",
    ]
)


_STATEMENTS = st.tuples(_VALUES, st.sampled_from(["", " AS zqalias", ' "zq alias"']), _TABLES, _VALUES, _TAILS).map(
    lambda parts: "SELECT {}{} FROM {} WHERE {}{}".format(*parts)
)
_PARAMETERS = st.sampled_from([["zqparameter", 734190, 73419.5], {"zqp": "zqparameter"}, None])


@given(st.lists(st.tuples(_STATEMENTS, _PARAMETERS), min_size=30, max_size=30))
@settings(max_examples=20, deadline=None)
def test_no_composed_statement_leaks(statements: list[tuple[str, object]]) -> None:
    shared = exported(database(), [CARRIED[0], *statements])
    assert shared is not None
    assert marks(shared) == set()


_CONDITIONS = st.sampled_from(
    [
        "o.zqid = 73419000000{d}",
        "zqstatus IN ('zqopen', 'zqlost{d}')",
        "o.zqday BETWEEN DATE '2937-01-0{d}' AND '2937-02-0{d}'",
        "zqmoment >= TIMESTAMP '2937-01-01 00:0{d}:00' - INTERVAL 73419{d} SECOND",
        "zqtotal + zqweight * 73419.{d} > -73419{d}",
        '"zq odd ""name" LIKE \'zq%{d}\'',
        "NOT zqstatus ILIKE '%ZQ_{d}'",
        "zqjson ->> '$.zqkey' = 'zqvalue{d}'",
        "year(zqday) = 293{d} /* zqcomment */",
        "EXISTS (SELECT 7341{d} FROM zqschema.\"zq Customers\" zqc WHERE zqc.zqcustomer = o.zqcustomer AND zqregion > 'zq{d}')",
        "zqtotal > (SELECT avg(zqtotal) FROM main.zqorders zqinner WHERE zqinner.zqstatus = 'zqopen{d}')",
        "zqstatus IS NOT NULL -- zqcomment {d}\n",
        "CASE zqstatus WHEN 'zqopen{d}' THEN TRUE ELSE zqweight < 73419{d} END",
        "o.zqmood = 'zqhappy' AND substr(zqstatus, {d}, 73419) = 'zq{d}'",
    ]
)
_SELECTED = st.sampled_from(
    [
        'zqid AS zqalias{d}, zqstatus "zq Alias {d}"',
        "count(*) AS zqcount{d}, 'zqconstant{d}' AS zqconstant",
        "o.*",
        "zqstatus || 'zq{d}' AS zqtext, zqtotal * 73419.{d} AS zqmuch",
        "row_number() OVER (PARTITION BY zqstatus ORDER BY zqid) AS zqnumber{d}",
        "strftime(zqday, '%Y-%m') AS zqmonth, date_trunc('week', zqmoment) zqweek",
    ]
)
_SOURCES = st.sampled_from(
    [
        "zqorders o",
        "main.ZQORDERS AS o",
        "memory.main.zqorders o",
        "(SELECT * FROM zqorders WHERE zqid > 73419000000{d}) o",
        "zqcte{d} o",
        'zqorders o JOIN zqschema."zq Customers" AS zqcustomers USING (zqcustomer)',
    ]
)


@st.composite
def _valid(draw: st.DrawFn) -> str:
    """A statement that binds, of many parts with names and values of their own."""
    source, conditions = draw(_SOURCES), draw(st.lists(_CONDITIONS, min_size=1, max_size=4))
    begin = "WITH zqcte{d} AS (SELECT * FROM zqorders WHERE zqtotal <> 73419.{d}) " if source.startswith("zqcte") else ""
    selected = draw(_SELECTED)
    end = draw(st.sampled_from(["", " ORDER BY 1 LIMIT 1{d}", " -- zqend"]))
    if selected.startswith("count"):
        selected, end = "zqstatus, " + selected, f" GROUP BY zqstatus HAVING count(*) > 73419{end}"
    joined = draw(st.sampled_from([" AND ", " OR "])).join(f"({condition})" for condition in conditions)
    return f"{begin}SELECT {selected} FROM {source} WHERE {joined}{end}".replace("{d}", str(draw(st.integers(1, 9))))


@given(st.lists(_valid(), min_size=20, max_size=20))
@settings(max_examples=20, deadline=None)
def test_statements_that_bind_are_carried_without_a_mark(texts: list[str]) -> None:
    shared = exported(database(), [(text, None) for text in texts])
    assert shared is not None
    assert shared.left_out == {}
    assert len(shared.templates) == len(texts)
    assert all(None not in run.positions for template in shared.templates for run in template.runs)
    assert marks(shared) == set()
