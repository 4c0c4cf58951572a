"""Lines without quotes, read by kernels, give what the rules for any text give, field by field."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamsql.external.scan import line_blocks as blocks
from streamsql.external.scan.field_values import field_values
from streamsql.external.scan.line_blocks import WORD, line_blocks
from streamsql.external.scan.plain_lines import PlainLines
from streamsql.kernels import delimited
from streamsql.types import BIGINT, BOOLEAN, DATE, DOUBLE, INTEGER, TIMESTAMP, Field, Kind, SqlType, decimal, varchar

TYPES = [SqlType(Kind.TINYINT), SqlType(Kind.SMALLINT), INTEGER, BIGINT, DOUBLE, DATE, TIMESTAMP, varchar(), varchar(3), BOOLEAN]
TYPES += [decimal(6, 2), SqlType(Kind.REAL)]

NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.integers(-200, 200).map(str),
    st.floats(allow_nan=False).map(repr),
    st.decimals(-1000, 1000, places=4).map(str),
    st.sampled_from(["", "-", ".", "-.5", "5.", "+5", "007", " 42 ", "1e3", "NaN", "inf", "0x1F", "-0", "-0.0"]),
    st.sampled_from(["1" * 18, "9" * 19, "9" * 15, "9" * 16, "0." + "3" * 14, "0." + "3" * 15]),
)
TIMES = st.one_of(
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda t: str(t)[:21]),
    st.sampled_from(["2024-02-30", "2023-02-29", "2024-13-01", "0000-01-01", "2024-1-1", "2024-05-01T10:00:00"]),
    st.sampled_from(["2024-05-01 24:00:00", "2024-05-01 10:60:00", "2024-05-01 1a:00:00", "1969-12-31 23:59:59.999"]),
    st.sampled_from(["2024-05-01 10:00", "2024-05-01 10:00:00.", "2024-05-01 10:00:00.5", "2024/05/01", "2024-05-01 10:00:00Z"]),
)
WORDS = st.sampled_from(["", "\\N", "\\n", "a", "abcd", "äöü", "日本", "true", "FALSE", " ", "N", "\\", "\x00", "\t"])
FIELDS = st.one_of(NUMBERS, TIMES, WORDS)
LINES = st.lists(st.lists(FIELDS, min_size=1, max_size=5), max_size=12)


def expected(lines: Sequence[str], place: int, field: Field) -> list[Any]:
    """The obvious way."""
    rows = [line.removesuffix("\r").split("|") for line in lines]
    texts = [row[place] if place < len(row) else None for row in rows]
    found, _ = field_values(pa.array([None if t == "\\N" else t for t in texts], pa.string()), field, False)
    return list(found.to_pylist())


def padded(text: bytes) -> Any:
    return np.frombuffer(text + bytes(-len(text) % WORD), np.uint8).copy()


@settings(max_examples=300, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n"]), st.sampled_from(TYPES), st.sampled_from(TYPES), st.data())
def test_as_field_by_field(lines: list[list[str]], end: str, first: SqlType, second: SqlType, data: st.DataObject) -> None:
    written = ["|".join(line) for line in lines]
    read = PlainLines(padded("".join(line + end for line in written).encode()), "|", "\\N", (2, 0))
    assert read.count == len(written)
    chosen = np.flatnonzero(data.draw(st.lists(st.booleans(), min_size=len(lines), max_size=len(lines))))
    for number, place, type_ in ((0, 2, first), (1, 0, second)):
        field = Field("c", type_)
        wanted = expected(written, place, field)
        column = read.column(number, field)
        column.validate(full=True)
        assert column.type == type_.arrow()
        assert list(map(repr, column.to_pylist())) == list(map(repr, wanted))
        some = read.column(number, field, chosen)
        assert list(map(repr, some.to_pylist())) == [repr(wanted[i]) for i in chosen]


@settings(max_examples=300, deadline=None)
@given(st.floats(-1e300, 1e300) | st.floats(-1e6, 1e6).map(lambda x: round(x, 5)))
@example(123456789012345.0)
@example(0.1)
@example(5e-324)
def test_doubles_are_the_nearest(value: float) -> None:
    read = PlainLines(padded(f"{value!r}\n{value:.15g}\n{value:.3f}\n".encode()), ",", "", (0,))
    assert read.column(0, Field("c", DOUBLE)).to_pylist() == [value, float(f"{value:.15g}"), float(f"{value:.3f}")]


def test_every_day_of_some_centuries() -> None:
    days = [str(np.datetime64(n, "D")) for n in range(-719_162, 60_000)]
    read = PlainLines(padded("".join(f"{day}\n" for day in days).encode()), ",", "", (0,))
    assert read.column(0, Field("c", DATE)).view(pa.int32()).to_pylist() == list(range(-719_162, 60_000))


def test_what_is_no_utf_8() -> None:
    read = PlainLines(padded(b"a\xff|1\n\xc3\xa4|2\n"), "|", "\\N", (0, 1))
    assert read.column(0, Field("c", varchar())).to_pylist() == ["a�", "ä"]
    assert read.column(1, Field("c", INTEGER)).to_pylist() == [1, 2]


@pytest.mark.parametrize("header", [0, 1, 3])
@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=30), max_size=12),
    st.booleans(),
    st.integers(1, 40),
)
def test_blocks_of_whole_lines(header: int, lines: list[str], ended: bool, size: int) -> None:
    text = "\n".join(lines) + "\n" * ended
    kept = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "BLOCK", size)
        for mark in (b"", b"\xef\xbb\xbf"):
            found = [block.tobytes() for block in line_blocks(io.BytesIO(mark + text.encode()), header)]
            assert all(len(block) % WORD == 0 for block in found)
            assert b"".join(block.rstrip(b"\0") for block in found).decode() == "".join(line + "\n" for line in kept[header:])


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_the_kernels_do_what_their_text_says(lines: list[list[str]]) -> None:
    text = padded("".join("|".join(line) + "\n" for line in lines).encode())
    columns = np.array([1, -1, 0])
    found = []
    for split in (delimited.split, delimited.split.py_func):  # type: ignore[attr-defined]
        places = np.zeros((2, 2, len(lines)), np.int32)
        with np.errstate(over="ignore"):
            split(text, text.view(np.uint64), ord("|"), columns, places[0], places[1])
        found.append(places.tolist())
    assert found[0] == found[1]
