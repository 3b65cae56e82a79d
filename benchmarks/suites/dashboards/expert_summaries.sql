-- Summary tables for the dashboards, as an expert would build them after a week of watching: one for each subject, at the finest
-- grain that the questions filter and group by, which is a month where they ask for months, quarters and years.
-- Nothing is written in this suite, so there is no upkeep.
--
-- Left to the tables, because a summary would be nearly as large as they are, or would serve one question that takes little:
-- items_of_an_order, large_orders, best_customers, best_parts, active_customers, customers_without_orders, orders_by_day,
-- customers_by_nation, suppliers_of_region, stock_by_nation, profit_of_color, brands_by_mode, discount_bands, days_until_shipped.

--: summary
CREATE TABLE expert_sales AS
SELECT date_trunc('month', o.o_orderdate) AS month, r.r_name, n.n_name, c.c_mktsegment, l.l_returnflag,
       count(*) AS lines, sum(l.l_quantity) AS quantity, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
GROUP BY ALL
ORDER BY month;

--: summary
CREATE TABLE expert_order_lines AS
SELECT date_trunc('month', o.o_orderdate) AS month, o.o_orderpriority, l.l_shipmode, l.l_returnflag, count(*) AS lines,
       sum(l.l_quantity) AS quantity, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue, max(l.l_extendedprice) AS dearest
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
GROUP BY ALL
ORDER BY month;

--: summary
CREATE TABLE expert_modes AS
SELECT l.l_shipmode, year(l.l_shipdate) AS year, o.o_orderstatus, count(*) AS lines, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
GROUP BY ALL;

--: summary
CREATE TABLE expert_late AS
SELECT l.l_shipmode, year(l.l_receiptdate) AS year, o.o_orderpriority IN ('1-URGENT', '2-HIGH') AS urgent, count(*) AS lines
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
WHERE l.l_commitdate < l.l_receiptdate
GROUP BY ALL;

--: summary
CREATE TABLE expert_orders_of_month AS
SELECT date_trunc('month', o.o_orderdate) AS month, n.n_name, c.c_mktsegment, o.o_orderstatus, o.o_orderpriority,
       count(*) AS orders, sum(o.o_totalprice) AS total, min(o.o_totalprice) AS smallest, max(o.o_totalprice) AS largest
FROM orders o
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
GROUP BY ALL
ORDER BY month;

--: summary
CREATE TABLE expert_parts AS
SELECT p.p_brand, p.p_type, p.p_container, count(*) AS lines, sum(l.l_quantity) AS quantity, sum(l.l_extendedprice) AS price,
       sum(l.l_quantity) FILTER (WHERE l.l_returnflag = 'R') AS returned, min(l.l_quantity) AS least, max(l.l_quantity) AS most,
       max(l.l_extendedprice) AS dearest
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
GROUP BY ALL
ORDER BY p.p_brand;

--: summary
CREATE TABLE expert_brands AS
SELECT date_trunc('month', l.l_shipdate) AS month, p.p_brand, p.p_type LIKE 'PROMO%' AS promotion,
       sum(l.l_quantity) AS quantity, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM lineitem l
JOIN part p ON p.p_partkey = l.l_partkey
GROUP BY ALL
ORDER BY month;

--: summary
CREATE TABLE expert_suppliers AS
SELECT date_trunc('month', l.l_shipdate) AS month, n.n_name, l.l_shipmode, count(*) AS lines, sum(l.l_quantity) AS quantity
FROM lineitem l
JOIN supplier s ON l.l_suppkey = s.s_suppkey
JOIN nation n ON s.s_nationkey = n.n_nationkey
GROUP BY ALL
ORDER BY month;

--: summary
CREATE TABLE expert_market AS
SELECT year(o.o_orderdate) AS year, r.r_name, n.n_name, p.p_type, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM lineitem l
JOIN orders o ON l.l_orderkey = o.o_orderkey
JOIN customer c ON o.o_custkey = c.c_custkey
JOIN nation n ON c.c_nationkey = n.n_nationkey
JOIN region r ON n.n_regionkey = r.r_regionkey
JOIN part p ON p.p_partkey = l.l_partkey
GROUP BY ALL;

--: summary
CREATE TABLE expert_trade AS
SELECT n1.n_name AS supplier_nation, n2.n_name AS customer_nation, r.r_name AS customer_region, year(o.o_orderdate) AS ordered,
       year(l.l_shipdate) AS shipped, sum(l.l_extendedprice * (1 - l.l_discount)) AS revenue
FROM lineitem l
JOIN supplier s ON s.s_suppkey = l.l_suppkey
JOIN orders o ON o.o_orderkey = l.l_orderkey
JOIN customer c ON c.c_custkey = o.o_custkey
JOIN nation n1 ON s.s_nationkey = n1.n_nationkey
JOIN nation n2 ON c.c_nationkey = n2.n_nationkey
JOIN region r ON n2.n_regionkey = r.r_regionkey
GROUP BY ALL;

-- The questions; their texts are in queries.py --------------------------------------------------------------------------------

--: rewrite revenue_by_month
SELECT month, sum(lines)::BIGINT AS lines, sum(revenue) AS revenue FROM expert_order_lines
WHERE month >= DATE '{year_from}' AND month < DATE '{year_to}' GROUP BY month ORDER BY 1
--: rewrite revenue_by_priority
SELECT o_orderpriority, sum(revenue) AS revenue, sum(quantity) / sum(lines) AS quantity FROM expert_order_lines
WHERE month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}' GROUP BY o_orderpriority ORDER BY o_orderpriority
--: rewrite modes_of_priority
SELECT o_orderpriority, count(DISTINCT l_shipmode) AS modes, max(dearest) AS dearest FROM expert_order_lines
WHERE month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}' AND l_returnflag = '{flag}'
GROUP BY o_orderpriority ORDER BY o_orderpriority
--: rewrite modes_and_flags_with_totals
SELECT l_shipmode, l_returnflag, sum(lines)::BIGINT AS lines, sum(quantity) AS quantity FROM expert_order_lines
WHERE o_orderpriority = '{priority}' AND year(month) = {year} GROUP BY ROLLUP (l_shipmode, l_returnflag)
ORDER BY l_shipmode NULLS LAST, l_returnflag NULLS LAST
--: rewrite best_month_of_year
SELECT year(month) AS year, max(revenue) AS best, min(revenue) AS worst, count(*) AS months FROM (
    SELECT month, sum(revenue) AS revenue FROM expert_order_lines WHERE l_returnflag = '{flag}' GROUP BY month)
GROUP BY year(month) ORDER BY year

--: rewrite ship_modes_by_year
SELECT l_shipmode, year, lines, quantity FROM expert_modes
WHERE l_shipmode IN ({modes}) AND o_orderstatus = '{status}' ORDER BY l_shipmode, year
--: rewrite late_lines_by_mode
SELECT l_shipmode, coalesce(sum(lines) FILTER (WHERE urgent), 0) AS urgent, coalesce(sum(lines) FILTER (WHERE NOT urgent), 0) AS other
FROM expert_late WHERE l_shipmode IN ({modes}) AND year = year(DATE '{year_from}') GROUP BY l_shipmode ORDER BY l_shipmode

--: rewrite orders_by_segment
SELECT c_mktsegment, sum(orders)::BIGINT AS orders, sum(total) AS total, sum(total) / sum(orders) AS average
FROM expert_orders_of_month
WHERE month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}' GROUP BY c_mktsegment ORDER BY sum(total) DESC
--: rewrite orders_in_detail
SELECT c_mktsegment, o_orderstatus, o_orderpriority, year(month) AS year, sum(orders)::BIGINT AS orders,
       min(smallest) AS smallest, max(largest) AS largest
FROM expert_orders_of_month WHERE c_mktsegment IN ({segments})
GROUP BY c_mktsegment, o_orderstatus, o_orderpriority, year(month)
ORDER BY c_mktsegment, o_orderstatus, o_orderpriority, year
--: rewrite priorities_of_nations
SELECT n_name, o_orderpriority, sum(orders)::BIGINT AS orders FROM expert_orders_of_month
WHERE n_name IN ({nations}) AND month >= DATE '{year_from}' AND month < DATE '{year_to}'
GROUP BY n_name, o_orderpriority ORDER BY n_name, o_orderpriority

--: rewrite revenue_of_nations
SELECT n_name, year(month) AS year, sum(revenue) AS revenue FROM expert_sales
WHERE n_name IN ({nations}) GROUP BY n_name, year(month) ORDER BY n_name, year
--: rewrite revenue_of_regions
SELECT r_name, date_trunc('quarter', month) AS quarter, sum(revenue) AS revenue FROM expert_sales
WHERE month >= DATE '{year_from}' AND month < DATE '{year_to}' GROUP BY r_name, date_trunc('quarter', month) ORDER BY r_name, quarter
--: rewrite segments_of_region
SELECT n_name, c_mktsegment, sum(revenue) AS revenue, sum(quantity) AS quantity FROM expert_sales
WHERE r_name = '{region}' AND month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}'
GROUP BY n_name, c_mktsegment ORDER BY sum(revenue) DESC, n_name, c_mktsegment LIMIT 15
--: rewrite returns_by_nation
SELECT n_name, sum(revenue) AS lost, sum(lines)::BIGINT AS lines FROM expert_sales
WHERE l_returnflag = 'R' AND month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}'
GROUP BY n_name ORDER BY lost DESC LIMIT 10
--: rewrite regions_with_totals
SELECT r_name, n_name, sum(revenue) AS revenue, sum(lines)::BIGINT AS lines FROM expert_sales
WHERE c_mktsegment = '{segment}' AND month >= DATE '{year_from}' AND month < DATE '{year_to}'
GROUP BY ROLLUP (r_name, n_name) ORDER BY r_name NULLS LAST, n_name NULLS LAST
--: rewrite region_against_all
SELECT month, sum(revenue) FILTER (WHERE r_name = '{region}') AS chosen, sum(revenue) AS total FROM expert_sales
WHERE month >= DATE '{year_from}' AND month < DATE '{year_to}' GROUP BY month ORDER BY month
--: rewrite five_best_nations
SELECT n_name, sum(revenue) AS revenue, sum(revenue) / sum(lines) AS each_line FROM expert_sales
WHERE c_mktsegment = '{segment}' AND month >= DATE '{month_from}' AND month < DATE '{month_to}'
GROUP BY n_name ORDER BY sum(revenue) DESC, n_name LIMIT 5

--: rewrite promotion_share
SELECT 100.0 * sum(CASE WHEN promotion THEN revenue ELSE 0 END) / sum(revenue) AS promotion FROM expert_brands
WHERE month >= DATE '{month_from}' AND month < DATE '{month_to}'
--: rewrite best_brands
SELECT p_brand, sum(revenue) AS revenue, sum(quantity) AS quantity FROM expert_brands
WHERE month >= DATE '{year_from}' AND month < DATE '{year_to}' GROUP BY p_brand ORDER BY sum(revenue) DESC LIMIT 10
--: rewrite containers_of_metal
SELECT p_container, sum(lines)::BIGINT AS lines, sum(quantity) AS quantity, sum(price) / sum(lines) AS price FROM expert_parts
WHERE p_type LIKE '%{metal}' GROUP BY p_container ORDER BY sum(lines) DESC LIMIT 12
--: rewrite containers_of_brand
SELECT p_container, sum(lines)::BIGINT AS lines, min(least) AS least, max(most) AS most, max(dearest) AS dearest FROM expert_parts
WHERE p_brand = '{brand}' GROUP BY p_container ORDER BY p_container
--: rewrite return_rate_of_brands
SELECT p_brand, sum(returned) / sum(quantity) AS rate, sum(quantity) AS quantity FROM expert_parts
WHERE p_type LIKE '{size} {finish}%' GROUP BY p_brand HAVING sum(quantity) > {fewest} ORDER BY rate DESC, p_brand

--: rewrite modes_of_suppliers
SELECT n_name, l_shipmode, sum(lines)::BIGINT AS lines, sum(quantity) AS quantity FROM expert_suppliers
WHERE n_name IN ({nations}) AND month >= DATE '{quarter_from}' AND month < DATE '{quarter_to}'
GROUP BY n_name, l_shipmode ORDER BY n_name, l_shipmode
--: rewrite market_share
SELECT year, sum(CASE WHEN n_name = '{nation}' THEN revenue ELSE 0 END) / sum(revenue) AS share FROM expert_market
WHERE r_name = '{region}' AND p_type LIKE '{size}%' GROUP BY year ORDER BY year
--: rewrite local_suppliers
SELECT supplier_nation AS n_name, sum(revenue) AS revenue FROM expert_trade
WHERE supplier_nation = customer_nation AND customer_region = '{region}' AND ordered = year(DATE '{year_from}')
GROUP BY supplier_nation ORDER BY sum(revenue) DESC
--: rewrite trade_between_nations
SELECT supplier_nation, customer_nation, shipped AS year, sum(revenue) AS revenue FROM expert_trade
WHERE supplier_nation = '{nation}' AND customer_nation IN ({nations}) AND shipped IN (1995, 1996)
GROUP BY supplier_nation, customer_nation, shipped ORDER BY supplier_nation, customer_nation, shipped
