"""An aggregate call at work, as the operators of GROUP BY and WINDOWED BY STAGGER keep it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from streamsql.functions.registry import Accumulator
from streamsql.rows import Evaluate


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One aggregate call: its arguments and its running values."""

    arguments: tuple[Evaluate, ...]
    types: tuple[pa.DataType, ...]
    accumulator: Accumulator
