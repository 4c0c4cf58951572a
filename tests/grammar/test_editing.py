"""What an editor asks: colours, completions, whether a statement is finished."""

from __future__ import annotations

import pytest

from streamsql.sql.parser import completions, highlight, is_complete, split


def colours(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], kind) for start, end, kind in highlight(text)]


def test_colours_follow_what_words_mean() -> None:
    assert colours('SELECT first, step, FLOOR(x TO hour), Hour FROM "t" -- it\'s\n WHERE a <> 1.5 /* x */;') == [
        ("SELECT", "keyword"),
        ("first", "name"),
        (",", "operator"),
        ("step", "name"),
        (",", "operator"),
        ("FLOOR", "keyword"),
        ("(", "operator"),
        ("x", "name"),
        ("TO", "keyword"),
        ("hour", "keyword"),
        (")", "operator"),
        (",", "operator"),
        ("Hour", "name"),
        ("FROM", "keyword"),
        ('"t"', "quoted_name"),
        ("-- it's", "comment"),
        ("WHERE", "keyword"),
        ("a", "name"),
        ("<>", "operator"),
        ("1.5", "number"),
        ("/* x */", "comment"),
        (";", "operator"),
    ]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("SELECT 'it", ("'it", "string")),
        ("SELECT u&'it", ("u&'it", "string")),
        ('SELECT "it', ('"it', "quoted_name")),
        ("SELECT /* it", ("/* it", "comment")),
        ("SELECT 2nd", ("nd", "name")),
        ("FROM select from x", ("x", "name")),
        ("SELECT `", ("`", "operator")),
        ("SELEC a; SELECT a FRO", ("FRO", "name")),
    ],
)
def test_colours_of_what_is_not_finished(text: str, last: tuple[str, str]) -> None:
    assert colours(text)[-1] == last


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT STREAM a FROM ", {"NAME", "QUOTED_NAME", "(", "TABLE", "UNNEST"}),
        ("CREATE OR REPLACE ", {"STREAM", "FOREIGN", "PUMP", "VIEW", "FUNCTION", "SCHEMA", "DATABASE"}),
        ("SELECT 1; ALTER ", {"PUMP", "SESSION", "TABLE", "DATABASE", "SCHEMA"}),
        ("SELECT FLOOR(x TO ", {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}),
        ("SELECT 1 /* x */ FROM t ORDER ", {"BY"}),
        ("SELECT a FROM t LIMIT 1 -- x\n", {"OFFSET", "FETCH", "LIMIT", ";"}),
        ("SELECT INTERVAL '1' DAY ", {"TO"}),
        ("SELECT a FROM FROM", set()),
        ("SELECT 'a", set()),
        ('SELECT "a', set()),
        ("SELECT /* a", set()),
        ("SELECT a -- a", set()),
    ],
)
def test_completions(text: str, expected: set[str]) -> None:
    found = completions(text)
    assert expected <= found if expected == {"TO"} else found == expected


def test_completions_at_the_start() -> None:
    assert (
        completions("")
        == completions("SELECT 1;")
        == {
            "SELECT",
            "VALUES",
            "WITH",
            "(",
            "CREATE",
            "INSERT",
            "ALTER",
            "SET",
            "DROP",
            "EXPLAIN",
            "MSCK",
            "REFRESH",
            "SHOW",
            "DESCRIBE",
            "DESC",
            "USE",
            "UNLOAD",
        }
    )


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        ("", False),
        ("SELECT 1", False),
        ("SELECT 1;", True),
        ("SELECT 1; -- done", True),
        ("SELECT 1 /* ; */", False),
        ("SELECT ';", False),
        ("SELECT ';';", True),
        ('SELECT "a;', False),
        ("SELECT 1; SELECT", False),
        ("-- ;", False),
        ("SELECT /* ;", False),
    ],
)
def test_completeness(text: str, complete: bool) -> None:
    assert is_complete(text) == complete


def test_split() -> None:
    assert split("SELECT 1;\n\n-- x\nSELECT\n  ';' -- ;\n;;SELECT 3") == [("SELECT 1", 0), ("SELECT\n  ';'", 3), ("SELECT 3", 5)]
    assert split("SELECT 'open; SELECT 2") == [("SELECT 'open; SELECT 2", 0)]
