"""`error_stream`: every row that was lost, and why, in an order that does not depend on batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from streamsql.operator import FailedRow
from streamsql.run.operators.window import times_of
from streamsql.time import BEGIN, END, Time
from streamsql.types import TIMESTAMP, Batch, Field, Schema, varchar

NAME = "error_stream"
"""In lower case, as the service named it; SQL may read it and never write it."""

SCHEMA = Schema.stream(
    (
        Field("ERROR_TIME", TIMESTAMP),
        Field("ERROR_LEVEL", varchar(10)),
        Field("ERROR_NAME", varchar(32)),
        Field("MESSAGE", varchar(4096)),
        Field("DATA_ROWTIME", TIMESTAMP),
        Field("DATA_ROW", varchar(49152)),
        Field("PUMP_NAME", varchar(128)),
    )
)

FIRST_TIME: Time = -62_135_596_800_000
"""The ROWTIME of a row lost before its stream had any time: the year 1."""


def batches_of(rows: Sequence[FailedRow], pump: str) -> Iterator[Batch]:
    """The lost rows of one operator as rows of `error_stream`.

    ERROR_TIME is the lost row's own time, so that a replay gives the same error rows; PUMP_NAME is the text `null` for a
    record that never became a row, as the service wrote it.
    """
    if not rows:
        return
    times = [_time(row) for row in rows]
    rowtimes = [row.rowtime for row in rows]
    shown = [_shown(row) for row in rows]
    columns = [
        pa.array(times, pa.timestamp("ms")),
        pa.array(shown, pa.timestamp("ms")),
        pa.array(["WARNING"] * len(rows), pa.string()),
        pa.array([row.failure.name[:32] for row in rows], pa.string()),
        pa.array([row.failure.message[:4096] for row in rows], pa.string()),
        pa.array(rowtimes, pa.timestamp("ms")),
        pa.array([row.data.hex().upper()[:49152] for row in rows], pa.string()),
        pa.array([pump[:128]] * len(rows), pa.string()),
    ]
    yield pa.RecordBatch.from_arrays(columns, schema=SCHEMA.arrow())


def not_before(t: Time, batch: Batch) -> Batch:
    """Rows of `error_stream` with no ROWTIME before `t`, the time that readers of it were promised."""
    if t in (BEGIN, END) or int(times_of(batch)[0]) >= t:
        return batch
    rowtime = pa.array(np.maximum(times_of(batch), t), pa.timestamp("ms"))
    return batch.set_column(0, batch.schema.field(0), rowtime)


def _time(row: FailedRow) -> Time:
    """Where the row stands in the order of `error_stream`."""
    time = row.rowtime if row.time is None else row.time
    return FIRST_TIME if time is None or time == BEGIN else time


def _shown(row: FailedRow) -> Time | None:
    time = row.time if row.rowtime is None else row.rowtime
    return None if time == BEGIN else time
