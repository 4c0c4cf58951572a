"""When compiled kernels pay: plain numpy does the work of a short job faster than the compiler loads.

What has a form in numpy and one as a kernel, which agree to the last bit, asks here before each batch.
"""

from __future__ import annotations

import sys

LOADING = 500_000_000
"""What loading the compiler and some kernels costs, in nanoseconds of CPU time."""

LOADING_MORE = 50_000_000
"""The same where some kernels are loaded already."""

_lost = 0


def pays(rows: int, nanoseconds: int) -> bool:
    """Whether to use a kernel for a batch of `rows`, where it saves so much a row.

    It is, from when as much was lost without kernels as loading them costs: so in the end no job takes more than about twice
    what it would have needed, whichever way it turned out to be the right one.
    """
    global _lost
    _lost += rows * nanoseconds
    return _lost > (LOADING_MORE if "streamsql.kernels.jit" in sys.modules else LOADING)
