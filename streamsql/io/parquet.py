"""Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa

from streamsql.io.tables import BATCH, TableWriter
from streamsql.types import Batch


def parquet_schema(stream: BinaryIO) -> pa.Schema:
    """The columns of a file."""
    from pyarrow.parquet import read_schema

    return read_schema(stream)


def parquet_batches(stream: BinaryIO, columns: Sequence[str], row: int) -> Iterator[Batch]:
    """The rows of a file from a row on; row groups in front of it are not read."""
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(stream)
    counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    group = 0
    while group < len(counts) and row >= counts[group]:
        row -= counts[group]
        group += 1
    for batch in file.iter_batches(BATCH, range(group, len(counts)), list(columns)):
        rest = batch.slice(row)
        row = max(0, row - batch.num_rows)
        if rest.num_rows:
            yield rest


def parquet_writer(output: BinaryIO, schema: pa.Schema) -> TableWriter:
    """A writer of a file."""
    from pyarrow.parquet import ParquetWriter

    return TableWriter(ParquetWriter(output, schema))
