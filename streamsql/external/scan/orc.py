"""Rows from ORC files: the stripes that may hold some, and of these the columns that are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from streamsql.external.scan.bounds import Possible
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.file_columns import FileColumns, paths_of
from streamsql.external.scan.files import opened
from streamsql.external.scan.orc_statistics import StripeStatistics
from streamsql.external.scan.request import PartitionFile
from streamsql.external.scan.rows import Given, RowMaker


class OrcReader:
    """Reads the files of one request; for all threads."""

    def __init__(self, maker: RowMaker, possible: Possible | None, counts: Counts) -> None:
        self._maker = maker
        self._possible = possible
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
                for stripe in self._wanted(reader, stream, file, places) if places else ():
                    rows = reader.read_stripe(stripe, paths_of(places))
                    self._counts.add(rows=rows.num_rows)
                    yield from self._file.given(self._file.columns(rows, places), constants, rows.num_rows, portion)
            except (OSError, EOFError, pa.ArrowInvalid) as error:
                raise file.file.failed(error) from error
        yield from portion.end()

    def _wanted(self, reader: Any, stream: BinaryIO, file: PartitionFile, places: Mapping[int, str]) -> list[int]:
        """The stripes that may hold rows that are wanted."""
        count = reader.nstripes
        mask = np.ones(count, bool)
        if self._possible is not None and not self._possible.tells_nothing:
            told = StripeStatistics(reader, stream)
            types = {place: self._file.fields[place].type for place in self._possible.columns}
            bounds = {
                place: told.bounds(places[place], type_) if place in places else self._file.constant(place, file, count)
                for place, type_ in types.items()
            }
            mask = self._possible(bounds, count)
        self._counts.add(row_groups=count, row_groups_read=int(mask.sum()))
        return np.flatnonzero(mask).tolist()
