"""MSCK REPAIR TABLE: the partitions whose folders are there and that the catalog does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import unquote

import pyarrow as pa

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.partitions import typed
from streamsql.external.scan.read_ahead import at_once
from streamsql.external.table import ExternalTable, prefix
from streamsql.io.storages.places import storage_of
from streamsql.io.storages.storage import LISTERS, Storage
from streamsql.io.uri import parse_location
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
    uri = parse_location(prefix(table.location))
    storage, root = storage_of(uri, s3_root)
    passed_over: list[str] = []

    found: list[tuple[str, list[str]]] = [("", [])]
    try:
        for field in table.key_fields:
            above, found = found, []
            below = _folders(storage, [root + folder for folder, _ in above])
            for (folder, values), names in zip(above, below, strict=True):
                for name in names:
                    key, equals, value = name.partition("=")
                    if not equals or key.lower() != field.name.lower() or not _fits(unquote(value), field):
                        passed_over.append(folder + name)
                    else:
                        found.append((f"{folder}{name}/", [*values, unquote(value)]))
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


def _folders(storage: Storage, folders: Sequence[str]) -> list[list[str]]:
    """The names of the folders in each of some folders; several distant ones are listed at once."""
    if not storage.distant:
        return [storage.folders(folder) for folder in folders]
    return list(at_once(storage.folders, folders, LISTERS))


def _rows(keys: pa.Table) -> Iterator[tuple[object, ...]]:
    return zip(*(column.to_pylist() for column in keys.columns), strict=True)


def _fits(value: str, field: Field) -> bool:
    try:
        typed([value], field)
    except ProgrammingError:
        return False
    return True
