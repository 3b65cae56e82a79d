-- The budget holds no copy of lineitem. Orders by date are asked most where no summary can answer: a month's or a quarter's
-- orders, whose customers or items are then counted one by one.
CREATE TABLE expert_orders AS
SELECT o_orderkey, o_custkey, o_orderstatus, o_totalprice, o_orderdate, o_orderpriority FROM orders ORDER BY o_orderdate;
