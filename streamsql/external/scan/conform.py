"""What a file holds of a column, as values of the column's declared type.

A file may hold a narrower number than the table declares, a time of another unit, fewer or more fields of a record, in any
order: columns and fields are found by name, in any case, and those that are missing are NULL.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from streamsql.io.tables import table_column
from streamsql.types import APPROXIMATE, Family, Field, Kind, SqlType


def readable(held: pa.DataType, wanted: SqlType) -> bool:
    """Whether values that a file holds may become values of a type; single values may still not fit."""
    if pa.types.is_dictionary(held):
        held = held.value_type
    if pa.types.is_null(held):
        return True
    if wanted.kind is Kind.ROW:
        return pa.types.is_struct(held) and all(
            inner is None or readable(held.field(inner).type, field.type)
            for field, inner in zip(wanted.fields, _places(held, wanted), strict=True)
        )
    if wanted.kind is Kind.ARRAY:
        return _is_list(held) and readable(held.value_type, wanted.fields[0].type)
    if wanted.kind is Kind.MAP:
        return (
            pa.types.is_map(held)
            and readable(held.key_type, wanted.fields[0].type)
            and readable(held.item_type, wanted.fields[1].type)
        )
    return any(test(held) for test in _HELD[wanted.family])


def conformed(array: pa.Array, wanted: SqlType) -> pa.Array | None:
    """The values of a file as those of a type, which they are readable as; None where some do not fit."""
    if array.type == wanted.arrow() and wanted.length is None:
        return array
    if pa.types.is_dictionary(array.type) and wanted.is_character:
        entries = conformed(array.dictionary, wanted)
        return None if entries is None else pa.DictionaryArray.from_arrays(array.indices, entries)
    if pa.types.is_null(array.type):
        return pa.nulls(len(array), wanted.arrow())
    if pa.types.is_floating(array.type) and wanted.kind in APPROXIMATE:
        return array.cast(wanted.arrow(), safe=False)  # NaN and the infinities among them
    if wanted.is_nested:
        return _NESTED[wanted.kind](array, wanted)
    return table_column(array, Field("", wanted))


def _record(array: pa.Array, wanted: SqlType) -> pa.Array | None:
    fields: list[pa.Array] = []
    for field, place in zip(wanted.fields, _places(array.type, wanted), strict=True):
        held = pa.nulls(len(array)) if place is None else array.field(place)
        made = conformed(held, field.type)
        if made is None:
            return None
        fields.append(made)
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(fields, fields=list(wanted.arrow()), mask=mask)


def _list(array: pa.Array, wanted: SqlType) -> pa.Array | None:
    array = array.cast(pa.list_(array.type.value_type))
    values = conformed(array.values, wanted.fields[0].type)
    return None if values is None else pa.ListArray.from_arrays(_offsets(array), values, type=wanted.arrow())


def _map(array: pa.Array, wanted: SqlType) -> pa.Array | None:
    keys, items = conformed(array.keys, wanted.fields[0].type), conformed(array.items, wanted.fields[1].type)
    if keys is None or items is None:
        return None
    return pa.MapArray.from_arrays(_offsets(array), keys, items, wanted.arrow())


def _offsets(array: pa.Array) -> pa.Array:
    """Where each list begins, and the last one ends; NULL where the list is."""
    if not array.null_count:
        return array.offsets
    null = np.append(array.is_null().to_numpy(zero_copy_only=False), False)
    return pa.array(array.offsets.to_numpy(), pa.int32(), mask=null)


_NESTED: dict[Kind, Callable[[pa.Array, SqlType], pa.Array | None]] = {
    Kind.ROW: _record,
    Kind.ARRAY: _list,
    Kind.MAP: _map,
}


def _places(held: pa.StructType, wanted: SqlType) -> list[int | None]:
    """Where a file's record has each field."""
    names = {held.field(i).name.lower(): i for i in reversed(range(held.num_fields))}
    return [names.get(field.name.lower()) for field in wanted.fields]


def _is_list(held: pa.DataType) -> bool:
    return bool(pa.types.is_list(held) or pa.types.is_large_list(held) or pa.types.is_fixed_size_list(held))


def _is_number(held: pa.DataType) -> bool:
    return bool(pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held))


def _is_text(held: pa.DataType) -> bool:
    return bool(pa.types.is_string(held) or pa.types.is_large_string(held) or pa.types.is_string_view(held))


def _is_bytes(held: pa.DataType) -> bool:
    views = pa.types.is_binary_view(held) or pa.types.is_large_binary(held)
    return bool(pa.types.is_binary(held) or pa.types.is_fixed_size_binary(held) or views)


_HELD: dict[Family, tuple[Callable[[pa.DataType], bool], ...]] = {
    Family.BOOLEAN: (pa.types.is_boolean,),
    Family.NUMERIC: (_is_number,),
    Family.CHARACTER: (_is_text, _is_bytes),
    Family.BINARY: (_is_bytes, _is_text),
    Family.DATE: (pa.types.is_date, pa.types.is_timestamp),
    Family.TIME: (pa.types.is_time,),
    Family.TIMESTAMP: (pa.types.is_timestamp, pa.types.is_date),
}
"""What a file may hold for a column of each family."""
