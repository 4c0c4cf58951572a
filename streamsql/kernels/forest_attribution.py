"""Random Cut Forest: anomaly scores, and what each column has to do with them.

For RANDOM_CUT_FOREST_WITH_EXPLANATION; a module of its own, as importing it compiles a kernel that plain scores do without.
"""

import numpy as np

from streamsql.kernels.forest import State, arrays_of
from streamsql.kernels.forest_kernel import forest_kernel
from streamsql.kernels.jit import Float64s

_attribute_and_update = forest_kernel(attributing=True)


def score_with_attribution(forest: State, points: Float64s) -> tuple[Float64s, Float64s]:
    """The anomaly score of each row of `points` (rows, columns), as `forest.score` gives it, and each column's part in it.

    The parts (rows, columns, 2) are not negative and sum to the score: [..., 0] for a value above what is usual there, [..., 1]
    for one below. The parts of a column are those of its values in all records of the shingle.
    """
    scores = np.zeros(len(points), np.float64)
    parts = np.zeros((*points.shape, 2), np.float64)
    _attribute_and_update(np.ascontiguousarray(points, np.float64), arrays_of(forest), scores, parts)
    return scores, parts
