"""Answers of AWS's own Java library (`jrcf`), in a process of their own: a Java machine in the tests' process would stay.

Run as `python library.py WHAT IN OUT FORESTS TREES SAMPLE_SIZE TIME_DECAY`: for each array of points (rows, dimensions) in
the .npz file IN, writes what each forest answers to OUT under the same name, each point asked before it is learnt. WHAT is
`scores` (forests, rows) or `attributions` (forests, rows, dimensions, above and below); 0.0 for the first SAMPLE_SIZE points.
"""

from __future__ import annotations

import sys

import numpy as np
from jrcf.rcf import RandomCutForestModel


def scores(model, point):
    return model.score(point)


def attributions(model, point):
    vector = model.forest.getAnomalyAttribution(model._convert_to_java_array(point))
    return np.transpose([np.array(vector.high), np.array(vector.low)])


def answers(ask, points, seed, trees, sample_size, time_decay):
    """What one forest answers to each point."""
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
        given.append(ask(forest, point))
        forest.update(point)
    return given


def main(what, source, target, forests, *settings):
    ask = {"scores": scores, "attributions": attributions}[what]
    seeds = range(1, int(forests) + 1)
    with np.load(source) as streams:
        given = {name: [answers(ask, streams[name], seed, *map(int, settings)) for seed in seeds] for name in streams}
    np.savez(target, **given)


if __name__ == "__main__":
    main(*sys.argv[1:])
