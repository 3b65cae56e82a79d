-- Orders arrive in the order of time and items follow them. What people ask besides: the products, the days of shipping, the
-- warehouses, and what one customer has ordered.
CREATE TABLE expert_items AS SELECT * FROM items ORDER BY product_id, shipped;
CREATE TABLE expert_items AS SELECT * FROM items ORDER BY shipped, warehouse;
CREATE TABLE expert_items AS SELECT * FROM items ORDER BY note;
CREATE TABLE expert_orders AS SELECT * FROM orders ORDER BY customer_id, day;
