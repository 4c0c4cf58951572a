"""The containers of state that are more than what they hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.state import Queue

STEPS = st.lists(st.one_of(st.integers(1, 200), st.integers(-200, -1), st.just(0)), max_size=30)
"""So many entries more, fewer, or a restart."""


@settings(max_examples=100, deadline=None)
@given(STEPS)
def test_a_queue_is_a_list_whose_entries_keep_their_numbers(steps: list[int]) -> None:
    queue, expected, first = Queue(n=np.int64, half=np.float64), list[int](), 0
    for step in steps:
        if step > 0:
            numbers = np.arange(first + len(expected), first + len(expected) + step)
            queue.append(n=numbers, half=numbers / 2)
            expected += numbers.tolist()
        elif step < 0:
            gone = min(-step, len(expected))
            queue.drop(gone)
            expected, first = expected[gone:], first + gone
        else:
            saved = queue.save()
            queue = Queue(n=np.int64, half=np.float64)
            queue.load(saved)
        assert queue["n"].tolist() == expected
        assert queue["half"].tolist() == [n / 2 for n in expected]
        assert (queue.first, queue.last, len(queue)) == (first, first + len(expected), len(expected))


def test_a_queue_takes_no_more_room_than_it_needs() -> None:
    queue = Queue(n=np.int64)
    for _ in range(10_000):
        queue.append(n=np.arange(10))
        if len(queue) > 500:
            queue.drop(10)
    assert queue["n"].base is not None and len(queue["n"].base) < 4_000
