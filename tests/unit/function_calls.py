"""Calls of the function table without SQL: Python values as arguments, the result as the text that CAST AS VARCHAR prints.

Every call is made three ways, which must agree: with constants, with columns, and with columns that are slices.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

import streamsql.functions.comparisons
import streamsql.functions.conditional
import streamsql.functions.datetime
import streamsql.functions.formats
import streamsql.functions.intervals
import streamsql.functions.numeric
import streamsql.functions.operators
import streamsql.functions.patterns
import streamsql.functions.regex
import streamsql.functions.rounding
import streamsql.functions.string  # noqa: F401
from streamsql.coercion import assignable, common_type
from streamsql.datetime_text import parse_date, parse_time, parse_timestamp
from streamsql.functions.cast import converter
from streamsql.functions.registry import SCALARS, ScalarFunction
from streamsql.functions.signature import Parameter
from streamsql.interval_text import parse_interval
from streamsql.rows import Datum, QueryTime, Rows
from streamsql.time import ManualClock
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    TIME,
    TIMESTAMP,
    Family,
    IntervalQualifier,
    Kind,
    SqlType,
    decimal,
    interval,
    varchar,
)

NOW = 1_525_870_241_337
"""2018-05-09 12:50:41.337: when every query of these tests starts."""


class Word(str):
    """A keyword argument."""


class Value:
    """A typed value, as the bound constants hold it."""

    def __init__(self, value: Any, type: SqlType) -> None:
        self.value, self.type = value, type


def ts(text: str) -> Value:
    return Value(parse_timestamp(text), TIMESTAMP)


def day(text: str) -> Value:
    return Value(parse_date(text), DATE)


def clock(text: str) -> Value:
    return Value(parse_time(text), TIME)


def span(text: str, start: str, end: str | None = None, precision: int = 2) -> Value:
    qualifier = IntervalQualifier(start, end or start, precision)
    return Value(parse_interval(text, qualifier), interval(start, end, precision))


def null(type: SqlType) -> Value:
    return Value(None, type)


def typed(value: Any) -> Value | Word:
    """A Python value with the type that its literal has."""
    match value:
        case Value() | Word():
            return value
        case bool():
            return Value(value, BOOLEAN)
        case int():
            return Value(value, INTEGER if -(2**31) <= value < 2**31 else BIGINT)
        case float():
            return Value(value, DOUBLE)
        case Decimal():
            exponent = -int(value.as_tuple().exponent)
            return Value(value, decimal(max(len(value.as_tuple().digits), exponent), exponent))
        case str():
            return Value(value, varchar(max(1, len(value))))
    raise TypeError(value)


NAMED = {
    "BOOLEAN": BOOLEAN,
    "INTEGER": INTEGER,
    "BIGINT": BIGINT,
    "DOUBLE": DOUBLE,
    "DATE": DATE,
    "TIME": TIME,
    "TIMESTAMP": TIMESTAMP,
    "VARCHAR": varchar(),
    "VARBINARY": SqlType(Kind.VARBINARY),
}

FAMILIES: dict[str, Sequence[Family]] = {
    "NUMERIC": (Family.NUMERIC,),
    "INTEGRAL": (Family.NUMERIC,),
    "EXACT": (Family.NUMERIC,),
    "CHARACTER": (Family.CHARACTER,),
    "BINARYSTRING": (Family.BINARY,),
    "DATETIME": (Family.DATE, Family.TIME, Family.TIMESTAMP),
    "INTERVAL": (Family.DAY_TIME, Family.YEAR_MONTH),
    "DAYTIME": (Family.DAY_TIME,),
    "YEARMONTH": (Family.YEAR_MONTH,),
    "ANY": tuple(Family),
}


def wanted(parameter: Parameter, argument: Value | Word, common: SqlType | None) -> SqlType | None:
    """The type in which a parameter takes an argument; None: it does not."""
    if isinstance(argument, Word) or parameter.type in ("UNIT", "WORD"):
        return interval(argument) if isinstance(argument, Word) and parameter.type == "UNIT" else INTEGER
    if parameter.type == "T":
        return common
    if parameter.type in FAMILIES:
        fits = argument.type.family in FAMILIES[parameter.type]
        if parameter.type == "INTEGRAL" and argument.type.kind in (Kind.REAL, Kind.DOUBLE):
            fits = False
        return argument.type if fits else None
    target = NAMED[parameter.type]
    if argument.type.kind is target.kind:
        return argument.type
    return target if assignable(argument.type, target) else None


def resolve(name: str, arguments: Sequence[Value | Word]) -> tuple[ScalarFunction, list[SqlType]]:
    """The first overload that takes the arguments, and the types in which it takes them."""
    for record in SCALARS[name]:
        signature = record.signature
        if not signature.least <= len(arguments) <= (signature.most or len(arguments)):
            continue
        parameters = [signature.parameter(i) for i in range(len(arguments))]
        if any((p.type in ("UNIT", "WORD")) != isinstance(a, Word) for p, a in zip(parameters, arguments, strict=True)):
            continue
        shared = [a.type for p, a in zip(parameters, arguments, strict=True) if p.type == "T" and isinstance(a, Value)]
        common = common_type(shared) if shared else None
        types = [wanted(p, a, common) for p, a in zip(parameters, arguments, strict=True)]
        if all(type is not None for type in types):
            return record, [type for type in types if type is not None]
    raise LookupError(f"no {name} for {[str(a.type) if isinstance(a, Value) else a for a in arguments]}")


def result_type(record: ScalarFunction, types: Sequence[SqlType]) -> SqlType:
    if record.returns is not None:
        return record.returns(types)
    for parameter, type in zip(record.signature.parameters, types, strict=False):
        if parameter.name == record.signature.result:
            return type
    return NAMED[record.signature.result]


def rows_of(count: int) -> Rows:
    return Rows(pa.record_batch([pa.nulls(count)], [""]), QueryTime(NOW, ManualClock(NOW)))


def as_datum(value: Value, target: SqlType, length: int | None, offset: int) -> Datum:
    """A value converted to `target`: a scalar, or an array of `length` that starts at `offset` of its buffers."""
    scalar = pa.scalar(value.value, value.type.arrow())
    datum = scalar if length is None else pa.repeat(scalar, length + offset).slice(offset)
    convert = converter(value.type, target, True)
    assert convert is not None
    return convert(rows_of(length or 1), datum)


def evaluate(name: str, arguments: Sequence[Value | Word], length: int | None, offset: int = 0) -> str | None:
    record, types = resolve(name, arguments)
    rows = rows_of(length or 1)
    datums = [
        str(argument) if isinstance(argument, Word) else as_datum(argument, type, length, offset)
        for argument, type in zip(arguments, types, strict=True)
    ]
    if record.lazy:
        datums = [lambda _rows, datum=datum: datum for datum in datums]
    result = record.implementation(rows, *datums)
    type = result_type(record, types)
    assert result.type == type.arrow(), f"{name} gives {result.type}, not {type}"
    column = rows.column(result)
    if rows.failures:
        assert column.null_count == rows.count
        return "error: " + rows.failures[0].message
    print_ = converter(type, varchar(), False)
    if print_ is None:
        return repr(column[0].as_py())
    texts = print_(rows, column).to_pylist()
    assert len(set(texts)) == 1
    return texts[0]


def call(name: str, *arguments: Any) -> str | None:
    """The text of `name(arguments)`, None for NULL, `error: message` for a failing row."""
    values = [typed(argument) for argument in arguments]
    result = evaluate(name, values, None)
    assert evaluate(name, values, 3) == result
    assert evaluate(name, values, 4, 3) == result
    return result


def cast(value: Any, target: SqlType, assignment: bool = False) -> str | None:
    """The text of `CAST(value AS target)`."""
    source = typed(value)
    assert isinstance(source, Value)
    results = []
    for length, offset in ((None, 0), (3, 0), (4, 3)):
        convert = converter(source.type, target, assignment)
        if convert is None:
            return "no such cast"
        rows = rows_of(length or 1)
        scalar = pa.scalar(source.value, source.type.arrow())
        result = convert(rows, scalar if length is None else pa.repeat(scalar, length + offset).slice(offset))
        assert result.type == target.arrow()
        if rows.failures:
            assert len(rows.failures) == rows.count
            results.append(f"error: {rows.failures[0].message}")
            continue
        if target.family is Family.BINARY:
            results.append(rows.column(result)[0].as_py())
            continue
        print_ = converter(target, varchar(), False)
        assert print_ is not None
        results.append(rows.column(print_(rows, result))[0].as_py())
    assert len(set(results)) == 1, results
    return results[0]
