"""What the tests of sources and sinks share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from streamsql.io.blocks import Decoded
from streamsql.io.source import Source
from streamsql.operator import FailedRow
from streamsql.types import Field, Schema


def columns(**types: Any) -> Schema:
    """A schema of nullable columns."""
    return Schema(tuple(Field(name, type_) for name, type_ in types.items()))


def shown(rows: pa.RecordBatch | pa.Table | None) -> list[tuple[Any, ...]]:
    """Rows as tuples that can be compared: NaN equals NaN, 0.0 does not equal -0.0, times are milliseconds."""
    if rows is None:
        return []
    lists = [_column(column) for column in rows.columns]
    return list(zip(*lists, strict=True)) if lists else [()] * rows.num_rows


def _column(column: Any) -> list[Any]:
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.int64() if column.type.bit_width == 64 else pa.int32())
    values = column.to_pylist()
    return [repr(value) for value in values] if pa.types.is_floating(column.type) else values


def all_of(decoded: Decoded) -> tuple[list[tuple[Any, ...]], list[tuple[int, FailedRow]], Any]:
    """Everything in a block, comparable."""
    decoded.rows.validate(full=True)
    return shown(decoded.rows), list(decoded.failed), decoded.rows.schema


def drain(source: Source, limits: Iterable[int] = (), default: int = 1000) -> tuple[list[tuple[Any, ...]], list[FailedRow]]:
    """All rows and failures of a source that ends, read with these limits and then the default."""
    rows: list[tuple[Any, ...]] = []
    failed: list[FailedRow] = []
    limits = iter(limits)
    while True:
        polled = source.poll(next(limits, default))
        if polled.rows is not None:
            assert polled.rows.schema == source.schema.arrow()
            rows += shown(polled.rows)
        if polled.failed is not None:
            failed += polled.failed.rows
        if polled.ended:
            source.close()
            return rows, failed
