"""Scores of AWS's own Java library (`jrcf`), in a process of their own: a Java machine in the tests' process would stay.

Run as `python library.py IN OUT FORESTS TREES SAMPLE_SIZE TIME_DECAY`: for each array of points (rows, dimensions) in the
.npz file IN, writes the scores (forests, rows) to OUT under the same name, each point scored before it is learnt.
"""

from __future__ import annotations

import sys

import numpy as np
from jrcf.rcf import RandomCutForestModel


def scores(points, seed, trees, sample_size, time_decay):
    """The scores of one forest; 0.0 for the first `sample_size` points."""
    forest = RandomCutForestModel(
        dimensions=points.shape[1],
        shingle_size=1,
        num_trees=trees,
        sample_size=sample_size,
        output_after=sample_size,
        random_seed=seed,
        lam=1 / time_decay,
    )
    given = []
    for point in points:
        given.append(forest.score(point))
        forest.update(point)
    return given


def main(source, target, forests, trees, sample_size, time_decay):
    settings = int(trees), int(sample_size), int(time_decay)
    with np.load(source) as streams:
        given = {name: [scores(streams[name], seed + 1, *settings) for seed in range(int(forests))] for name in streams}
    np.savez(target, **given)


if __name__ == "__main__":
    main(*sys.argv[1:])
