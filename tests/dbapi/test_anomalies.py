"""The published anomaly application through the Python interface: it finds what was hidden in the data."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

import streamsql

LEARNING = 5_000
"""Records after which the forest knows what is usual."""


def records(count: int) -> tuple[pa.Table, npt.NDArray[np.bool_]]:
    """Readings of 10 to 20, one in a hundred of 100 to 120; a thousand a second."""
    draw = np.random.default_rng(7)
    strange = draw.random(count) < 0.01
    values = np.where(strange, draw.integers(100, 121, count), draw.integers(10, 21, count))
    times = pa.array(np.arange(count) + 1_767_225_600_000).cast(pa.timestamp("ms"))
    sensors = pa.array([f"sensor-{n % 10}" for n in range(count)])
    return pa.table({"t": times, "name": sensors, "value": pa.array(values.astype(np.int32))}), strange


def area_under_curve(scores: npt.NDArray[np.float64], strange: npt.NDArray[np.bool_]) -> float:
    """The chance that a strange record has a higher score than a usual one; ties count half."""
    _, ranks, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = (np.cumsum(counts) - (counts - 1) / 2)[ranks]
    positive, negative = strange.sum(), (~strange).sum()
    return float((mean_rank[strange].sum() - positive * (positive + 1) / 2) / (positive * negative))


@pytest.mark.parametrize("count", [20_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_anomalies_are_found(shared: Path, count: int) -> None:
    application = shared / "cases" / "seed" / "iot_anomaly.sql"
    if not application.exists():
        pytest.skip(f"no {application.name}")
    table, strange = records(count)
    with streamsql.connect() as con:
        con.execute('CREATE STREAM "SOURCE_SQL_STREAM_001" ("iotName" VARCHAR(40), "iotValue" INTEGER)')
        con.executescript(application.read_text())
        scored = con.execute(f'SELECT STREAM "iotValue", ANOMALY_SCORE FROM "TEMP_STREAM" LIMIT {count}')
        # the last second is open until a record of the next one comes
        sorted_ = con.execute(f'SELECT STREAM "ANOMALY_SCORE", "created" FROM "DESTINATION_SQL_STREAM" LIMIT {count - 1000}')
        cur = con.executemany('INSERT INTO "SOURCE_SQL_STREAM_001" (ROWTIME, "iotName", "iotValue") VALUES (?, ?, ?)', table)
        assert cur.rowcount == count
        rows = scored.fetch_arrow_table()
        destination = sorted_.fetch_arrow_table()
    assert rows["iotValue"].to_pylist() == table["value"].to_pylist()
    scores = rows["ANOMALY_SCORE"].to_numpy()
    assert area_under_curve(scores[LEARNING:], strange[LEARNING:]) >= 0.999
    by_second = destination["ANOMALY_SCORE"].to_numpy().reshape(-1, 1_000)
    assert (np.diff(by_second) <= 0).all()
    assert destination["created"][0].as_py() < datetime(2026, 1, 1) + timedelta(seconds=2)
