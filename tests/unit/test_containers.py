"""RowBuffer and Arrays: what goes in comes out, after a checkpoint too."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.state import Arrays, RowBuffer
from streamsql.types import Batch

SCHEMA = pa.schema([pa.field("n", pa.int64()), pa.field("text", pa.string())])


def rows(*numbers: int) -> Batch:
    """Rows with these numbers."""
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), pa.array([f"row {n}" for n in numbers])], schema=SCHEMA)


def numbers(batch: Batch) -> list[int]:
    """The numbers of some rows."""
    return list(batch.column(0).to_pylist())


def reloaded(buffer: RowBuffer) -> RowBuffer:
    """Another buffer with what the first has saved."""
    other = RowBuffer(SCHEMA)
    other.load(buffer.save())
    return other


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.integers(0, 5)),
        st.tuples(st.just("take"), st.integers(0, 8)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=30,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_row_buffer_is_a_queue(steps: list[tuple[str, int]]) -> None:
    """Rows appended at the back leave at the front, whatever happens between."""
    buffer, expected, following = RowBuffer(SCHEMA), list[int](), 0
    for step, count in steps:
        if step == "append":
            buffer.append(rows(*range(following, following + count)))
            expected += range(following, following + count)
            following += count
        elif step == "take":
            count = min(count, len(expected))
            assert numbers(buffer.take_front(count)) == expected[:count]
            expected = expected[count:]
        else:
            buffer = reloaded(buffer)
        assert len(buffer) == len(expected)
        assert numbers(buffer.batch()) == expected


def test_an_empty_row_buffer_has_its_columns() -> None:
    """Without rows it saves, loads and gives a batch of its schema."""
    empty = reloaded(RowBuffer(SCHEMA))
    assert empty.batch().schema == SCHEMA
    assert empty.take_all().num_rows == empty.take_front(0).num_rows == len(empty) == 0


def test_take_all_leaves_nothing() -> None:
    buffer = RowBuffer(SCHEMA)
    buffer.append(rows(1, 2))
    buffer.append(rows(3))
    assert numbers(buffer.take_all()) == [1, 2, 3]
    assert len(buffer) == buffer.save().num_rows == 0


@pytest.mark.parametrize(
    "array",
    [
        np.array([1, -(2**63), 2**63 - 1]),
        np.array([0.1, float("nan"), float("-inf")]),
        np.zeros((0, 3)),
        np.arange(12, dtype=np.uint8).reshape(2, 3, 2),
        np.array([True, False]),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10)[::3],
        np.array(["a", None, "ü" * 100], object),
        np.empty(0, object),
        np.array([[1, None], [None, 2]], object),
        np.array([None, None], object),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_comes_back_as_it_was(array: np.ndarray) -> None:
    """Type, shape and every value; and it can be written to."""
    saved = Arrays({"other": np.zeros(1), "array": array})
    loaded = Arrays()
    loaded.load(saved.save())
    assert list(loaded) == ["other", "array"]
    assert loaded["array"].dtype == array.dtype
    np.testing.assert_array_equal(loaded["array"], array)
    assert loaded["array"].flags.writeable


def test_arrays_are_a_mapping() -> None:
    arrays = Arrays({"a": np.zeros(2)})
    arrays["b"] = np.ones(1)
    del arrays["a"]
    assert (list(arrays), len(arrays), "a" in arrays) == (["b"], 1, False)
