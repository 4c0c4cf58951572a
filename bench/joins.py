"""Joins in SQL, rows in and rows out: of two streams by key within an interval, of a stream with a table; beside DuckDB."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb
import numpy as np
import pyarrow as pa

from bench.measure import Measurement, cpu_seconds
from streamsql.catalog import Table
from streamsql.engine.engine import Engine
from streamsql.time import ManualClock
from streamsql.types import DOUBLE, INTEGER, Batch, Field, Schema

ROWS = 1_000_000
BATCH = 65_536
PER_MILLISECOND = 20
KEYS = 100_000

COLUMNS = (Field("K", INTEGER), Field("D", DOUBLE))

INTERVAL = """SELECT STREAM s.k, s.d, u.d FROM s OVER (RANGE INTERVAL '11' SECOND PRECEDING)
JOIN u OVER (RANGE INTERVAL '11' SECOND PRECEDING) ON s.k = u.k"""
INTERVAL_DUCKDB = """SELECT s.K, s.D, u.D, greatest(s.ROWTIME, u.ROWTIME) FROM s JOIN u
ON s.K = u.K AND u.ROWTIME BETWEEN s.ROWTIME - INTERVAL 11 SECOND AND s.ROWTIME + INTERVAL 11 SECOND"""

LOOKUP = "SELECT STREAM s.k, s.d, t.d FROM s LEFT JOIN t ON s.k = t.k"
LOOKUP_DUCKDB = "SELECT s.K, s.D, t.D, s.ROWTIME FROM s LEFT JOIN t ON s.K = t.K"


def measurements() -> list[Measurement]:
    """Millions of input rows per CPU-second."""
    streams = {"S": stream(1), "U": stream(2)}
    keys = np.arange(0, 2 * KEYS, 2).astype(np.int32)
    reference = pa.table([pa.array(keys), pa.array(np.random.default_rng(3).random(KEYS))], names=["K", "D"])
    found = []
    for name, ours, theirs, given in (
        ("interval join by key", INTERVAL, INTERVAL_DUCKDB, streams),
        ("lookup in a table", LOOKUP, LOOKUP_DUCKDB, {"S": streams["S"]}),
    ):
        rows = ROWS * len(given) / 1e6
        us = rows / cpu_seconds(lambda q=ours, s=given: run(q, s, reference))  # type: ignore[misc]
        them = rows / cpu_seconds(lambda q=theirs, s=given: duck(q, s, reference))  # type: ignore[misc]
        found.append(Measurement(name, "M rows/s", us, "DuckDB", them))
    return found


def stream(seed: int) -> Batch:
    """ROWTIME in order, a key, a value."""
    draw = np.random.default_rng(seed)
    times = np.sort(draw.integers(0, ROWS // PER_MILLISECOND, ROWS)) + 1_577_872_800_000
    columns = [
        pa.array(times, pa.timestamp("ms")),
        pa.array(draw.integers(0, KEYS, ROWS).astype(np.int32)),
        pa.array(draw.random(ROWS)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=Schema.stream(COLUMNS).arrow())


def run(query: str, streams: Mapping[str, Batch], reference: pa.Table) -> int:
    """All rows of the query; gives how many."""
    engine = Engine(clock=ManualClock(0))
    engine.execute_script("CREATE STREAM s (k INTEGER, d DOUBLE); CREATE STREAM u (k INTEGER, d DOUBLE);")
    engine.catalog.relations["T"] = Table("T", Schema(COLUMNS), reference)
    rows = engine.execute_script(query)[0].rows
    assert rows is not None
    count = 0
    for start in range(0, ROWS, BATCH):
        for name, batch in streams.items():
            engine.insert_rows(name, batch.slice(start, BATCH), explicit=True)
        while (batch := rows.take()) is not None:
            count += batch.num_rows
    engine.end_inserts()
    while (batch := rows.take()) is not None:
        count += batch.num_rows
    return count


def duck(query: str, streams: Mapping[str, Batch], reference: pa.Table) -> int:
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        connection.register("t", reference)
        for name, batch in streams.items():
            connection.register(name.lower(), pa.Table.from_batches([batch]))
        return int(connection.sql(query).to_arrow_table().num_rows)
