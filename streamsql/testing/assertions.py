"""What a test says of the rows of a stream, held against those that came."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from streamsql.bind.insert import bind_insert
from streamsql.bind.query import QueryBinder
from streamsql.catalog import Catalog, Stream
from streamsql.engine.engine import Engine
from streamsql.engine.execution import fields_of
from streamsql.errors import DataError, ProgrammingError, Span
from streamsql.io.texts import value_texts
from streamsql.run.graph import Vertex
from streamsql.statements.streaming import CreateStream, Insert
from streamsql.types import Batch, Field, Schema

TOLERANCE = 1e-9
"""Approximate numbers are the same when they differ by no more than this share."""


class AssertionFailed(DataError):
    """A test expected something else."""


class Recorder:
    """The rows that a stream has given, and how many of them were asserted."""

    def __init__(self, hub: Vertex) -> None:
        self.hub = hub
        self._batches: list[Batch] = []
        self._asserted = 0
        hub.outlets.append(self)

    def write(self, batch: Batch) -> None:
        self._batches.append(batch)

    def end(self) -> None:
        pass

    def rest(self, schema: Schema) -> pa.Table:
        """The rows that were not asserted yet."""
        return pa.Table.from_batches(self._batches, schema.arrow()).slice(self._asserted)

    def take(self, count: int) -> None:
        """So many of them are asserted now."""
        self._asserted += count


def assert_values(engine: Engine, statement: Insert, recorder: Recorder) -> None:
    """The next rows of a stream have these values, in the columns that are named."""
    span = statement.target.span
    stream = engine.catalog.find_stream(statement.target.name, span)
    expected = _expected(engine, statement, stream)
    fields = _compared(statement, stream)
    came = recorder.rest(stream.schema)
    wanted_rows = list(zip(*(_values(expected, field) for field in fields), strict=True))
    given = came.slice(0, expected.num_rows)
    given_rows = list(zip(*(_values(given, field) for field in fields), strict=True))
    if len(given_rows) != len(wanted_rows) or not all(map(_same_row, wanted_rows, given_rows)):
        text = f"{stream.name} gave other rows (- expected, + came)\n"
        raise AssertionFailed(text + _difference(fields, expected, came.slice(0, expected.num_rows + 3)), span)
    recorder.take(expected.num_rows)


def assert_nothing(stream: Stream, recorder: Recorder, span: Span | None) -> None:
    """No row has come behind those that were asserted."""
    rest = recorder.rest(stream.schema)
    if rest.num_rows:
        fields = (*stream.schema.visible,)
        count = f"{rest.num_rows:,} more row{'s' * (rest.num_rows != 1)}"
        text = f"{stream.name} gave {count}\n" + _difference(fields, rest.slice(0, 0), rest.slice(0, 5))
        raise AssertionFailed(text, span)


def assert_columns(stream: Stream, statement: CreateStream) -> None:
    """A stream has exactly these columns."""

    def listed(fields: Sequence[Field]) -> list[str]:
        return [f"{field.name} {field.type}{'' if field.nullable else ' NOT NULL'}" for field in fields]

    expected, there = listed(fields_of(statement.columns)), listed(stream.schema.visible)
    if expected != there:
        lines = "\n".join(_marked(expected, there))
        raise AssertionFailed(f"{stream.name} has other columns (- expected, + there)\n{lines}", statement.name.span)


def _expected(engine: Engine, statement: Insert, stream: Stream) -> pa.Table:
    """The rows of an assertion, converted to the stream's types; all columns that it does not name are NULL."""
    nullable = [replace(field, nullable=True) for field in stream.schema.visible]
    open_stream = replace(stream, schema=Schema.stream(nullable), read_only=False)
    catalog = Catalog({**engine.catalog.relations, stream.name: open_stream}, engine.catalog.pumps)
    plan = bind_insert(QueryBinder(catalog), statement)
    rows = engine.run_table(plan, catalog)
    batches: list[Batch] = []
    while (batch := rows.take_whole()) is not None:
        batches.append(batch)
    if not batches:
        raise ProgrammingError("ASSERT VALUES needs rows that can be converted to the columns", statement.target.span)
    return pa.Table.from_batches(batches)


def _compared(statement: Insert, stream: Stream) -> tuple[Field, ...]:
    if statement.columns is None:
        return stream.schema.visible
    named = [column.name for column in statement.columns]
    known = {field.name: field for field in stream.schema.fields}
    return tuple(known[name] for name in named)


def _values(rows: pa.Table, field: Field) -> list[Any]:
    column = rows.column(rows.schema.get_field_index(field.name))
    values: list[Any] = column.to_pylist()
    return values


def _same_row(expected: Sequence[Any], came: Sequence[Any]) -> bool:
    return all(map(_same, expected, came))


def _same(expected: Any, came: Any) -> bool:
    if isinstance(expected, float) and isinstance(came, float):
        return math.isclose(expected, came, rel_tol=TOLERANCE) or (math.isnan(expected) and math.isnan(came))
    return bool(expected == came)


def _difference(fields: Sequence[Field], expected: pa.Table, came: pa.Table) -> str:
    """Both sets of rows as texts, each line with what it is: expected, came, or both."""
    texts = [_texts(rows, fields) for rows in (expected, came)]
    widths = [max(map(len, [field.name, *texts[0][i], *texts[1][i]])) for i, field in enumerate(fields)]
    expected_lines, came_lines = ([_aligned(row, widths) for row in zip(*side, strict=True)] for side in texts)
    title = _aligned([field.name for field in fields], widths)
    return "\n".join([f"    {title}", *_marked(expected_lines, came_lines)])


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip()


def _texts(rows: pa.Table, fields: Sequence[Field]) -> list[list[str]]:
    texts = []
    for field in fields:
        column = rows.column(rows.schema.get_field_index(field.name)).combine_chunks()
        column = column.chunk(0) if isinstance(column, pa.ChunkedArray) and column.num_chunks else column
        values = value_texts(column, field.type).to_pylist() if len(column) else []
        texts.append(["NULL" if value is None else value for value in values])
    return texts


def _marked(expected: Sequence[str], came: Sequence[str]) -> list[str]:
    lines = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, expected, came, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [f"    {line}" for line in expected[a:b]]
        else:
            lines += [f"  - {line}" for line in expected[a:b]] + [f"  + {line}" for line in came[c:d]]
    return lines
