CREATE OR REPLACE STREAM orders_s ("orderId" INTEGER, amount DECIMAL);
CREATE OR REPLACE STREAM payments_s ("orderId" INTEGER, paid DECIMAL(10,2));
CREATE OR REPLACE PUMP orders_p AS INSERT INTO orders_s SELECT STREAM "orderId", "amount" FROM "SOURCE_SQL_STREAM_001" WHERE "kind" = 'order';
CREATE OR REPLACE PUMP payments_p AS INSERT INTO payments_s SELECT STREAM "orderId", "amount" FROM "SOURCE_SQL_STREAM_001" WHERE "kind" = 'payment';
CREATE OR REPLACE STREAM matched ("orderId" INTEGER, waited BIGINT, rest NUMERIC);
CREATE OR REPLACE PUMP matched_p AS INSERT INTO matched
SELECT STREAM o."orderId", TSDIFF(o.ROWTIME, p.ROWTIME) / 1000, o.amount - p.paid
FROM orders_s OVER (RANGE INTERVAL '1' HOUR PRECEDING) AS o
JOIN payments_s OVER (RANGE INTERVAL '1' HOUR PRECEDING) AS p ON o."orderId" = p."orderId";

CREATE OR REPLACE STREAM climbs (a DOUBLE, b DOUBLE, c DOUBLE);
CREATE OR REPLACE PUMP climbs_p AS INSERT INTO climbs
SELECT STREAM a."amount", b."amount", c."amount"
FROM "SOURCE_SQL_STREAM_001" over t AS a
JOIN "SOURCE_SQL_STREAM_001" over t AS b ON a."orderId" = b."orderId" AND a."amount" < b."amount"
JOIN "SOURCE_SQL_STREAM_001" over t AS c ON b."orderId" = c."orderId" AND b."amount" < c."amount"
WINDOW t AS (RANGE INTERVAL '10' MINUTE PRECEDING);

CREATE OR REPLACE STREAM same_time ("orderId" INTEGER, x DOUBLE, y DOUBLE);
CREATE OR REPLACE PUMP same_time_p AS INSERT INTO same_time
SELECT STREAM o."orderId", o.amount, p.paid FROM orders_s AS o JOIN payments_s AS p ON o.ROWTIME = p.ROWTIME;
