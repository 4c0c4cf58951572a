"""FLOOR, CEIL, STEP, EXTRACT, epoch milliseconds and the current time (dialect reference 4.2, 5.4)."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from function_calls import NOW, Value, Word, call, clock, day, null, rows_of, span, ts

from streamsql.functions.calendar import add_months, ceil_to, floor_to, months_between
from streamsql.functions.monotone import Monotonicity
from streamsql.functions.registry import SCALARS
from streamsql.functions.rounding import floor_timestamp, step
from streamsql.time import from_datetime
from streamsql.types import BIGINT, DATE, INTEGER, TIMESTAMP

T = ts("2004-09-30 13:48:23")
UNITS = ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR")


@pytest.mark.parametrize(
    ("unit", "floor", "ceil"),
    [
        ("SECOND", "2004-09-30 13:48:23", "2004-09-30 13:48:23"),
        ("MINUTE", "2004-09-30 13:48:00", "2004-09-30 13:49:00"),
        ("HOUR", "2004-09-30 13:00:00", "2004-09-30 14:00:00"),
        ("DAY", "2004-09-30 00:00:00", "2004-10-01 00:00:00"),
        ("MONTH", "2004-09-01 00:00:00", "2004-10-01 00:00:00"),
        ("YEAR", "2004-01-01 00:00:00", "2005-01-01 00:00:00"),
    ],
)
def test_floor_and_ceil_of_a_timestamp(unit, floor, ceil):
    assert call("FLOOR", T, Word(unit)) == floor
    assert call("CEIL", T, Word(unit)) == ceil
    assert call("CEILING", T, Word(unit)) == ceil
    assert call("CEIL", ts(floor), Word(unit)) == floor
    assert call("FLOOR", null(TIMESTAMP), Word(unit)) is None


@pytest.mark.parametrize(
    ("name", "value", "unit", "result"),
    [
        ("FLOOR", ts("1969-12-31 23:59:59.999"), "MINUTE", "1969-12-31 23:59:00"),
        ("CEIL", ts("1969-12-31 23:59:59.999"), "MONTH", "1970-01-01 00:00:00"),
        ("FLOOR", day("2004-09-30"), "MONTH", "2004-09-01"),
        ("FLOOR", day("1965-09-30"), "YEAR", "1965-01-01"),
        ("CEIL", day("2004-09-30"), "YEAR", "2005-01-01"),
        ("CEIL", day("2004-09-30"), "DAY", "2004-09-30"),
        ("FLOOR", clock("13:48:23.5"), "MINUTE", "13:48:00"),
        ("CEIL", clock("13:48:23.5"), "SECOND", "13:48:24"),
        ("CEIL", clock("23:48:23"), "HOUR", "00:00:00"),
        ("FLOOR", span("10.5", "SECOND"), "SECOND", "+10"),
        ("FLOOR", span("-10.5", "SECOND"), "SECOND", "-11"),
        ("CEIL", span("10.5", "SECOND"), "SECOND", "+11"),
        ("FLOOR", span("1-6", "YEAR", "MONTH"), "YEAR", "+1-00"),
    ],
)
def test_floor_and_ceil_of_other_types(name, value, unit, result):
    assert call(name, value, Word(unit)) == result


@pytest.mark.parametrize(
    ("value", "length", "result"),
    [
        (T, span("10", "SECOND"), "2004-09-30 13:48:20"),
        (T, span("2", "HOUR"), "2004-09-30 12:00:00"),
        (T, span("5", "MINUTE"), "2004-09-30 13:45:00"),
        (T, span("1", "YEAR"), "2004-01-01 00:00:00"),
        (T, span("3", "MONTH"), "2004-07-01 00:00:00"),
        (ts("2004-09-27 13:48:23"), span("5", "DAY"), "2004-09-24 00:00:00"),
        (ts("1969-12-31 23:59:59"), span("10", "SECOND"), "1969-12-31 23:59:50"),
        (ts("1969-11-30 00:00:00"), span("6", "MONTH"), "1969-07-01 00:00:00"),
        (clock("13:48:23"), span("5", "MINUTE"), "13:45:00"),
        (day("2004-09-27"), span("5", "DAY"), "2004-09-24"),
        (day("2004-09-27"), span("1", "YEAR"), "2004-01-01"),
        (T, span("0", "SECOND"), "error: the interval of STEP must be positive"),
        (T, span("-1", "MONTH"), "error: the interval of STEP must be positive"),
        (null(TIMESTAMP), span("1", "SECOND"), None),
    ],
)
def test_step(value, length, result):
    assert call("STEP", value, length) == result


def times_around_boundaries():
    random = np.random.default_rng(2)
    boundaries = [datetime(y, m, 1, tzinfo=UTC) for y in (1899, 1969, 1970, 2000, 2024) for m in (1, 2, 3, 12)]
    around = [from_datetime(b) + d for b in boundaries for d in (-1, 0, 1)]
    return around + random.integers(-(10**13), 10**13, 300).tolist()


def calendar_floor(t, unit):
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=t)
    zeros = {"microsecond": 0, "second": 0, "minute": 0, "hour": 0, "day": 1, "month": 1}
    return from_datetime(moment.replace(**dict(list(zeros.items())[: UNITS.index(unit) + 1])))


@pytest.mark.parametrize("unit", UNITS)
def test_rounding_agrees_with_the_calendar(unit):
    times = times_around_boundaries()
    floors = floor_to(np.array(times), unit)
    assert floors.tolist() == [calendar_floor(t, unit) for t in times]
    ceils = ceil_to(np.array(times), unit)
    assert ((ceils == floors) == (floors == times)).all()
    assert (floor_to(ceils, unit) == ceils).all()
    assert (floor_to(ceils - 1, unit) == np.where(ceils == floors, floor_to(floors - 1, unit), floors)).all()


def records_with_next_change():
    lengths = {"DAYTIME": [[10_000], [7_200_000], [432_000_000]], "YEARMONTH": [[1], [6], [36]]}
    arguments = {"UNIT": [[unit] for unit in UNITS], **lengths}
    for records in SCALARS.values():
        for record in records:
            if record.next_change:
                for rest in arguments[record.signature.parameters[1].type]:
                    yield record, rest


@pytest.mark.parametrize(("record", "rest"), list(records_with_next_change()), ids=lambda v: getattr(v, "name", str(v)))
def test_next_change_is_the_first_time_with_another_result(record, rest):
    kind = record.signature.parameters[1].type
    datum = rest[0] if kind == "UNIT" else pa.scalar(rest[0], pa.duration("ms") if kind == "DAYTIME" else pa.int32())

    def at(*times):
        return record.implementation(rows_of(len(times)), pa.array(times, pa.timestamp("ms")), datum).to_pylist()

    for t in times_around_boundaries()[::3]:
        change = record.next_change(t, *rest)
        assert change > t
        here, before, after = at(t, change - 1, change)
        assert here == before
        assert after > here


def test_functions_that_follow_time():
    up, still = Monotonicity.ASCENDING, Monotonicity.CONSTANT
    for name in ("FLOOR", "CEIL", "CEILING", "STEP", "TO_TIMESTAMP", "UNIX_TIMESTAMP", "MONOTONIC", "SUBSTRING"):
        for record in SCALARS[name]:
            if record.monotone is not None:
                directions = [up] + [still] * (len(record.signature.parameters) - 1)
                assert record.monotone(directions, [None, 0, 4][: len(directions)]) is up
    for name in ("CURRENT_ROW_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "CURRENT_DATE"):
        assert SCALARS[name][0].monotone([], []) is up


def test_months_are_added_and_counted():
    start = np.array([from_datetime(datetime(2024, 1, 31, 10, tzinfo=UTC))])
    later = add_months(start, np.array([1]))
    assert later[0] == from_datetime(datetime(2024, 2, 29, 10, tzinfo=UTC))
    assert months_between(later, start)[0] == 0
    assert months_between(add_months(start, np.array([12])), start)[0] == 12
    assert months_between(start, add_months(start, np.array([12])))[0] == -12


@pytest.mark.parametrize(
    ("unit", "value", "result"),
    [
        ("YEAR", T, "2004"),
        ("MONTH", T, "9"),
        ("DAY", T, "30"),
        ("HOUR", T, "13"),
        ("MINUTE", T, "48"),
        ("SECOND", ts("2018-05-09 12:50:41.337"), "41.337"),
        ("SECOND", ts("1969-12-31 23:59:59.5"), "59.500"),
        ("HOUR", ts("1969-12-31 23:59:59.5"), "23"),
        ("DAY", day("1969-12-31"), "31"),
        ("HOUR", clock("13:48:23"), "13"),
        ("SECOND", clock("13:48:23.5"), "23.500"),
        ("DAY", span("2 3:4:5.678", "DAY", "SECOND"), "2"),
        ("HOUR", span("2 3:4:5.678", "DAY", "SECOND"), "3"),
        ("MINUTE", span("2 3:4:5.678", "DAY", "SECOND"), "4"),
        ("SECOND", span("2 3:4:5.678", "DAY", "SECOND"), "5.678"),
        ("HOUR", span("-2 3:4:5.678", "DAY", "SECOND"), "-3"),
        ("YEAR", span("3-4", "YEAR", "MONTH"), "3"),
        ("MONTH", span("-3-4", "YEAR", "MONTH"), "-4"),
        ("SECOND", null(TIMESTAMP), None),
        ("YEAR", null(DATE), None),
    ],
)
def test_extract(unit, value, result):
    assert call("EXTRACT", Word(unit), value) == result


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("TSDIFF", (ts("2004-09-30 13:48:23"), ts("2004-09-30 13:48:24")), "1000"),
        ("TSDIFF", (Value(5000, BIGINT), Value(2000, BIGINT)), "-3000"),
        ("TSDIFF", (null(TIMESTAMP), ts("2004-09-30 13:48:24")), None),
        ("TO_TIMESTAMP", (1525870241337,), "2018-05-09 12:50:41.337"),
        ("TO_TIMESTAMP", (Value(5, INTEGER),), "1970-01-01 00:00:00.005"),
        ("UNIX_TIMESTAMP", (ts("2018-05-09 12:50:41.337"),), "1525870241337"),
        ("CURRENT_TIMESTAMP", (), "2018-05-09 12:50:41.337"),
        ("LOCALTIMESTAMP", (), "2018-05-09 12:50:41.337"),
        ("CURRENT_ROW_TIMESTAMP", (), "2018-05-09 12:50:41.337"),
        ("CURRENT_DATE", (), "2018-05-09"),
        ("CURRENT_TIME", (), "12:50:41.337"),
        ("LOCALTIME", (), "12:50:41.337"),
        ("MONOTONIC", (7,), "7"),
    ],
)
def test_other_functions_of_time(name, arguments, result):
    assert call(name, *arguments) == result


def test_the_clock_is_read_anew_for_current_row_timestamp():
    rows = rows_of(1)
    function = SCALARS["CURRENT_ROW_TIMESTAMP"][0]
    assert function.volatile
    rows.time.clock.set(NOW + 5)
    assert function.implementation(rows).cast(pa.int64()).as_py() == NOW + 5
    assert SCALARS["CURRENT_TIMESTAMP"][0].implementation(rows).cast(pa.int64()).as_py() == NOW


def test_nulls_and_slices_of_columns():
    column = pa.array([None, 61_000, None, -1], pa.timestamp("ms")).slice(1)
    expected = pa.array([60_000, None, -60_000], pa.timestamp("ms"))
    assert floor_timestamp(rows_of(3), column, "MINUTE").equals(expected)
    assert step(rows_of(3), column, pa.scalar(60_000, pa.duration("ms"))).equals(expected)
    lengths = pa.array([60_000, 1, 0], pa.duration("ms"))
    rows = rows_of(3)
    assert step(rows, column, lengths).to_pylist() == [expected[0].as_py(), None, None]
    assert list(rows.failures) == [2]
