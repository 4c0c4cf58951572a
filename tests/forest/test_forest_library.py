"""Our trees and samples against AWS's own library: with the library's score on top, the two are the same detector.

The scores are random, so each point's mean over many forests is compared, in units of what chance allows: over all points
these differences must spread as a standard normal number does.
"""

from __future__ import annotations

import importlib.util
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from oracle import library_forest_score

from streamsql.kernels.forest import new_forest, score
from streamsql.kernels.forest_attribution import score_with_attribution

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


def our_attributions(points, seed):
    """The parts of each column in the library's score of each point. No point equals another: so only the last factor differs."""
    forest = new_forest(points.shape[1], number_of_trees=TREES, sub_sample_size=SAMPLE_SIZE, time_decay=TIME_DECAY, seed=seed)
    _, parts = score_with_attribution(forest, points)
    return parts * math.log2(SAMPLE_SIZE + 1) / math.log2(SAMPLE_SIZE)


def library(what, streams, folder):
    """What the library answers to each of some named streams: (forests, rows, ...)."""
    if importlib.util.find_spec("jrcf") is None:
        pytest.skip("jrcf, AWS's library, is not installed")
    if shutil.which("java") is None:
        pytest.skip("jrcf needs Java, and there is no java here")
    np.savez(folder / "points.npz", **streams)
    settings = [str(number) for number in (FORESTS, TREES, SAMPLE_SIZE, TIME_DECAY)]
    program = Path(__file__).with_name("library.py")
    subprocess.run([sys.executable, program, what, folder / "points.npz", folder / "answers.npz", *settings], check=True)
    with np.load(folder / "answers.npz") as answers:
        return dict(answers)


def differences(ask, points, theirs):
    """How far our mean answer to each point is from the library's, in standard errors; and the ratio of all means."""
    ours = np.array([ask(points, seed) for seed in range(FORESTS)])[:, SAMPLE_SIZE:]
    theirs = theirs[:, SAMPLE_SIZE:]
    error = np.sqrt((theirs.var(axis=0, ddof=1) + ours.var(axis=0, ddof=1)) / FORESTS)
    some = error > 0
    return (ours.mean(axis=0) - theirs.mean(axis=0))[some] / error[some], ours.mean() / theirs.mean()


def test_scores_are_those_of_the_library(tmp_path):
    streams = {"gaussian": gaussian(11), "with_many_equals": with_many_equals(11)}
    theirs = library("scores", streams, tmp_path)
    for name, points in streams.items():
        z, level = differences(our_scores, points, theirs[name])
        print(f"{name}: z sd {z.std():.3f}, mean {z.mean():.3f}, max {np.abs(z).max():.2f}, level {level:.4f}")
        assert 0.9 < z.std() < 1.15
        assert np.abs(z).max() < 5
        assert level == pytest.approx(1, abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [gaussian, with_many_equals])
def test_scores_are_those_of_the_library_over_many_streams(stream, tmp_path):
    """The differences within one stream hang together, as its points meet the same trees: this is the surer test."""
    streams = {str(seed): stream(seed) for seed in range(6)}
    theirs = library("scores", streams, tmp_path)
    found = [differences(our_scores, points, theirs[seed]) for seed, points in streams.items()]
    z, level = np.concatenate([z for z, _ in found]), np.mean([level for _, level in found])
    print(f"{stream.__name__}: z rms {np.sqrt(np.mean(z**2)):.3f}, mean {z.mean():.3f}, level {level:.4f}")
    assert 0.9 < np.sqrt(np.mean(z**2)) < 1.15
    assert abs(z.mean()) < 0.4
    assert level == pytest.approx(1, abs=0.003)


@pytest.mark.slow
def test_attributions_are_those_of_the_library(tmp_path):
    theirs = library("attributions", {"gaussian": gaussian(11)}, tmp_path)
    z, level = differences(our_attributions, gaussian(11), theirs["gaussian"])
    print(f"attributions: z sd {z.std():.3f}, mean {z.mean():.3f}, max {np.abs(z).max():.2f}, level {level:.4f}")
    assert 0.9 < z.std() < 1.15
    assert level == pytest.approx(1, abs=0.005)
