"""The forest's chances are the right ones: how cuts fall, and which points stay."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest

from streamsql.kernels.forest import new_forest, score


def kolmogorov_smirnov(a, b):
    """The largest difference of two samples' distributions, in units of what chance exceeds once in 1,000 times."""
    values = np.concatenate((a, b))
    difference = np.abs(
        np.searchsorted(np.sort(a), values, "right") / len(a) - np.searchsorted(np.sort(b), values, "right") / len(b)
    ).max()
    return difference / (math.sqrt(math.log(2 / 0.001) / 2) * math.sqrt(1 / len(a) + 1 / len(b)))


def cut_positions(forest, tree):
    """Where each cut of a tree lies along the sides of its box, laid end to end: from 0 to 1."""
    capacity, dimensions = forest["leaf_points"].shape[1:]
    used = np.setdiff1d(np.arange(capacity - 1), forest["free_nodes"][tree, forest["leaves"][tree, 0] - 1 : capacity - 1])
    nodes = forest["nodes"][tree, used]
    reals = nodes.view(np.float32).astype(float)
    low, high = reals[:, oracle.LOW : oracle.LOW + dimensions], reals[:, oracle.LOW + dimensions :]
    before = np.concatenate((np.zeros((len(nodes), 1)), np.cumsum(high - low, axis=1)), axis=1)
    rows, dimension = np.arange(len(nodes)), nodes[:, oracle.CUT_DIMENSION].astype(int)
    return (before[rows, dimension] + reals[:, oracle.CUT] - low[rows, dimension]) / before[:, -1]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_every_order_of_arrival_gives_the_same_law_of_cuts(order):
    points = np.array([[0.0, 0.0], [1.0, 5.0], [10.0, 1.0], [2.0, 2.0]])[list(order)]
    forest = new_forest(2, number_of_trees=4000, sub_sample_size=10, seed=1)
    score(forest, points)
    roots = forest["nodes"][np.arange(4000), forest["nodes"][:, -1, oracle.LEFT]]
    in_first = roots[:, oracle.CUT_DIMENSION] == 0
    assert abs(in_first.mean() - 10 / 15) < 4 * math.sqrt(10 / 15 * 5 / 15 / 4000)
    uniform = np.random.default_rng(0).uniform(size=100_000)
    cuts = roots.view(np.float32)[:, oracle.CUT]
    assert kolmogorov_smirnov(cuts[in_first] / 10, uniform) < 1
    assert kolmogorov_smirnov(cuts[~in_first] / 5, uniform) < 1


@pytest.mark.parametrize("columns", [1, 3])
def test_cuts_stay_uniform_over_the_sides_as_points_come_and_go(columns):
    forest = new_forest(columns, number_of_trees=200, sub_sample_size=40, time_decay=60, seed=2)
    score(forest, np.random.default_rng(3).normal(size=(2000, columns)) ** 3)
    positions = np.concatenate([cut_positions(forest, tree) for tree in range(200)])
    assert len(positions) == 200 * 39
    assert kolmogorov_smirnov(positions, np.random.default_rng(4).uniform(size=100_000)) < 1


@pytest.mark.parametrize(("time_decay", "rows"), [(60, 40), (60, 45), (60, 90), (60, 1000), (1000, 1000), (11, 500)])
def test_points_stay_as_if_each_had_drawn_a_weight(time_decay, rows):
    trees, capacity = 400, 40
    forest = new_forest(1, number_of_trees=trees, sub_sample_size=capacity, time_decay=time_decay, seed=3)
    numbers = np.arange(rows, dtype=float)
    score(forest, numbers[:, None])
    ages = rows - 1 - forest["leaf_points"].ravel()
    weights = np.log(np.random.default_rng(5).exponential(size=(trees, rows))) - numbers / time_decay
    expected_ages = rows - 1 - np.argsort(weights, axis=1)[:, :capacity].ravel()
    assert len(ages) == len(expected_ages)
    assert kolmogorov_smirnov(ages, expected_ages) < 1
