"""The example that draws: it runs as its text says, and finds what the generator hid."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import matplotlib.image

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_the_anomalies_are_drawn(tmp_path: Path) -> None:
    readings, picture = tmp_path / "scored.jsonl", tmp_path / "anomalies.png"
    run = [sys.executable, "-m", "streamsql", "run", EXAMPLES / "iot_anomaly" / "anomaly.sql"]
    subprocess.run([*run, "--output", f"DESTINATION_SQL_STREAM={readings}"], check=True, capture_output=True)
    hidden = len(re.findall(r'"iotValue": \d{3}', readings.read_text()))
    command = [sys.executable, EXAMPLES / "anomaly_plot" / "plot.py", readings, picture]
    said = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    found = re.match(r"(\d+) of 20,000 readings are strange", said)
    assert found is not None
    assert 0.8 * hidden <= int(found[1]) <= hidden
    pixels = matplotlib.image.imread(picture)
    assert pixels.shape[:2] == (720, 1320)
    red = (pixels[:, :, 0] > 0.7) & (pixels[:, :, 1] < 0.3)
    assert red.sum() > 100
