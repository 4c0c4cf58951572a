"""The decorator of kernels: what it compiles, and when it compiles anew."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import types

from streamsql.kernels.jit import inlined, jit, read_only, writable


@inlined
def _half(x: float) -> float:
    return x / 2


@jit(types.void(read_only(types.float64), writable(types.float64)))
def _halve(numbers: np.ndarray, halves: np.ndarray) -> None:
    for i in range(len(numbers)):
        halves[i] = _half(numbers[i])


def test_a_kernel_reads_read_only_arrays_and_gives_what_its_python_gives():
    numbers = np.array([1.0, 3.0])
    numbers.flags.writeable = False
    halves = np.zeros((2, 2))
    _halve(numbers, halves[0])
    _halve.py_func(numbers, halves[1])
    assert halves.tolist() == [[0.5, 1.5]] * 2


@pytest.mark.parametrize("numbers", [np.zeros(2, np.float32), np.zeros(4)[::2], np.zeros((1, 2))])
def test_a_kernel_takes_only_the_types_that_are_written_down(numbers):
    with pytest.raises(TypeError):
        _halve(numbers, np.zeros(2))


def test_a_part_of_kernels_is_plain_python():
    assert _half(5) == 2.5


def run(folder: Path, **environment: str) -> str:
    program = "import fast_kernel; print(fast_kernel.twice(21.0), sum(fast_kernel.twice.stats.cache_hits.values()))"
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=variables, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_the_cache_knows_the_files_that_a_kernel_calls(tmp_path):
    part = "from streamsql.kernels.jit import inlined\n@inlined\ndef times_two(x):\n    return x * {}\n"
    (tmp_path / "fast_part.py").write_text(part.format(2))
    (tmp_path / "fast_kernel.py").write_text(
        "from numba import types\nfrom fast_part import times_two\nfrom streamsql.kernels.jit import jit\n"
        "@jit(types.float64(types.float64))\ndef twice(x):\n    return times_two(x)\n"
    )
    assert run(tmp_path) == "42.0 0"
    assert run(tmp_path) == "42.0 1"
    (tmp_path / "fast_part.py").write_text(part.format(3))
    assert run(tmp_path) == "63.0 0"


def test_a_kernel_compiles_where_nothing_can_be_cached(tmp_path):
    (tmp_path / "fast_kernel.py").write_text(
        "from numba import types\nfrom streamsql.kernels.jit import jit\n"
        "@jit(types.float64(types.float64))\ndef twice(x):\n    return x * 2\n"
    )
    assert run(tmp_path, NUMBA_CACHE_LOCATOR_CLASSES="IPythonCacheLocator") == "42.0 0"
