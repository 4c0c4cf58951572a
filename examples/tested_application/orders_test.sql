-- streamsql test examples/tested_application
CREATE STREAM "SOURCE_SQL_STREAM_001" ("store" VARCHAR(8), "price" DECIMAL(8, 2), "items" INTEGER);
RUN SCRIPT 'orders.sql';

--@test: a minute is complete when time has passed it
INSERT INTO "SOURCE_SQL_STREAM_001" (ROWTIME, "store", "price", "items") VALUES
  (TIMESTAMP '2026-01-01 10:00:10', 'north', 10.50, 1),
  (TIMESTAMP '2026-01-01 10:00:50', 'north', 20.00, 2);
ADVANCE TO '2026-01-01 10:00:59.999';
ASSERT NULL VALUES "REVENUE";
ADVANCE TO '2026-01-01 10:01:00';
ASSERT VALUES "REVENUE" (ROWTIME, "store", "orders", "revenue") VALUES
  (TIMESTAMP '2026-01-01 10:01:00', 'north', 2, 30.50);
ASSERT NULL VALUES "REVENUE";

--@test: a large order gives an alarm at once
INSERT INTO "SOURCE_SQL_STREAM_001" (ROWTIME, "store", "price", "items") VALUES
  (TIMESTAMP '2026-01-01 10:00:10', 'south', 600.00, 4),
  (TIMESTAMP '2026-01-01 10:00:11', 'south', 500.00, 4);
ASSERT VALUES "ALARMS" VALUES ('south', 600.00, 150.0);
ASSERT NULL VALUES "ALARMS";

--@test: an order without items is lost to the alarms and told
INSERT INTO "SOURCE_SQL_STREAM_001" (ROWTIME, "store", "price", "items") VALUES
  (TIMESTAMP '2026-01-01 10:00:10', 'south', 600.00, 0);
ASSERT NULL VALUES "ALARMS";
ASSERT VALUES "error_stream" (ERROR_NAME, PUMP_NAME) VALUES ('Division by zero', 'ALARM_PUMP');

--@test: the alarms have the columns that the operators expect
ASSERT STREAM "ALARMS" ("store" VARCHAR(8), "price" DECIMAL(8, 2), "share" DOUBLE);

--@test: there is no stream of orders
--@expected.error: no stream ORDERS
INSERT INTO ORDERS VALUES (1);
