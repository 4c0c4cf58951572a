"""The score of points in a tree, and the kernel that takes a block of points through all trees.

The score of a point in a tree (that of the original service, see `reference/random_cut_forest.md` 2.1) is the expected
1 / (depth + 1) at which it would be cut off from all other points were it inserted: top-down, at each node at depth k it is
cut off with probability p = outside / (outside + span), which adds p / (k + 1) times the probability of getting there.
A point that reaches an equal leaf (within 1e-6 in each dimension) of m copies at depth d gets 1 / (d + log2(m)) instead.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from streamsql.kernels.forest_sampler import Sample, take
from streamsql.kernels.forest_tree import LEFT, Tree, child, outside
from streamsql.kernels.jit import (
    Float32s,
    Float64s,
    Int32s,
    Int64s,
    UInt32s,
    UInt64s,
    inlined,
    jit,
    named,
    read_only,
    writable,
)

EQUAL = 1e-6
"""Coordinates that differ by no more than this are equal to the score (not to the tree)."""

_BLOCK = 64
"""Rows that go down a tree side by side: enough to overlap their waits, few enough to stay in the first-level cache."""


class Walk(NamedTuple):
    """Scratch memory of rows on their way down a tree: where each is and what it has gathered."""

    rows: UInt32s
    nodes: UInt32s
    depths: Int32s
    arriving: Float64s
    scores: Float64s


@inlined
def score_rows(tree: Tree, points: Float32s, walk: Walk, totals: Float64s) -> None:
    """Adds the score in this tree of each row of `points` (at most `_BLOCK`) to `totals`.

    All rows go down level by level, so that the processor works on many of them at once.
    """
    capacity = len(tree.copies)
    rows = len(points)
    root = tree.links[capacity - 1, LEFT]
    for row in range(rows):
        walk.rows[row] = row
        walk.nodes[row] = root
        walk.depths[row] = 0
        walk.arriving[row] = 1.0
        walk.scores[row] = 0.0
    walking = rows if root < capacity else 0
    depth = 0
    while walking > 0:
        depth += 1
        share = 1.0 / depth
        still = 0
        for k in range(walking):
            row = walk.rows[k]
            node = walk.nodes[row]
            gap = outside(tree, node, points, row)
            span = tree.spans[node]
            scale = walk.arriving[row] / (span + gap)
            walk.scores[row] += gap * scale * share
            walk.arriving[row] = span * scale
            node = child(tree, node, points, row)
            walk.nodes[row] = node
            walk.depths[row] = depth
            walk.rows[still] = row
            still += 1 if node < capacity else 0
        walking = still
    for row in range(rows):
        totals[row] += _leaf_score(tree, points, row, walk)


@inlined
def _leaf_score(tree: Tree, points: Float32s, row: int, walk: Walk) -> float:
    """The score of a row that has arrived at its leaf."""
    leaf = walk.nodes[row] - len(tree.copies)
    depth: int = walk.depths[row]
    largest = 0.0
    for j in range(points.shape[1]):
        largest = max(largest, abs(np.float64(points[row, j]) - np.float64(tree.points[leaf, j])))
    if largest > EQUAL:
        score: float = walk.scores[row] + walk.arriving[row] / (depth + 1.0)
        return score
    copies: int = tree.copies[leaf]
    if depth == 0:
        return 1.0 / (1.0 + copies)
    return 1.0 / (depth + math.log2(copies)) if copies > 1 else 1.0 / depth


class Forest(NamedTuple):
    """The arrays of all trees and samples; row t of each is tree t's (`Tree`, `Sample`)."""

    generators: UInt64s
    links: UInt32s
    nodes: Float32s
    spans: Float64s
    leaf_points: Float32s
    copies: Int32s
    leaves: Int32s
    free_leaves: Int32s
    free_nodes: Int32s
    weights: Float64s
    sampled: Int32s
    next_points: Int64s


FOREST = named(
    Forest,
    writable(types.uint64, 2),
    writable(types.uint32, 3),
    writable(types.float32, 3),
    writable(types.float64, 2),
    writable(types.float32, 3),
    writable(types.int32, 2),
    writable(types.int32, 2),
    writable(types.int32, 2),
    writable(types.int32, 2),
    writable(types.float64, 2),
    writable(types.int32, 2),
    writable(types.int64, 2),
)


@jit(types.void(read_only(types.float32, 2), types.int64, types.float64, FOREST, writable(types.float64)))
def score_and_update(points: Float32s, first: int, decay: float, forest: Forest, totals: Float64s) -> None:
    """Scores each row of `points` in all trees, adding to `totals`, and offers it to their samples after that.

    `first` is the number of the first row among all points of the forest.
    """
    rows = len(points)
    capacity = forest.weights.shape[1]
    walk = Walk(
        np.empty(_BLOCK, np.uint32),
        np.empty(_BLOCK, np.uint32),
        np.empty(_BLOCK, np.int32),
        np.empty(_BLOCK, np.float64),
        np.empty(_BLOCK, np.float64),
    )
    path = np.empty(capacity, np.int32)
    for t in range(len(forest.weights)):
        tree = Tree(
            forest.generators[t],
            forest.links[t],
            forest.nodes[t],
            forest.spans[t],
            forest.leaf_points[t],
            forest.copies[t],
            forest.leaves[t],
            forest.free_leaves[t],
            forest.free_nodes[t],
        )
        sample = Sample(forest.weights[t], forest.sampled[t], forest.next_points[t])
        start = 0
        while start < rows:
            stop = min(rows, sample.next_point[0] - first + 1, start + _BLOCK)
            if tree.leaves[0] > 0:
                score_rows(tree, points[start:stop], walk, totals[start:stop])
            if sample.next_point[0] == first + stop - 1:
                take(tree, sample, decay, points, stop - 1, path)
            start = stop
