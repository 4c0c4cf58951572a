"""The aggregates of groups: every function and type against plain Python and against DuckDB, however the rows are cut."""

from __future__ import annotations

import datetime
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from aggregate_oracle import ARGUMENTS, VALUES, result_type, value_of
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import DataError
from streamsql.functions.aggregates import aggregate as _aggregate  # noqa: F401 - fills the table
from streamsql.functions.aggregation import Accumulator
from streamsql.functions.registry import AGGREGATES
from streamsql.kernels import compiling
from streamsql.types import BIGINT, BOOLEAN, DOUBLE, INTEGER, REAL, SqlType, decimal, varchar

CALLS = [(name, type) for name, types in ARGUMENTS.items() for type in types]


def accumulator(name: str, type: SqlType | None, result: SqlType | None = None, ignore_nulls: bool = False) -> Accumulator:
    types = [] if type is None else [type]
    [record] = [r for r in AGGREGATES[name] if len(r.signature.parameters) == len(types)]
    assert record.accumulator is not None
    return record.accumulator(types, result or result_type(name, types[0] if types else BIGINT), ignore_nulls)


def run(
    name: str, type: SqlType, rows: Sequence[tuple[int, Any]], cuts: Sequence[int] = (), ignore_nulls: bool = False
) -> pa.Array:
    """The groups' values; between two batches everything is saved and loaded into a new accumulator."""
    ids, values = np.array([id for id, _ in rows], np.int64), pa.array([value for _, value in rows], type.arrow())
    bounds = sorted({0, len(rows), *(cut % (len(rows) + 1) for cut in cuts)})
    running = accumulator(name, type, ignore_nulls=ignore_nulls)
    for start, stop in pairwise(bounds):
        running.add(ids[start:stop], max((id + 1 for id, _ in rows[:stop]), default=0), [values.slice(start, stop - start)])
        saved = running.arrays.save()
        running = accumulator(name, type, ignore_nulls=ignore_nulls)
        running.arrays.load(saved)
    result = running.result()
    result.validate(full=True)
    assert result.type == result_type(name, type).arrow()
    return result


@contextmanager
def compiled() -> Iterator[None]:
    """As in a process that has done so much that kernels pay."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "_lost", compiling.LOADING)
        yield


def same(ours: Any, expected: Any, scale: float = 1.0) -> bool:
    """Equal; floating-point numbers to 12 digits of `scale`."""
    if isinstance(expected, float) and ours is not None:
        return math.isclose(ours, expected, rel_tol=1e-9, abs_tol=1e-12 * scale)
    return bool(ours == expected)


@pytest.mark.parametrize(("name", "type"), CALLS, ids=str)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_every_function_of_every_type(name: str, type: SqlType, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.tuples(st.integers(0, 3), st.none() | VALUES[type]), max_size=30))
    cuts = data.draw(st.lists(st.integers(0, 30), max_size=5))
    ignore_nulls = data.draw(st.booleans())
    groups = max((id + 1 for id, _ in rows), default=0)
    expected = [value_of(name, type, [v for id, v in rows if id == group], ignore_nulls) for group in range(groups)]
    if OverflowError in expected:
        with pytest.raises(DataError, match="out of range"):
            run(name, type, rows)
        return
    whole = run(name, type, rows, (), ignore_nulls)
    with compiled():
        assert whole.equals(run(name, type, rows, cuts, ignore_nulls))
    scale = max((abs(float(v)) ** 2 for _, v in rows if v is not None), default=0) if type.is_numeric else 0
    tolerance = 1e-3 if type == REAL else 1.0
    for ours, wanted in zip(whole.to_pylist(), expected, strict=True):
        if type == REAL and isinstance(wanted, float):
            assert math.isclose(ours, wanted, rel_tol=1e-4, abs_tol=tolerance)
        else:
            assert same(ours, wanted, scale), (ours, wanted)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), VALUES[DOUBLE]), max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_doubles_are_added_one_after_the_other(rows: list[tuple[int, float]], cuts: list[int]) -> None:
    for groups in (1, 3):
        folded = [(id % groups, value) for id, value in rows]
        sums = [0.0] * groups
        for id, value in folded:
            sums[id] += value
        present = max((id + 1 for id, _ in folded), default=0)
        expected = [s if any(id == i for id, _ in folded) else None for i, s in enumerate(sums[:present])]
        assert run("SUM", DOUBLE, folded, cuts).to_pylist() == expected
        with compiled():
            assert run("SUM", DOUBLE, folded, cuts).to_pylist() == expected


def test_count_star_counts_rows() -> None:
    counts = accumulator("COUNT", None)
    counts.add(np.array([0, 1, 0]), 2, [])
    counts.add(np.array([2]), 3, [])
    assert counts.result().to_pylist() == [2, 1, 1]
    assert counts.result().type == pa.int64()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_group_without_values(name: str) -> None:
    type = ARGUMENTS[name][0]
    running = accumulator(name, type)
    running.add(np.zeros(0, np.int64), 1, [pa.nulls(0, type.arrow())])
    assert running.result().to_pylist() == [0 if name == "COUNT" else None]
    running.add(np.array([0, 0]), 1, [pa.nulls(2, type.arrow())])
    assert running.result().to_pylist() == [0 if name == "COUNT" else None]


@pytest.mark.parametrize(("name", "type"), CALLS, ids=str)
def test_clear_forgets_everything(name: str, type: SqlType) -> None:
    value = _sample(type)
    running = accumulator(name, type)
    running.add(np.array([0, 1, 1]), 2, [pa.array([value, value, None], type.arrow())])
    running.clear()
    assert len(running.result()) == 0
    running.add(np.array([0, 0]), 1, [pa.array([value, value], type.arrow())])
    fresh = accumulator(name, type)
    fresh.add(np.array([0, 0]), 1, [pa.array([value, value], type.arrow())])
    assert running.result().equals(fresh.result())


def _sample(type: SqlType) -> Any:
    moment = datetime.datetime(2018, 11, 1, 1)
    samples = {"VARCHAR": "b", "BOOLEAN": True, "DATE": moment.date(), "TIME": moment.time(), "TIMESTAMP": moment}
    return samples.get(type.kind.value, 2)


def test_sums_wider_than_their_type_fail_only_in_the_end() -> None:
    largest = 2**63 - 1
    rows = [(0, largest), (0, largest), (0, -largest), (1, largest), (1, 1)]
    failures: list[tuple[list[bool], str]] = []
    running = accumulator("SUM", BIGINT)
    running.add(np.array([id for id, _ in rows]), 2, [pa.array([v for _, v in rows], pa.int64())])
    result = running.result(lambda failing, message, _name: failures.append((failing.tolist(), message)))
    assert result.to_pylist() == [largest, None]
    assert failures == [([False, True], "SUM is out of range for BIGINT")]
    assert run("AVG", BIGINT, rows).to_pylist() == [largest // 3, 2**62]


def test_nan_is_greater_than_every_number() -> None:
    values = [math.nan, 1.0, math.inf, -math.inf]
    for type in (DOUBLE, REAL):
        rows = [(0, v) for v in values] + [(1, math.nan)]
        assert math.isnan(run("MAX", type, rows).to_pylist()[0])
        assert run("MIN", type, rows).to_pylist()[0] == -math.inf
        assert math.isnan(run("MIN", type, rows).to_pylist()[1])
        assert math.isnan(run("SUM", type, rows).to_pylist()[0])
        assert math.isnan(run("VAR_POP", type, rows).to_pylist()[0])


def test_a_small_spread_around_a_large_mean() -> None:
    rows = [(0, 1e9 + i % 3) for i in range(3000)]
    assert math.isclose(run("VAR_POP", DOUBLE, rows).to_pylist()[0], 2 / 3, rel_tol=1e-12)


@pytest.mark.parametrize("type", [INTEGER, DOUBLE, decimal(18, 4), varchar(8)], ids=str)
def test_sparse_groups(type: SqlType) -> None:
    """Far more groups than rows."""
    values = [None, *([_sample(type)] * 4)]
    rows = [(i * 997, value) for i, value in enumerate(values)]
    assert run("COUNT", type, rows, [1, 3]).to_pylist()[997 * 2] == 1
    assert run("MAX", type, rows, [1, 3]).to_pylist()[997] == pa.array([_sample(type)], type.arrow()).to_pylist()[0]


def test_a_short_job_does_not_load_the_compiler() -> None:
    """Neither does finding the functions of sliding windows, until one is made."""
    script = """
import sys
import numpy, pyarrow
from streamsql.functions import library
from streamsql.functions.registry import AGGREGATES
from streamsql.run.operators import aggregate, over
from streamsql.types import DOUBLE
average = AGGREGATES["AVG"][0].accumulator([DOUBLE], DOUBLE, False)
average.add(numpy.arange(1000), 1000, [pyarrow.array(numpy.ones(1000))])
assert average.result().to_pylist() == [1.0] * 1000
assert "numba" not in sys.modules
AGGREGATES["AVG"][0].sliding([DOUBLE], DOUBLE, False)
assert "numba" in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_kernels_are_their_python() -> None:
    from streamsql.kernels import groups

    random = np.random.default_rng(8)
    ids, whole, real = random.integers(0, 5, 300), random.integers(-99, 99, 300), random.normal(size=300)
    calls: list[tuple[Any, Any, tuple[Any, ...]]] = [(groups.count, np.int64, ()), (groups.add_floats, float, (real,))]
    calls += [(kernel, np.int64, (whole,)) for kernel in (groups.add_integers, groups.least, groups.greatest)]
    for kernel, dtype, values in calls:
        targets = np.zeros((2, 5), dtype)
        kernel(targets[0], ids, *values)
        kernel.py_func(targets[1], ids, *values)
        assert np.array_equal(targets[0], targets[1]) and targets.any()


def test_average_of_integers_as_double() -> None:
    """A query over tables alone asks for DOUBLE."""
    running = accumulator("AVG", INTEGER, DOUBLE)
    running.add(np.array([0, 0]), 1, [pa.array([1, 2], pa.int32())])
    assert running.result().to_pylist() == [1.5]


WEATHER = """
2018-11-01 01:00 Denver 29 | 01:00 Anchorage 2 | 06:00 Miami 65 | 07:00 Denver 32 | 09:00 Anchorage 9 | 13:00 Denver 50 |
           17:00 Anchorage 10 | 18:00 Miami 71 | 19:00 Denver 43
2018-11-02 01:00 Anchorage 4 | 01:00 Denver 39 | 07:00 Denver 46 | 09:00 Anchorage 3 | 13:00 Denver 56 | 17:00 Anchorage 2 |
           19:00 Denver 50
2018-11-03 01:00 Denver 36 | 01:00 Anchorage 1
"""


def test_the_weather_of_the_reference() -> None:
    """Dialect reference 9.1, C1 and C2."""
    days = [[entry.split()[-2:] for entry in day.split("|")] for day in WEATHER.split("2018-11-0")[1:]]
    by_day = [(i, int(temp)) for i, day in enumerate(days) for _, temp in day]
    assert run("MIN", INTEGER, by_day, [5, 9]).to_pylist() == [2, 2, 1]
    assert run("MAX", INTEGER, by_day, [5, 9]).to_pylist() == [71, 56, 36]
    keys = sorted({(i, city) for i, day in enumerate(days) for city, _ in day})
    by_city = [(keys.index((i, city)), int(temp)) for i, day in enumerate(days) for city, temp in day]
    columns = [run(name, INTEGER, by_city, [3, 7]).to_pylist() for name in ("MIN", "MAX", "SUM", "COUNT")]
    assert [(city, low, high, total // count) for (_, city), low, high, total, count in zip(keys, *columns, strict=True)] == [
        ("Anchorage", 2, 10, 7),
        ("Denver", 29, 50, 38),
        ("Miami", 65, 71, 68),
        ("Anchorage", 2, 4, 3),
        ("Denver", 39, 56, 47),
        ("Anchorage", 1, 1, 1),
        ("Denver", 36, 36, 36),
    ]


def test_the_same_as_duckdb() -> None:
    random = np.random.default_rng(7)
    ids = random.integers(0, 50, 5000)
    columns = {
        INTEGER: pa.array(random.integers(-1000, 1000, 5000), pa.int32(), mask=random.random(5000) < 0.1),
        DOUBLE: pa.array(random.normal(10, 3, 5000), mask=random.random(5000) < 0.1),
        varchar(8): pa.array(random.integers(0, 999, 5000).astype(str), pa.string(), mask=random.random(5000) < 0.1),
        BOOLEAN: pa.array(random.random(5000) < 0.5, mask=random.random(5000) < 0.1),
    }
    for type, column in columns.items():
        table = pa.table({"id": ids, "x": column})
        for name in (name for name, types in ARGUMENTS.items() if type in types):
            [record] = [r for r in AGGREGATES[name] if r.signature.parameters]
            call = str(record.duckdb).replace("(n)", "(x)").replace("(b)", "(x)")
            call = call[:-1] + " ORDER BY row)" if "VALUE" in name else call
            query = f"SELECT {call} FROM (SELECT *, row_number() OVER () AS row FROM table) GROUP BY id ORDER BY id"
            expected = [row[0] for row in duckdb.sql(query.replace("FROM table", 'FROM "table"')).fetchall()]
            ours = run(name, type, list(zip(ids.tolist(), column.to_pylist(), strict=True)), [1000, 1001, 3000]).to_pylist()
            if name == "AVG" and type == INTEGER:
                expected = [math.trunc(value) for value in expected]
            assert len(table) and all(same(a, b) for a, b in zip(ours, expected, strict=True)), name
