"""Operators, IS tests, IN, AND, OR, CASE and their kin (dialect reference 2.2, 5.1, 5.5; the cases B and D of 9.6)."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from function_calls import Value, Word, call, clock, day, null, rows_of, span, ts

from streamsql.functions.arithmetic import arithmetic
from streamsql.functions.comparisons import in_
from streamsql.functions.conditional import and_, case, coalesce, or_
from streamsql.functions.monotone import Monotonicity
from streamsql.functions.registry import SCALARS
from streamsql.rows import ErrorName
from streamsql.types import BIGINT, BOOLEAN, INTEGER, REAL, TIMESTAMP, TINYINT, Kind, SqlType, decimal, varchar

D = Decimal
TRUE, FALSE, UNKNOWN = True, False, null(BOOLEAN)
VARBINARY = SqlType(Kind.VARBINARY, length=4)


@pytest.mark.parametrize(
    ("symbol", "x", "y", "result"),
    [
        ("/", 5, 2, "2"),
        ("/", -7, 2, "-3"),
        ("/", 7, -2, "-3"),
        ("+", D("3.0"), 2, "5.0"),
        ("+", D("2.0"), D("2.0"), "4.0"),
        ("/", D("5.0"), 2, "2.500000000000"),
        ("/", D("2.0"), 3, "0.666666666667"),
        ("/", D("-2.0"), 3, "-0.666666666667"),
        ("/", Value(D("7.00"), decimal(18, 2)), Value(3, BIGINT), "2.33"),
        ("/", 1.0, 0, "error: division by zero"),
        ("/", Value(1.5, REAL), 0, "error: division by zero"),
        ("/", 1, 0, "error: division by zero"),
        ("/", D("1.5"), 0, "error: division by zero"),
        ("/", null(INTEGER), 0, None),
        ("/", 1, null(INTEGER), None),
        ("/", Value(-(2**31), INTEGER), -1, "error: -2147483648 / -1 is out of range"),
        ("+", 2147483647, 1, "error: 2147483647 + 1 is out of range"),
        ("+", 2147483647, Value(1, BIGINT), "2147483648"),
        ("*", 2**62, 2, f"error: {2**62} * 2 is out of range"),
        ("-", Value(-128, TINYINT), Value(1, TINYINT), "error: -128 - 1 is out of range"),
        ("*", 1e308, 10.0, "Infinity"),
        ("*", D("1.5"), D("2.25"), "3.375"),
        ("*", Value(D("999.99999"), decimal(13, 5)), Value(D("999.99999"), decimal(13, 5)), "999999.98000"),
        ("*", Value(5, BIGINT), D("1.5"), "7.5"),
        (
            "*",
            Value(D("9999999999999999.99"), decimal(18, 2)),
            100,
            "error: 999999999999999999.00 is out of range for DECIMAL(18, 2)",
        ),
        ("+", Value(D("1.00001"), decimal(19, 5)), Value(2**62, BIGINT), None),
    ],
)
def test_arithmetic(symbol, x, y, result):
    if result is None and symbol == "+":
        assert call(symbol, x, y).startswith("error: 4611686018427387905.00001 is out of range")
        return
    assert call(symbol, x, y) == result


@pytest.mark.parametrize(("symbol", "x", "y", "name"), [("/", 1, 0, ErrorName.DIVISION), ("*", 2**62, 2, ErrorName.OVERFLOW)])
def test_the_names_of_failures(symbol, x, y, name):
    rows = rows_of(1)
    arithmetic(symbol, rows, pa.array([x], pa.int64()), pa.array([y], pa.int64()))
    assert rows.failures[0].name == name


def test_only_the_rows_that_divide_by_zero_fail():
    rows = rows_of(4)
    result = arithmetic("/", rows, pa.array([8, 7, None, 9]), pa.array([2, 0, 0, None]))
    assert result.to_pylist() == [4, None, None, None]
    assert list(rows.failures) == [1]


LARGEST = {
    pa.int8(): 2**7 - 1,
    pa.int32(): 2**31 - 1,
    pa.int64(): 2**63 - 1,
    pa.decimal128(18, 3): D("999999999999999.999"),
}


@pytest.mark.parametrize("type", LARGEST, ids=str)
@pytest.mark.parametrize("symbol", "+-*/")
def test_one_bad_row_does_not_change_the_others(symbol, type):
    random = np.random.default_rng(11)
    to_value = D if pa.types.is_decimal(type) else int
    x = [to_value(int(v)) for v in random.integers(-9, 10, 200)]
    y = [to_value(int(v)) for v in random.integers(1, 10, 200)]
    largest = LARGEST[type]
    bad = {"+": largest, "-": -largest, "*": largest, "/": to_value(0)}[symbol]
    clean = arithmetic(symbol, rows_of(200), pa.array(x, type), pa.array(y, type))
    rows = rows_of(201)
    mixed = arithmetic(symbol, rows, pa.array([*x, largest], type), pa.array([*y, bad], type))
    assert mixed.slice(0, 200).equals(clean)
    assert list(rows.failures) == [200]


@pytest.mark.parametrize(
    ("symbol", "x", "y", "result"),
    [
        ("=", 1, D("1.0"), "TRUE"),
        ("=", "a", "A", "FALSE"),
        ("=", null(INTEGER), 1, None),
        ("<>", 1, 2, "TRUE"),
        ("<=", "foo", "bar", "FALSE"),
        ("<", "Z", "a", "TRUE"),
        (">", 3, 3, "FALSE"),
        (">=", ts("2004-09-30 13:48:23"), ts("2004-09-30 13:48:23"), "TRUE"),
        ("<", FALSE, TRUE, "TRUE"),
        ("<", span("1", "HOUR"), span("61", "MINUTE"), "TRUE"),
        ("=", Value(b"ab", VARBINARY), Value(b"ab", VARBINARY), "TRUE"),
        ("<", clock("10:00:00"), clock("11:00:00"), "TRUE"),
        (">", Value(2**62, BIGINT), D("1.5"), "TRUE"),
        ("IS DISTINCT FROM", 1, D("1.0"), "FALSE"),
        ("IS DISTINCT FROM", null(INTEGER), 1, "TRUE"),
        ("IS DISTINCT FROM", null(INTEGER), null(INTEGER), "FALSE"),
        ("IS NOT DISTINCT FROM", null(INTEGER), null(INTEGER), "TRUE"),
        ("||", "SQL", "stream", "SQLstream"),
        ("||", "SQL", null(varchar(3)), None),
        ("||", "at ", ts("2004-09-30 13:48:23"), "at 2004-09-30 13:48:23"),
        ("||", D("1.50"), " EUR", "1.50 EUR"),
        ("||", 1e10, "", "1.0E10"),
        ("||", True, "!", "TRUE!"),
        ("||", Value(b"a", VARBINARY), Value(b"b", VARBINARY), "b'ab'"),
    ],
)
def test_comparison_and_concatenation(symbol, x, y, result):
    assert call(symbol, x, y) == result


AND = {
    (1, 1): 1,
    (1, 0): 0,
    (1, None): None,
    (0, 1): 0,
    (0, 0): 0,
    (0, None): 0,
    (None, 1): None,
    (None, 0): 0,
    (None, None): None,
}
OR = {
    (1, 1): 1,
    (1, 0): 1,
    (1, None): 1,
    (0, 1): 1,
    (0, 0): 0,
    (0, None): None,
    (None, 1): 1,
    (None, 0): None,
    (None, None): None,
}
NAMES = {1: "TRUE", 0: "FALSE", None: None}


def truth(bit):
    return Value(None if bit is None else bool(bit), BOOLEAN)


@pytest.mark.parametrize(("name", "table"), [("AND", AND), ("OR", OR)])
def test_three_valued_connectives(name, table):
    for (x, y), result in table.items():
        assert call(name, truth(x), truth(y)) == NAMES[result]


@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("NOT", (0, 1, None)),
        ("IS TRUE", (1, 0, 0)),
        ("IS NOT TRUE", (0, 1, 1)),
        ("IS FALSE", (0, 1, 0)),
        ("IS NOT FALSE", (1, 0, 1)),
        ("IS UNKNOWN", (0, 0, 1)),
        ("IS NOT UNKNOWN", (1, 1, 0)),
        ("IS NULL", (0, 0, 1)),
        ("IS NOT NULL", (1, 1, 0)),
    ],
)
def test_tests_of_booleans(name, results):
    assert [call(name, truth(bit)) for bit in (1, 0, None)] == [NAMES[result] for result in results]


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ((2, 1, 2, 3), "TRUE"),
        ((4, 1, 2, 3), "FALSE"),
        ((4, 1, null(INTEGER)), None),
        ((1, 1, null(INTEGER)), "TRUE"),
        ((null(INTEGER), 1, 2), None),
        (("b", "a", "b"), "TRUE"),
        ((D("1.0"), 1, D("2.55")), "TRUE"),
        ((1, null(INTEGER)), None),
    ],
)
def test_in(arguments, result):
    assert call("IN", *arguments) == result


def test_in_with_columns_among_the_values():
    x, y = pa.array([1, 2, None]), pa.array([5, 2, 3])
    assert in_(rows_of(3), x, y, pa.scalar(1, pa.int64())).to_pylist() == [True, True, None]


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("CASE", (FALSE, "a", TRUE, "b", "c"), "b"),
        ("CASE", (FALSE, "a", UNKNOWN, "b", "c"), "c"),
        ("CASE", (FALSE, "a", FALSE, "b"), None),
        ("CASE", (TRUE, 1), "1"),
        ("COALESCE", ("chair", null(varchar(3)), "sofa"), "chair"),
        ("COALESCE", (null(varchar(3)), null(varchar(3)), "sofa"), "sofa"),
        ("COALESCE", (null(INTEGER), 2, 5), "2"),
        ("COALESCE", (null(INTEGER), null(INTEGER)), None),
        ("NULLIF", (4, 2), "4"),
        ("NULLIF", (4, 4), None),
        ("NULLIF", ("amy", "fred"), "amy"),
        ("NULLIF", ("amy", null(varchar(3))), "amy"),
        ("NULLIF", (null(varchar(3)), "fred"), None),
    ],
)
def test_conditional_functions(name, arguments, result):
    assert call(name, *arguments) == result


def failing_where(values):
    """An argument that divides 12 by each value, as a compiled expression does it."""
    return lambda rows: arithmetic("/", rows, pa.scalar(12), pa.array(values))


def test_rows_that_do_not_reach_a_branch_do_not_fail_in_it():
    values, divide = [3, 0, None, 4], failing_where([3, 0, None, 4])
    rows = rows_of(4)
    zero = pa.array([value == 0 for value in values])
    assert case(rows, lambda _: zero, lambda _: pa.scalar(-1, pa.int64()), divide).to_pylist() == [4, -1, None, 3]
    assert not rows.failures
    large = lambda rows: pa.compute.greater(divide(rows), 3)  # noqa: E731
    assert and_(rows, lambda _: pa.compute.invert(zero), large).to_pylist() == [True, False, None, False]
    assert or_(rows, lambda _: zero, large).to_pylist() == [True, True, None, False]
    first = pa.array([None, 7, 7, None], pa.int64())
    assert coalesce(rows, lambda _: first, divide).to_pylist() == [4, 7, 7, 3]
    assert not rows.failures


def test_rows_that_reach_a_branch_fail_in_it():
    rows = rows_of(3)
    condition = pa.array([True, True, False])
    result = case(rows, lambda _: condition, failing_where([0, 3, 0]), lambda _: pa.scalar(9, pa.int64()))
    assert result.to_pylist() == [None, 4, 9]
    assert list(rows.failures) == [0]


def test_a_case_of_no_rows():
    empty = pa.array([], pa.bool_())
    assert case(rows_of(0), lambda _: empty, lambda _: pa.array([], pa.int8())).type == pa.int8()


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("+", (span("1", "DAY"), span("3", "DAY")), "+4"),
        ("+", (span("1", "DAY"), span("3 4", "DAY", "HOUR")), "+4 04"),
        ("-", (span("1", "DAY"), span("3 4", "DAY", "HOUR")), "-2 04"),
        ("+", (span("1", "YEAR"), span("3-4", "YEAR", "MONTH")), "+4-04"),
        ("*", (2, span("3 4", "DAY", "HOUR")), "+6 08"),
        ("*", (span("1", "HOUR"), D("0.5")), "+0"),
        ("*", (span("1-6", "YEAR", "MONTH"), 2), "+3-00"),
        ("*", (span("1-6", "YEAR", "MONTH"), 2**31 - 1), f"error: {18 * (2**31 - 1)} is out of range for INTEGER"),
        ("*", (5000, span("0 00:00:00.001", "DAY", "SECOND")), "+0 00:00:05"),
        ("/", (span("3 4", "DAY", "HOUR"), 2), "+1 14"),
        ("/", (span("3 4", "DAY", "HOUR"), D("0.5")), "+6 08"),
        ("/", (span("1", "DAY"), 0), "error: division by zero"),
        ("/", (span("1", "DAY"), 0.0), "error: division by zero"),
        ("NEGATE", (span("3 4", "DAY", "HOUR"),), "-3 04"),
        ("NEGATE", (5,), "-5"),
        ("NEGATE", (Value(-128, TINYINT),), "error: 0 - -128 is out of range"),
        ("+", (ts("2009-03-31 10:00:00"), span("1", "MONTH")), "2009-04-30 10:00:00"),
        ("-", (ts("2012-02-29 10:00:00"), span("1", "YEAR")), "2011-02-28 10:00:00"),
        ("+", (span("1", "YEAR"), day("2012-02-29")), "2013-02-28"),
        ("-", (day("2004-03-01"), span("1", "DAY")), "2004-02-29"),
        ("+", (ts("1969-12-31 23:59:59.5"), span("0.5", "SECOND")), "1970-01-01 00:00:00"),
        ("+", (clock("23:30:00"), span("1", "HOUR")), "00:30:00"),
        ("-", (clock("00:30:00"), span("1", "HOUR")), "23:30:00"),
        ("+", (Value(2**63 - 1, TIMESTAMP), span("1", "DAY")), f"error: {2**63 - 1} + 86400000 is out of range"),
    ],
)
def test_interval_arithmetic(name, arguments, result):
    assert call(name, *arguments) == result


@pytest.mark.parametrize(
    ("a", "b", "start", "end", "result"),
    [
        (clock("12:03:34"), clock("11:57:23"), "MINUTE", "SECOND", "+6:11"),
        (clock("12:03:34"), clock("11:57:23"), "SECOND", "SECOND", "+371"),
        (clock("12:03:34"), clock("11:57:23"), "MINUTE", "MINUTE", "+6"),
        (clock("12:03:23"), clock("11:57:23"), "MINUTE", "MINUTE", "+6"),
        (clock("11:57:23"), clock("12:03:34"), "MINUTE", "MINUTE", "-6"),
        (ts("2004-05-01 12:03:34"), ts("2004-04-29 11:57:23"), "DAY", "SECOND", "+2 00:06:11"),
        (ts("2004-05-01 1:03:34"), ts("2004-04-29 11:57:23"), "DAY", "SECOND", "+1 13:06:11"),
        (ts("2004-05-01 13:03:34"), ts("2004-04-29 11:57:23"), "DAY", "SECOND", "+2 01:06:11"),
        (ts("2004-05-01 12:03:34"), ts("2004-04-29 11:57:23"), "DAY", "DAY", "+2"),
        (day("2004-12-02"), day("2003-12-01"), "DAY", "DAY", "+367"),
        (day("2004-12-02"), day("2003-12-01"), "YEAR", "MONTH", "+1-00"),
        (day("2004-11-30"), day("2003-12-01"), "MONTH", "MONTH", "+11"),
        (day("2003-12-01"), day("2004-11-30"), "YEAR", "YEAR", "+0"),
    ],
)
def test_differences_of_times(a, b, start, end, result):
    assert call("MINUS_DATETIME", a, b, Word(start), Word(end)) == result


def test_differences_need_equal_types():
    with pytest.raises(LookupError):
        call("MINUS_DATETIME", clock("12:03:34"), ts("2004-05-01 12:03:34"), Word("DAY"), Word("DAY"))
    with pytest.raises(LookupError):
        call("-", day("2004-12-02"), day("2003-12-01"))


UP, DOWN, STILL, NO = Monotonicity.ASCENDING, Monotonicity.DESCENDING, Monotonicity.CONSTANT, Monotonicity.NONE


@pytest.mark.parametrize(
    ("name", "directions", "constants", "result"),
    [
        ("+", (UP, STILL), (None, 1), UP),
        ("+", (STILL, DOWN), (1, None), DOWN),
        ("+", (UP, UP), (None, None), UP),
        ("+", (UP, DOWN), (None, None), NO),
        ("-", (UP, STILL), (None, 1), UP),
        ("-", (STILL, UP), (1, None), DOWN),
        ("-", (UP, DOWN), (None, None), UP),
        ("-", (UP, UP), (None, None), NO),
        ("*", (UP, STILL), (None, 2), UP),
        ("*", (STILL, UP), (-2, None), DOWN),
        ("*", (UP, STILL), (None, 0), STILL),
        ("*", (UP, UP), (None, None), NO),
        ("*", (STILL, STILL), (None, 3), STILL),
        ("/", (UP, STILL), (None, 10), UP),
        ("/", (UP, STILL), (None, -10), DOWN),
        ("/", (STILL, UP), (10, None), UP),
        ("/", (UP, NO), (None, None), NO),
    ],
)
def test_directions_of_arithmetic(name, directions, constants, result):
    for record in SCALARS[name]:
        assert record.monotone(directions, constants) is result
