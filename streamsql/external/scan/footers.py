"""The footers of Parquet files: read once for each content, kept as long as there is room."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa

from streamsql.external.scan import statistics
from streamsql.external.scan.bounds import Bounds, unknown
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.files import DataFile, opened
from streamsql.external.scan.thrift import Struct, read
from streamsql.types import SqlType

ROOM = 256 << 20
"""Bytes of footers that are kept, as they are in the files."""


@dataclass(frozen=True, eq=False)
class Footer:
    """What the end of a Parquet file says of it."""

    metadata: Any
    _bounds: dict[tuple[str, SqlType], Bounds] = field(default_factory=dict, repr=False)

    @cached_property
    def schema(self) -> pa.Schema:
        """The columns of the file, as Arrow reads them."""
        return self.metadata.schema.to_arrow_schema()

    @cached_property
    def leaves(self) -> dict[str, int]:
        """Where the column of each path stands, the fields of records being columns of their own: `name.given`."""
        schema = self.metadata.schema
        return {schema.column(i).path: i for i in range(len(schema))}

    def leaves_of(self, paths: Iterable[str]) -> list[int]:
        """The columns that have the values of some paths: of a record those of all its fields."""
        return [i for leaf, i in self.leaves.items() if any(leaf == path or leaf.startswith(f"{path}.") for path in paths)]

    @cached_property
    def group_rows(self) -> list[int]:
        """The rows of each row group."""
        return [self.metadata.row_group(number).num_rows for number in range(self.metadata.num_row_groups)]

    @cached_property
    def thrift(self) -> Struct:
        """The footer itself, a FileMetaData whose row groups stay bytes."""
        output = io.BytesIO()
        self.metadata.write_metadata_file(output)
        return read(output.getvalue()[4:-8], unopened=4)

    def group(self, number: int) -> Struct:
        """What the footer says of a row group: a RowGroup of the caller's own, whose columns stay bytes."""
        return read(self.thrift[4].value.values[number], unopened=1)

    def bounds(self, path: str, wanted: SqlType) -> Bounds:
        """The bounds of a column in each row group, as values of its declared type."""
        found = self._bounds.get((path, wanted))
        if found is None:
            leaf = self.leaves.get(path)
            if leaf is None or wanted.is_nested:
                found = unknown(wanted, len(self.group_rows))
            else:
                found = statistics.bounds(self.metadata, leaf, range(len(self.group_rows)), wanted)
            self._bounds[path, wanted] = found
        return found


class Footers:
    """Footers by the file and its content; for all threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], Footer] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def of(self, file: DataFile, counts: Counts) -> Footer:
        """The footer of a file.  Raises OperationalError for one that is no Parquet file."""
        with self._lock:
            footer = self._kept.get(file.version)
            if footer is not None:
                self._kept.move_to_end(file.version)
                return footer
        footer = _read(file, counts)
        with self._lock:
            self._kept[file.version] = footer
            self._bytes += footer.metadata.serialized_size
            while self._bytes > ROOM and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= oldest.metadata.serialized_size
        return footer


def _read(file: DataFile, counts: Counts) -> Footer:
    from pyarrow.parquet import read_metadata

    with opened(file, counts) as stream:
        try:
            return Footer(read_metadata(stream))
        except (OSError, EOFError, pa.ArrowInvalid) as error:
            hint = "its table is STORED AS PARQUET; a file that is being written is passed over where its name begins with _ or ."
            raise file.failed(f"it is no whole Parquet file: {error}", hint) from error
