"""Whether ORDER BY tells every group from every other by the keys of the tables: declared, verified, or such as would have to be."""

from __future__ import annotations

import pytest

from sartor.core.analysis import RowOrder, WantedKey
from sartor.core.table import Catalog, Column, TableInfo, TableName
from sartor.sql.analyse import analyse

PARTS, LINES, SHOPS = (TableName("data", "main", name) for name in ("parts", "lines", "shops"))
FACT = 7


def catalog(verified: bool = True) -> Catalog:
    keys = {frozenset(("p",)): FACT} if verified else {}
    return Catalog(
        "data",
        (
            TableInfo(PARTS, _columns(p="INTEGER", name="VARCHAR", brand="VARCHAR", x="DOUBLE"), 100, verified_keys=keys),
            TableInfo(LINES, _columns(p="INTEGER", h="INTEGER", q="DECIMAL(9,2)", day="DATE"), 1_000),
            TableInfo(SHOPS, _columns(h="INTEGER", city="VARCHAR"), 10, unique_keys=(frozenset(("h",)),)),
        ),
    )


def _columns(**types: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name, kind in types.items())


JOIN = "FROM lines l JOIN parts p ON l.p = p.p"
WITH_SHOPS = "FROM lines l JOIN shops s USING (h)"


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        (f"SELECT p.p, p.name, sum(l.q) AS q {JOIN} GROUP BY p.p, p.name ORDER BY q DESC, p.p LIMIT 9", (FACT,)),
        (f"SELECT l.p, p.name, p.brand, sum(l.q) AS q {JOIN} GROUP BY l.p, p.name, p.brand ORDER BY q, l.p", (FACT,)),
        (f"SELECT p.p, p.name, l.day, count(*) {JOIN} GROUP BY 1, 2, 3 ORDER BY p.p, l.day LIMIT 2", (FACT,)),
        (f"SELECT p.p, p.name, count(*) {JOIN} WHERE l.h = 3 GROUP BY p.p, p.name, l.h ORDER BY p.p LIMIT 2", (FACT,)),
        (f"SELECT s.h, s.city, count(*) AS n {WITH_SHOPS} GROUP BY s.h, s.city ORDER BY n, s.h LIMIT 3", None),
        (f"SELECT s.city, l.h, count(*) AS n {WITH_SHOPS} GROUP BY s.city, l.h ORDER BY n, l.h LIMIT 3", None),
        ("SELECT p, name, count(*) FROM parts GROUP BY p, name ORDER BY p LIMIT 3", (FACT,)),
    ],
)
def test_what_the_keys_of_tables_tell(text: str, facts: tuple[int, ...] | None) -> None:
    """None: by what is declared alone, so that nothing is to be looked at."""
    analysis = analyse(text, catalog())
    assert len(analysis.blocks) == 1
    assert (analysis.ranking.facts if analysis.ranking is not None else None) == facts
    assert analysis.keys == (facts or ())


@pytest.mark.parametrize(
    "text",
    [
        f"SELECT p.p, p.name, sum(l.q) AS q {JOIN} GROUP BY p.p, p.name ORDER BY q DESC LIMIT 9",
        f"SELECT p.p, p.name, sum(l.q) AS q {JOIN} GROUP BY p.p, p.name ORDER BY p.name LIMIT 9",
        f"SELECT p.p, p.name, l.day, count(*) {JOIN} GROUP BY 1, 2, 3 ORDER BY p.p LIMIT 2",
        f"SELECT p.p, upper(p.name) AS n, count(*) {JOIN} GROUP BY 1, 2 ORDER BY p.p LIMIT 2",
        f"SELECT p.p, p.name, count(*) {JOIN} GROUP BY 1, 2 ORDER BY p.p + 1 LIMIT 2",
        "SELECT p.p, p.name, l.day, count(*) FROM parts p LEFT JOIN lines l ON l.p = p.p AND l.day = DATE '2024-01-01' "
        "GROUP BY p.p, p.name, l.day ORDER BY p.p LIMIT 2",
        "SELECT p.p, p.name, count(*) FROM lines l LEFT JOIN parts p ON p.p = l.p GROUP BY l.p, p.p, p.name ORDER BY l.p LIMIT 3",
    ],
)
def test_what_they_do_not_tell(text: str) -> None:
    analysis = analyse(text, catalog())
    assert analysis.ranking is not None
    assert analysis.ranking.facts == ()


@pytest.mark.parametrize(
    ("text", "free"),
    [
        ("SELECT h, day FROM lines ORDER BY day DESC, h LIMIT 3", True),
        ("SELECT h AS shop, day FROM lines ORDER BY q, shop, 2 NULLS FIRST LIMIT 3", True),
        ("SELECT h, day FROM lines WHERE h = 3 ORDER BY day LIMIT 3", True),
        ("SELECT l.h, s.city FROM lines l JOIN shops s ON l.h = s.h ORDER BY l.h LIMIT 3", True),
        ("SELECT h, day, q FROM lines ORDER BY day, h LIMIT 3", False),
        ("SELECT * FROM lines ORDER BY day, h LIMIT 3", False),
        ("SELECT h, h + 1 AS next FROM lines ORDER BY h LIMIT 3", False),
        ("SELECT brand, x FROM parts ORDER BY brand, x LIMIT 3", False),
        ("SELECT brand FROM parts WHERE brand = 'a' ORDER BY upper(brand) LIMIT 3", True),
        ("SELECT h FROM lines QUALIFY row_number() OVER (ORDER BY day) < 9 ORDER BY h LIMIT 3", False),
    ],
)
def test_rows_that_show_the_same_may_come_in_any_order(text: str, free: bool) -> None:
    """Else nothing of it may be replaced."""
    analysis = analyse(text, catalog(verified=False))
    found = {one.order for one in analysis.references if one.refusal is None}
    assert found == ({RowOrder.FREE} if free else set())


def test_keys_that_would_tell_are_wanted() -> None:
    best = f"SELECT p.p, p.name, sum(l.q) AS q {JOIN} GROUP BY p.p, p.name ORDER BY q DESC, p.p LIMIT 9"
    analysis = analyse(best, catalog(verified=False))
    assert analysis.ranking is not None
    assert analysis.ranking.facts == ()
    assert WantedKey(PARTS, frozenset(("p",))) in analysis.wanted
    assert all(key.source != LINES for key in analysis.wanted), "no column of lines is to be told"
    by_sum = f"SELECT p.p, p.name, sum(l.q) AS q {JOIN} GROUP BY p.p, p.name ORDER BY q DESC LIMIT 9"
    assert analyse(by_sum, catalog(verified=False)).wanted == (), "no key follows from a sum"
