"""What takes rows through a forest: from numbers to points, through all trees, to one score each.

The kernel goes tree by tree, not point by point: a tree stays in the processor's cache while many points pass it.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numba import types

from streamsql.kernels.forest_explain import attribute_rows
from streamsql.kernels.forest_sampler import Sample, take
from streamsql.kernels.forest_score import BLOCK, Walk, score_rows
from streamsql.kernels.forest_tree import Tree
from streamsql.kernels.jit import Float32s, Float64s, Int32s, Int64s, UInt32s, UInt64s, inlined, jit, named, read_only, writable

_TILE = 1024
"""Points that go through all trees before the next ones do: enough to keep a tree in the cache for a while."""

_LARGEST = np.float32(1.7e38)
"""Beyond this the difference of two coordinates may not fit a float32: taken as infinite."""


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


def forest_kernel(attributing: bool) -> Callable[[Float64s, Forest, Float64s, Float64s], None]:
    """The kernel, compiled with attributions or, as they cost more than the scores, without."""

    @jit(types.void(read_only(types.float64, 2), FOREST, writable(types.float64), writable(types.float64, 3)))
    def update(rows: Float64s, forest: Forest, scores: Float64s, attributions: Float64s) -> None:
        """Puts the score of each of `rows` into `scores`, and offers it to the samples of all trees after that.

        `attributions` (rows, columns, 2) gets each column's share in the score, from above and from below what is usual;
        it is not touched without attributions. Both have to be 0.0 everywhere, and stay so for rows that get no score.
        """
        trees, capacity, dimensions = forest.leaf_points.shape
        shingle_size = dimensions // rows.shape[1]
        decay = 1.0 / forest.time_decay[0]
        points = np.empty((min(len(rows), _TILE), dimensions), np.float32)
        row_of = np.empty(len(points), np.int64)
        totals = np.empty(len(points), np.float64)
        parts = np.empty((len(points) if attributing else 0, rows.shape[1], 2), np.float64)
        box = np.empty((2, dimensions), np.float32)
        share = np.empty(parts.shape[1:], np.float64)
        path = np.empty(capacity, np.int32)
        walk = Walk(
            np.empty(BLOCK, np.uint32),
            np.empty(BLOCK, np.uint32),
            np.empty(BLOCK, np.int32),
            np.empty(BLOCK, np.float64),
            np.empty(BLOCK, np.float64),
        )
        row = 0
        while row < len(rows):
            row, count = _next_points(rows, row, forest, points, row_of)
            first = forest.records[0] - shingle_size + 1 - count
            totals[:count] = 0.0
            parts[:count] = 0.0
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
                    stop = min(count, sample.next_point[0] - first + 1, start + BLOCK)
                    if tree.leaves[0] > 0:
                        score_rows(tree, points[start:stop], walk, totals[start:stop])
                        if attributing:
                            attribute_rows(tree, points[start:stop], path, box, share, parts[start:stop])
                    if sample.next_point[0] == first + stop - 1:
                        take(tree, sample, decay, points, stop - 1, path)
                    start = stop
            learning = max(0, capacity - first - shingle_size + 1)
            for i in range(learning, count):
                scores[row_of[i]] = totals[i] / trees * math.log2(capacity)
                if attributing:
                    attributions[row_of[i]] = parts[i] / trees * math.log2(capacity)

    return update
