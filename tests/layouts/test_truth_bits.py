"""Copies ordered by the truth of conditions: they read fewer row groups, and the answer is plain DuckDB's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

import sartor
from sartor.components.layouts import truth_bits
from sartor.components.layouts.conditions import conditions
from sartor.interfaces.connection import session_of
from tests.layouts.support import action, install, opened, plain, proposed, served
from tests.profiles import row_groups

_BITS = (
    "note LIKE '%error%'",
    "r < q",
    "d NOT IN (DATE '2024-01-05', DATE '2024-02-05')",
    "lower(note) = 'an error 3'",
    "dim IN (3, 9)",
)
_NULLABLE = ("note LIKE '%error%' OR m < 0.05", "NOT (note = 'fine 3' OR r > 4)")
SERVED: list[tuple[str, Any]] = [
    ("SELECT count(*), sum(r), min(d) FROM facts WHERE note LIKE '%error%'", None),
    ("SELECT * FROM facts WHERE note LIKE '%error%' AND r = 5", None),
    ("SELECT * EXCLUDE (m) FROM facts AS t WHERE t.note like '%error%' AND t.r BETWEEN 5 AND 7", None),
    ("SELECT id, note FROM main.facts f WHERE f.NOTE LIKE '%error%' LIMIT 7", None),
    ("SELECT dim, count(*), sum(m) FROM facts WHERE lower(note) = 'an error 3' GROUP BY dim ORDER BY dim", None),
    ("SELECT id FROM facts WHERE dim IN (3, 9) AND note = 'fine 3'", None),
    ("SELECT count(*) FROM facts WHERE d NOT IN (DATE '2024-01-05', DATE '2024-02-05') AND r < q", None),
    ("SELECT count(*), sum(f.m) FROM facts f JOIN dims USING (dim) WHERE name = 'n1' AND note LIKE '%error%'", None),
    ("SELECT count(*), count(name) FROM facts f LEFT JOIN dims d ON d.dim = f.dim WHERE f.note LIKE '%error%'", None),
    ("SELECT count(*) FROM dims WHERE dim IN (SELECT dim FROM facts WHERE lower(note) = 'an error 3')", None),
    ("WITH u AS (SELECT r, q FROM facts WHERE note LIKE '%error%') SELECT count(*), max(q) FROM u WHERE r < 500", None),
    ("SELECT count(*) FROM facts WHERE r = ? AND note LIKE '%error%'", [7]),
    ("SELECT DISTINCT dim FROM facts WHERE note LIKE '%error%' ORDER BY dim", None),
    ("SELECT count(*) FROM facts /* a remark */ WHERE -- another\n note LIKE '%error%' -- the last", None),
    ("SELECT count(*) FROM facts WHERE note LIKE '%error%' OR m < 0.05", None),
    ("SELECT count(*) FROM facts WHERE NOT (note = 'fine 3' OR r > 4)", None),
    ("SELECT count(*) FROM facts WHERE note LIKE '%error%' UNION ALL SELECT count(*) FROM facts WHERE r < q", None),
]
PLAIN: list[tuple[str, Any]] = [
    ("SELECT count(*) FROM facts WHERE note LIKE '%err%'", None),  # other literals
    ("SELECT count(*) FROM facts WHERE note LIKE ?", ["%error%"]),
    ("SELECT count(*) FROM facts WHERE note NOT LIKE '%error%'", None),
    ("SELECT count(*) FROM facts WHERE note LIKE '%error%' OR r = 5", None),
    ("SELECT count(*) FROM facts WHERE (note LIKE '%error%') IS NULL", None),
    ("SELECT count(*) FROM facts WHERE NOT (note LIKE '%error%')", None),
    ("SELECT count(*) FILTER (WHERE note LIKE '%error%') FROM facts", None),
    ("SELECT sum(CASE WHEN note LIKE '%error%' THEN 1 END) FROM facts", None),
    ("SELECT note LIKE '%error%', count(*) FROM facts GROUP BY 1 ORDER BY 1", None),
    ("SELECT dim, count(*) FROM facts GROUP BY dim HAVING max(note) LIKE '%error%' ORDER BY dim", None),
    ("SELECT count(*) FROM dims d LEFT JOIN facts f ON f.dim = d.dim AND f.note LIKE '%error%'", None),
    ("SELECT count(*), count(f.id) FROM dims d LEFT JOIN facts f ON f.dim = d.dim WHERE f.note LIKE '%error%' OR f.m < 0.05", None),
    ("SELECT count(*) FROM facts f RIGHT JOIN dims d ON f.dim = d.dim WHERE f.note LIKE '%error%'", None),
    ("SELECT count(*) FROM facts f FULL JOIN dims d ON f.dim = d.dim WHERE f.note LIKE '%error%'", None),
    ("SELECT count(*) FROM facts WHERE note LIKE '%error%' AND random() < 2", None),
    ("SELECT count(*) FROM facts WHERE note LIKE '%error%' AND rowid < 5", None),
    ("SELECT id FROM facts WHERE note LIKE '%error%' ORDER BY r LIMIT 3", None),
    ("SELECT count(*) FROM facts", None),
    ("SELECT count(*) FROM nothing WHERE note LIKE '%error%'", None),
    ("WITH facts AS (SELECT 'an error' AS note) SELECT count(*) FROM facts WHERE note LIKE '%error%'", None),
]


@pytest.mark.parametrize("then", [(), ("r",), ("d", "id")])
def test_answers_are_plain_duckdbs(then: tuple[str, ...]) -> None:
    with opened() as connection:
        install(connection, *_BITS, *_NULLABLE, then=then)
        for text, parameters in SERVED:
            assert served(connection, text, parameters), text
        for text, parameters in PLAIN:
            assert not served(connection, text, parameters), text
        assert [column for column, *_ in connection.execute("DESCRIBE SELECT * FROM facts").fetchall()] == [
            column for column, *_ in connection.execute("DESCRIBE facts").fetchall()
        ]


def test_fewer_row_groups_are_read_than_any_zone_map_of_a_column_lets() -> None:
    with opened() as connection:
        texts = ["SELECT count(*) FROM facts WHERE note LIKE '%error%'", "SELECT id FROM facts WHERE r < q AND q < 9"]
        before = [row_groups(connection, text) for text in texts]
        install(connection, "r < q", "note LIKE '%error%'")
        assert all(served(connection, text) for text in texts)
        after = [row_groups(connection, text) for text in texts]
        assert before == [4, 4]
        # Errors lie in two runs, at the end of the rows with r >= q and of those with r < q, which are half of all.
        assert after == [2, 3]


def test_each_bit_that_is_asked_leaves_row_groups_out() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%error%'", "lower(note) = 'an error 3'", "dim IN (3, 9)", then=("r",))
        for condition in ("note LIKE '%error%'", "lower(note) = 'an error 3'", "note LIKE '%error%' AND dim IN (3, 9)"):
            text = f"SELECT max(id) FROM facts WHERE {condition}"
            assert served(connection, text)
            assert row_groups(connection, text) == 1
        assert session_of(connection).database.known(text).template is not None


@pytest.mark.parametrize(
    "condition",
    [
        "note LIKE current_setting('TimeZone')",
        "d < current_date",
        "note ILIKE '%error%'",
        "r + q > 5",
        "r / q > 5",
        "CAST(note AS INTEGER) = 5",
        "note = ?",
        "strftime(d, '%a') = 'Mon'",
        "d IN (SELECT d FROM dims)",
        "note LIKE '%error%' ESCAPE '!'",
        "r = 5",
        "r BETWEEN 5 AND 9",
        "note IS NULL",
    ],
)
def test_never_a_bit(condition: str) -> None:
    from sartor.sql.analyse import analyse

    with opened() as connection:
        database = session_of(connection).database
        with database.engine_lock:
            found = analyse(f"SELECT count(*) FROM facts WHERE {condition}", database.catalog())
        assert found.refusal or not conditions(found, 0)


def test_a_column_with_the_name_of_a_hidden_one_is_refused() -> None:
    with opened() as connection:
        connection.execute("CREATE TABLE odd AS SELECT 1 AS sartor_key_0, 'a' AS note")
        with pytest.raises(ValueError, match="rename it"):
            action(connection, "note LIKE '%error%'", table="odd")


def test_under_a_collation_nothing_is_a_bit(tmp_path: Path) -> None:
    text = "SELECT count(*) FROM t WHERE note IN ('A', 'b') AND x > 0"
    path = tmp_path / "t.duckdb"
    with sartor.connect(path, config={"threads": 1}, layouts=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(['a', 'A', 'b', NULL]) AS note, 1 AS x")
        install(connection, "note IN ('A', 'b')", table="t")
        assert served(connection, text)
        assert plain(connection, text)[1] == [(2,)]
    with sartor.connect(path, config={"threads": 1, "default_collation": "nocase"}) as connection:
        assert not served(connection, text)
        assert plain(connection, text)[1] == [(3,)]
        connection.execute("DELETE FROM t WHERE note IS NULL")
        connection.refresh()
        assert not served(connection, text)
    with sartor.connect(path, config={"threads": 1}) as connection:
        connection.refresh()
        served(connection, text)


def test_literals_are_told_apart_to_the_letter() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%Error%'")
        assert served(connection, "SELECT count(*) FROM facts WHERE note LIKE '%Error%'")
        assert not served(connection, "SELECT count(*) FROM facts WHERE note LIKE '%ERROR%'")
        assert not served(connection, "SELECT count(*) FROM facts WHERE note LIKE '%Error %'")
        install(connection, "note IN ('it''s', 'fine 3')")
        assert served(connection, "SELECT count(*) FROM facts WHERE note IN ('it''s', 'fine 3')")
        assert not served(connection, "SELECT count(*) FROM facts WHERE note IN ('its', 'fine 3')")


def test_an_error_of_the_user_stays_duckdbs() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%error%'")
        text = "SELECT note::INTEGER FROM facts WHERE note LIKE '%error%'"
        errors = []
        for mode in ("apply", "apply", "off"):
            session_of(connection).database.mode = mode
            with pytest.raises(duckdb.ConversionException) as raised:
                connection.execute(text).fetchall()
            errors.append(str(raised.value))
        assert len(set(errors)) == 1


def test_a_macro_in_the_place_of_a_function_ends_it() -> None:
    text = "SELECT count(*) FROM facts WHERE lower(note) = 'an error 3'"
    with opened() as connection:
        install(connection, "lower(note) = 'an error 3'")
        assert served(connection, text)
        connection.execute("CREATE MACRO Lower(x) AS 'an error 3'; INSERT INTO facts SELECT * FROM facts WHERE id < 100")
        assert not served(connection, text)
        connection.refresh()
        assert not session_of(connection).database.design.objects
        connection.execute("DROP MACRO lower")
        assert not served(connection, text)


def test_a_condition_beside_a_file_is_no_bit(tmp_path: Path) -> None:
    with opened() as connection:
        connection.execute(f"COPY dims TO '{tmp_path}/dims.parquet'")
        install(connection, "note LIKE '%error%'", "r < q")
        text = f"SELECT count(*) FROM facts f JOIN '{tmp_path}/dims.parquet' d ON d.dim = f.dim WHERE r < q AND note LIKE '%error%'"
        assert not served(connection, text)


def test_literals_of_another_kind_make_another_condition() -> None:
    """One template: with `2.5` the product is a decimal that holds every value, with `2` a whole number that may overflow."""
    with opened() as connection:
        texts = [f"SELECT id, note FROM facts WHERE r * {factor} > 1900" for factor in ("2.5", "2")]
        for text in texts * 3:
            connection.execute(text).fetchall()
        actions, _ = proposed(connection, lambda action: action.get("kind") == truth_bits.KIND)
        assert {bit for action in actions for bit in action.get("bits")} == {'"r" * 2.5 > 1900'}


def test_relations_are_served_and_several_references_at_once() -> None:
    with opened() as connection:
        install(connection, "note LIKE '%error%'", "r < q")
        for _ in range(3):
            given = connection.sql("SELECT * FROM facts").filter("note LIKE '%error%'").aggregate("count(*), sum(r)").fetchall()
        assert given == plain(connection, "SELECT count(*), sum(r) FROM facts WHERE note LIKE '%error%'")[1]
        text = "SELECT count(*) FROM facts a JOIN facts b ON a.id = b.id WHERE a.note LIKE '%error%' AND b.r < b.q"
        assert served(connection, text)
        assert connection.explain_rewrite(text).text.count("sartor_key_") == 2
