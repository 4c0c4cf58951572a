"""Random Cut Forest: the anomaly scores of the original service's RANDOM_CUT_FOREST.

A forest is a dict of plain numpy arrays, its whole state: saving and loading the dict (writable, same element types and
shapes) between any two calls changes nothing. Scores are the same, bit for bit, however the rows are cut into calls.

With T trees, samples of S points, C columns and shingles of H records, so points of D = C * H dimensions:

| name | type, shape | what it is |
|---|---|---|
| time_decay | int64 (1,) | points after which the weight of an old one has fallen to 1/e: the sampler's decay is 1 / time_decay |
| records | int64 (1,) | records so far; rows that cannot be scored are no records |
| shingle | float32 (D,) | the last H records, oldest first |
| generators | uint64 (T, 1) | each tree's random generator (`forest_random`) |
| nodes | uint32 (T, S, 4 + 2 D) | each tree (`forest_tree`), as are the following |
| spans | float64 (T, S) | |
| leaf_points | float32 (T, S, D) | |
| copies, free_leaves, free_nodes | int32 (T, S) | |
| leaves | int32 (T, 1) | |
| weights, sampled | float64, int32 (T, S) | each tree's sample (`forest_sampler`), as is the following |
| next_points | int64 (T, 1) | |

The trees and samples are those of AWS's random-cut-forest library, the score is the original service's, which differs from
the library's (`forest_score`). `time_decay` is the time constant of an exponential decay. AWS's documents also say that the
function "uses only the most recent timeDecay records"; such a decay does not do that: 37 % of an old sample are older.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamsql.kernels.forest_kernel import Forest, forest_kernel
from streamsql.kernels.jit import Float64s

State = Mapping[str, npt.NDArray[Any]]

_score_and_update = forest_kernel(attributing=False)
_NO_ATTRIBUTIONS = np.empty((0, 0, 2), np.float64)


def new_forest(
    columns: int,
    *,
    number_of_trees: int = 100,
    sub_sample_size: int = 256,
    time_decay: int = 100_000,
    shingle_size: int = 1,
    seed: int,
) -> dict[str, npt.NDArray[Any]]:
    """An empty forest for rows of `columns` numbers.

    The arguments are those of the SQL function and are not checked here; `seed` is any integer from 0 up, and equal seeds
    give equal scores.
    """
    trees, capacity, dimensions = number_of_trees, sub_sample_size, columns * shingle_size
    unused = np.tile(np.arange(capacity, dtype=np.int32), (trees, 1))
    return {
        "time_decay": np.array([time_decay], np.int64),
        "records": np.zeros(1, np.int64),
        "shingle": np.zeros(dimensions, np.float32),
        "generators": np.random.SeedSequence(seed).generate_state(trees, np.uint64).reshape(trees, 1),
        "nodes": np.zeros((trees, capacity, 4 + 2 * dimensions), np.uint32),
        "spans": np.zeros((trees, capacity), np.float64),
        "leaf_points": np.zeros((trees, capacity, dimensions), np.float32),
        "copies": np.zeros((trees, capacity), np.int32),
        "leaves": np.zeros((trees, 1), np.int32),
        "free_leaves": unused,
        "free_nodes": unused.copy(),
        "weights": np.zeros((trees, capacity), np.float64),
        "sampled": np.zeros((trees, capacity), np.int32),
        "next_points": np.zeros((trees, 1), np.int64),
    }


def score(forest: State, points: Float64s) -> Float64s:
    """The anomaly score of each row of `points` (rows, columns), in order; each enters the forest after it is scored.

    A score is between 0 and log2(S), about 1 for what is usual. It is 0.0 for the first S records, for records whose
    shingle is not yet complete, and for rows with a value that is no number, infinite or beyond 1.7e38 either way: such a row
    is no record, it enters neither the forest nor a shingle.
    """
    scores = np.zeros(len(points), np.float64)
    _score_and_update(np.ascontiguousarray(points, np.float64), arrays_of(forest), scores, _NO_ATTRIBUTIONS)
    return scores


def arrays_of(forest: State) -> Forest:
    """The arrays as the kernels take them: the words of the nodes twice, as integers and as floats."""
    nodes = forest["nodes"]
    others = {name: forest[name] for name in Forest._fields if name not in ("links", "nodes")}
    return Forest(links=nodes, nodes=nodes.view(np.float32), **others)
