"""The series of the Numenta Anomaly Benchmark with the scores that the original service gave for them."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

SHIPPED = Path(__file__).parents[1] / "data" / "nab"
"""The few series that are part of the repository."""


class Answered(NamedTuple):
    """A series and the service's ANOMALY_SCORE for each record."""

    times: list[str]
    values: np.ndarray
    scores: np.ndarray


def read(folder):
    """All series under `folder`, by name (`realTraffic/speed_7578.csv`)."""
    return {str(path.relative_to(folder))[: -len(".gz")]: read_series(path) for path in sorted(folder.glob("*/*.csv.gz"))}


def read_series(path):
    with gzip.open(path, "rt", newline="") as file:
        times, values, scores = zip(*list(csv.reader(file))[1:])
    return Answered(list(times), np.array(values, float), 8 * np.array(scores, float))


def read_windows(folder):
    """The labelled windows of each series, by name: pairs of the first and the last time, written as the series' times are."""
    labels = json.loads((folder / "combined_windows.json").read_text())
    return {name: [(first[:19], last[:19]) for first, last in windows] for name, windows in labels.items()}
