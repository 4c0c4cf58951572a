"""Rows that a condition keeps are the same with the kernel and without."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from streamsql.external.scan.asked import chosen
from streamsql.kernels import compiling
from streamsql.kernels.filtering import keep


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_chosen_rows(compiled: bool, share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_lost", compiling.LOADING if compiled else -(10**12))
    random = np.random.default_rng(1)
    numbers = pa.array(random.integers(-(2**31), 2**31, 1001))
    columns = {
        place: numbers.cast(type_, safe=False).slice(1)
        for place, type_ in enumerate([pa.int64(), pa.int32(), pa.float64(), pa.float32(), pa.timestamp("ms"), pa.string()])
    }
    columns[6] = pa.array([None, *range(999)], pa.int64())
    columns[7] = numbers.cast(pa.int32(), safe=False).view(pa.date32()).slice(1)
    mask = random.random(1000) < share
    found, count = chosen(columns, mask)
    assert count == mask.sum()
    for place, column in columns.items():
        found[place].validate(full=True)
        assert found[place].equals(column.filter(pa.array(mask)))


def test_the_kernel_is_its_python() -> None:
    values, mask = np.arange(100, dtype=np.uint64), np.random.default_rng(2).random(100) < 0.5
    kept = [np.zeros(mask.sum() + 1, np.uint64) for _ in range(2)]
    for run, into in zip((keep, keep.py_func), kept, strict=True):
        run(values, mask, into)
    assert np.array_equal(*kept) and np.array_equal(kept[0][:-1], values[mask])
