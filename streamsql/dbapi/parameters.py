"""The values of placeholders: bound as values, one row at a time, or many rows as the columns of one Arrow table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from streamsql import types
from streamsql.bind.parameters import Parameters
from streamsql.catalog import Table
from streamsql.dbapi.relations import arrow_table, table_of
from streamsql.errors import DataError, ProgrammingError
from streamsql.statements.external_dml import CreateExternalTableAs, CreateTableAs, Unload
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import CreatePump, CreateView, Explain, Insert, Query
from streamsql.types import Field, Kind, Schema, SqlType

Key = int | str
"""What a placeholder asks for: a position, from 0, or a name."""

PARAMETER_TABLE = "?"
"""The name of the table that many rows of parameters are; no identifier of SQL is spelled so."""

EXACT_IN_DOUBLE = 2**53
"""Up to here DOUBLE holds every whole number."""

_PLAIN = (str, int, float, bool, bytes, datetime, date, time, Decimal, type(None))


def placeholders_of(statement: Statement) -> tuple[Key, ...]:
    """What the placeholders of a statement ask for, in the order of the text, each once."""
    found: dict[Key, None] = {}
    for node in _tree(statement).find_all(exp.Placeholder, bfs=False):
        found[str(node.this) if node.this else int(node.meta["index"])] = None
    keys = tuple(found)
    if len({type(key) for key in keys}) > 1:
        raise ProgrammingError("? and :name in one statement", statement.span, "use one way")
    return tuple(sorted(keys, key=lambda key: key if isinstance(key, int) else 0))


def _tree(statement: Statement) -> exp.Expression:
    match statement:
        case Query(query=query) | Insert(query=query) | CreateView(query=query) | CreatePump(insert=Insert(query=query)):
            return query
        case CreateTableAs(query=query) | CreateExternalTableAs(query=query) | Unload(query=query):
            return query
        case Explain(statement=inner):
            return _tree(inner)
        case _:
            return exp.Null()


def bound(keys: Sequence[Key], parameters: Parameters) -> Parameters:
    """The parameters of one execution, checked against what the statement asks for."""
    if isinstance(parameters, str | bytes) or not isinstance(parameters, Mapping | Sequence):
        raise ProgrammingError(f"parameters are a sequence or a mapping, not a {type(parameters).__name__}")
    named = bool(keys) and isinstance(keys[0], str)
    if isinstance(parameters, Mapping):
        if keys and not named:
            raise ProgrammingError("a mapping was given for ?", hint="name the placeholders :name, or give a sequence")
        missing = [key for key in keys if key not in parameters]
        if missing:
            raise ProgrammingError(f"no value was given for :{missing[0]}")
        return {str(key): value_of(parameters[str(key)], f":{key}") for key in keys}
    if named:
        raise ProgrammingError("a sequence was given for :name", hint="give a mapping")
    if len(parameters) != len(keys):
        wanted = "1 parameter" if len(keys) == 1 else f"{len(keys)} parameters"
        raise ProgrammingError(f"the statement takes {wanted}, and {len(parameters)} were given")
    return [value_of(value, f"parameter {i + 1}") for i, value in enumerate(parameters)]


def value_of(value: Any, what: str) -> Any:
    """A Python value as one that can be bound: numpy's scalars and what holds bytes become the plain kinds."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise DataError(f"{what}: {value} is outside the range of BIGINT", hint="a Decimal may have 18 digits")
        return value
    if isinstance(value, Decimal) and not value.is_finite():
        raise DataError(f"{what}: {value} is no DECIMAL")
    if type(value) in _PLAIN:
        return value
    kind = type(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if kind.__name__ in ("NaTType", "NAType"):
        return None
    if kind.__module__ == "numpy" and hasattr(value, "item"):
        plain = value.astype("datetime64[us]").item() if kind.__name__ == "datetime64" else value.item()
        return value_of(plain, what)
    return value


# -- many rows ---------------------------------------------------------------------------------------------------------


def table_of_rows(statement: Insert, keys: Sequence[Key], rows: Sequence[Parameters]) -> tuple[Insert, Table] | None:
    """INSERT ... VALUES with placeholders as an INSERT from one table that holds all rows; None where that would not give
    exactly what one execution a row gives."""
    values = _single_row(statement)
    columns = _columns(keys, rows)
    if values is None or columns is None:
        return None
    alone = {_key(node) for node in values if isinstance(node, exp.Placeholder)}
    mixed = {_key(node) for value in values if not isinstance(value, exp.Placeholder) for node in value.find_all(exp.Placeholder)}
    fields: list[Field] = []
    arrays: list[pa.Array] = []
    nulls: set[Key] = set()
    for key, column in zip(keys, columns, strict=True):
        if all(value is None for value in column):
            nulls.add(key)
            continue
        typed = _typed(column, alone=key in alone - mixed)
        if typed is None:
            return None
        fields.append(Field(str(key), typed[0]))
        arrays.append(typed[1])
    schema = Schema(tuple(fields))
    if not fields:
        return None
    table = Table(PARAMETER_TABLE, schema, pa.Table.from_arrays(arrays, schema=schema.arrow()))
    return _reading(statement, values, nulls), table


def table_of_data(statement: Insert, keys: Sequence[Key], data: Any) -> tuple[Insert, Table]:
    """The same for a table of another library: its columns are the parameters, by position or by name."""
    source = arrow_table(data)
    values = _single_row(statement)
    if values is None or not keys:
        raise ProgrammingError("a table can be the parameters of INSERT INTO stream VALUES (?, ...) only", statement.span)
    if isinstance(keys[0], str):
        missing = [key for key in keys if key not in source.column_names]
        if missing:
            raise ProgrammingError(f"the table has no column for :{missing[0]}")
        source = source.select([str(key) for key in keys])
    elif len(keys) != source.num_columns:
        raise ProgrammingError(f"the statement takes {len(keys)} parameters, and the table has {source.num_columns} columns")
    else:
        source = source.rename_columns([str(key) for key in keys])
    return _reading(statement, values, set()), table_of(PARAMETER_TABLE, source)


def _single_row(statement: Insert) -> list[exp.Expression] | None:
    """The values of an INSERT of one row of VALUES."""
    query = statement.query
    if type(query) is not exp.Values or len(query.expressions) != 1:
        return None
    if any(query.args.get(clause) for clause in ("order", "limit", "offset", "with_", "alias")):
        return None
    return list(query.expressions[0].expressions)


def _reading(statement: Insert, values: Sequence[exp.Expression], nulls: set[Key]) -> Insert:
    """The INSERT with a query that reads the columns of the table of parameters."""

    def replaced(node: exp.Expression) -> exp.Expression:
        if not isinstance(node, exp.Placeholder):
            return node
        key = _key(node)
        if key in nulls:
            return exp.Null()
        column = exp.Column(this=exp.Identifier(this=str(key), quoted=True))
        column.meta["span"] = node.meta.get("span")
        return column

    table = exp.Table(this=exp.Identifier(this=PARAMETER_TABLE, quoted=True))
    select = exp.Select(expressions=[value.transform(replaced) for value in values], from_=exp.From(this=table))
    select.meta["span"] = statement.query.meta.get("span")
    return replace(statement, query=select)


def _key(node: exp.Placeholder) -> Key:
    return str(node.this) if node.this else int(node.meta["index"])


def _columns(keys: Sequence[Key], rows: Sequence[Parameters]) -> list[Sequence[Any]] | None:
    """The values of each placeholder; None where a row does not have exactly those that are asked for."""
    if not keys:
        return None
    if isinstance(keys[0], str):
        try:
            return [[row[key] for row in cast(Sequence[dict[Key, Any]], rows)] for key in keys]
        except (KeyError, TypeError, IndexError):
            return None
    if not set(map(type, rows)) <= {tuple, list} and any(isinstance(row, str | bytes | Mapping) for row in rows):
        return None
    try:
        columns = list(zip(*rows, strict=True))
    except (TypeError, ValueError):
        return None
    return columns if len(columns) == len(keys) else None  # type: ignore[return-value]


def _typed(column: Sequence[Any], alone: bool) -> tuple[SqlType, pa.Array] | None:
    """A column of Python values as an array, with the type that each of them has as a parameter.

    `alone` says that the value goes into its column as it is; otherwise its exact type may show in what is computed.
    """
    kinds = set(map(type, column)) - {type(None)}
    if kinds == {int, float} and alone:
        return _floats(column)
    if len(kinds) != 1:
        return None
    kind = kinds.pop()
    try:
        if kind is int:
            return _integers(column, alone)
        if kind is Decimal:
            return _decimals(column) if alone else None
        if kind is str:
            texts = pa.array(column, pa.string())
            return types.varchar(max(1, pc.max(pc.utf8_length(texts)).as_py())), texts
        if kind is bytes:
            data = pa.array(column, pa.binary())
            return SqlType(Kind.VARBINARY, length=max(1, pc.max(pc.binary_length(data)).as_py())), data
        if kind is time:
            return types.TIME, pa.array(column, pa.time64("us")).cast(pa.time32("ms"), safe=False)
        if kind in _SIMPLE:
            type_ = _SIMPLE[kind]
            return type_, pa.array(column, type_.arrow())
    except (pa.ArrowException, OverflowError, ValueError, UnicodeError):
        pass
    return None


_SIMPLE = {bool: types.BOOLEAN, float: types.DOUBLE, datetime: types.TIMESTAMP, date: types.DATE}


def _floats(column: Sequence[Any]) -> tuple[SqlType, pa.Array] | None:
    if any(type(value) is int and abs(value) > EXACT_IN_DOUBLE for value in column):
        return None
    return types.DOUBLE, pa.array(column, pa.float64())


def _integers(column: Sequence[Any], alone: bool) -> tuple[SqlType, pa.Array] | None:
    array = pa.array(column, pa.int64())
    small = pc.and_(pc.greater_equal(array, -(2**31)), pc.less(array, 2**31))
    if pc.all(small).as_py():
        return types.INTEGER, array.cast(pa.int32())
    return (types.BIGINT, array) if alone or not pc.any(small).as_py() else None


def _decimals(column: Sequence[Any]) -> tuple[SqlType, pa.Array] | None:
    scale = whole = 0
    for value in column:
        if value is not None:
            if not value.is_finite():
                return None
            exponent = int(value.as_tuple().exponent)
            scale = max(scale, -exponent)
            whole = max(whole, len(value.as_tuple().digits) + exponent)
    type_ = types.decimal(max(whole + scale, 1), scale)
    return None if type_.precision > 38 else (type_, pa.array(column, type_.arrow()))
