"""No value makes a function or a conversion raise: bad rows fail, the others have a value of the promised type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from function_calls import result_type, rows_of
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.coercion import assignable, castable, common_type
from streamsql.functions.cast import converter
from streamsql.functions.registry import SCALARS, ScalarFunction
from streamsql.functions.signature import Parameter
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
    UNITS,
    Family,
    Kind,
    SqlType,
    array,
    char,
    decimal,
    interval,
    map_of,
    varchar,
)

VARBINARY = SqlType(Kind.VARBINARY, length=6)


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.one_of(st.integers(-3, 3), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))


def digits(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    limit = 10**precision - 1
    return st.one_of(st.integers(-3, 3), st.integers(-limit, limit)).map(lambda n: Decimal(n).scaleb(-scale))


TEXT = st.one_of(
    st.text("aé%_\\[]^(){}*+?|.$&-'yMdHhmsSEzZ 0123:,T", max_size=6),
    st.sampled_from(["1.5", "-7", "1e5", "2018-05-09 12:50:41", "21:23:45.5", "TRUE", "yyyy-MM-dd HH:mm:ss", "+3 04:20"]),
)

VALUES: dict[SqlType, st.SearchStrategy[Any]] = {
    BOOLEAN: st.booleans(),
    TINYINT: whole(8),
    SMALLINT: whole(16),
    INTEGER: whole(32),
    BIGINT: whole(64),
    decimal(18, 0): digits(18, 0),
    decimal(9, 4): digits(9, 4),
    decimal(18, 18): digits(18, 18),
    decimal(19, 5): digits(19, 5),
    REAL: st.floats(width=32),
    DOUBLE: st.floats(),
    varchar(6): st.text("aé 0", max_size=6),
    varchar(): TEXT,
    char(3): st.text("ab", max_size=3).map(lambda s: s.ljust(3)),
    VARBINARY: st.binary(max_size=6),
    DATE: st.integers(-(10**6), 10**6),
    TIME: st.integers(0, 86_399_999),
    TIMESTAMP: st.one_of(st.integers(-(10**14), 10**14), whole(64)),
    interval("DAY", "SECOND"): st.one_of(st.integers(-(10**10), 10**10), whole(64)),
    interval("HOUR"): st.integers(-(10**10), 10**10),
    interval("YEAR", "MONTH"): st.integers(-(10**5), 10**5),
    array(varchar(6)): st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b"])), max_size=4),
    array(BIGINT): st.lists(st.one_of(st.none(), whole(64)), max_size=4),
    map_of(varchar(6), INTEGER): st.dictionaries(st.sampled_from(["", "a", "b"]), whole(32)).map(lambda d: list(d.items())),
}

FAMILIES: dict[str, tuple[Family, ...]] = {
    "NUMERIC": (Family.NUMERIC,),
    "CHARACTER": (Family.CHARACTER,),
    "BINARYSTRING": (Family.BINARY,),
    "DATETIME": (Family.DATE, Family.TIME, Family.TIMESTAMP),
    "MOMENT": (Family.DATE, Family.TIMESTAMP),
    "INTERVAL": (Family.DAY_TIME, Family.YEAR_MONTH),
    "DAYTIME": (Family.DAY_TIME,),
    "YEARMONTH": (Family.YEAR_MONTH,),
    "ARRAY": (Family.ARRAY,),
    "MAP": (Family.MAP,),
    "ANY": (Family.CHARACTER,),
    "T": (Family.CHARACTER, Family.NUMERIC, Family.TIMESTAMP, Family.BOOLEAN),
}
INTEGRAL = [TINYINT, SMALLINT, INTEGER, BIGINT, decimal(18, 0)]
EXACT = [type_ for type_ in VALUES if type_.is_numeric and type_ not in (REAL, DOUBLE)]


def types_of(parameter: Parameter) -> list[SqlType]:
    """The types of `VALUES` that a parameter takes as they are."""
    if parameter.type in ("INTEGRAL", "EXACT"):
        return INTEGRAL if parameter.type == "INTEGRAL" else EXACT
    if parameter.type in FAMILIES:
        return [type_ for type_ in VALUES if type_.family in FAMILIES[parameter.type]]
    return [type_ for type_ in VALUES if type_.kind.value == parameter.type]


def column(draw: st.DrawFn, type_: SqlType, count: int) -> pa.Array:
    values = draw(st.lists(st.one_of(st.none(), VALUES[type_]), min_size=count + 1, max_size=count + 1))
    return pa.array(values, type_.arrow()).slice(1)


DESCRIBED = {
    "FAST_REGEX_LOG_PARSE": [["(.*)"], ["(a*)(.*)b(@)"]],
    "FAST_REGEX_LOG_PARSER": [["(.)(.*)"]],
    "REGEX_LOG_PARSE": [["(.*)"], ["(a)?(.*)", "x INTEGER, y VARCHAR(2)"]],
    "FIXED_COLUMN_LOG_PARSE": [["a TYPE INTEGER START 0, b TYPE TIME 'HH:mm' NOT NULL START 1 FOR 5, c TYPE CHAR(2) START 3"]],
    "VARIABLE_COLUMN_LOG_PARSE": [[2, ","], ["a TYPE DOUBLE, b TYPE BOOLEAN NOT NULL", "1", "\\", "ab"]],
    "SYS_LOG_PARSE": [[]],
    "W3C_LOG_PARSE": [["AGENT"], ['"%r" %t']],
}
"""The constants that functions which give records are called with."""


@st.composite
def calls(draw: st.DrawFn, record: ScalarFunction) -> tuple[int, list[Any], list[SqlType]]:
    """A number of rows, arguments (columns, constants and words) and their types."""
    parameters = list(record.signature.parameters)
    if parameters[-1:] and parameters[-1].variadic:
        parameters += parameters[-1:] * 2
    if record.name == "CASE":
        return draw(cases())
    count = draw(st.integers(0, 4))
    if record.record is not None:
        texts = draw(st.lists(st.one_of(st.none(), VALUES[varchar(6)]), min_size=count, max_size=count))
        constants = draw(st.sampled_from(DESCRIBED[record.name]))
        return count, [pa.array(texts, pa.string()), *map(pa.scalar, constants)], [varchar(6)]
    shared = draw(st.sampled_from([t for t in VALUES if t.family in FAMILIES["T"]]))
    arguments: list[Any] = []
    types: list[SqlType] = []
    for parameter in parameters:
        if parameter.type in ("UNIT", "WORD"):
            word = draw(st.sampled_from(UNITS if parameter.type == "UNIT" else ("BOTH", "LEADING", "TRAILING")))
            word = arguments[-1] if record.name == "MINUS_DATETIME" and isinstance(arguments[-1], str) else word
            arguments.append(word)
            types.append(interval(word) if parameter.type == "UNIT" else INTEGER)
            continue
        type_ = shared if parameter.type == "T" else draw(st.sampled_from(types_of(parameter)))
        types.append(type_)
        constant = draw(st.booleans())
        values = column(draw, type_, 1 if constant else count)
        arguments.append(values[0] if constant else values)
    return count, arguments, types


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, list[Any], list[SqlType]]:
    count, result = draw(st.integers(0, 4)), draw(st.sampled_from([INTEGER, varchar(6), TIMESTAMP]))
    types = [BOOLEAN, result, BOOLEAN, result, result][: draw(st.integers(2, 5)) // 2 * 2 + draw(st.integers(0, 1))]
    return count, [column(draw, type_, count) for type_ in types], types


RECORDS = [record for records in SCALARS.values() for record in records if record.signature.parameters]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.signature.text)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_functions(record: ScalarFunction, data: st.DataObject) -> None:
    count, arguments, types = data.draw(calls(record))
    try:
        if record.record is not None:
            expected = pa.struct([f.arrow() for f in record.record([argument.as_py() for argument in arguments[1:]])])
        else:
            expected = result_type(record, types).arrow()
    except Exception as error:
        assert type(error).__name__ in ("ProgrammingError", "InternalError")
        return
    rows = rows_of(count)
    passed = [lambda _rows, a=a: a for a in arguments] if record.lazy else arguments
    result = rows.column(record.implementation(rows, *passed))
    result.validate(full=True)
    assert result.type == expected
    assert all(0 <= row < count for row in rows.failures)
    assert not any(result[row].is_valid for row in rows.failures)
    if record.strict:
        inputs = [rows.column(a) for a in arguments if not isinstance(a, str)][: 1 if record.record else None]
        for row in range(count):
            if any(not a[row].is_valid for a in inputs):
                assert not result[row].is_valid
                assert row not in rows.failures
    if not record.fails:
        assert not rows.failures


PAIRS = [(source, target) for source in VALUES for target in VALUES if castable(source, target)]


@settings(max_examples=200, deadline=None)
@given(pair=st.sampled_from(PAIRS), data=st.data())
def test_conversions(pair: tuple[SqlType, SqlType], data: st.DataObject) -> None:
    source, target = pair
    count = data.draw(st.integers(0, 4))
    values = data.draw(st.composite(column)(source, count))
    for assignment in (False, True):
        convert = converter(source, target, assignment)
        assert (convert is None) == (assignment and not assignable(source, target))
        if convert is None:
            continue
        rows = rows_of(count)
        result = convert(rows, values)
        result.validate(full=True)
        assert result.type == target.arrow()
        for row in range(count):
            assert not (row in rows.failures and result[row].is_valid)
            if not values[row].is_valid:
                assert not result[row].is_valid
                assert row not in rows.failures
        if target.length is not None and target.is_character:
            assert all(text is None or len(text) <= target.length for text in result.to_pylist())


def test_common_types_hold_the_values_of_both() -> None:
    for left in VALUES:
        for right in VALUES:
            common = common_type([left, right])
            assert common is None or (assignable(left, common) and assignable(right, common))
