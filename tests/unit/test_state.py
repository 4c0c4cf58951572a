"""The containers of state that are more than what they hold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import OperationalError
from streamsql.state import Queue, RowLog, joined

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


@settings(max_examples=100, deadline=None)
@given(STEPS, st.data())
def test_a_log_gives_its_rows_by_their_numbers(steps: list[int], data: st.DataObject) -> None:
    schema = pa.schema([pa.field("n", pa.int64()), pa.field("text", pa.string())])
    log, last = RowLog(schema), 0
    for step in steps:
        if step > 0:
            numbers = np.arange(last, last + step)
            log.append(pa.RecordBatch.from_arrays([pa.array(numbers), pa.array([f"{n}" for n in numbers])], schema=schema))
            last += step
        elif step < 0:
            log.drop(min(-step, last - log.first))
        else:
            saved = log.save()
            log = RowLog(schema)
            log.load(saved)
        assert log.last == last
        wanted = data.draw(st.lists(st.integers(log.first, last - 1), max_size=5)) if last > log.first else []
        given = log.take(np.array([*wanted, -1], np.int64))
        assert given["n"].to_pylist() == [*wanted, None]
        assert given["text"].to_pylist() == [*map(str, wanted), None]
        assert log.save().num_rows == last - log.first


def test_a_queue_takes_no_more_room_than_it_needs() -> None:
    queue = Queue(n=np.int64)
    for _ in range(10_000):
        queue.append(n=np.arange(10))
        if len(queue) > 500:
            queue.drop(10)
    assert queue["n"].base is not None and len(queue["n"].base) < 4_000


@pytest.mark.slow
def test_text_that_one_column_cannot_hold_is_an_error_and_not_lost() -> None:
    text = pa.array(["x" * 2**20]).take(pa.array([0] * 1_100))
    batch = pa.record_batch({"text": text})
    with pytest.raises(OperationalError, match="more than 2 GB"):
        joined([batch, batch], batch.schema)
