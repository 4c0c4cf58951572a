"""Arrow IPC files; streams of the same ending are read too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from streamsql.io.tables import TableWriter
from streamsql.types import Batch

_MAGIC = b"ARROW1"


def arrow_schema(stream: BinaryIO) -> pa.Schema:
    """The columns of a file."""
    return _opened(stream).schema


def arrow_batches(stream: BinaryIO, columns: Sequence[str], row: int) -> Iterator[Batch]:
    """The rows of a file from a row on."""
    for batch in _batches(_opened(stream)):
        rest = batch.slice(row)
        row = max(0, row - batch.num_rows)
        if rest.num_rows:
            yield rest.select(list(columns))


def arrow_writer(output: BinaryIO, schema: pa.Schema) -> TableWriter:
    """A writer of a file."""
    return TableWriter(pa.ipc.new_file(output, schema))


def _opened(stream: BinaryIO) -> pa.RecordBatchFileReader | pa.RecordBatchStreamReader:
    magic = stream.read(len(_MAGIC))
    stream.seek(0)
    return pa.ipc.open_file(stream) if magic == _MAGIC else pa.ipc.open_stream(stream)


def _batches(reader: pa.RecordBatchFileReader | pa.RecordBatchStreamReader) -> Iterator[Batch]:
    if isinstance(reader, pa.RecordBatchFileReader):
        return (reader.get_batch(number) for number in range(reader.num_record_batches))
    return iter(reader)
