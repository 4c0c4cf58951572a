"""The values of placeholders, `?` and `:name`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from streamsql import types
from streamsql.errors import ProgrammingError, Span
from streamsql.expressions.nodes import Constant
from streamsql.time import from_datetime
from streamsql.types import Kind, SqlType

Parameters = Sequence[Any] | Mapping[str, Any]
"""The values of `?` (by position) or `:name` placeholders."""


def constant(value: Any, span: Span | None = None) -> Constant:
    """A Python value as a constant: the value of a placeholder."""
    match value:
        case None:
            return Constant(types.NULL, None)
        case bool():
            return Constant(types.BOOLEAN, value)
        case int():
            return Constant(types.INTEGER if -(2**31) <= value < 2**31 else types.BIGINT, value)
        case float():
            return Constant(types.DOUBLE, value)
        case str():
            return Constant(types.varchar(max(1, len(value))), value)
        case bytes():
            return Constant(SqlType(Kind.VARBINARY, length=max(1, len(value))), value)
        case Decimal():
            exponent = int(value.as_tuple().exponent)
            scale = max(0, -exponent)
            digits = max(len(value.as_tuple().digits) + max(0, exponent), scale)
            return Constant(types.decimal(max(digits, 1), scale), value)
        case datetime():
            return Constant(types.TIMESTAMP, from_datetime(value))
        case date():
            return Constant(types.DATE, (value - date(1970, 1, 1)).days)
        case time():
            milliseconds = ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000
            return Constant(types.TIME, milliseconds)
        case timedelta():
            return Constant(types.interval("DAY", "SECOND", precision=10), value // timedelta(milliseconds=1))
        case _:
            raise ProgrammingError(f"a {type(value).__name__} cannot be the value of a parameter", span)
