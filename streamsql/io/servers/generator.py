"""SERVER GENERATOR: rows out of nothing, the same ones every time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from streamsql.datetime_text import parse_iso_timestamp
from streamsql.errors import OperationalError
from streamsql.io.generated import Column, column_of
from streamsql.io.generator import GeneratorSource, Pace
from streamsql.io.servers.server import Declaration, OptionError, server, with_options
from streamsql.io.source import Source
from streamsql.io.uri import Uri, parse_duration
from streamsql.time import Clock
from streamsql.types import Field, Schema

OPTIONS = {
    "rows": "how many rows there are; without it they never end",
    "rows_per_second": "how many come in a second (10); 0: as many as can be processed",
    "seed": "what the random values are drawn from (1)",
    "start": "the ROWTIME of the first row: a replay; without it ROWTIME is the time at which a row comes",
    "every": "with start: how far apart the ROWTIMEs of two rows are (such as 20ms)",
}


def open_generator(uri: Uri, schema: Schema, clock: Clock) -> Source:
    """The source of a `generator://` URI."""
    options = dict(uri.own)
    try:
        columns = json.loads(options.pop("columns", "{}"))
        unknown = next((name for name in options if name not in OPTIONS), None)
        if unknown is not None:
            raise OptionError(unknown, f"the options are {', '.join(OPTIONS)}")
        generation = _generation(options, columns, schema.visible)
    except ValueError as error:
        if not isinstance(error, OptionError):
            error = OptionError("columns", "it is a JSON object")
        raise OperationalError(f"option {error.option!r} in {uri.text!r}: {error}") from None
    return GeneratorSource(Schema(schema.visible), generation.columns, generation.pace, clock)


@server("GENERATOR", OPTIONS, reads=True, columns=True, source=open_generator)
def generator(declared: Declaration) -> str:
    """Rows out of nothing, the same ones every time: for demonstrations and tests.  Columns' names are options, too."""
    _generation(declared.options, declared.of_columns, declared.columns)
    columns = {"columns": json.dumps(declared.of_columns)} if declared.of_columns else {}
    return with_options(f"generator://{quote(declared.stream)}", {**declared.options, **columns})


@dataclass(frozen=True, slots=True)
class _Generation:
    columns: tuple[Column, ...]
    pace: Pace


def _generation(options: Mapping[str, str], given: Mapping[str, str], columns: Sequence[Field]) -> _Generation:
    """What is generated, and how fast.  Raises OptionError."""
    seed = options.get("seed", "1")
    made: list[Column] = []
    for field in columns:
        try:
            made.append(column_of(field, given.get(field.name), seed))
        except ValueError as error:
            raise OptionError(field.name, f"column {field.name}: {error}") from None
    rate = _number(options, "rows_per_second", 10.0)
    start = _start(options)
    every = _every(options, rate)
    if "every" in options and start is None:
        raise OptionError("every", "every goes with start: it is the time between two ROWTIMEs")
    rows = int(_number(options, "rows", -1.0))
    return _Generation(tuple(made), Pace(None if rows < 0 else rows, rate, start, every))


def _number(options: Mapping[str, str], name: str, default: float) -> float:
    text = options.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e15 or (name == "rows" and number % 1):
        raise OptionError(name, f"{name} is a {'whole ' * (name == 'rows')}number from 0 on, not {text!r}")
    return number


def _start(options: Mapping[str, str]) -> int | None:
    text = options.get("start")
    if text is None:
        return None
    try:
        return parse_iso_timestamp(text)
    except ValueError:
        raise OptionError("start", f"start is a time such as 2026-01-01 00:00:00, not {text!r}") from None


def _every(options: Mapping[str, str], rate: float) -> int:
    text = options.get("every")
    if text is None:
        return max(1, round(1000 / rate)) if rate else 1
    try:
        return parse_duration(text)
    except OperationalError as error:
        raise OptionError("every", error.message) from None
