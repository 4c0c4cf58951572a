"""Thrift's compact form, in which Parquet files tell of themselves: structs as fields by their numbers, of any meaning.

Nothing here knows Parquet: what is read and written again is the same, whatever a later version puts into it.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


class Field(NamedTuple):
    """A value and its type; of a list or set that of its elements and these, of a struct its fields by their numbers."""

    type: int
    value: Any


class Elements(NamedTuple):
    """The elements of a list; structs as the bytes that they are, where they were not looked into."""

    type: int
    values: list[Any]


Struct = dict[int, Field]


def read(data: bytes, unopened: int = 0) -> Struct:
    """A struct.  The elements of the list that is its field `unopened` stay bytes.  Raises ValueError where it is none."""
    try:
        return _Reader(data).struct(unopened)
    except (IndexError, struct.error) as error:
        raise ValueError("no Thrift struct") from error


def written(fields: Struct) -> bytes:
    """A struct as bytes."""
    output = bytearray()
    _write_struct(output, fields)
    return bytes(output)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def struct(self, unopened: int = 0) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            kind = head & 0x0F
            number = number + (head >> 4) if head >> 4 else self._signed()
            if kind in (TRUE, FALSE):
                fields[number] = Field(kind, kind == TRUE)
            elif kind == LIST and number == unopened:
                fields[number] = Field(kind, self._elements(opened=False))
            else:
                fields[number] = Field(kind, self._value(kind))
        return fields

    def _value(self, kind: int) -> Any:
        match kind:
            case 1 | 2 | 3:  # a BOOLEAN that is an element is a byte
                return self._byte()
            case 4 | 5 | 6:
                return self._signed()
            case 7:
                return struct.unpack("<d", self._bytes(8))[0]
            case 8:
                return self._bytes(self._unsigned())
            case 9 | 10:
                return self._elements()
            case 12:
                return self.struct()
            case _:
                raise ValueError(f"Thrift type {kind}")

    def _elements(self, opened: bool = True) -> Elements:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._unsigned()
        kind = head & 0x0F
        if opened:
            return Elements(kind, [self._value(kind) for _ in range(count)])
        parts: list[bytes] = []
        for _ in range(count):
            start = self._at
            self._value(kind)
            parts.append(self._data[start : self._at])
        return Elements(kind, parts)

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, size: int) -> bytes:
        self._at += size
        if self._at > len(self._data):
            raise IndexError
        return self._data[self._at - size : self._at]

    def _unsigned(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 0x80:
            number |= (byte & 0x7F) << shift
            shift += 7
        return number | byte << shift

    def _signed(self) -> int:
        number = self._unsigned()
        return number >> 1 ^ -(number & 1)


def _write_struct(output: bytearray, fields: Struct) -> None:
    before = 0
    for number, (kind, value) in sorted(fields.items()):
        if 0 < number - before < 16:
            output.append((number - before) << 4 | kind)
        else:
            output.append(kind)
            _write_signed(output, number)
        before = number
        if kind not in (TRUE, FALSE):
            _write(output, kind, value)
    output.append(0)


def _write(output: bytearray, kind: int, value: Any) -> None:
    match kind:
        case 1 | 2 | 3:
            output.append(value)
        case 4 | 5 | 6:
            _write_signed(output, value)
        case 7:
            output += struct.pack("<d", value)
        case 8:
            _write_unsigned(output, len(value))
            output += value
        case 9 | 10:
            _write_elements(output, value)
        case _ if isinstance(value, bytes):
            output += value
        case _:
            _write_struct(output, value)


def _write_elements(output: bytearray, elements: Elements) -> None:
    count = len(elements.values)
    if count < 15:
        output.append(count << 4 | elements.type)
    else:
        output.append(0xF0 | elements.type)
        _write_unsigned(output, count)
    for value in elements.values:
        _write(output, elements.type, value)


def _write_unsigned(output: bytearray, number: int) -> None:
    while number > 0x7F:
        output.append(number & 0x7F | 0x80)
        number >>= 7
    output.append(number)


def _write_signed(output: bytearray, number: int) -> None:
    _write_unsigned(output, number << 1 if number >= 0 else (-number << 1) - 1)
