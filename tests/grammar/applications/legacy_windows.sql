-- statements: CreateStream CreatePump
CREATE STREAM "OUT" ("bucket" TIMESTAMP, "device" VARCHAR(64), "lowest" REAL, "highest" REAL, "spread" FLOAT);
CREATE PUMP "PUMP_OUT" AS INSERT INTO "OUT"
SELECT STREAM FLOOR(("S".ROWTIME - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND) * INTERVAL '10' SECOND
        + TIMESTAMP '1970-01-01 00:00:00' AS "bucket",
    "S"."device", MIN("S"."value"), MAX("S"."value"), MAX("S"."value") - MIN("S"."value")
FROM "SOURCE_SQL_STREAM_001" AS "S"
GROUP BY "S"."device", FLOOR(("S".ROWTIME - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND);
