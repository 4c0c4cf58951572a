"""Tables of other libraries as relations: Arrow tables and batches, readers, pandas and polars frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from streamsql.catalog import Table
from streamsql.errors import DataError, InterfaceError
from streamsql.io.tables import discovered_type, table_column
from streamsql.types import Field, Schema, SqlType, interval, varchar


def table_of(name: str, data: Any) -> Table:
    """The relation of this name that holds what `data` holds; a reader is read to its end."""
    source = arrow_table(data)
    fields = [Field(column.name, sql_type(column.type)) for column in source.schema]
    _check_names([field.name for field in fields])
    columns = [_converted(source.column(i), field) for i, field in enumerate(fields)]
    schema = Schema(tuple(fields))
    return Table(name, schema, pa.Table.from_arrays(columns, schema=schema.arrow()))


def is_table(data: object) -> bool:
    """Whether something can be had as an Arrow table."""
    names = ("__arrow_c_stream__", "__arrow_c_array__", "to_arrow")
    return any(hasattr(data, name) for name in names) or _is_pandas(data)


def arrow_table(data: Any) -> pa.Table:
    """Anything that can be had as an Arrow table, as one."""
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if isinstance(data, pa.RecordBatchReader):
        return data.read_all()
    if _is_pandas(data) and hasattr(data, "columns"):
        return pa.Table.from_pandas(data, preserve_index=False)
    if hasattr(data, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(data).read_all()
    if hasattr(data, "__arrow_c_array__"):
        return pa.Table.from_batches([pa.record_batch(data)])
    if hasattr(data, "to_arrow"):
        return arrow_table(data.to_arrow())
    raise InterfaceError(
        f"a {type(data).__name__} is no table", hint="an Arrow table, batch or reader, a pandas or a polars frame"
    )


def _is_pandas(data: object) -> bool:
    return type(data).__module__.partition(".")[0] == "pandas"


def sql_type(type: pa.DataType) -> SqlType:
    """The SQL type for a column of an Arrow type; text has no limit."""
    if pa.types.is_duration(type):
        return interval("DAY", "SECOND", precision=10)
    found = discovered_type(type)
    return varchar() if found.is_character else found


def _converted(column: pa.ChunkedArray, field: Field) -> pa.ChunkedArray:
    wanted = field.type.arrow()
    if column.type == wanted:
        return column
    if pa.types.is_duration(column.type):
        return column.cast(wanted, safe=False)
    chunks: list[pa.Array] = []
    for chunk in column.chunks:
        converted = table_column(chunk, field)
        if converted is None:
            raise DataError(f"column {field.name}: some {column.type} values do not fit {field.type}")
        chunks.append(converted)
    return pa.chunked_array(chunks, wanted)


def _check_names(names: Sequence[str]) -> None:
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(f"column {min(twice)} stands twice")
