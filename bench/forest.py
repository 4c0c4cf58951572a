"""RANDOM_CUT_FOREST's kernel, 100 trees of 256 points, beside `krcf`: AWS's Rust library, called once per point to score and
once to update, as it has to be.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from krcf import RandomCutForest

from bench.measure import Measurement, table
from streamsql.kernels.forest import new_forest, score

TREES, SAMPLE_SIZE = 100, 256
LEARNT = 4_000
"""Points that are in the forest before the clock starts."""

OURS, THEIRS = 20_000, 2_000
"""Points that are timed."""

TIME_DECAYS = {"the library's time decay": 10 * SAMPLE_SIZE, "the function's time decay": 100_000}
"""With the first, every tenth point enters a tree; with the second, one in 400 would at last."""

Points = npt.NDArray[np.float64]


def measurements() -> list[Measurement]:
    """Points per CPU-second for 1, 8 and 30 columns, one batch at a time and one row at a time."""
    found = []
    for columns in (1, 8, 30):
        points = np.random.default_rng(1).normal(size=(LEARNT + OURS, columns))
        for name, time_decay in TIME_DECAYS.items():
            ours, theirs = _best_rates(_ours(points, time_decay), _theirs(points[: LEARNT + THEIRS], time_decay))
            found.append(Measurement(f"forest, columns: {columns}, {name}", "points/s", ours, "krcf", theirs))
    points = points[:, :1].copy()
    ours, theirs = _best_rates(_ours_row_by_row(points[: LEARNT + THEIRS]), _theirs(points[: LEARNT + THEIRS], 100_000))
    found.append(Measurement("forest, columns: 1, a row at a time", "points/s", ours, "krcf", theirs))
    return found


def _best_rates(*runs: Callable[[], float], repeat: int = 3) -> list[float]:
    """Each run's best of several rates, taken in turn so that all meet the same machine."""
    return [max(rates) for rates in zip(*[[run() for run in runs] for _ in range(repeat)])]


def _ours(points: Points, time_decay: int) -> Callable[[], float]:
    def run() -> float:
        forest = new_forest(points.shape[1], number_of_trees=TREES, sub_sample_size=SAMPLE_SIZE, time_decay=time_decay, seed=1)
        score(forest, points[:LEARNT])
        begun = time.process_time()
        score(forest, points[LEARNT:])
        return (len(points) - LEARNT) / (time.process_time() - begun)

    return run


def _ours_row_by_row(points: Points) -> Callable[[], float]:
    def run() -> float:
        forest = new_forest(points.shape[1], number_of_trees=TREES, sub_sample_size=SAMPLE_SIZE, seed=1)
        score(forest, points[:LEARNT])
        begun = time.process_time()
        for i in range(LEARNT, len(points)):
            score(forest, points[i : i + 1])
        return (len(points) - LEARNT) / (time.process_time() - begun)

    return run


def _theirs(points: Points, time_decay: int) -> Callable[[], float]:
    def run() -> float:
        forest = RandomCutForest(
            {
                "dimensions": points.shape[1],
                "shingle_size": 1,
                "num_trees": TREES,
                "sample_size": SAMPLE_SIZE,
                "lambda": 1 / time_decay,
                "random_seed": 1,
            }
        )
        for point in points[:LEARNT]:
            forest.update(point)
        begun = time.process_time()
        for point in points[LEARNT:]:
            forest.score(point)
            forest.update(point)
        return (len(points) - LEARNT) / (time.process_time() - begun)

    return run


if __name__ == "__main__":
    print(table(measurements()))
