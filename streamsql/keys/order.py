"""The order of rows by keys: stable, NULLs where the keys have them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


class Direction(NamedTuple):
    """How a key of ORDER BY sorts."""

    descending: bool
    nulls_first: bool


def sorted_indices(keys: Sequence[pa.Array], directions: Sequence[Direction]) -> npt.NDArray[np.intp]:
    """The rows of some key columns in order, the first key leading; equal rows keep their order."""
    return np.lexsort([ranks(key, direction) for key, direction in zip(keys, directions, strict=True)][::-1])


def ranks(key: pa.Array, direction: Direction) -> npt.NDArray[np.int64]:
    """Whole numbers in the key's order.  NULL ranks above every value, so that turning the order round puts it first."""
    ranked: npt.NDArray[np.int64] = pc.rank(key, "ascending", tiebreaker="dense").to_numpy(zero_copy_only=False).astype(np.int64)
    ranked = -ranked if direction.descending else ranked
    if key.null_count and direction.nulls_first != direction.descending:
        null = key.is_null().to_numpy(zero_copy_only=False)
        ranked[null] = ranked.min() - 1 if direction.nulls_first else ranked.max() + 1
    return ranked


def not_after(key: pa.Array, last: pa.Scalar, direction: Direction) -> npt.NDArray[np.bool_]:
    """Which values of a key do not come behind a value of it."""
    if not last.is_valid:
        found = np.full(len(key), not direction.nulls_first)
    elif pa.types.is_floating(key.type):
        found = _numbers_not_after(key, last, direction.descending)
    else:
        found = _mask(pc.greater_equal(key, last) if direction.descending else pc.less_equal(key, last))
    if key.null_count:
        found[key.is_null().to_numpy(zero_copy_only=False)] = direction.nulls_first or not last.is_valid
    return found


def _numbers_not_after(key: pa.Array, last: pa.Scalar, descending: bool) -> npt.NDArray[np.bool_]:
    """The same of numbers among which may be NaN, the greatest."""
    if math.isnan(last.as_py()):
        return _mask(pc.is_nan(key)) if descending else np.ones(len(key), bool)
    if not descending:
        return _mask(pc.less_equal(key, last))
    return ~_mask(pc.less(key, last))


def _mask(column: pa.Array) -> npt.NDArray[np.bool_]:
    """A boolean column; what stands in NULL's place is undefined."""
    column = column if not column.null_count else column.fill_null(False)
    mask: npt.NDArray[np.bool_] = column.to_numpy(zero_copy_only=False)
    return mask
