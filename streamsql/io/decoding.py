"""What every decoder shares: the columns it fills, the names of their members, rows collected one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from streamsql.io.blocks import Decoded
from streamsql.operator import FailedRow
from streamsql.rows import ErrorName, Failure
from streamsql.time import Time
from streamsql.types import Field, Kind, Schema

BOM = b"\xef\xbb\xbf"
"""The byte order mark that some programs put in front of UTF-8."""

RENAMED = "COL_"
"""What discovery puts in front of a member's name that is no name of SQL."""

LONGEST_NAME = 100
"""Characters that a discovered name may have."""

_ILLEGAL = re.compile(r"\W")


@dataclass(frozen=True)
class Target:
    """What records become: the declared columns and, in a replay, ROWTIME from the member `rowtime`."""

    fields: tuple[Field, ...]
    rowtime: str | None = None
    members: tuple[str, ...] | None = None
    """The member that feeds each column, by its exact name; None: the names of the columns decide (`Names`)."""
    schema: Schema = field(init=False)
    """The columns of the batches."""

    def __post_init__(self) -> None:
        schema = Schema(self.fields) if self.rowtime is None else Schema.stream(self.fields)
        object.__setattr__(self, "schema", schema)

    @property
    def rowtime_index(self) -> int | None:
        """Which declared column gives ROWTIME, if one of them does: `rowtime` names it, or its member."""
        if self.rowtime is None:
            return None
        names = [field.name for field in self.fields]
        if self.members is not None:
            return next((known.index(self.rowtime) for known in (names, self.members) if self.rowtime in known), None)
        candidates = (self.rowtime, self.rowtime.upper(), renamed(self.rowtime))
        return next((names.index(name) for name in candidates if name in names), None)


class Names:
    """Which column a member of a record feeds.

    A member feeds the column of exactly its name, or else the column whose name is its name in upper case: `ticker` and
    `TICKER` both feed the column of an unquoted declaration; or else the column to which discovery would rename it
    (`USER@DOMAIN` feeds `COL_USERDOMAIN`).  When a record has several members for one column, the exact name counts before
    all others, and the last one before those in front of it.  A name of ASCII letters is only reached by ASCII letters (in
    Unicode, other letters have them as their upper case too).  Where the target says which member feeds a column, only the
    exact name counts.
    """

    def __init__(self, target: Target) -> None:
        names = target.members or [field.name for field in target.fields]
        self.exact = {name: index for index, name in enumerate(names)}
        self.folded = {} if target.members is not None else dict(self.exact)
        if target.rowtime is not None and target.rowtime_index is None:
            self.exact.setdefault(target.rowtime, len(target.fields))
            if target.members is None:
                self.folded.setdefault(target.rowtime.upper(), len(target.fields))
        self.has_renamed = target.members is None and any(name.startswith(RENAMED) for name in self.exact)

    def column(self, member: str) -> tuple[int, bool] | None:
        """The column that a member feeds and whether by its exact name; an undeclared ROWTIME comes after the columns."""
        if member in self.exact:
            return self.exact[member], True
        name = member.upper()
        if name in self.folded and member.isascii() == name.isascii():
            return self.folded[name], False
        index = self.exact.get(renamed(member)) if self.has_renamed else None
        return None if index is None else (index, False)


def renamed(member: str) -> str:
    """The name that discovery gives a member whose own is no name of SQL: without illegal characters, `0` if that is all."""
    return (RENAMED + (_ILLEGAL.sub("", member) or "0"))[:LONGEST_NAME]


class Decoder(Protocol):
    """Turns blocks of a text format into rows.  One decoder reads one file from any record on."""

    target: Target

    def read_header(self, data: bytes, complete: bool) -> int | None:
        """Take what stands in front of the first record of a file, and give its length; None when more data is needed."""
        ...

    def cut(self, data: bytes, complete: bool) -> int:
        """The length of the whole records at the beginning of `data`.

        `complete` says that no more data follows, which makes whatever stands at the end a record.
        """
        ...

    def decode(self, block: bytes) -> Decoded:
        """Decode whole records."""
        ...


class Unfit(ValueError):
    """A value or record that does not fit; the text is the MESSAGE of the failure."""


def unfit(message: str, rowtime: Time | None, record: bytes) -> FailedRow:
    """The failure of a record."""
    return FailedRow(Failure(ErrorName.COERCION, message), rowtime, record)


class RowBuilder:
    """Collects rows one by one, for the exact path of a decoder."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._values: list[list[Any]] = [[] for _ in target.schema.fields]
        self._failed: list[tuple[int, FailedRow]] = []
        self._count = 0

    def add(self, row: Iterable[Any]) -> None:
        """Take the values of a row, ROWTIME first in a replay."""
        for column, value in zip(self._values, row, strict=True):
            column.append(value)
        self._count += 1

    def fail(self, row: FailedRow) -> None:
        """Take a record that failed."""
        self._failed.append((self._count, row))
        self._count += 1

    def finish(self) -> Decoded:
        """All that was added."""
        schema = self._target.schema
        arrays = [_array(values, field) for values, field in zip(self._values, schema.fields, strict=True)]
        return Decoded(pa.RecordBatch.from_arrays(arrays, schema=schema.arrow()), tuple(self._failed))


def _array(values: list[Any], field: Field) -> pa.Array:
    if field.type.kind in (Kind.DATE, Kind.TIME, Kind.TIMESTAMP):
        storage = pa.int32() if field.type.kind is not Kind.TIMESTAMP else pa.int64()
        return pa.array(values, storage).view(field.type.arrow())
    return pa.array(values, field.type.arrow())
