"""The one way Python becomes machine code here: compiled when imported, for signatures that are written down.

A kernel is a function decorated with `jit`; Python calls it. What only kernels call is decorated with
`inlined` and stays an ordinary Python function, so that `kernel.py_func` is the whole computation in plain
Python: the tests compare the two.

Always true: kernels release the GIL, divide as numpy does (by zero gives inf or NaN, never an exception) and keep the
order of floating-point operations as written, so every machine gives the same numbers.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import register_jitable

Function = TypeVar("Function", bound=Callable[..., object])

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
UInt32s = npt.NDArray[np.uint32]
UInt64s = npt.NDArray[np.uint64]


def read_only(dtype: Any, dimensions: int = 1) -> Any:
    """The type of a C-contiguous input array. Arrow's memory is read-only; a writable array fits it too."""
    return types.Array(dtype, dimensions, "C", readonly=True)


def writable(dtype: Any, dimensions: int = 1) -> Any:
    """The type of a C-contiguous array that the kernel changes: state and results."""
    return types.Array(dtype, dimensions, "C")


def named(of: type[tuple[Any, ...]], *fields: Any) -> Any:
    """The type of a NamedTuple whose fields have these types: many arrays as one argument."""
    make: Any = types.NamedTuple
    return make(fields, of)


def jit(*signatures: Any) -> Callable[[Function], Function]:
    """Compiles a kernel for `signatures`, and for nothing else: other argument types raise TypeError.

    The machine code is kept in numba's cache: `__pycache__` beside the source or the user's cache folder. Where
    neither can be written it is compiled anew in every process.
    """

    def decorate(function: Function) -> Function:
        kernel: Any
        try:
            kernel = numba.njit(nogil=True, error_model="numpy", cache=True)(function)
        except RuntimeError:  # numba found no folder to write to
            kernel = numba.njit(nogil=True, error_model="numpy")(function)
        else:
            # numba recompiles when the kernel's own file changes, but not when a file of what it calls does.
            kernel._cache._cache_file._source_stamp = _family_stamp(Path(function.__code__.co_filename))
        for signature in signatures:
            kernel.compile(signature)
        kernel.disable_compile()
        compiled: Function = kernel
        return compiled

    return decorate


def inlined(function: Function) -> Function:
    """A part of kernels: plain Python to Python, and code inside the loop of the kernel that calls it.

    It may make and return no arrays: it is compiled without reference counting, which in inner loops costs more than the
    work. It may be called from its own family only, the modules whose names begin with the same word.
    """
    part: Function = register_jitable(forceinline=True, error_model="numpy", _nrt=False)(function)
    return part


def _family_stamp(source: Path) -> str:
    """A digest of this module and of every file of the family: `forest_score.py` belongs to `forest*.py`."""
    family = source.stem.split("_")[0]
    digest = sha256(Path(__file__).read_bytes())
    for path in sorted(source.parent.glob(f"{family}*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
