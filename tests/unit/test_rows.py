"""`map_rows` gives the same whether it calls its function for each row or for each distinct text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamsql import rows as rows_module
from streamsql.rows import QueryTime, Rows, map_rows


def half(text: str, least: int) -> str | None:
    if len(text) < least:
        raise ValueError(f"{text!r} is too short")
    return text[: len(text) // 2] or None


@given(st.lists(st.one_of(st.none(), st.text("ab", max_size=3)), max_size=30), st.one_of(st.none(), st.integers(0, 2)))
def test_each_distinct_text_once(texts: list[str | None], least: int | None) -> None:
    column = pa.array(texts, pa.string())
    results = []
    for many in (1, 10**9):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rows_module, "MANY_ROWS", many)
            rows = Rows(pa.RecordBatch.from_arrays([column], names=["s"]), QueryTime())
            result = map_rows(rows, half, [column, pa.scalar(least, pa.int64())], pa.string(), "Short")
            results.append((rows.column(result).to_pylist(), {i: failure.message for i, failure in rows.failures.items()}))
    assert results[0] == results[1]
