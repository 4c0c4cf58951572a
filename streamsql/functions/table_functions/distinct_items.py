"""How many different items there are, in bounded memory: exact, then estimated by a HyperLogLog sketch."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from math import inf, log, sqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from streamsql.keys.codings import FixedWidth
from streamsql.keys.interner import Interner
from streamsql.operator import State
from streamsql.state import Arrays
from streamsql.types import MAX_DECIMAL_PRECISION

EXACT_ITEMS = 10_000
"""So many different items are counted exactly."""

BITS = 14
"""The sketch has 2 ** BITS registers of a byte."""

STANDARD_ERROR = 1.04 / sqrt(2**BITS)
"""The relative standard error of an estimate: 0.8 %."""

Hashes = npt.NDArray[np.uint64]
Registers = npt.NDArray[np.uint8]


class DistinctItems:
    """The number of different items of one column; NULL is none, as in COUNT(DISTINCT x).

    What it gives depends on the items alone, not on their order or number.
    """

    def __init__(self, type: pa.DataType, exact: int = EXACT_ITEMS) -> None:
        self._exact = exact
        self._items = Interner([type])
        self._sketch = Arrays()
        self.clear()

    @property
    def state(self) -> Mapping[str, State]:
        return {"items": self._items, "sketch": self._sketch}

    def add(self, column: pa.Array) -> None:
        """Take these items."""
        column = column.drop_null()
        if len(self._sketch["registers"]):
            enter(self._sketch["registers"], hashes(column))
            return
        self._items.ids([column], len(column))
        if len(self._items) > self._exact:
            self._sketch["registers"] = np.zeros(2**BITS, np.uint8)
            enter(self._sketch["registers"], hashes(self._items.columns()[0]))
            self._items.clear()

    def count(self) -> int:
        """How many different items there were."""
        if not len(self._sketch["registers"]):
            return len(self._items)
        return max(self._exact + 1, round(estimate(self._sketch["registers"])))

    def clear(self) -> None:
        """Forget all items."""
        self._items.clear()
        self._sketch["registers"] = np.zeros(0, np.uint8)


def hashes(column: pa.Array) -> Hashes:
    """64 bits for each value (none NULL), the same in every process: equal values have equal ones."""
    fixed = pa.types.is_primitive(column.type)
    if fixed or (pa.types.is_decimal(column.type) and column.type.precision <= MAX_DECIMAL_PRECISION):
        return _mixed(FixedWidth(column.type, nullable=False).words(column)[0].astype(np.int64).view(np.uint64))
    values = column.unique().to_pylist()
    digests = b"".join(blake2b(v if isinstance(v, bytes) else str(v).encode(), digest_size=8).digest() for v in values)
    return np.frombuffer(digests, "<u8").astype(np.uint64)


def _mixed(words: Hashes) -> Hashes:
    """The finalizer of splitmix64: every bit of the result depends on every bit of the word, and no two words meet."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Hashes = words ^ (words >> np.uint64(31))
    return mixed


def enter(registers: Registers, hashed: Hashes) -> None:
    """Let these into the sketch: of each, the first BITS bits say which register, the zeros that follow them how high."""
    rest = hashed & np.uint64(2 ** (64 - BITS) - 1)
    length = np.frexp(rest.astype(np.float64))[1]  # of 50 bits at most, which a double holds
    np.maximum.at(registers, (hashed >> np.uint64(64 - BITS)).astype(np.intp), (64 - BITS - length + 1).astype(np.uint8))


def estimate(registers: Registers) -> float:
    """How many different values were let in: Ertl's improved estimator (arXiv:1702.01284), without bias at any number."""
    count = len(registers)
    highest = 64 - BITS + 1
    at = np.bincount(registers, minlength=highest + 1) / count
    total = _tau(1.0 - float(at[highest]))
    for value in range(highest - 1, 0, -1):
        total = 0.5 * (total + float(at[value]))
    total += _sigma(float(at[0]))
    return count / (2.0 * log(2.0) * total)


def _sigma(x: float) -> float:
    """x + the sum of x ** (2 ** k) * 2 ** (k - 1) over k from 1."""
    if x == 1.0:
        return inf
    total, last, power = x, -1.0, 1.0
    while total != last:
        x *= x
        last, total, power = total, total + x * power, power * 2.0
    return total


def _tau(x: float) -> float:
    """A third of 1 - x - the sum of (1 - x ** (2 ** -k)) ** 2 * 2 ** -k over k from 1."""
    if x in (0.0, 1.0):
        return 0.0
    total, last, power = 1.0 - x, -1.0, 1.0
    while total != last:
        x = sqrt(x)
        power *= 0.5
        last, total = total, total - (1.0 - x) ** 2 * power
    return total / 3.0
