"""How the Numenta Anomaly Benchmark scores a detector.

From its description: Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark"
(2015), and https://github.com/numenta/NAB.

Each series has labelled windows around its anomalies. A record is a detection when its score reaches a threshold, the same
one for all series.

* The records of the first 15 %, at most 750, do not count.
* In a window only the best detection counts, and a window without any costs the weight of a false negative. A detection is
  worth more the earlier it is: sigmoid(y) = 2 / (1 + e**(5 y)) - 1 at its place y in the window, from -1 at the left end to
  nearly 0 at the right one, in units of its value at -1.
* A detection outside costs the weight of a false positive times the same function, of how far behind the last window the
  record is, in lengths of that window: little right behind a window, and all of it (-1) beyond three lengths or before any
  window.
* The sum over all series is given in per cent of the way from a detector that finds nothing to one that finds everything at
  once, at the threshold that makes it the largest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Profile(NamedTuple):
    """What an application pays for false positives and false negatives; a true positive is worth 1."""

    false_positive: float
    false_negative: float


STANDARD = Profile(0.11, 1.0)
REWARD_LOW_FP = Profile(0.22, 1.0)
REWARD_LOW_FN = Profile(0.11, 2.0)


class Series(NamedTuple):
    """One series: its times, the first and last time of each window, and the scores a detector gave."""

    times: list[str]
    windows: list[tuple[str, str]]
    scores: np.ndarray


def sigmoid(place):
    return np.where(place > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(place, 3.0))) - 1.0)


def worths(series):
    """What a detection of each record is worth, and the number of its window, -1 outside."""
    worth = np.full(len(series.times), -1.0)
    window_of = np.full(len(series.times), -1)
    for number, (first, last) in enumerate(series.windows):
        start, end = series.times.index(first), series.times.index(last)
        length = end - start + 1
        window_of[start : end + 1] = number
        worth[start : end + 1] = sigmoid((np.arange(start, end + 1) - end - 1) / length) / sigmoid(-1.0)
        behind = np.arange(end + 1, len(worth))
        worth[end + 1 :] = sigmoid((behind - end) / (length - 1))
    return worth, window_of


def benchmark_score(corpus, profile):
    """The score of a detector over all series in per cent, at its best threshold."""
    scores, gains, windows = [], [], 0
    for series in corpus:
        learning = min(int(0.15 * len(series.times)), 750)
        worth, window_of = worths(series)
        worth, window_of, given = worth[learning:], window_of[learning:], series.scores[learning:]
        outside = window_of < 0
        scores.append(given[outside])
        gains.append(worth[outside] * profile.false_positive)
        for number in np.unique(window_of[~outside]):
            inside = window_of == number
            order = np.argsort(-given[inside], kind="stable")
            best = np.maximum.accumulate(np.concatenate(([-profile.false_negative], worth[inside][order])))
            scores.append(given[inside][order])
            gains.append(np.diff(best))
            windows += 1
    scores, gains = np.concatenate(scores), np.concatenate(gains)
    order = np.argsort(-scores, kind="stable")
    totals = np.cumsum(gains[order])
    at_threshold = np.append(np.diff(scores[order]) != 0, True)  # equal scores are detected together
    nothing = -profile.false_negative * windows
    everything = sum(len(series.windows) for series in corpus)
    best = max(0.0, totals[at_threshold].max())
    return 100.0 * best / (everything - nothing)
