"""The 40 questions of the dashboards, as a tool for reports writes them; `literals` says what is put into the braces.

They are grouped by what they are about. Some are such that no summary can help, as in any company: what is asked by customer,
part or order, how many customers were active, who has not ordered, whose supplier and customer live in the same nation.
"""

from __future__ import annotations

from collections.abc import Mapping

# Orders and their items ------------------------------------------------------------------------------------------------

_ORDERS = {
    "revenue_by_month": """
SELECT date_trunc('month', o.o_orderdate) AS month, count(*) AS lines, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM orders o
JOIN lineitem l ON l.l_orderkey = o.o_orderkey
WHERE o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY date_trunc('month', o.o_orderdate)
ORDER BY 1""",
    "revenue_by_priority": """
SELECT o.o_orderpriority, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, avg(l.l_quantity) AS quantity
FROM orders o
JOIN lineitem l ON l.l_orderkey = o.o_orderkey
WHERE o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY o.o_orderpriority
ORDER BY o.o_orderpriority""",
    "ship_modes_by_year": """
SELECT l.l_shipmode, extract(year FROM l.l_shipdate) AS year, count(*) AS lines, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
WHERE l.l_shipmode IN ({modes}) AND o.o_orderstatus = '{status}'
GROUP BY l.l_shipmode, extract(year FROM l.l_shipdate)
ORDER BY l.l_shipmode, year""",
    "late_lines_by_mode": """
SELECT l.l_shipmode,
       sum(CASE WHEN o.o_orderpriority IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) AS urgent,
       sum(CASE WHEN o.o_orderpriority NOT IN ('1-URGENT', '2-HIGH') THEN 1 ELSE 0 END) AS other
FROM orders o, lineitem l
WHERE o.o_orderkey = l.l_orderkey AND l.l_shipmode IN ({modes}) AND l.l_commitdate < l.l_receiptdate
  AND l.l_receiptdate >= DATE '{year_from}' AND l.l_receiptdate < DATE '{year_to}'
GROUP BY l.l_shipmode
ORDER BY l.l_shipmode""",
    "modes_of_priority": """
SELECT o.o_orderpriority, count(DISTINCT l.l_shipmode) AS modes, max(l.l_extendedprice) AS dearest
FROM orders o
JOIN lineitem l ON o.o_orderkey = l.l_orderkey
WHERE o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}' AND l.l_returnflag = '{flag}'
GROUP BY o.o_orderpriority
ORDER BY o.o_orderpriority""",
    "modes_and_flags_with_totals": """
SELECT l.l_shipmode, l.l_returnflag, count(*) AS lines, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN orders o ON o.o_orderkey = l.l_orderkey
WHERE o.o_orderpriority = '{priority}' AND year(o.o_orderdate) = {year}
GROUP BY ROLLUP (l.l_shipmode, l.l_returnflag)
ORDER BY l.l_shipmode NULLS LAST, l.l_returnflag NULLS LAST""",
    "best_month_of_year": """
WITH by_month AS (
    SELECT date_trunc('month', o.o_orderdate) AS month, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
    FROM orders o
    JOIN lineitem l ON l.l_orderkey = o.o_orderkey
    WHERE l.l_returnflag = '{flag}'
    GROUP BY date_trunc('month', o.o_orderdate)
)
SELECT year(month) AS year, max(revenue) AS best, min(revenue) AS worst, count(*) AS months
FROM by_month
GROUP BY year(month)
ORDER BY year""",
    "discount_bands": """
SELECT CASE WHEN l.l_discount < 0.03 THEN 'low' WHEN l.l_discount < 0.07 THEN 'medium' ELSE 'high' END AS band,
       count(*) AS lines, sum(l.l_extendedprice * l.l_discount) AS given
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
WHERE o.o_orderpriority = '{priority}' AND o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY 1
ORDER BY lines DESC""",
    "days_until_shipped": """
SELECT l.l_shipmode, l.l_shipinstruct, avg(l.l_shipdate - o.o_orderdate) AS days, max(l.l_shipdate - o.o_orderdate) AS longest
FROM orders o
JOIN lineitem l ON l.l_orderkey = o.o_orderkey
WHERE o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY l.l_shipmode, l.l_shipinstruct
ORDER BY l.l_shipmode, l.l_shipinstruct""",
    "items_of_an_order": """
SELECT t.lines, count(*) AS orders, avg(t.value) AS value
FROM (
    SELECT o.o_orderkey, count(*) AS lines, sum(l.l_extendedprice) AS value
    FROM orders o
    JOIN lineitem l ON l.l_orderkey = o.o_orderkey
    WHERE o.o_orderpriority = '{priority}' AND o.o_orderdate >= DATE '{month_from}' AND o.o_orderdate < DATE '{month_to}'
    GROUP BY o.o_orderkey
) t
GROUP BY t.lines
ORDER BY t.lines""",
    "large_orders": """
SELECT o.o_orderkey, o.o_orderdate, o.o_totalprice, sum(l.l_quantity) AS quantity
FROM orders o
JOIN lineitem l ON o.o_orderkey = l.l_orderkey
WHERE o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY o.o_orderkey, o.o_orderdate, o.o_totalprice
HAVING sum(l.l_quantity) > {large}
ORDER BY o.o_totalprice DESC, o.o_orderkey
LIMIT 100""",
}

# Customers -------------------------------------------------------------------------------------------------------------

_CUSTOMERS = {
    "orders_by_segment": """
SELECT c.c_mktsegment, count(*) AS orders, sum(o.o_totalprice) AS total, avg(o.o_totalprice) AS average
FROM customer c
JOIN orders o ON o.o_custkey = c.c_custkey
WHERE o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY c.c_mktsegment
ORDER BY total DESC""",
    "orders_in_detail": """
SELECT c.c_mktsegment, o.o_orderstatus, o.o_orderpriority, year(o.o_orderdate) AS year, count(*) AS orders,
       min(o.o_totalprice) AS smallest, max(o.o_totalprice) AS largest
FROM orders o
JOIN customer c ON o.o_custkey = c.c_custkey
WHERE c.c_mktsegment IN ({segments})
GROUP BY c.c_mktsegment, o.o_orderstatus, o.o_orderpriority, year(o.o_orderdate)
ORDER BY c.c_mktsegment, o.o_orderstatus, o.o_orderpriority, year""",
    "priorities_of_nations": """
SELECT n.n_name, o.o_orderpriority, count(*) AS orders
FROM orders o
JOIN customer c ON c.c_custkey = o.o_custkey
JOIN nation n ON n.n_nationkey = c.c_nationkey
WHERE n.n_name IN ({nations}) AND o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY n.n_name, o.o_orderpriority
ORDER BY n.n_name, o.o_orderpriority""",
    "customers_by_nation": """
SELECT n.n_name, count(*) AS customers, avg(c.c_acctbal) AS balance, count(*) FILTER (WHERE c.c_acctbal < 0) AS in_debt
FROM customer c
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
WHERE r.r_name = '{region}' AND c.c_mktsegment IN ({segments})
GROUP BY n.n_name
ORDER BY n.n_name""",
    "revenue_of_nations": """
SELECT n.n_name, extract(year FROM o.o_orderdate) AS year, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM customer c
JOIN orders o ON c.c_custkey = o.o_custkey
JOIN lineitem l ON l.l_orderkey = o.o_orderkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
WHERE n.n_name IN ({nations})
GROUP BY n.n_name, extract(year FROM o.o_orderdate)
ORDER BY n.n_name, year""",
    "revenue_of_regions": """
SELECT r.r_name, date_trunc('quarter', o.o_orderdate) AS quarter, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
WHERE o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY r.r_name, date_trunc('quarter', o.o_orderdate)
ORDER BY r.r_name, quarter""",
    "segments_of_region": """
SELECT n.n_name, c.c_mktsegment, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
WHERE r.r_name = '{region}' AND o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY n.n_name, c.c_mktsegment
ORDER BY revenue DESC, n.n_name, c.c_mktsegment
LIMIT 15""",
    "returns_by_nation": """
SELECT n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS lost, count(*) AS lines
FROM customer c, orders o, lineitem l, nation n
WHERE c.c_custkey = o.o_custkey AND l.l_orderkey = o.o_orderkey AND c.c_nationkey = n.n_nationkey AND l.l_returnflag = 'R'
  AND o.o_orderdate >= DATE '{quarter_from}' AND o.o_orderdate < DATE '{quarter_to}'
GROUP BY n.n_name
ORDER BY lost DESC
LIMIT 10""",
    "regions_with_totals": """
SELECT r.r_name, n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, count(*) AS lines
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
WHERE c.c_mktsegment = '{segment}' AND o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY ROLLUP (r.r_name, n.n_name)
ORDER BY r.r_name NULLS LAST, n.n_name NULLS LAST""",
    "region_against_all": """
WITH monthly AS (
    SELECT date_trunc('month', o.o_orderdate) AS month, r.r_name AS region, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
    FROM lineitem l
    JOIN orders o ON l.l_orderkey = o.o_orderkey
    JOIN customer c ON o.o_custkey = c.c_custkey
    JOIN nation n ON c.c_nationkey = n.n_nationkey
    JOIN region r ON n.n_regionkey = r.r_regionkey
    WHERE o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
    GROUP BY date_trunc('month', o.o_orderdate), r.r_name
)
SELECT month, sum(revenue) FILTER (WHERE region = '{region}') AS chosen, sum(revenue) AS total
FROM monthly
GROUP BY month
ORDER BY month""",
    "five_best_nations": """
SELECT t.n_name, t.revenue, t.revenue / t.orders AS each_line
FROM (
    SELECT n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, count(*) AS orders
    FROM lineitem l
    JOIN orders o ON l.l_orderkey = o.o_orderkey
    JOIN customer c ON o.o_custkey = c.c_custkey
    JOIN nation n ON c.c_nationkey = n.n_nationkey
    WHERE c.c_mktsegment = '{segment}' AND o.o_orderdate >= DATE '{month_from}' AND o.o_orderdate < DATE '{month_to}'
    GROUP BY n.n_name
) t
ORDER BY t.revenue DESC, t.n_name
LIMIT 5""",
    "orders_by_day": """
SELECT o.o_orderdate, o.o_orderstatus, count(*) AS orders, sum(o.o_totalprice) AS total
FROM orders o
JOIN customer c ON o.o_custkey = c.c_custkey
WHERE c.c_mktsegment = '{segment}' AND o.o_orderdate BETWEEN DATE '{day_from}' AND DATE '{day_to}'
GROUP BY o.o_orderdate, o.o_orderstatus
ORDER BY o.o_orderdate, o.o_orderstatus""",
    "active_customers": """
SELECT n.n_name, count(DISTINCT o.o_custkey) AS customers, count(*) AS orders
FROM customer c
JOIN orders o ON o.o_custkey = c.c_custkey
JOIN nation n ON n.n_nationkey = c.c_nationkey
WHERE o.o_orderdate >= DATE '{month_from}' AND o.o_orderdate < DATE '{month_to}'
GROUP BY n.n_name
ORDER BY customers DESC, n.n_name""",
    "customers_without_orders": """
SELECT c.c_mktsegment, count(*) AS customers, sum(c.c_acctbal) AS balance
FROM customer c
LEFT JOIN orders o ON o.o_custkey = c.c_custkey AND o.o_orderdate >= DATE '{year_from}'
JOIN nation n ON n.n_nationkey = c.c_nationkey
WHERE n.n_name IN ({nations}) AND o.o_orderkey IS NULL
GROUP BY c.c_mktsegment
ORDER BY c.c_mktsegment""",
    "best_customers": """
SELECT c.c_custkey, c.c_name, n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM customer c
JOIN orders o ON c.c_custkey = o.o_custkey
JOIN lineitem l ON l.l_orderkey = o.o_orderkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
WHERE o.o_orderdate >= DATE '{month_from}' AND o.o_orderdate < DATE '{month_to}' AND c.c_mktsegment = '{segment}'
GROUP BY c.c_custkey, c.c_name, n.n_name
ORDER BY revenue DESC
LIMIT 20""",
}

# Parts -----------------------------------------------------------------------------------------------------------------

_PARTS = {
    "promotion_share": """
SELECT 100.0 * sum(CASE WHEN p.p_type LIKE 'PROMO%' THEN l.l_extendedprice * (1 - l.l_discount) ELSE 0 END)
       / sum(l.l_extendedprice * (1 - l.l_discount)) AS promotion
FROM lineitem l, part p
WHERE l.l_partkey = p.p_partkey AND l.l_shipdate >= DATE '{month_from}' AND l.l_shipdate < DATE '{month_to}'""",
    "best_brands": """
SELECT p.p_brand, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
WHERE l.l_shipdate >= DATE '{year_from}' AND l.l_shipdate < DATE '{year_to}'
GROUP BY p.p_brand
ORDER BY revenue DESC
LIMIT 10""",
    "containers_of_metal": """
SELECT p.p_container, count(*) AS lines, sum(l.l_quantity) AS quantity, avg(l.l_extendedprice) AS price
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
WHERE p.p_type LIKE '%{metal}'
GROUP BY p.p_container
ORDER BY lines DESC
LIMIT 12""",
    "containers_of_brand": """
SELECT p.p_container, count(*) AS lines, min(l.l_quantity) AS least, max(l.l_quantity) AS most, max(l.l_extendedprice) AS dearest
FROM lineitem l
JOIN part p ON l.l_partkey = p.p_partkey
WHERE p.p_brand = '{brand}'
GROUP BY p.p_container
ORDER BY p.p_container""",
    "return_rate_of_brands": """
SELECT p.p_brand, sum(l.l_quantity) FILTER (WHERE l.l_returnflag = 'R') / sum(l.l_quantity) AS rate, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN part p ON l.l_partkey = p.p_partkey
WHERE p.p_type LIKE '{size} {finish}%'
GROUP BY p.p_brand
HAVING sum(l.l_quantity) > {fewest}
ORDER BY rate DESC, p.p_brand""",
    "brands_by_mode": """
SELECT l.l_shipmode, count(DISTINCT p.p_brand) AS brands, count(*) AS lines
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
WHERE p.p_container = '{container}' AND l.l_returnflag = '{flag}'
GROUP BY l.l_shipmode
ORDER BY l.l_shipmode""",
    "best_parts": """
SELECT p.p_partkey, p.p_name, sum(l.l_quantity) AS quantity, sum(l.l_extendedprice) AS value
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
WHERE p.p_brand = '{brand}' AND p.p_container = '{container}'
GROUP BY p.p_partkey, p.p_name
ORDER BY quantity DESC, p.p_partkey
LIMIT 20""",
}

# Suppliers -------------------------------------------------------------------------------------------------------------

_SUPPLIERS = {
    "stock_by_nation": """
SELECT n.n_name, sum(ps.ps_supplycost * ps.ps_availqty) AS value, avg(ps.ps_availqty) AS available
FROM partsupp ps
JOIN supplier s ON ps.ps_suppkey = s.s_suppkey
JOIN nation n ON s.s_nationkey = n.n_nationkey
WHERE ps.ps_availqty > {available}
GROUP BY n.n_name
HAVING count(*) > 1
ORDER BY value DESC""",
    "suppliers_of_region": """
SELECT n.n_name, count(*) AS suppliers, avg(s.s_acctbal) AS balance, min(s.s_acctbal) AS lowest
FROM supplier s
JOIN nation n ON s.s_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
WHERE r.r_name = '{region}'
GROUP BY n.n_name
ORDER BY n.n_name""",
    "modes_of_suppliers": """
SELECT n.n_name, l.l_shipmode, count(*) AS lines, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN supplier s ON l.l_suppkey = s.s_suppkey
JOIN nation n ON s.s_nationkey = n.n_nationkey
WHERE n.n_name IN ({nations}) AND l.l_shipdate >= DATE '{quarter_from}' AND l.l_shipdate < DATE '{quarter_to}'
GROUP BY n.n_name, l.l_shipmode
ORDER BY n.n_name, l.l_shipmode""",
    "profit_of_color": """
SELECT n.n_name, extract(year FROM o.o_orderdate) AS year,
       sum(l.l_extendedprice * (1 - l.l_discount) - ps.ps_supplycost * l.l_quantity) AS profit
FROM part p, supplier s, lineitem l, partsupp ps, orders o, nation n
WHERE s.s_suppkey = l.l_suppkey AND ps.ps_suppkey = l.l_suppkey AND ps.ps_partkey = l.l_partkey AND p.p_partkey = l.l_partkey
  AND o.o_orderkey = l.l_orderkey AND s.s_nationkey = n.n_nationkey AND p.p_name LIKE '%{color}%'
GROUP BY n.n_name, extract(year FROM o.o_orderdate)
ORDER BY n.n_name, year DESC""",
    "market_share": """
SELECT extract(year FROM o.o_orderdate) AS year,
       sum(CASE WHEN n.n_name = '{nation}' THEN l.l_extendedprice * (1 - l.l_discount) ELSE 0 END)
       / sum(l.l_extendedprice * (1 - l.l_discount)) AS share
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
JOIN part p ON p.p_partkey = l.l_partkey
WHERE r.r_name = '{region}' AND p.p_type LIKE '{size}%'
GROUP BY extract(year FROM o.o_orderdate)
ORDER BY year""",
    "local_suppliers": """
SELECT n.n_name, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM customer c, orders o, lineitem l, supplier s, nation n, region r
WHERE c.c_custkey = o.o_custkey AND l.l_orderkey = o.o_orderkey AND l.l_suppkey = s.s_suppkey AND c.c_nationkey = s.s_nationkey
  AND s.s_nationkey = n.n_nationkey AND n.n_regionkey = r.r_regionkey AND r.r_name = '{region}'
  AND o.o_orderdate >= DATE '{year_from}' AND o.o_orderdate < DATE '{year_to}'
GROUP BY n.n_name
ORDER BY revenue DESC""",
    "trade_between_nations": """
SELECT n1.n_name AS supplier_nation, n2.n_name AS customer_nation, extract(year FROM l.l_shipdate) AS year,
       sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM supplier s
JOIN lineitem l ON s.s_suppkey = l.l_suppkey
JOIN orders o ON o.o_orderkey = l.l_orderkey
JOIN customer c ON c.c_custkey = o.o_custkey
JOIN nation n1 ON s.s_nationkey = n1.n_nationkey
JOIN nation n2 ON c.c_nationkey = n2.n_nationkey
WHERE n1.n_name = '{nation}' AND n2.n_name IN ({nations}) AND l.l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'
GROUP BY n1.n_name, n2.n_name, extract(year FROM l.l_shipdate)
ORDER BY supplier_nation, customer_nation, year""",
}

QUERIES: Mapping[str, str] = {name: text.strip() for name, text in (_ORDERS | _CUSTOMERS | _PARTS | _SUPPLIERS).items()}
