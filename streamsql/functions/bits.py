"""Whole numbers as 64 bits."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from streamsql.arrays import map_values
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows

BIGINT = pa.int64()


@scalar("BITWISE_AND(x: BIGINT, y: BIGINT) -> BIGINT", duckdb="({x} & {y})")
def bitwise_and(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """The bits that both have.

    >>> BITWISE_AND(12, 10)
    8
    """
    return map_values(np.bitwise_and, BIGINT, x, y)


@scalar("BITWISE_OR(x: BIGINT, y: BIGINT) -> BIGINT", duckdb="({x} | {y})")
def bitwise_or(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """The bits that one has.

    >>> BITWISE_OR(12, 10)
    14
    """
    return map_values(np.bitwise_or, BIGINT, x, y)


@scalar("BITWISE_XOR(x: BIGINT, y: BIGINT) -> BIGINT", duckdb="xor({x}, {y})")
def bitwise_xor(_rows: Rows, x: Datum, y: Datum) -> Datum:
    """The bits that one of them alone has.

    >>> BITWISE_XOR(12, 10)
    6
    """
    return map_values(np.bitwise_xor, BIGINT, x, y)


@scalar("BITWISE_NOT(x: BIGINT) -> BIGINT", duckdb="(~{x})")
def bitwise_not(_rows: Rows, x: Datum) -> Datum:
    """The bits that it has not.

    >>> BITWISE_NOT(12)
    -13
    """
    return map_values(np.invert, BIGINT, x)
