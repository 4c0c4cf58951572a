"""Arrow arrays of fixed width as numpy arrays, and back, without a Python object per value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Values = npt.NDArray[Any]

_STORAGE: dict[pa.DataType, np.dtype[Any]] = {
    pa.int8(): np.dtype(np.int8),
    pa.int16(): np.dtype(np.int16),
    pa.int32(): np.dtype(np.int32),
    pa.int64(): np.dtype(np.int64),
    pa.float32(): np.dtype(np.float32),
    pa.float64(): np.dtype(np.float64),
    pa.date32(): np.dtype(np.int32),
    pa.time32("ms"): np.dtype(np.int32),
    pa.timestamp("ms"): np.dtype(np.int64),
    pa.duration("ms"): np.dtype(np.int64),
}


def numbers(array: pa.Array) -> Values:
    """The values of a numeric or time array as it stores them; what stands in NULL's place is undefined."""
    dtype = _STORAGE[array.type]
    buffer = array.buffers()[1]
    if buffer is None:
        return np.zeros(len(array), dtype)
    return np.frombuffer(buffer, dtype, len(array), array.offset * dtype.itemsize)


def number(scalar: pa.Scalar) -> Any:
    """The value of a numeric or time scalar that is not NULL as numpy's scalar of the type that stores it."""
    is_time = isinstance(scalar, (pa.TimestampScalar, pa.DurationScalar, pa.Date32Scalar, pa.Time32Scalar))
    return _STORAGE[scalar.type].type(scalar.value if is_time else scalar.as_py())


def nulls(array: pa.Array) -> npt.NDArray[np.bool_] | None:
    """Where an array is NULL; None when it is nowhere."""
    if array.null_count == 0:
        return None
    mask: npt.NDArray[np.bool_] = array.is_null().to_numpy(zero_copy_only=False)
    return mask


def from_numbers(values: Values, type: pa.DataType, null: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """An array of a numeric or time type from values as it stores them, NULL where `null` is true."""
    values = np.ascontiguousarray(values, _STORAGE[type])
    return pa.Array.from_buffers(type, len(values), [_validity(null), pa.py_buffer(values)])


def map_values(function: Callable[..., Values], type: pa.DataType, *arguments: Any) -> Any:
    """Apply a function of numpy arrays to datums of fixed width.

    A NULL argument gives NULL; as undefined values stand in its place, `function` must bear any value (numpy's warnings are
    off).  Scalars reach it as numpy scalars; when all are, the result is a scalar.
    """
    for argument in arguments:
        if isinstance(argument, pa.Scalar) and not argument.is_valid:
            length = next((len(a) for a in arguments if not isinstance(a, pa.Scalar)), None)
            return pa.scalar(None, type) if length is None else pa.nulls(length, type)
    if all(isinstance(argument, pa.Scalar) for argument in arguments):
        return map_values(function, type, *(pa.repeat(argument, 1) for argument in arguments))[0]
    null = None
    values = []
    for argument in arguments:
        if isinstance(argument, pa.Scalar):
            values.append(number(argument))
            continue
        values.append(numbers(argument))
        mask = nulls(argument)
        if mask is not None:
            null = mask if null is None else null | mask
    with np.errstate(all="ignore"):
        result = function(*values)
    return from_numbers(result, type, null)


def unscaled(array: pa.Array) -> Values:
    """The digits of a decimal128 array as whole numbers: int64 up to 18 digits, Python's beyond."""
    if not len(array):
        return np.zeros(0, np.int64)
    words = np.frombuffer(array.buffers()[1], np.int64, 2 * len(array), array.offset * 16).reshape(-1, 2)
    low = words[:, 0]
    if array.type.precision <= 18:
        return low
    digits: Values = words[:, 1].astype(object) * 2**64 + low.astype(np.uint64).astype(object)
    return digits


def from_unscaled(values: Values, type: pa.DataType, null: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """A decimal128 array from its digits as whole numbers, of 64 bits or Python's."""
    if values.dtype == object:
        low, high = (values & (2**64 - 1)).astype(np.uint64).view(np.int64), (values >> 64).astype(np.int64)
    else:
        low, high = values.astype(np.int64, copy=False), values.astype(np.int64, copy=False) >> 63
    words = np.ascontiguousarray(np.stack([low, high], axis=1))
    return pa.Array.from_buffers(type, len(values), [_validity(null), pa.py_buffer(words)])


def _validity(null: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if null is None else pa.py_buffer(np.packbits(~null, bitorder="little"))


def coded(column: pa.DictionaryArray) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """The entries of a dictionary, NULL the last of them where it is needed, and which of them each row has."""
    entries, indices = column.dictionary, column.indices
    if indices.null_count:
        indices = indices.fill_null(len(entries))
        entries = pa.concat_arrays([entries, pa.nulls(1, entries.type)])
    return entries, indices.to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
