"""Numbers as text, in Java's forms, and back."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.arrays import nulls, numbers
from streamsql.rows import ErrorName, Rows, map_rows

_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def numbers_text(x: pa.Array) -> pa.Array:
    """Numbers as Java prints them: `1.0`, `1.0E10`, DECIMALs with all digits of their scale."""
    if pa.types.is_floating(x.type):
        return _floating_text(x)
    if pa.types.is_decimal(x.type) and x.type.scale > 6:  # below 0.000001 Arrow prints an exponent
        return pa.array([None if value is None else f"{value:f}" for value in x.to_pylist()], pa.string())
    return x.cast(pa.string())


def _floating_text(x: pa.Array) -> pa.Array:
    """Arrow's shortest digits where Java prints no exponent, Java's own form elsewhere."""
    values, null = numbers(x), nulls(x)
    text = x.cast(pa.string())
    text = pc.if_else(pa.array(values == np.trunc(values)), pc.binary_join_element_wise(text, ".0", ""), text)
    size = np.abs(values)
    plain = ((size >= 1e-3) & (size < 1e7)) | (size == 0)
    if null is not None:
        plain |= null
    if plain.all():
        return text
    others = [java_text(value) for value in values[~plain]]
    return pc.replace_with_mask(text, pa.array(~plain), pa.array(others, pa.string()))


def java_text(value: np.floating) -> str:
    """A REAL or DOUBLE as Java prints it.

    >>> java_text(np.float64(1e10)), java_text(np.float32(0.1)), java_text(np.float64("-inf"))
    ('1.0E10', '0.1', '-Infinity')
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return np.format_float_positional(value, unique=True, trim="0")
    return np.format_float_scientific(value, unique=True, trim="0", exp_digits=1).replace("e+", "E").replace("e", "E")


def parse_numbers(rows: Rows, texts: pa.Array, type: pa.DataType) -> pa.Array:
    """Texts as numbers, blanks around them allowed; the rows whose text is no number of the type fail."""
    hexadecimal = pc.any(pc.match_substring(texts, "x", ignore_case=True)).as_py()  # which Arrow would read
    try:
        if not hexadecimal:
            result = texts.cast(type)
            if not pa.types.is_floating(type) or pc.all(pc.is_finite(result)).as_py() is not False:
                return result
    except pa.ArrowInvalid:
        pass
    return map_rows(rows, lambda text: parse_number(text, type), [texts], type, ErrorName.COERCION)


def parse_number(text: str, type: pa.DataType) -> int | float | Decimal:
    """One text as a number of the type: an integer has no point, a DECIMAL is rounded half up to its scale.

    >>> parse_number(" 2.675", pa.decimal128(5, 2))
    Decimal('2.68')
    """
    parse = _integer if pa.types.is_integer(type) else _decimal if pa.types.is_decimal(type) else _floating
    number = parse(text.strip(), type)
    if number is None:
        raise ValueError(f'For input string: "{text}"')
    return number


def _integer(text: str, type: pa.DataType) -> int | None:
    limit = 2 ** (type.bit_width - 1)
    return int(text) if _INTEGER.fullmatch(text) and -limit <= int(text) < limit else None


def _floating(text: str, type: pa.DataType) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    with np.errstate(over="ignore"):
        number = float(np.float32(text) if type == pa.float32() else np.float64(text))
    return number if np.isfinite(number) else None


def _decimal(text: str, type: pa.DataType) -> Decimal | None:
    if not _NUMBER.fullmatch(text) or abs(Decimal(text)) >= 10 ** (type.precision - type.scale):
        return None
    number = Decimal(text).quantize(Decimal(1).scaleb(-type.scale), ROUND_HALF_UP)
    return number if abs(number) < 10 ** (type.precision - type.scale) else None
