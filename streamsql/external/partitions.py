"""The partitions of a table: one row of an Arrow table each, so that looking for some is a filter over it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from streamsql.errors import ProgrammingError, Span
from streamsql.io.columns import convert_array
from streamsql.io.texts import value_texts
from streamsql.statements.external_changes import PartitionSpec
from streamsql.types import Field

NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""How the name of a folder says NULL."""

LOCATION = "$location"
"""The column behind the keys: where the files of a partition are."""


@dataclass(frozen=True, slots=True)
class Partitions:
    """Some partitions of a table; `rows` has a column a key, of the key's type, and `LOCATION`.

    `fields` are the keys.  A value is changed by making another one of these.
    """

    fields: tuple[Field, ...]
    rows: pa.Table

    @staticmethod
    def none(fields: Sequence[Field]) -> Partitions:
        """A table without partitions."""
        return Partitions(tuple(fields), schema_of(fields).empty_table())

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def key(self, spec: PartitionSpec, table: str) -> pa.Table:
        """The values of a PARTITION clause as a row; raises ProgrammingError where they are not those of all keys."""
        given = {value.column.text.lower(): value for value in spec}
        known = [field.name.lower() for field in self.fields]
        for value in spec:
            if value.column.text.lower() not in known:
                text = f"{value.column.text} is no partition column of {table}"
                raise ProgrammingError(text, value.column.span, f"they are {', '.join(f.name for f in self.fields)}")
        columns = []
        for field in self.fields:
            if field.name.lower() not in given:
                raise ProgrammingError(f"no value for the partition column {field.name}", spec[0].column.span)
            value = given[field.name.lower()]
            columns.append(typed([value.value], field, value.column.span))
        return pa.table(columns, names=[field.name for field in self.fields])

    def where(self, key: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        """The places of the rows with the values of a key."""
        mask = np.ones(len(self), bool)
        for field in self.fields:
            value, column = key[field.name][0], self.rows[field.name]
            same = column.is_null() if not value.is_valid else pc.fill_null(pc.equal(column, value), False)
            mask &= same.combine_chunks().to_numpy(zero_copy_only=False)
        return np.flatnonzero(mask)

    def added(self, keys: pa.Table, locations: Sequence[str]) -> Partitions:
        """With more partitions."""
        more = keys.append_column(LOCATION, pa.array(locations, pa.string())).cast(self.rows.schema)
        return Partitions(self.fields, pa.concat_tables([self.rows, more]).combine_chunks())

    def without(self, places: np.ndarray[tuple[int], np.dtype[np.intp]]) -> Partitions:
        """Without those at some places."""
        mask = np.ones(len(self), bool)
        mask[places] = False
        return Partitions(self.fields, self.rows.filter(pa.array(mask)))

    def changed(self, place: int, key: pa.Table, location: str) -> Partitions:
        """With another key or location for one partition."""
        row = key.append_column(LOCATION, pa.array([location], pa.string())).cast(self.rows.schema)
        parts = [self.rows.slice(0, place), row, self.rows.slice(place + 1)]
        return Partitions(self.fields, pa.concat_tables(parts).combine_chunks())

    def names(self) -> list[str]:
        """Each as a path: `year=2024/month=05`."""
        return names_of(self.fields, self.rows)


def schema_of(fields: Iterable[Field]) -> pa.Schema:
    """The columns of a table of partitions."""
    return pa.schema([*(pa.field(f.name, f.type.arrow()) for f in fields), pa.field(LOCATION, pa.string())])


def names_of(fields: Sequence[Field], rows: pa.Table) -> list[str]:
    """The rows of a table that has a column a key, each as a path."""
    parts = []
    for field in fields:
        texts = value_texts(rows[field.name].combine_chunks(), field.type)
        parts.append(pc.binary_join_element_wise(f"{field.name}=", pc.fill_null(texts, NULL_VALUE), ""))
    return list(pc.binary_join_element_wise(*parts, "/").to_pylist()) if parts else [""] * rows.num_rows


def typed(texts: Sequence[str | None], field: Field, span: Span | None = None) -> pa.Array:
    """The texts of partition values as values of the key's type."""
    plain = pa.array([None if text == NULL_VALUE else text for text in texts], pa.string())
    values = convert_array(plain, field)
    if values is None:
        wrong = next(t for t in texts if t is not None and convert_array(pa.array([t], pa.string()), field) is None)
        raise ProgrammingError(f"{wrong!r} is no {field.type}, which the partition column {field.name} is", span)
    return values
