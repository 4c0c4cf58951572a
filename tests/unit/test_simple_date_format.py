"""Java's SimpleDateFormat (dialect reference 5.4; the cases T, G and M of 9.6).

The expected moments of `test_rare_fields` are those of java.text.SimpleDateFormat, not lenient, in en_US and UTC, but for the
hour 0 of `h` and `k` and for years after blanks, which the reference shows otherwise.
"""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from function_calls import Word, call, cast, clock, day, null, rows_of, span, ts

from streamsql.functions.formats import char_to_timestamp, timestamp_to_char
from streamsql.functions.java.calendar import fields_of, moment_of
from streamsql.functions.java.simple_date_format import format_time, parse_time_by
from streamsql.types import DATE, INTEGER, TIMESTAMP, varchar

LONG = "2009-09-16 03:15:24"
NO_ROW = None

T_CASES = [
    ("yyyy-MM-dd hh:mm:ss", LONG, "2009-09-16 03:15:24"),
    ("yyyy-MM-dd", LONG, "2009-09-16 00:00:00"),
    ("yyyy-hh-mm", LONG, "2009-01-01 09:16:00"),
    ("yyyy", LONG, "2009-01-01 00:00:00"),
    ("yyyy hh", LONG, NO_ROW),
    ("yyyy-hh", LONG, "2009-01-01 09:00:00"),
    ("yyyy hh", "2009 09 16 03:15:24", "2009-01-01 09:00:00"),
    ("yyyy/hh", "2009/09/16 03:15:24", "2009-01-01 09:00:00"),
    ("yyyy-mm", LONG, "2009-01-01 00:09:00"),
    ("yyyy-mm", "2012-02-08 07:23:19", "2012-01-01 00:02:00"),
    ("yyyy-ss-mm", "2012-02-08 07:23:19", "2012-01-01 00:08:02"),
    ("MMM dd, yyyy", "March 7, 2010", "2010-03-07 00:00:00"),
    ("MMM dd,", "March 7, 2010", "1970-03-07 00:00:00"),
    ("MMM dd,y", "March 7, 2010", "2010-03-07 00:00:00"),
    ("MMM dd,y", "March 7, 10", "0010-03-07 00:00:00"),
    ("M-d", "2-8", "1970-02-08 00:00:00"),
    ("M-d", "2-8-2012", "1970-02-08 00:00:00"),
    ("M-d", "2012-2-8", NO_ROW),
    ("MM-dd-yyyy", "06-23-2012 10:11:12", "2012-06-23 00:00:00"),
    ("dd-MM-yy hh:mm:ss", "23-06-11 10:11:12", "2011-06-23 10:11:12"),
    ("MM-dd-yy ss:hh:mm", "06-23-11 12:10:11", "2011-06-23 10:11:12"),
    ("yy-dd-MM ss:hh:mm", "06-23-11 12:10:11", "2006-11-23 10:11:12"),
    ("dd-MM-yy hh:mm", "23-06-11 10:11:12", "2011-06-23 10:11:00"),
    ("dd-MM-yy hh:mm", "23-06-1 10:11:12", "0001-06-23 10:11:00"),
    ("MM/dd/yy hh:mm:ss", "12/19/11 10:11:12", "2011-12-19 10:11:12"),
    ("MM/dd/yy hh:mm:ss", "12/19/11 12:11:10", "2011-12-19 00:11:10"),
    ("MM/dd/yy HH:mm:ss", "12/19/11 12:59:59", "2011-12-19 12:59:59"),
    ("MM/dd/yy HH:mm:ss", "12/19/11 21:08:07", "2011-12-19 21:08:07"),
    ("y/MM/dd HH:mm:ss", "2011/12/19 00:11:12", "2011-12-19 00:11:12"),
    ("yyyy-MM", LONG, "2009-09-01 00:00:00"),
    ("yyyy-MM hh", LONG, NO_ROW),
    ("yyyy-MM hh:", LONG, NO_ROW),
    ("yyyy-MM- mm", LONG, NO_ROW),
    ("yyyy-MM   mm", LONG, NO_ROW),
    ("yyyy-MM   hh", LONG, NO_ROW),
    ("yyyy-MM-dd hh", LONG, "2009-09-16 03:00:00"),
    ("yyyy-MM-dd ss", LONG, "2009-09-16 00:00:03"),
    ("yyyy-MM-dd mm", LONG, "2009-09-16 00:03:00"),
    ("MM/dd/yy hh:mm:ss", "2009/09/16 03:15:24", NO_ROW),
    ("MM/dd/yy hh:mm:ss", "09/16/11 03:15:24", "2011-09-16 03:15:24"),
    ("MM/dd/yy hh/mm/ss", "09/16/11 03/15/24", "2011-09-16 03:15:24"),
    ("MM/dd/yy hh-mm-ss", "09/16/11 03-15-24", "2011-09-16 03:15:24"),
    ("yyyy|MM|dd hh|mm|ss", "2009|09|16 03|15|24", "2009-09-16 03:15:24"),
    ("yyyy@MM@dd hh@mm@ss", "2009@09@16 03@15@24", "2009-09-16 03:15:24"),
    ("yyyy", "09-16 03:15", "0009-01-01 00:00:00"),
    ("yyyy", "16 03:15", "0016-01-01 00:00:00"),
    ("y", " 10", "0010-01-01 00:00:00"),
    ("yyyy-MM-dd", "2009-19-16", NO_ROW),
    ("MM-dd", "2009-09-16", NO_ROW),
    ("yyyy-MM-dd'T'HH:mm:ss.SSS", "2018-05-09T12:50:41.337", "2018-05-09 12:50:41.337"),
]
"""Pattern, text, documented result."""


@pytest.mark.parametrize(("pattern", "text", "result"), T_CASES)
def test_char_to_timestamp(pattern, text, result):
    found = call("CHAR_TO_TIMESTAMP", pattern, text)
    if result is not None:
        assert found == result
    else:
        assert found == f'error: Unparseable date: "{text}"'


def day_and_time(milliseconds):
    return np.datetime_as_string(np.datetime64(milliseconds, "ms")).replace("T", " ")


@pytest.mark.parametrize(
    ("pattern", "text", "result"),
    [
        ("yyyyMMddHHmmss", "20100307112233", "2010-03-07 11:22:33.000"),
        ("d MMMM yyyy", "7 mar 2010", "2010-03-07 00:00:00.000"),
        ("EEE, d MMM yyyy HH:mm:ss Z", "Wed, 4 Jul 2001 12:08:56 -0700", "2001-07-04 19:08:56.000"),
        ("EEE, d MMM yyyy", "Thu, 4 Jul 2001", NO_ROW),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2001-07-04T12:08:56-07", "2001-07-04 19:08:56.000"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "2001-07-04T12:08:56Z", "2001-07-04 12:08:56.000"),
        ("HH:mm z", "12:08 PDT", "1970-01-01 19:08:00.000"),
        ("HH:mm z", "12:08 GMT+1:00", "1970-01-01 11:08:00.000"),
        ("h:mm a", "9:08 PM", "1970-01-01 21:08:00.000"),
        ("h:mm a", "12:08 am", "1970-01-01 00:08:00.000"),
        ("h", "13", NO_ROW),
        ("h", "0", "1970-01-01 00:00:00.000"),
        ("hh:mm", "00:09", "1970-01-01 00:09:00.000"),
        ("k", "0", "1970-01-01 00:00:00.000"),
        ("k", "25", NO_ROW),
        ("K a", "11 PM", "1970-01-01 23:00:00.000"),
        ("k", "24", "1970-01-01 00:00:00.000"),
        ("H a", "9 PM", NO_ROW),
        ("yyyy D", "2012 366", "2012-12-31 00:00:00.000"),
        ("yyyy D", "2011 366", NO_ROW),
        ("yyyy-MM-dd", "2011-02-29", NO_ROW),
        ("yyyy w", "2012 10", "2012-03-04 00:00:00.000"),
        ("yyyy w E", "2012 10 Wed", "2012-03-07 00:00:00.000"),
        ("yyyy M W E", "2012 3 2 Wed", "2012-03-07 00:00:00.000"),
        ("yyyy M F E", "2012 3 2 Wed", "2012-03-14 00:00:00.000"),
        ("yyyy M E", "2012 3 Wed", "2012-03-07 00:00:00.000"),
        ("yyyy M F E", "2012 3 -1 Wed", NO_ROW),
        ("G yyyy", "AD 2012", "2012-01-01 00:00:00.000"),
        ("G yyyy", "BC 2012", NO_ROW),
        ("ss.S", "01.5", "1970-01-01 00:00:01.005"),
        ("SSS", "337510", NO_ROW),
        ("dd/MM/yy", "01/01/38", "2038-01-01 00:00:00.000"),
        ("dd/MM/yy", "10/05/38", "1938-05-10 00:00:00.000"),
        ("dd/MM/yy", "07/05/38", "2038-05-07 00:00:00.000"),
        ("yyyy 'o''clock'", "2012 o'clock", "2012-01-01 00:00:00.000"),
        ("yyyy", "", NO_ROW),
        ("yyyy", "-5", NO_ROW),
        ("yyyy", "12345", NO_ROW),
        ("y/MM", "12/11", "2012-11-01 00:00:00.000"),
        ("yy", " 12", "0012-01-01 00:00:00.000"),
        ("yyy", "12", "0012-01-01 00:00:00.000"),
        ("YYYY-ww-u", "2009-27-3", "2009-07-01 00:00:00.000"),
        ("YYYY-'W'ww", "2009-W27", "2009-06-28 00:00:00.000"),
        ("YY-ww", "09-27", "2009-06-28 00:00:00.000"),
        ("YYYY-MM-dd", "2009-07-10", "2008-12-28 00:00:00.000"),
        ("YYYY-ww-E", "2016-01-Fri", "2016-01-01 00:00:00.000"),
        ("YYYY-ww", "2009-54", NO_ROW),
        ("yyyy YYYY ww", "2015 2016 1", "2015-12-27 00:00:00.000"),
        ("YYYY ww yyyy MM dd", "2016 01 2015 12 28", "2015-12-28 00:00:00.000"),
        ("u", "3", "1970-01-07 00:00:00.000"),
        ("yyyy-MM-dd u", "2018-11-20 2", "2018-11-20 00:00:00.000"),
        ("yyyy-MM-dd u", "2018-11-20 3", NO_ROW),
        ("u", "0", NO_ROW),
        ("u", "7", "1970-01-04 00:00:00.000"),
    ],
)
def test_rare_fields(pattern, text, result):
    century = -998_870_400_000  # 1938-05-08
    try:
        found = day_and_time(parse_time_by(pattern, text, century))
    except ValueError:
        found = NO_ROW
    assert found == result


@pytest.mark.parametrize("pattern", ["yyyy-QQ", "'open", "b"])
def test_malformed_patterns_fail_the_row(pattern):
    assert call("CHAR_TO_TIMESTAMP", pattern, LONG).startswith("error: ")
    assert call("TIMESTAMP_TO_CHAR", pattern, ts(LONG)).startswith("error: ")


@pytest.mark.parametrize(
    ("pattern", "result"),
    [
        ("yyyy.MM.dd G 'at' HH:mm:ss z", "2001.07.04 AD at 12:08:56 UTC"),
        ("EEE, MMM d, ''yy", "Wed, Jul 4, '01"),
        ("h:mm a", "12:08 PM"),
        ("hh 'o''clock' a, zzzz", "12 o'clock PM, Coordinated Universal Time"),
        ("K:mm a, z", "0:08 PM, UTC"),
        ("yyyyy.MMMMM.dd GGG hh:mm aaa", "02001.July.04 AD 12:08 PM"),
        ("EEE, d MMM yyyy HH:mm:ss Z", "Wed, 4 Jul 2001 12:08:56 +0000"),
        ("yyMMddHHmmssZ", "010704120856+0000"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSZ", "2001-07-04T12:08:56.235+0000"),
        ("D F w W k", "185 1 27 1 12"),
        ("EEEE S SSSSS", "Wednesday 235 00235"),
        ("hh:mm", "12:08"),
        ("X", "Z"),
        ("YYYY YYY YY Y YYYYY", "2001 2001 01 2001 02001"),
        ("u uu", "3 03"),
    ],
)
def test_timestamp_to_char(pattern, result):
    """The examples of Java's page at 2001-07-04 12:08:56.235, in UTC."""
    assert call("TIMESTAMP_TO_CHAR", pattern, ts("2001-07-04 12:08:56.235")) == result


@pytest.mark.parametrize(
    ("name", "arguments", "result"),
    [
        ("TIMESTAMP_TO_CHAR", ("yyyy", null(TIMESTAMP)), "null"),
        ("TIMESTAMP_TO_CHAR", (null(varchar(1)), ts(LONG)), None),
        ("DATE_TO_CHAR", ("dd.MM.yyyy", day("1969-12-31")), "31.12.1969"),
        ("DATE_TO_CHAR", ("MMM", null(DATE)), None),
        ("TIME_TO_CHAR", ("h:mm a", clock("21:08:07")), "9:08 PM"),
        ("CHAR_TO_DATE", ("yyyy-MM-dd", LONG), "2009-09-16"),
        ("CHAR_TO_DATE", ("MMM dd, yyyy", "March 7, 1910"), "1910-03-07"),
        ("CHAR_TO_TIME", ("HH:mm:ss", "21:08:07"), "21:08:07"),
        ("CHAR_TO_TIME", ("HH:mm:ss", null(varchar(1))), None),
    ],
)
def test_the_other_functions(name, arguments, result):
    assert call(name, *arguments) == result


def test_the_example_of_date_manipulation():
    """M: an ISO time with six fraction digits has become 2018-05-09 12:50:41.337 at the input."""
    event = ts("2018-05-09 12:50:41.337510")
    assert call("-", event, span("5", "MINUTE")) == "2018-05-09 12:45:41.337"
    assert call("UNIX_TIMESTAMP", event) == "1525870241337"
    assert call("TIMESTAMP_TO_CHAR", "yyyy-MM-dd hh:mm:ss", event) == "2018-05-09 12:50:41"
    assert call("EXTRACT", Word("SECOND"), event) == "41.337"
    assert cast(Decimal("41.337"), INTEGER, assignment=True) == "41"


FIXED = ["yyyy-MM-dd HH:mm:ss.SSS", "dd/MM/yyyy HH:mm", "yyyyMMdd'T'HHmmssSSS", "HH:mm:ss", "hh:mm yyyy"]
PATTERNS = [*FIXED, "d.M.yyyy H:m:s.S", "EEE MMM dd HH:mm:ss yyyy", "MM-dd-yy hh:mm a"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_columns_agree_with_single_values(pattern):
    random = np.random.default_rng(9)
    times = random.integers(-(10**12), 4 * 10**12, 200).tolist()
    column = pa.array([None, *times], pa.timestamp("ms")).slice(1)
    texts = timestamp_to_char(rows_of(200), pa.scalar(pattern), column)
    assert texts.to_pylist() == [format_time(pattern, t) for t in times]
    century = -694_310_400_000
    expected = [parse_time_by(pattern, text, century) for text in texts.to_pylist()]
    rows = rows_of(200)
    rows.time = type(rows.time)(century + 29_220 * 86_400_000)
    assert char_to_timestamp(rows, pa.scalar(pattern), texts).cast(pa.int64()).to_pylist() == expected


@pytest.mark.parametrize("pattern", FIXED)
@pytest.mark.parametrize("rest", ["", "x", "5", ".337510"])
@pytest.mark.parametrize("spoiled", [None, 0, 1, 3, 5])
def test_columns_of_texts_that_go_on_or_are_spoiled(pattern, rest, spoiled):
    texts = [format_time(pattern, t) + rest for t in (0, 10**12, 43_200_000)]
    if spoiled is not None:
        texts[1] = texts[1][:spoiled] + ";" + texts[1][spoiled + 1 :]
    rows = rows_of(3)
    result = char_to_timestamp(rows, pa.scalar(pattern), pa.array(texts)).cast(pa.int64()).to_pylist()
    for i, text in enumerate(texts):
        try:
            assert result[i] == parse_time_by(pattern, text, 0)
        except ValueError:
            assert result[i] is None
            assert i in rows.failures


def test_columns_with_one_bad_text():
    rows = rows_of(3)
    texts = pa.array(["2018-05-09 12:50:41", "2018-05-0x 12:50:41", "2018-13-09 12:50:41"])
    result = char_to_timestamp(rows, pa.scalar("yyyy-MM-dd HH:mm:ss"), texts)
    assert [value is None for value in result.to_pylist()] == [False, True, True]
    messages = [failure.message for failure in rows.failures.values()]
    assert messages == [f'Unparseable date: "{text}"' for text in texts.to_pylist()[1:]]


def test_fields_name_their_moment():
    random = np.random.default_rng(4)
    for t in random.integers(-6 * 10**13, 2 * 10**14, 300).tolist():
        assert moment_of(fields_of(t)) == t
        assert moment_of({"HOUR": 0, **fields_of(t), "AM_PM": fields_of(t)["AM_PM"]}) == t


def test_a_field_out_of_range_or_against_the_others():
    with pytest.raises(ValueError, match="HOUR 12 is out of range"):
        moment_of({"HOUR": 12})
    with pytest.raises(ValueError, match="DAY_OF_WEEK 1 contradicts"):
        moment_of({"DAY_OF_WEEK": 1, "DAY_OF_MONTH": 2})
