"""What is said of wrong texts: errors.txt holds each with its message, place and hint."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from streamsql.engine.engine import Engine
from streamsql.errors import ProgrammingError
from streamsql.sql.lexer import stretch
from streamsql.sql.parser import parse

FILE = Path(__file__).parent / "errors.txt"
RULE, END = "----", "===="


class Case(NamedTuple):
    """A wrong text and what `report` makes of it."""

    text: str
    expected: str


def cases() -> list[Case]:
    """The texts of the file; backslash escapes such as \\u00a0 stand for what cannot be seen."""
    blocks = FILE.read_text(encoding="utf-8").split(f"\n{END}\n")
    pairs = [block.partition(f"\n{RULE}\n") for block in blocks if block.strip()]
    return [Case(text.strip("\n"), expected.strip("\n")) for text, _, expected in pairs]


def source(text: str) -> str:
    for code in ("00a0", "200b", "2003", "0000"):
        text = text.replace(f"\\u{code}", chr(int(code, 16)))
    return text


def report(text: str) -> str:
    """LINE:COLUMN-COLUMN message, and the hint on the next line.

    What a query reads decides whether a reserved word in it is a name: where the text passes, it is executed.
    """
    try:
        parse(text)
        Engine().execute_script(text)
    except ProgrammingError as error:
        span = error.span
        assert span is not None
        end = str(span.end_column) if span.end_line == span.line else f"{span.end_line}:{span.end_column}"
        place = f"{span.line}:{span.column}-{end} {error.message}"
        return f"{place}\nhint: {error.hint}" if error.hint else place
    return "no error"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.config.getoption("--complete"):
        blocks = [f"{case.text}\n{RULE}\n{report(source(case.text))}" for case in cases()]
        FILE.write_text(f"\n{END}\n".join(blocks) + "\n", encoding="utf-8")
    if "case" in metafunc.fixturenames:
        metafunc.parametrize("case", cases(), ids=[case.text[:60] for case in cases()])


def test_message(case: Case) -> None:
    assert report(source(case.text)) == case.expected


def test_spans_count_lines_as_messages_print_them() -> None:
    text = "a\r\nb\rc\x0bd"
    assert [stretch(text, at, at + 1).line for at in (0, 3, 5, 7)] == [1, 2, 3, 4]
    with pytest.raises(ProgrammingError) as caught:
        parse("SELECT 1;\r\n\tSELECT a b c")
    assert caught.value.located("SELECT 1;\r\n\tSELECT a b c").render().splitlines() == [
        "<input>:2:13: unexpected c, expected the next clause, FROM, a comma or the end",
        "  2 |  SELECT a b c",
        "                  ^",
    ]
