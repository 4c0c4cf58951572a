"""Of values of fixed width those for which a mask is true."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from streamsql.kernels.jit import Bools, jit, read_only, writable

Words = npt.NDArray[np.unsignedinteger[Any]]


@jit(
    (read_only(types.uint64), read_only(types.boolean), writable(types.uint64)),
    (read_only(types.uint32), read_only(types.boolean), writable(types.uint32)),
)
def keep(values: Words, mask: Bools, kept: Words) -> None:
    """Fill in the values that are kept, and one more, which means nothing: so that there is no branch for each value."""
    count = 0
    for i in range(len(values)):
        kept[count] = values[i]
        count += int(mask[i])
