"""CAST and assignment (dialect reference 2.3, 2.4, 12.7, 12.10; the cases K of 9.6)."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from function_calls import Value, cast, clock, day, null, rows_of, span, ts

from streamsql.datetime_text import parse_timestamp, timestamp_cast_text, timestamps_cast_text, timestamps_of, timestamps_text
from streamsql.functions.cast import converter
from streamsql.functions.java.number_text import java_text, numbers_text, parse_number
from streamsql.rows import ErrorName
from streamsql.time import timestamp_text
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    REAL,
    SMALLINT,
    TIME,
    TIMESTAMP,
    TINYINT,
    Kind,
    SqlType,
    char,
    decimal,
    interval,
    varchar,
)

D = Decimal
BINARY4, VARBINARY4 = SqlType(Kind.BINARY, length=4), SqlType(Kind.VARBINARY, length=4)


@pytest.mark.parametrize(
    ("value", "target", "text"),
    [
        (2.5, INTEGER, "3"),
        (-2.5, INTEGER, "-3"),
        (-1.7, INTEGER, "-2"),
        (0.49999999999999994, INTEGER, "0"),
        (D("2.5"), INTEGER, "3"),
        (D("-2.49"), BIGINT, "-2"),
        (D("9.5"), TINYINT, "10"),
        (300, TINYINT, "error: 300 is out of range for TINYINT"),
        (1e10, INTEGER, "error: 1.0E10 is out of range for INTEGER"),
        (9.3e18, BIGINT, "error: 9.3E18 is out of range for BIGINT"),
        (float("nan"), INTEGER, "error: NaN is out of range for INTEGER"),
        (41, SMALLINT, "41"),
        (7, DOUBLE, "7.0"),
        (7, REAL, "7.0"),
        (1e300, REAL, "error: 1.0E300 is out of range for REAL"),
        (D("9.995"), DOUBLE, "9.995"),
        (D("41.337"), INTEGER, "41"),
        (2.675, decimal(5, 2), "2.68"),
        (-2.675, decimal(5, 2), "-2.68"),
        (2.5, decimal(5, 0), "3"),
        (999.996, decimal(5, 2), "error: 999.996 is out of range for DECIMAL(5, 2)"),
        (0.29, decimal(18, 17), "0.29000000000000000"),
        (D("2.345"), decimal(5, 2), "2.35"),
        (D("999.995"), decimal(5, 2), "error: 999.995 is out of range for DECIMAL(5, 2)"),
        (5, decimal(3, 2), "5.00"),
        (12, decimal(3, 2), "error: 12 is out of range for DECIMAL(3, 2)"),
        (null(INTEGER), decimal(3, 2), None),
        (null(DOUBLE), decimal(3, 2), None),
        (null(DOUBLE), INTEGER, None),
    ],
)
def test_numbers_to_numbers(value, target, text):
    assert cast(value, target) == text
    assert cast(value, target, assignment=True) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e10, "1.0E10"),
        (1234567.0, "1234567.0"),
        (1e7, "1.0E7"),
        (1.5e-6, "1.5E-6"),
        (0.001, "0.001"),
        (9.99e-4, "9.99E-4"),
        (-0.0, "-0.0"),
        (123456789.125, "1.23456789125E8"),
        (float("inf"), "Infinity"),
        (Value(0.1, REAL), "0.1"),
        (Value(8671.3125, REAL), "8671.3125"),
        (Value(16777216.0, REAL), "1.6777216E7"),
        (D("2.50"), "2.50"),
        (Value(D("0.0000001"), decimal(8, 7)), "0.0000001"),
        (-42, "-42"),
        (True, "TRUE"),
        (False, "FALSE"),
        (null(BOOLEAN), None),
        (ts("2004-09-30 13:48:23"), "2004-09-30 13:48:23"),
        (ts("2004-09-30 13:48:23.5"), "2004-09-30 13:48:23.500"),
        (day("2008-08-23"), "2008-08-23"),
        (clock("03:04:05"), "03:04:05"),
        (clock("03:04:05.25"), "03:04:05.250"),
        (span("6:11", "MINUTE", "SECOND"), "+6:11"),
        (span("371", "SECOND", precision=3), "+371"),
        (span("2 0:6:11", "DAY", "SECOND"), "+2 00:06:11"),
        (span("3 4:20", "DAY", "MINUTE"), "+3 04:20"),
        (span("-3 4:20", "DAY", "MINUTE"), "-3 04:20"),
        (span("2 3:4:5.678", "DAY", "SECOND"), "+2 03:04:05.678"),
        (span("4-4", "YEAR", "MONTH"), "+4-04"),
        (span("0", "DAY"), "+0"),
        (null(interval("DAY")), None),
    ],
)
def test_values_to_text(value, text):
    assert cast(value, varchar()) == text


@pytest.mark.parametrize(
    ("value", "target", "explicit", "assigned"),
    [
        ("abcdef", varchar(4), 'error: "abcdef" does not fit into VARCHAR(4)', "abcd"),
        ("ab", char(4), "ab  ", "ab  "),
        ("abcdef", char(4), 'error: "abcdef" does not fit into CHAR(4)', "abcd"),
        (Value("ab  ", char(4)), varchar(2), "ab", "ab"),
        ("äöü", varchar(3), "äöü", "äöü"),
        ("äöüß", varchar(3), 'error: "äöüß" does not fit into VARCHAR(3)', "äöü"),
        (null(varchar(9)), varchar(3), None, None),
        (day("2008-08-23"), varchar(10), "2008-08-23", "no such cast"),
        (day("2008-08-23"), varchar(9), 'error: "2008-08-23" does not fit into VARCHAR(9)', "no such cast"),
        (day("2008-08-23"), char(12), "2008-08-23  ", "no such cast"),
        (ts("2004-09-30 13:48:23"), varchar(19), "2004-09-30 13:48:23", "no such cast"),
        (
            ts("2004-09-30 13:48:23"),
            varchar(18),
            'error: "2004-09-30 13:48:23" does not fit into VARCHAR(18)',
            "no such cast",
        ),
        (span("2 0:6:11", "DAY", "SECOND"), varchar(8), "+2 00:06", "no such cast"),
        (12345, varchar(3), 'error: "12345" does not fit into VARCHAR(3)', "no such cast"),
        (True, varchar(4), "TRUE", "no such cast"),
    ],
)
def test_the_length_of_text(value, target, explicit, assigned):
    assert cast(value, target) == explicit
    assert cast(value, target, assignment=True) == assigned


@pytest.mark.parametrize(
    ("text", "target", "result"),
    [
        ("12", INTEGER, "12"),
        (" -12 ", INTEGER, "-12"),
        ("+7", INTEGER, "7"),
        ("a", INTEGER, 'error: For input string: "a"'),
        ("1.5", INTEGER, 'error: For input string: "1.5"'),
        ("0x1F", INTEGER, 'error: For input string: "0x1F"'),
        ("300", TINYINT, 'error: For input string: "300"'),
        ("", BIGINT, 'error: For input string: ""'),
        ("1.5", DOUBLE, "1.5"),
        ("-1.5E-6", DOUBLE, "-1.5E-6"),
        ("nan", DOUBLE, 'error: For input string: "nan"'),
        ("1e999", DOUBLE, 'error: For input string: "1e999"'),
        ("0.1", REAL, "0.1"),
        ("1e39", REAL, 'error: For input string: "1e39"'),
        ("23", decimal(18), "23"),
        ("2.345", decimal(5, 2), "2.35"),
        ("1e2", decimal(5, 2), "100.00"),
        ("1000", decimal(5, 2), 'error: For input string: "1000"'),
        ("999.999", decimal(5, 2), 'error: For input string: "999.999"'),
        ("1e99", decimal(5, 2), 'error: For input string: "1e99"'),
        ("true", BOOLEAN, "TRUE"),
        (" False ", BOOLEAN, "FALSE"),
        ("unknown", BOOLEAN, None),
        ("yes", BOOLEAN, 'error: For input string: "yes"'),
        ("2008-08-23", DATE, "2008-08-23"),
        ("2008-08-23 10:00:00", DATE, "error: not in format 'yyyy-MM-dd': '2008-08-23 10:00:00'"),
        ("2008-13-23", DATE, "error: month must be in 1..12: '2008-13-23'"),
        (" 21:23:45.0", TIME, "21:23:45"),
        ("21:23:34.11", TIME, "21:23:34.110"),
        ("21:23", TIME, "error: not in format 'HH:mm:ss': '21:23'"),
        ("21:23:34:11", TIME, "error: not in format 'HH:mm:ss': '21:23:34:11'"),
        ("2007-02-19 21:23:45.0", TIME, "error: not in format 'HH:mm:ss': '2007-02-19 21:23:45.0'"),
        ("2007-02-19 21:23:45", TIMESTAMP, "2007-02-19 21:23:45"),
        ("2007-02-19 21:23:45.0", TIMESTAMP, "2007-02-19 21:23:45"),
        ("2004-05-01 1:03:34", TIMESTAMP, "2004-05-01 01:03:34"),
        ("2007-02-19 21:23:45.1239", TIMESTAMP, "2007-02-19 21:23:45.123"),
        ("2007-02-19 21:25", TIMESTAMP, "error: not in format 'yyyy-MM-dd HH:mm:ss': '2007-02-19 21:25'"),
        ("2007-02-19T21:25:00", TIMESTAMP, "error: not in format 'yyyy-MM-dd HH:mm:ss': '2007-02-19T21:25:00'"),
        ("2007-02-29 21:25:00", TIMESTAMP, "error: day is out of range for month: '2007-02-29 21:25:00'"),
        ("2007-02-19 24:25:00", TIMESTAMP, "error: no time of day: '2007-02-19 24:25:00'"),
        ("3 4", interval("DAY", "HOUR"), "+3 04"),
        ("-2 3:4:5.678", interval("DAY", "SECOND"), "-2 03:04:05.678"),
        ("3:45:04.0", interval("DAY", "HOUR"), "error: illegal interval '3:45:04.0' for DAY TO HOUR"),
        ("120", interval("MINUTE"), "error: Interval field value 120 exceeds precision of MINUTE(2) field"),
        ("1 24", interval("DAY", "HOUR"), "error: interval field HOUR must be below 24: '1 24'"),
        ("3-4", interval("YEAR", "MONTH"), "+3-04"),
    ],
)
def test_text_to_values(text, target, result):
    assert cast(text, target) == result
    assert cast(text, target, assignment=True) == "no such cast"


@pytest.mark.parametrize(
    ("value", "target", "result"),
    [
        (day("2008-08-23"), TIMESTAMP, "2008-08-23 00:00:00"),
        (day("1960-08-23"), TIMESTAMP, "1960-08-23 00:00:00"),
        (clock("10:00:00"), TIMESTAMP, "2018-05-09 10:00:00"),
        (ts("1960-09-30 13:48:23.5"), DATE, "1960-09-30"),
        (ts("1960-09-30 13:48:23.5"), TIME, "13:48:23.500"),
        (ts("2004-09-30 13:48:23.5"), TIMESTAMP, "2004-09-30 13:48:23.500"),
        (span("2 3:4:5", "DAY", "SECOND"), interval("DAY", "HOUR"), "+2 03"),
        (span("-2 3:4:5", "DAY", "SECOND"), interval("HOUR"), "-51"),
        (span("3-4", "YEAR", "MONTH"), interval("YEAR"), "+3"),
        (span("120", "MINUTE", precision=3), decimal(4), "120"),
        (span("120", "MINUTE", precision=3), decimal(3), "120"),
        (span("120", "MINUTE", precision=3), decimal(4, 2), "error: 120 is out of range for DECIMAL(4, 2)"),
        (span("120", "MINUTE", precision=3), decimal(2), "error: 120 is out of range for DECIMAL(2, 0)"),
        (span("120", "MINUTE", precision=3), BIGINT, "120"),
        (span("1.1", "SECOND"), decimal(2, 1), "1.1"),
        (span("1.1", "SECOND"), decimal(1, 1), "error: 1.100 is out of range for DECIMAL(1, 1)"),
        (span("1", "YEAR"), decimal(2, 1), "1.0"),
        (span("2 3", "DAY", "HOUR"), BIGINT, "no such cast"),
        (null(interval("DAY")), BIGINT, None),
        (5, interval("DAY"), "no such cast"),
        (Value(b"ab", VARBINARY4), BINARY4, b"ab\0\0"),
    ],
)
def test_times_intervals_and_bytes(value, target, result):
    assert cast(value, target) == result


def test_bytes_are_refused_or_cut_like_text():
    source = Value(b"abcdef", SqlType(Kind.VARBINARY, length=9))
    assert cast(source, VARBINARY4) == "error: 6 bytes do not fit into VARBINARY(4)"
    assert cast(source, VARBINARY4, assignment=True) == b"abcd"


def test_only_the_bad_rows_fail():
    convert = converter(varchar(9), INTEGER, False)
    rows = rows_of(5)
    result = convert(rows, pa.array(["1", "a", None, "3", "1.5"]))
    assert result.to_pylist() == [1, None, None, 3, None]
    assert {i: (f.name, f.message) for i, f in rows.failures.items()} == {
        1: (ErrorName.COERCION, 'For input string: "a"'),
        4: (ErrorName.COERCION, 'For input string: "1.5"'),
    }


def test_timestamps_as_text_and_back_agree_with_the_single_ones():
    random = np.random.default_rng(7)
    values = random.integers(-62_135_596_800_000, 253_402_300_799_999, 3000)
    values[::7] = values[::7] // 1000 * 1000
    near = np.arange(1_525_870_241_000, 1_525_870_241_000 + 3_000_000, 999)
    for milliseconds in (values, near, values[:0]):
        times = pa.array([None, *milliseconds.tolist(), None], pa.timestamp("ms")).slice(1)
        texts = timestamps_text(times)
        assert texts.to_pylist() == [timestamp_text(t) for t in milliseconds.tolist()] + [None]
        assert timestamps_cast_text(times).to_pylist() == [timestamp_cast_text(t) for t in milliseconds.tolist()] + [None]
        assert timestamps_of(texts).equals(times)


def test_years_of_five_digits_take_the_slow_way():
    far = pa.array([253_402_300_800_000, None], pa.timestamp("ms"))
    assert timestamps_cast_text(far).to_pylist() == ["10000-01-01 00:00:00", None]


IRREGULAR = ["2018-05-09 24:00:00", "0000-01-01 00:00:00", "2018-05-09 1:00:00", "2018-05-09 12:50:41Z", "x" * 19]


@pytest.mark.parametrize("text", IRREGULAR)
def test_the_fast_way_refuses_what_needs_a_closer_look(text):
    assert timestamps_of(pa.array(["2018-05-09 12:50:41", text])) is None


@pytest.mark.parametrize("type", [pa.float64(), pa.float32()])
def test_number_texts_agree_with_the_single_ones(type):
    random = np.random.default_rng(3)
    values = np.concatenate([random.normal(size=500) * 10.0 ** random.integers(-12, 12, 500), np.arange(-50.0, 50.0)])
    column = pa.array(values.astype(type.to_pandas_dtype()))
    expected = [java_text(value) for value in column.to_numpy()]
    assert numbers_text(column).to_pylist() == expected
    assert [parse_number(text, type) for text in expected] == [float(v) for v in column.to_numpy()]


def test_doubles_to_decimals_agree_with_their_digits():
    random = np.random.default_rng(5)
    values = np.concatenate([random.normal(size=800) * 1000, random.integers(-99999, 99999, 800) / 1000])
    convert = converter(DOUBLE, decimal(12, 2), False)
    expected = [D(repr(float(v))).quantize(D("0.01"), "ROUND_HALF_UP") for v in values]
    assert convert(rows_of(len(values)), pa.array(values)).to_pylist() == expected


def test_parse_timestamp_needs_all_fields():
    with pytest.raises(ValueError, match="not in format"):
        parse_timestamp("2018-05-09")
