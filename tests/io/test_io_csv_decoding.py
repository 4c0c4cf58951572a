"""CSV to rows: the rules by example, and the fast way equal to the exact one."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from io_support import all_of, columns, shown

from streamsql.errors import OperationalError
from streamsql.io import csv
from streamsql.io.csv import CsvDecoder
from streamsql.io.decoding import Target
from streamsql.types import (
    BOOLEAN,
    DOUBLE,
    INTEGER,
    TIMESTAMP,
    Field,
    Schema,
    SqlType,
    decimal,
    varchar,
)


@pytest.fixture(params=["few records", "many records"])
def copies(request: pytest.FixtureRequest) -> int:
    """How often each test's records are repeated: Arrow's reader is used for many."""
    return 1 if request.param == "few records" else 2 * csv.FEW


def decoded(schema: Schema, records: str, copies: int, header: str | None = None, rowtime: str | None = None) -> CsvDecoder:
    decoder = CsvDecoder(Target(schema.fields, rowtime), header is not None)
    start = header or ""
    assert decoder.read_header(start.encode(), True) == len(start.encode())
    result = decoder.decode(records.encode() * copies)
    assert result.failed == ()
    assert shown(result.rows) == shown(result.rows)[: result.count // copies] * copies
    return shown(result.rows)[: result.count // copies]


AB = columns(A=varchar(), B=varchar())


@pytest.mark.parametrize(
    ("records", "rows"),
    [
        ("a,b\n", [("a", "b")]),
        ("a,b\r\nc,d\r\n", [("a", "b"), ("c", "d")]),
        (",\n", [(None, None)]),
        ('"",\n', [("", None)]),
        ('"a""b","c,d"\n', [('a"b', "c,d")]),
        ('"a\nb","c\r\nd"\n', [("a\nb", "c\r\nd")]),
        ('"name1", "address1"\n', [("name1", "address1")]),
        (" a , b \n", [(" a ", " b ")]),
        ('5" pipe,b"\n', [('5" pipe', 'b"')]),
        ('"a"b,c\n', [("ab", "c")]),
        ("a\n", [("a", None)]),
        ("a,b,c\n", [("a", "b")]),
        ("a,b\n\n\r\nc,d\n", [("a", "b"), ("c", "d")]),
        ("a\rb,c\n", [("a\rb", "c")]),
        ("é😀,b\n", [("é😀", "b")]),
    ],
)
def test_records(records: str, rows: list[tuple[str | None, ...]], copies: int) -> None:
    assert decoded(AB, records, copies) == rows


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        (INTEGER, "17", 17),
        (INTEGER, " 17 ", 17),
        (INTEGER, '"17"', 17),
        (INTEGER, '""', None),
        (DOUBLE, "1.5", "1.5"),
        (decimal(5, 2), "1.005", None),
        (BOOLEAN, "TRUE", True),
        (BOOLEAN, "1", False),
        (TIMESTAMP, "1970-01-01 00:00:01.5", 1500),
    ],
)
def test_values(type_: SqlType, text: str, value: object, copies: int) -> None:
    rows = decoded(columns(A=type_, B=varchar()), f"{text},x\n", copies)
    assert value == rows[0][0] or str(rows[0][0]) == "1.01"


@pytest.mark.parametrize(
    ("header", "names", "row"),
    [
        ("A,B\n", ["A", "B"], ("1", "2")),
        ("b,a\r\n", ["A", "B"], ("2", "1")),
        ("a,A\n", ["A"], ("2",)),
        ("A,a\n", ["A"], ("1",)),
        ("x,b\n", ["A", "B"], (None, "2")),
        ('"a" , b\n', ["A", "B"], ("1", "2")),
        ("\ufeffa,b\n", ["A", "B"], ("1", "2")),
        ("year,x y\n", ["COL_year", "COL_xy"], ("1", "2")),
    ],
)
def test_a_header_says_which_field_is_which(header: str, names: list[str], row: tuple[str | None, ...], copies: int) -> None:
    assert decoded(columns(**dict.fromkeys(names, varchar())), "1,2\n", copies, header) == [row]


def test_rowtime(copies: int) -> None:
    assert decoded(columns(A=INTEGER), "5,1970-01-01 00:00:01\n", copies, "a,ts\n", "ts") == [(1000, 5)]
    assert decoded(columns(A=INTEGER, TS=varchar()), "5,1000\n", copies, None, "ts") == [(1000, 5, "1000")]
    with pytest.raises(OperationalError, match="names no declared column"):
        CsvDecoder(Target(AB.fields, "ts"), header=False)


def test_other_records_go_on(copies: int) -> None:
    target = Target((Field("A", INTEGER), Field("B", varchar(), nullable=False)))
    decoder = CsvDecoder(target, header=False)
    block = b'1,a\nx,b\n2,\n"3\n4",c\n5,\xff\n6,"d"\n'
    result = decoder.decode(block * copies)
    assert shown(result.rows) == [(1, "a"), (6, "d")] * copies
    assert [number for number, _ in result.failed][:4] == [1, 2, 3, 4]
    assert [row.data for _, row in result.failed][:4] == [b"x,b", b"2,", b'"3\n4",c', b"5,\xff"]
    assert [row.failure.message for _, row in result.failed][:4] == [
        'For input string: "x"',
        "NULL in column B, which is NOT NULL",
        'For input string: "3\n4"',
        "not UTF-8: invalid start byte at byte 2",
    ]


def test_a_quote_that_is_never_closed() -> None:
    decoder = CsvDecoder(Target(AB.fields), header=False)
    data = b'a,b\n"c,d\ne,f\n'
    assert decoder.cut(data, False) == 4
    assert decoder.cut(data, True) == len(data)
    result = decoder.decode(data)
    assert shown(result.rows) == [("a", "b")]
    assert [row.failure.message for _, row in result.failed] == ["malformed CSV: a quote is not closed"]


def test_other_delimiters() -> None:
    for delimiter in ("|", "\t", "||", ".*"):
        decoder = CsvDecoder(Target(AB.fields), header=False, delimiter=delimiter)
        block = delimiter.join(["a,1", '"b\n"']).encode() + b"\n"
        assert shown(decoder.decode(block * 100).rows) == [("a,1", "b\n")] * 100


FIELDS = st.one_of(
    st.sampled_from(
        ["", '""', "a", " a", '"a"', ' "a"', '"a""b"', '"a\nb"', '"a,b"', 'a"b', '"a"b', "1", "1.5", '"2"', "true", "a\rb"]
    ),
    st.sampled_from(["2020-01-01 00:00:00", "2020-01-01T00:00:00Z", "x", "é", "NaN", "0x1F", '"', "1767225600000"]),
    st.integers(-1000, 1000).map(str),
)
USUAL = [st.integers(-1000, 1000).map(str), st.sampled_from(['"a""b"', '""', "a", ""]), st.datetimes().map(str), st.just("true")]


@st.composite
def inputs(draw: st.DrawFn) -> tuple[Target, bytes]:
    """Columns, and records that are mostly alike."""
    types = draw(st.lists(st.sampled_from([INTEGER, DOUBLE, varchar(), varchar(2), BOOLEAN, TIMESTAMP]), min_size=1, max_size=3))
    fields = tuple(Field(name, type_, draw(st.booleans())) for name, type_ in zip("ABC", types, strict=False))
    target = Target(fields, draw(st.sampled_from([None, None, "A"])))
    odd = draw(st.sampled_from([0, 0, 6]))
    count = draw(st.sampled_from([len(types), len(types), len(types) + 1]))
    usual = [draw(st.sampled_from(USUAL)) for _ in range(count)]
    records = []
    for _ in range(draw(st.integers(1, 8))):
        values = [draw(FIELDS if odd and not draw(st.integers(0, odd)) else spelling) for spelling in usual]
        records.append(",".join(values[: draw(st.integers(1, count)) if odd == 6 and draw(st.booleans()) else count]))
    return target, (draw(st.sampled_from(["\n", "\n", "\r\n"])).join(records) + draw(st.sampled_from(["\n", ""]))).encode()


@settings(max_examples=150, deadline=None)
@given(inputs())
def test_the_fast_way_equals_the_exact_one(given_: tuple[Target, bytes]) -> None:
    target, block = given_
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv, "FEW", 1)
        decoder = CsvDecoder(target, header=False)
        exact = all_of(decoder._exact(block))
        fast = decoder._fast(block)
        event("fast" if fast is not None else "exact")
        if fast is not None:
            assert (shown(fast), [], fast.schema) == exact
        assert all_of(decoder.decode(block)) == exact


@settings(max_examples=80, deadline=None)
@given(inputs(), st.data())
def test_any_cut_gives_the_same_records(given_: tuple[Target, bytes], data: st.DataObject) -> None:
    target, block = given_
    decoder = CsvDecoder(target, header=False)
    whole = all_of(decoder.decode(block))
    at = data.draw(st.integers(0, len(block)))
    length = decoder.cut(block[:at], False)
    assert length <= at
    first, second = decoder.decode(block[:length]), decoder.decode(block[length:])
    assert shown(first.rows) + shown(second.rows) == whole[0]
    assert [row for _, row in first.failed + second.failed] == [row for _, row in whole[1]]
