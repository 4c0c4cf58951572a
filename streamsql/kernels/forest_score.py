"""The scores of rows: from numbers to points, through all trees, to one score.

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


_TILE = 1024
"""Points that go through all trees before the next ones do: enough to keep a tree in the cache for a while."""

_LARGEST = np.float32(1.7e38)
"""Beyond this the difference of two coordinates may not fit a float32: taken as infinite."""


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
    """All arrays of a forest (see `forest`). Row t of those of trees and samples is tree t's (`Tree`, `Sample`)."""

    time_decay: Int64s
    records: Int64s
    shingle: Float32s
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
    writable(types.int64),
    writable(types.int64),
    writable(types.float32),
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


@inlined
def _next_points(rows: Float64s, row: int, forest: Forest, points: Float32s, row_of: Int64s) -> tuple[int, int]:
    """Fills `points` with the shingles of usable rows from `row` on, and `row_of` with the rows they end with.

    Gives the first row not looked at, and how many points there are.
    """
    columns = rows.shape[1]
    dimensions = points.shape[1]
    count = 0
    while row < len(rows) and count < len(points):
        usable = True
        for j in range(columns):
            if not abs(np.float32(rows[row, j])) <= _LARGEST:  # nor is NaN
                usable = False
        if usable:
            for j in range(dimensions - columns):
                forest.shingle[j] = forest.shingle[j + columns]
            for j in range(columns):  # adding zero makes negative zeros positive
                forest.shingle[dimensions - columns + j] = np.float32(rows[row, j]) + np.float32(0.0)
            forest.records[0] += 1
            if forest.records[0] * columns >= dimensions:
                for j in range(dimensions):
                    points[count, j] = forest.shingle[j]
                row_of[count] = row
                count += 1
        row += 1
    return row, count


@jit(types.void(read_only(types.float64, 2), FOREST, writable(types.float64)))
def score_and_update(rows: Float64s, forest: Forest, scores: Float64s) -> None:
    """Puts the score of each of `rows` into `scores`, and offers it to the samples of all trees after that.

    `scores` has to be 0.0 everywhere, and stays so for rows that get no score.
    """
    trees, capacity, dimensions = forest.leaf_points.shape
    shingle_size = dimensions // rows.shape[1]
    decay = 1.0 / forest.time_decay[0]
    points = np.empty((min(len(rows), _TILE), dimensions), np.float32)
    totals = np.empty(len(points), np.float64)
    row_of = np.empty(len(points), np.int64)
    path = np.empty(capacity, np.int32)
    walk = Walk(
        np.empty(_BLOCK, np.uint32),
        np.empty(_BLOCK, np.uint32),
        np.empty(_BLOCK, np.int32),
        np.empty(_BLOCK, np.float64),
        np.empty(_BLOCK, np.float64),
    )
    row = 0
    while row < len(rows):
        row, count = _next_points(rows, row, forest, points, row_of)
        first = forest.records[0] - shingle_size + 1 - count
        totals[:count] = 0.0
        for t in range(trees):
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
            while start < count:
                stop = min(count, sample.next_point[0] - first + 1, start + _BLOCK)
                if tree.leaves[0] > 0:
                    score_rows(tree, points[start:stop], walk, totals[start:stop])
                if sample.next_point[0] == first + stop - 1:
                    take(tree, sample, decay, points, stop - 1, path)
                start = stop
        learning = max(0, capacity - first - shingle_size + 1)
        for i in range(learning, count):
            scores[row_of[i]] = totals[i] / trees * math.log2(capacity)
