"""Which points a tree holds: a weighted reservoir that forgets exponentially.

Point number n (from 0) draws an exponential number E and gets the weight ln(E) - decay * n; the tree holds the S points of
the smallest weights so far. So the first S points are all taken, and a point stays with a probability that falls by
e**-decay for each later one.

Most later points are not taken, and drawing a weight for each would cost more than all the rest. A point n is taken if its
E is below exp(largest + decay * n), where `largest`, the largest weight held, stays the same until then: the number of the
next point taken is drawn at once (Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006: exponential
jumps), and its weight when it comes.

The sample is a heap: `weights[0]` is the largest, and no entry is larger than that at (its place - 1) // 2. `leaves[i]` is
the leaf of the tree that holds the point with `weights[i]`.
"""

import math
from typing import NamedTuple

from streamsql.kernels.forest_random import uniform
from streamsql.kernels.forest_tree import Tree, insert, remove
from streamsql.kernels.jit import Float32s, Float64s, Int32s, Int64s, inlined


class Sample(NamedTuple):
    """The arrays of one tree's sample; see the module's text. `next_point[0]` is the number of the next point to take."""

    weights: Float64s
    leaves: Int32s
    next_point: Int64s


@inlined
def take(tree: Tree, sample: Sample, decay: float, points: Float32s, row: int, path: Int32s) -> None:
    """Puts point number `sample.next_point[0]`, which is `points[row]`, into the sample and the tree.

    A full sample gives up its point of the largest weight for it. `path` is scratch memory for S node ids.
    """
    capacity = len(sample.weights)
    number = sample.next_point[0]
    full = number >= capacity
    if full:
        limit = math.exp(sample.weights[0] + decay * number)
        exponential = -math.log1p(uniform(tree.generator) * math.expm1(-limit))
        remove(tree, sample.leaves[0], path)
    else:
        exponential = -math.log(uniform(tree.generator))
    weight = math.log(exponential) - decay * number
    leaf = insert(tree, points, row)
    if full:
        _sift_down(sample, weight, leaf)
    else:
        _sift_up(sample, number, weight, leaf)
    number += 1
    if number >= capacity:
        number += _skipped(tree, sample, decay, number)
    sample.next_point[0] = number


@inlined
def _skipped(tree: Tree, sample: Sample, decay: float, number: int) -> int:
    """How many points from `number` on are not taken.

    Point n + k is passed over with probability exp(-limit * e**(decay * k)), where `limit` is that of point n: a geometric
    series in the exponent of the probability of passing over all of them.
    """
    limit = math.exp(sample.weights[0] + decay * number)
    exponential = -math.log(uniform(tree.generator))
    return int(math.log1p(exponential * math.expm1(decay) / limit) / decay)


@inlined
def _sift_up(sample: Sample, place: int, weight: float, leaf: int) -> None:
    """Enters a weight and its leaf at the free `place` behind the heap."""
    while place > 0:
        parent = (place - 1) // 2
        if sample.weights[parent] >= weight:
            break
        sample.weights[place] = sample.weights[parent]
        sample.leaves[place] = sample.leaves[parent]
        place = parent
    sample.weights[place] = weight
    sample.leaves[place] = leaf


@inlined
def _sift_down(sample: Sample, weight: float, leaf: int) -> None:
    """Enters a weight and its leaf in the place of the largest of a full heap."""
    size = len(sample.weights)
    place = 0
    while 2 * place + 1 < size:
        larger = 2 * place + 1
        if larger + 1 < size and sample.weights[larger + 1] > sample.weights[larger]:
            larger += 1
        if sample.weights[larger] <= weight:
            break
        sample.weights[place] = sample.weights[larger]
        sample.leaves[place] = sample.leaves[larger]
        place = larger
    sample.weights[place] = weight
    sample.leaves[place] = leaf
