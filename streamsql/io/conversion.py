"""How one value of a JSON or CSV record becomes a value of a column (dialect reference 8.4).

These are the rules; `streamsql.io.columns` applies them to whole Arrow arrays where it can, and must agree.

* NULL stays NULL; it is the decoder that checks NOT NULL.
* A number fits an integer type when it is whole (`5`, `5.0`, `5e2`) as a DOUBLE, and in range; DECIMAL rounds half up to
  its scale and fails when the whole digits do not fit; DOUBLE and REAL take the nearest value and fail beyond their range.
* Text is converted as the number, date or time that it spells, blanks around it do not count; `NaN`, `Infinity` and
  `-Infinity`, bare or as text, are values of DOUBLE and REAL.
* Text that is too long is cut, silently; CHAR(n) is filled with blanks.
* Arrays and objects become their source text, and only that.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import lru_cache
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.datetime_text import DAY, parse_iso_timestamp, parse_time
from streamsql.io.decoding import Unfit
from streamsql.time import Time
from streamsql.types import TIMESTAMP, Kind, SqlType

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SPECIAL = re.compile(r"NaN|-?Infinity")
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_HEX = re.compile(r"X'((?:[0-9A-Fa-f]{2})*)'")
_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INTEGER: 32, Kind.BIGINT: 64}

EXACT_AS_DOUBLE = 2.0**53
"""Whole numbers up to here are exact as DOUBLE."""

FAR = 400
"""Decimal exponents beyond this do not fit any type; they are not expanded."""


class Number(str):
    """The source text of a JSON number."""


class Nested(str):
    """The source text of a JSON array or object."""


Value: TypeAlias = bool | str | Number | Nested | None
"""A value of a record.  A plain `str` is text, that of a CSV field too."""

_timestamp = lru_cache(maxsize=256)(parse_iso_timestamp)
"""A replay reads the text of one column both as that column and as ROWTIME."""


def convert(value: Value, type: SqlType) -> Any:
    """A value as the Python value that Arrow stores for `type`.  Raises Unfit.

    Days, milliseconds of the day and milliseconds since 1970 stand for DATE, TIME and TIMESTAMP.
    """
    return None if value is None else _CONVERSIONS[type.kind](value, type)


def rowtime(value: Value) -> Time:
    """The ROWTIME that a value gives: a timestamp as text, or milliseconds since 1970 as a number or its text."""
    if value is None:
        raise Unfit("no value for ROWTIME")
    if isinstance(value, bool | Nested):
        raise _no_input(value)
    if not NUMBER.fullmatch(value.strip()):
        return _moment(value, TIMESTAMP)
    milliseconds = math.floor(_exact(value.strip()))
    if not -(2**63) <= milliseconds < 2**63:
        raise _no_input(value)
    return milliseconds


def _spelled(value: bool | str) -> str:
    """The text of a number, without blanks around it; truth counts as 1 and 0."""
    if isinstance(value, bool):
        return str(int(value))
    return value.strip()


def _integer(value: bool | str, type: SqlType) -> int:
    spelled = _spelled(value)
    if _WHOLE.fullmatch(spelled):
        number = int(spelled)
    else:
        exact = _whole(spelled) if NUMBER.fullmatch(spelled) else None
        if exact is None:
            raise _no_input(value)
        number = exact
    limit = 1 << (_BITS[type.kind] - 1)
    if not -limit <= number < limit:
        raise _out_of_range(value, type)
    return number


def _decimal(value: bool | str, type: SqlType) -> Decimal:
    spelled = _spelled(value)
    if not NUMBER.fullmatch(spelled):
        raise _no_input(value)
    with localcontext() as context:
        context.prec = 2 * FAR + len(spelled)
        rounded = _exact(spelled).quantize(Decimal(1).scaleb(-type.scale), ROUND_HALF_UP)
        if abs(rounded) >= Decimal(1).scaleb(type.precision - type.scale):
            raise _out_of_range(value, type)
    return rounded


def _double(value: bool | str, type: SqlType) -> float:
    spelled = _spelled(value)
    if _SPECIAL.fullmatch(spelled):
        return float(spelled)
    if not NUMBER.fullmatch(spelled):
        raise _no_input(value)
    number = float(spelled)
    if type.kind is Kind.REAL:  # from the text, for by way of a double it would be rounded twice
        number = pc.cast(pa.scalar(str(spelled)), pa.float32()).as_py()
    if math.isinf(number):
        raise _out_of_range(value, type)
    return number


def _boolean(value: bool | str, _: SqlType) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, Nested):
        raise _no_input(value)
    return float(value) != 0 if isinstance(value, Number) else value.strip().lower() == "true"


def _character(value: bool | str, type: SqlType) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, Number) and text == "-0":
        text = "0"
    if not text.isascii():  # half a surrogate pair, which an escape can spell, is no character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type.length is None:
        return text
    return text[: type.length].ljust(type.length) if type.kind is Kind.CHAR else text[: type.length]


def _binary(value: bool | str, type: SqlType) -> bytes:
    if isinstance(value, bool):
        return bytes([value])
    if isinstance(value, Number | Nested):
        raise _no_input(value)
    literal = _HEX.fullmatch(value)
    try:
        data = bytes.fromhex(literal[1]) if literal else base64.b64decode(value, validate=True)
    except ValueError:
        raise _no_input(value) from None
    return data[: type.length]


def _date(value: bool | str, type: SqlType) -> int:
    return _moment(value, type) // DAY


def _time(value: bool | str, type: SqlType) -> int:
    if isinstance(value, str) and ":" in value.strip()[:3]:
        try:
            return parse_time(value.strip())
        except ValueError:
            raise _no_input(value) from None
    return _moment(value, type) % DAY


def _moment(value: bool | str, _: SqlType) -> Time:
    if isinstance(value, bool | Number | Nested):
        raise _no_input(value)
    try:
        return _timestamp(value)
    except ValueError:
        raise _no_input(value) from None


def _whole(spelled: str) -> int | None:
    """A number with a point or an exponent as a whole one; None when it is not whole as a DOUBLE."""
    number = float(spelled)
    if abs(number) < EXACT_AS_DOUBLE:
        return int(number) if number.is_integer() else None
    return int(_exact(spelled))


def _exact(spelled: str) -> Decimal:
    """A number without rounding; one whose exponent is beyond all types becomes one that fits none of them either."""
    number = Decimal(spelled)
    if number and abs(number.adjusted()) > FAR:
        return Decimal(1).scaleb(FAR if number.adjusted() > 0 else -FAR).copy_sign(number)
    return number


def _no_input(value: bool | str) -> Unfit:
    return Unfit(f'For input string: "{_shown(value)}"')


def _out_of_range(value: bool | str, type: SqlType) -> Unfit:
    return Unfit(f'Value out of range for {type}: "{_shown(value)}"')


def _shown(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value


_CONVERSIONS: dict[Kind, Callable[[Any, SqlType], Any]] = {
    Kind.BOOLEAN: _boolean,
    Kind.TINYINT: _integer,
    Kind.SMALLINT: _integer,
    Kind.INTEGER: _integer,
    Kind.BIGINT: _integer,
    Kind.DECIMAL: _decimal,
    Kind.REAL: _double,
    Kind.DOUBLE: _double,
    Kind.CHAR: _character,
    Kind.VARCHAR: _character,
    Kind.BINARY: _binary,
    Kind.VARBINARY: _binary,
    Kind.DATE: _date,
    Kind.TIME: _time,
    Kind.TIMESTAMP: _moment,
}
