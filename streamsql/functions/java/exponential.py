"""EXP, to the last digit as Java's library and the service's reference give it.

The C library rounds e to 2.718281828459045, the reference shows 2.7182818284590455.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

_LN_2_HIGH = float.fromhex("0x1.62e42feep-1")
_LN_2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""ln 2 in two parts, of which a whole multiple of the first has no rounding error."""

_REDUCED = 0.5 * np.log(2)
_NEAR = 1.5 * np.log(2)
_TINY = 2.0**-28

_REMEZ = (
    float.fromhex("0x1.555555555553ep-3"),
    float.fromhex("-0x1.6c16c16bebd93p-9"),
    float.fromhex("0x1.1566aaf25de2cp-14"),
    float.fromhex("-0x1.bbd41c5d26bf1p-20"),
    float.fromhex("0x1.6376972bea4d0p-25"),
)
"""The polynomial in r * r that approximates r * (e^r + 1) / (e^r - 1) - 2 on [0, ln 2 / 2]."""

LARGEST = float.fromhex("0x1.62e42fefa39efp9")
"""The largest number whose power of e is finite."""

LEAST = float.fromhex("-0x1.74910d52d3051p9")
"""The least number whose power of e is not 0."""


def exponential(x: Doubles) -> Doubles:
    """e to the power of each number.

    >>> exponential(np.array([1.0, -1.0, 10.0])).tolist()
    [2.7182818284590455, 0.36787944117144233, 22026.465794806718]
    """
    inside = np.where((x >= LEAST) & (x <= LARGEST), x, 0.0)
    multiple = np.trunc(inside / np.log(2) + np.copysign(0.5, inside))
    multiple = np.where(np.abs(inside) < _NEAR, np.copysign(1.0, inside), multiple)
    multiple = np.where(np.abs(inside) <= _REDUCED, 0.0, multiple)
    high, low = inside - multiple * _LN_2_HIGH, multiple * _LN_2_LOW
    r = high - low
    square = r * r
    polynomial = np.zeros_like(r)
    for factor in reversed(_REMEZ):
        polynomial = square * (factor + polynomial)
    c = r - polynomial
    reduced = 1.0 - (r * c / (c - 2.0) - r)
    shifted = np.ldexp(1.0 - ((low - r * c / (2.0 - c)) - high), multiple.astype(np.int64))
    result = np.where(multiple == 0.0, np.where(np.abs(inside) < _TINY, 1.0 + inside, reduced), shifted)
    return np.where(x > LARGEST, np.inf, np.where(x < LEAST, 0.0, np.where(np.isnan(x), x, result)))
