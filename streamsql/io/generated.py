"""The values of generated columns, each a function of the row's number, its time and a seed.

No value depends on another one's having been made, so rows can be made in pieces of any size, and from any row on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.arrays import from_numbers, from_unscaled
from streamsql.io.conversion import convert
from streamsql.io.decoding import Unfit
from streamsql.types import Family, Field, Kind, SqlType

Numbers = npt.NDArray[np.int64]

Column = Callable[[Numbers, Numbers], pa.Array]
"""From the numbers of rows and their times to a column's values."""

Maker = Callable[[SqlType, Sequence[str], bytes], Column]
"""From a type, the arguments of a form and a key to draw by to the column.  Raises ValueError."""

_FORM = re.compile(r"\s*(?:(?P<share>\d+(?:\.\d+)?)%\s*)?(?P<name>[A-Za-z]+)\s*(?:\((?P<arguments>[^()]*)\))?\s*")
_LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_DAY = 86_400_000


def column_of(field: Field, text: str | None, seed: str) -> Column:
    """The column that a text such as `random(10, 20), 1% random(100, 120)` describes; None: as suits its type.

    Several forms are mixed by their shares; those without one divide the rest.  Raises ValueError.
    """
    key = f"{seed}/{field.name}".encode()
    shares: list[float | None] = []
    columns: list[Column] = []
    for share, name, arguments in _forms(_default(field.type) if text is None else text):
        maker = FORMS.get(name.lower())
        if maker is None:
            raise ValueError(f"there is no {name!r}; there are {', '.join(FORMS)}")
        shares.append(share)
        columns.append(maker(field.type, arguments, key + b"/%d" % len(columns)))
    return columns[0] if len(columns) == 1 else _mixed(columns, _limits(shares), key)


def _forms(text: str) -> list[tuple[float | None, str, list[str]]]:
    """The forms of a text: share, name, arguments."""
    found: list[tuple[float | None, str, list[str]]] = []
    at = 0
    while True:
        match = _FORM.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not of the form {_EXAMPLE}")
        share = None if match["share"] is None else float(match["share"]) / 100
        arguments = [part.strip() for part in match["arguments"].split(",")] if match["arguments"] is not None else []
        found.append((share, match["name"], arguments))
        at = match.end()
        if at == len(text):
            return found
        if text[at] != ",":
            raise ValueError(f"{text!r} is not of the form {_EXAMPLE}")
        at += 1


_EXAMPLE = "random(10, 20), 1% random(100, 120)"


def _limits(shares: Sequence[float | None]) -> list[float]:
    """Up to which number between 0 and 1 each form is drawn."""
    given = sum(share for share in shares if share is not None)
    open_ = sum(share is None for share in shares)
    if given > 1 or (given < 1 and not open_):
        raise ValueError("the shares are more than 100%" if given > 1 else "the shares are less than 100%")
    limits, total = [], 0.0
    for share in shares:
        total += (1 - given) / open_ if share is None else share
        limits.append(total)
    return limits


def _mixed(columns: Sequence[Column], limits: Sequence[float], key: bytes) -> Column:
    def values(rows: Numbers, times: Numbers) -> pa.Array:
        chosen = np.minimum(np.searchsorted(limits, uniform(key + b"/mixed", rows), "right"), len(columns) - 1)
        parts = [column(rows[chosen == i], times[chosen == i]) for i, column in enumerate(columns)]
        order = np.argsort(np.argsort(chosen, kind="stable"), kind="stable")
        return pa.chunked_array(parts).combine_chunks().take(pa.array(order))

    return values


def uniform(key: bytes, rows: Numbers) -> npt.NDArray[np.float64]:
    """A number from 0 up to 1 for each row: SplitMix64 of its number, from a start that the key gives."""
    start = np.uint64(int.from_bytes(blake2b(key, digest_size=8).digest(), "big"))
    mixed = rows.astype(np.uint64) * _MIX[0] + start
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX[2]
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) * 2.0**-53


# -- the forms ---------------------------------------------------------------------------------------------------------


def _random(type: SqlType, arguments: Sequence[str], key: bytes) -> Column:
    """random(low, high): any number from one to the other, both included where they are exact."""
    low, high = _numbers(type, arguments, "random(low, high)", 2)
    if low > high:
        raise ValueError(f"{low} is not below {high}")
    count = high - low + 1 if _is_exact(type) else high - low

    def values(rows: Numbers, _times: Numbers) -> pa.Array:
        drawn = uniform(key, rows) * float(count)
        return _column(type, np.floor(drawn).astype(np.int64) + low if _is_exact(type) else drawn + low)

    return values


def _normal(type: SqlType, arguments: Sequence[str], key: bytes) -> Column:
    """normal(mean, deviation): numbers around a mean."""
    mean, deviation = _numbers(type, arguments, "normal(mean, deviation)", 2)

    def values(rows: Numbers, _times: Numbers) -> pa.Array:
        radius = np.sqrt(-2 * np.log(1 - uniform(key + b"/radius", rows)))
        drawn = mean + deviation * radius * np.cos(2 * np.pi * uniform(key + b"/angle", rows))
        if not _is_exact(type):
            return _column(type, drawn)
        limit = _limit(type)
        return _column(type, np.clip(np.rint(drawn), -limit, limit).astype(np.int64))

    return values


def _sequence(type: SqlType, arguments: Sequence[str], _key: bytes) -> Column:
    """sequence(first) or sequence(first, last): numbers one after the other, from the first again behind the last."""
    first, *last = _numbers(type, arguments, "sequence(first) or sequence(first, last)", 1, 2)
    unit = 10**type.scale if type.kind is Kind.DECIMAL else 1
    count = (int(last[0]) - int(first)) // unit + 1 if last else None
    if count is not None and count < 1:
        raise ValueError(f"{first} is not below {last[0]}")

    def values(rows: Numbers, _times: Numbers) -> pa.Array:
        return _column(type, (rows if count is None else rows % count) * unit + first)

    return values


def _choice(type: SqlType, arguments: Sequence[str], key: bytes) -> Column:
    """choice(a, b, ...): one of several values."""
    if not arguments:
        raise ValueError("choice needs values: choice(a, b)")
    try:
        known = pa.array([convert(argument, type) for argument in arguments], type.arrow())
    except Unfit as unfit:
        raise ValueError(str(unfit)) from None

    def values(rows: Numbers, _times: Numbers) -> pa.Array:
        return known.take(pa.array(np.floor(uniform(key, rows) * len(known)).astype(np.int64)))

    return values


def _text(type: SqlType, arguments: Sequence[str], key: bytes) -> Column:
    """text(length): letters."""
    if not type.is_character:
        raise ValueError(f"text(length) is for text, and this is {type}")
    if len(arguments) != 1 or not arguments[0].isdecimal() or not 1 <= int(arguments[0]) <= (type.length or 1_000):
        raise ValueError(f"text takes a length from 1 to {type.length or 1_000}")
    length = int(arguments[0])

    def values(rows: Numbers, _times: Numbers) -> pa.Array:
        letters = [_LETTERS[np.floor(uniform(key + b"/%d" % i, rows) * 26).astype(np.int64)] for i in range(length)]
        texts = ["".join(row) for row in zip(*letters, strict=True)]
        return pa.array([convert(text, type) for text in texts], pa.string())

    return values


def _time(type: SqlType, arguments: Sequence[str], _key: bytes) -> Column:
    """time: the time of the row, in a BIGINT as milliseconds since 1970."""
    if arguments or not (type.is_datetime or type.kind is Kind.BIGINT):
        raise ValueError(f"time takes nothing, and is for TIMESTAMP, DATE, TIME and BIGINT; this is {type}")

    def values(_rows: Numbers, times: Numbers) -> pa.Array:
        kept = times // _DAY if type.family is Family.DATE else times % _DAY if type.family is Family.TIME else times
        return from_numbers(kept, type.arrow(), np.zeros(len(times), bool))

    return values


def _null(type: SqlType, arguments: Sequence[str], _key: bytes) -> Column:
    """null: no value."""
    if arguments:
        raise ValueError("null takes nothing")
    return lambda rows, _times: pa.nulls(len(rows), type.arrow())


FORMS: dict[str, Maker] = {
    "random": _random,
    "normal": _normal,
    "sequence": _sequence,
    "choice": _choice,
    "text": _text,
    "time": _time,
    "null": _null,
}
"""What may be in a column."""


def _default(type: SqlType) -> str:
    """What is in a column of which nothing is said."""
    if type.is_numeric:
        digits = type.precision - type.scale if type.kind is Kind.DECIMAL else 3
        return f"random(0, {min(100, 10**digits - 1)})"
    if type.is_character:
        return f"text({min(type.length or 8, 8)})"
    if type.is_datetime:
        return "time"
    if type.kind is Kind.BOOLEAN:
        return "choice(true, false)"
    raise ValueError(f"a {type} needs a choice(...)")


# -- numbers of any type: whole numbers of their last digit where they are exact ------------------------------------------


def _is_exact(type: SqlType) -> bool:
    return type.is_integer or type.kind is Kind.DECIMAL


def _limit(type: SqlType) -> int:
    """The highest value of an exact type, in units of its last digit."""
    return 10**type.precision - 1 if type.kind is Kind.DECIMAL else int(2 ** (type.arrow().bit_width - 1)) - 1


def _numbers(type: SqlType, arguments: Sequence[str], form: str, least: int, most: int | None = None) -> list[Any]:
    """The arguments as numbers of the column's type: floats, or whole numbers of its last digit."""
    if not type.is_numeric:
        raise ValueError(f"{form} is for numbers, and this is {type}")
    if not least <= len(arguments) <= (most or least):
        raise ValueError(f"{form} is how it is written")
    found: list[Any] = []
    for argument in arguments:
        try:
            number = Decimal(argument)
        except InvalidOperation:
            raise ValueError(f"{argument!r} is not a number") from None
        scaled = number.scaleb(type.scale) if type.kind is Kind.DECIMAL else number
        if _is_exact(type) and (scaled != scaled.to_integral_value() or abs(scaled) > _limit(type)):
            raise ValueError(f"{argument} is not a {type}")
        found.append(int(scaled) if _is_exact(type) else float(number))
    return found


def _column(type: SqlType, values: npt.NDArray[Any]) -> pa.Array:
    """An array of numbers; whole ones of a DECIMAL's last digit are its value."""
    no_null = np.zeros(len(values), bool)
    if type.kind is Kind.DECIMAL:
        return from_unscaled(values, type.arrow(), no_null)
    return from_numbers(values.astype(type.arrow().to_pandas_dtype()), type.arrow(), no_null)
