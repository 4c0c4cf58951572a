CREATE OR REPLACE STREAM "ENRICHED" ("id" INTEGER, "name" VARCHAR(32), "limit_" DOUBLE, "reading" DOUBLE, "over" BOOLEAN);
CREATE OR REPLACE PUMP "ENRICH_PUMP" AS INSERT INTO "ENRICHED"
SELECT STREAM "e"."id", "d"."name", "d"."max", "e"."reading", "e"."reading" > "d"."max"
FROM "SOURCE_SQL_STREAM_001" AS "e" LEFT JOIN "DeviceInfo" AS "d" ON "e"."id" = "d"."id";

CREATE OR REPLACE STREAM ALARMS ("id" INTEGER, message VARCHAR(64));
CREATE OR REPLACE PUMP ALARM_PUMP AS INSERT INTO ALARMS
SELECT STREAM e."id",
       CASE d."name" WHEN 'boiler' THEN ('hot: ' || CAST(e."reading" AS VARCHAR(10))) WHEN 'pump' THEN 'fast' ELSE NULL END
FROM "SOURCE_SQL_STREAM_001" e JOIN "DeviceInfo" d ON e."id" = d."id"
WHERE (e."reading" > d."max") = TRUE;
