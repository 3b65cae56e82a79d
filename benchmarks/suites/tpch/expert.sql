-- What an experienced administrator would do with sort orders: dates are asked most, then the parts and suppliers that
-- people look up. The orders of a customer are the classic look-up.
CREATE TABLE expert_lineitem AS SELECT * FROM lineitem ORDER BY l_shipdate;
CREATE TABLE expert_lineitem AS SELECT * FROM lineitem ORDER BY l_partkey, l_shipdate;
CREATE TABLE expert_lineitem AS SELECT * FROM lineitem ORDER BY l_suppkey, l_shipdate;
CREATE TABLE expert_orders AS SELECT * FROM orders ORDER BY o_custkey, o_orderdate;
CREATE TABLE expert_orders AS SELECT * FROM orders ORDER BY o_orderdate;
