"""The order of ORDER BY: stable, NULLs last ascending and first descending."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def sorted_indices(keys: Sequence[pa.Array], descending: Sequence[bool]) -> npt.NDArray[np.intp]:
    """The rows of some key columns in order, the first key leading; equal rows keep their order."""
    return np.lexsort([ranks(key, down) for key, down in zip(keys, descending, strict=True)][::-1])


def ranks(key: pa.Array, descending: bool) -> npt.NDArray[np.int64]:
    """Whole numbers in the key's order.  NULL ranks above every value, so that turning the order round puts it first."""
    ranked: npt.NDArray[np.int64] = pc.rank(key, "ascending", tiebreaker="dense").to_numpy(zero_copy_only=False).astype(np.int64)
    return -ranked if descending else ranked
