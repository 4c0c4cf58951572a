"""Records, lists and maps in JSON, as values of the types that the table declares."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from streamsql.io.conversion import Nested, Number, convert
from streamsql.io.decoding import Unfit, unfit
from streamsql.operator import FailedRow
from streamsql.types import Field, Kind, SqlType


def parsed(texts: pa.Array, field: Field) -> tuple[pa.Array, dict[int, FailedRow]]:
    """The values that texts of JSON spell, and the rows whose texts do not fit."""
    values: list[Any] = []
    failed: dict[int, FailedRow] = {}
    for row, text in enumerate(texts.to_pylist()):
        try:
            values.append(None if text is None else _value(_loaded(text), field.type))
        except (Unfit, ValueError) as problem:
            values.append(None)
            failed[row] = unfit(f"column {field.name}: {problem}", None, text.encode())
    return pa.array(values, field.type.arrow()), failed


def _loaded(text: str) -> Any:
    return json.loads(text, parse_float=Number, parse_int=Number, parse_constant=Number)


def _value(value: Any, type: SqlType) -> Any:
    if value is None:
        return None
    if type.is_nested:
        return _NESTED[type.kind](value, type)
    return convert(Nested(json.dumps(value)) if isinstance(value, (dict, list)) else value, type)


def _record(value: Any, type: SqlType) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"{json.dumps(value)} is no record")
    members = {name.lower(): member for name, member in value.items()}
    return {field.name: _value(members.get(field.name.lower()), field.type) for field in type.fields}


def _list(value: Any, type: SqlType) -> list[Any]:
    if not isinstance(value, list):
        raise Unfit(f"{json.dumps(value)} is no list")
    return [_value(element, type.fields[0].type) for element in value]


def _map(value: Any, type: SqlType) -> list[tuple[Any, Any]]:
    if not isinstance(value, dict):
        raise Unfit(f"{json.dumps(value)} is no map")
    key, item = type.fields
    return [(convert(name, key.type), _value(member, item.type)) for name, member in value.items()]


_NESTED: dict[Kind, Callable[[Any, SqlType], Any]] = {Kind.ROW: _record, Kind.ARRAY: _list, Kind.MAP: _map}
