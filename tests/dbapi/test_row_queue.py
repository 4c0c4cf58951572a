"""The queue between the engine and a reader: memory, then temporary files, always in order."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from streamsql import OperationalError
from streamsql.engine import row_queue
from streamsql.engine.row_queue import RowQueue
from streamsql.types import DOUBLE, INTEGER, Batch, Field, Schema, varchar

SCHEMA = Schema.stream([Field("A", INTEGER), Field("B", varchar(10)), Field("C", DOUBLE)])


def batch(start: int, count: int) -> Batch:
    numbers = range(start, start + count)
    columns = [
        pa.array(numbers, pa.int64()).cast(pa.timestamp("ms")),
        pa.array(numbers, pa.int32()),
        pa.array([None if n % 3 == 0 else f"n{n}" for n in numbers], pa.string()),
        pa.array([n / 2 for n in numbers], pa.float64()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA.arrow())


def taken(queue: RowQueue) -> list[int]:
    found: list[int] = []
    while (rows := queue.take()) is not None:
        assert rows.schema.names == ["A", "B", "C"]
        rows.validate(full=True)
        numbers = rows.column(0).to_pylist()
        assert rows.column(1).to_pylist() == [None if n % 3 == 0 else f"n{n}" for n in numbers]
        found += numbers
    return found


@pytest.mark.parametrize("limit", [0, 100, 5_000, 10**9])
def test_rows_come_back_in_order(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_queue, "SEGMENT_LIMIT", 3_000)
    draw = random.Random(limit)
    queue = RowQueue(SCHEMA, limit)
    written, read = 0, list[int]()
    for _ in range(300):
        if draw.random() < 0.6:
            count = draw.randint(1, 40)
            queue.write(batch(written, count).slice(0))
            written += count
        elif (rows := queue.take()) is not None:
            read += rows.column(0).to_pylist()
    read += taken(queue)
    assert read == list(range(written))
    assert queue.taken == written
    assert queue.spilled == 0


def test_a_slice_takes_the_space_of_its_rows_alone() -> None:
    queue = RowQueue(SCHEMA, 0)
    whole = batch(0, 100_000)
    queue.write(whole.slice(0, 10))
    queue.write(whole.slice(50_000, 10))
    assert 0 < queue.spilled < 5_000
    assert taken(queue) == [*range(10), *range(50_000, 50_010)]


def test_the_end_and_failure_come_behind_the_rows() -> None:
    news: list[str] = []
    queue = RowQueue(SCHEMA, 0)
    queue.news = lambda: news.append("news")
    assert not queue.ready
    queue.write(batch(0, 5))
    queue.write(batch(5, 5))
    queue.fail(OperationalError("no more"))
    queue.write(batch(10, 5))
    assert queue.ready
    assert len(news) == 3
    assert [queue.take() is not None for _ in range(2)] == [True, True]
    with pytest.raises(OperationalError, match="no more"):
        queue.take()


def test_a_closed_queue_forgets_rows() -> None:
    queue = RowQueue(SCHEMA, 0)
    queue.write(batch(0, 5))
    queue.write(batch(5, 5))
    queue.close()
    queue.write(batch(10, 5))
    assert queue.take() is None
    assert queue.spilled == 0


def test_a_full_disk_fails_the_query_and_not_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(row_queue.tempfile, "TemporaryFile", full)
    queue = RowQueue(SCHEMA, 0)
    queue.write(batch(0, 5))
    queue.write(batch(5, 5))
    assert queue.take() is not None
    with pytest.raises(OperationalError, match="No space left"):
        queue.take()


def test_temporary_files_have_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_queue.tempfile, "tempdir", str(tmp_path))
    queue = RowQueue(SCHEMA, 0)
    queue.write(batch(0, 5))
    queue.write(batch(5, 5))
    assert queue.spilled
    assert list(tmp_path.iterdir()) == []
    assert taken(queue) == list(range(10))
