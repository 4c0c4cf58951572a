"""Which rows leave the frames of a sliding window, and the kernels that follow them: compiled, and as plain Python."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.functions.moves import Frames, Moves, RangeFrames, RowFrames, UnboundedFrames, extended, power_of_two, relaid
from streamsql.kernels import frames as frame_kernels
from streamsql.kernels import sliding, sliding_moments, sliding_order

Row = tuple[int, int]
"""A row's time and partition."""

ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=60)
"""Times as steps from the row before."""


def timed(steps: Sequence[Row]) -> list[Row]:
    times = np.cumsum([step for step, _ in steps]).tolist()
    return [(time, id) for time, (_, id) in zip(times, steps, strict=True)]


def cut(rows: Sequence[Row], cuts: Sequence[int]) -> list[Sequence[Row]]:
    bounds = sorted({0, len(rows), *(c % (len(rows) + 1) for c in cuts)})
    return [rows[a:b] for a, b in pairwise(bounds)]


def moved(frames: Frames, rows: Sequence[Row], partitions: int = 3) -> Moves:
    times, ids = np.array([t for t, _ in rows], np.int64), np.array([p for _, p in rows], np.int64)
    return frames.moves(ids, times, partitions)


def contents(make: Callable[[], Frames], rows: Sequence[Row], cuts: Sequence[int]) -> list[list[int]]:
    """For each row the rows then in its partition's frame, by index, as the moves tell; all is saved and loaded in between."""
    frames, inside, result = make(), {}, []
    held: dict[int, list[int]] = defaultdict(list)
    index = 0
    for batch in cut(rows, cuts):
        table = frames.arrays.save()
        frames = make()
        frames.arrays.load(table)
        moves, gone = moved(frames, batch), 0
        assert len(set(moves.numbers.tolist()) & set(inside)) == 0 or not moves.bounded
        for i, (_, id) in enumerate(batch):
            for number in moves.left[gone : moves.left_before[i]].tolist():
                left = inside.pop(number)
                held[rows[left][1]].remove(left)
            assert (moves.left_ids[gone : moves.left_before[i]] < 3).all()
            gone = int(moves.left_before[i])
            inside[int(moves.numbers[i])] = index
            held[id].append(index)
            result.append(list(held[id]))
            index += 1
        assert gone == len(moves.left) and moves.capacity == power_of_two(moves.capacity)
    return result


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(0, 6), st.lists(st.integers(0, 60), max_size=8))
def test_range(steps: list[Row], preceding: int, cuts: list[int]) -> None:
    rows = timed(steps)
    expected = [
        [j for j in range(i + 1) if rows[j][1] == id and rows[j][0] >= time - preceding] for i, (time, id) in enumerate(rows)
    ]
    assert contents(lambda: RangeFrames(preceding), rows, cuts) == expected


@settings(max_examples=100, deadline=None)
@given(ROWS, st.integers(0, 6), st.lists(st.integers(0, 60), max_size=8))
def test_rows(steps: list[Row], preceding: int, cuts: list[int]) -> None:
    rows = timed(steps)
    expected = [[j for j in range(i + 1) if rows[j][1] == id][-preceding - 1 :] for i, (_, id) in enumerate(rows)]
    assert contents(lambda: RowFrames(preceding), rows, cuts) == expected


def test_unbounded_frames_keep_no_rows() -> None:
    frames = UnboundedFrames()
    for _ in range(3):
        moves = moved(frames, [(0, 1), (0, 2)] * 1000)
        assert not moves.bounded and moves.capacity == 4 and len(moves.left) == 0


def test_a_row_does_not_touch_a_large_window() -> None:
    """Nothing is laid out anew for it, and what leaves is what is looked at."""
    frames = RangeFrames(10**6)
    moved(frames, [(t, 0) for t in range(100_000)])
    before = frames.arrays["times"]
    for t in range(100_000, 100_100):
        moves = moved(frames, [(t, 0)])
        assert len(moves.left) == 0 and len(moves.numbers) == 1
    assert frames.arrays["times"] is before


def test_room_follows_the_content() -> None:
    frames = RangeFrames(10)
    moved(frames, [(0, 0)] * 100_000)
    assert len(frames.arrays["times"]) == 131_072
    moved(frames, [(1000, 0)])
    moved(frames, [(1001, 0)])
    assert len(frames.arrays["times"]) == 1024
    rows = RowFrames(2)
    for t in range(50):
        moved(rows, [(t, t % 3)] * 500)
    assert len(rows.arrays["next row"]) == 1024


def test_partitions_without_rows_are_forgotten() -> None:
    frames = RangeFrames(10)
    ids = np.arange(3000)
    frames.moves(ids, np.zeros(3000, np.int64), 3000)
    assert frames.occupied(1500) is None
    frames.moves(np.array([2500, 7]), np.array([11, 11]), 3000)
    assert frames.occupied(3000).tolist() == [7, 2500]
    moves = frames.moves(np.array([0, 1]), np.array([30, 30]), 2)
    assert moves.left_ids.tolist() == [1, 0]


def test_layouts() -> None:
    assert [power_of_two(n) for n in (0, 1, 2, 3, 1024, 1025)] == [1, 1, 2, 4, 1024, 2048]
    ring = np.array([8, 9, 6, 7])  # rows 6 to 9 of a ring of four
    assert relaid(ring, range(6, 10), 8).tolist() == [8, 9, 0, 0, 0, 0, 6, 7]
    assert extended(np.array([[1, 2]]), 2).tolist() == [[1, 2], [0, 0]]
    assert extended(np.array(["a"], object), 2).tolist() == ["a", None]


def random_moves(seed: int, frames: Frames, batches: int = 4) -> list[Moves]:
    random = np.random.default_rng(seed)
    result, time = [], 0
    for _ in range(batches):
        times = time + np.cumsum(random.integers(0, 3, 100))
        time = int(times[-1])
        result.append(frames.moves(random.integers(0, 5, 100), times, 5))
    return result


FRAMES: dict[str, Callable[[], Frames]] = {
    "range": lambda: RangeFrames(20),
    "rows": lambda: RowFrames(3),
    "unbounded": UnboundedFrames,
}


def both(kernel: Any, moves: Sequence[Moves], inputs: Callable[[int], tuple[Any, ...]], states: Any, outputs: Any) -> None:
    """Run a kernel compiled and as plain Python on the same batches; all states and results must be equal."""
    compiled, plain = states(), states()
    for i, move in enumerate(moves):
        arguments = inputs(i)
        ours, theirs = outputs(), outputs()
        kernel(move.arrays, move.mask, *arguments, *compiled, *ours)
        with np.errstate(all="ignore"):
            kernel.py_func(move.arrays, move.mask, *arguments, *plain, *theirs)
        for a, b in zip((*compiled, *ours), (*plain, *theirs), strict=True):
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def floats(i: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(i)
    values = random.normal(0, 10.0 ** random.integers(-5, 5), 100)
    values[random.random(100) < 0.05] = math.nan
    values[random.random(100) < 0.05] = math.inf
    return values, random.random(100) < 0.8


def integers(i: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(i)
    return random.integers(-(2**63), 2**63 - 1, 100), random.random(100) < 0.8


def zeros(*shape_types: tuple[Any, Any]) -> Callable[[], tuple[np.ndarray, ...]]:
    return lambda: tuple(np.zeros(shape, dtype) for shape, dtype in shape_types)


ROOM = 1024


@pytest.mark.parametrize("frame", FRAMES)
def test_kernels_of_sums_are_their_python(frame: str) -> None:
    moves = random_moves(3, FRAMES[frame]())
    both(
        sliding.count,
        moves,
        lambda i: (integers(i)[1],),
        zeros((ROOM, bool), (5, np.int64)),
        zeros((100, np.int64)),
    )
    both(
        sliding.exact_sum,
        moves,
        integers,
        zeros((ROOM, np.int64), (ROOM, bool), ((5, 3), np.int64)),
        zeros(((3, 100), np.int64)),
    )
    results = zeros((100, float), (100, np.int64))
    both(sliding.float_sum, moves, floats, zeros((ROOM, float), (ROOM, bool), ((5, 7), float)), results)
    both(sliding_moments.variance, moves, floats, zeros((ROOM, float), (ROOM, bool), ((5, 7), float)), results)
    kept = ((ROOM, float), (ROOM, float), (ROOM, np.int64), (ROOM, bool), ((5, 7), float))
    both(
        sliding_moments.exponential_average,
        moves,
        lambda i: (moves[i].times, 7, *floats(i)),
        zeros(*kept),
        results,
    )


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_kernels_of_order_are_their_python(frame: str, first: bool, second: bool) -> None:
    moves = random_moves(5, FRAMES[frame]())
    links = (ROOM, np.int64)
    both(
        sliding_order.extreme,
        moves,
        lambda i: (moves[i].bounded, first, *integers(i)),
        zeros(links, links, links, ((5, 3), np.int64), (5, np.int64)),
        zeros((100, np.int64), (100, bool)),
    )
    if moves[0].bounded:
        both(
            sliding_order.nth,
            moves,
            lambda i: (2, first, second, integers(i)[1]),
            zeros((ROOM, bool), links, ((5, 4), np.int64)),
            zeros((100, np.int64)),
        )


def test_other_kernels_are_their_python() -> None:
    random = np.random.default_rng(1)
    times, ids = np.cumsum(random.integers(0, 3, 500)), random.integers(0, 4, 500)
    rings = [[np.zeros(512, np.int64) for _ in range(2)] + [np.zeros(500, np.int64)] for _ in range(2)]
    firsts = [kernel(times, ids, 0, 0, 20, *ring) for kernel, ring in zip(_two(frame_kernels.expire), rings, strict=True)]
    assert firsts[0] == firsts[1] > 0 and all(np.array_equal(a, b) for a, b in zip(*rings, strict=True))
    states = [zeros((512, np.int64), ((4, 3), np.int64), (500, np.int64), (500, np.int64), (500, np.int64))() for _ in range(2)]
    gone = [k(ids, np.arange(500), 3, *s) for k, s in zip(_two(frame_kernels.displace), states, strict=True)]
    assert gone[0] == gone[1] > 0 and all(np.array_equal(a, b) for a, b in zip(*states, strict=True))
    arrivals = [zeros((4, np.int64), (500, bool), (500, bool))() for _ in range(2)]
    for kernel, state in zip(_two(sliding_order.nth_arrival), arrivals, strict=True):
        kernel(ids, 3, random.random(500) < 2, *state)
    assert all(np.array_equal(a, b) for a, b in zip(*arrivals, strict=True)) and arrivals[0][2].any()


def _two(kernel: Any) -> tuple[Any, Any]:
    return kernel, kernel.py_func
