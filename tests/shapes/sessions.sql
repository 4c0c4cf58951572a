CREATE OR REPLACE STREAM "SESSIONS" (
  session_id VARCHAR(60), user_id VARCHAR(30), begin_navigation VARCHAR(64), end_navigation VARCHAR(64),
  beginnavigation TIMESTAMP, endnavigation TIMESTAMP, events INTEGER, total_sec BIGINT);
CREATE OR REPLACE PUMP "SESSIONS_PUMP" AS INSERT INTO "SESSIONS"
SELECT STREAM
  UPPER(CAST("user_id" AS VARCHAR(5)) || '_' || SUBSTRING("device_id", 1, 3)
    || CAST(UNIX_TIMESTAMP(MIN("event_timestamp")) / 1000 AS VARCHAR(20))) AS session_id,
  "user_id",
  FIRST_VALUE("page") first,
  LAST_VALUE("page") AS last,
  MIN("event_timestamp"), MAX("event_timestamp"),
  COUNT("event") events,
  TSDIFF(MAX("event_timestamp"), MIN("event_timestamp"))/1000 AS duration_sec
FROM "SOURCE_SQL_STREAM_001"
WINDOWED BY STAGGER (
  PARTITION BY "user_id", "device_id", STEP("event_timestamp" BY INTERVAL '30' MINUTE) RANGE INTERVAL '1' MINUTE);
