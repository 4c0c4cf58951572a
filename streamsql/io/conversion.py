"""How one value of a JSON or CSV record becomes a value of a column (dialect reference 8.4).

These are the rules; `streamsql.io.columns` applies them to whole Arrow arrays where it can, and must agree.

* NULL stays NULL; it is the decoder that checks NOT NULL.
* A number fits an integer type when it is whole (`5`, `5.0`, `5e2`) and in range; DECIMAL rounds half up to its scale and
  fails when the whole digits do not fit; DOUBLE and REAL take the nearest value and fail beyond their range.
* Text is converted as the number, date or time that it spells, blanks around it do not count; `NaN`, `Infinity` and
  `-Infinity`, bare or as text, are values of DOUBLE and REAL.
* Text that is too long is cut, silently; CHAR(n) is filled with blanks.
* Arrays and objects become their source text, and only that.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.decoding import Unfit
from streamsql.io.moments import parse_date, parse_time, parse_timestamp
from streamsql.time import Time
from streamsql.types import Kind, SqlType

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_SPECIAL = re.compile(r"NaN|-?Infinity")
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_HEX = re.compile(r"X'((?:[0-9A-Fa-f]{2})*)'")
_BITS = {Kind.TINYINT: 8, Kind.SMALLINT: 16, Kind.INTEGER: 32, Kind.BIGINT: 64}

FAR = 400
"""Decimal exponents beyond this do not fit any type; they are not expanded."""


def convert(value: Any, text: str, type: SqlType) -> Any:
    """A value as `json.loads` gives it, with its source text, as the Python value that Arrow stores for `type`.

    Days, milliseconds of the day and milliseconds since 1970 stand for DATE, TIME and TIMESTAMP.  Raises Unfit.
    """
    return None if value is None else _CONVERSIONS[type.kind](value, text, type)


def rowtime(value: Any, text: str) -> Time:
    """The ROWTIME that a value gives: a timestamp as text, or milliseconds since 1970 as a number or its text."""
    if value is None:
        raise Unfit("no value for ROWTIME")
    if isinstance(value, str):
        text = value.strip()
        if not _NUMBER.fullmatch(text):
            return _moment(value, parse_timestamp)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _no_input(text)
    milliseconds = math.floor(_exact(text))
    if not -(2**63) <= milliseconds < 2**63:
        raise _no_input(text)
    return milliseconds


def _spelled(value: Any, text: str) -> str:
    """The text of a number: that of a string, or of a JSON number; truth counts as 1 and 0."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dict | list):
        raise _no_input(text)
    return text


def _integer(value: Any, text: str, type: SqlType) -> int:
    spelled = _spelled(value, text)
    if _WHOLE.fullmatch(spelled):
        number = int(spelled)
    else:
        if not _NUMBER.fullmatch(spelled):
            raise _no_input(value if isinstance(value, str) else text)
        exact = _exact(spelled)
        if exact != exact.to_integral_value():
            raise _no_input(value if isinstance(value, str) else text)
        number = int(exact)
    limit = 1 << (_BITS[type.kind] - 1)
    if not -limit <= number < limit:
        raise _out_of_range(type, spelled)
    return number


def _decimal(value: Any, text: str, type: SqlType) -> Decimal:
    spelled = _spelled(value, text)
    if not _NUMBER.fullmatch(spelled):
        raise _no_input(value if isinstance(value, str) else text)
    exact = _exact(spelled)
    with localcontext() as context:
        context.prec = 2 * FAR + len(spelled)
        rounded = exact.quantize(Decimal(1).scaleb(-type.scale), ROUND_HALF_UP)
    if abs(rounded) >= Decimal(10) ** (type.precision - type.scale):
        raise _out_of_range(type, spelled)
    return rounded


def _double(value: Any, text: str, type: SqlType) -> float:
    spelled = _spelled(value, text)
    if _SPECIAL.fullmatch(spelled):
        return float(spelled)
    if not _NUMBER.fullmatch(spelled):
        raise _no_input(value if isinstance(value, str) else text)
    number = float(spelled)
    if type.kind is Kind.REAL:  # from the text, for by way of a double it would be rounded twice
        number = pc.cast(pa.scalar(spelled), pa.float32()).as_py()
    if math.isinf(number):
        raise _out_of_range(type, spelled)
    return number


def _boolean(value: Any, text: str, _: SqlType) -> bool:
    if isinstance(value, str):
        return value.strip().lower() == "true"
    if isinstance(value, dict | list):
        raise _no_input(text)
    return value if isinstance(value, bool) else float(text) != 0


def _character(value: Any, text: str, type: SqlType) -> str:
    if isinstance(value, str):
        text = value
    elif text == "-0":
        text = "0"
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if type.length is None:
        return text
    return text[: type.length].ljust(type.length) if type.kind is Kind.CHAR else text[: type.length]


def _binary(value: Any, text: str, type: SqlType) -> bytes:
    if isinstance(value, bool):
        return bytes([value])
    if not isinstance(value, str):
        raise _no_input(text)
    literal = _HEX.fullmatch(value)
    try:
        data = bytes.fromhex(literal[1]) if literal else base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _no_input(value) from None
    return data[: type.length]


def _date(value: Any, text: str, _: SqlType) -> int:
    return _moment(value if isinstance(value, str) else None, parse_date, text)


def _time(value: Any, text: str, _: SqlType) -> int:
    return _moment(value if isinstance(value, str) else None, parse_time, text)


def _timestamp(value: Any, text: str, _: SqlType) -> Time:
    return _moment(value if isinstance(value, str) else None, parse_timestamp, text)


def _moment(value: str | None, parse: Callable[[str], int | None], text: str = "") -> int:
    moment = None if value is None else parse(value.strip())
    if moment is None:
        raise _no_input(text if value is None else value)
    return moment


def _exact(spelled: str) -> Decimal:
    """A number without rounding; one whose exponent is beyond all types becomes one that fits none of them either."""
    number = Decimal(spelled)
    if number and abs(number.adjusted()) > FAR:
        return Decimal(1).scaleb(FAR if number.adjusted() > 0 else -FAR).copy_sign(number)
    return number


def _no_input(text: str) -> Unfit:
    return Unfit(f'For input string: "{text}"')


def _out_of_range(type: SqlType, text: str) -> Unfit:
    return Unfit(f'Value out of range for {type}: "{text}"')


_CONVERSIONS: dict[Kind, Callable[[Any, str, SqlType], Any]] = {
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
    Kind.TIMESTAMP: _timestamp,
}
