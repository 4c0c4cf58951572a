"""Functions of lists and maps, which external tables and ARRAY_AGG have; positions count from 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from streamsql.coercion import common_type
from streamsql.errors import ProgrammingError
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import BIGINT, Kind, SqlType, array, map_of, varchar

LONGEST = 1_000_000
"""No list that SEQUENCE makes has more elements."""


def _element(types: Sequence[SqlType]) -> SqlType:
    return types[0].fields[0].type


def _list_of(types: Sequence[SqlType]) -> SqlType:
    common = common_type(types)
    if common is None:
        raise ProgrammingError(f"the elements of ARRAY have no common type: {', '.join(dict.fromkeys(map(str, types)))}")
    return array(varchar(1) if common.kind is Kind.NULL else common)


def _arrow(datum: Datum) -> pa.DataType:
    """The type of the elements of a list, or of the values of a map."""
    return datum.type.item_type if pa.types.is_map(datum.type) else datum.type.value_type


@scalar("ARRAY(x...: T)", returns=_list_of, strict=False)
def array_(rows: Rows, *elements: Datum) -> Datum:
    """A list of values, written ARRAY[x, y].

    >>> CARDINALITY(ARRAY[1, 2, 3])
    3
    """
    if all(isinstance(element, pa.Scalar) for element in elements):
        return pa.scalar([element.as_py() for element in elements], pa.list_(elements[0].type))
    columns = [rows.column(element) for element in elements]
    lengths = pa.array(range(0, rows.count * len(columns) + 1, len(columns)), pa.int32())
    order = [i + rows.count * place for i in range(rows.count) for place in range(len(columns))]
    return pa.ListArray.from_arrays(lengths, pa.concat_arrays(columns).take(pa.array(order, pa.int64())))


@scalar("SUBSCRIPT(a: ARRAY, i: INTEGRAL)", returns=_element, fails=True)
def subscript(rows: Rows, a: Datum, i: Datum) -> Datum:
    """The element of a list at a place, written a[i].  A place that the list does not have is an error.

    >>> ARRAY['a', 'b'][2]
    b
    >>> ARRAY['a', 'b'][3]
    error: the list has 2 elements, none at 3
    """

    def at(values: list[Any], given: int | Decimal) -> Any:
        place = int(given)
        if not 1 <= place <= len(values):
            raise ValueError(f"the list has {len(values)} elements, none at {place}")
        return values[place - 1]

    return map_rows(rows, at, [a, i], _arrow(a), ErrorName.ARGUMENT)


@scalar("SUBSCRIPT(m: MAP, key: ANY)", returns=lambda types: types[0].fields[1].type, fails=True)
def map_subscript(rows: Rows, m: Datum, key: Datum) -> Datum:
    """The value of a key of a map, written m[key].  A key that the map does not have is an error.

    >>> MAP(ARRAY['a', 'b'], ARRAY[1, 2])['b']
    2
    >>> MAP(ARRAY['a'], ARRAY[1])['c']
    error: the map has no key c
    """

    def at(pairs: list[tuple[Any, Any]], key: Any) -> Any:
        found = [value for name, value in pairs if name == key]
        if not found:
            raise ValueError(f"the map has no key {key}")
        return found[-1]

    return map_rows(rows, at, [m, key], _arrow(m), ErrorName.ARGUMENT)


@scalar("ELEMENT_AT(a: ARRAY, i: INTEGRAL)", returns=_element, fails=True)
def element_at(rows: Rows, a: Datum, i: Datum) -> Datum:
    """The element of a list at a place, from its end where that is below zero; NULL where the list has none there.

    >>> ELEMENT_AT(ARRAY['a', 'b'], -1)
    b
    >>> ELEMENT_AT(ARRAY['a', 'b'], 3)
    NULL
    """

    def at(values: list[Any], given: int | Decimal) -> Any:
        place = int(given)
        if place == 0:
            raise ValueError("places in a list count from 1")
        return values[place - (place > 0)] if abs(place) <= len(values) else None

    return map_rows(rows, at, [a, i], _arrow(a), ErrorName.ARGUMENT)


@scalar("ELEMENT_AT(m: MAP, key: ANY)", returns=lambda types: types[0].fields[1].type)
def map_element_at(rows: Rows, m: Datum, key: Datum) -> Datum:
    """The value of a key of a map; NULL where the map does not have it.

    >>> ELEMENT_AT(MAP(ARRAY['a'], ARRAY[1]), 'c')
    NULL
    """

    def at(pairs: list[tuple[Any, Any]], key: Any) -> Any:
        return dict(pairs).get(key)

    return map_rows(rows, at, [m, key], _arrow(m))


@scalar("CARDINALITY(a: ARRAY) -> BIGINT", duckdb="len({a})")
@scalar("CARDINALITY(a: MAP) -> BIGINT")
def cardinality(_rows: Rows, a: Datum) -> Datum:
    """How many elements a list has, or keys a map.

    >>> CARDINALITY(ARRAY['a', 'b'])
    2
    """
    if pa.types.is_map(a.type):
        counts = pa.scalar(None if not a.is_valid else len(a.as_py())) if isinstance(a, pa.Scalar) else _map_lengths(a)
        return pc.cast(counts, pa.int64())
    return pc.cast(pc.list_value_length(a), BIGINT.arrow())


def _map_lengths(maps: pa.MapArray) -> pa.Array:
    return pc.if_else(maps.is_valid(), pc.subtract(maps.offsets[1:], maps.offsets[:-1]), pa.scalar(None, pa.int32()))


def _of_list(name: str, result: str, function: Callable[[list[Any]], Any], example: str) -> None:
    """Enter a function of one list; `result`: "a" (a list alike) or "element"."""

    def returns(types: Sequence[SqlType]) -> SqlType:
        if _element(types).is_nested:
            raise ProgrammingError(f"{name} compares the elements, and these are {_element(types)}")
        return types[0] if result == "a" else _element(types)

    def implementation(rows: Rows, a: Datum) -> Datum:
        return map_rows(rows, function, [a], a.type if result == "a" else _arrow(a))

    implementation.__doc__ = example
    scalar(f"{name}(a: ARRAY)", returns=returns)(implementation)


def _known(values: list[Any]) -> list[Any]:
    return [value for value in values if value is not None]


_of_list(
    "ARRAY_DISTINCT",
    "a",
    lambda values: list(dict.fromkeys(values)),
    """The different elements of a list, in the order in which they come first.

    >>> ARRAY_JOIN(ARRAY_DISTINCT(ARRAY[2, 1, 2]), ' ')
    2 1
    """,
)
_of_list(
    "ARRAY_SORT",
    "a",
    lambda values: [*sorted(_known(values)), *(value for value in values if value is None)],
    """The elements of a list in their order, NULLs last.

    >>> ARRAY_JOIN(ARRAY_SORT(ARRAY[3, 1, 2]), ' ')
    1 2 3
    """,
)
_of_list(
    "ARRAY_MAX",
    "element",
    lambda values: None if None in values else max(values, default=None),
    """The greatest element of a list; NULL where one is NULL.

    >>> ARRAY_MAX(ARRAY[3, 1, 2])
    3
    """,
)
_of_list(
    "ARRAY_MIN",
    "element",
    lambda values: None if None in values else min(values, default=None),
    """The least element of a list; NULL where one is NULL.

    >>> ARRAY_MIN(ARRAY[3, 1, 2])
    1
    """,
)


@scalar("CONTAINS(a: ARRAY, x: ANY) -> BOOLEAN")
def contains(rows: Rows, a: Datum, x: Datum) -> Datum:
    """Whether a list has an element.

    >>> CONTAINS(ARRAY['a', 'b'], 'b')
    TRUE
    """
    return map_rows(rows, lambda values, value: value in values or (None if None in values else False), [a, x], pa.bool_())


@scalar("ARRAY_POSITION(a: ARRAY, x: ANY) -> BIGINT")
def array_position(rows: Rows, a: Datum, x: Datum) -> Datum:
    """The place of the first such element of a list; 0 where there is none.

    >>> ARRAY_POSITION(ARRAY['a', 'b'], 'b')
    2
    """
    return map_rows(rows, lambda values, value: values.index(value) + 1 if value in values else 0, [a, x], pa.int64())


@scalar("ARRAY_JOIN(a: ARRAY, separator: CHARACTER, of_null?: CHARACTER) -> VARCHAR")
def array_join(rows: Rows, a: Datum, separator: Datum, *of_null: Datum) -> Datum:
    """The elements of a list as one text, with a separator between them; NULLs are left out or written as `of_null`.

    >>> ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-')
    a-b
    >>> ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-', '?')
    a-?-b
    """

    def join(values: list[Any], between: str, *other: str) -> str:
        written = [other[0] if value is None and other else value for value in values]
        return between.join(_written(value) for value in written if value is not None)

    return map_rows(rows, join, [a, separator, *of_null], pa.string())


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@scalar("SEQUENCE(start: INTEGRAL, stop: INTEGRAL, step?: INTEGRAL)", returns=lambda _: array(BIGINT), fails=True)
def sequence(rows: Rows, start: Datum, stop: Datum, *step: Datum) -> Datum:
    """The whole numbers from one to another as a list.

    >>> ARRAY_JOIN(SEQUENCE(1, 4), ' ')
    1 2 3 4
    >>> ARRAY_JOIN(SEQUENCE(5, 1, -2), ' ')
    5 3 1
    """

    def numbers(*given: int | Decimal) -> list[int]:
        first, last, *by = map(int, given)
        each = by[0] if by else 1 if last >= first else -1
        if each == 0 or (last - first) * each < 0:
            raise ValueError(f"no steps of {each} lead from {first} to {last}")
        if (last - first) // each >= LONGEST:
            raise ValueError(f"a list has {LONGEST} elements at most")
        return list(range(first, last + (1 if each > 0 else -1), each))

    return map_rows(rows, numbers, [start, stop, *step], pa.list_(pa.int64()), ErrorName.ARGUMENT)


@scalar("MAP(keys: ARRAY, values: ARRAY)", returns=lambda types: map_of(_element(types[:1]), _element(types[1:])), fails=True)
def map_(rows: Rows, keys: Datum, values: Datum) -> Datum:
    """A map of a list of keys and a list of their values.

    >>> CARDINALITY(MAP(ARRAY['a', 'b'], ARRAY[1, 2]))
    2
    """

    def pairs(names: list[Any], given: list[Any]) -> list[tuple[Any, Any]]:
        if len(names) != len(given):
            raise ValueError(f"{len(names)} keys for {len(given)} values")
        if None in names or any(name in names[:i] for i, name in enumerate(names)):
            raise ValueError("the keys of a map are different, and not NULL")
        return list(zip(names, given, strict=True))

    return map_rows(rows, pairs, [keys, values], pa.map_(_arrow(keys), _arrow(values)), ErrorName.ARGUMENT)


@scalar("MAP_KEYS(m: MAP)", returns=lambda types: array(types[0].fields[0].type))
def map_keys(rows: Rows, m: Datum) -> Datum:
    """The keys of a map as a list.

    >>> ARRAY_JOIN(MAP_KEYS(MAP(ARRAY['a', 'b'], ARRAY[1, 2])), ' ')
    a b
    """
    return map_rows(rows, lambda pairs: [key for key, _ in pairs], [m], pa.list_(m.type.key_type))


@scalar("MAP_VALUES(m: MAP)", returns=lambda types: array(types[0].fields[1].type))
def map_values(rows: Rows, m: Datum) -> Datum:
    """The values of a map as a list.

    >>> ARRAY_JOIN(MAP_VALUES(MAP(ARRAY['a', 'b'], ARRAY[1, 2])), ' ')
    1 2
    """
    return map_rows(rows, lambda pairs: [value for _, value in pairs], [m], pa.list_(m.type.item_type))
