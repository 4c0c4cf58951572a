"""The published anomaly application, unchanged, on 100,000 readings with 1 % anomalies: from a file, and through a pipe."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from tests.application.command import lines, streamsql

LEARNING = 256


def write_readings(path: Path, count: int = 100_000) -> None:
    """Values of 10 to 20, and one in a hundred of 100 to 120, fifty a second."""
    draw = random.Random(7)
    with path.open("w") as file:
        for i in range(count):
            value = draw.randint(100, 120) if draw.random() < 0.01 else draw.randint(10, 20)
            seconds, milliseconds = divmod(i * 20, 1000)
            time = f"2026-01-01 {seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{milliseconds:03d}"
            file.write(f'{{"iotName": "sensor-{i % 5}", "iotValue": {value}, "time": "{time}"}}\n')


def auc(scores: list[float], anomalous: list[bool]) -> float:
    """The share of pairs in which the anomaly has the higher score; ties count half."""
    values, marks = np.array(scores), np.array(anomalous)
    usual = np.sort(values[~marks])
    below = np.searchsorted(usual, values[marks], "left")
    at_most = np.searchsorted(usual, values[marks], "right")
    return float((below + at_most).sum() / 2 / (marks.sum() * (~marks).sum()))


def test_the_anomalies_rank_first(tmp_path: Path, shared: Path) -> None:
    source, out = tmp_path / "sensor.jsonl", tmp_path / "out.jsonl"
    write_readings(source)
    app = str(shared / "cases/seed/iot_anomaly.sql")
    done = streamsql(
        "run", app, "--input", f"SOURCE_SQL_STREAM_001={source}?rowtime=time", "--output", f"DESTINATION_SQL_STREAM={out}"
    )
    assert done.returncode == 0, done.stderr
    rows = lines(out.read_text())
    assert len(rows) == 100_000
    assert sum(row["ANOMALY_SCORE"] == 0 for row in rows) == LEARNING
    scored = [row for row in rows if row["ANOMALY_SCORE"] > 0]
    assert auc([row["ANOMALY_SCORE"] for row in scored], [row["iotValue"] >= 100 for row in scored]) >= 0.999
    seconds: dict[str, list[float]] = {}
    for row in rows:
        seconds.setdefault(row["created"], []).append(row["ANOMALY_SCORE"])
    assert list(seconds) == sorted(seconds)
    assert all(scores == sorted(scores, reverse=True) for scores in seconds.values())
    piped = streamsql("run", app, "--input", "SOURCE_SQL_STREAM_001=-?rowtime=time", stdin=source.read_text())
    assert piped.stdout == out.read_text()
