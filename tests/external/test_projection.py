"""Partition projection: the values that properties configure, and the errors of Athena where they do not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.projection import Injected, Projection, projection_of
from streamsql.time import Time, from_datetime
from streamsql.types import BIGINT, DATE, INTEGER, TIMESTAMP, Field, SqlType, varchar

TEXT = varchar()
NOW = from_datetime(datetime(2024, 2, 29, 13, 30, tzinfo=UTC))


def projected(type_: SqlType = TEXT, **settings: str) -> Projection:
    """The projection of a table with one key `k`."""
    properties = {"projection.enabled": "true"}
    properties |= {f"projection.k.{name.replace('__', '.')}": value for name, value in settings.items()}
    found = projection_of("d.t", [Field("k", type_)], "s3://b/t", properties)
    assert found is not None
    return found


def values(type_: SqlType = TEXT, now: Time = NOW, **settings: str) -> tuple[list[str], list[Any]]:
    """As paths spell them, and as queries see them."""
    column = projected(type_, **settings).columns["k"]
    assert not isinstance(column, Injected)
    made = column(now)
    return made.texts.to_pylist(), made.values.to_pylist()


def texts(**settings: str) -> list[str]:
    return values(**settings)[0]


def test_values_of_an_enumeration_keep_their_blanks() -> None:
    assert values(type="enum", values="a, b,c")[1] == ["a", " b", "c"]
    assert values(INTEGER, type=" ENUM ", values="03,7") == (["03", "7"], [3, 7])


def test_whole_numbers() -> None:
    assert texts(type="integer", range=" -1 , 3 ") == ["-1", "0", "1", "2", "3"]
    assert texts(type="integer", range="1,10", interval="4") == ["1", "5", "9"]
    assert texts(type="integer", range="8,11", digits="3") == ["008", "009", "010", "011"]
    assert texts(type="integer", range="-1,0", digits="2") == ["-01", "00"]
    assert values(BIGINT, type="integer", range="0099,0100", digits="4") == (["0099", "0100"], [99, 100])
    assert texts(type="integer", range="3,1") == []


def test_days_and_months_need_no_interval() -> None:
    assert texts(type="date", range="2024/02/28,2024/03/01", format="yyyy/MM/dd") == ["2024/02/28", "2024/02/29", "2024/03/01"]
    assert texts(type="date", range="202311,202402", format="yyyyMM") == ["202311", "202312", "202401", "202402"]
    assert texts(type="date", range="2023-11,2024-02", format="uuuu-MM", interval="2") == ["2023-11", "2024-01"]


def test_steps_of_dates() -> None:
    hours = values(type="date", range="2024-01-01-22,2024-01-02-01", format="yyyy-MM-dd-HH", interval="1", interval__unit="HOURS")
    assert hours[0] == ["2024-01-01-22", "2024-01-01-23", "2024-01-02-00", "2024-01-02-01"]
    weeks = texts(type="date", range="01-01-2024,20-01-2024", format="dd-MM-yyyy", interval="1", interval__unit="weeks")
    assert weeks == ["01-01-2024", "08-01-2024", "15-01-2024"]
    years = texts(type="date", range="2022,NOW", format="yyyy", interval="1", interval__unit="YEARS")
    assert years == ["2022", "2023", "2024"]
    names = texts(type="date", range="Jan 2024,Mar 2024", format="MMM yyyy")
    assert names == ["Jan 2024", "Feb 2024", "Mar 2024"]


@pytest.mark.parametrize(
    ("bounds", "first", "last"),
    [
        ("NOW-2DAYS,NOW", "2024-02-27", "2024-02-29"),
        (" NOW - 1 MONTH , NOW + 1 DAY ", "2024-01-29", "2024-03-01"),
        ("NOW-1YEARS,NOW", "2023-02-28", "2024-02-29"),
        ("NOW-36HOURS,NOW", "2024-02-28", "2024-02-29"),
        ("now-1week,now", "2024-02-22", "2024-02-29"),
        ("2024-02-01,NOW-15DAYS", "2024-02-01", "2024-02-14"),
    ],
)
def test_now(bounds: str, first: str, last: str) -> None:
    found = texts(type="date", range=bounds, format="yyyy-MM-dd")
    assert (found[0], found[-1]) == (first, last)


def test_values_of_dates_are_of_the_type_of_their_column() -> None:
    settings = {"type": "date", "range": "2024/02/28,2024/02/29", "format": "yyyy/MM/dd"}
    assert values(DATE, **settings)[1] == [date(2024, 2, 28), date(2024, 2, 29)]
    assert values(TIMESTAMP, **settings)[1] == [datetime(2024, 2, 28), datetime(2024, 2, 29)]
    assert values(INTEGER, type="date", range="202311,202312", format="yyyyMM") == (["202311", "202312"], [202311, 202312])


moments = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1))


@given(moments, st.integers(0, 400), st.integers(1, 5), st.sampled_from(["DAYS", "HOURS", "MINUTES"]))
def test_steps_are_those_of_python(start: datetime, count: int, interval: int, unit: str) -> None:
    start = start.replace(second=0, microsecond=0)
    step = {"DAYS": timedelta(days=1), "HOURS": timedelta(hours=1), "MINUTES": timedelta(minutes=1)}[unit] * interval
    expected = [start + i * step for i in range(count + 1)]
    form = "%Y/%m/%d %H.%M"
    bounds = f"{expected[0].strftime(form)},{expected[-1].strftime(form)}"
    found = texts(type="date", range=bounds, format="yyyy/MM/dd HH.mm", interval=str(interval), interval__unit=unit)
    assert found == [moment.strftime(form) for moment in expected]


def test_places_of_partitions() -> None:
    keys = [Field("Region", varchar()), Field("day", varchar())]
    properties = {
        "projection.enabled": "TRUE",
        "projection.region.type": "enum",
        "projection.region.values": "eu",
        "projection.DAY.type": "injected",
    }
    plain = projection_of("d.t", keys, "s3://b/t", properties)
    assert plain is not None
    assert plain.template == ("s3://b/t/Region=", "Region", "/day=", "day", "/")
    assert isinstance(plain.columns["day"], Injected)
    own = projection_of("d.t", keys, "s3://b/t", {**properties, "storage.location.template": "s3://b/${day}/x/${region}/${day}/"})
    assert own is not None
    assert own.template == ("s3://b/", "day", "/x/", "Region", "/", "day", "/")


def test_not_enabled() -> None:
    keys = [Field("k", varchar())]
    assert projection_of("d.t", keys, "s3://b/t", {"projection.k.type": "enum"}) is None
    assert projection_of("d.t", keys, "s3://b/t", {"projection.enabled": "false"}) is None
    assert projection_of("d.t", [], "s3://b/t", {"projection.enabled": "true"}) is None


def test_the_error_for_columns_that_are_not_configured() -> None:
    keys = [Field("a", varchar()), Field("b", varchar()), Field("c", varchar())]
    properties = {"projection.enabled": "true", "projection.b.type": "enum", "projection.b.values": "x"}
    with pytest.raises(OperationalError) as caught:
        projection_of("d.t", keys, "s3://b/t", properties)
    assert caught.value.message == (
        "HIVE_METASTORE_ERROR: Table d.t is configured for partition projection, but the following partition columns are missing "
        "projection configuration: [a, c] (table d.t)"
    )


@pytest.mark.parametrize(
    ("type_", "settings", "message"),
    [
        (TEXT, {"type": "list"}, "projection.k.type of table d.t is 'list', which is not one of enum, integer, date"),
        (TEXT, {"type": "enum"}, "projection.k.values of table d.t is missing"),
        (TEXT, {"type": "integer"}, "projection.k.range of table d.t is missing"),
        (TEXT, {"type": "integer", "range": "1"}, "is '1', which is not two values with a comma between them"),
        (TEXT, {"type": "integer", "range": "1,x"}, "is '1,x', which is not two whole numbers"),
        (TEXT, {"type": "integer", "range": "0,99999999"}, "which is not at most 10,000,000 values"),
        (TEXT, {"type": "integer", "range": "1,2", "interval": "0"}, "which is not a positive whole number"),
        (TEXT, {"type": "integer", "range": "1,2", "digits": "-1"}, "which is not a positive whole number"),
        (TEXT, {"type": "date", "range": "2024,2025"}, "projection.k.format of table d.t is missing"),
        (TEXT, {"type": "date", "range": "2024,2025", "format": "yyyy"}, "projection.k.interval of table d.t is missing"),
        (
            TEXT,
            {"type": "date", "range": "2024,2025", "format": "yyyy", "interval": "1"},
            "projection.k.interval.unit of table d.t is missing",
        ),
        (
            TEXT,
            {"type": "date", "range": "2024,2025", "format": "yyyy", "interval": "1", "interval__unit": "EONS"},
            "projection.k.interval.unit of table d.t is 'EONS', which is not one of YEARS, MONTHS",
        ),
        (TEXT, {"type": "date", "range": "NOW,2025", "format": "yyyy-MM"}, "'NOW,2025', which is not two dates of the format"),
        (TEXT, {"type": "date", "range": "NOW,NOW", "format": "yyyy-PP"}, "illegal pattern character 'P'"),
        (INTEGER, {"type": "injected"}, "injected columns are strings"),
    ],
)
def test_errors(type_: SqlType, settings: dict[str, str], message: str) -> None:
    with pytest.raises(ProgrammingError) as caught:
        projected(type_, **settings)
    assert caught.value.message.startswith("INVALID_TABLE_PROPERTY: projection.k.")
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("template", "message"),
    [("s3://b/${x}/${k}/", "names no column x"), ("s3://b/", "has no placeholder for k")],
)
def test_templates_that_cannot_be(template: str, message: str) -> None:
    properties = {"projection.enabled": "true", "projection.k.type": "injected", "storage.location.template": template}
    with pytest.raises(ProgrammingError, match=f"INVALID_TABLE_PROPERTY: storage.location.template of table d.t {message}"):
        projection_of("d.t", [Field("k", varchar())], "s3://b/t", properties)
