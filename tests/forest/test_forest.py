"""The forest's kernels: against plain Python, against the definition, and under every way of cutting the rows."""

from __future__ import annotations

import io
import math

import numpy as np
import oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.kernels.forest import _score_and_update, arrays_of, new_forest, score
from streamsql.kernels.forest_attribution import _attribute_and_update, score_with_attribution
from streamsql.kernels.forest_random import uniform

SMALL = {"number_of_trees": 4, "sub_sample_size": 16, "time_decay": 60}


def gaussian(rows, columns):
    return np.random.default_rng(0).normal(size=(rows, columns))


def rounded(rows, columns):
    """Points of which most have equals."""
    return np.round(gaussian(rows, columns))


def constant(rows, columns):
    return np.full((rows, columns), 7.5)


def drifting(rows, columns):
    """Every box changes all the time, and every cut falls at its edge."""
    return np.arange(rows, dtype=float)[:, None] + gaussian(rows, columns)


def assert_equal(a, b):
    """The same state, bit for bit."""
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].shape == b[name].shape
        assert a[name].tobytes() == b[name].tobytes(), name


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("stream", [gaussian, rounded, constant, drifting])
@pytest.mark.parametrize("time_decay", [50, 1000])
def test_what_is_always_true_of_trees_and_samples(stream, columns, time_decay):
    forest = new_forest(columns, number_of_trees=3, sub_sample_size=40, time_decay=time_decay, seed=5)
    points = stream(4000, columns)
    oracle.check_forest(forest)
    for start, stop in [(0, 1), (1, 30), (30, 40), (40, 300), (300, 2000), (2000, 4000)]:
        scores = score(forest, points[start:stop])
        oracle.check_forest(forest)
        assert ((scores >= 0) & (scores <= math.log2(40))).all()


@pytest.mark.parametrize("kernel", [_score_and_update, _attribute_and_update])
@pytest.mark.parametrize("stream", [gaussian, rounded, constant, drifting])
@pytest.mark.parametrize(("columns", "shingle_size"), [(1, 1), (2, 3), (5, 1)])
def test_a_kernel_computes_what_its_python_does(kernel, stream, columns, shingle_size):
    compiled, plain = (new_forest(columns, **SMALL, shingle_size=shingle_size, seed=3) for _ in range(2))
    points = stream(150, columns)
    points[40:42, 0] = math.nan, 1e300
    scores, parts = np.zeros((2, 150)), np.zeros((2, 150, columns, 2))
    kernel(points, arrays_of(compiled), scores[0], parts[0])
    with np.errstate(over="ignore"):
        kernel.py_func(points, arrays_of(plain), scores[1], parts[1])
    assert_equal(compiled, plain)
    assert scores[0].tobytes() == scores[1].tobytes()
    assert parts[0].tobytes() == parts[1].tobytes()


@pytest.mark.parametrize("stream", [gaussian, rounded, drifting])
@pytest.mark.parametrize("columns", [1, 4])
def test_scores_are_those_of_the_definition(stream, columns):
    forest = new_forest(columns, **SMALL, seed=8)
    points = stream(200, columns)
    score(forest, points[:16])
    for point in points[16:]:
        expected = oracle.service_forest_score(forest, point)
        assert score(forest, point[None])[0] == pytest.approx(expected, rel=1e-6)
    assert score(forest, points[:1])[0] > 0


@pytest.mark.parametrize("stream", [gaussian, rounded, constant, drifting])
@pytest.mark.parametrize(("columns", "shingle_size"), [(1, 1), (1, 4), (3, 2)])
def test_attributions_are_those_of_the_definition_and_sum_to_the_score(stream, columns, shingle_size):
    forest, scoring = (new_forest(columns, **SMALL, shingle_size=shingle_size, seed=8) for _ in range(2))
    points = stream(150, columns)
    expected_scores = score(scoring, points)
    for i, point in enumerate(points):
        if i >= 16:
            shingle = points[i - shingle_size + 1 : i + 1].ravel()
            expected = oracle.service_forest_attribution(forest, shingle, columns)
        scores, parts = score_with_attribution(forest, point[None])
        assert scores[0] == expected_scores[i]
        assert parts.sum() == pytest.approx(scores[0], rel=1e-9)
        assert (parts >= 0).all()
        if i >= 16:
            assert parts[0] == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert_equal(forest, scoring)


def test_attributions_do_not_depend_on_how_the_rows_are_cut():
    points = rounded(1500, 2)
    points[[70, 800], 1] = math.nan
    whole, sevens = (new_forest(2, **SMALL, shingle_size=3, seed=9) for _ in range(2))
    scores, parts = score_with_attribution(whole, points)
    cut = [score_with_attribution(sevens, points[i : i + 7]) for i in range(0, 1500, 7)]
    assert np.concatenate([part for part, _ in cut]).tobytes() == scores.tobytes()
    assert np.concatenate([part for _, part in cut]).tobytes() == parts.tobytes()
    assert not parts[[70, 800]].any()


def test_an_attribution_names_the_column_and_the_direction():
    points = gaussian(1002, 3)
    points[1000] = 0, 20, 0
    points[1001] = 0, 0, -20
    _, parts = score_with_attribution(new_forest(3, number_of_trees=50, seed=1), points)
    assert parts[1000, 1, 0] > 0.9 * parts[1000].sum()
    assert parts[1001, 2, 1] > 0.9 * parts[1001].sum()


def test_a_constant_series_scores_what_the_service_gave():
    forest = new_forest(1, seed=0)
    assert score(forest, constant(300, 1)).tolist() == [0.0] * 256 + [pytest.approx(8 / 257, abs=1e-15)] * 44


def test_an_outlier_stands_out():
    points = gaussian(3000, 2)
    points[2500] = 9.0
    scores = score(new_forest(2, seed=1), points)
    assert scores.argmax() == 2500
    assert scores[2500] > 3
    assert 0.6 < np.median(scores[256:]) < 1


def test_equal_seeds_give_equal_scores_and_other_seeds_others():
    points = gaussian(400, 1)
    first, again, other = (score(new_forest(1, **SMALL, seed=seed), points) for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes()
    assert (first[16:] != other[16:]).any()


VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 2.0, 1e-8, 3e38, 1.8e38, -1e300, math.nan, math.inf, -math.inf]),
    st.floats(-1e6, 1e6, width=32),
)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_scores_do_not_depend_on_how_the_rows_are_cut(data):
    columns = data.draw(st.integers(1, 3))
    shingle_size = data.draw(st.integers(1, 4))
    row = st.lists(VALUES, min_size=columns, max_size=columns)
    points = np.array(data.draw(st.lists(row, min_size=1, max_size=80)), np.float64)
    settings_ = {"number_of_trees": 3, "sub_sample_size": 10, "time_decay": 30, "shingle_size": shingle_size, "seed": 4}
    whole, parts = new_forest(columns, **settings_), new_forest(columns, **settings_)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(points)))))
    expected = score(whole, points)
    scores = np.concatenate([score(parts, rows) for rows in np.split(points, cuts)])
    assert scores.tobytes() == expected.tobytes()
    assert np.isfinite(scores).all()
    assert_equal(whole, parts)
    oracle.check_forest(whole, shingle_size)


def test_batches_of_one_seven_and_many_tiles_agree():
    points = gaussian(2500, 2)
    whole, ones, sevens = (new_forest(2, **SMALL, shingle_size=3, seed=9) for _ in range(3))
    expected = score(whole, points)
    assert np.concatenate([score(ones, points[i : i + 1]) for i in range(2500)]).tobytes() == expected.tobytes()
    assert np.concatenate([score(sevens, points[i : i + 7]) for i in range(0, 2500, 7)]).tobytes() == expected.tobytes()
    assert_equal(whole, ones)
    assert_equal(whole, sevens)


@pytest.mark.parametrize("at", [0, 1, 2, 11, 16, 90])
def test_a_forest_that_was_saved_and_loaded_goes_on_as_before(at):
    points = rounded(200, 2)
    forest = new_forest(2, **SMALL, shingle_size=3, seed=9)
    expected = score(new_forest(2, **SMALL, shingle_size=3, seed=9), points)
    before = score(forest, points[:at])
    file = io.BytesIO()
    np.savez(file, **forest)
    file.seek(0)
    with np.load(file) as archive:
        loaded = dict(archive)
    assert np.concatenate((before, score(loaded, points[at:]))).tobytes() == expected.tobytes()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e39, -1e300, 2e38])
def test_rows_that_cannot_be_scored_get_zero_and_leave_no_trace(value):
    points = gaussian(100, 2)
    bad = points[[50, 50]].copy()
    bad[[0, 1], [0, 1]] = value
    clean, mixed = (new_forest(2, **SMALL, shingle_size=2, seed=2) for _ in range(2))
    expected = score(clean, points)
    scores = score(mixed, np.concatenate((bad, points[:5], bad, points[5:60], bad, points[60:])))
    assert scores[[0, 1, 7, 8, 64, 65]].tolist() == [0.0] * 6
    assert np.delete(scores, [0, 1, 7, 8, 64, 65]).tobytes() == expected.tobytes()
    assert_equal(clean, mixed)


def test_negative_zero_is_zero():
    zeros, negative = new_forest(1, **SMALL, seed=2), new_forest(1, **SMALL, seed=2)
    points = rounded(100, 1) + 0.0
    assert (points == 0).any()
    assert score(zeros, points).tobytes() == score(negative, np.where(points == 0, -0.0, points)).tobytes()
    assert_equal(zeros, negative)


def test_values_as_large_as_float32_allows_are_scored():
    points = gaussian(200, 2)
    points[::2] *= 1.7e38 / np.abs(points).max()
    forest = new_forest(2, **SMALL, seed=2)
    scores = score(forest, points)
    assert (np.isfinite(scores) & (scores >= 0)).all()
    assert (scores[16:] > 0).all()
    oracle.check_forest(forest)


@pytest.mark.parametrize("shingle_size", [1, 2, 7])
def test_a_shingle_is_the_last_records_oldest_first(shingle_size):
    """So a forest with shingles is one over points that are laid out by hand, but for its first records."""
    records = gaussian(150, 3)
    points = np.stack([records[i : i + shingle_size].ravel() for i in range(150 - shingle_size + 1)])
    by_hand = score(new_forest(3 * shingle_size, **SMALL, seed=6), points)
    scores = score(new_forest(3, **SMALL, shingle_size=shingle_size, seed=6), records)
    before = 16 + shingle_size - 1  # the forest over points counts those, not records, as it learns
    assert (scores[before:] == by_hand[16:]).all()


def test_learning_counts_records_and_ends_only_with_a_whole_shingle():
    scores = score(new_forest(1, **SMALL, shingle_size=7, seed=6), gaussian(100, 1))
    assert (scores[:16] == 0).all()
    assert (scores[16:] > 0).all()
    late = score(new_forest(1, number_of_trees=4, sub_sample_size=10, time_decay=60, shingle_size=30, seed=6), gaussian(60, 1))
    assert (late[:30] == 0).all()  # the record that completes the first shingle finds empty trees
    assert (late[30:] > 0).all()


@pytest.mark.parametrize("trees", [1, 9])
@pytest.mark.parametrize(("sub_sample_size", "time_decay"), [(10, 11), (256, 100_000), (1000, 2**31 - 1)])
@pytest.mark.parametrize(("columns", "shingle_size"), [(1, 1), (2, 30), (30, 2)])
def test_all_arguments_within_their_ranges(trees, sub_sample_size, time_decay, columns, shingle_size):
    forest = new_forest(
        columns,
        number_of_trees=trees,
        sub_sample_size=sub_sample_size,
        time_decay=time_decay,
        shingle_size=shingle_size,
        seed=0,
    )
    learning = max(sub_sample_size, shingle_size)
    scores = score(forest, gaussian(1200, columns))
    assert (scores[:learning] == 0).all()
    assert (scores[learning:] > 0).all()
    assert (scores <= math.log2(sub_sample_size)).all()
    oracle.check_forest(forest, shingle_size)


def test_no_rows():
    forest = new_forest(2, **SMALL, shingle_size=3, seed=0)
    assert score(forest, np.empty((0, 2))).shape == (0,)
    assert_equal(forest, new_forest(2, **SMALL, shingle_size=3, seed=0))


def test_the_random_numbers_are_those_of_splitmix64():
    generator = np.zeros(1, np.uint64)
    with np.errstate(over="ignore"):
        numbers = [uniform(generator) for _ in range(3)]
    # The first three outputs of the published generator from state 0.
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert numbers == [((n >> 11) + 0.5) * 2.0**-53 for n in published]
