"""Functions of text, patterns and regular expressions (dialect reference 5.6; the cases L and R of 9.6)."""

import pyarrow as pa
import pytest
from function_calls import Value, Word, call, null, rows_of

from streamsql.functions.java.regex import compile_java, java_replacement
from streamsql.functions.patterns import like, similar_to, substring_similar
from streamsql.functions.string import position, substring, trim
from streamsql.types import INTEGER, Kind, SqlType, char, varchar

BYTES = Value(b"abcdef", SqlType(Kind.VARBINARY, length=6))
DIGITS = "123456789"


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("CHAR_LENGTH", ("one",), "3"),
        ("CHAR_LENGTH", ("",), "0"),
        ("CHARACTER_LENGTH", ("fred",), "4"),
        ("CHAR_LENGTH", (null(varchar(3)),), None),
        ("CHARACTER_LENGTH", (Value("fred".ljust(16), char(16)),), "16"),
        ("CHAR_LENGTH", ("äöü",), "3"),
        ("INITCAP", ("Each FIRST lEtTeR is cAPITALIZED",), "Each First Letter Is Capitalized"),
        ("INITCAP", ("o'neil  two-words",), "O'neil  Two-words"),
        ("LOWER", ("abcDEFghi123",), "abcdefghi123"),
        ("UPPER", ("abcDEFghi123",), "ABCDEFGHI123"),
        ("UPPER", ("",), ""),
        ("OVERLAY", ("12345", "foo", 1), "foo45"),
        ("OVERLAY", ("12345", "foo", 0), "foo345"),
        ("OVERLAY", ("12345", "foo", -2), "foo12345"),
        ("OVERLAY", ("12345", "foo", 4), "123foo"),
        ("OVERLAY", ("12345", "foo", 17), "12345foo"),
        ("OVERLAY", ("12345", "foo", 2, 0), "1foo2345"),
        ("OVERLAY", ("12345", "foo", 2, 2), "1foo45"),
        ("OVERLAY", ("12345", "foo", 2, 9), "1foo"),
        ("OVERLAY", ("12345", "foo", 2, -1), "error: OVERLAY of a negative length"),
        ("OVERLAY", ("12345", "foo", null(INTEGER)), None),
        ("POSITION", (".com", "http://www.amazon.com"), "18"),
        ("POSITION", ("x", "abc"), "0"),
        ("POSITION", ("", "abc"), "1"),
        ("POSITION", ("c", "äbc"), "3"),
        ("POSITION", ("a", null(varchar(3))), None),
        ("SUBSTRING", (DIGITS, 3, 4), "3456"),
        ("SUBSTRING", (DIGITS, 17, 4), ""),
        ("SUBSTRING", (DIGITS, -1, 4), "12"),
        ("SUBSTRING", (DIGITS, -9, 4), ""),
        ("SUBSTRING", (DIGITS, 6, 0), ""),
        ("SUBSTRING", (DIGITS, 8, 4), "89"),
        ("SUBSTRING", (DIGITS, 7, 4), "789"),
        ("SUBSTRING", (DIGITS, 7), "789"),
        ("SUBSTRING", (DIGITS, 0, 4), "123"),
        ("SUBSTRING", (DIGITS, 6, -1), "error: SUBSTRING of a negative length"),
        ("SUBSTRING", (DIGITS, null(INTEGER), 4), None),
        ("SUBSTRING", ("äöüß", 2, 2), "öü"),
        ("SUBSTRING", (BYTES, 2, 3), "b'bcd'"),
        ("SUBSTRING", ("TECHNOLOGY", "L[A-Z]*"), "LOGY"),
        ("SUBSTRING", ("TECHNOLOGY", "FOO"), None),
        ("SUBSTRING", ("TECHNOLOGY", "O[A-Z]"), "OL"),
        ("SUBSTRING", ("TECHNOLOGY", "(O"), "error: invalid regular expression '(O'"),
        ("SUBSTRING SIMILAR", (DIGITS, '23#"456#"78', "#"), "456"),
        ("SUBSTRING SIMILAR", ("TECHNOLOGY", 'TECH%"NOLO%"GY', "%"), "NOLO"),
        ("SUBSTRING SIMILAR", (DIGITS, '32#"456#"78', "#"), None),
        ("SUBSTRING SIMILAR", (DIGITS, "456", "#"), "error: '456' needs #\" twice"),
        ("TRIM", (Word("LEADING"), "x", "xxxTrim frontxxx"), "Trim frontxxx"),
        ("TRIM", (Word("TRAILING"), "x", "xxxTrimxBackxxx"), "xxxTrimxBack"),
        ("TRIM", (Word("BOTH"), "y", "xxxNo y to trimxxx"), "xxxNo y to trimxxx"),
        ("TRIM", (Word("BOTH"), "x", "xxaxx"), "a"),
        ("TRIM", (Word("BOTH"), "xy", "xxx"), "error: TRIM takes exactly one character"),
        ("TRIM", (Word("BOTH"), "", "xxx"), "error: TRIM takes exactly one character"),
        ("TRIM", ("  a b ",), "a b"),
        ("REGEX_REPLACE", ("http://www.amazon.com", "http://", "https://", 1, 0), "https://www.amazon.com"),
        ("REGEX_REPLACE", ("a-b-c-d", "-", "+", 1, 2), "a-b+c-d"),
        ("REGEX_REPLACE", ("a-b-c-d", "-", "+", 3, 0), "a-b+c+d"),
        ("REGEX_REPLACE", ("a-b-c-d", "-", "+", 1, 9), "a-b-c-d"),
        ("REGEX_REPLACE", ("abc", "x*", "-", 9, 0), "abc"),
        ("REGEX_REPLACE", ("2009-09", r"(\d+)-(\d+)", "$2/$1", 1, 0), "09/2009"),
        ("REGEX_REPLACE", ("abc", "b", r"\$1\\", 1, 0), "a$1\\c"),
        ("REGEX_REPLACE", ("abc", "b", "$1", 1, 0), "error: no group for '$1' in the replacement"),
        ("REGEX_REPLACE", ("abc", "b", "x", 0, 0), "error: the start position of REGEX_REPLACE must be at least 1"),
        ("REGEX_REPLACE", ("abc", "b", "x", 1, -1), "error: the occurrence of REGEX_REPLACE must not be negative"),
        ("REGEX_REPLACE", ("abc", null(varchar(1)), "x", 1, 0), None),
    ],
)
def test_functions_of_text(name, arguments, result):
    if result is not None and result.startswith("error: invalid regular expression"):
        assert call(name, *arguments).startswith(result)
        return
    assert call(name, *arguments) == result


def test_the_parts_of_an_address():
    """The amazon.com example: bounds that are computed for each row."""
    rows = rows_of(3)
    addresses = pa.array(["http://www.amazon.com", None, "http://www.stackoverflow.com"])
    end = position(rows, pa.scalar(".com"), addresses)
    start = position(rows, pa.scalar("www."), addresses)
    length = pa.compute.subtract(pa.compute.subtract(end, start), 4)
    assert substring(rows, addresses, pa.scalar(12), length).to_pylist() == ["amazon", None, "stackoverflow"]


def test_arguments_that_differ_by_row():
    rows = rows_of(3)
    text, unwanted = pa.array(["xxa", "yyb", "c"]), pa.array(["x", "y", "zz"])
    assert trim(rows, "LEADING", unwanted, text).to_pylist() == ["a", "b", None]
    assert list(rows.failures) == [2]


LIKE = {
    "TRUE": [
        ("a", "a"),
        ("ab", "a_"),
        ("ab", "a%"),
        ("a_", r"a\_", "\\"),
        ("a%", r"a\%", "\\"),
        ("a", "a%"),
        ("abcd", "a%"),
        ("", ""),
        ("1a", "_a"),
        ("123aXYZ", "%a%"),
        ("123aXYZ", "_%_a%_"),
        ("a\\b", "a\\b"),
        ("a\nb", "a_b"),
        ("a\nb", "%b"),
        ("ä", "_"),
    ],
    "FALSE": [
        ("a", "A"),
        ("a", "b"),
        ("ab", r"a\_", "\\"),
        ("ab", r"a\%", "\\"),
        ("a", "a_"),
        ("abcd", "a_"),
        ("ab", "b"),
    ],
}

SIMILAR = {
    "TRUE": [
        ("a", "a"),
        ("ab", "a_"),
        ("ab", "a%"),
        ("a", "a%"),
        ("abcd", "a%"),
        ("", ""),
        ("1a", "_a"),
        ("123aXYZ", "_%_a%_"),
        ("xy", "(xy)"),
        ("abd", "[ab][bcde]d"),
        ("bdd", "[ab][bcde]d"),
        ("cd", "[a-e]d"),
        ("amy", "amy|fred"),
        ("fred", "amy|fred"),
        ("acd", "ab*c+d"),
        ("accccd", "ab*c+d"),
        ("abbb", "a(b{3})"),
        ("abbbbb", "ab{3,6}"),
        ("", "(ab)?"),
        ("a", "ab?"),
        ("a", "a(b?)"),
        ("ab", "a(b?)"),
        ("ab", "ab?"),
        ("a_", r"a\_", "\\"),
        ("a%", r"a\%", "\\"),
        ("a(b{3})", r"a\(b\{3\}\)", "\\"),
        ("TECHNOLOGY", "%TECH%"),
        ("a.b", "a.b"),
        ("7", "[[:DIGIT:]]"),
        ("-", "[\\-]", "\\"),
        ("ba", "[^a^c][a-c^b]"),
        ("a\nb", "a_b"),
        ("ä", "[à-ü]"),
    ],
    "FALSE": [
        ("a", "A"),
        ("a", "b"),
        ("a", "a_"),
        ("abcd", "a_"),
        ("abd", "[ab]d"),
        ("cd", "[a-e^c]d"),
        ("mike", "amy|fred"),
        ("abd", "ab*c+d"),
        ("aabc", "ab*c+d"),
        ("abb", "a(b{3})"),
        ("abbbbb", "a(b{3})"),
        ("abbbbbbbb", "ab{3,6}"),
        ("", "ab?"),
        ("a", "(ab)?"),
        ("abb", "ab?"),
        ("ab", r"a\_", "\\"),
        ("ab", r"a\%", "\\"),
        ("a(b{3})", "a(b{3})"),
        ("axb", "a.b"),
        ("b", "[a^a]"),
        ("c", "[^a^c]"),
    ],
    "error": [
        ("ad", "[^(a-e)]d"),
        ("a", "a{"),
        ("a", "a{x}"),
        ("a", "(a"),
        ("a", "a)"),
        ("a", "*a"),
        ("a", "a**"),
        ("a", "[a"),
        ("a", "[b-a]"),
        ("a", "]"),
        ("a", "[[:NONE:]]"),
        ("a", "a!b", "!"),
        ("a", "a!", "!"),
        ("a", "a", "!!"),
    ],
}


def cases(table):
    return [(arguments, result) for result, list_ in table.items() for arguments in list_]


@pytest.mark.parametrize(("arguments", "result"), cases(LIKE))
def test_like(arguments, result):
    assert call("LIKE", *arguments) == result


@pytest.mark.parametrize("arguments", [("ab", "a!b", "!"), ("a", "a!", "!"), ("a", "a", "")])
def test_malformed_like(arguments):
    assert call("LIKE", *arguments).startswith("error: ")


@pytest.mark.parametrize(("arguments", "result"), cases(SIMILAR))
def test_similar_to(arguments, result):
    assert call("SIMILAR TO", *arguments).partition(":")[0] == result


def test_patterns_of_null():
    assert call("LIKE", null(varchar(1)), "a") is None
    assert call("LIKE", "a", null(varchar(1))) is None
    assert call("SIMILAR TO", "a", null(varchar(1))) is None


@pytest.mark.parametrize(("function", "table"), [(like, LIKE), (similar_to, SIMILAR)])
def test_patterns_that_are_columns(function, table):
    """Row by row, in Python, the results are those of Arrow."""
    for arguments, result in cases(table):
        rows = rows_of(1)
        value = function(rows, *(pa.array([a]) for a in arguments)).to_pylist()
        assert (bool(rows.failures), value) == (result == "error", [{"TRUE": True, "FALSE": False, "error": None}[result]])


def test_three_part_patterns_that_are_columns():
    text, pattern = pa.array([DIGITS, DIGITS]), pa.array(['23#"456#"78', '3#"5#"6'])
    assert substring_similar(rows_of(2), text, pattern, pa.array(["#", "#"])).to_pylist() == ["456", None]


@pytest.mark.parametrize(
    ("pattern", "text", "match"),
    [
        ("[a-z&&[^b]]+", "BbAcdb", "cd"),
        ("[a-z&&[def]]+", "abcef", "ef"),
        ("[^a-c&&[b]]+", "bxb", "x"),
        ("[a-c[x-z]]+", "maxn", "ax"),
        (r"\p{Alpha}+", "1ab2", "ab"),
        (r"\P{Alpha}+", "ab12", "12"),
        (r"[\p{Upper}\d]+", "abC3", "C3"),
        (r"\p{L}+", "1é2", "é"),
        (r"\Qa.b\E+", "xa.bb", "a.bb"),
        (r"(?<x>a)\k<x>", "baa", "aa"),
        (r"(?i)abc", "xABC", "ABC"),
        (r"(?s)a.c", "a\nc", "a\nc"),
        (r"a.c", "a\rc", None),
        (r"(?<=a)b", "ab", "b"),
        (r"(?i:B)c", "bc", "bc"),
        (r"a++b", "aab", "aab"),
        (r"\x41\x{42}\u0043\t", "ABC\t", "ABC\t"),
        (r"\h+\R", "a \t\r\n", " \t\r\n"),
        (r"\d+", "٣3", "3"),
        (r"\|35=([0-9A-Za-z])\|", "8=F|35=D|", "|35=D|"),
        (r"[\w.]+@[\w.]+", "to me@x.org", "me@x.org"),
        (r"[]a]+", "]a", "]a"),
        (r"end\z", "the end", "end"),
        (r"end\Z", "the end\n", "end"),
        (r"end$", "the end\r\n", "end"),
        (r"(?m)^b$", "a\nb\nc", "b"),
        (r"\011\cA", "\t\x01", "\t\x01"),
    ],
)
def test_java_patterns(pattern, text, match):
    found = compile_java(pattern).search(text)
    assert (found and found[0]) == match


REFUSED = ["(a", "[a", "[a-", r"\y", r"\p{Nothing}", "a(?i)b", r"\Gx", "\\", r"\x{110000}", r"\08", "a{2,1}"]


@pytest.mark.parametrize("pattern", REFUSED)
def test_java_patterns_that_are_refused(pattern):
    with pytest.raises(ValueError, match="invalid regular expression"):
        compile_java(pattern)


def test_java_replacements():
    assert java_replacement("$12", 1) == (1, "2")
    assert java_replacement("$12", 12) == (12,)
    with pytest.raises(ValueError, match="escaped"):
        java_replacement("a\\", 0)
