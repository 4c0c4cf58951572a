"""Lists as sets, parts of lists, lists of lists."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

from streamsql.errors import ProgrammingError
from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows
from streamsql.types import Kind, SqlType


def _alike(types: Sequence[SqlType]) -> SqlType:
    first, second = types
    if first.fields[0].type.arrow() != second.fields[0].type.arrow():
        raise ProgrammingError(f"lists of different elements: {first} and {second}")
    return first


def _inner(types: Sequence[SqlType]) -> SqlType:
    inner = types[0].fields[0].type
    if inner.kind is not Kind.ARRAY:
        raise ProgrammingError(f"FLATTEN takes a list of lists, and this is {types[0]}")
    return inner


@scalar("ARRAY_UNION(a: ARRAY, b: ARRAY)", returns=_alike)
def array_union(rows: Rows, a: Datum, b: Datum) -> Datum:
    """The different elements of two lists.

    >>> ARRAY_JOIN(ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3]), ' ')
    1 2 3
    """
    return map_rows(rows, lambda x, y: _different([*x, *y]), [a, b], a.type)


@scalar("ARRAY_INTERSECT(a: ARRAY, b: ARRAY)", returns=_alike)
def array_intersect(rows: Rows, a: Datum, b: Datum) -> Datum:
    """The different elements that both lists have.

    >>> ARRAY_JOIN(ARRAY_INTERSECT(ARRAY[1, 2, 2], ARRAY[2, 3]), ' ')
    2
    """
    return map_rows(rows, lambda x, y: _different([v for v in x if v in y]), [a, b], a.type)


@scalar("ARRAY_EXCEPT(a: ARRAY, b: ARRAY)", returns=_alike)
def array_except(rows: Rows, a: Datum, b: Datum) -> Datum:
    """The different elements of a list that another does not have.

    >>> ARRAY_JOIN(ARRAY_EXCEPT(ARRAY[1, 2], ARRAY[2, 3]), ' ')
    1
    """
    return map_rows(rows, lambda x, y: _different([v for v in x if v not in y]), [a, b], a.type)


@scalar("ARRAYS_OVERLAP(a: ARRAY, b: ARRAY) -> BOOLEAN")
def arrays_overlap(rows: Rows, a: Datum, b: Datum) -> Datum:
    """Whether two lists have an element in common; NULL where only a NULL may be one.

    >>> ARRAYS_OVERLAP(ARRAY[1, 2], ARRAY[2, 3])
    TRUE
    """

    def overlap(x: list[Any], y: list[Any]) -> bool | None:
        if any(value in y for value in x if value is not None):
            return True
        return None if (None in x and y) or (None in y and x) else False

    return map_rows(rows, overlap, [a, b], pa.bool_())


@scalar("ARRAY_REMOVE(a: ARRAY, x: ANY) -> a")
def array_remove(rows: Rows, a: Datum, x: Datum) -> Datum:
    """A list without an element.

    >>> ARRAY_JOIN(ARRAY_REMOVE(ARRAY[1, 2, 1], 1), ' ')
    2
    """
    return map_rows(rows, lambda values, gone: [value for value in values if value is None or value != gone], [a, x], a.type)


@scalar("SLICE(a: ARRAY, start: INTEGRAL, length: INTEGRAL) -> a", fails=True)
def slice_(rows: Rows, a: Datum, start: Datum, length: Datum) -> Datum:
    """So many elements of a list from a place on, which counts from the end where it is below zero.

    >>> ARRAY_JOIN(SLICE(ARRAY[1, 2, 3, 4], 2, 2), ' ')
    2 3
    >>> ARRAY_JOIN(SLICE(ARRAY[1, 2, 3, 4], -2, 5), ' ')
    3 4
    """

    def part(values: list[Any], first: int | Decimal, count: int | Decimal) -> list[Any]:
        if first == 0 or count < 0:
            raise ValueError("places in a list count from 1, and a length is not below zero")
        place = int(first) - 1 if first > 0 else len(values) + int(first)
        return values[place : place + int(count)] if 0 <= place < len(values) else []

    return map_rows(rows, part, [a, start, length], a.type, ErrorName.ARGUMENT)


@scalar("FLATTEN(a: ARRAY)", returns=_inner)
def flatten(rows: Rows, a: Datum) -> Datum:
    """The elements of the lists of a list as one list.

    >>> ARRAY_JOIN(FLATTEN(ARRAY[ARRAY[1, 2], ARRAY[3]]), ' ')
    1 2 3
    """
    return map_rows(rows, lambda lists: [value for each in lists for value in each or ()], [a], a.type.value_type)


def _different(values: list[Any]) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found
