"""What the aggregate functions give, computed the slow and obvious way from a list of Python values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from streamsql.types import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, REAL, TIME, TIMESTAMP, Kind, SqlType, decimal, varchar

VALUES: dict[SqlType, st.SearchStrategy[Any]] = {
    INTEGER: st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 3),
    BIGINT: st.integers(-(2**62), 2**62) | st.integers(-3, 3),
    decimal(5, 2): st.integers(-99999, 99999).map(lambda i: Decimal(i).scaleb(-2)),
    decimal(18, 4): st.integers(-(10**17), 10**17).map(lambda i: Decimal(i).scaleb(-4)),
    decimal(19, 0): st.integers(-(10**18), 10**18).map(Decimal),
    DOUBLE: st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 0.1, 1e9, 1e-9]),
    REAL: st.floats(-1000, 1000, width=32),
    varchar(8): st.text("abé\U0001f600", max_size=3),
    BOOLEAN: st.booleans(),
    DATE: st.dates(),
    TIME: st.integers(0, 86_399_999).map(lambda ms: _time(ms)),
    TIMESTAMP: st.integers(-(10**12), 10**12).map(lambda ms: _timestamp(ms)),
}
"""Values of each type, as pyarrow takes and gives them."""

NUMERIC = tuple(type for type in VALUES if type.is_numeric)

ARGUMENTS: dict[str, tuple[SqlType, ...]] = {
    "COUNT": tuple(VALUES),
    "SUM": NUMERIC,
    "AVG": NUMERIC,
    "MIN": tuple(VALUES),
    "MAX": tuple(VALUES),
    "FIRST_VALUE": tuple(VALUES),
    "LAST_VALUE": tuple(VALUES),
    "ANY": (BOOLEAN,),
    "EVERY": (BOOLEAN,),
    "VAR_POP": NUMERIC,
    "VAR_SAMP": NUMERIC,
    "STDDEV_POP": NUMERIC,
    "STDDEV_SAMP": NUMERIC,
    "STDDEV": NUMERIC,
    "STD_DEV": NUMERIC,
}
"""The argument types with which each function is tested."""


def result_type(name: str, type: SqlType) -> SqlType:
    """The type of a function's result for an argument of this type (dialect reference 5.2, 12.7, 12.10)."""
    if name == "COUNT":
        return BIGINT
    if name == "SUM" and type.is_integer:
        return BIGINT
    if name == "SUM" and type.kind is Kind.DECIMAL:
        return decimal(max(18, type.precision), type.scale)
    return DOUBLE if name.startswith(("VAR", "STD")) or name == "EXP_AVG" else type


def value_of(name: str, type: SqlType, values: Sequence[Any], ignore_nulls: bool = False) -> Any:
    """The value of an aggregate over these values, in their order; a sum that does not fit its type is `OverflowError`."""
    present = [value for value in values if value is not None]
    if name == "COUNT":
        return len(present)
    if name in ("FIRST_VALUE", "LAST_VALUE"):
        kept = present if ignore_nulls else values
        return None if not kept else kept[0 if name == "FIRST_VALUE" else -1]
    if not present:
        return None
    match name:
        case "MIN" | "EVERY":
            return min(present)
        case "MAX" | "ANY":
            return max(present)
        case "SUM" | "AVG":
            return _mean_or_sum(name, type, present)
    return _spread(name, [Fraction(value) for value in present])


def _mean_or_sum(name: str, type: SqlType, present: list[Any]) -> Any:
    if type in (DOUBLE, REAL):
        total = math.fsum(present)
        return total if name == "SUM" else total / len(present)
    total = sum(present)
    if name == "SUM":
        limit = 10 ** (18 - type.scale) if type.kind is Kind.DECIMAL and type.precision < 19 else Fraction(2**63, 10**type.scale)
        return OverflowError if not -limit < total < limit else total
    if type.kind is Kind.DECIMAL:
        return (total / len(present)).quantize(Decimal(1).scaleb(-type.scale), ROUND_HALF_UP)
    return abs(total) // len(present) * (1 if total >= 0 else -1)


def _spread(name: str, present: list[Fraction]) -> float | None:
    divisor = len(present) - (0 if name.endswith("POP") else 1)
    if divisor == 0:
        return None
    mean = sum(present) / len(present)
    variance = sum((value - mean) ** 2 for value in present) / divisor
    return math.sqrt(variance) if name.startswith("STD") else float(variance)


def _time(milliseconds: int) -> Any:
    return _timestamp(milliseconds).time()


def _timestamp(milliseconds: int) -> Any:
    import datetime

    return datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
