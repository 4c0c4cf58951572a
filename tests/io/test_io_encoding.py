"""Rows to JSON lines and CSV: the bytes by example, equal to an encoder of single values, and read back the same."""

from __future__ import annotations

import base64
import json
import math
import struct
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_support import shown

from streamsql.io.csv import CsvDecoder
from streamsql.io.csv_encoder import CsvEncoder
from streamsql.io.decoding import Target
from streamsql.io.json.lines import JsonLinesDecoder, JsonLinesEncoder
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    REAL,
    TIME,
    TIMESTAMP,
    Field,
    Kind,
    Schema,
    SqlType,
    array,
    decimal,
    interval,
    map_of,
    varchar,
)

BYTES = SqlType(Kind.VARBINARY, length=100)
RECORD = SqlType(
    Kind.ROW, fields=(Field("T", varchar(9)), Field("D", DOUBLE), Field("N", INTEGER), Field("ü", SqlType(Kind.VARBINARY, 3)))
)
TEXTS = [
    (DOUBLE, 1.0, "1.0"),
    (DOUBLE, -0.0, "-0.0"),
    (DOUBLE, 0.1, "0.1"),
    (DOUBLE, 8671.3125, "8671.3125"),
    (DOUBLE, 9999999999.0, "9999999999.0"),
    (DOUBLE, 1e10, "1e+10"),
    (DOUBLE, 1.5e-7, "1.5e-7"),
    (DOUBLE, math.nan, '"NaN"'),
    (DOUBLE, math.inf, '"Infinity"'),
    (DOUBLE, -math.inf, '"-Infinity"'),
    (REAL, 0.1, "0.1"),
    (REAL, 16777216.0, "16777216.0"),
    (BIGINT, -(2**63), "-9223372036854775808"),
    (decimal(12, 10), Decimal("0.0000000001"), "0.0000000001"),
    (decimal(5, 2), Decimal("-1.50"), "-1.50"),
    (BOOLEAN, True, "true"),
    (varchar(), 'a"b\\c\n\x01é😀\x7f/', '"a\\"b\\\\c\\n\\u0001é😀\x7f/"'),
    (varchar(), "", '""'),
    (BYTES, b"\x00\xff", '"AP8="'),
    (DATE, date(2026, 1, 2), '"2026-01-02"'),
    (TIME, time(1, 2, 3), '"01:02:03.000"'),
    (TIMESTAMP, datetime(2026, 1, 2, 3, 4, 5, 6000), '"2026-01-02 03:04:05.006"'),
    (TIMESTAMP, datetime(1, 1, 1), '"0001-01-01 00:00:00.000"'),
    (interval("DAY", "SECOND"), 371_000, '"+0 00:06:11"'),
    (interval("YEAR", "MONTH"), 40, '"+3-04"'),
    (NULL, None, "null"),
    (RECORD, {"T": 'a"b', "D": math.nan, "N": None, "ü": b"\xff"}, '{"T": "a\\"b", "D": "NaN", "N": null, "ü": "/w=="}'),
    (INTEGER, None, "null"),
    (varchar(), None, "null"),
]


def batch(schema: Schema, columns: list[list[Any]]) -> pa.RecordBatch:
    arrays = [pa.array(values, field.type.arrow()) for values, field in zip(columns, schema.fields, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema.arrow())


@pytest.mark.parametrize(("type_", "value", "text"), TEXTS)
def test_json_values(type_: SqlType, value: Any, text: str) -> None:
    schema = Schema((Field("A", type_),))
    for values in ([value], [value, None]):
        lines = JsonLinesEncoder(schema).encode(batch(schema, [values])).decode().splitlines()
        assert lines == [f'{{"A": {text}}}', '{"A": null}'][: len(values)]


def test_json_lines_have_all_columns_in_order() -> None:
    schema = Schema((Field('b"', INTEGER), Field("a", varchar())))
    rows = batch(schema, [[1, None], [None, "x"]])
    assert JsonLinesEncoder(schema).encode(rows) == b'{"b\\"": 1, "a": null}\n{"b\\"": null, "a": "x"}\n'
    assert JsonLinesEncoder(schema).encode(rows.slice(1)) == b'{"b\\"": null, "a": "x"}\n'
    assert JsonLinesEncoder(schema).encode(rows.slice(2)) == b""
    assert JsonLinesEncoder(Schema.stream(schema.fields), "S").encode(rows.slice(1)) == (
        b'{"stream": "S", "row": {"b\\"": null, "a": "x"}}\n'
    )


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (None, ""),
        ("", '""'),
        ("a", "a"),
        ("a,b", '"a,b"'),
        ('a"b', '"a""b"'),
        ("a\nb", '"a\nb"'),
        ("a\r", '"a\r"'),
        (" a", '" a"'),
        ("a ", '"a "'),
        ("é", "é"),
    ],
)
def test_csv_fields(text: str | None, field: str) -> None:
    schema = Schema((Field("A", varchar()), Field("x,y", DOUBLE)))
    encoder = CsvEncoder(schema)
    assert encoder.header == b'A,"x,y"\n'
    assert encoder.encode(batch(schema, [[text, "plain"], [None, math.nan]])).decode() == f"{field},\nplain,NaN\n"


def test_a_record_is_one_csv_field() -> None:
    schema = Schema((Field("R", SqlType(Kind.ROW, fields=(Field("A", INTEGER), Field("B", varchar())))),))
    rows = batch(schema, [[{"A": 1, "B": "x"}, None]])
    assert CsvEncoder(schema).encode(rows).decode() == '"{""A"": 1, ""B"": ""x""}"\n\n'


def test_lists_and_maps_are_quoted_in_csv() -> None:
    schema = Schema((Field("L", array(INTEGER)), Field("M", map_of(varchar(2), INTEGER))))
    rows = batch(schema, [[[1, None]], [[("a", 1)]]])
    assert CsvEncoder(schema).encode(rows).decode() == '"[1, null]","{""a"": 1}"\n'


def one_json(value: Any, type_: SqlType) -> str:
    """A value as JSON, the obvious way."""
    if value is None:
        return "null"
    if isinstance(value, bool | str | int):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return one_float(value, type_)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat(" ", "milliseconds")}"'
    return f'"{value.isoformat(timespec="milliseconds")}"' if isinstance(value, time) else f'"{value.isoformat()}"'


def one_float(value: float, type_: SqlType) -> str:
    """The shortest digits, plain from 1e-6 up to 1e10 and with an exponent elsewhere."""
    if not math.isfinite(value):
        return json.dumps({"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[repr(value)])
    sign, digits, exponent = Decimal(repr(value) if type_ is DOUBLE else shortest_real(value)).as_tuple()
    assert isinstance(exponent, int)
    while len(digits) > 1 and digits[-1] == 0:
        digits, exponent = digits[:-1], exponent + 1
    place = len(digits) + exponent if any(digits) else 1
    text = "".join(map(str, digits))
    if not -6 < place <= 10:
        point = f"{text[0]}.{text[1:]}" if len(text) > 1 else text
        return f"{'-' * sign}{point}e{place - 1:+d}"
    if place <= 0:
        return f"{'-' * sign}0.{'0' * -place}{text}"
    return f"{'-' * sign}{text[:place].ljust(place, '0')}.{text[place:] or '0'}"


def shortest_real(value: float) -> str:
    for precision in range(1, 10):
        text = f"{value:.{precision}g}"
        if struct.pack("f", float(text)) == struct.pack("f", value):
            return text
    raise AssertionError(value)


def one_csv(value: Any, type_: SqlType) -> str:
    if value is None:
        return ""
    if value == b"":
        return '""'
    if isinstance(value, str):
        needy = value == "" or any(c in value for c in ',"\r\n') or value[0] in " \t" or value[-1] in " \t"
        return '"' + value.replace('"', '""') + '"' if needy else value
    return one_json(value, type_).strip('"')


VALUES: dict[SqlType, st.SearchStrategy[Any]] = {
    DOUBLE: st.floats(),
    REAL: st.floats(width=32),
    BIGINT: st.integers(-(2**63), 2**63 - 1),
    decimal(18, 9): st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**8), max_value=10**8),
    BOOLEAN: st.booleans(),
    varchar(): st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    BYTES: st.binary(max_size=8),
    DATE: st.dates(),
    TIME: st.integers(0, 86_399_999).map(lambda ms: (datetime(2000, 1, 1) + timedelta(milliseconds=ms)).time()),
    TIMESTAMP: st.datetimes().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[Schema, list[list[Any]]]:
    types = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4))
    count = draw(st.integers(0, 6))
    nullable = draw(st.booleans())
    names = draw(
        st.lists(st.text(st.characters(min_codepoint=33, exclude_categories=["Cs", "Cf"]), min_size=1), min_size=4, unique=True)
    )
    schema = Schema(tuple(Field(name, type_) for name, type_ in zip(names, types, strict=False)))
    values = [st.one_of(st.none(), VALUES[type_]) if nullable else VALUES[type_] for type_ in types]
    return schema, [draw(st.lists(strategy, min_size=count, max_size=count)) for strategy in values]


@settings(max_examples=80, deadline=None)
@given(tables())
def test_json_lines_equal_those_of_single_values_and_come_back(table: tuple[Schema, list[list[Any]]]) -> None:
    schema, values = table
    rows = batch(schema, values)
    lines = [
        "{"
        + ", ".join(
            f"{json.dumps(f.name, ensure_ascii=False)}: {one_json(v, f.type)}" for f, v in zip(schema.fields, row, strict=True)
        )
        + "}\n"
        for row in zip(*values, strict=True)
    ]
    data = JsonLinesEncoder(schema).encode(rows)
    assert data.decode() == "".join(lines)
    back = JsonLinesDecoder(Target(schema.fields)).decode(data)
    assert (back.failed, shown(back.rows)) == ((), shown(rows))


@settings(max_examples=80, deadline=None)
@given(tables())
def test_csv_equals_that_of_single_values_and_comes_back(table: tuple[Schema, list[list[Any]]]) -> None:
    schema, values = table
    rows = batch(schema, values)
    encoder = CsvEncoder(schema)
    data = encoder.encode(rows)
    lines = [
        ",".join(one_csv(v, f.type) for f, v in zip(schema.fields, row, strict=True)) + "\n" for row in zip(*values, strict=True)
    ]
    assert data.decode() == "".join(lines)
    decoder = CsvDecoder(Target(schema.fields))
    whole = encoder.header + data
    length = decoder.read_header(whole, True)
    back = decoder.decode(whole[length:])
    alone = len(schema.fields) == 1  # an empty line is no record, so a NULL alone does not come back
    kept = [row for row, value in zip(shown(rows), values[0], strict=True) if not alone or value is not None]
    assert (back.failed, shown(back.rows)) == ((), kept)


def test_times_outside_the_calendar_are_still_written() -> None:
    schema = Schema((Field("A", TIMESTAMP),))
    far = pa.RecordBatch.from_arrays([pa.array([2**62, 0, None], pa.timestamp("ms"))], schema=schema.arrow())
    expected = [f'{{"A": "{2**62} ms"}}', '{"A": "1970-01-01 00:00:00.000"}', '{"A": null}']
    assert JsonLinesEncoder(schema).encode(far).decode().splitlines() == expected
