"""The SQL types of the dialect and their Arrow forms; the shape of a row.

One table, `KINDS`, holds what is known of each type.  A batch is a plain `pyarrow.RecordBatch` whose columns follow a
`Schema`; a stream's batch has its ROWTIME as column 0, and its rows are in ROWTIME order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple, TypeAlias

import pyarrow as pa

Batch: TypeAlias = pa.RecordBatch

ROWTIME = "ROWTIME"
"""The name of the system column that every stream has."""


class Family(Enum):
    """Types that convert into each other by themselves, or are compared with each other."""

    BOOLEAN = "BOOLEAN"
    NUMERIC = "NUMERIC"
    CHARACTER = "CHARACTER"
    BINARY = "BINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    DAY_TIME = "INTERVAL DAY TO SECOND"
    YEAR_MONTH = "INTERVAL YEAR TO MONTH"
    ROW = "ROW"
    ARRAY = "ARRAY"
    MAP = "MAP"
    NULL = "NULL"


class Kind(Enum):
    """The types by name, as a message or an EXPLAIN prints them."""

    BOOLEAN = "BOOLEAN"
    TINYINT = "TINYINT"
    SMALLINT = "SMALLINT"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    DECIMAL = "DECIMAL"
    REAL = "REAL"
    DOUBLE = "DOUBLE"
    CHAR = "CHAR"
    VARCHAR = "VARCHAR"
    BINARY = "BINARY"
    VARBINARY = "VARBINARY"
    DATE = "DATE"
    TIME = "TIME"
    TIMESTAMP = "TIMESTAMP"
    DAY_TIME = "INTERVAL DAY TO SECOND"
    YEAR_MONTH = "INTERVAL YEAR TO MONTH"
    ROW = "ROW"
    ARRAY = "ARRAY"
    MAP = "MAP"
    NULL = "NULL"


class KindFacts(NamedTuple):
    """What the engine knows of a kind: its family, its Arrow type where that has no parameters, decimal digits of an integer."""

    family: Family
    arrow: pa.DataType | None
    digits: int = 0


KINDS: dict[Kind, KindFacts] = {
    Kind.BOOLEAN: KindFacts(Family.BOOLEAN, pa.bool_()),
    Kind.TINYINT: KindFacts(Family.NUMERIC, pa.int8(), 3),
    Kind.SMALLINT: KindFacts(Family.NUMERIC, pa.int16(), 5),
    Kind.INTEGER: KindFacts(Family.NUMERIC, pa.int32(), 10),
    Kind.BIGINT: KindFacts(Family.NUMERIC, pa.int64(), 19),
    Kind.DECIMAL: KindFacts(Family.NUMERIC, None),
    Kind.REAL: KindFacts(Family.NUMERIC, pa.float32()),
    Kind.DOUBLE: KindFacts(Family.NUMERIC, pa.float64()),
    Kind.CHAR: KindFacts(Family.CHARACTER, pa.string()),
    Kind.VARCHAR: KindFacts(Family.CHARACTER, pa.string()),
    Kind.BINARY: KindFacts(Family.BINARY, pa.binary()),
    Kind.VARBINARY: KindFacts(Family.BINARY, pa.binary()),
    Kind.DATE: KindFacts(Family.DATE, pa.date32()),
    Kind.TIME: KindFacts(Family.TIME, pa.time32("ms")),
    Kind.TIMESTAMP: KindFacts(Family.TIMESTAMP, pa.timestamp("ms")),
    Kind.DAY_TIME: KindFacts(Family.DAY_TIME, pa.duration("ms")),
    Kind.YEAR_MONTH: KindFacts(Family.YEAR_MONTH, pa.int32()),
    Kind.ROW: KindFacts(Family.ROW, None),
    Kind.ARRAY: KindFacts(Family.ARRAY, None),
    Kind.MAP: KindFacts(Family.MAP, None),
    Kind.NULL: KindFacts(Family.NULL, pa.null()),
}
"""INTERVAL YEAR TO MONTH is a whole number of months; an interval is never a column of a stream."""

INTEGERS = (Kind.TINYINT, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT)
APPROXIMATE = (Kind.REAL, Kind.DOUBLE)

MAX_DECIMAL_PRECISION = 18
"""Arithmetic is capped at this many digits; a DDL may say 19."""

WIDEST_DECIMAL = 38
"""Digits of the widest DECIMAL: external tables declare it, SUM of more than 18 digits gives it."""

UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")
"""The units of intervals and of FLOOR ... TO, longest first."""


@dataclass(frozen=True, slots=True)
class IntervalQualifier:
    """`DAY(2) TO SECOND(3)`: the fields an interval prints and the digits its first field may have."""

    start: str
    end: str
    precision: int = 2
    fraction: int = 3

    def __str__(self) -> str:
        start = self.start if self.precision == 2 else f"{self.start}({self.precision})"
        return start if self.start == self.end else f"{start} TO {self.end}"


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type with its parameters.

    `length` is that of character and binary types (None: no limit); `precision` and `scale` those of DECIMAL; `qualifier`
    that of an interval; `fields` those of a ROW, the element of an ARRAY, the key and the value of a MAP.
    """

    kind: Kind
    length: int | None = None
    precision: int = 0
    scale: int = 0
    qualifier: IntervalQualifier | None = None
    fields: tuple[Field, ...] = ()

    @property
    def family(self) -> Family:
        return KINDS[self.kind].family

    @property
    def is_numeric(self) -> bool:
        return self.family is Family.NUMERIC

    @property
    def is_integer(self) -> bool:
        return self.kind in INTEGERS

    @property
    def is_character(self) -> bool:
        return self.family is Family.CHARACTER

    @property
    def is_interval(self) -> bool:
        return self.family in (Family.DAY_TIME, Family.YEAR_MONTH)

    @property
    def is_nested(self) -> bool:
        return self.kind in (Kind.ROW, Kind.ARRAY, Kind.MAP)

    @property
    def is_datetime(self) -> bool:
        return self.family in (Family.DATE, Family.TIME, Family.TIMESTAMP)

    def arrow(self) -> pa.DataType:
        """The Arrow type that holds values of this type."""
        if self.kind is Kind.DECIMAL:
            return pa.decimal128(self.precision, self.scale)
        if self.kind is Kind.ROW:
            return pa.struct([field.arrow() for field in self.fields])
        if self.kind is Kind.ARRAY:
            return pa.list_(self.fields[0].type.arrow())
        if self.kind is Kind.MAP:
            return pa.map_(self.fields[0].type.arrow(), self.fields[1].type.arrow())
        return KINDS[self.kind].arrow

    def as_decimal(self) -> SqlType:
        """An exact numeric type as the DECIMAL that arithmetic takes it for."""
        return self if self.kind is Kind.DECIMAL else decimal(KINDS[self.kind].digits, 0)

    def __str__(self) -> str:
        """As DDL spells it.

        >>> str(decimal(5, 2)), str(varchar(4)), str(SqlType(Kind.DOUBLE))
        ('DECIMAL(5, 2)', 'VARCHAR(4)', 'DOUBLE')
        """
        if self.kind is Kind.DECIMAL:
            return f"DECIMAL({self.precision}, {self.scale})"
        if self.length is not None:
            return f"{self.kind.value}({self.length})"
        if self.qualifier is not None:
            return f"INTERVAL {self.qualifier}"
        if self.kind in (Kind.ARRAY, Kind.MAP):
            return f"{self.kind.value}({', '.join(str(field.type) for field in self.fields)})"
        return str(self.kind.value)


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its name as the catalog keeps it, its type.

    `hidden` columns (ROWTIME and the other system columns) can be named but are not in `*`, not positional targets of an
    INSERT and not in output records.
    """

    name: str
    type: SqlType
    nullable: bool = True
    hidden: bool = False

    def arrow(self) -> pa.Field:
        """The column of a batch.  Only ROWTIME is never NULL there: NOT NULL is a rule for rows that enter a stream."""
        return pa.field(self.name, self.type.arrow(), self != ROWTIME_FIELD)


BOOLEAN = SqlType(Kind.BOOLEAN)
TINYINT = SqlType(Kind.TINYINT)
SMALLINT = SqlType(Kind.SMALLINT)
INTEGER = SqlType(Kind.INTEGER)
BIGINT = SqlType(Kind.BIGINT)
REAL = SqlType(Kind.REAL)
DOUBLE = SqlType(Kind.DOUBLE)
DATE = SqlType(Kind.DATE)
TIME = SqlType(Kind.TIME)
TIMESTAMP = SqlType(Kind.TIMESTAMP)
NULL = SqlType(Kind.NULL)


def decimal(precision: int, scale: int = 0) -> SqlType:
    """DECIMAL(precision, scale)."""
    return SqlType(Kind.DECIMAL, precision=precision, scale=scale)


def varchar(length: int | None = None) -> SqlType:
    """VARCHAR(length); no length means no limit."""
    return SqlType(Kind.VARCHAR, length=length)


def char(length: int) -> SqlType:
    """CHAR(length): shorter values are padded with blanks where they are written."""
    return SqlType(Kind.CHAR, length=length)


def interval(start: str, end: str | None = None, precision: int = 2, fraction: int = 3) -> SqlType:
    """INTERVAL start TO end: day-time, or year-month when it starts with YEAR or MONTH."""
    kind = Kind.YEAR_MONTH if start in ("YEAR", "MONTH") else Kind.DAY_TIME
    return SqlType(kind, qualifier=IntervalQualifier(start, end or start, precision, fraction))


def array(element: SqlType) -> SqlType:
    """ARRAY(element)."""
    return SqlType(Kind.ARRAY, fields=(Field("element", element),))


def map_of(key: SqlType, value: SqlType) -> SqlType:
    """MAP(key, value)."""
    return SqlType(Kind.MAP, fields=(Field("key", key, nullable=False), Field("value", value)))


ROWTIME_FIELD = Field(ROWTIME, TIMESTAMP, nullable=False, hidden=True)

ARRIVAL_TIME_FIELD = Field("APPROXIMATE_ARRIVAL_TIME", TIMESTAMP, hidden=True)
PARTITION_KEY_FIELD = Field("PARTITION_KEY", varchar(256), hidden=True)
SEQUENCE_NUMBER_FIELD = Field("SEQUENCE_NUMBER", varchar(128), hidden=True)
SHARD_ID_FIELD = Field("SHARD_ID", varchar(64), hidden=True)

SYSTEM_FIELDS = (ARRIVAL_TIME_FIELD, PARTITION_KEY_FIELD, SEQUENCE_NUMBER_FIELD, SHARD_ID_FIELD)
"""The system columns that a stream has besides ROWTIME when an input feeds it: the metadata of its records."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a relation, in the order in which its batches hold them."""

    fields: tuple[Field, ...]

    @staticmethod
    def stream(fields: Iterable[Field], system: Iterable[Field] = ()) -> Schema:
        """The schema of a stream with these declared columns: ROWTIME comes first, other system columns come last.

        A declared column takes the place of a system column of its name.
        """
        declared = tuple(fields)
        names = {field.name for field in declared}
        return Schema((ROWTIME_FIELD, *declared, *(field for field in system if field.name not in names)))

    @property
    def is_stream(self) -> bool:
        """Whether rows carry a ROWTIME (column 0)."""
        return bool(self.fields) and self.fields[0] == ROWTIME_FIELD

    @property
    def visible(self) -> tuple[Field, ...]:
        """The columns of `*`."""
        return tuple(field for field in self.fields if not field.hidden)

    @property
    def system(self) -> tuple[Field, ...]:
        """The system columns besides ROWTIME."""
        return tuple(field for field in self.fields if field in SYSTEM_FIELDS)

    @property
    def visible_indices(self) -> tuple[int, ...]:
        """Where the columns of `*` stand in a batch."""
        return tuple(i for i, field in enumerate(self.fields) if not field.hidden)

    def index(self, name: str) -> int | None:
        """Where the column of exactly this name stands, if there is one."""
        return next((i for i, field in enumerate(self.fields) if field.name == name), None)

    def arrow(self) -> pa.Schema:
        """The schema of this relation's batches."""
        return pa.schema([field.arrow() for field in self.fields])

    def empty(self) -> Batch:
        """A batch without rows."""
        return pa.RecordBatch.from_arrays([pa.array([], f.type.arrow()) for f in self.fields], schema=self.arrow())

    def nullable(self) -> Schema:
        """The same columns, all but ROWTIME nullable: the other side of an outer join."""
        return Schema(tuple(f if f == ROWTIME_FIELD else replace(f, nullable=True) for f in self.fields))
