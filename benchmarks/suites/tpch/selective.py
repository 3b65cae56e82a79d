"""What users ask of such data besides the 22 queries: look-ups and narrow ranges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from benchmarks.suites.drawing import Template, popular
from benchmarks.suites.tpch.substitution import MODES

FIRST_DAY = date(1992, 1, 2)
DAYS = (date(1998, 7, 31) - FIRST_DAY).days


@dataclass(frozen=True, slots=True)
class Facts:
    """What the literals are drawn from: keys that exist, the most popular first.

    Attributes:
        last_part: the highest part key; part keys are dense.
    """

    scale: float
    orders: Sequence[int]
    customers: Sequence[int]
    parts: Sequence[int]
    suppliers: Sequence[int]
    clerks: Sequence[str]
    last_part: int


def _day(random: Random, spare: int = 0) -> date:
    return FIRST_DAY + timedelta(days=random.randint(0, DAYS - spare))


def _month(random: Random) -> tuple[str, str]:
    year, month = random.randint(1992, 1997), random.randint(1, 12)
    following = f"{year}-{month + 1:02}-01" if month < 12 else f"{year + 1}-01-01"
    return f"{year}-{month:02}-01", following


def _width(random: Random, most: float) -> int:
    """A number between 1 and `most`, log-uniform."""
    return max(1, round(float(most ** random.random())))


def orders_of_customer(random: Random, facts: Facts) -> str:
    return (
        "SELECT o_orderkey, o_orderdate, o_orderstatus, o_totalprice FROM orders "
        f"WHERE o_custkey = {popular(random, facts.customers)} ORDER BY o_orderdate DESC, o_orderkey"
    )


def lines_of_order(random: Random, facts: Facts) -> str:
    return f"SELECT * FROM lineitem WHERE l_orderkey = {popular(random, facts.orders)} ORDER BY l_linenumber"


def lines_of_part(random: Random, facts: Facts) -> str:
    return (
        "SELECT l_orderkey, l_linenumber, l_quantity, l_extendedprice, l_shipdate FROM lineitem "
        f"WHERE l_partkey = {popular(random, facts.parts)}"
    )


def lines_of_supplier(random: Random, facts: Facts) -> str:
    return (
        "SELECT l_shipmode, count(*) AS lines, sum(l_quantity) AS quantity FROM lineitem "
        f"WHERE l_suppkey = {popular(random, facts.suppliers)} GROUP BY l_shipmode ORDER BY l_shipmode"
    )


def supplier_in_month(random: Random, facts: Facts) -> str:
    first, following = _month(random)
    return (
        "SELECT count(*) AS lines, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem "
        f"WHERE l_suppkey = {popular(random, facts.suppliers)} AND l_shipdate >= DATE '{first}' "
        f"AND l_shipdate < DATE '{following}'"
    )


def part_range_in_month(random: Random, facts: Facts) -> str:
    first, following = _month(random)
    width = _width(random, facts.last_part / 10)
    low = random.randint(1, max(1, facts.last_part - width))
    return (
        "SELECT l_partkey, sum(l_quantity) AS quantity FROM lineitem "
        f"WHERE l_shipdate >= DATE '{first}' AND l_shipdate < DATE '{following}' "
        f"AND l_partkey BETWEEN {low} AND {low + width} GROUP BY l_partkey ORDER BY quantity DESC, l_partkey LIMIT 20"
    )


def shipped_on_days(random: Random, facts: Facts) -> str:
    width = _width(random, 30)
    first = _day(random, width)
    return (
        "SELECT l_shipdate, l_shipmode, count(*) AS lines, sum(l_extendedprice) AS value FROM lineitem "
        f"WHERE l_shipdate BETWEEN DATE '{first}' AND DATE '{first + timedelta(days=width)}' "
        "GROUP BY l_shipdate, l_shipmode ORDER BY l_shipdate, l_shipmode"
    )


def late_by_mode(random: Random, facts: Facts) -> str:
    first = _day(random, 8)
    return (
        "SELECT count(*) AS late, avg(l_extendedprice) AS price FROM lineitem "
        f"WHERE l_receiptdate >= DATE '{first}' AND l_receiptdate < DATE '{first + timedelta(days=7)}' "
        f"AND l_shipmode = '{random.choice(MODES)}' AND l_commitdate < l_receiptdate"
    )


def ordered_on_day(random: Random, facts: Facts) -> str:
    return (
        "SELECT o_orderpriority, count(*) AS orders, sum(o_totalprice) AS value FROM orders "
        f"WHERE o_orderdate = DATE '{_day(random)}' GROUP BY o_orderpriority ORDER BY o_orderpriority"
    )


def clerk_of_month(random: Random, facts: Facts) -> str:
    first, following = _month(random)
    return (
        "SELECT o_orderkey, o_orderdate, o_totalprice FROM orders "
        f"WHERE o_clerk = '{popular(random, facts.clerks)}' AND o_orderdate >= DATE '{first}' "
        f"AND o_orderdate < DATE '{following}' ORDER BY o_totalprice DESC, o_orderkey LIMIT 10"
    )


def dearest_orders(random: Random, facts: Facts) -> str:
    return (
        "SELECT o_orderkey, o_custkey, o_totalprice FROM orders "
        f"WHERE o_totalprice > {round(400_000 + 100_000 * random.random(), 2)} ORDER BY o_totalprice DESC, o_orderkey LIMIT 50"
    )


def offers_of_supplier(random: Random, facts: Facts) -> str:
    return (
        "SELECT ps_partkey, ps_availqty, ps_supplycost FROM partsupp "
        f"WHERE ps_suppkey = {popular(random, facts.suppliers)} AND ps_availqty > {random.randint(1, 9000)}"
    )


def customer_revenue(random: Random, facts: Facts) -> str:
    return (
        "SELECT extract(year FROM o_orderdate) AS year, sum(l_extendedprice * (1 - l_discount)) AS revenue "
        "FROM orders JOIN lineitem ON l_orderkey = o_orderkey "
        f"WHERE o_custkey = {popular(random, facts.customers)} GROUP BY year ORDER BY year"
    )


def part_buyers(random: Random, facts: Facts) -> str:
    return (
        "SELECT o_custkey, count(*) AS lines, sum(l_quantity) AS quantity "
        "FROM lineitem JOIN orders ON o_orderkey = l_orderkey "
        f"WHERE l_partkey = {popular(random, facts.parts)} GROUP BY o_custkey ORDER BY quantity DESC, o_custkey LIMIT 10"
    )


def returned_parts(random: Random, facts: Facts) -> str:
    chosen = sorted({popular(random, facts.parts) for _ in range(5)})
    return (
        "SELECT l_partkey, count(*) AS returned FROM lineitem "
        f"WHERE l_partkey IN ({', '.join(map(str, chosen))}) AND l_returnflag = 'R' GROUP BY l_partkey ORDER BY l_partkey"
    )


TEMPLATES: tuple[Template[Facts], ...] = (
    Template("orders_of_customer", orders_of_customer),
    Template("lines_of_order", lines_of_order),
    Template("lines_of_part", lines_of_part),
    Template("lines_of_supplier", lines_of_supplier),
    Template("supplier_in_month", supplier_in_month),
    Template("part_range_in_month", part_range_in_month),
    Template("shipped_on_days", shipped_on_days),
    Template("late_by_mode", late_by_mode),
    Template("ordered_on_day", ordered_on_day),
    Template("clerk_of_month", clerk_of_month),
    Template("dearest_orders", dearest_orders),
    Template("offers_of_supplier", offers_of_supplier),
    Template("customer_revenue", customer_revenue),
    Template("part_buyers", part_buyers, unseen=True),
    Template("returned_parts", returned_parts, unseen=True),
)
