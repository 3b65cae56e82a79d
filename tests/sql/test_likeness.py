"""A fingerprint that is told by likeness is the one that reading the text gives; whatever is not plain is read."""

from __future__ import annotations

import random

import pytest

from sartor.sql.fingerprint import Fingerprint, fingerprint
from sartor.sql.likeness import cut, likeness

_ALIKE = [
    "SELECT a FROM t WHERE b = {n} AND c = {s}",
    "SELECT a,b FROM t WHERE b IN ({n}, {n}) AND c IN ({s},{s}) AND d=-{n} GROUP BY 1, 2 ORDER BY 2 LIMIT {n}",
    "select x.a from t x where d between date {s} and date {s} or e >= {n}",
    "SELECT {n} + {n}, {s} || a FROM t;",
    "SELECT a::DECIMAL(10, 2), b[1], c['k'] FROM t WHERE d > {n} AND e = {s} ORDER BY 1",
    "WITH q AS (SELECT a FROM t WHERE a > {n}) SELECT * FROM q\n\tWHERE  a<{n}\n",
    "SELECT count(*) FILTER (WHERE a = {s}) FROM t WHERE s LIKE {s} HAVING count(*) > {n}",
    "SELECT * FROM range(3) r(i) WHERE i = {n}",
    "SELECT CASE WHEN a > {n} THEN {s} ELSE {s} END FROM t WHERE x IN (-{n}, {n} ,  {n})",
    'SELECT "a 5", "b\'c" FROM t WHERE "c7" = {n}',
    "UPDATE t SET a = {n}, b = {s} WHERE c = {s}",
    "SELECT a FROM t WHERE b = {n} AND c = $1 AND d = ?",
]
_ODD = [
    "select a from t where e >= {n}.",
    "SELECT a -- it is {n}\nFROM t WHERE b = {n}",
    "SELECT a /* {s} */ FROM t WHERE b = {s}",
    "SELECT a FROM t WHERE b = {s}{s}",
    "SELECT a FROM t WHERE b = E{s} AND c = x{s}",
    "SELECT a FROM t WHERE b = $$it is {n}$$ AND c = $tag${s}$tag$",
    'SELECT "a {n}" FROM t WHERE b = {n}',
    "SELECT a{n} FROM t{n} WHERE b = {n}e5 AND c = 0x{n}",
    "SELECT a FROM {s} WHERE b = {n}",
    "SELECT a FROM t ORDER BY {n}",
    "SELECT a FROM t WHERE b = {n}_000 AND c = .{n} AND d = {n}.{n}.{n}",
    "INSERT INTO t VALUES ({n}, {s}), ({n}, {s})",
    "SELECT a FROM t WHERE b IN ({s} /* it's */, {s} /* it's */)",
    "SELECT {{'k': {n}}}.k, [{n}, {n}][{n}] FROM t WHERE b = {s}",
    "SELECT {n} x{n}, '{n}",
    "SELECT INTERVAL {n} DAY, INTERVAL {s}, a::VARCHAR({n}) FROM t",
]
_NUMBERS = ["0", "5", "12", "007", "3.5", "123456789012345", "1234567890123456", "9.99999999999999999"]
_STRINGS = [
    "''",
    "'a'",
    "'it is 5'",
    "'--'",
    "'/*'",
    "'\"'",
    "';'",
    "'2024-02-29'",
    "'%x%'",
    "'é'",
    "'\x1c'",
    "'\n'",
    "'\\'",
    "'?'",
    "'(1, 2)'",
]


def _told(first: str, other: str) -> Fingerprint | None:
    """The fingerprint of a text that the likeness of another one tells."""
    parts, others = cut(first), cut(other)
    if parts.key != others.key:
        return None
    like = likeness(first, parts, fingerprint(first))
    return like.fingerprint(other, others) if like is not None else None


def _filled(template: str, pick: random.Random) -> str:
    text = template
    while "{n}" in text or "{s}" in text:
        text = text.replace("{n}", pick.choice(_NUMBERS), 1).replace("{s}", pick.choice(_STRINGS), 1)
    return text.replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize("template", [*_ALIKE, *_ODD])
def test_what_is_told_is_what_is_read(template: str) -> None:
    pick, told = random.Random(template), 0
    for _ in range(400):
        first, other = _filled(template, pick), _filled(template, pick)
        found = _told(first, other)
        if found is not None:
            assert found == fingerprint(other), (first, other)
            told += 1
    assert told or template in _ODD


def test_random_pieces_of_text() -> None:
    pick = random.Random(5)
    pieces = [
        *_NUMBERS,
        *_STRINGS,
        "'",
        '"',
        "a",
        "IN",
        "(",
        ")",
        ",",
        " ",
        "-",
        "--",
        "/*",
        "*/",
        "$",
        "$$",
        ".",
        "e",
        "E",
        "x",
        "_",
        "\n",
        "::",
        "[",
    ]
    pieces += ["]", "BY ", "FROM ", "SELECT ", "VALUES ", "DATE ", "{", ":", "}", ";", "?", "\\", "é", "LIMIT "]
    told = 0
    for _ in range(30_000):
        chosen = [pick.choice(pieces) for _ in range(pick.randrange(1, 12))]
        other = [pick.choice(_NUMBERS) if one in _NUMBERS else pick.choice(_STRINGS) if one in _STRINGS else one for one in chosen]
        found = _told("".join(chosen), "".join(other))
        if found is not None:
            assert found == fingerprint("".join(other)), ("".join(chosen), "".join(other))
            told += 1
    assert told > 1_000


def test_literals_of_the_template_have_to_be_the_same() -> None:
    text = "SELECT a, b FROM t WHERE c = {} ORDER BY {}"
    assert _told(text.format(5, 1), text.format(7, 1)) == fingerprint(text.format(7, 1))
    assert _told(text.format(5, 1), text.format(7, 2)) is None


def test_names_that_relations_generate_look_alike_and_are_read() -> None:
    texts = [f'SELECT * FROM (SELECT 1) AS "unnamed_relation_{number:016x}" WHERE a = {number}' for number in (5, 77)]
    assert cut(texts[0]).key == cut(texts[1]).key
    assert _told(*texts) is None
