"""How much each column has to do with the score of points in a tree.

Wherever the walk down the tree would cut a point off from a node's box (`forest_score`), each dimension takes part in
proportion to how far the point lies outside the box in it, above or below. At the leaf the point is cut off from the leaf's
own point. So the parts sum to the score.

A point that equals a leaf was not cut off anywhere. Its score is shared out as if the leaf were not there: the boxes are
those of all other points below a node, joined from the leaf upwards, until one has the point inside.
"""

import numpy as np

from streamsql.kernels.forest_score import equals_leaf, score_of_equal
from streamsql.kernels.forest_tree import LEFT, RIGHT, Tree, child, distance, high_end, low_end, outside
from streamsql.kernels.jit import Float32s, Float64s, Int32s, inlined

ABOVE, BELOW = 0, 1


@inlined
def attribute_rows(tree: Tree, points: Float32s, path: Int32s, box: Float32s, share: Float64s, parts: Float64s) -> None:
    """Adds each column's part in the score in this tree of each row of `points` to `parts` (rows, columns, 2).

    `path` (S,), `box` (2, D) and `share` (columns, 2) are scratch memory.
    """
    capacity = len(tree.copies)
    for row in range(len(points)):
        depth = 0
        node = tree.links[capacity - 1, LEFT]
        while node < capacity:
            path[depth] = node
            depth += 1
            node = child(tree, node, points, row)
        path[depth] = node
        if equals_leaf(tree, node - capacity, points, row):
            _share_out_equal(tree, points, row, path, depth, box, share)
            for column in range(len(share)):
                parts[row, column, ABOVE] += share[column, ABOVE]
                parts[row, column, BELOW] += share[column, BELOW]
        else:
            _share_out_cuts(tree, points, row, path, depth, parts)


@inlined
def _share_out_cuts(tree: Tree, points: Float32s, row: int, path: Int32s, depth: int, parts: Float64s) -> None:
    """Adds the parts of a row at each node of its `path`, whose leaf is at `depth`."""
    arriving = 1.0
    for level in range(depth + 1):
        node = path[level]
        if level == depth:
            gap = distance(tree, node - len(tree.copies), points, row)
            span = 0.0
        else:
            gap = outside(tree, node, points, row)
            span = tree.spans[node]
        if gap > 0.0:
            scale = arriving / ((level + 1.0) * (span + gap))
            arriving *= span / (span + gap)
            for record in range(0, points.shape[1], parts.shape[1]):
                for column in range(parts.shape[1]):
                    j = record + column
                    above = np.float64(points[row, j] - high_end(tree, node, j))
                    below = np.float64(low_end(tree, node, j) - points[row, j])
                    parts[row, column, ABOVE] += scale * max(above, 0.0)
                    parts[row, column, BELOW] += scale * max(below, 0.0)


@inlined
def _share_out_equal(tree: Tree, points: Float32s, row: int, path: Int32s, depth: int, box: Float32s, share: Float64s) -> None:
    """Makes `share` (columns, 2) the parts of a row that equals the leaf at the end of its `path`, at `depth`."""
    columns = len(share)
    score = score_of_equal(tree.copies[path[depth] - len(tree.copies)], depth)
    share[:] = score / (2.0 * columns)
    for level in range(depth - 1, -1, -1):
        left = tree.links[path[level], LEFT]
        sibling = tree.links[path[level], RIGHT] if left == path[level + 1] else left
        span = 0.0
        gap = 0.0
        for j in range(points.shape[1]):
            low = low_end(tree, sibling, j)
            high = high_end(tree, sibling, j)
            box[0, j] = low if level == depth - 1 else min(low, box[0, j])
            box[1, j] = high if level == depth - 1 else max(high, box[1, j])
            span += np.float64(box[1, j] - box[0, j])
            gap += max(0.0, np.float64(points[row, j] - box[1, j]), np.float64(box[0, j] - points[row, j]))
        if gap <= 0.0:
            break
        share *= span / (span + gap)
        scale = 1.0 / ((level + 1.0) * (span + gap))
        for record in range(0, points.shape[1], columns):
            for column in range(columns):
                j = record + column
                share[column, ABOVE] += scale * max(0.0, np.float64(points[row, j] - box[1, j]))
                share[column, BELOW] += scale * max(0.0, np.float64(box[0, j] - points[row, j]))
    total = 0.0
    for column in range(columns):
        total += share[column, ABOVE] + share[column, BELOW]
    share *= score / total
