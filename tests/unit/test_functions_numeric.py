"""Functions of numbers (dialect reference 5.3)."""

from decimal import Decimal

import pytest
from function_calls import Value, call, null, span

from streamsql.types import BIGINT, DOUBLE, INTEGER, REAL, TINYINT, decimal

D = Decimal


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("ABS", (D("2.0"),), "2.0"),
        ("ABS", (D("-1.0"),), "1.0"),
        ("ABS", (0,), "0"),
        ("ABS", (-9,), "9"),
        ("ABS", (-2.5,), "2.5"),
        ("ABS", (span("-3 4:20", "DAY", "MINUTE"),), "+3 04:20"),
        ("ABS", (span("-3-4", "YEAR", "MONTH"),), "+3-04"),
        ("ABS", (Value(-128, TINYINT),), "error: 0 - -128 is out of range"),
        ("ABS", (null(INTEGER),), None),
        ("CEIL", (D("2.0"),), "2"),
        ("CEIL", (D("-1.0"),), "-1"),
        ("CEIL", (D("5.2"),), "6"),
        ("CEIL", (D("9.9"),), "10"),
        ("CEILING", (D("-3.3"),), "-3"),
        ("CEILING", (D("-9.3"),), "-9"),
        ("CEIL", (5.2,), "6.0"),
        ("CEIL", (Value(5.5, REAL),), "6.0"),
        ("CEIL", (7,), "7"),
        ("FLOOR", (D("2.0"),), "2"),
        ("FLOOR", (D("-1.0"),), "-1"),
        ("FLOOR", (D("5.2"),), "5"),
        ("FLOOR", (D("-3.3"),), "-4"),
        ("FLOOR", (D("-9.3"),), "-10"),
        ("FLOOR", (-5.2,), "-6.0"),
        ("FLOOR", (null(decimal(5, 2)),), None),
        ("EXP", (0,), "1.0"),
        ("EXP", (10,), "22026.465794806718"),
        ("EXP", (-1,), "0.36787944117144233"),
        ("LN", (1,), "0.0"),
        ("LN", (10,), "2.302585092994046"),
        ("LN", (D("2.5"),), "0.9162907318741551"),
        ("LN", (0,), "error: LN of a number that is not above zero"),
        ("LN", (null(DOUBLE),), None),
        ("LOG10", (1,), "0.0"),
        ("LOG10", (100,), "2.0"),
        ("LOG10", (Value(D("23"), decimal(18)),), "1.3617278360175928"),
        ("LOG10", (-1,), "error: LOG10 of a number that is not above zero"),
        ("SQRT", (D("2.25"),), "1.5"),
        ("SQRT", (-1,), "error: SQRT of a negative number"),
        ("MOD", (4, 2), "0"),
        ("MOD", (5, 3), "2"),
        ("MOD", (-4, 3), "-1"),
        ("MOD", (5, 12), "5"),
        ("MOD", (5, -3), "2"),
        ("MOD", (Value(-(2**31), INTEGER), 3), "-2"),
        ("MOD", (Value(2**40 + 1, BIGINT), 2), "1"),
        ("MOD", (D("5.5"), 2), "1.5"),
        ("MOD", (D("-5.5"), Value(2, BIGINT)), "-1.5"),
        ("MOD", (1, 0), "error: division by zero"),
        ("MOD", (null(INTEGER), 0), None),
        ("POWER", (3, 2), "9.0"),
        ("POWER", (-2, 3), "-8.0"),
        ("POWER", (4, -2), "0.0625"),
        ("POWER", (0, 0), "1.0"),
        ("POWER", (0, -1), "error: POWER is not defined for this base and exponent"),
        ("POWER", (-2, D("0.5")), "error: POWER is not defined for this base and exponent"),
        ("STEP", (23, 5), "20"),
        ("STEP", (30, 10), "30"),
        ("STEP", (-1, 10), "-10"),
        ("STEP", (Value(23, BIGINT), Value(5, TINYINT)), "20"),
        ("STEP", (23, 0), "error: division by zero"),
    ],
)
def test_functions_of_numbers(name, arguments, result):
    assert call(name, *arguments) == result


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("EXP", (1,), 2.7182818284590455),
        ("EXP", (2.5,), 12.182493960703473),
        ("POWER", (10.1, 2.5), 324.19285157140644),
    ],
)
def test_documented_results_to_the_last_digit(name, arguments, result):
    assert float(call(name, *arguments)) == result
