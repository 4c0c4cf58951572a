"""The order of rows by keys: stable, NULLs where the keys have them."""

from __future__ import annotations

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
