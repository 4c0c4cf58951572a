"""What does not depend on rows: parsing, planning, and the cost of a step through each operator."""

from __future__ import annotations

import time

import pyarrow as pa

from bench.measure import Measurement, cpu_seconds
from streamsql.engine.engine import Engine
from streamsql.sql.parser import parse

PUMP = """CREATE OR REPLACE PUMP "PUMP_{i}" AS INSERT INTO "OUT_{i}"
SELECT STREAM "k", COUNT(*) AS n, AVG("v") AS a FROM "S"
WHERE "v" > {i} AND "k" LIKE 'a%' GROUP BY "k", STEP("S".ROWTIME BY INTERVAL '10' SECOND);
"""
TARGET = 'CREATE OR REPLACE STREAM "OUT_{i}" ("k" VARCHAR(8), n BIGINT, a DOUBLE);\n'

OPERATORS = {
    "filter and project": "SELECT STREAM k, v * 2 AS w FROM s WHERE v > 0",
    "tumbling window": "SELECT STREAM k, COUNT(*) AS n FROM s GROUP BY k, FLOOR(s.ROWTIME TO HOUR)",
    "sliding window": "SELECT STREAM k, SUM(v) OVER (PARTITION BY k RANGE INTERVAL '1' MINUTE PRECEDING) AS t FROM s",
    "order": "SELECT STREAM k, v FROM s ORDER BY FLOOR(s.ROWTIME TO HOUR), v",
    "union": "SELECT STREAM k FROM s UNION ALL SELECT STREAM k FROM s",
}
STEPS = 300


def measurements() -> list[Measurement]:
    """A script of fifty statements, and one row at a time through each operator."""
    script = "".join(TARGET.format(i=i) + PUMP.format(i=i) for i in range(25))
    parsing = cpu_seconds(lambda: parse(script))
    source = 'CREATE STREAM "S" ("k" VARCHAR(8), "v" DOUBLE);\n'
    starting = cpu_seconds(lambda: Engine().execute_script(source + script))
    found = [
        Measurement("parse 50 statements", "ms", parsing * 1000, less=True),
        Measurement("parse, bind, plan and start 50 statements", "ms", starting * 1000, less=True),
    ]
    for name, sql in OPERATORS.items():
        found.append(Measurement(f"a step of one row: {name}", "us", _step_cost(sql) * 1e6, less=True))
    return found


def _step_cost(sql: str) -> float:
    """CPU seconds that one row by itself costs."""
    engine = Engine()
    engine.execute_script("CREATE STREAM s (k VARCHAR(8), v DOUBLE)")
    rows = engine.execute_script(sql)[0].rows
    assert rows is not None
    schema = pa.schema([("ROWTIME", pa.timestamp("ms")), ("K", pa.string()), ("V", pa.float64())])
    batches = [pa.RecordBatch.from_pylist([{"ROWTIME": i, "K": f"k{i % 7}", "V": float(i)}], schema) for i in range(STEPS)]
    begun = 0.0
    for i, batch in enumerate(batches):
        if i == STEPS // 3:
            begun = time.process_time()
        engine.insert_rows("S", batch, explicit=True)
        while rows.take() is not None:
            pass
    return (time.process_time() - begun) / (STEPS - STEPS // 3)
