"""Results in the order of the tasks, whatever the threads do; nothing goes on when nobody wants them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.scan.read_ahead import LANES, ReadAhead


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 20), max_size=5), max_size=30), st.integers(1, 4), st.integers(1, 50))
def test_the_order_is_that_of_the_tasks(tasks: list[list[int]], threads: int, limit: int) -> None:
    def work(task: list[int]) -> Iterator[int]:
        for result in task:
            time.sleep(result % 3 / 20_000)
            yield result

    assert list(ReadAhead(tasks, work, int, threads, limit)) == [result for task in tasks for result in task]


def test_no_more_waits_than_there_is_room_for() -> None:
    made = 0
    lock = threading.Lock()

    def work(task: int) -> Iterator[int]:
        nonlocal made
        for _ in range(100):
            with lock:
                made += 1
            yield 10

    results = iter(ReadAhead(range(5), work, lambda size: size, 3, 50))
    taken = 0
    for _ in results:
        taken += 1
        time.sleep(0.0002)
        assert made - taken <= 50 / 10 + 2 * 3
    assert taken == 500


def test_tasks_are_not_taken_long_before_their_turn() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for task in range(1000):
            taken.append(task)
            yield task

    results = iter(ReadAhead(tasks(), lambda task: [task], lambda _: 0, 2, 1))
    assert next(results) == 0
    time.sleep(0.05)
    assert len(taken) <= LANES + 3
    results.close()
    assert len(taken) <= LANES + 3


def test_an_error_comes_where_its_results_would_have() -> None:
    def work(task: int) -> Iterator[int]:
        yield task
        if task == 2:
            raise ValueError("two")

    results = iter(ReadAhead(range(5), work, lambda _: 1, 2, 10))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert not scanning()


def test_an_error_of_the_tasks_comes_behind_their_results() -> None:
    def tasks() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    results = iter(ReadAhead(tasks(), lambda task: [task], lambda _: 1, 2, 10))
    assert next(results) == 1
    with pytest.raises(OSError, match="gone"):
        next(results)


def test_threads_end_when_nobody_wants_results_any_more() -> None:
    closed = threading.Event()

    def tasks() -> Iterator[int]:
        try:
            yield from range(10_000)
        finally:
            closed.set()

    inner = ReadAhead(tasks(), lambda task: [task], lambda _: 1, 2, 10)
    results = iter(ReadAhead(iter(inner), lambda task: [task], lambda _: 1, 2, 10))
    assert next(results) == 0
    results.close()
    assert closed.is_set()
    assert not scanning()


def scanning() -> list[threading.Thread]:
    """The threads of scans that are at work."""
    return [thread for thread in threading.enumerate() if thread.name == "scan"]
