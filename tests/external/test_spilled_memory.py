"""How much memory a process takes at most does not grow with the data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MEMORY = 16 << 20
ROWS = 500_000

QUERIES = {
    "groups": "SELECT k, COUNT(DISTINCT s), STDDEV(d) FROM t GROUP BY k",
    "sort": "SELECT * FROM t ORDER BY d",
    "join": "SELECT a.k, b.d FROM t AS a JOIN t AS b ON a.k = b.k",
    "windows": "SELECT k, RANK() OVER (PARTITION BY k ORDER BY d), SUM(d) OVER (PARTITION BY k, s) FROM t",
    "distinct": "SELECT DISTINCT k, s FROM t",
}


class Run(NamedTuple):
    rows: int
    spilled: int
    peak: int


def table_of(folder: Path, parts: int) -> Path:
    random = np.random.default_rng(1)
    (folder / "b/t").mkdir(parents=True)
    for part in range(parts):
        k = random.permutation(parts * ROWS)[:ROWS]
        columns = {"k": k, "s": [f"customer number {n:012d}" for n in k.tolist()], "d": random.random(ROWS)}
        pq.write_table(pa.table(columns), folder / f"b/t/{part}.parquet", row_group_size=100_000)
    return folder


def run(folder: Path, memory: int, query: str) -> Run:
    command = [sys.executable, "-m", "tests.external.spill_peak", str(folder), str(memory), query]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return Run(*map(int, done.stdout.split()))


@pytest.mark.slow
def test_the_most_memory(tmp_path: Path) -> None:
    small, large = table_of(tmp_path / "small", 2), table_of(tmp_path / "large", 8)
    for query in QUERIES.values():
        of_small, of_large, in_memory = run(small, MEMORY, query), run(large, MEMORY, query), run(large, 1 << 40, query)
        print(f"{query}: {of_small.peak:,} and {of_large.peak:,} bytes at most, {in_memory.peak:,} without a limit")
        assert of_large.rows == in_memory.rows
        assert of_large.spilled > 2 * MEMORY
        assert in_memory.spilled == 0
        assert of_large.peak < of_small.peak + 4 * MEMORY
        assert in_memory.peak > of_large.peak + 8 * MEMORY
