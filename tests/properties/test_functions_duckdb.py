"""Functions that DuckDB has with the same meaning (`duckdb=` in the table): random columns through both engines.

A row that fails here must be an error, NULL, NaN or infinite there.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import streamsql.functions.comparisons
import streamsql.functions.conditional
import streamsql.functions.datetime
import streamsql.functions.intervals
import streamsql.functions.numeric
import streamsql.functions.operators
import streamsql.functions.patterns
import streamsql.functions.rounding
import streamsql.functions.string  # noqa: F401
from streamsql.functions.registry import SCALARS, ScalarFunction
from streamsql.functions.signature import Parameter
from streamsql.rows import QueryTime, Rows

WHOLE = {pa.int8(): 8, pa.int16(): 16, pa.int32(): 32, pa.int64(): 64}
DECIMAL = pa.decimal128(9, 3)

VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    **{
        type_: st.one_of(st.integers(-20, 20), st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1))
        for type_, bits in WHOLE.items()
    },
    DECIMAL: st.one_of(
        st.decimals(-20, 20, places=3),
        st.decimals(Decimal("-999999.999"), Decimal("999999.999"), places=3),
    ),
    pa.float64(): st.one_of(st.sampled_from([0.0, 1.0, -2.0, 0.5]), st.floats(-1e6, 1e6)),
    pa.string(): st.text("aAbB _%\\é.", max_size=6),
    pa.bool_(): st.booleans(),
    pa.timestamp("ms"): st.integers(-(10**13), 4 * 10**12),
    pa.date32(): st.dates(date(1700, 1, 1), date(2300, 1, 1)),
    pa.list_(pa.int64()): st.lists(st.integers(-9, 9), max_size=4),
    pa.duration("ms"): st.integers(1, 10**8).map(lambda ms: timedelta(milliseconds=ms)),
}

NUMBERS = [*WHOLE, DECIMAL, pa.float64()]
TYPES: dict[str, list[pa.DataType]] = {
    "NUMERIC": NUMBERS,
    "EXACT": [*WHOLE, DECIMAL],
    "T": [pa.int32(), pa.int64(), DECIMAL, pa.float64(), pa.string(), pa.bool_(), pa.timestamp("ms"), pa.date32()],
    "ANY": [pa.int32(), pa.string(), pa.timestamp("ms")],
    "CHARACTER": [pa.string()],
    "BOOLEAN": [pa.bool_()],
    "TIMESTAMP": [pa.timestamp("ms")],
    "MOMENT": [pa.timestamp("ms"), pa.date32()],
    "INTEGRAL": list(WHOLE),
    "DATE": [pa.date32()],
    "DAYTIME": [pa.duration("ms")],
    "BIGINT": [pa.int64()],
    "DOUBLE": [pa.float64()],
    "ARRAY": [pa.list_(pa.int64())],
}

RECORDS = [record for records in SCALARS.values() for record in records if record.duckdb]
CONNECTION = duckdb.connect()


def signature(record: ScalarFunction) -> str:
    return record.signature.text


@st.composite
def calls(draw: st.DrawFn, record: ScalarFunction) -> tuple[list[Any], list[Parameter]]:
    """Columns and words for the parameters of a record, the optional ones left out, a variadic one three times."""
    parameters = [p for p in record.signature.parameters if not p.optional]
    if parameters[-1].variadic:
        parameters += parameters[-1:] * 2
    kinds = {p.type: draw(st.sampled_from(TYPES[p.type])) for p in parameters if p.type != "UNIT"}
    count = draw(st.integers(1, 8))
    arguments: list[Any] = []
    for parameter in parameters:
        if parameter.type == "UNIT":
            units = ("SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR")
            arguments.append(draw(st.sampled_from(units if kinds.get("DATE") is None else units[3:])))
            continue
        type_ = kinds[parameter.type]
        values = draw(st.lists(st.one_of(VALUES[type_], st.none()), min_size=count, max_size=count))
        arguments.append(pa.array(values, type_))
    return arguments, parameters


def ours(record: ScalarFunction, arguments: list[Any], count: int) -> tuple[list[Any], set[int]]:
    rows = Rows(pa.record_batch([pa.nulls(count)], [""]), QueryTime())
    given_ = [lambda _rows, a=a: a for a in arguments] if record.lazy else arguments
    result = rows.column(record.implementation(rows, *given_))
    return result.to_pylist(), set(rows.failures)


def theirs(record: ScalarFunction, arguments: list[Any], parameters: list[Parameter]) -> list[Any]:
    columns = {f"c{i}": a for i, a in enumerate(arguments) if not isinstance(a, str)}
    spelled: dict[str, str] = {}
    for i, (parameter, argument) in enumerate(zip(parameters, arguments, strict=True)):
        is_time = not isinstance(argument, str) and pa.types.is_timestamp(argument.type)
        text = argument if isinstance(argument, str) else f"CAST(c{i} AS TIMESTAMP)" if is_time else f"c{i}"
        spelled[parameter.name] = f"{spelled[parameter.name]}, {text}" if parameter.name in spelled else text
    assert record.duckdb is not None
    cursor = CONNECTION.cursor()
    cursor.register("arguments", pa.table(columns))
    query = f"SELECT TRY({record.duckdb.format(**spelled)}) FROM arguments"
    return [row[0] for row in cursor.execute(query).fetchall()]


def same(x: Any, y: Any) -> bool:
    if isinstance(y, float) and x is not None:  # DuckDB rounds integers as doubles
        x = float(x)
        return x == y or math.isclose(x, y, rel_tol=1e-14) or (math.isnan(x) and math.isnan(y))
    return bool(x == y)


@pytest.mark.parametrize("record", RECORDS, ids=signature)
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_same_in_duckdb(record: ScalarFunction, data: st.DataObject) -> None:
    arguments, parameters = data.draw(calls(record))
    count = next(len(a) for a in arguments if not isinstance(a, str))
    results, failed = ours(record, arguments, count)
    for i, (x, y) in enumerate(zip(results, theirs(record, arguments, parameters), strict=True)):
        if i in failed:
            assert y is None or not math.isfinite(y)
        else:
            assert same(x, y), f"row {i}: {x!r} here, {y!r} in DuckDB"


def test_the_table_names_its_counterparts() -> None:
    assert len(RECORDS) > 40
