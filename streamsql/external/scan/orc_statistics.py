"""The least and greatest values that an ORC file tells of its stripes.

They stand between the stripes and the footer: messages of Protocol Buffers, compressed block by block.  pyarrow says where, and
reads the rest of the file, but not this part.  Of what is not understood nothing is known, and the stripes are read.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from math import isnan
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa

from streamsql.external.scan.bounds import Bounds, unknown
from streamsql.external.scan.conform import conformed
from streamsql.types import SqlType

Message = Mapping[int, Any]
"""The fields of a message that stand once: whole numbers, doubles or bytes."""

VALUES, HAS_NULL = 1, 10
"""Fields of ColumnStatistics: how many values are not NULL, and whether there is a NULL."""

NOT_UNDERSTOOD = (ValueError, TypeError, LookupError, ArithmeticError, OSError, struct.error, zlib.error)
"""What comes of messages that are not what they should be."""

BEFORE_ORDER = "ORIGINAL"
"""The version of writers that compared texts otherwise."""


class StripeStatistics:
    """Those of a file that is open as `stream`, and as pyarrow's ORCFile."""

    def __init__(self, reader: Any, stream: BinaryIO) -> None:
        self._schema = reader.schema
        self._count = reader.nstripes
        size = reader.stripe_statistics_length
        stream.seek(reader.file_length - 1 - reader.file_postscript_length - reader.file_footer_length - size)
        section = stream.read(size)
        try:
            self._stripes = [_repeated(stripe) for stripe in _repeated(_unpacked(section, reader.compression))]
        except NOT_UNDERSTOOD:
            self._stripes = []
        if len(self._stripes) != self._count or reader.writer_version == BEFORE_ORDER:
            self._stripes = []

    def bounds(self, path: str, wanted: SqlType) -> Bounds:
        """The bounds of a column in each stripe, as values of its declared type."""
        nothing = unknown(wanted, self._count)
        place = _place(self._schema, path)
        kind = None if place is None else next((kind for kind in _KINDS if kind.holds(place.type)), None)
        if place is None or kind is None or not self._stripes:
            return nothing
        try:
            columns = [dict(_fields(columns[place.number])) for columns in self._stripes]
            held = [pa.array(each, kind.type or place.type) for each in zip(*map(kind.ends, columns), strict=True)]
        except NOT_UNDERSTOOD:
            return nothing
        null = pa.array([None if place.inner or HAS_NULL not in c else c[HAS_NULL] > 0 for c in columns], pa.bool_())
        valid = pa.array([c[VALUES] > 0 if VALUES in c else None for c in columns], pa.bool_())
        low, high = (conformed(values, wanted) for values in held)
        return Bounds(nothing.low, nothing.high, null, valid) if low is None or high is None else Bounds(low, high, null, valid)


class Place(NamedTuple):
    """Where a column stands among all, those within others counted, too: its number, its type, whether it is within a record."""

    number: int
    type: pa.DataType
    inner: bool


def _place(schema: pa.Schema, path: str) -> Place | None:
    fields: Iterable[pa.Field] = schema
    number, names = 0, path.split(".")
    for name in names:
        number += 1
        for field in fields:
            if field.name == name:
                break
            number += _columns(field.type)
        else:
            return None
        fields = field.type if pa.types.is_struct(field.type) else []
    return Place(number, field.type, len(names) > 1)


def _columns(type: pa.DataType) -> int:
    """How many columns a file has for one of a type: itself and those within it."""
    if pa.types.is_map(type):
        return 1 + _columns(type.key_type) + _columns(type.item_type)
    return 1 + sum(_columns(type.field(i).type) for i in range(type.num_fields))


class Kind(NamedTuple):
    """What ColumnStatistics has for columns of some types: the field, and in it those of the least and greatest value.

    `type` is that of the values, where it is not the column's own.
    """

    holds: Callable[[pa.DataType], bool]
    field: int
    low: Sequence[int]
    high: Sequence[int]
    value: Callable[[Any], Any]
    type: pa.DataType | None = None

    def ends(self, column: Message) -> tuple[Any, Any]:
        """The least and the greatest value; None where they are not known."""
        fields = dict(_fields(column.get(self.field, b"")))
        found = [next((self.value(fields[i]) for i in numbers if i in fields), None) for numbers in (self.low, self.high)]
        if any(isinstance(value, float) and isnan(value) for value in found):
            return None, None
        return found[0], found[1]


def _signed(number: int) -> int:
    return number >> 1 ^ -(number & 1)


_KINDS = (
    Kind(pa.types.is_integer, 2, (1,), (2,), _signed, pa.int64()),
    Kind(pa.types.is_floating, 3, (1,), (2,), float, pa.float64()),
    Kind(pa.types.is_string, 4, (1, 4), (2, 5), bytes.decode),
    Kind(pa.types.is_decimal, 6, (1,), (2,), lambda text: Decimal(text.decode())),
    Kind(pa.types.is_date32, 7, (1,), (2,), _signed),
)
"""Of timestamps it depends on the writer's time zone what theirs mean, and of long texts there may be only a part."""


def _repeated(data: bytes) -> list[bytes]:
    """The messages of which a message is the list."""
    return [value for number, value in _fields(data) if number == 1]


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The numbers and values of the fields of a message."""
    at = 0
    value: Any
    while at < len(data):
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value, at = _varint(data, at)
            case 1:
                (value,) = struct.unpack_from("<d", data, at)
                at += 8
            case 2:
                size, at = _varint(data, at)
                value = data[at : at + size]
                at += size
            case _:
                at = len(data) + 1
        if at > len(data):
            raise ValueError("no whole message")
        yield tag >> 3, value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A whole number in bytes of seven bits, and where it ends."""
    number = shift = 0
    while data[at] & 0x80:
        number |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return number | data[at] << shift, at + 1


def _unpacked(data: bytes, codec: str) -> bytes:
    """A section without its compression: blocks, each behind its length and whether it is as it was."""
    if codec == "UNCOMPRESSED":
        return data
    blocks: list[bytes] = []
    at = 0
    while at < len(data):
        header = int.from_bytes(data[at : at + 3], "little")
        end = at + 3 + (header >> 1)
        block = data[at + 3 : end]
        blocks.append(block if header & 1 else _CODECS[codec](block))
        at = end
    return b"".join(blocks)


_CODECS: Mapping[str, Callable[[bytes], bytes]] = {
    "ZLIB": lambda block: zlib.decompress(block, -zlib.MAX_WBITS),
    "SNAPPY": lambda block: pa.decompress(block, _varint(block, 0)[0], "snappy", asbytes=True),
    "ZSTD": lambda block: pa.CompressedInputStream(pa.BufferReader(block), "zstd").read(),
}
"""Blocks of LZ4 and LZO do not say how long they become."""
