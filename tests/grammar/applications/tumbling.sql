-- statements: CreateStream CreatePump CreateStream CreatePump
/**
 * Counts and sums a minute, for each shop; then only those that sell a lot.
 */
CREATE OR REPLACE STREAM "SALES_PER_MINUTE" (
    "shop"      VARCHAR(16)   , -- the shop's code
    window_end  TimeStamp,
    orders      BIGINT, amount DECIMAL(10,2)
--  , refunds INTEGER
);
CREATE OR REPLACE PUMP SALES_PUMP AS
INSERT INTO SALES_PER_MINUTE
select stream "shop", ROWTIME, COUNT(*) totalOrders, sum("amount") as amount
From source_sql_stream_001
-- only what was paid for
where ("state" = 'paid' or "state" is null) AND NOT ("amount" <= 0)
Group By "shop", UPPER('PER_SHOP_PT1M'),
    STEP (SOURCE_SQL_STREAM_001.ROWTIME BY INTERVAL '60' SECOND);

CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (SHOP VARCHAR(16), rate DOUBLE, level VARCHAR);
CREATE OR REPLACE PUMP "OUTPUT_PUMP" AS INSERT INTO "DESTINATION_SQL_STREAM" ("RATE", "SHOP")
SELECT "amount" * 100.000 / ORDERS, "shop" FROM (
    SELECT STREAM *, CASE WHEN (orders > 10) THEN 'high' ELSE NULL END AS level FROM "SALES_PER_MINUTE"
) WHERE level IS NOT NULL
