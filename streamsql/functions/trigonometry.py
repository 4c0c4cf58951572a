"""Angles, which are in radians."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from streamsql.arrays import Values, map_values
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows

DOUBLE = pa.float64()


def _of_angle(name: str, function: Callable[..., Values], documentation: str) -> None:
    """Enter a function of one number."""

    def implementation(_rows: Rows, x: Datum) -> Datum:
        return map_values(function, DOUBLE, x)

    implementation.__doc__ = documentation
    implementation.__module__ = __name__
    scalar(f"{name}(x: DOUBLE) -> DOUBLE", duckdb=None if name.startswith("A") else f"{name.lower()}({{x}})")(implementation)


_of_angle("SIN", np.sin, "The sine of an angle.\n\n    >>> SIN(0)\n    0.0\n    ")
_of_angle("COS", np.cos, "The cosine of an angle.\n\n    >>> COS(0)\n    1.0\n    ")
_of_angle("TAN", np.tan, "The tangent of an angle.\n\n    >>> TAN(0)\n    0.0\n    ")
_of_angle("ASIN", np.arcsin, "The angle of a sine; NaN where there is none.\n\n    >>> ASIN(0)\n    0.0\n    ")
_of_angle("ACOS", np.arccos, "The angle of a cosine; NaN where there is none.\n\n    >>> ACOS(1)\n    0.0\n    ")
_of_angle("ATAN", np.arctan, "The angle of a tangent.\n\n    >>> ATAN(0)\n    0.0\n    ")
_of_angle("DEGREES", np.degrees, "An angle in degrees.\n\n    >>> DEGREES(PI())\n    180.0\n    ")
_of_angle("RADIANS", np.radians, "An angle of so many degrees.\n\n    >>> RADIANS(180) = PI()\n    TRUE\n    ")


@scalar("ATAN2(y: DOUBLE, x: DOUBLE) -> DOUBLE", duckdb="atan2({y}, {x})")
def atan2(_rows: Rows, y: Datum, x: Datum) -> Datum:
    """The angle of a point.

    >>> ATAN2(0, 1)
    0.0
    """
    return map_values(np.arctan2, DOUBLE, y, x)


@scalar("E() -> DOUBLE")
def e(_rows: Rows) -> Datum:
    """The base of natural logarithms.

    >>> E()
    2.718281828459045
    """
    return pa.scalar(math.e, DOUBLE)
