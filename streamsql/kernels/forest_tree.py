"""One random cut tree: a binary tree over a sample of points, in which every inner node cuts its bounding box in two.

The law of the tree is that of Guha et al., "Robust Random Cut Forest Based Anomaly Detection on Streams" (2016): the cut of
a node falls uniformly over the summed sides of the box of all points below it. Inserting and removing points keep that
law, whatever the order. Points that are exactly equal share a leaf, which counts its copies.

A tree of capacity S with D dimensions (`Tree`):

* node ids: 0..S-2 are inner nodes, S-1 is the header, S+i is leaf i. The header's LEFT child is the root.
* A node is 4 + 2 D words of 32 bits, side by side for the processor's cache: LEFT, RIGHT and CUT_DIMENSION as integers
  (`links`), CUT, the D lower and the D upper ends of its box as float32 (`nodes`, the same memory). A point goes left where
  point[CUT_DIMENSION] <= CUT.
* `spans[node]` is the sum of the sides of the box, in float64.
* `points[leaf]` and `copies[leaf]` describe a leaf, whose box is its point.
* `leaves[0]` counts the leaves in use. `free_leaves[k]` for k >= leaves and `free_nodes[k]` for k >= leaves - 1 are the
  unused ones.

Differences of coordinates are taken in float32, as the AWS library does, and summed in float64.
"""

from typing import NamedTuple

import numpy as np

from streamsql.kernels.forest_random import uniform
from streamsql.kernels.jit import Float32s, Float64s, Int32s, UInt32s, UInt64s, inlined

LEFT, RIGHT, CUT_DIMENSION, CUT, LOW = 0, 1, 2, 3, 4


class Tree(NamedTuple):
    """The arrays of one tree; see the module's text."""

    generator: UInt64s
    links: UInt32s
    nodes: Float32s
    spans: Float64s
    points: Float32s
    copies: Int32s
    leaves: Int32s
    free_leaves: Int32s
    free_nodes: Int32s


@inlined
def child(tree: Tree, node: int, points: Float32s, row: int) -> int:
    """The child of `node` on whose side of the cut `points[row]` lies."""
    left: int = tree.links[node, LEFT]
    right: int = tree.links[node, RIGHT]
    return right if points[row, tree.links[node, CUT_DIMENSION]] > tree.nodes[node, CUT] else left


@inlined
def outside(tree: Tree, node: int, points: Float32s, row: int) -> float:
    """How far `points[row]` lies outside the box of an inner node, summed over the dimensions; 0.0 inside."""
    dimensions = points.shape[1]
    total = 0.0
    for j in range(dimensions):
        below = tree.nodes[node, LOW + j] - points[row, j]
        above = points[row, j] - tree.nodes[node, LOW + dimensions + j]
        gap = below if below > above else above
        total += np.float64(gap if gap > np.float32(0.0) else np.float32(0.0))
    return total


@inlined
def distance(tree: Tree, leaf: int, points: Float32s, row: int) -> float:
    """How far `points[row]` is from the point of a leaf, summed over the dimensions."""
    total = 0.0
    for j in range(points.shape[1]):
        total += np.float64(abs(points[row, j] - tree.points[leaf, j]))
    return total


@inlined
def low_end(tree: Tree, node: int, j: int) -> np.float32:
    """The lower end of the box of a node or leaf in dimension `j`."""
    capacity = len(tree.copies)
    low: np.float32 = tree.points[node - capacity, j] if node >= capacity else tree.nodes[node, LOW + j]
    return low


@inlined
def high_end(tree: Tree, node: int, j: int) -> np.float32:
    """The upper end of the box of a node or leaf in dimension `j`."""
    capacity = len(tree.copies)
    dimensions = tree.points.shape[1]
    high: np.float32 = tree.points[node - capacity, j] if node >= capacity else tree.nodes[node, LOW + dimensions + j]
    return high


@inlined
def insert(tree: Tree, points: Float32s, row: int) -> int:
    """Adds `points[row]`; gives its leaf, an old one where the tree holds an equal point.

    On the way down, a node whose box does not hold the point would have been cut otherwise, had the point been there from the
    start. With the probability that such a cut separates the point from the box, it becomes a leaf beside that node; else the
    node keeps its cut, which has the right law then.
    """
    capacity = len(tree.copies)
    if tree.leaves[0] == 0:
        return _new_leaf(tree, capacity - 1, LEFT, points, row)
    parent = capacity - 1
    side = LEFT
    node = tree.links[parent, side]
    position = 0.0
    while node < capacity:
        gap = outside(tree, node, points, row)
        if gap > 0.0:
            position = uniform(tree.generator) * (tree.spans[node] + gap)
            if position < gap:
                break
            _widen(tree, node, points, row)
        parent = node
        node = child(tree, node, points, row)
        side = LEFT if node == tree.links[parent, LEFT] else RIGHT
    if node >= capacity:
        leaf: int = node - capacity
        gap = distance(tree, leaf, points, row)
        if gap == 0.0:
            tree.copies[leaf] += 1
            return leaf
        position = uniform(tree.generator) * gap
    return _split(tree, parent, side, points, row, position)


@inlined
def remove(tree: Tree, leaf: int, path: Int32s) -> None:
    """Takes one copy of the point of `leaf` out. `path` is scratch memory for S node ids."""
    tree.copies[leaf] -= 1
    if tree.copies[leaf] > 0:
        return
    capacity = len(tree.copies)
    depth = 0
    path[0] = capacity - 1
    node = tree.links[capacity - 1, LEFT]
    while node != leaf + capacity:
        depth += 1
        path[depth] = node
        node = child(tree, node, tree.points, leaf)
    tree.leaves[0] -= 1
    tree.free_leaves[tree.leaves[0]] = leaf
    if depth == 0:
        return
    parent = path[depth]
    grandparent = path[depth - 1]
    sibling = tree.links[parent, RIGHT if tree.links[parent, LEFT] == node else LEFT]
    tree.links[grandparent, LEFT if tree.links[grandparent, LEFT] == parent else RIGHT] = sibling
    tree.free_nodes[tree.leaves[0] - 1] = parent
    for level in range(depth - 1, 0, -1):
        if not _tighten(tree, path[level]):
            return


@inlined
def _new_leaf(tree: Tree, parent: int, side: int, points: Float32s, row: int) -> int:
    """Makes a leaf of `points[row]` the child of `parent`; gives its number."""
    leaf: int = tree.free_leaves[tree.leaves[0]]
    tree.leaves[0] += 1
    tree.copies[leaf] = 1
    for j in range(points.shape[1]):
        tree.points[leaf, j] = points[row, j]
    tree.links[parent, side] = leaf + len(tree.copies)
    return leaf


@inlined
def _split(tree: Tree, parent: int, side: int, points: Float32s, row: int, position: float) -> int:
    """Puts a new node in the place of a child of `parent`: over that child and a new leaf of `points[row]`.

    `position`, uniform between 0 and the point's summed distance from the child's box, says where in the gaps between the
    two the cut lies.
    """
    below = tree.links[parent, side]
    dimension = 0
    rest = 0.0
    for j in range(points.shape[1]):
        gap = np.float64(max(low_end(tree, below, j) - points[row, j], points[row, j] - high_end(tree, below, j)))
        if gap > 0.0:
            dimension = j
            rest = position
            if position <= gap:
                break
            position -= gap
    x = points[row, dimension]
    left = x < low_end(tree, below, dimension)
    start = x if left else high_end(tree, below, dimension)
    end = low_end(tree, below, dimension) if left else x
    cut = np.float32(np.float64(start) + rest)
    node = tree.free_nodes[tree.leaves[0] - 1]
    tree.links[parent, side] = node
    tree.links[node, CUT_DIMENSION] = dimension
    tree.nodes[node, CUT] = cut if cut < end else np.nextafter(end, start)
    tree.links[node, RIGHT if left else LEFT] = below
    leaf = _new_leaf(tree, node, LEFT if left else RIGHT, points, row)
    _tighten(tree, node)
    return leaf


@inlined
def _widen(tree: Tree, node: int, points: Float32s, row: int) -> None:
    """Stretches the box of a node to hold `points[row]`."""
    dimensions = points.shape[1]
    span = 0.0
    for j in range(dimensions):
        low = min(tree.nodes[node, LOW + j], points[row, j])
        high = max(tree.nodes[node, LOW + dimensions + j], points[row, j])
        tree.nodes[node, LOW + j] = low
        tree.nodes[node, LOW + dimensions + j] = high
        span += np.float64(high - low)
    tree.spans[node] = span


@inlined
def _tighten(tree: Tree, node: int) -> bool:
    """Makes the box of a node that around its two children; gives whether that changed it."""
    dimensions = tree.points.shape[1]
    left = tree.links[node, LEFT]
    right = tree.links[node, RIGHT]
    changed = False
    span = 0.0
    for j in range(dimensions):
        low = min(low_end(tree, left, j), low_end(tree, right, j))
        high = max(high_end(tree, left, j), high_end(tree, right, j))
        changed |= low != tree.nodes[node, LOW + j] or high != tree.nodes[node, LOW + dimensions + j]
        tree.nodes[node, LOW + j] = low
        tree.nodes[node, LOW + dimensions + j] = high
        span += np.float64(high - low)
    tree.spans[node] = span
    return changed
