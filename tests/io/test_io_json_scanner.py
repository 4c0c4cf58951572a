"""The kernels for JSON lines: numbers bit for bit, and whatever they take equal to the exact way."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from io_support import all_of, columns, shown
from test_io_json_decoding import FAILS, FITS, inputs

from streamsql.io.decoding import Names, Target
from streamsql.io.json import lines as json_lines
from streamsql.io.json.lines import JsonLinesDecoder
from streamsql.io.json.records import ExactDecoder
from streamsql.io.json.scanner import Scanner
from streamsql.types import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, REAL, TIME, TIMESTAMP, Field, SqlType, decimal, varchar


def scanner(target: Target) -> Scanner:
    return Scanner(target, Names(target), ExactDecoder(target))


@pytest.mark.parametrize(("type_", "text", "value"), FITS)
def test_values_that_fit(type_: SqlType, text: str, value: object) -> None:
    target = Target(columns(A=type_).fields)
    decoded = scanner(target).decode(f'{{"A": {text}}}\n'.encode() * 3)
    if decoded is not None:
        assert (decoded.failed, shown(decoded.rows)) == ((), [(value,)] * 3)


@pytest.mark.parametrize(("type_", "text", "message"), FAILS)
def test_values_that_do_not_fit(type_: SqlType, text: str, message: str) -> None:
    decoded = scanner(Target(columns(A=type_).fields)).decode(f'{{"A": {text}}}\n'.encode() * 3)
    if decoded is not None:
        assert [row.failure.message for _, row in decoded.failed] == [message] * 3


def doubles_of(texts: list[str], type_: SqlType) -> list[Any]:
    target = Target(columns(A=type_).fields)
    lines = "".join(f'{{"A":{text}}}\n' for text in ["1", *texts])
    decoded = scanner(target).decode(lines.encode())
    assert decoded is not None
    return decoded.rows.column(0).to_numpy(zero_copy_only=False)[1:].tolist()


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.builds(lambda m, e: f"{m}e{e}", st.integers(0, 2**64), st.integers(-345, 300)),
    st.builds(lambda m, e: f"{m}e{e}", st.integers(2**53, 2**54), st.integers(-30, 30)),
    st.builds(lambda m, p: f"{m >> p}.{(m & (1 << p) - 1) * 5**p:0{p}d}", st.integers(2**53, 2**60), st.integers(1, 20)),
    st.decimals(allow_nan=False, allow_infinity=False, places=6).map(lambda d: f"{d:f}"),
)


@settings(max_examples=50, deadline=None)
@given(st.lists(NUMBERS.filter(lambda text: abs(float(text)) < 1.7e308), min_size=30, max_size=60))
def test_doubles_are_those_of_python(texts: list[str]) -> None:
    assert [struct.pack("d", value) for value in doubles_of(texts, DOUBLE)] == [struct.pack("d", float(text)) for text in texts]


@settings(max_examples=30, deadline=None)
@given(st.lists(NUMBERS.filter(lambda text: abs(float(text)) < 3.4e38), min_size=10, max_size=30))
def test_reals_are_those_of_the_exact_way(texts: list[str]) -> None:
    target = Target(columns(A=REAL).fields)
    exact = ExactDecoder(target).decode("".join(f'{{"A":{text}}}\n' for text in texts).encode())
    assert doubles_of(texts, REAL) == exact.rows.column(0).to_pylist()


def test_halfway_cases() -> None:
    texts = ["9007199254740993", "9007199254740992.5", "9007199254740993.0", "0.5e-323", "4.9e-324", "2.2250738585072011e-308"]
    texts += [
        "1.7976931348623157e308",
        "8.5",
        "1e22",
        "1e23",
        "-0.0",
        "0e400",
        "123456789012345678901234567890",
        "1.00000017881393432617",
    ]
    assert doubles_of(texts, DOUBLE) == [float(text) for text in texts]


@settings(max_examples=150, deadline=None)
@given(inputs())
def test_scanned_blocks_equal_the_exact_way(given_: tuple[Target, bytes]) -> None:
    target, block = given_
    exact = all_of(ExactDecoder(target).decode(block))
    scanned = scanner(target)
    decoded = scanned.decode(block)
    event("scanned" if decoded is not None else "not scanned")
    if decoded is not None:
        assert all_of(decoded) == exact
        again = scanned.decode(block)  # with what the first time taught it
        assert again is None or all_of(again) == exact
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "SCANNED_FROM", 0)
        patch.setattr(json_lines, "COMPILED_FROM", 0)
        patch.setattr(json_lines, "FEW", 1)
        assert all_of(JsonLinesDecoder(target).decode(block)) == exact


PIECES = st.lists(
    st.sampled_from(
        ['"', "\\", "\\u00e9", "\\ud83d\\ude00", "\\ud83d", "\\n", "\\/", "é", "😀", "\t", "x", "{", "}", "[", "]", ",", ":"]
    )
    | st.sampled_from(["null", "true", "false", "1", "-0", "1.5e3", "01", " ", '"a"', '"A"', "\\u12", "\x7f"]),
    max_size=12,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=6), st.booleans())
def test_any_rubbish_is_judged_as_by_the_exact_way(pieces: list[str], extra: bool) -> None:
    target = Target((Field("A", varchar()),))
    head = '"x": ' if extra else '"A": '
    block = "\n".join(f"{{{head}{piece}}}" for piece in ['"text"', *pieces]).encode("utf-8", "surrogatepass")
    decoded = scanner(target).decode(block)
    assert decoded is not None
    assert all_of(decoded) == all_of(ExactDecoder(target).decode(block))


def test_nothing_is_odd_about_usual_records(monkeypatch: pytest.MonkeyPatch) -> None:
    types = columns(
        TS=TIMESTAMP,
        D=DATE,
        T=TIME,
        B=BOOLEAN,
        I=INTEGER,
        L=BIGINT,
        X=DOUBLE,
        R=REAL,
        M=decimal(10, 2),
        V=varchar(8),
        W=varchar(),
    )
    record = {
        "ts": "2026-01-01T00:00:00.123456Z",
        "d": "2026-01-01",
        "t": "01:02:03",
        "b": True,
        "i": 1,
        "l": 2**62,
        "x": 0.1,
        "r": 2.5,
    }
    record |= {"m": 12.345, "v": 'gr"ößer als acht', "w": {"a": [1, "]"]}, "extra": {"a": [1, {"b": None}]}, "Extra": None}
    changes: list[dict[str, Any]] = [{}, {"ts": "2026-01-01 00:00:00+01:00", "w": 17}, {"i": None}, {"x": 1, "w": True}]
    lines = [json.dumps(record | change, ensure_ascii=number % 2 == 0) for number, change in enumerate(changes)]
    block = ("\r\n".join(lines) + "\n").encode() * 300
    target = Target(types.fields, "TS")
    exact = all_of(ExactDecoder(target).decode(block))
    monkeypatch.setattr(ExactDecoder, "decode", lambda *_: pytest.fail("decoded one by one"))
    decoded = scanner(target).decode(block)
    assert decoded is not None
    assert all_of(decoded) == exact


def test_records_that_begin_to_look_otherwise_are_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    target = Target(columns(A=INTEGER, B=varchar()).fields)
    scanned = scanner(target)
    assert shown(scanned.decode(b'{"a": 1}\n' * 100).rows) == [(1, None)] * 100
    calls = []
    decode = ExactDecoder.decode
    monkeypatch.setattr(ExactDecoder, "decode", lambda self, block: calls.append(block) or decode(self, block))
    for _ in range(2):
        decoded = scanned.decode(b'{"a": "1", "b": "x", "c": [1]}\n' * 100)
        assert decoded is not None
        assert shown(decoded.rows) == [(1, "x")] * 100
    assert calls == []


def test_much_data_is_scanned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "SCANNED_FROM", 1000)
    monkeypatch.setattr(json_lines, "COMPILED_FROM", 1000)
    target = Target(columns(A=INTEGER).fields)
    block = b'{"A": 1}\n' * 200
    taken: list[int] = []
    decode = Scanner.decode
    monkeypatch.setattr(Scanner, "decode", lambda self, block: taken.append(len(block)) or decode(self, block))
    decoder = JsonLinesDecoder(target)
    for piece in (block[:900], block[:900], b'{"A": 1}\n'):
        assert decoder.decode(piece).failed == ()
    assert taken == [900]
    assert JsonLinesDecoder(target, 5000).decode(block[:90]).count == 10
    assert taken == [900, 90]
