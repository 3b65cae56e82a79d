-- Summary tables for a shop's day, beside the sorted copies of expert.sql. Customers are left to the copy by customer: it finds
-- the few orders of a customer at once. What counts distinct orders, or days and single products together, no small summary answers.
--
-- Upkeep is by grouped rows: new rows are appended grouped, rows that go or change are taken off by negative groups and, changed,
-- come back. All that is summed is exact, and no write changes a column that the same write or a summary groups by. Groups may
-- therefore have several rows, and some that hold nothing any more: questions sum again and leave out what has no items.

--: summary
CREATE TABLE expert_items_of_product AS
SELECT product_id, warehouse, returned, count(*) AS items, sum(quantity) AS quantity, sum(quantity * price) AS revenue,
       sum(price) AS prices
FROM items GROUP BY ALL ORDER BY product_id;
--: after insert into items
INSERT INTO expert_items_of_product
SELECT product_id, warehouse, returned, count(*), sum(quantity), sum(quantity * price), sum(price)
FROM items WHERE rowid > {last} GROUP BY ALL;
--: before update, delete of items
INSERT INTO expert_items_of_product
SELECT product_id, warehouse, returned, -count(*), -sum(quantity), -sum(quantity * price), -sum(price)
FROM items WHERE {where} GROUP BY ALL;
--: after update of items
INSERT INTO expert_items_of_product
SELECT product_id, warehouse, returned, count(*), sum(quantity), sum(quantity * price), sum(price)
FROM items WHERE {where} GROUP BY ALL;

--: summary
CREATE TABLE expert_terms_of_product AS
SELECT product_id, discount, quantity AS each_quantity, count(*) AS items, sum(quantity) AS quantity, sum(quantity * price) AS revenue,
       sum(price) AS prices
FROM items GROUP BY ALL ORDER BY product_id;
--: after insert into items
INSERT INTO expert_terms_of_product
SELECT product_id, discount, quantity, count(*), sum(quantity), sum(quantity * price), sum(price)
FROM items WHERE rowid > {last} GROUP BY ALL;
--: before update, delete of items
INSERT INTO expert_terms_of_product
SELECT product_id, discount, quantity, -count(*), -sum(quantity), -sum(quantity * price), -sum(price)
FROM items WHERE {where} GROUP BY ALL;
--: after update of items
INSERT INTO expert_terms_of_product
SELECT product_id, discount, quantity, count(*), sum(quantity), sum(quantity * price), sum(price)
FROM items WHERE {where} GROUP BY ALL;

--: summary
CREATE TABLE expert_items_of_day AS
SELECT shipped, warehouse, returned, discount, count(*) AS items, sum(quantity * price) AS revenue
FROM items GROUP BY ALL ORDER BY shipped;
--: after insert into items
INSERT INTO expert_items_of_day
SELECT shipped, warehouse, returned, discount, count(*), sum(quantity * price)
FROM items WHERE rowid > {last} GROUP BY ALL;
--: before update, delete of items
INSERT INTO expert_items_of_day
SELECT shipped, warehouse, returned, discount, -count(*), -sum(quantity * price)
FROM items WHERE {where} GROUP BY ALL;
--: after update of items
INSERT INTO expert_items_of_day
SELECT shipped, warehouse, returned, discount, count(*), sum(quantity * price)
FROM items WHERE {where} GROUP BY ALL;

-- Prices are not in the next two, so a correction of prices leaves them as they are.
--: summary
CREATE TABLE expert_items_of_warehouse AS
SELECT warehouse, quantity, count(*) AS items FROM items GROUP BY ALL ORDER BY ALL;
--: after insert into items
INSERT INTO expert_items_of_warehouse
SELECT warehouse, quantity, count(*) FROM items WHERE rowid > {last} GROUP BY ALL;
--: before delete of items
INSERT INTO expert_items_of_warehouse
SELECT warehouse, quantity, -count(*) FROM items WHERE {where} GROUP BY ALL;

--: summary
CREATE TABLE expert_items_of_note AS
SELECT note, warehouse, count(*) AS items FROM items WHERE note IS NOT NULL GROUP BY ALL ORDER BY note;
--: after insert into items
INSERT INTO expert_items_of_note
SELECT note, warehouse, count(*) FROM items WHERE rowid > {last} AND note IS NOT NULL GROUP BY ALL;
--: before delete of items
INSERT INTO expert_items_of_note
SELECT note, warehouse, -count(*) FROM items WHERE ({where}) AND note IS NOT NULL GROUP BY ALL;

-- The status of an order is not in it, so an order that is paid or cancelled leaves it as it is.
--: summary
CREATE TABLE expert_orders_of_day AS
SELECT o.day, o.channel, c.region, count(*) AS orders, sum(o.total) AS total
FROM orders o LEFT JOIN customers c ON o.customer_id = c.id GROUP BY ALL ORDER BY o.day;
--: after insert into orders
INSERT INTO expert_orders_of_day
SELECT o.day, o.channel, c.region, count(*), sum(o.total)
FROM orders o LEFT JOIN customers c ON o.customer_id = c.id WHERE o.rowid > {last} GROUP BY ALL;
--: before delete of orders
INSERT INTO expert_orders_of_day
SELECT o.day, o.channel, c.region, -count(*), -sum(o.total)
FROM (SELECT * FROM orders WHERE {where}) o LEFT JOIN customers c ON o.customer_id = c.id GROUP BY ALL;

-- The questions ------------------------------------------------------------------------------------------------------------

--: question revenue of product
SELECT {group:warehouse|returned}, count(*) AS items, sum(quantity * price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} ORDER BY {group}
--: rewrite revenue of product
SELECT {group}, sum(items)::BIGINT AS items, sum(revenue) AS measure FROM expert_items_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} HAVING sum(items) > 0 ORDER BY {group}
--: question quantity of product
SELECT {group:warehouse|returned}, count(*) AS items, sum(quantity) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} ORDER BY {group}
--: rewrite quantity of product
SELECT {group}, sum(items)::BIGINT AS items, sum(quantity) AS measure FROM expert_items_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} HAVING sum(items) > 0 ORDER BY {group}
--: question price of product
SELECT {group:warehouse|returned}, count(*) AS items, avg(price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} ORDER BY {group}
--: rewrite price of product
SELECT {group}, sum(items)::BIGINT AS items, sum(prices) / sum(items) AS measure FROM expert_items_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY {group} HAVING sum(items) > 0 ORDER BY {group}

--: question revenue by discount
SELECT discount, count(*) AS items, sum(quantity * price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount ORDER BY discount
--: rewrite revenue by discount
SELECT discount, sum(items)::BIGINT AS items, sum(revenue) AS measure FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount HAVING sum(items) > 0 ORDER BY discount
--: question quantity by discount
SELECT discount, count(*) AS items, sum(quantity) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount ORDER BY discount
--: rewrite quantity by discount
SELECT discount, sum(items)::BIGINT AS items, sum(quantity) AS measure FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount HAVING sum(items) > 0 ORDER BY discount
--: question price by discount
SELECT discount, count(*) AS items, avg(price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount ORDER BY discount
--: rewrite price by discount
SELECT discount, sum(items)::BIGINT AS items, sum(prices) / sum(items) AS measure FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY discount HAVING sum(items) > 0 ORDER BY discount

--: question revenue by quantity
SELECT quantity, count(*) AS items, sum(quantity * price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY quantity ORDER BY quantity
--: rewrite revenue by quantity
SELECT each_quantity AS quantity, sum(items)::BIGINT AS items, sum(revenue) AS measure FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY each_quantity HAVING sum(items) > 0 ORDER BY each_quantity
--: question quantity by quantity
SELECT quantity, count(*) AS items, sum(quantity) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY quantity ORDER BY quantity
--: rewrite quantity by quantity
SELECT each_quantity AS quantity, sum(items)::BIGINT AS items, sum(expert_terms_of_product.quantity) AS measure
FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY each_quantity HAVING sum(items) > 0 ORDER BY each_quantity
--: question price by quantity
SELECT quantity, count(*) AS items, avg(price) AS measure FROM items
WHERE product_id BETWEEN {low} AND {high} GROUP BY quantity ORDER BY quantity
--: rewrite price by quantity
SELECT each_quantity AS quantity, sum(items)::BIGINT AS items, sum(prices) / sum(items) AS measure FROM expert_terms_of_product
WHERE product_id BETWEEN {low} AND {high} GROUP BY each_quantity HAVING sum(items) > 0 ORDER BY each_quantity

--: question revenue of days
SELECT {group:shipped|warehouse|returned}, count(*) AS items, sum(quantity * price) AS revenue FROM items
WHERE shipped BETWEEN DATE '{low}' AND DATE '{high}'{extra} GROUP BY {group} ORDER BY {group}
--: rewrite revenue of days
SELECT {group}, sum(items)::BIGINT AS items, sum(revenue) AS revenue FROM expert_items_of_day
WHERE shipped BETWEEN DATE '{low}' AND DATE '{high}'{extra} GROUP BY {group} HAVING sum(items) > 0 ORDER BY {group}
--: question best warehouses of a day
SELECT warehouse, sum(quantity * price) AS revenue FROM items WHERE shipped = DATE '{low}'
GROUP BY warehouse ORDER BY revenue DESC, warehouse LIMIT {limit}
--: rewrite best warehouses of a day
SELECT warehouse, sum(revenue) AS revenue FROM expert_items_of_day WHERE shipped = DATE '{low}'
GROUP BY warehouse HAVING sum(items) > 0 ORDER BY sum(revenue) DESC, warehouse LIMIT {limit}

--: question items of warehouses
SELECT warehouse, count(*) AS items FROM items WHERE quantity > {low} GROUP BY warehouse ORDER BY warehouse
--: rewrite items of warehouses
SELECT warehouse, sum(items)::BIGINT AS items FROM expert_items_of_warehouse WHERE quantity > {low}
GROUP BY warehouse HAVING sum(items) > 0 ORDER BY warehouse

--: question warehouses of a note
SELECT warehouse, count(*) AS items FROM items WHERE note LIKE '{note}' GROUP BY warehouse ORDER BY warehouse
--: rewrite warehouses of a note
SELECT warehouse, sum(items)::BIGINT AS items FROM expert_items_of_note WHERE note LIKE '{note}'
GROUP BY warehouse HAVING sum(items) > 0 ORDER BY warehouse
--: question items of a note
SELECT count(*) AS items, count(DISTINCT warehouse) AS warehouses FROM items WHERE note LIKE '{note}'
--: rewrite items of a note
SELECT coalesce(sum(items), 0)::BIGINT AS items, count(warehouse) AS warehouses FROM (
    SELECT warehouse, sum(items) AS items FROM expert_items_of_note WHERE note LIKE '{note}' GROUP BY warehouse HAVING sum(items) > 0)

--: question orders of a region
SELECT c.region, o.channel, count(*) AS orders, sum(o.total) AS total FROM orders o JOIN customers c ON o.customer_id = c.id
WHERE o.day >= DATE '{low}' AND c.region = '{region}' GROUP BY c.region, o.channel ORDER BY c.region, o.channel
--: rewrite orders of a region
SELECT region, channel, sum(orders)::BIGINT AS orders, sum(total) AS total FROM expert_orders_of_day
WHERE day >= DATE '{low}' AND region = '{region}' GROUP BY region, channel HAVING sum(orders) > 0 ORDER BY region, channel
--: question orders of channels
SELECT channel, count(*) AS orders, sum(total) AS total FROM orders WHERE channel <> '{channel}' GROUP BY channel ORDER BY channel
--: rewrite orders of channels
SELECT channel, sum(orders)::BIGINT AS orders, sum(total) AS total FROM expert_orders_of_day WHERE channel <> '{channel}'
GROUP BY channel HAVING sum(orders) > 0 ORDER BY channel
