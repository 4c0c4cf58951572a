"""The score of points in a tree: that of the original service (`reference/random_cut_forest.md` 2.1).

It is the expected 1 / (depth + 1) at which the point would be cut off from all others were it inserted: top-down, at each
node at depth k it is cut off with probability p = outside / (outside + span), which adds p / (k + 1) times the probability of
getting there. A point that reaches an equal leaf of m copies at depth d gets 1 / (d + log2(m)) instead.
"""

import math
from typing import NamedTuple

import numpy as np

from streamsql.kernels.forest_tree import LEFT, Tree, child, outside
from streamsql.kernels.jit import Float32s, Float64s, Int32s, UInt32s, inlined

BLOCK = 64
"""Rows that go down a tree side by side: enough to overlap their waits, few enough to stay in the first-level cache."""

_EQUAL = 1e-6
"""Coordinates that differ by no more than this are equal to the score (not to the tree)."""


class Walk(NamedTuple):
    """Scratch memory of rows on their way down a tree: where each is and what it has gathered."""

    rows: UInt32s
    nodes: UInt32s
    depths: Int32s
    arriving: Float64s
    scores: Float64s


@inlined
def score_rows(tree: Tree, points: Float32s, walk: Walk, totals: Float64s) -> None:
    """Adds the score in this tree of each row of `points` (at most `BLOCK`) to `totals`.

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
def equals_leaf(tree: Tree, leaf: int, points: Float32s, row: int) -> bool:
    """Whether the score takes `points[row]` as equal to the point of `leaf`."""
    largest = 0.0
    for j in range(points.shape[1]):
        largest = max(largest, abs(np.float64(points[row, j]) - np.float64(tree.points[leaf, j])))
    return largest <= _EQUAL


@inlined
def score_of_equal(copies: int, depth: int) -> float:
    """The score of a point that equals a leaf of `copies` points at `depth`."""
    if depth == 0:
        return 1.0 / (1.0 + copies)
    return 1.0 / (depth + math.log2(copies)) if copies > 1 else 1.0 / depth


@inlined
def _leaf_score(tree: Tree, points: Float32s, row: int, walk: Walk) -> float:
    """The score of a row that has arrived at its leaf."""
    leaf: int = walk.nodes[row] - len(tree.copies)
    depth: int = walk.depths[row]
    if equals_leaf(tree, leaf, points, row):
        return score_of_equal(tree.copies[leaf], depth)
    score: float = walk.scores[row] + walk.arriving[row] / (depth + 1.0)
    return score
