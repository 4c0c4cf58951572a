"""Whole queries, SQL text in and rows out: tumbling and sliding windows, filter and project, from Arrow batches in memory,
beside DuckDB on one thread with the same rows.
"""

from __future__ import annotations

from functools import cache

import duckdb
import numpy as np
import pyarrow as pa

from bench.measure import Measurement, cpu_seconds
from streamsql.engine.engine import Engine
from streamsql.engine.row_queue import RowQueue
from streamsql.time import END

ROWS = 2_000_000
DEVICES = 1_000
BATCH = 65_536

STREAM = "CREATE STREAM s (device INTEGER, name VARCHAR(16), v DOUBLE)"

QUERIES: dict[str, tuple[str, str]] = {
    "tumbling 1 s, integer key": (
        "SELECT STREAM device, COUNT(*) AS n, AVG(v) AS a, MAX(v) AS m FROM s GROUP BY device, FLOOR(s.ROWTIME TO SECOND)",
        "SELECT device, date_trunc('second', t), count(*), avg(v), max(v) FROM s GROUP BY ALL",
    ),
    "tumbling 1 s, text key": (
        "SELECT STREAM name, COUNT(*) AS n, AVG(v) AS a, MAX(v) AS m FROM s "
        "GROUP BY name, STEP(s.ROWTIME BY INTERVAL '1' SECOND)",
        "SELECT name, date_trunc('second', t), count(*), avg(v), max(v) FROM s GROUP BY ALL",
    ),
    "sliding RANGE 10 s, integer key": (
        "SELECT STREAM device, AVG(v) OVER (PARTITION BY device RANGE INTERVAL '10' SECOND PRECEDING) AS a FROM s",
        "SELECT device, avg(v) OVER (PARTITION BY device ORDER BY t RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW) "
        "FROM s",
    ),
    "filter and project": (
        "SELECT STREAM device, v * 2 AS w, UPPER(name) AS u FROM s WHERE v > 0.5",
        "SELECT device, v * 2, upper(name) FROM s WHERE v > 0.5",
    ),
}


@cache
def rows() -> pa.Table:
    """ROWTIME in order at 100,000 rows a second, a device, its name, a value."""
    draw = np.random.default_rng(1)
    device = draw.integers(0, DEVICES, ROWS, dtype=np.int32)
    return pa.table(
        {
            "ROWTIME": pa.array(np.arange(ROWS, dtype=np.int64) // 100, pa.timestamp("ms")),
            "DEVICE": pa.array(device),
            "NAME": pa.array([f"device-{d}" for d in range(DEVICES)]).take(pa.array(device)),
            "V": pa.array(draw.random(ROWS)),
        }
    )


def run_ours(sql: str) -> int:
    """Run a query over all rows; gives how many came out."""
    engine = Engine()
    engine.execute_script(STREAM)
    result = engine.execute_script(sql)[0]
    assert result.rows is not None
    count = 0
    for batch in rows().to_batches(BATCH):
        engine.insert_rows("S", batch, explicit=True)
        count += _taken(result.rows)
    engine.advance("S", END - 1)
    engine.end_inserts()
    return count + _taken(result.rows)


def _taken(queue: RowQueue) -> int:
    count = 0
    while (batch := queue.take()) is not None:
        count += batch.num_rows
    return count


def measurements() -> list[Measurement]:
    """Each query, ours and DuckDB's."""
    peer = duckdb.connect(config={"threads": 1})
    peer.register("arrow_rows", rows())
    peer.execute("CREATE TABLE s AS SELECT ROWTIME AS t, DEVICE AS device, NAME AS name, V AS v FROM arrow_rows")
    found: list[Measurement] = []
    for name, (ours, theirs) in QUERIES.items():
        mine = ROWS / cpu_seconds(lambda sql=ours: run_ours(sql))
        other = ROWS / cpu_seconds(lambda sql=theirs: peer.execute(sql).to_arrow_table())
        found.append(Measurement(f"{name}, from memory", "rows/s", mine, "DuckDB", other))
    return found
