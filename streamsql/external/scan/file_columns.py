"""The columns that a file has, by their names, as those that a request asks for: of formats whose files say what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.external.scan.asked import Arrays, Constants
from streamsql.external.scan.bounds import Bounds, constant
from streamsql.external.scan.conform import readable
from streamsql.external.scan.portions import Portion
from streamsql.external.scan.request import PartitionFile, ScanColumn
from streamsql.external.scan.rows import Given, RowMaker, fitted
from streamsql.operator import Failed, FailedRow


class FileColumns:
    """The columns of one request; for all threads."""

    def __init__(self, maker: RowMaker) -> None:
        self._maker = maker
        self._request = maker.request
        self.fields = {i: column.field for i, column in enumerate(self._request.columns)}
        self._stored = self._request.stored
        self._known: tuple[pa.Schema, dict[int, str]] = pa.schema([]), {}
        """What a file was found to have: most have the schema of the one before."""

    def given(self, columns: Arrays, constants: Constants, count: int, portion: Portion) -> Iterator[Given]:
        """What a portion gives for columns as a file holds them, and the rows of which some value does not fit."""
        for made in fitted(self.complete(columns, count), self.fields, count):
            if isinstance(made, FailedRow):
                yield Failed((made,))
            else:
                yield from self.wanted(made[0], constants, made[1], portion)

    def wanted(self, columns: Arrays, constants: Constants, count: int, portion: Portion) -> Iterator[Given]:
        """The same for columns of the declared types."""
        columns, count = self._maker.wanted(columns, constants, count)
        return portion.give(columns, constants, count)

    def complete(self, columns: Arrays, count: int) -> Arrays:
        """With those that the file does not have."""
        missing = [i for i in self._stored if i not in columns]
        return {**columns, **{i: pa.nulls(count, self.fields[i].type.arrow()) for i in missing}}

    def constant(self, place: int, file: PartitionFile, count: int) -> Bounds:
        """The bounds in `count` parts of a file of a column that is not in it: a key, a pseudocolumn, or missing."""
        constants = file.constants(self._request)
        return constant(constants[place] if place in constants else pa.scalar(None, self.fields[place].type.arrow()), count)

    def columns(self, table: pa.Table | pa.RecordBatch, places: Mapping[int, str]) -> dict[int, pa.Array]:
        """The columns as they were read, those within records taken out of them."""
        columns: dict[int, pa.Array] = {}
        for place in places:
            column = _whole(table.column(_named(table.schema, self._request.columns[place].path[0])))
            for name in self._request.columns[place].path[1:]:
                column = pc.struct_field(column, [_named(column.type, name)])
            columns[place] = column
        return columns

    def places(self, schema: pa.Schema, file: PartitionFile) -> dict[int, str]:
        """The path in the file of each column that it has.  Raises OperationalError for one of another kind."""
        known, found = self._known
        if schema.equals(known):
            return found
        found = {}
        for place in self._stored:
            column = self._request.columns[place]
            held = _held(schema, column)
            if held is None:
                continue
            path, type_ = held
            if not readable(type_, column.field.type):
                text = f"column {column.field.name} is {type_} in it, and {column.field.type} in {self._request.table.full_name}"
                hint = "ALTER TABLE ... REPLACE COLUMNS declares it so; a file of another kind belongs under another LOCATION"
                raise file.file.failed(text, hint)
            found[place] = path
        self._known = schema, found
        return found


def paths_of(places: Mapping[int, str]) -> list[str]:
    """The paths in a file, each once."""
    return list(dict.fromkeys(places.values()))


def _held(schema: pa.Schema, column: ScanColumn) -> tuple[str, pa.DataType] | None:
    """The path and type that a file's schema has for a column; None where it has none."""
    path: list[str] = []
    within: Any = schema
    for name in column.path:
        place = _place(within, name)
        if place is None:
            return None
        held = within.field(place)
        path.append(held.name)
        within = held.type
    return ".".join(path), within


def _place(within: Any, name: str) -> int | None:
    """Where a schema or record has a name: exactly it, or in another case."""
    if not isinstance(within, pa.Schema) and not pa.types.is_struct(within):
        return None
    names = list(within.names) if isinstance(within, pa.Schema) else [within.field(i).name for i in range(within.num_fields)]
    if name in names:
        return names.index(name)
    return next((i for i, each in enumerate(names) if each.lower() == name.lower()), None)


def _named(within: Any, name: str) -> int:
    place = _place(within, name)
    assert place is not None
    return place


def _whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
