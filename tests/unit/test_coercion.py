"""Common types, implicit conversion, CAST pairs, decimal arithmetic (dialect reference 2 to 2.3)."""

import pytest

from streamsql.coercion import CASTABLE, arithmetic_type, assignable, castable, common_type
from streamsql.functions.cast import CONVERSIONS, converter
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    NULL,
    REAL,
    SMALLINT,
    TIME,
    TIMESTAMP,
    TINYINT,
    Family,
    Kind,
    SqlType,
    char,
    decimal,
    interval,
    varchar,
)

VARBINARY = SqlType(Kind.VARBINARY, length=8)
ALL = [
    BOOLEAN,
    TINYINT,
    SMALLINT,
    INTEGER,
    BIGINT,
    decimal(5, 2),
    REAL,
    DOUBLE,
    char(3),
    varchar(5),
    varchar(),
    SqlType(Kind.BINARY, length=4),
    VARBINARY,
    DATE,
    TIME,
    TIMESTAMP,
    interval("DAY", "SECOND"),
    interval("YEAR", "MONTH"),
    NULL,
]


@pytest.mark.parametrize(
    ("types", "common"),
    [
        ((INTEGER, INTEGER), INTEGER),
        ((TINYINT, BIGINT, SMALLINT), BIGINT),
        ((INTEGER, decimal(5, 2)), decimal(12, 2)),
        ((decimal(5, 2), decimal(4, 3)), decimal(6, 3)),
        ((BIGINT, decimal(3, 2)), decimal(21, 2)),
        ((INTEGER, DOUBLE), DOUBLE),
        ((INTEGER, REAL), DOUBLE),
        ((REAL, REAL), REAL),
        ((REAL, DOUBLE), DOUBLE),
        ((decimal(5, 2), REAL), DOUBLE),
        ((NULL, INTEGER), INTEGER),
        ((NULL, NULL), NULL),
        ((char(3), char(3)), char(3)),
        ((char(3), char(5)), varchar(5)),
        ((char(3), varchar(2)), varchar(3)),
        ((varchar(4), varchar()), varchar()),
        ((SqlType(Kind.BINARY, length=4), VARBINARY), VARBINARY),
        ((TIMESTAMP, TIMESTAMP), TIMESTAMP),
        ((interval("DAY"), interval("HOUR", "SECOND")), interval("DAY", "SECOND")),
        ((interval("YEAR"), interval("MONTH")), interval("YEAR", "MONTH")),
    ],
)
def test_common_types(types, common):
    assert common_type(types) == common
    assert common_type(types[::-1]) == common


@pytest.mark.parametrize(
    "types",
    [
        (DATE, TIMESTAMP),
        (TIME, TIMESTAMP),
        (INTEGER, varchar(3)),
        (BOOLEAN, INTEGER),
        (interval("DAY"), interval("YEAR")),
        (),
    ],
)
def test_types_without_a_common_one(types):
    assert common_type(types) is None


def test_only_kin_is_assigned():
    kin = {(s.family, t.family) for s in ALL for t in ALL if assignable(s, t)}
    assert kin == {(f, f) for f in {t.family for t in ALL}} | {(Family.NULL, t.family) for t in ALL}


@pytest.mark.parametrize("source", ALL, ids=str)
@pytest.mark.parametrize("target", ALL[:-1], ids=str)
def test_a_converter_exists_exactly_where_the_types_allow_it(source, target):
    assert (converter(source, target, False) is not None) == castable(source, target)
    assert (converter(source, target, True) is not None) == assignable(source, target)


def test_every_castable_pair_has_its_conversion():
    assert set(CONVERSIONS) == {(source, target) for source, targets in CASTABLE.items() for target in targets}


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (INTEGER, interval("DAY")),
        (interval("DAY", "SECOND"), BIGINT),
        (interval("DAY"), DOUBLE),
        (DATE, TIME),
        (DATE, BIGINT),
        (BOOLEAN, INTEGER),
        (varchar(3), VARBINARY),
        (TIMESTAMP, BIGINT),
    ],
)
def test_casts_that_do_not_exist(source, target):
    assert not castable(source, target)


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("/", INTEGER, INTEGER, INTEGER),
        ("+", TINYINT, TINYINT, TINYINT),
        ("*", INTEGER, BIGINT, BIGINT),
        ("*", REAL, REAL, REAL),
        ("*", REAL, INTEGER, DOUBLE),
        ("-", DOUBLE, decimal(5, 2), DOUBLE),
        ("/", decimal(2, 1), INTEGER, decimal(13, 12)),
        ("*", decimal(5, 2), decimal(4, 3), decimal(9, 5)),
        ("+", decimal(5, 2), decimal(4, 3), decimal(7, 3)),
        ("-", INTEGER, decimal(2, 1), decimal(12, 1)),
        ("+", decimal(18, 2), decimal(18, 2), decimal(18, 2)),
        ("*", decimal(18, 2), INTEGER, decimal(18, 2)),
        ("*", decimal(10, 5), decimal(10, 5), decimal(18, 8)),
        ("*", BIGINT, decimal(2, 1), decimal(18, 1)),
        ("/", decimal(18, 0), decimal(10, 0), decimal(18, 0)),
        ("+", NULL, INTEGER, INTEGER),
    ],
)
def test_arithmetic_types(operator, left, right, result):
    assert arithmetic_type(operator, left, right) == result
