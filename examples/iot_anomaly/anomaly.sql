-- Scores every reading of a fleet of sensors and gives each second's readings, the strangest first.

-- The readings are made up: values of 10 to 20, and one in a hundred of 100 to 120.
CREATE OR REPLACE FOREIGN STREAM "SOURCE_SQL_STREAM_001" (
    "iotName"  VARCHAR(40),
    "iotValue" INTEGER
)
SERVER GENERATOR OPTIONS (
    rows 20000, rows_per_second 0, start '2026-01-01 00:00:00', every '20ms',
    "iotName"  'choice(sensor-1, sensor-2, sensor-3, sensor-4, sensor-5)',
    "iotValue" 'random(10, 20), 1% random(100, 120)'
);

CREATE OR REPLACE STREAM "SCORED_STREAM" (
    "iotName"       VARCHAR(40),
    "iotValue"      INTEGER,
    "ANOMALY_SCORE" DOUBLE
);

CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (
    "iotName"       VARCHAR(40),
    "iotValue"      INTEGER,
    "ANOMALY_SCORE" DOUBLE,
    "created"       TIMESTAMP
);

-- RANDOM_CUT_FOREST learns from the first 256 readings and scores every one after them.
CREATE OR REPLACE PUMP "SCORE_PUMP" AS
INSERT INTO "SCORED_STREAM"
SELECT STREAM "iotName", "iotValue", ANOMALY_SCORE
FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM "iotName", "iotValue" FROM "SOURCE_SQL_STREAM_001")));

CREATE OR REPLACE PUMP "SORT_PUMP" AS
INSERT INTO "DESTINATION_SQL_STREAM"
SELECT STREAM "iotName", "iotValue", ANOMALY_SCORE, ROWTIME
FROM "SCORED_STREAM"
ORDER BY FLOOR("SCORED_STREAM".ROWTIME TO SECOND), ANOMALY_SCORE DESC;
