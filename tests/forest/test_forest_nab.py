"""The scores of the forest against those that the original service gave for the series of the Numenta Anomaly Benchmark."""

from __future__ import annotations

import math

import numpy as np
import pytest
from nab_data import SHIPPED, read, read_series, read_windows
from nab_scoring import REWARD_LOW_FN, REWARD_LOW_FP, STANDARD, Series, benchmark_score, sigmoid, worths

from streamsql.kernels.forest import new_forest, score

LEARNING = 256
ARGUMENTS = {"number_of_trees": 100, "sub_sample_size": LEARNING, "time_decay": 100_000, "shingle_size": 1}


def our_scores(values, seed=0):
    return score(new_forest(1, **ARGUMENTS, seed=seed), values[:, None])


def ranks(values):
    """From 1 up; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def spearman(a, b):
    """The rank correlation; 1.0 of two constants."""
    if np.ptp(a) == 0 and np.ptp(b) == 0:
        return 1.0
    return np.corrcoef(ranks(a), ranks(b))[0, 1]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("artificialNoAnomaly/art_flatline.csv.gz", 8 / 257),
        ("artificialNoAnomaly/art_daily_perfect_square_wave.csv.gz", 8 / (1 + math.log2(148))),
        ("artificialWithAnomaly/art_increase_spike_density.csv.gz", 8 / (1 + math.log2(250))),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_first_score_where_no_chance_is_in_it(name, expected, seed):
    series = read_series(SHIPPED / name)
    ours = our_scores(series.values[: LEARNING + 1], seed)
    assert ours[:LEARNING].tolist() == [0.0] * LEARNING
    assert ours[LEARNING] == pytest.approx(expected, rel=1e-12)
    assert ours[LEARNING] / 8 == pytest.approx(series.scores[LEARNING] / 8, abs=1e-12)


@pytest.mark.parametrize("name", sorted(read(SHIPPED)))
def test_a_series_is_scored_as_by_the_service(name):
    series = read(SHIPPED)[name]
    ours = our_scores(series.values)
    assert_learning_alike(ours, series.scores)
    ours, theirs = ours[LEARNING:], series.scores[LEARNING:]
    assert ours.mean() == pytest.approx(theirs.mean(), rel=0.02)
    if name.startswith("real"):  # the artificial ones have but one or two values: nearly all records score the same
        assert spearman(ours, theirs) > 0.85


def assert_learning_alike(ours, theirs):
    """Zero for the records of the learning phase, and for no other."""
    assert (ours[:LEARNING] == 0).all()
    assert (theirs[:LEARNING] == 0).all()
    assert (ours[LEARNING:] > 0).all()
    assert (theirs[LEARNING:] > 0).all()


@pytest.fixture(scope="module")
def corpus(shared):
    folder = shared / "data" / "nab"
    series, windows = read(folder), read_windows(folder)
    assert len(series) == 58
    return series, windows


def benchmark(corpus, scores, profile):
    series, windows = corpus
    return benchmark_score([Series(series[name].times, windows[name], scores[name]) for name in series], profile)


def check_seed(corpus, seed):
    """All 58 series with one seed; gives the benchmark's standard score."""
    series, _ = corpus
    ours = {name: our_scores(one.values, seed) for name, one in series.items()}
    for name in series:
        assert_learning_alike(ours[name], series[name].scores)
    pairs = [(ours[name][LEARNING:], series[name].scores[LEARNING:]) for name in series]
    correlation = np.median([spearman(*pair) for pair in pairs])
    level = np.mean([a.mean() for a, _ in pairs]) / np.mean([b.mean() for _, b in pairs])
    scores = [benchmark(corpus, ours, profile) for profile in (STANDARD, REWARD_LOW_FP, REWARD_LOW_FN)]
    print(f"seed {seed}: Spearman {correlation:.4f}, level {level:.4f}, benchmark", *(f"{x:.2f}" for x in scores))
    assert correlation >= 0.93
    assert 0.985 <= level <= 1.015
    return scores[0]


def test_all_series_are_scored_as_by_the_service(corpus):
    assert check_seed(corpus, 0) >= 50.5


@pytest.mark.slow
def test_all_series_are_scored_as_by_the_service_with_many_seeds(corpus):
    assert np.mean([check_seed(corpus, seed) for seed in range(1, 11)]) == pytest.approx(51.7, abs=0.7)


def test_the_benchmark_gives_the_service_its_published_scores(corpus):
    theirs = {name: one.scores for name, one in corpus[0].items()}
    scores = [benchmark(corpus, theirs, profile) for profile in (STANDARD, REWARD_LOW_FP, REWARD_LOW_FN)]
    print("service:", *(f"{x:.3f}" for x in scores))
    assert scores == [pytest.approx(published, abs=0.05) for published in (51.7, 38.4, 59.7)]


def test_the_benchmark_gives_0_to_no_detections_and_100_to_perfect_ones(corpus):
    series, windows = corpus
    for profile in (STANDARD, REWARD_LOW_FP, REWARD_LOW_FN):
        assert benchmark(corpus, {name: np.zeros(len(one.times)) for name, one in series.items()}, profile) == 0.0
        first_of_windows = {
            name: np.isin(np.arange(len(one.times)), [one.times.index(first) for first, _ in windows[name]]).astype(float)
            for name, one in series.items()
        }
        assert benchmark(corpus, first_of_windows, profile) == pytest.approx(100)


def test_what_a_detection_is_worth():
    times = [str(i) for i in range(40)]
    worth, window_of = worths(Series(times, [("10", "14")], np.zeros(40)))
    assert window_of.tolist() == [-1] * 10 + [0] * 5 + [-1] * 25
    assert (worth[:10] == -1).all()
    assert worth[10] == 1
    assert (np.diff(worth[10:28]) < 0).all()
    assert worth[14] == pytest.approx(sigmoid(-0.2) / sigmoid(-1.0))
    assert worth[18] == sigmoid(1.0)
    assert (worth[27:] == -1).all()
