"""The type objects and constructors of PEP 249, and how values of SQL types become Python values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import pyarrow as pa

from streamsql.errors import DataError
from streamsql.types import Batch, Field, Kind, Schema

Row = tuple[Any, ...]
Description = tuple[str, str, int | None, int | None, int | None, int | None, bool | None]

Date = date
Time = time
Timestamp = datetime
Binary = bytes


class TypeObject:
    """Equal to the type codes of the columns that it stands for: `STRING == cursor.description[0][1]`."""

    def __init__(self, name: str, kinds: Sequence[Kind]) -> None:
        self.name = name
        self._codes = frozenset(kind.value for kind in kinds)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self._codes == other._codes and self.name == other.name
        return isinstance(other, str) and other in self._codes

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return self.name


STRING = TypeObject("STRING", [Kind.CHAR, Kind.VARCHAR])
BINARY = TypeObject("BINARY", [Kind.BINARY, Kind.VARBINARY])
NUMBER = TypeObject(
    "NUMBER",
    [Kind.BOOLEAN, Kind.TINYINT, Kind.SMALLINT, Kind.INTEGER, Kind.BIGINT, Kind.DECIMAL, Kind.REAL, Kind.DOUBLE, Kind.YEAR_MONTH],
)
DATETIME = TypeObject("DATETIME", [Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.DAY_TIME])
ROWID = TypeObject("ROWID", [])


def DateFromTicks(ticks: float) -> date:  # noqa: N802 - the name is the PEP's
    """The date of a number of seconds since 1970, UTC."""
    return TimestampFromTicks(ticks).date()


def TimeFromTicks(ticks: float) -> time:  # noqa: N802
    """The time of day of a number of seconds since 1970, UTC."""
    return TimestampFromTicks(ticks).time()


def TimestampFromTicks(ticks: float) -> datetime:  # noqa: N802
    """The moment of a number of seconds since 1970, UTC; like all timestamps here it carries no zone."""
    return datetime.fromtimestamp(ticks, UTC).replace(tzinfo=None)


def describe(schema: Schema) -> list[Description]:
    """The columns of a result as PEP 249 describes them: type codes are names of SQL types."""
    return [_describe(field) for field in schema.visible]


def _describe(field: Field) -> Description:
    type_ = field.type
    is_decimal = type_.kind is Kind.DECIMAL
    precision, scale = (type_.precision, type_.scale) if is_decimal else (None, None)
    return field.name, type_.kind.value, None, type_.length, precision, scale, field.nullable


def rows_of(batch: Batch) -> list[Row]:
    """The rows of a batch as tuples of Python values."""
    if not batch.num_columns:
        return [()] * batch.num_rows
    try:
        return list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    except (OverflowError, ValueError, pa.ArrowInvalid) as error:
        raise DataError(f"a value has no Python form: {error}", hint="fetch_arrow_table gives it as it is") from None
