"""Arrow tables of any types as rows of declared columns: what Parquet and Arrow files hold.

The rules are those for JSON (`streamsql.io.conversion`), with a time for a time where the file has one.  A batch that does
not fit as a whole is halved until the rows that do not fit stand alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.io.blocks import Decoded, concatenated
from streamsql.io.columns import convert_array, rowtime_array
from streamsql.io.decoding import Names, Target, unfit
from streamsql.io.texts import value_texts
from streamsql.operator import row_json
from streamsql.time import Time
from streamsql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    REAL,
    SMALLINT,
    TIME,
    TIMESTAMP,
    TINYINT,
    Batch,
    Family,
    Field,
    Kind,
    SqlType,
    decimal,
    varchar,
)

BATCH = 65_536
"""Rows read at a time."""

ROW_GROUP = 131_072
"""Rows written together."""

MAX_LENGTH = 65_534
"""The longest VARCHAR and VARBINARY that can be declared."""


class TableDecoder:
    """Turns batches of a file with these columns into rows."""

    def __init__(self, target: Target, names: list[str]) -> None:
        self._target = target
        self._columns: dict[int, int] = {}
        """For each column of the target that has one, the column of the file."""
        matcher = Names(target)
        exact: set[int] = set()
        for position, name in enumerate(names):
            match = matcher.column(name)
            if match is not None and (match[1] or match[0] not in exact):
                self._columns[match[0]] = position
                exact |= {match[0]} if match[1] else set()

    @property
    def needed(self) -> list[int]:
        """The columns of the file that are needed, in order."""
        return sorted(self._columns.values())

    def decode(self, batch: Batch) -> Decoded:
        """The rows of a batch that holds all columns of the file."""
        return concatenated(list(self._parts(batch)), self._target.schema)

    def _parts(self, batch: Batch) -> Iterator[Decoded]:
        rows = self._converted(batch)
        if isinstance(rows, pa.RecordBatch):
            yield Decoded(rows)
        elif batch.num_rows == 1:
            record = batch.to_pylist()[0]
            yield Decoded(self._target.schema.empty(), ((0, unfit(rows, self._rowtime(batch), row_json(record))),))
        else:
            half = batch.num_rows // 2
            yield from self._parts(batch.slice(0, half))
            yield from self._parts(batch.slice(half))

    def _converted(self, batch: Batch) -> Batch | str:
        """The rows, or why not all of them fit."""
        values = []
        if self._target.rowtime is not None:
            times = self._rowtimes(batch)
            if times is None:
                return "no value for ROWTIME"
            values.append(times)
        for index, field in enumerate(self._target.fields):
            column = self._column(batch, index)
            value = table_column(column, field)
            if value is None:
                if column.null_count and not field.nullable:
                    return f"NULL in column {field.name}, which is NOT NULL"
                return f'For input string: "{column[0].as_py()}"'
            values.append(value)
        return pa.RecordBatch.from_arrays(values, schema=self._target.schema.arrow())

    def _column(self, batch: Batch, index: int) -> pa.Array:
        position = self._columns.get(index)
        return pa.nulls(batch.num_rows) if position is None else batch.column(position)

    def _rowtimes(self, batch: Batch) -> pa.Array | None:
        declared = self._target.rowtime_index
        column = _plain(self._column(batch, len(self._target.fields) if declared is None else declared))
        if pa.types.is_temporal(column.type):
            return None if column.null_count else table_column(column, Field("", TIMESTAMP))
        return rowtime_array(column)

    def _rowtime(self, batch: Batch) -> Time | None:
        times = None if self._target.rowtime is None else self._rowtimes(batch)
        return None if times is None else times.view(pa.int64())[0].as_py()


def table_column(array: pa.Array, field: Field) -> pa.Array | None:
    """An array of any type as the values of a column; None where some do not fit."""
    array = _plain(array)
    if array.null_count and not field.nullable:
        return None
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), field.type.arrow())
    family = field.type.family
    try:
        if pa.types.is_temporal(array.type) and family is not Family.CHARACTER:
            return _times(array, field.type)
        if pa.types.is_nested(array.type):
            texts = [None if value is None else json.dumps(value, default=str) for value in array.to_pylist()]
            array = pa.array(texts, pa.string()) if family is Family.CHARACTER else None
        elif pa.types.is_binary(array.type):
            return _binaries(array, field.type)
        elif family is Family.CHARACTER and not pa.types.is_string(array.type):
            array = value_texts(array, discovered_type(array.type))
        elif family in (Family.BINARY, Family.DATE, Family.TIME, Family.TIMESTAMP) and not pa.types.is_string(array.type):
            return None
        return None if array is None else convert_array(array, field)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def discovered_type(type: pa.DataType) -> SqlType:
    """The SQL type for a column of an Arrow type."""
    if pa.types.is_dictionary(type):
        return discovered_type(type.value_type)
    if pa.types.is_decimal(type):
        return decimal(type.precision, type.scale) if type.precision <= 18 and type.scale >= 0 else DOUBLE
    if pa.types.is_timestamp(type):
        return TIMESTAMP
    if pa.types.is_date(type):
        return DATE
    if pa.types.is_time(type):
        return TIME
    if pa.types.is_binary(type) or pa.types.is_large_binary(type) or pa.types.is_fixed_size_binary(type):
        return SqlType(Kind.VARBINARY, length=MAX_LENGTH)
    return _DISCOVERED.get(type, varchar(MAX_LENGTH))


_DISCOVERED: dict[pa.DataType, SqlType] = {
    pa.bool_(): BOOLEAN,
    pa.int8(): TINYINT,
    pa.int16(): SMALLINT,
    pa.int32(): INTEGER,
    pa.int64(): BIGINT,
    pa.uint8(): SMALLINT,
    pa.uint16(): INTEGER,
    pa.uint32(): BIGINT,
    pa.uint64(): decimal(18),
    pa.float16(): REAL,
    pa.float32(): REAL,
    pa.float64(): DOUBLE,
}


def _plain(array: pa.Array) -> pa.Array:
    """An array without dictionary, and with the one type for text and the one for bytes."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return array.cast(pa.string())
    if pa.types.is_large_binary(array.type) or pa.types.is_binary_view(array.type) or pa.types.is_fixed_size_binary(array.type):
        return array.cast(pa.binary())
    return array.cast(pa.float32()) if pa.types.is_float16(array.type) else array


def _times(array: pa.Array, type: SqlType) -> pa.Array | None:
    """Times of any unit and zone as those of the dialect: UTC, what is below a millisecond is cut."""
    if pa.types.is_time(array.type):
        return pc.cast(array, pa.time32("ms"), safe=False) if type.kind is Kind.TIME else None
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if not pa.types.is_timestamp(array.type) or type.family is Family.NUMERIC:
        return None
    moments = pc.floor_temporal(array, unit="millisecond").cast(pa.timestamp("ms", array.type.tz))
    moments = moments.cast(pa.int64()).cast(pa.timestamp("ms"))
    return moments if type.kind is Kind.TIMESTAMP else _date_or_time(moments, type)


def _date_or_time(moments: pa.Array, type: SqlType) -> pa.Array | None:
    if type.kind is Kind.DATE:
        return pc.floor_temporal(moments, unit="day").cast(pa.date32())
    return moments.cast(pa.time32("ms")) if type.kind is Kind.TIME else None


def _binaries(array: pa.Array, type: SqlType) -> pa.Array | None:
    if type.family is Family.CHARACTER:
        return convert_array(array.cast(pa.string()), Field("", type))
    if type.family is not Family.BINARY:
        return None
    length: Any = pc.max(pc.binary_length(array)).as_py()
    return array if type.length is None or (length or 0) <= type.length else pc.binary_slice(array, 0, type.length)


class TableReader:
    """Reads a file of batches.  Its offsets count rows."""

    def __init__(self, stream: BinaryIO, batches: Iterator[Batch], decoder: TableDecoder, offset: int, size: int) -> None:
        self.offset = offset
        self.size = size
        self._stream = stream
        self._batches = batches
        self._decoder = decoder

    def read(self) -> Decoded | None:
        batch = next(self._batches, None)
        if batch is None:
            return None
        self.offset += batch.num_rows
        return self._decoder.decode(batch)

    def close(self) -> None:
        self._stream.close()


class TableWriter:
    """Writes batches, small ones together."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer
        self._waiting: list[Batch] = []

    def write(self, batch: Batch) -> None:
        self._waiting.append(batch)
        if sum(batch.num_rows for batch in self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Write the rest and what closes the file; the file itself stays open."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting).combine_chunks())
            self._waiting = []
