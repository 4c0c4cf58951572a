"""MSCK REPAIR TABLE: the partitions whose folders are there and that the catalog does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pyarrow as pa

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.partitions import typed
from streamsql.external.table import ExternalTable, prefix
from streamsql.io.storage import storage_of
from streamsql.io.uri import parse_uri
from streamsql.types import Field


@dataclass(frozen=True, slots=True)
class Repair:
    """The table with the partitions found, their paths below its location, and the folders that are none."""

    table: ExternalTable
    added: tuple[str, ...]
    passed_over: tuple[str, ...]


def repair(table: ExternalTable, s3_root: str | None) -> Repair:
    """Look for folders `key=value` below a table's location, a level for each key.

    Keys match in any case.  A folder whose value is none of its key's type is passed over.  Nothing is taken away.
    """
    uri = parse_uri(prefix(table.location))
    storage, root = storage_of(uri, s3_root)
    passed_over: list[str] = []

    def level(folder: str, keys: Sequence[Field]) -> Iterator[tuple[str, list[str]]]:
        if not keys:
            yield folder, []
            return
        for name in storage.folders(root + folder):
            key, equals, value = name.partition("=")
            if not equals or key.lower() != keys[0].name.lower() or not _fits(unquote(value), keys[0]):
                passed_over.append(folder + name)
                continue
            for below, values in level(f"{folder}{name}/", keys[1:]):
                yield below, [unquote(value), *values]

    try:
        found = list(level("", table.key_fields))
    except OSError as error:
        raise OperationalError(f"cannot list {table.location!r}: {error}") from error
    columns = zip(*(values for _, values in found), strict=True) if found else [[] for _ in table.keys]
    texts = [typed(list(column), field) for column, field in zip(columns, table.key_fields, strict=True)]
    keys = pa.table(texts, names=[field.name for field in table.key_fields])
    known = set(_rows(table.partitions.rows.select(keys.column_names)))
    new = [place for place, row in enumerate(_rows(keys)) if row not in known]
    locations = [f"{prefix(table.location)}{found[place][0]}" for place in new]
    partitions = table.partitions.added(keys.take(new), locations) if new else table.partitions
    added = tuple(found[place][0].rstrip("/") for place in new)
    return Repair(replace(table, partitions=partitions), added, tuple(passed_over))


def _rows(keys: pa.Table) -> Iterator[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in keys.columns), strict=True)


def _fits(value: str, field: Field) -> bool:
    try:
        typed([value], field)
    except ProgrammingError:
        return False
    return True
