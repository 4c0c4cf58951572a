"""Random numbers for forests: splitmix64, one generator per tree, its 64-bit state in an array."""

import numpy as np

from streamsql.kernels.jit import UInt64s, inlined

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


@inlined
def uniform(generator: UInt64s) -> float:
    """The next number of `generator` (one element), uniform in the open interval (0, 1), in steps of 2**-53."""
    state = generator[0] + _STEP
    generator[0] = state
    state = (state ^ (state >> np.uint64(30))) * _MIX_1
    state = (state ^ (state >> np.uint64(27))) * _MIX_2
    state = state ^ (state >> np.uint64(31))
    return (np.float64(state >> np.uint64(11)) + 0.5) * 2.0**-53
