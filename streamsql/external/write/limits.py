"""When a file is complete: after so many rows or bytes, or so much of the time of its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.io.uri import parse_duration
from streamsql.time import Time
from streamsql.types import Batch

MEGABYTE = 1 << 20

DEFAULT_BYTES = 256 * MEGABYTE
"""Bytes of values that a file takes where nothing is said."""

ROWS, MEGABYTES, TIME = "write.maxfilerows", "write.maxfilesize.mb", "write.maxfiletime"
"""The table properties that set the limits; the second one is Redshift's."""

Sizes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file takes at most, None for any number.

    `bytes` counts values before they are encoded; the row that reaches it is the file's last.  `time` is of ROWTIME: a file
    takes rows from its first one's on for so many milliseconds.  So what is in a file follows from the rows and their order.
    """

    rows: int | None = None
    bytes: int = DEFAULT_BYTES
    time: Time | None = None


def limits_of(properties: Mapping[str, str], table: str) -> Limits:
    """The limits that table properties set.  Raises ProgrammingError for values that are none."""
    known = {name.lower(): value for name, value in properties.items()}
    rows, megabytes, time = known.get(ROWS), known.get(MEGABYTES), known.get(TIME)
    if rows is not None and not re.fullmatch(r"\s*0*[1-9]\d*\s*", rows, re.ASCII):
        raise _wrong(table, ROWS, rows, "a positive whole number")
    if megabytes is not None and not (re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*", megabytes, re.ASCII) and float(megabytes) > 0):
        raise _wrong(table, MEGABYTES, megabytes, "a positive number of megabytes")
    size = DEFAULT_BYTES if megabytes is None else round(float(megabytes) * MEGABYTE)
    return Limits(None if rows is None else int(rows), size, None if time is None else _duration(table, time))


def _duration(table: str, text: str) -> Time:
    try:
        found = parse_duration(text)
    except OperationalError as error:
        raise _wrong(table, TIME, text, "a duration") from error
    if found <= 0:
        raise _wrong(table, TIME, text, "longer than nothing")
    return found


def _wrong(table: str, name: str, value: str, wanted: str) -> ProgrammingError:
    text = f"property {name} of table {table} is {value!r}, which is not {wanted}"
    return ProgrammingError(text, hint=f"'{name}'='{_EXAMPLES[name]}'")


_EXAMPLES = {ROWS: "100000", MEGABYTES: "128", TIME: "5m"}


def row_sizes(batch: Batch) -> Sizes:
    """The bytes of the values of each row."""
    total = np.zeros(batch.num_rows, np.int64)
    for column in batch.columns:
        total += _sizes(column)
    return total


def _sizes(array: pa.Array) -> Sizes:
    if pa.types.is_string(array.type) or pa.types.is_binary(array.type):
        return _filled(pc.binary_length(array))
    if pa.types.is_struct(array.type):
        sizes = [_sizes(column) for column in array.flatten()]
        return np.sum(sizes, axis=0, dtype=np.int64) if sizes else np.zeros(len(array), np.int64)
    if pa.types.is_list(array.type) or pa.types.is_map(array.type):
        counts = _filled(pc.list_value_length(array.cast(_as_list(array.type))))
        inner = _sizes(array.cast(_as_list(array.type)).flatten())
        ends = np.cumsum(counts)
        running = np.concatenate([np.zeros(1, np.int64), np.cumsum(inner)])
        found: Sizes = running[ends] - running[ends - counts]
        return found
    width: int = array.type.bit_width
    return np.full(len(array), max(1, width // 8), np.int64)


def _as_list(type: pa.DataType) -> pa.DataType:
    """A map as the list of its entries."""
    if not pa.types.is_map(type):
        return type
    return pa.list_(pa.struct([pa.field("key", type.key_type, nullable=False), pa.field("value", type.item_type)]))


def _filled(lengths: pa.Array) -> Sizes:
    return np.asarray(pc.fill_null(lengths, 0).cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)
