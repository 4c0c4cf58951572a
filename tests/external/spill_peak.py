"""Runs a query in a process of its own: python -m tests.external.spill_peak FOLDER MEMORY SQL.

The table t is over the Parquet files in FOLDER/b/t.  Operators may keep MEMORY bytes, and as many are read ahead.  It prints the
number of rows, the bytes that went to disk, and the most memory that the process had.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streamsql.external.scan import scan
from streamsql.run.operators import spill
from streamsql.sql.parser import parse
from tests.external.lake import Lake


def main(folder: str, memory: int, query: str) -> None:
    spill.MEMORY, spill.BLOCK, scan.WAITING = memory, memory // 256, memory
    lake = Lake(Path(folder))
    lake.run("CREATE EXTERNAL TABLE t (k bigint, s string, d double) STORED AS PARQUET LOCATION 's3://b/t/'")
    running = lake.engine.table_query(lake.engine.plan_of(parse(query)[0]), lake.engine.catalog, query)
    rows = sum(batch.num_rows for batch in running.rows.batches(lambda: None))
    spilled = sum(vertex.operator.spilled for vertex in running.built.vertices)
    print(rows, spilled, most_memory())


def most_memory() -> int:
    """Of this program alone: what `getrusage` says counts the process that it was started from, too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
