"""Random Cut Forest: the anomaly scores of the original service's RANDOM_CUT_FOREST.

A forest is a dict of plain numpy arrays, its whole state: saving and loading the dict (writable, same element types and
shapes) between any two calls changes nothing. Scores are the same, bit for bit, however the rows are cut into calls.

With T trees, samples of S points, C columns and shingles of H records, so points of D = C * H dimensions:

| name | type, shape | what it is |
|---|---|---|
| time_decay | int64 | points after which the weight of an old one has fallen to 1/e: the sampler's decay is 1 / time_decay |
| records | int64 | records so far, rows that cannot be scored not counted |
| shingle | float32 (H - 1, C) | the records before the next one, oldest first |
| generators | uint64 (T, 1) | each tree's random generator (`forest_random`) |
| nodes | uint32 (T, S, 4 + 2 D) | each tree (`forest_tree`), as are the following |
| spans | float64 (T, S) | |
| leaf_points | float32 (T, S, D) | |
| copies, free_leaves, free_nodes | int32 (T, S) | |
| leaves | int32 (T, 1) | |
| weights, sampled | float64, int32 (T, S) | each tree's sample (`forest_sampler`), as is the following |
| next_points | int64 (T, 1) | |

The algorithm is that of AWS's random-cut-forest library; the score is the original service's, which differs from it
(`forest_score`). Where AWS's documents contradict what the service did ("uses only the most recent timeDecay records"), this
does what the service did.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from streamsql.kernels.forest_score import Forest, score_and_update
from streamsql.kernels.jit import Float32s, Float64s

State = Mapping[str, npt.NDArray[Any]]

_TILE = 1024
"""Points that go through all trees before the next ones do: enough to keep a tree in cache for a while."""

_LARGEST = np.finfo(np.float32).max / 2
"""Beyond this the difference of two coordinates may not fit a float32: taken as infinite."""


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
        "time_decay": np.array(time_decay, np.int64),
        "records": np.array(0, np.int64),
        "shingle": np.zeros((shingle_size - 1, columns), np.float32),
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
    records = _as_float32(points)
    usable = np.abs(records) <= _LARGEST
    if usable.all():
        return _score_records(forest, records)
    usable_rows = usable.all(axis=1)
    scores = np.zeros(len(points), np.float64)
    scores[usable_rows] = _score_records(forest, records[usable_rows])
    return scores


def _as_float32(points: Float64s) -> Float32s:
    """The coordinates as the forest holds them: float32, and no negative zeros."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(points, np.float32) + np.float32(0.0)


def _score_records(forest: State, records: Float32s) -> Float64s:
    """The scores of records that all are usable."""
    trees, capacity, dimensions = forest["leaf_points"].shape
    seen = int(forest["records"])
    awaited = len(forest["shingle"])
    recent = np.concatenate((forest["shingle"], records))
    # The shingle that ends with record i is the D numbers from the start of row i of `recent`.
    shingles = np.ndarray((len(records), dimensions), np.float32, recent, strides=recent.strides)
    decay = 1.0 / int(forest["time_decay"])
    arrays = _views(forest)
    totals = np.zeros(len(records), np.float64)
    for start in range(max(0, awaited - seen), len(records), _TILE):
        tile = slice(start, start + _TILE)
        score_and_update(np.ascontiguousarray(shingles[tile]), seen + start - awaited, decay, arrays, totals[tile])
    totals[: max(0, capacity - seen)] = 0.0
    forest["records"][...] = seen + len(records)
    forest["shingle"][...] = recent[len(records) :]
    scores: Float64s = totals / trees * math.log2(capacity)
    return scores


def _views(forest: State) -> Forest:
    """The arrays of the trees and samples as the kernels take them."""
    return Forest(
        links=forest["nodes"],
        nodes=forest["nodes"].view(np.float32),
        **{name: forest[name] for name in Forest._fields if name not in ("links", "nodes")},
    )
