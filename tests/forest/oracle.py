"""What the forest's kernels must compute, written to be read: one point, one tree, from the leaf up.

`check_tree` says what is always true of a tree; `service_score` and `library_score` are the two scores of
`reference/random_cut_forest.md` (2.1 and 2). All take the arrays of one tree as the forest keeps them.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest
from numba.extending import register_jitable

LEFT, RIGHT, CUT_DIMENSION, CUT, LOW = 0, 1, 2, 3, 4


@register_jitable
def path_to_leaf(nodes, reals, point):
    """The node ids from the root down to the leaf that `point` falls in, the leaf's last."""
    capacity = len(nodes)
    path = [np.int64(nodes[capacity - 1, LEFT])]
    while path[-1] < capacity:
        node = path[-1]
        side = LEFT if point[nodes[node, CUT_DIMENSION]] <= reals[node, CUT] else RIGHT
        path.append(np.int64(nodes[node, side]))
    return path


@register_jitable
def cut_off_probability(box, point):
    """The probability that a random cut of the box around `box` (lower ends, upper ends) and `point` separates the two."""
    outside = 0.0
    sides = 0.0
    for j in range(len(point)):
        low, high, x = float(box[j]), float(box[len(point) + j]), float(point[j])
        outside += max(low - x, 0.0) + max(x - high, 0.0)
        sides += high - low
    return outside / (outside + sides)


@register_jitable
def expected_score(reals, path, point):
    """The expected 1 / (depth + 1) at which `point`, unequal to its leaf, would be cut off."""
    score = 1.0 / len(path)
    for depth in range(len(path) - 2, -1, -1):
        p = cut_off_probability(reals[path[depth], LOW:], point)
        score = p / (depth + 1) + (1 - p) * score
    return score


@register_jitable
def service_score(nodes, leaf_points, copies, point):
    """The original service's score of `point` in a tree."""
    reals = nodes.view(np.float32)
    path = path_to_leaf(nodes, reals, point)
    depth = len(path) - 1
    leaf = path[-1] - len(nodes)
    if np.abs(point - leaf_points[leaf].astype(np.float64)).max() <= 1e-6:
        score = 1 / (depth + math.log2(copies[leaf])) if depth > 0 else 1 / (1 + copies[leaf])
    else:
        score = expected_score(reals, path, point)
    return score * math.log2(len(nodes))


@register_jitable
def library_score(nodes, leaf_points, copies, mass, point):
    """AWS's library's score of `point` in a tree that holds `mass` points."""
    reals = nodes.view(np.float32)
    path = path_to_leaf(nodes, reals, point)
    depth = len(path) - 1
    leaf = path[-1] - len(nodes)
    if np.all(point == leaf_points[leaf]):
        score = (1 - copies[leaf] / (2 * mass)) / (depth + math.log2(copies[leaf] + 1))
    else:
        score = expected_score(reals, path, point)
    return score * math.log2(mass + 1)


def service_attribution(nodes, leaf_points, copies, point, columns):
    """What each column has to do with the original service's score of `point` in a tree: (columns, above and below).

    From the leaf up, as the reference has it: high and low are vectors over the dimensions.
    """
    reals, dimensions, point = nodes.view(np.float32), len(point), point.astype(float)
    path = path_to_leaf(nodes, reals, point)
    depth, leaf = len(path) - 1, path[-1] - len(nodes)
    score = service_score(nodes, leaf_points, copies, point)
    difference = point - leaf_points[leaf]
    equal = np.abs(difference).max() <= 1e-6
    if equal:
        high = low = np.full(dimensions, score / math.log2(len(nodes)) / (2 * dimensions))
    else:
        high, low = np.maximum([difference, -difference], 0) / np.abs(difference).sum() / (depth + 1)
    others = []
    for level in range(depth - 1, -1, -1):
        if equal:
            children = nodes[path[level], [LEFT, RIGHT]]
            others += box_of(nodes, leaf_points, children[children != path[level + 1]][0])
            lows, highs = np.min(others, axis=0), np.max(others, axis=0)
        else:
            lows, highs = box_of(nodes, leaf_points, path[level])
        above, below = np.maximum([point - highs, lows - point], 0)
        sides = (highs - lows).sum() + above.sum() + below.sum()
        p = (above.sum() + below.sum()) / sides
        if p == 0:
            break
        high, low = (1 - p) * high + above / sides / (level + 1), (1 - p) * low + below / sides / (level + 1)
    if not equal:
        assert (high.sum() + low.sum()) * math.log2(len(nodes)) == pytest.approx(score, rel=1e-6)
    parts = np.array([high, low]).reshape(2, -1, columns).sum(axis=1).T
    return parts * score / parts.sum()


def box_of(nodes, leaf_points, node):
    """The lower and the upper ends of the box of a node or leaf."""
    if node >= len(nodes):
        return [leaf_points[node - len(nodes)].astype(float)] * 2
    dimensions = leaf_points.shape[1]
    ends = nodes[node].view(np.float32)[LOW:].astype(float)
    return [ends[:dimensions], ends[dimensions:]]


def service_forest_score(forest, point):
    """The original service's score of `point`, unrounded."""
    trees = zip(forest["nodes"], forest["leaf_points"], forest["copies"])
    return np.mean([service_score(*tree, point.astype(np.float32)) for tree in trees])


def service_forest_attribution(forest, point, columns):
    """What each column has to do with the original service's score of `point`: (columns, above and below)."""
    trees = zip(forest["nodes"], forest["leaf_points"], forest["copies"])
    return np.mean([service_attribution(*tree, point.astype(np.float32), columns) for tree in trees], axis=0)


@numba.njit(cache=True)
def library_forest_score(nodes, leaf_points, copies, mass, point):
    """AWS's library's score of `point`; compiled, for there are millions to compute."""
    total = 0.0
    for tree in range(len(nodes)):
        total += library_score(nodes[tree], leaf_points[tree], copies[tree], mass, point)
    return total / len(nodes)


def check_forest(forest, shingle_size=1):
    """Everything that is always true of a forest's trees and samples."""
    trees, capacity, _ = forest["leaf_points"].shape
    offered = max(0, int(forest["records"][0]) - shingle_size + 1)
    of_trees = {name: array for name, array in forest.items() if array.ndim > 1}
    for tree in range(trees):
        check_tree({name: array[tree] for name, array in of_trees.items()}, min(offered, capacity))
        assert offered < capacity or forest["next_points"][tree, 0] >= offered


def check_tree(tree, mass):
    """Everything that is always true of a tree and its sample of `mass` points."""
    capacity, leaves = len(tree["nodes"]), int(tree["leaves"][0])
    used_nodes, used_leaves = [], []
    if leaves:
        check_subtree(tree, int(tree["nodes"][capacity - 1, LEFT]), used_nodes, used_leaves)
    assert len(used_leaves) == leaves
    assert sorted(used_leaves + list(tree["free_leaves"][leaves:])) == list(range(capacity))
    assert sorted(used_nodes + list(tree["free_nodes"][max(leaves - 1, 0) : capacity - 1])) == list(range(capacity - 1))
    assert len(np.unique(tree["leaf_points"][used_leaves], axis=0)) == leaves
    assert tree["copies"][used_leaves].sum() == mass
    weights = tree["weights"][:mass]
    assert all(weights[i] <= weights[(i - 1) // 2] for i in range(1, mass))
    entries = np.bincount(tree["sampled"][:mass], minlength=capacity)
    assert (entries[used_leaves] == tree["copies"][used_leaves]).all()


def check_subtree(tree, node, used_nodes, used_leaves):
    """Checks all nodes from `node` down and notes them; gives the lower and upper ends of the points' box."""
    capacity, dimensions = tree["leaf_points"].shape
    if node >= capacity:
        used_leaves.append(node - capacity)
        assert tree["copies"][node - capacity] >= 1
        return tree["leaf_points"][node - capacity], tree["leaf_points"][node - capacity]
    used_nodes.append(node)
    words, reals = tree["nodes"][node], tree["nodes"][node].view(np.float32)
    left_low, left_high = check_subtree(tree, int(words[LEFT]), used_nodes, used_leaves)
    right_low, right_high = check_subtree(tree, int(words[RIGHT]), used_nodes, used_leaves)
    j = words[CUT_DIMENSION]
    assert left_high[j] <= reals[CUT] < right_low[j]
    low, high = np.minimum(left_low, right_low), np.maximum(left_high, right_high)
    assert (reals[LOW : LOW + dimensions] == low).all()
    assert (reals[LOW + dimensions :] == high).all()
    assert tree["spans"][node] == sum((high - low).astype(float).tolist())
    return low, high
