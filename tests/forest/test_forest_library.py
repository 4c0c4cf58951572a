"""Our trees and samples against AWS's own library: with the library's score on top, the two are the same detector.

The scores are random, so each point's mean over many forests is compared, in units of what chance allows: over all points
these differences must spread as a standard normal number does.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oracle import library_forest_score

from streamsql.kernels.forest import new_forest, score

FORESTS, TREES, SAMPLE_SIZE, TIME_DECAY, ROWS = 40, 50, 64, 200, 500


def gaussian(seed):
    return np.random.default_rng(seed).normal(size=(ROWS, 3))


def with_many_equals(seed):
    """About 90 different points, so that most rows equal some that are in the trees."""
    return np.round(2 * np.random.default_rng(seed).normal(size=(ROWS, 2))) / 2


def our_scores(points, seed):
    """The library's score of each point from our trees, 0.0 for the first `SAMPLE_SIZE`."""
    forest = new_forest(points.shape[1], number_of_trees=TREES, sub_sample_size=SAMPLE_SIZE, time_decay=TIME_DECAY, seed=seed)
    scores = np.zeros(len(points))
    for i, point in enumerate(points.astype(np.float32)):
        if i >= SAMPLE_SIZE:
            scores[i] = library_forest_score(forest["nodes"], forest["leaf_points"], forest["copies"], SAMPLE_SIZE, point)
        score(forest, points[i : i + 1])
    return scores


def library_scores(streams, folder):
    """The library's scores of each of some named streams: (forests, rows)."""
    if importlib.util.find_spec("jrcf") is None:
        pytest.skip("jrcf, AWS's library, is not installed")
    if shutil.which("java") is None:
        pytest.skip("jrcf needs Java, and there is no java here")
    np.savez(folder / "points.npz", **streams)
    settings = [str(number) for number in (FORESTS, TREES, SAMPLE_SIZE, TIME_DECAY)]
    program = Path(__file__).with_name("library.py")
    subprocess.run([sys.executable, program, folder / "points.npz", folder / "scores.npz", *settings], check=True)
    with np.load(folder / "scores.npz") as scores:
        return dict(scores)


def differences(points, library):
    """How far our mean score of each point is from the library's, in standard errors; and the ratio of the means."""
    ours = np.array([our_scores(points, seed) for seed in range(FORESTS)])[:, SAMPLE_SIZE:]
    library = library[:, SAMPLE_SIZE:]
    error = np.sqrt((library.var(axis=0, ddof=1) + ours.var(axis=0, ddof=1)) / FORESTS)
    return (ours.mean(axis=0) - library.mean(axis=0)) / error, ours.mean() / library.mean()


def test_scores_are_those_of_the_library(tmp_path):
    streams = {"gaussian": gaussian(11), "with_many_equals": with_many_equals(11)}
    library = library_scores(streams, tmp_path)
    for name, points in streams.items():
        z, level = differences(points, library[name])
        print(f"{name}: z sd {z.std():.3f}, mean {z.mean():.3f}, max {np.abs(z).max():.2f}, level {level:.4f}")
        assert 0.9 < z.std() < 1.15
        assert np.abs(z).max() < 5
        assert level == pytest.approx(1, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [gaussian, with_many_equals])
def test_scores_are_those_of_the_library_over_many_streams(stream, tmp_path):
    """The differences within one stream hang together, as its points meet the same trees: this is the surer test."""
    streams = {str(seed): stream(seed) for seed in range(6)}
    library = library_scores(streams, tmp_path)
    z, levels = zip(*(differences(points, library[seed]) for seed, points in streams.items()))
    print(f"{stream.__name__}: z rms {np.sqrt(np.mean(np.square(z))):.3f}, mean {np.mean(z):.3f}, level {np.mean(levels):.4f}")
    assert 0.9 < np.sqrt(np.mean(np.square(z))) < 1.15
    assert abs(np.mean(z)) < 0.4
    assert np.mean(levels) == pytest.approx(1, abs=0.003)
