"""Rows from results to files, and from files into streams and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow as pa

from streamsql.catalog import Relation, Stream, Table, a_kind_of
from streamsql.display.names import spelled
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.io.open import discover, open_sink, open_source
from streamsql.io.source import Source
from streamsql.operator import FailedRow
from streamsql.types import ROWTIME, Batch, Schema

if TYPE_CHECKING:
    from streamsql.repl.access import Access, Outcome

POLL_ROWS = 65_536

USAGE = "\\copy NAME TO FILE, \\copy (QUERY) TO FILE, \\copy STREAM FROM FILE"

_COPY = re.compile(r"(?P<what>\(.*\)|\S+)\s+(?P<way>to|from)\s+(?P<file>\S.*)", re.IGNORECASE | re.DOTALL)


def copied(access: Access, argument: str) -> str:
    """Do what stands behind `\\copy`; gives what to tell the user."""
    match = _COPY.fullmatch(argument)
    if match is None:
        raise ProgrammingError("what is to be copied, and where to?", hint=USAGE)
    what, file = match["what"], match["file"].strip("'")
    if match["way"].lower() == "from":
        return _inserted(access, what, file)
    if what.startswith("("):
        query = what[1:-1]
    else:
        relation = _relation(access, what)
        query = f"SELECT {'STREAM ' if isinstance(relation, Stream) else ''}* FROM {spelled(relation.name)}"
    return written(access.execute(query, {}), file)


def written(outcome: Outcome, file: str) -> str:
    """Put the rows of a query into a file, in the format of its ending; Ctrl-C ends a query that has no end."""
    if outcome.schema is None:
        raise ProgrammingError("this statement gives no rows")
    schema = Schema(outcome.schema.visible)
    sink = open_sink(file, schema)
    rows, note = 0, ""
    try:
        for batch in outcome.batches:
            sink.write(batch)
            sink.commit(sink.prepare())
            rows += batch.num_rows
    except KeyboardInterrupt:
        note = "; stopped"
    finally:
        outcome.close()
        sink.close()
    return f"{_rows(rows)} to {file}{note}"


def imported(access: Access, file: str, name: str) -> str:
    """Rows of a file: into a stream of this name, or as a table of it where there is nothing yet."""
    relation = access.catalog.relation(name) or access.catalog.relation(name.upper())
    if isinstance(relation, Stream):
        return _inserted(access, name, file)
    if relation is not None and not isinstance(relation, Table):
        raise ProgrammingError(f"{relation.name} is {a_kind_of(relation)}")
    failed: list[FailedRow] = []
    source = open_source(file)
    table = pa.Table.from_batches(list(_rows_of(source, failed)), source.schema.arrow())
    access.register(name.strip('"'), table)
    return f"{_rows(table.num_rows)} as table {name}{_failures(failed)}"


def _inserted(access: Access, name: str, file: str) -> str:
    stream = _relation(access, name)
    if not isinstance(stream, Stream):
        raise ProgrammingError(f"{stream.name} is {a_kind_of(stream)}: rows can only go into a stream")
    failed: list[FailedRow] = []
    rows = 0
    source = open_source(file, stream.schema)
    names = [spelled(field.name) if field.name != ROWTIME else ROWTIME for field in source.schema.fields]
    places = ", ".join("?" * len(names))
    insert = f"INSERT INTO {spelled(stream.name)} ({', '.join(names)}) VALUES ({places})"
    for batch in _rows_of(source, failed):
        if not rows and all(column.null_count == batch.num_rows for column in batch.columns):
            _check_columns(file, stream)
        access.insert(insert, pa.Table.from_batches([batch]))
        rows += batch.num_rows
    return f"{_rows(rows)} into {stream.name}{_failures(failed)}"


def _check_columns(file: str, stream: Stream) -> None:
    """Refuse a file none of whose columns is one of the stream's, when all that was read of it is NULL."""
    found = [field.name for field in discover(file).fields]
    if not {field.name for field in stream.schema.visible} & set(found):
        raise ProgrammingError(f"no column of {file} is one of {stream.name}: it has {', '.join(found)}")


def _rows_of(source: Source, failed: list[FailedRow]) -> Iterator[Batch]:
    """The rows of a source up to its end; records that do not fit are put into `failed`."""
    if not source.bounded:
        source.close()
        hint = "streamsql --input STREAM=URI reads it as it grows"
        raise OperationalError("an input without an end cannot be copied", hint=hint)
    try:
        ended = False
        while not ended:
            polled = source.poll(POLL_ROWS)
            if polled.rows is not None and polled.rows.num_rows:
                yield polled.rows
            if polled.failed is not None:
                failed.extend(polled.failed.rows)
            ended = polled.ended
    finally:
        source.close()


def _relation(access: Access, name: str) -> Relation:
    quoted = len(name) > 1 and name[0] == name[-1] == '"'
    wanted = name[1:-1].replace('""', '"') if quoted else name
    found = access.catalog.relation(wanted) or (None if quoted else access.catalog.relation(wanted.upper()))
    if found is None:
        raise ProgrammingError(f"no stream, table or view {name}", hint=".import FILE NAME makes a table of a file")
    return found


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _failures(failed: list[FailedRow]) -> str:
    if not failed:
        return ""
    first = failed[0]
    text = first.data.decode("utf-8", "replace")
    return f"; {len(failed):,} could not be read, the first: {first.failure.name}: {first.failure.message}: {text}"
