-- '--------------------------------------------------'
-- |   Moving average; it's for the trading desk ;     |
-- '--------------------------------------------------'
CREATE OR REPLACE STREAM destination_sql_stream (ticker_symbol VARCHAR(4), price DOUBLE, moving DOUBLE, change REAL, previous DOUBLE);
CREATE OR REPLACE PUMP stream_pump AS INSERT INTO DESTINATION_SQL_STREAM
SELECT STREAM t.ticker_symbol, t.price,
    AVG(t.price) OVER LAST_10 AS moving,
    change,
    LAG(price, 1, price) OVER (PARTITION BY ticker_symbol ROWS 1 PRECEDING)
FROM source_sql_stream_001 t
WHERE change <> 0
WINDOW LAST_10 AS (PARTITION BY ticker_symbol RANGE INTERVAL '10' SECOND PRECEDING),
       UNUSED_WINDOW AS (PARTITION BY ticker_symbol ROWS 100 PRECEDING);
