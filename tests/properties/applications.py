"""The applications of the property tests: some for each operator, and some in which many work together.

All read streams S and U, which have the same columns: `k` VARCHAR, `v` INTEGER, `d` DOUBLE, `t` TIMESTAMP (an event's own time,
near ROWTIME and in any order).
"""

from __future__ import annotations

from streamsql.types import DOUBLE, INTEGER, TIMESTAMP, Field, Schema, varchar

SCHEMA = Schema.stream([Field("K", varchar(4)), Field("V", INTEGER), Field("D", DOUBLE), Field("T", TIMESTAMP)])

STREAMS = """
CREATE STREAM s (k VARCHAR(4), v INTEGER, d DOUBLE, t TIMESTAMP);
CREATE STREAM u (k VARCHAR(4), v INTEGER, d DOUBLE, t TIMESTAMP);
"""

ERRORS = """SELECT STREAM ROWTIME, ERROR_TIME, ERROR_NAME, MESSAGE, DATA_ROWTIME, DATA_ROW, PUMP_NAME FROM "error_stream";"""

OPERATORS = {
    "transform": "SELECT STREAM ROWTIME, k, v + 1, CASE WHEN d > 2 THEN d ELSE -d END, k || '!' FROM s WHERE v > 0 OR k = 'b'",
    "transform with failures": "SELECT STREAM ROWTIME, k, 12 / v FROM s WHERE d >= 0; " + ERRORS,
    "aggregate by floor": """
        SELECT STREAM ROWTIME, k, COUNT(*), COUNT(v), SUM(v), SUM(d), AVG(d), MIN(k), MAX(t), STDDEV_POP(d), FIRST_VALUE(v),
            LAST_VALUE(d)
        FROM s GROUP BY k, FLOOR(s.ROWTIME TO MINUTE)""",
    "aggregate by step, HAVING": """
        SELECT STREAM STEP(s.ROWTIME BY INTERVAL '10' SECOND), k, SUM(v) * 2 + COUNT(*)
        FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '10' SECOND), k HAVING COUNT(*) > 1""",
    "aggregate by ceil": "SELECT STREAM ROWTIME, COUNT(*), SUM(d) FROM s GROUP BY CEIL(s.ROWTIME TO MINUTE)",
    "aggregate by ROWTIME": "SELECT STREAM ROWTIME, COUNT(*), SUM(v) FROM s GROUP BY ROWTIME, k",
    "aggregate by another time too": """
        SELECT STREAM ROWTIME, FLOOR(t TO MINUTE), COUNT(*)
        FROM s GROUP BY FLOOR(t TO MINUTE), STEP(s.ROWTIME BY INTERVAL '1' MINUTE)""",
    "aggregate by a key said to be monotonic": "SELECT STREAM ROWTIME, MONOTONIC(v), COUNT(*) FROM s GROUP BY MONOTONIC(v)",
    "aggregate by a legacy window": """
        SELECT STREAM ROWTIME, k, COUNT(*)
        FROM s GROUP BY k, FLOOR((s.ROWTIME - TIMESTAMP '1970-01-01 00:00:00') SECOND / 10 TO SECOND)""",
    "aggregate with failures": """
        SELECT STREAM ROWTIME, k, SUM(12 / v) FROM s GROUP BY k, FLOOR(s.ROWTIME TO MINUTE);"""
    + ERRORS,
    "aggregate of an aggregate": """
        SELECT STREAM ROWTIME, SUM(n) FROM (
            SELECT STREAM ROWTIME AS w, k, COUNT(*) AS n FROM s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '10' SECOND)
        ) AS q GROUP BY FLOOR(q.ROWTIME TO MINUTE)""",
    "aggregate of ordered rows": """
        SELECT STREAM ROWTIME, k, LISTAGG(k || 'x', ',') WITHIN GROUP (ORDER BY d DESC, v), MEDIAN(d), CORR(v, d),
            PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY v DESC), FIRST_VALUE(v ORDER BY d)
        FROM s GROUP BY k, FLOOR(s.ROWTIME TO MINUTE)""",
    "unnest": "SELECT STREAM ROWTIME, k, x, n FROM s CROSS JOIN UNNEST(ARRAY[v, 12 / v]) WITH ORDINALITY AS u(x, n); " + ERRORS,
    "sort": "SELECT STREAM ROWTIME, s.ROWTIME, k, v, d FROM s ORDER BY FLOOR(s.ROWTIME TO MINUTE), v DESC, k",
    "sort by ROWTIME": "SELECT STREAM ROWTIME, k, v, d FROM s ORDER BY ROWTIME, k DESC, d",
    "sort by a key said to be monotonic": "SELECT STREAM ROWTIME, v, d FROM s ORDER BY MONOTONIC(v), d",
    "sort with failures": "SELECT STREAM ROWTIME, v FROM s ORDER BY FLOOR(s.ROWTIME TO MINUTE), 12 / v;" + ERRORS,
    "distinct": "SELECT STREAM DISTINCT FLOOR(s.ROWTIME TO MINUTE) AS w, k, v FROM s",
    "distinct by ROWTIME": "SELECT STREAM DISTINCT ROWTIME, k FROM s",
    "merge": "SELECT STREAM ROWTIME, k, v FROM s UNION ALL SELECT STREAM ROWTIME, k, v FROM u",
    "merge of three": """
        SELECT STREAM ROWTIME, 1 AS n, k FROM s UNION ALL SELECT STREAM ROWTIME, 2, k FROM u
        UNION ALL SELECT STREAM ROWTIME, 3, k FROM s WHERE v > 1""",
    "merge of windows": """
        SELECT STREAM ROWTIME, COUNT(*) AS n FROM s GROUP BY FLOOR(s.ROWTIME TO MINUTE)
        UNION ALL SELECT STREAM ROWTIME, v FROM u ORDER BY ROWTIME, n""",
    "retime": "SELECT STREAM ROWTIME, * FROM (SELECT STREAM t AS ROWTIME, k, v FROM s);" + ERRORS,
    "T-sort": """
        SELECT STREAM ROWTIME, * FROM (
            SELECT STREAM t AS ROWTIME, k, v FROM s ORDER BY t WITHIN INTERVAL '20' SECOND, v DESC);"""
    + ERRORS,
    "aggregate of a T-sort": """
        SELECT STREAM ROWTIME, COUNT(*), SUM(v) FROM (
            SELECT STREAM t AS ROWTIME, k, v FROM s ORDER BY t WITHIN INTERVAL '20' SECOND
        ) AS q GROUP BY STEP(q.ROWTIME BY INTERVAL '30' SECOND)""",
    "limit": "SELECT STREAM ROWTIME, k, v FROM s LIMIT 5",
    "limit of windows": "SELECT STREAM ROWTIME, COUNT(*) FROM s GROUP BY FLOOR(s.ROWTIME TO MINUTE) LIMIT 2 OFFSET 1",
    "random cut forest": """
        SELECT STREAM ROWTIME, * FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM k, v, d FROM s), 4, 10, 1000, 2))""",
    "explanation": """
        SELECT STREAM ROWTIME, * FROM TABLE(RANDOM_CUT_FOREST_WITH_EXPLANATION(
            CURSOR(SELECT STREAM k, v, d FROM s), 4, 10, 1000, 1, TRUE))""",
    "top items": """
        SELECT STREAM ROWTIME, * FROM TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM k FROM s), 'K', 2, 7));
        SELECT STREAM ROWTIME, COUNT(*), SUM(ITEM_COUNT)
        FROM TABLE(TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'D', 9, 1)) AS q GROUP BY FLOOR(q.ROWTIME TO MINUTE)""",
    "distinct items": """
        SELECT STREAM ROWTIME, * FROM TABLE(COUNT_DISTINCT_ITEMS_TUMBLING(CURSOR(SELECT STREAM * FROM s), 'V', 10))
        UNION ALL SELECT STREAM ROWTIME, CAST(v AS BIGINT) FROM u""",
    "hotspots": "SELECT STREAM ROWTIME, * FROM TABLE(HOTSPOTS(CURSOR(SELECT STREAM * FROM s), 100, 1.5, 3))",
    "group rank": """
        SELECT STREAM ROWTIME, * FROM TABLE(GROUP_RANK(CURSOR(SELECT STREAM * FROM s), 'V', 'groupRank', 'desc', 'asc', 0, 2));
        SELECT STREAM ROWTIME, k, "groupRank" FROM TABLE(GROUP_RANK(CURSOR(
            SELECT STREAM k, COUNT(*) AS n FROM s GROUP BY k, FLOOR(s.ROWTIME TO MINUTE)
        ), 'N', 'groupRank', 'asc', 'desc', 0, 0))""",
    "stagger": """
        SELECT STREAM ROWTIME, k, COUNT(*), SUM(v), FIRST_VALUE(d), LAST_VALUE(v) IGNORE NULLS
        FROM s WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '10' SECOND);
        SELECT STREAM ROWTIME, COUNT(*) FROM s WINDOWED BY STAGGER (PARTITION BY 12 / v RANGE INTERVAL '1' SECOND);"""
    + ERRORS,
    "lookup": """
        SELECT STREAM ROWTIME, s.*, x, y FROM s LEFT JOIN (VALUES ('a', 1), ('b', 2), ('a', 3)) AS r(x, y) ON s.k = x AND v > y;
        SELECT STREAM ROWTIME, k, y FROM (VALUES ('a', 1), ('b', 2)) AS r(k, y) JOIN s USING (k) WHERE 6 / (v - y) > 0;"""
    + ERRORS,
    "subqueries": """
        SELECT STREAM ROWTIME, k, v, k NOT IN (SELECT x FROM (VALUES ('a'), ('b')) AS r(x)),
            (SELECT COUNT(*) FROM (VALUES (1), (2), (2)) AS r(x) WHERE x = v) FROM s
            WHERE EXISTS (SELECT * FROM (VALUES (1), (3)) AS r(x) WHERE 6 / (v - x) > 1);
        SELECT STREAM ROWTIME, k, (SELECT y FROM (VALUES (1, 2), (3, 4), (3, 5)) AS r(x, y) WHERE x = v) FROM s;
        SELECT STREAM ROWTIME, k, n, (SELECT MAX(x) FROM (VALUES 1, 3) AS r(x)), (SELECT x FROM (VALUES 1) AS r(x)) FROM s
            JOIN (SELECT x, ROW_NUMBER() OVER (ORDER BY x DESC) AS n FROM (VALUES 1, 2, 3) AS r(x)) AS q ON x = v
            WHERE v IN (VALUES 1, 2, 3 EXCEPT VALUES 2) AND v IN (SELECT x FROM (VALUES 1, 3) AS r(x) GROUP BY ROLLUP(x));"""
    + ERRORS,
    "join": """
        SELECT STREAM ROWTIME, s.ROWTIME, u.ROWTIME, s.k, s.v, u.d FROM s OVER (RANGE INTERVAL '10' SECOND PRECEDING) JOIN u
            ON s.k = u.k AND s.v < u.v;
        SELECT STREAM ROWTIME, s.k, u.v FROM s OVER (ROWS 3 PRECEDING), u OVER (RANGE INTERVAL '1' MINUTE PRECEDING)
            WHERE s.v = u.v AND 12 / (u.v - 1) > 3;"""
    + ERRORS,
    "outer join": """
        SELECT STREAM ROWTIME, s.ROWTIME, u.ROWTIME, k, s.v, u.d FROM s OVER (RANGE INTERVAL '10' SECOND PRECEDING)
            FULL JOIN u OVER (ROWS 2 PRECEDING) USING (k);
        SELECT STREAM ROWTIME, s.k, s.v, u.d FROM s LEFT JOIN u OVER (RANGE INTERVAL '5' SECOND PRECEDING)
            ON s.k = u.k AND 12 / (s.v - u.v) > 3 WHERE s.v > 1;"""
    + ERRORS,
    "join of three": """
        SELECT STREAM ROWTIME, a.v, b.v, c.v FROM s OVER w AS a JOIN s OVER w AS b ON a.k = b.k JOIN u AS c ON c.k = b.k
            WHERE a.v < b.v WINDOW w AS (RANGE INTERVAL '20' SECOND PRECEDING);
        SELECT STREAM ROWTIME, a.v, b.v, c.v, x FROM s OVER w AS a LEFT JOIN u OVER w AS b ON a.k = b.k AND a.v < b.v
            FULL JOIN s AS c ON c.v = b.v LEFT JOIN (VALUES (1), (3)) AS t(x) ON t.x = a.v
            WINDOW w AS (RANGE INTERVAL '5' SECOND PRECEDING);""",
    "windows of a join": """
        SELECT STREAM ROWTIME, k, COUNT(*), SUM(u.v) FROM s JOIN u OVER (RANGE INTERVAL '1' MINUTE PRECEDING) USING (k)
            GROUP BY k, FLOOR(s.ROWTIME TO MINUTE);
        SELECT STREAM ROWTIME, s.k, SUM(s.v) OVER (PARTITION BY s.k ROWS 3 PRECEDING)
            FROM s OVER (ROWS 2 PRECEDING) RIGHT JOIN u OVER (ROWS 2 PRECEDING) ON s.k = u.k;
        SELECT STREAM ROWTIME, COUNT(*) FROM s OVER (ROWS 2 PRECEDING) RIGHT JOIN u OVER (ROWS 2 PRECEDING) ON s.k = u.k
            GROUP BY FLOOR(ROWTIME TO MINUTE);""",
    "over": """
        SELECT STREAM ROWTIME, k, COUNT(*) OVER w, SUM(v) OVER w, AVG(d) OVER w, MIN(v) OVER w, MAX(k) OVER w,
            FIRST_VALUE(v) OVER w, LAST_VALUE(d) OVER w, STDDEV_SAMP(d) OVER w
        FROM s WINDOW w AS (PARTITION BY k RANGE INTERVAL '30' SECOND PRECEDING)""",
    "over two windows": """
        SELECT STREAM ROWTIME, k, SUM(v) OVER (ROWS 2 PRECEDING), SUM(d) OVER (PARTITION BY k, FLOOR(s.ROWTIME TO MINUTE)
            ROWS 3 PRECEDING), COUNT(*) OVER (RANGE INTERVAL '10' SECOND PRECEDING) FROM s""",
    "distinct aggregates": """
        SELECT STREAM ROWTIME, k, COUNT(DISTINCT v), SUM(DISTINCT d), AVG(v) FILTER (WHERE d > 1) FROM s
            GROUP BY k, STEP(s.ROWTIME BY INTERVAL '10' SECOND);
        SELECT STREAM ROWTIME, COUNT(DISTINCT k), SUM(DISTINCT v) FROM s
            WINDOWED BY STAGGER (PARTITION BY v RANGE INTERVAL '10' SECOND);
        SELECT STREAM ROWTIME, COUNT(DISTINCT v) OVER w, SUM(DISTINCT d) OVER w, AVG(DISTINCT d) OVER (ROWS 3 PRECEDING)
            FROM s WINDOW w AS (PARTITION BY k RANGE INTERVAL '10' SECOND PRECEDING);""",
    "over with failures": """
        SELECT STREAM ROWTIME, k, SUM(12 / v) OVER (PARTITION BY k ROWS 2 PRECEDING) FROM s;"""
    + ERRORS,
}
"""By operator: what it does to the streams, as one query or more."""

APPLICATIONS = {
    "a chain of pumps": """
        CREATE STREAM a (k VARCHAR(4), n INTEGER);
        CREATE STREAM b (n BIGINT, total DOUBLE);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM k, COUNT(*) FROM s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '10' SECOND);
        CREATE PUMP q AS INSERT INTO b (total, n) SELECT STREAM SUM(n), COUNT(*) FROM a GROUP BY FLOOR(a.ROWTIME TO MINUTE);
        SELECT STREAM ROWTIME, * FROM a;
        SELECT STREAM ROWTIME, * FROM b;""",
    "many pumps into one stream": """
        CREATE STREAM a (source VARCHAR(8), v INTEGER);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM 's', v FROM s;
        CREATE PUMP q AS INSERT INTO a SELECT STREAM 'u', v FROM u;
        CREATE PUMP r AS INSERT INTO a SELECT STREAM 'minute', COUNT(*) FROM u GROUP BY FLOOR(u.ROWTIME TO MINUTE);
        SELECT STREAM ROWTIME, * FROM a;""",
    "a diamond": """
        CREATE STREAM a (v INTEGER);
        CREATE STREAM b (v INTEGER);
        CREATE STREAM c (v INTEGER, w VARCHAR(1));
        CREATE PUMP p AS INSERT INTO a SELECT STREAM v FROM s WHERE v > 1;
        CREATE PUMP q AS INSERT INTO b SELECT STREAM SUM(v) FROM s GROUP BY STEP(s.ROWTIME BY INTERVAL '5' SECOND);
        CREATE PUMP r AS INSERT INTO c SELECT STREAM v, 'b' FROM b;
        CREATE PUMP t AS INSERT INTO c SELECT STREAM v, 'a' FROM a;
        SELECT STREAM ROWTIME, * FROM c;""",
    "failures in several pumps": """
        CREATE STREAM a (n INTEGER NOT NULL);
        CREATE STREAM b (n TINYINT);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM v FROM s;
        CREATE PUMP q AS INSERT INTO b SELECT STREAM 60 * n FROM a WHERE 6 / n > 0;
        CREATE PUMP r AS INSERT INTO a SELECT STREAM 4 / v FROM u;
        SELECT STREAM ROWTIME, * FROM a;
        SELECT STREAM ROWTIME, * FROM b;"""
    + ERRORS,
    "anomalies, sorted": """
        CREATE STREAM temp (k VARCHAR(4), v INTEGER, score DOUBLE);
        CREATE STREAM dest (k VARCHAR(4), v INTEGER, score DOUBLE);
        CREATE PUMP p AS INSERT INTO temp SELECT STREAM k, v, ANOMALY_SCORE
            FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM k, v FROM s), 4, 10, 1000));
        CREATE PUMP q AS INSERT INTO dest
            SELECT STREAM k, v, score FROM temp ORDER BY FLOOR(temp.ROWTIME TO SECOND), score DESC;
        SELECT STREAM ROWTIME, * FROM dest;""",
    "pumps that read errors, and fail": """
        CREATE STREAM a (n INTEGER);
        CREATE STREAM b (n BIGINT);
        CREATE STREAM c (n INTEGER);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM 4 / v FROM s;
        CREATE PUMP q AS INSERT INTO b SELECT STREAM COUNT(*) FROM "error_stream" AS e GROUP BY FLOOR(e.ROWTIME TO MINUTE);
        CREATE PUMP r AS INSERT INTO c SELECT STREAM CAST(MESSAGE AS INTEGER) FROM "error_stream";
        CREATE PUMP t AS INSERT INTO c SELECT STREAM v FROM u;
        SELECT STREAM ROWTIME, * FROM b;
        SELECT STREAM ROWTIME, * FROM c;"""
    + ERRORS,
    "late rows of a pump": """
        CREATE STREAM a (k VARCHAR(4), v INTEGER);
        CREATE PUMP p AS INSERT INTO a SELECT STREAM t AS ROWTIME, k, v FROM s;
        SELECT STREAM ROWTIME, k, COUNT(*) FROM a GROUP BY k, FLOOR(a.ROWTIME TO MINUTE);"""
    + ERRORS,
}
"""Several pumps, their streams and what is read of them."""
