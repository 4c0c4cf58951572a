"""Kernels: numbers in JSON text.

What a scan cannot decide exactly it refuses: `BAD` in the place of the end.  Text always ends with a line feed, which is part
of no number, so no scan runs over the end.  Signed and unsigned 64-bit numbers together would become floating-point ones:
what is unsigned stays so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from streamsql.kernels.jit import inlined

Octets = npt.NDArray[np.uint8]

BAD = -1

MOST_DIGITS = 19
"""So many significant digits fit a mantissa of 64 bits."""

FIRST_POWER, LAST_POWER = -342, 308
"""The decimal exponents beyond which every float64 is zero or infinite."""

SIGN = np.uint64(1 << 63)
ZERO, ONE, TWO, THREE, TEN = (np.uint64(n) for n in (0, 1, 2, 3, 10))
HALF, LOW_HALF = np.uint64(32), np.uint64(2**32 - 1)
MANTISSA_BITS = np.uint64(52)
LARGEST_SIGNED = np.uint64(2**63 - 1)

WHOLE_POWERS = np.array([10**n for n in range(20)], np.uint64)


def _power_of_five(exponent: int) -> int:
    """The first 128 bits of 5**exponent, rounded as Lemire's table has them (`Number Parsing at a Gigabyte per Second`)."""
    power: int = 5 ** abs(exponent)
    size = power.bit_length()
    if exponent >= 0:
        return power << 128 >> size
    bits = (1 << (size + 127 if exponent >= -27 else 2 * size + 128)) // power + 1
    return bits >> max(0, bits.bit_length() - 128)


_POWERS = [_power_of_five(exponent) for exponent in range(FIRST_POWER, LAST_POWER + 1)]
HIGH_POWERS = np.array([power >> 64 for power in _POWERS], np.uint64)
LOW_POWERS = np.array([power & (2**64 - 1) for power in _POWERS], np.uint64)


@inlined
def scan_number(data: Octets, at: int) -> tuple[int, np.uint64, int, bool, bool]:
    """A JSON number: where it ends, its significant digits, its decimal exponent, whether it is negative, whether it has
    neither a point nor an exponent."""
    negative = data[at] == 45  # -
    if negative:
        at += 1
    mantissa = ZERO
    digits = 0
    exponent = 0
    start = at
    while 48 <= data[at] <= 57:
        if digits or data[at] != 48:
            digits += 1
        mantissa = mantissa * TEN + np.uint64(data[at] - 48)
        at += 1
    if at == start or (data[start] == 48 and at > start + 1):
        return BAD, mantissa, 0, negative, False
    whole = True
    if data[at] == 46:  # .
        whole = False
        at += 1
        start = at
        while 48 <= data[at] <= 57:
            if digits or data[at] != 48:
                digits += 1
            mantissa = mantissa * TEN + np.uint64(data[at] - 48)
            at += 1
        exponent = start - at
        if at == start:
            return BAD, mantissa, 0, negative, False
    if data[at] == 101 or data[at] == 69:  # e, E
        whole = False
        at += 1
        minus = data[at] == 45
        if minus or data[at] == 43:
            at += 1
        start = at
        power = 0
        while 48 <= data[at] <= 57:
            power = min(power * 10 + data[at] - 48, 10_000)
            at += 1
        if at == start:
            return BAD, mantissa, 0, negative, False
        exponent += -power if minus else power
    return (at if digits <= MOST_DIGITS else BAD), mantissa, exponent, negative, whole


@inlined
def as_double(mantissa: np.uint64, exponent: int) -> tuple[bool, np.uint64]:
    """mantissa * 10**exponent as the bits of the nearest float64, by the algorithm of Eisel and Lemire.

    The first result is False where the value is subnormal or infinite, or where 128 bits do not decide.
    """
    if mantissa == ZERO:
        return True, ZERO
    if exponent < FIRST_POWER or exponent > LAST_POWER:
        return False, ZERO
    shift = _leading_zeros(mantissa)
    shifted = mantissa << np.uint64(shift)
    low, high = _product(shifted, HIGH_POWERS[exponent - FIRST_POWER])
    if high & np.uint64(0x1FF) == np.uint64(0x1FF):
        _, more = _product(shifted, LOW_POWERS[exponent - FIRST_POWER])
        low += more
        if more > low:
            high += ONE
    if low == ~ZERO and (exponent < -27 or exponent > 55):
        return False, ZERO
    upper = high >> np.uint64(63)
    bits = high >> (upper + np.uint64(9))
    binary = ((217706 * exponent) >> 16) + 63 + np.int64(upper) - shift + 1023
    if binary <= 0:
        return False, ZERO
    if low <= ONE and -4 <= exponent <= 23 and bits & THREE == ONE and bits << (upper + np.uint64(9)) == high:
        bits &= ~ONE  # halfway between two: to the even one
    bits = (bits + (bits & ONE)) >> ONE
    if bits >= TWO << MANTISSA_BITS:
        bits = ONE << MANTISSA_BITS
        binary += 1
    if binary >= 2047:
        return False, ZERO
    return True, (bits & ~(ONE << MANTISSA_BITS)) | (np.uint64(binary) << MANTISSA_BITS)


@inlined
def fits_single(bits: np.uint64) -> bool:
    """Whether a float64 becomes the float32 that is nearest to the number it was made of, too.

    Not so where it lies halfway between two of them, and not certainly where they are subnormal or infinite.
    """
    binary = np.int64((bits & ~SIGN) >> MANTISSA_BITS) - 1023
    if bits & ~SIGN == ZERO:
        return True
    if binary < -126 or binary >= 127:
        return False
    return bool(bits & np.uint64(0x1FFFFFFF) != np.uint64(0x10000000))


@inlined
def as_scaled(mantissa: np.uint64, exponent: int, scale: int, precision: int) -> tuple[bool, np.uint64]:
    """mantissa * 10**exponent as the digits of a DECIMAL, rounded half up; False where it is too large."""
    shift = scale + exponent
    if shift >= 0:
        if mantissa and (shift >= MOST_DIGITS or mantissa > WHOLE_POWERS[precision] // WHOLE_POWERS[shift]):
            return False, ZERO
        digits = mantissa * WHOLE_POWERS[shift] if mantissa else ZERO
    elif shift < -MOST_DIGITS:
        digits = ZERO
    else:
        divisor = WHOLE_POWERS[-shift]
        digits = mantissa // divisor
        if (mantissa - digits * divisor) >= divisor - divisor // TWO:
            digits += ONE
    return digits < WHOLE_POWERS[precision], digits


@inlined
def _leading_zeros(value: np.uint64) -> int:
    count = 0
    for step in (32, 16, 8, 4, 2, 1):
        if value >> np.uint64(64 - step) == ZERO:
            value <<= np.uint64(step)
            count += step
    return count


@inlined
def _product(one: np.uint64, other: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The low and the high half of the product."""
    a, b = one >> HALF, one & LOW_HALF
    c, d = other >> HALF, other & LOW_HALF
    bd = b * d
    middle = (bd >> HALF) + (a * d & LOW_HALF) + b * c
    return middle << HALF | bd & LOW_HALF, a * c + (a * d >> HALF) + (middle >> HALF)
