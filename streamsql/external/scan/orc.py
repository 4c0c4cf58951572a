"""Rows from ORC files, stripe by stripe: the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from streamsql.external.scan.counts import Counts
from streamsql.external.scan.file_columns import FileColumns, paths_of
from streamsql.external.scan.files import opened
from streamsql.external.scan.request import PartitionFile
from streamsql.external.scan.rows import Given, RowMaker


class OrcReader:
    """Reads the files of one request; for all threads."""

    def __init__(self, maker: RowMaker, counts: Counts) -> None:
        self._maker = maker
        self._request = maker.request
        self._counts = counts
        self._file = FileColumns(maker)

    def read(self, file: PartitionFile) -> Iterator[Given]:
        """What is asked for of the rows of a file."""
        from pyarrow.orc import ORCFile

        constants, portion = file.constants(self._request), self._maker.portion()
        self._counts.add_file(file.file.entry.size)
        with opened(file.file, self._counts) as stream:
            try:
                reader = ORCFile(stream)
                places = self._file.places(reader.schema, file)
                if not places:  # of the file only the number of its rows is of interest
                    self._counts.add(rows=reader.nrows)
                    yield from self._file.given({}, constants, reader.nrows, portion)
                for stripe in range(reader.nstripes if places else 0):
                    rows = reader.read_stripe(stripe, paths_of(places))
                    self._counts.add(rows=rows.num_rows)
                    yield from self._file.given(self._file.columns(rows, places), constants, rows.num_rows, portion)
            except (OSError, EOFError, pa.ArrowInvalid) as error:
                raise file.file.failed(error) from error
        yield from portion.end()
