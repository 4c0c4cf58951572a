"""JSON lines to rows: the rules by example, and the fast way equal to the exact one."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from io_support import all_of, columns, shown

from streamsql.io.decoding import Target
from streamsql.io.json import reader as json_reader
from streamsql.io.json.lines import JsonLinesDecoder
from streamsql.io.json.records import ExactDecoder
from streamsql.io.json.sample import sampled
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
    Field,
    Kind,
    Schema,
    SqlType,
    char,
    decimal,
    varchar,
)

BINARY = SqlType(Kind.BINARY, length=4)
FITS = [
    (INTEGER, "5", 5),
    (INTEGER, "5.0", 5),
    (INTEGER, "5e2", 500),
    (INTEGER, "true", 1),
    (INTEGER, '" 17 "', 17),
    (INTEGER, '"+017"', 17),
    (INTEGER, "null", None),
    (TINYINT, "-128", -128),
    (BIGINT, "9223372036854775807", 2**63 - 1),
    (DOUBLE, "1", "1.0"),
    (DOUBLE, "-0", "-0.0"),
    (DOUBLE, '"1e3"', "1000.0"),
    (DOUBLE, "false", "0.0"),
    (DOUBLE, "NaN", "nan"),
    (DOUBLE, '"Infinity"', "inf"),
    (REAL, "0.1", "0.10000000149011612"),
    (REAL, "1.00000017881393432617187499", "1.0000001192092896"),
    (decimal(5, 2), "1.005", Decimal("1.01")),
    (decimal(5, 2), "-1.005", Decimal("-1.01")),
    (decimal(18), '"7"', Decimal(7)),
    (BOOLEAN, "true", True),
    (BOOLEAN, "0", False),
    (BOOLEAN, "0.5", True),
    (BOOLEAN, '"TRUE"', True),
    (BOOLEAN, '"yes"', False),
    (varchar(4), '"abcdef"', "abcd"),
    (varchar(4), '"\\ud83d\\ude00bcdef"', "😀bcd"),
    (varchar(4), '"\\ud83d"', "\ufffd"),
    (varchar(), "1.50", "1.50"),
    (varchar(), "-0", "0"),
    (varchar(3), "true", "tru"),
    (varchar(), '{"b": [1,  2]}', '{"b": [1,  2]}'),
    (varchar(), "[]", "[]"),
    (char(4), '"ab"', "ab  "),
    (char(2), '"abc"', "ab"),
    (BINARY, "\"X'0aFF'\"", b"\x0a\xff"),
    (BINARY, '"AAECAwQFBg=="', b"\x00\x01\x02\x03"),
    (BINARY, "true", b"\x01"),
    (TIMESTAMP, '"1970-01-01 00:00:01"', 1000),
    (TIMESTAMP, '"1970-01-01 00:00:01.5"', 1500),
    (TIMESTAMP, '"1970-01-01T00:00:01.337510"', 1337),
    (TIMESTAMP, '"1970-01-01T00:00:01Z"', 1000),
    (TIMESTAMP, '"1970-01-01T01:00:01+01:00"', 1000),
    (TIMESTAMP, '"1970-01-02"', 86_400_000),
    (DATE, '"1970-01-02"', 1),
    (DATE, '"1969-12-31 18:35:44.0"', -1),
    (TIME, '"00:00:01.25"', 1250),
    (TIME, '"1970-01-01 00:00:01"', 1000),
]
FAILS = [
    (INTEGER, "123.4", 'For input string: "123.4"'),
    (INTEGER, '"abc"', 'For input string: "abc"'),
    (INTEGER, '""', 'For input string: ""'),
    (INTEGER, "[1]", 'For input string: "[1]"'),
    (INTEGER, '"0x1F"', 'For input string: "0x1F"'),
    (INTEGER, "2147483648", 'Value out of range for INTEGER: "2147483648"'),
    (TINYINT, "300", 'Value out of range for TINYINT: "300"'),
    (BIGINT, "1e400000000", 'Value out of range for BIGINT: "1e400000000"'),
    (DOUBLE, "1e400", 'Value out of range for DOUBLE: "1e400"'),
    (DOUBLE, '"1_0"', 'For input string: "1_0"'),
    (DOUBLE, '"1d"', 'For input string: "1d"'),
    (REAL, "1e39", 'Value out of range for REAL: "1e39"'),
    (decimal(5, 2), "999.995", 'Value out of range for DECIMAL(5, 2): "999.995"'),
    (BOOLEAN, "{}", 'For input string: "{}"'),
    (TIMESTAMP, "0", 'For input string: "0"'),
    (TIMESTAMP, "true", 'For input string: "true"'),
    (TIMESTAMP, '"2020-02-30 00:00:00"', 'For input string: "2020-02-30 00:00:00"'),
    (DATE, '"12:00:00"', 'For input string: "12:00:00"'),
    (TIME, '"21:23"', 'For input string: "21:23"'),
    (BINARY, "1", 'For input string: "1"'),
    (BINARY, '"%"', 'For input string: "%"'),
]


@pytest.fixture(params=["few records", "many records"])
def copies(request: pytest.FixtureRequest) -> int:
    """How often each test's lines are repeated: Arrow's reader is used for many."""
    return 1 if request.param == "few records" else 2 * json_reader.FEW


@pytest.mark.parametrize(("type_", "text", "value"), FITS)
def test_values_that_fit(type_: SqlType, text: str, value: object, copies: int) -> None:
    decoded = JsonLinesDecoder(Target(columns(A=type_).fields)).decode(f'{{"A": {text}}}\n'.encode() * copies)
    assert decoded.failed == ()
    assert shown(decoded.rows) == [(value,)] * copies


@pytest.mark.parametrize(("type_", "text", "message"), FAILS)
def test_values_that_do_not_fit(type_: SqlType, text: str, message: str, copies: int) -> None:
    line = f'{{"A": {text}}}'
    decoded = JsonLinesDecoder(Target(columns(A=type_).fields)).decode(f"{line}\n".encode() * copies)
    assert [number for number, _ in decoded.failed] == list(range(copies))
    for _, row in decoded.failed:
        assert (row.failure.name, row.failure.message) == ("Coercion error", message)
        assert (row.rowtime, row.data) == (None, line.encode())


def test_other_records_go_on(copies: int) -> None:
    block = (
        b'{"A": 1}\n{"A": "x"}\nnonsense\n{"A": 2}{"A": 3} [{"A": 4}, {"A": 5}]\n\n  \n{"A": 6} {"A"\n{"B": 7}\n"\xff"\n[1]\n[]'
    )
    decoded = JsonLinesDecoder(Target(columns(A=INTEGER).fields)).decode((block + b"\n") * copies)
    assert shown(decoded.rows) == [(n,) for n in (1, 2, 3, 4, 5, 6, None)] * copies
    numbers = [number for number, _ in decoded.failed]
    assert numbers[:5] == [1, 2, 8, 10, 11]
    assert [row.data for _, row in decoded.failed][:5] == [b'{"A": "x"}', b"nonsense", b'{"A"', b'"\xff"', b"[1]"]
    assert decoded.failed[1][1].failure.message == "malformed JSON: Expecting value at column 1"
    assert decoded.failed[3][1].failure.message.startswith("not UTF-8")


@pytest.mark.parametrize(
    ("names", "line", "row"),
    [
        (["TICKER"], '{"ticker": 1}', (1,)),
        (["TICKER"], '{"Ticker": 1}', (1,)),
        (["ticker"], '{"TICKER": 1}', (None,)),
        (["TICKER"], '{"TICKER": 1, "ticker": 2}', (1,)),
        (["TICKER"], '{"TICKER": null, "ticker": 2}', (None,)),
        (["TICKER"], '{"ticker": 2, "x": 5, "Ticker": 3}', (3,)),
        (["TICKER", "ticker"], '{"ticker": 1, "Ticker": 2}', (2, 1)),
        (["TICKER"], '{"t\\u0069cker": 1, "x": 2}', (1,)),
        (["TICKER"], '{"tıcker": 1}', (None,)),
        (["COL_USER", "COL_year"], '{"USER": 1, "year": 2}', (1, 2)),
        (["COL_USERDOMAIN"], '{"USER@DOMAIN": 1}', (1,)),
    ],
)
def test_members_find_their_columns(names: list[str], line: str, row: tuple[object, ...], copies: int) -> None:
    target = Target(columns(**dict.fromkeys(names, INTEGER)).fields)
    assert shown(JsonLinesDecoder(target).decode(f"{line}\n".encode() * copies).rows) == [row] * copies


def test_not_null(copies: int) -> None:
    target = Target((Field("A", INTEGER, nullable=False),))
    decoded = JsonLinesDecoder(target).decode(b'{"A": 1}\n{"A": null}\n{}\n' * copies)
    assert decoded.rows.num_rows == copies
    assert {row.failure.message for _, row in decoded.failed} == {"NULL in column A, which is NOT NULL"}


@pytest.mark.parametrize(
    ("fields", "lines", "times"),
    [
        (columns(TS=TIMESTAMP), ['{"ts": "1970-01-01 00:00:01"}'], [1000]),
        (columns(TS=varchar(4)), ['{"ts": "1970-01-01T00:00:01Z"}'], [1000]),
        (columns(A=INTEGER), ['{"ts": "1970-01-01 00:00:01"}', '{"A": 1, "ts": "1970-01-01 00:00:01.0019"}'], [1000, 1001]),
        (columns(A=INTEGER), ['{"TS": 1767225600000}', '{"ts": "1767225600001"}'], [1767225600000, 1767225600001]),
        (columns(TS=BIGINT), ['{"ts": 1767225600000}'], [1767225600000]),
        (columns(TS=DOUBLE), ['{"ts": -0.5}'], [-1]),
        (columns(COL_timestamp=TIMESTAMP), ['{"ts": "1970-01-01 00:00:01", "timestamp": "1970-01-01 00:00:02"}'], [2000]),
    ],
)
def test_rowtime(fields: Schema, lines: list[str], times: list[int], copies: int) -> None:
    target = Target(fields.fields, "timestamp" if "COL_timestamp" in lines[0] or "timestamp" in lines[0] else "ts")
    decoded = JsonLinesDecoder(target).decode("".join(f"{line}\n" for line in lines).encode() * copies)
    assert decoded.failed == ()
    assert decoded.rows.schema.names == ["ROWTIME", *(field.name for field in fields.fields)]
    assert [row[0] for row in shown(decoded.rows)] == times * copies


@pytest.mark.parametrize("value", ["null", '"x"', "true", "{}", "1e30", '"2020-13-01"'])
def test_unreadable_rowtime(value: str, copies: int) -> None:
    decoded = JsonLinesDecoder(Target(columns(A=INTEGER).fields, "ts")).decode(f'{{"ts": {value}}}\n'.encode() * copies)
    assert len(decoded.failed) == copies
    assert decoded.failed[0][1].rowtime is None


def test_failures_keep_their_rowtime(copies: int) -> None:
    decoded = JsonLinesDecoder(Target(columns(A=INTEGER).fields, "ts")).decode(b'{"ts": 5, "A": "x"}\n' * copies)
    assert [row.rowtime for _, row in decoded.failed] == [5] * copies


def test_usual_records_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExactDecoder, "decode", lambda *_: pytest.fail("decoded one by one"))
    types = columns(
        TS=TIMESTAMP,
        D=DATE,
        T=TIME,
        B=BOOLEAN,
        I=INTEGER,
        S=SMALLINT,
        X=DOUBLE,
        R=REAL,
        M=decimal(10, 2),
        V=varchar(8),
        W=varchar(),
    )
    record = {"ts": "2026-01-01T00:00:00.123Z", "d": "2026-01-01", "t": "01:02:03", "b": True, "i": 1, "s": 2, "x": 1.5, "r": 2.5}
    record |= {"m": 12.345, "v": "größer als acht", "w": 17, "extra": {"a": [1]}, "Extra": None}
    for changes in ({}, {"ts": "2026-01-01 00:00:00.123456"}, {"i": "5", "x": "1.5", "m": "1.5", "b": 1, "v": False}, {"i": 5.0}):
        line = json.dumps(record | changes, ensure_ascii=False)
        decoded = JsonLinesDecoder(Target(types.fields, "TS")).decode(f"{line}\r\n".encode() * 1000)
        assert decoded.rows.num_rows == 1000


TEXTS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", " 1", "1 ", "0x1F", "NaN", "inf", "Infinity", "TRUE", "false", "1e5", "1.50", "+5", "-0", "007", ".5", "5."]
    ),
    st.sampled_from(["😀😀😀😀😀", 'a"b\\c', "tab\tand\nline"]),
)
MOMENTS = st.one_of(
    st.datetimes().map(str),
    st.sampled_from(["1969-12-31", "2020-02-30", "0000-01-01", "2020-01-01 00:00:00", "2020-01-01T23:59:59.999Z", "9999-12-31"]),
    st.sampled_from(
        ["2020-01-01 00:00:00.1234567", "2020-01-01T00:00:00+01:00", "2020-01-01 00:00", "2020-1-1 0:00:00", "23:59:59"]
    ),
    st.sampled_from(
        ["2020-01-01 24:00:00", "2020-01-01 00:00:60", "2020-01-01T00:00:00z", "2020-01-01 00:00:00.", "00:00", "1:02:03.5"]
    ),
    st.times().map(str),
    st.dates().map(str),
)
WHOLE = st.one_of(st.integers(-200, 200), st.integers(-(2**64), 2**64)).map(str)
FRACTIONS = st.one_of(
    st.floats().map(json.dumps),
    st.sampled_from(["1.0", "-0", "1e3", "1E+2", "0.1", "1e400", "1e39", "1e-400", "16777217"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**6), max_value=10**6).map(str),
)
TRUTH = st.booleans().map(json.dumps)
ODD = st.sampled_from(
    ['"\\ud800"', '"\\u0041"', '"\t"', '"\\x"', '"a', "[1, 2]", '{"A": 1}', "nul", "[", "Inf", "-NaN", "01", "null"]
)


def quoted(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(texts.map(json.dumps), texts.map(lambda text: json.dumps(text, ensure_ascii=False)))


ANY = st.one_of(WHOLE, FRACTIONS, TRUTH, quoted(TEXTS), quoted(MOMENTS), quoted(WHOLE), ODD)
NUMBERS = st.sampled_from([WHOLE, st.integers(-128, 127).map(str), FRACTIONS, quoted(WHOLE), TRUTH])
SPELLED = {
    **dict.fromkeys([TINYINT, INTEGER, BIGINT, REAL, DOUBLE, decimal(5, 2), decimal(18, 6)], NUMBERS),
    **dict.fromkeys([char(3), varchar(4), varchar()], st.sampled_from([quoted(TEXTS), quoted(TEXTS), WHOLE, TRUTH])),
    **dict.fromkeys([DATE, TIME, TIMESTAMP], st.sampled_from([quoted(MOMENTS), quoted(st.datetimes().map(str))])),
    BOOLEAN: st.sampled_from([TRUTH, WHOLE, quoted(TEXTS)]),
    BINARY: st.just(quoted(TEXTS)),
}


@st.composite
def inputs(draw: st.DrawFn) -> tuple[Target, bytes]:
    """Columns, and lines that mostly fit them and spell each member alike, as real files do."""
    names = draw(st.lists(st.sampled_from(["A", "B", "a", "c", "COL_x"]), min_size=1, max_size=3, unique=True))
    fields = tuple(Field(name, draw(st.sampled_from(list(SPELLED))), draw(st.booleans())) for name in names)
    rowtime = draw(st.sampled_from([None, None, "a", "b", "X"]))
    usual = {draw(st.sampled_from([f.name, f.name.lower(), f.name.removeprefix("COL_")])): draw(SPELLED[f.type]) for f in fields}
    if rowtime is not None:
        usual[rowtime] = draw(st.sampled_from([quoted(st.datetimes().map(str)), st.integers(0, 2**41).map(str)]))
    if draw(st.booleans()):
        usual["x"] = ANY
    odd = draw(st.sampled_from([0, 0, 4]))
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        members = []
        for name, spelling in usual.items():
            strange = draw(st.integers(0, odd)) if odd else 0
            value = draw(ANY if strange == 1 else spelling)
            name = draw(st.sampled_from(["A", "a", "b", "x-", "\\u0041"])) if strange == 2 else name
            members += [f'"{name}":{value}'] if strange != 3 else []
        lines.append(f"{{{', '.join(members)}}}")
    glue = draw(st.sampled_from(["\n", "\r\n", "", " ", "\n\n"])) if odd else "\n"
    return Target(fields, rowtime), (glue.join(lines) + draw(st.sampled_from(["\n", ""]))).encode("utf-8", "surrogatepass")


@settings(max_examples=150, deadline=None)
@given(inputs())
def test_the_fast_way_equals_the_exact_one(given_: tuple[Target, bytes]) -> None:
    target, block = given_
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_reader, "FEW", 1)
        decoder = JsonLinesDecoder(target)
        lines = json_reader._plain_lines(block)
        reading = decoder._reader._planned(sampled(block, decoder._names))
        fast = None if lines is None or reading is None else decoder._reader._read(lines, reading)
        event("fast" if fast is not None else "exact")
        exact = all_of(ExactDecoder(target).decode(block))
        if fast is not None:
            fast.validate(full=True)
            assert (shown(fast), [], fast.schema) == exact
        assert all_of(decoder.decode(block)) == exact
