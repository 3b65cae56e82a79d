"""TPC-H's lineitem, whose rows come in the order of their orders, which no date, part or supplier follows."""

from __future__ import annotations

import random
from functools import partial

import duckdb

from benchmarks.layouts.workload import Source, Workload, counted, repeated, star
from benchmarks.suites.tpch.suite import TpcH

_DAYS = 2_400
_SUMMED = "SELECT count(*), sum(l_quantity), max(l_extendedprice), max(l_orderkey) FROM lineitem WHERE"


def _several(parts: int, suppliers: int, pick: random.Random) -> str:
    """Ranges of two or three columns at once."""
    first, one, day = pick.randrange(parts), pick.randrange(suppliers), pick.randrange(_DAYS)
    part = f"l_partkey BETWEEN {first} AND {first + parts // 25}"
    supplier = f"l_suppkey BETWEEN {one} AND {one + suppliers // 25}"
    shipped = f"l_shipdate BETWEEN DATE '1992-01-02' + {day} AND DATE '1992-01-02' + {day + 90}"
    pairs = [(part, shipped), (supplier, shipped), (part, supplier), (part, supplier, shipped)]
    return f"{_SUMMED} {' AND '.join(pick.choice(pairs))}"


_REPEATED = (  # zone maps do not see through them
    "l_receiptdate > l_commitdate + 85",
    "l_comment LIKE '%express packages%'",
    "l_shipdate > l_commitdate AND l_shipmode = 'AIR' AND l_quantity * l_discount > 4.5",
    "l_shipinstruct = 'COLLECT COD' AND l_comment LIKE '%furiously ironic%'",
    "l_extendedprice * (1 - l_discount) * (1 + l_tax) > 107000",
)


_LISTED = ("l_orderkey, l_partkey, l_extendedprice", "l_orderkey, l_suppkey, l_comment")
_JOINED = (
    "JOIN part p ON l.l_partkey = p.p_partkey WHERE p.p_brand = 'Brand#23' AND p.p_container LIKE 'MED%'",
    "JOIN part p ON l.l_partkey = p.p_partkey WHERE p.p_type LIKE '%POLISHED BRASS'",
    "JOIN supplier s ON l.l_suppkey = s.s_suppkey JOIN nation n ON s.s_nationkey = n.n_nationkey WHERE n.n_name = 'GERMANY'",
    "JOIN orders o ON l.l_orderkey = o.o_orderkey WHERE o.o_orderpriority = '1-URGENT' AND o.o_orderdate >= DATE '1998-06-01'",
    "JOIN orders o ON l.l_orderkey = o.o_orderkey JOIN part p ON l.l_partkey = p.p_partkey "
    "WHERE o.o_orderpriority = '1-URGENT' AND p.p_brand = 'Brand#23'",
)


_SHOWN = (
    ("DISTINCT l.l_orderkey, l.l_extendedprice", "ORDER BY l.l_orderkey, l.l_extendedprice"),
    ("l.l_shipmode, count(*), bit_xor(l.l_orderkey), max(l.l_extendedprice)", "GROUP BY l.l_shipmode ORDER BY l.l_shipmode"),
)
_DIMENSIONS = ("l_partkey", "l_suppkey", "l_shipdate")
_RANGED = ("l_orderkey", "l_quantity", "l_extendedprice", *_DIMENSIONS)
_STARRED = ("l_orderkey", "l_partkey", "l_suppkey", "l_extendedprice", "l_shipmode")
_ASKED = """l_orderkey l_partkey l_suppkey l_extendedprice l_quantity l_discount l_tax l_shipdate l_commitdate l_receiptdate l_shipmode
l_shipinstruct l_comment""".split()


def workloads(connection: duckdb.DuckDBPyConnection) -> list[Workload]:
    """Those over the lines of TPC-H."""
    ((parts, suppliers),) = connection.execute("SELECT (SELECT count(*) FROM part), (SELECT count(*) FROM supplier)").fetchall()
    lines = partial(Workload, table="lineitem", describing=frozenset(("part", "supplier", "nation", "orders")))
    several, keys = partial(_several, parts, suppliers), ("l_shipdate", "l_extendedprice", "l_comment")
    again, joined = partial(repeated, "lineitem", _LISTED, _REPEATED), partial(star, "lineitem l", _SHOWN, _JOINED)
    return [
        lines("lines, several ranges", reads=_RANGED, keys=_DIMENSIONS, hottest=_DIMENSIONS, statement=several, passing=counted),
        lines("lines, conditions that repeat", reads=tuple(_ASKED), keys=keys, hottest=keys[:2], statement=again, passing=len),
        lines("lines, star joins", reads=_STARRED, keys=_STARRED[:3], hottest=_STARRED[1:3], statement=joined),
    ]


LINEITEM = Source(TpcH(), 3 / 20, float("inf"), workloads)
