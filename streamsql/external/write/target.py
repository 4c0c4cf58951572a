"""What a sink is told: which columns go into files, which are the partition keys, where files are and how they are written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from streamsql.external.table import ExternalTable
from streamsql.external.write.forms import FileForm, form_of
from streamsql.external.write.limits import Limits, limits_of
from streamsql.external.write.places import Place, places_of
from streamsql.time import Time
from streamsql.types import Field


@dataclass(frozen=True, slots=True)
class Target:
    """Files below some place.

    Rows have the fields of `schema`; those at `written` go into files, those at `keys` make the partition.  `file_name` makes
    the name of a file, without its ending, from the number of its first row and its own number, both from 0 on.
    """

    schema: tuple[Field, ...]
    written: tuple[int, ...]
    keys: tuple[int, ...]
    place: Place
    form: FileForm
    limits: Limits
    file_name: Callable[[int, int], str]


def target_of(table: ExternalTable, name: str, now: Callable[[], Time]) -> Target:
    """A table as a target.  `name` begins the names of its new files, so it is another one for each who writes.

    Raises the errors of `form_of`, `limits_of` and `places_of`.
    """
    schema = table.schema.fields
    data = len(table.columns)
    return Target(
        schema,
        tuple(range(data)),
        tuple(range(data, len(schema))),
        places_of(table, now),
        form_of(table),
        limits_of(table.properties, table.full_name),
        lambda row, _number: f"{name}_{row:012d}",
    )
