"""Over: sliding windows against a rescan of every row's frame, against DuckDB and the reference's worked tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from aggregate_oracle import ARGUMENTS, VALUES, result_type, value_of
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.functions.aggregates import aggregate as _aggregate  # noqa: F401 - fills the table
from streamsql.functions.aggregates import analytic as _analytic  # noqa: F401 - fills the table
from streamsql.functions.registry import AGGREGATES
from streamsql.operator import Failed, Output
from streamsql.plan.windows import Frame
from streamsql.rows import Evaluate, QueryTime, Rows
from streamsql.run.operators.over import Over, OverWindow, SlidingCall
from streamsql.types import BIGINT, DOUBLE, INTEGER, SqlType, varchar

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True)
class Call:
    """`name(column 2, *constants)`; without a type the call has no argument."""

    name: str
    type: SqlType | None
    constants: tuple[Any, ...] = ()
    ignore_nulls: bool = False

    @property
    def result(self) -> SqlType:
        return result_type(self.name, self.type or BIGINT)

    def sliding(self) -> SlidingCall:
        count = 0 if self.type is None else 1 + len(self.constants)
        record = next(r for r in AGGREGATES[self.name] if r.signature.least <= count <= len(r.signature.parameters))
        assert record.sliding is not None
        types = [] if self.type is None else [self.type, *(INTEGER for _ in self.constants)]
        arguments = [] if self.type is None else [column(2), *(constant(c) for c in self.constants)]
        return SlidingCall(tuple(arguments), record.sliding(types, self.result, self.ignore_nulls))


def column(index: int) -> Evaluate:
    return lambda rows: rows.batch.column(index)


def constant(scalar: pa.Scalar) -> Evaluate:
    return lambda _: scalar


def over(type: SqlType, windows: Sequence[tuple[Frame, Sequence[Call]]], partitioned: bool = True) -> Over:
    """Windows over rows of ROWTIME, K (the partition, BIGINT) and X."""
    calls = [call for _, of_window in windows for call in of_window]
    fields = [*input_schema(type), *(pa.field(f"C{i}", call.result.arrow()) for i, call in enumerate(calls))]
    keys, types = ((column(1),), (pa.int64(),)) if partitioned else ((), ())
    made = [OverWindow(keys, types, frame, tuple(call.sliding() for call in of_window)) for frame, of_window in windows]
    return Over(pa.schema(fields), made, QueryTime())


def input_schema(type: SqlType) -> pa.Schema:
    return pa.schema([pa.field("ROWTIME", pa.timestamp("ms"), False), ("K", pa.int64()), ("X", type.arrow())])


Row = tuple[int, int, Any]
"""Time in milliseconds, partition, value."""


def batch_of(type: SqlType, rows: Sequence[Row]) -> pa.RecordBatch:
    schema = input_schema(type)
    columns = [pa.array([row[i] for row in rows], field.type) for i, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def run(make: Callable[[], Over], batch: pa.RecordBatch, cuts: Sequence[int] = (), restart: bool = False) -> list[Output]:
    """Everything that comes out: batches joined to one; with `restart` each batch goes to a new operator with the old state."""
    operator, outputs = make(), []
    bounds = sorted({0, batch.num_rows, *(cut % (batch.num_rows + 1) for cut in cuts)})
    for start, stop in pairwise(bounds):
        outputs += operator.push(batch.slice(start, stop - start))
        assert list(operator.advance(batch.column(0)[stop - 1].value)) == []
        if restart:
            tables = {name: state.save() for name, state in operator.state.items()}
            operator = make()
            assert operator.state.keys() == tables.keys()
            for name, table in tables.items():
                operator.state[name].load(table)
    batches = [output for output in outputs if not isinstance(output, Failed)]
    for output in batches:
        output.validate(full=True)
    joined = pa.Table.from_batches(batches).combine_chunks().to_batches() if batches else []
    return [*joined, *(row for output in outputs if isinstance(output, Failed) for row in output.rows)]


def values(make: Callable[[], Over], type: SqlType, rows: Sequence[Row], *cuts: int) -> list[list[Any]]:
    """The columns of the calls."""
    [result] = run(make, batch_of(type, rows), cuts)
    assert isinstance(result, pa.RecordBatch)
    return [c.to_pylist() for c in result.columns[3:]]


def in_frame(rows: Sequence[Row], i: int, frame: Frame) -> list[int]:
    """The indices of the rows in the frame of row `i`, found by looking at all."""
    time, key, _ = rows[i]
    partition = [j for j in range(i + 1) if rows[j][1] == key]
    if frame.preceding is None:
        return partition
    if frame.unit == "ROWS":
        return partition[-frame.preceding - 1 :]
    return [j for j in partition if rows[j][0] >= time - frame.preceding]


def expected_value(call: Call, rows: Sequence[Row], i: int, frame: Frame) -> Any:
    indices = in_frame(rows, i, frame)
    held = [rows[j][2] for j in indices]
    kept = [v for v in held if v is not None or not call.ignore_nulls]
    options = [c.as_py() for c in call.constants]
    match call.name:
        case "NTH_VALUE":
            n, ordered = options[0], kept[::-1] if options[1:] == ["LAST"] else kept
            return ordered[n - 1] if len(ordered) >= n else None
        case "LAG":
            earlier = [rows[j][2] for j in indices[:-1]]
            earlier = [v for v in earlier if v is not None or not call.ignore_nulls]
            n = options[0] if options else 1
            if n == 0:
                return rows[i][2]
            return earlier[-n] if len(earlier) >= n else (options[1] if len(options) > 1 else None)
        case "EXP_AVG":
            half_life, now = call.constants[0].value, rows[i][0]
            present = [(2.0 ** ((rows[j][0] - now) / half_life), float(rows[j][2])) for j in indices if rows[j][2] is not None]
            weight = math.fsum(w for w, _ in present)
            return math.fsum(w * v for w, v in present) / weight if present and weight else None
    return len(held) if call.type is None else value_of(call.name, call.type, held, call.ignore_nulls)


FRAMES = st.sampled_from([("RANGE", n) for n in (0, 1, 5, None)] + [("ROWS", n) for n in (0, 1, 3, None)]).map(
    lambda f: Frame(*f)
)
N = st.integers(1, 3).map(lambda n: pa.scalar(n, pa.int32()))


@st.composite
def calls(draw: st.DrawFn, type: SqlType) -> Call:
    names = [name for name, types in ARGUMENTS.items() if type in types]
    name = draw(st.sampled_from([*names, "COUNT *", "NTH_VALUE", "LAG", *(["EXP_AVG"] if type.is_numeric else [])]))
    if name == "COUNT *":
        return Call("COUNT", None)
    options: tuple[Any, ...] = ()
    if name == "NTH_VALUE":
        options = (draw(N), *draw(st.sampled_from([(), (pa.scalar("LAST"),), (pa.scalar("FIRST"),)])))
    elif name == "LAG":
        default = st.none() | VALUES[type]
        given_default = draw(st.booleans())
        count = draw(st.integers(0, 3))
        options = (pa.scalar(count, pa.int32()), *([pa.scalar(draw(default), type.arrow())] if given_default else []))
    elif name == "EXP_AVG":
        options = (pa.scalar(draw(st.sampled_from([1, 3, 1000])), pa.duration("ms")),)
    ignore = name in ("NTH_VALUE", "LAG", "FIRST_VALUE", "LAST_VALUE") and draw(st.booleans())
    return Call(name, type, options, ignore)


@st.composite
def streams(draw: st.DrawFn, type: SqlType) -> list[Row]:
    steps = draw(st.lists(st.tuples(st.sampled_from([0, 0, 1, 2, 7]), st.integers(0, 2), st.none() | VALUES[type]), max_size=25))
    times = np.cumsum([step for step, _, _ in steps]).tolist()
    return [(time, key, value) for time, (_, key, value) in zip(times, steps, strict=True)]


@pytest.mark.parametrize("type", VALUES, ids=str)
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_every_call_and_frame(type: SqlType, data: st.DataObject) -> None:
    rows = data.draw(streams(type))
    windows = [(data.draw(FRAMES), data.draw(st.lists(calls(type), min_size=1, max_size=3))) for _ in range(2)]
    cuts = data.draw(st.lists(st.integers(0, 25), max_size=6))
    batch = batch_of(type, rows)

    def make() -> Over:
        return over(type, windows)

    whole = run(make, batch)
    assert whole == run(make, batch, cuts, restart=True)
    assert whole == run(make, batch, range(25))
    expected = [[expected_value(call, rows, i, frame) for frame, of in windows for call in of] for i in range(len(rows))]
    good = [line for line in expected if OverflowError not in line]
    assert len(whole) - min(len(good), 1) == len(rows) - len(good)
    if good:
        lines = zip(*(c.to_pylist() for c in whole[0].columns[3:]), strict=True)
        for ours, theirs in zip(lines, good, strict=True):
            assert all(same(a, b, type, last_digit(rows)) for a, b in zip(ours, theirs, strict=True)), (ours, theirs)


def last_digit(rows: list[Row]) -> float:
    """What the largest value cannot tell from itself."""
    return math.ulp(max((abs(float(value)) for *_, value in rows if isinstance(value, int | float | Decimal)), default=0.0))


def same(ours: Any, theirs: Any, type: SqlType, apart: float = 0.0) -> bool:
    """Equal; of floating-point results all but the last digits, and not closer than values can be that lie `apart`."""
    if not isinstance(theirs, float) or ours is None:
        return bool(ours == theirs)
    digits = 1e-6 if type.arrow() == pa.float32() else 1e-13
    if type.precision > 18:
        digits = 1e-10  # a double has not all the digits of the values, and their spread may be small beside them
    return math.isclose(ours, theirs, rel_tol=digits, abs_tol=max(apart, digits * 1e-3))


WEATHER = """
2018-11-01 01:00 Denver 29 | 01:00 Anchorage 2 | 06:00 Miami 65 | 07:00 Denver 32 | 09:00 Anchorage 9 | 13:00 Denver 50 |
           17:00 Anchorage 10 | 18:00 Miami 71 | 19:00 Denver 43
2018-11-02 01:00 Anchorage 4 | 01:00 Denver 39 | 07:00 Denver 46 | 09:00 Anchorage 3 | 13:00 Denver 56 | 17:00 Anchorage 2 |
           19:00 Denver 50
2018-11-03 01:00 Denver 36 | 01:00 Anchorage 1
"""
CITIES = ["Denver", "Anchorage", "Miami"]


def weather() -> list[Row]:
    rows = []
    for day, text in enumerate(WEATHER.split("2018-11-0")[1:]):
        for entry in text.split("|"):
            clock, city, temperature = entry.split()[-3:]
            rows.append((day * DAY + int(clock[:2]) * HOUR, CITIES.index(city), int(temperature)))
    return rows


def test_w1() -> None:
    """Dialect reference 9.2: both ends of a RANGE belong to it, later rows of the same ROWTIME do not."""
    range_of_a_day = Frame("RANGE", DAY)
    minima, maxima = values(
        lambda: over(INTEGER, [(range_of_a_day, [Call("MIN", INTEGER), Call("MAX", INTEGER)])], partitioned=False),
        INTEGER,
        weather(),
    )
    assert " ".join(f"{low},{high}" for low, high in zip(minima, maxima, strict=True)) == (
        "29,29 2,29 2,65 2,65 2,65 2,65 2,65 2,71 2,71 2,71 2,71 4,71 3,71 3,71 2,71 2,56 2,56 1,56"
    )


def test_w2() -> None:
    of_city = [Call("MIN", INTEGER), Call("MAX", INTEGER), Call("AVG", INTEGER)]
    lines = zip(*values(lambda: over(INTEGER, [(Frame("RANGE", DAY), of_city)]), INTEGER, weather(), 4, 11), strict=True)
    assert " ".join(",".join(map(str, line)) for line in lines) == (
        "29,29,29 2,2,2 65,65,65 29,32,30 2,9,5 29,50,37 2,10,7 65,71,68 29,50,38 2,10,6 29,50,38 32,50,42 3,10,6 39,56,46 "
        "2,10,4 39,56,46 36,56,45 1,4,2"
    )


def test_w3() -> None:
    operator = over(INTEGER, [(Frame("RANGE", HOUR), [Call("SUM", INTEGER)])])
    at = 10 * HOUR
    steps: list[Row | int] = [(at, 0, 10), (at + 10 * MINUTE, 1, 20), at + 15 * MINUTE, (at + 25 * MINUTE, 1, 15)]
    steps += [(at + 65 * MINUTE, 0, 30), at + 70 * MINUTE]
    sums: list[Any] = []
    for step in steps:
        if isinstance(step, int):
            assert list(operator.advance(step)) == [] and operator.bound(step) == step
        else:
            [output] = operator.push(batch_of(INTEGER, [step]))
            assert isinstance(output, pa.RecordBatch)
            sums += output.column(3).to_pylist()
    assert sums == [10, 20, 35, 30]


def test_w4() -> None:
    """ROWS 3 PRECEDING holds up to four rows; a row that arrives later with the same ROWTIME is not in the frame."""
    trades = [(t, 0, n) for n, t in enumerate([0, 5, 10, 15, 15, 20])]
    frames = [(Frame("ROWS", 3), [Call("COUNT", None)]), (Frame("RANGE", 0), [Call("COUNT", None), Call("LAST_VALUE", INTEGER)])]
    assert values(lambda: over(INTEGER, frames), INTEGER, trades) == [
        [1, 2, 3, 4, 4, 4],
        [1, 1, 1, 1, 2, 1],
        [0, 1, 2, 3, 4, 5],
    ]


def test_w5() -> None:
    """One output for an arrival, none for an expiry (the counts are those of the reference's rule, not of its drawing)."""
    arrivals = [(second * 1000, 0, 0) for second in (1, 2, 6, 7, 8, 8, 8)]
    assert values(lambda: over(INTEGER, [(Frame("RANGE", 5000), [Call("COUNT", None)])]), INTEGER, arrivals) == [
        [1, 2, 3, 3, 3, 4, 5]
    ]


def test_w6() -> None:
    prices = [(i, i % 2, float(price)) for i, price in enumerate([10, 1, 20, 2, 60, 3, 40, 7])]
    assert values(lambda: over(DOUBLE, [(Frame("ROWS", 2), [Call("AVG", DOUBLE)])]), DOUBLE, prices, 3) == [
        [10.0, 1.0, 15.0, 1.5, 30.0, 2.0, 40.0, 4.0]
    ]


def test_rows_that_fail_never_enter_a_window() -> None:
    def failing(rows: Rows) -> pa.Array:
        x = rows.batch.column(2)
        rows.fail(np.array([v == 0 for v in x.to_pylist()]), "division by zero")
        return x

    def make() -> Over:
        call = SlidingCall((failing,), Call("SUM", INTEGER).sliding().sliding)
        schema = pa.schema([*input_schema(INTEGER), ("C0", pa.int64())])
        counts = OverWindow((), (), Frame("ROWS", None), (Call("COUNT", None).sliding(),))
        schema = schema.append(pa.field("C1", pa.int64()))
        return Over(schema, [OverWindow((), (), Frame("ROWS", None), (call,)), counts], QueryTime())

    result, failed = run(make, batch_of(INTEGER, [(0, 0, 1), (1, 0, 0), (2, 0, 5)]))
    assert result.column(3).to_pylist() == [1, 6] and result.column(4).to_pylist() == [1, 2]
    assert failed.failure.message == "division by zero" and failed.rowtime == 1
    only_failures = run(make, batch_of(INTEGER, [(0, 0, 0)]))
    assert [row.failure.message for row in only_failures] == ["division by zero"]


def test_a_sum_out_of_range_fails_its_row_and_no_other() -> None:
    largest = 2**63 - 1
    rows = [(0, 0, largest), (1, 0, 1), (20, 0, 7), (21, 0, -8)]
    result, failed = run(lambda: over(BIGINT, [(Frame("RANGE", 10), [Call("SUM", BIGINT)])]), batch_of(BIGINT, rows))
    assert result.column(3).to_pylist() == [largest, 7, -1]
    assert (failed.failure.name, failed.failure.message) == ("Numeric overflow", "SUM is out of range for BIGINT")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (Call("NTH_VALUE", INTEGER, (pa.scalar(0, pa.int32()),)), "NTH_VALUE counts from 1"),
        (Call("LAG", INTEGER, (pa.scalar(-1, pa.int32()),)), "LAG counts from 0"),
        (Call("LAG", INTEGER, (pa.scalar(None, pa.int32()),)), "LAG counts from 0"),
        (Call("EXP_AVG", INTEGER, (pa.scalar(0, pa.duration("ms")),)), "the half-life of EXP_AVG must be positive"),
    ],
)
def test_constants_out_of_range(call: Call, message: str) -> None:
    outputs = run(lambda: over(INTEGER, [(Frame("ROWS", 1), [call])]), batch_of(INTEGER, [(0, 0, 1), (0, 0, 2)]))
    assert [row.failure.message for row in outputs] == [message, message]


def test_sums_do_not_drift() -> None:
    """Huge and tiny values in turn: a plain running sum would keep the rounding errors of the huge ones."""
    random = np.random.default_rng(2)
    rows = [(i, 0, float(x)) for i, x in enumerate(random.normal(0, 1, 20_000) * 10.0 ** random.integers(-6, 6, 20_000))]
    calls = [Call("SUM", DOUBLE), Call("VAR_POP", DOUBLE)]
    sums, variances = values(lambda: over(DOUBLE, [(Frame("RANGE", 9), calls)]), DOUBLE, rows)
    for i in range(10, 20_000, 37):
        frame = [value for _, _, value in rows[i - 9 : i + 1]]
        assert math.isclose(sums[i], math.fsum(frame), rel_tol=1e-13, abs_tol=1e-15)
        assert same(variances[i], value_of("VAR_POP", DOUBLE, frame), DOUBLE)


def test_a_small_spread_around_a_large_mean() -> None:
    rows = [(i, 0, 1e9 + (i * 7 % 1000) * 0.001) for i in range(3000)]
    [variances] = values(lambda: over(DOUBLE, [(Frame("ROWS", 999), [Call("VAR_SAMP", DOUBLE)])]), DOUBLE, rows, 1500)
    for i in (10, 1000, 2999):
        expected = value_of("VAR_SAMP", DOUBLE, [value for _, _, value in rows[max(0, i - 999) : i + 1]])
        assert math.isclose(variances[i], expected, rel_tol=1e-10)


def test_an_empty_frame_starts_from_zero() -> None:
    """The sum of these three loses the 1.0; nothing of that may remain."""
    rows = [(0, 0, 1e280), (1, 0, 1e100), (2, 0, 1.0), (100, 0, 5.0), (101, 0, 6.0)]
    [sums] = values(lambda: over(DOUBLE, [(Frame("RANGE", 10), [Call("SUM", DOUBLE)])]), DOUBLE, rows)
    assert sums[3:] == [5.0, 11.0]


def test_equal_values_have_no_spread() -> None:
    """Whatever was in the frame before them."""
    rows = [(i, 0, x) for i, x in enumerate([3.3, 1e3, 7.77, 0.1, 0.1, 0.1, 0.1, 1e-5, None, None, None, 1e-5])]
    [deviations] = values(lambda: over(DOUBLE, [(Frame("ROWS", 2), [Call("STDDEV_POP", DOUBLE)])]), DOUBLE, rows)
    assert [d == 0.0 for d in deviations[5:10]] == [True, True, False, False, True]
    assert deviations[10:] == [None, 0.0]


def test_infinities_and_nan_leave_no_trace() -> None:
    numbers = [1.0, math.inf, 2.0, math.nan, 3.0, -math.inf, 4.0, 5.0, 1.7e308, 6.0, 7.0]
    rows = [(i, 0, x) for i, x in enumerate(numbers)]
    calls = [Call(name, DOUBLE) for name in ("SUM", "MAX", "MIN", "VAR_POP")]
    columns = values(lambda: over(DOUBLE, [(Frame("ROWS", 1), calls)]), DOUBLE, rows)
    sums = [1.0, math.inf, math.inf, math.nan, math.nan, -math.inf, -math.inf, 9.0, math.inf, math.inf, 13.0]
    assert np.array_equal(columns[0], sums, equal_nan=True)
    assert np.array_equal(columns[1][:5], [1.0, math.inf, math.inf, math.nan, math.nan], equal_nan=True)
    assert columns[2] == [1.0, 1.0, 2.0, 2.0, 3.0, -math.inf, -math.inf, 4.0, 5.0, 6.0, 6.0]
    assert columns[3][7] == 0.25 and columns[3][10] == 0.25 and math.isnan(columns[3][2])


def test_exponential_average_of_a_long_stream() -> None:
    """More half-lives than a double has exponents: the origin moves, also between batches."""
    rows = [(i * 100, i % 2, float(i % 7)) for i in range(6000)]
    half_life = (pa.scalar(10, pa.duration("ms")),)
    for frame in (Frame("RANGE", 1000), Frame("ROWS", None)):
        call = Call("EXP_AVG", DOUBLE, half_life)
        make = partial(over, DOUBLE, [(frame, [call])])
        [whole] = values(make, DOUBLE, rows)
        assert [whole] == values(make, DOUBLE, rows, 1, 17, 3000, 3001)
        for i in range(0, 6000, 611):
            nearby = rows[max(0, i - 40) : i + 1]
            assert math.isclose(whole[i], expected_value(call, nearby, len(nearby) - 1, frame), rel_tol=1e-12)


def test_partitions_come_and_go() -> None:
    """A key that follows the time: the windows forget what has left them, and give the same."""
    rows = [(i, i // 3 % 5000, i % 11) for i in range(18_000)]
    kinds = [Call("COUNT", None), Call("SUM", INTEGER), Call("MAX", INTEGER), Call("STDDEV", INTEGER)]
    kinds += [Call("FIRST_VALUE", INTEGER), Call("LAG", INTEGER), Call("EXP_AVG", INTEGER, (pa.scalar(50, pa.duration("ms")),))]
    operator = over(INTEGER, [(Frame("RANGE", 30), kinds)])
    [reference] = run(lambda: over(INTEGER, [(Frame("RANGE", 30), kinds)]), batch_of(INTEGER, rows))
    result = [output for i in range(0, 18_000, 500) for output in operator.push(batch_of(INTEGER, rows[i : i + 500]))]
    assert pa.Table.from_batches(result).combine_chunks().to_batches()[0].equals(reference)
    assert operator.state["window 0 partitions"].save().num_rows < 2500
    for i in range(0, 18_000, 251):
        window = rows[max(0, i - 60) : i + 1]
        expected = [expected_value(call, window, len(window) - 1, Frame("RANGE", 30)) for call in kinds]
        assert all(same(reference.column(3 + n)[i].as_py(), value, DOUBLE) for n, value in enumerate(expected))


def test_the_same_as_duckdb() -> None:
    random = np.random.default_rng(11)
    times = np.cumsum(random.integers(1, 50, 3000))
    x = pa.array(random.normal(0, 5, 3000), mask=random.random(3000) < 0.1)
    columns = [pa.array(times, pa.timestamp("ms")), pa.array(random.integers(0, 20, 3000)), x]
    batch = pa.RecordBatch.from_arrays(columns, schema=input_schema(DOUBLE))
    names = ["COUNT", "SUM", "AVG", "MIN", "MAX", "VAR_SAMP", "STDDEV_POP", "FIRST_VALUE", "LAST_VALUE"]
    for frame, clause in ((Frame("RANGE", 3000), "RANGE INTERVAL 3 SECOND"), (Frame("ROWS", 5), "ROWS 5")):
        [result] = run(partial(over, DOUBLE, [(frame, [Call(name, DOUBLE) for name in names])]), batch, [700, 701, 1500])
        columns_of = ", ".join(f"{name}(X) OVER w" for name in names)
        window = f"(PARTITION BY K ORDER BY ROWTIME {clause} PRECEDING)"
        theirs = duckdb.sql(f"SELECT {columns_of} FROM batch WINDOW w AS {window} ORDER BY ROWTIME").fetchall()
        for i, expected in enumerate(theirs):
            ours = [c[i].as_py() for c in result.columns[3:]]
            assert all(math.isclose(a, b, rel_tol=1e-9) if isinstance(b, float) else a == b for a, b in zip(ours, expected))


def test_strings_of_any_partition_key() -> None:
    """Keys may be of any type and several; values too."""
    schema = pa.schema([("ROWTIME", pa.timestamp("ms")), ("A", pa.string()), ("B", pa.date32()), ("X", pa.string())])
    rows = [(0, "a", 1, "p"), (1, None, 1, "q"), (2, "a", 1, "r"), (3, None, 1, None), (4, "a", 2, "s")]
    batch = pa.RecordBatch.from_arrays([pa.array([r[i] for r in rows], f.type) for i, f in enumerate(schema)], schema=schema)
    lag = AGGREGATES["LAG"][0].sliding
    assert lag is not None
    call = SlidingCall((column(3),), lag([varchar(1)], varchar(1), False))
    window = OverWindow((column(1), column(2)), (pa.string(), pa.date32()), Frame("ROWS", 1), (call,))
    [result] = Over(schema.append(pa.field("LAG", pa.string())), [window], QueryTime()).push(batch)
    assert isinstance(result, pa.RecordBatch)
    assert result.column(4).to_pylist() == [None, None, "p", "q", None]
