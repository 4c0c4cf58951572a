"""For any text whatever: statements, or a ProgrammingError with its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.errors import ProgrammingError
from streamsql.sql.parser import completions, highlight, is_complete, parse, parse_expression, split

HERE = Path(__file__).parent
WORDS = r"""
SELECT STREAM FROM WHERE GROUP BY HAVING WINDOW ORDER LIMIT CREATE OR REPLACE PUMP AS INSERT INTO VALUES JOIN ON OVER PARTITION
ROWS RANGE PRECEDING INTERVAL DATE TIMESTAMP MINUTE TO STEP FLOOR CAST CASE WHEN THEN END AND NOT NULL IN IS BETWEEN LIKE
CONTAINS EMIT TABLE CURSOR WITH UNION ALL ( ) , . * + - / = <> < ; ' " -- // /* */ ` { } ${x} %%X%% : ? :: \ a b.c "D" 'x' '1'
12 1.5 1e2 2nd u&'\0041' “ ’ ß é UNKNOWN STRING NAME $END
""".split()  # noqa: SIM905 - a list would take a line a word
WORDS += ["\u00a0", "\ufeff", "\x00", "\n", "\r\n", "\t", "\u2028", "\U0001d538"]
SCRIPTS = [file.read_text(encoding="utf-8") for file in sorted((HERE / "applications").glob("*.sql"))]

texts = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join),
)


@st.composite
def damaged_scripts(draw: st.DrawFn) -> str:
    """A good script from which a piece is taken, or which gets a piece put in."""
    text = draw(st.sampled_from(SCRIPTS))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from(("", " ", *WORDS))) + text[end:]
    return text


def check(text: str) -> None:
    """Every question is answered, and an error can be printed."""
    for read in (parse, parse_expression):
        try:
            read(text)
        except ProgrammingError as error:
            assert error.span is not None
            assert len(error.message.splitlines()) == 1
            lines = len(text.splitlines()) + 1
            assert 1 <= error.span.line <= error.span.end_line <= lines
            error.located(text).render()
    completions(text)
    is_complete(text)
    split(text)
    at = 0
    for start, end, _ in highlight(text):
        assert at <= start < end <= len(text)
        at = end


@settings(max_examples=250, deadline=None)
@given(texts)
def test_any_text(text: str) -> None:
    check(text)


@settings(max_examples=100, deadline=None)
@given(damaged_scripts())
def test_damaged_scripts(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 100_000 + "1" + ")" * 100_000,
        "SELECT " + "NOT " * 20_000 + "a",
        "SELECT " + "- " * 20_000 + "1",
        "SELECT " + "CASE WHEN " * 5_000,
        "SELECT " + "f(" * 250 + "1" + ")" * 250,
        "SELECT a FROM " + "(SELECT a FROM " * 60 + "t" + ")" * 60,
        "SELECT " + " + ".join("a" * 500),
        "EXPLAIN " * 5_000,
        "'" * 100_001,
        '"' * 100_001,
        "/*" * 100_000,
        "\x00" * 1_000,
    ],
    ids=lambda text: text[:20],
)
def test_monsters(text: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        parse(text)
    assert caught.value.span is not None


def test_what_is_deep_but_sensible() -> None:
    assert len(parse("SELECT " + "(" * 150 + "1" + ")" * 150)) == 1
    assert len(parse("SELECT a FROM " + "(SELECT a FROM " * 20 + "t" + ")" * 20)) == 1
    assert len(parse("SELECT " + " + ".join("a" * 150))) == 1
    assert len(parse("SELECT " + " || ".join("a" * 1000))) == 1
