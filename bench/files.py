"""JSON lines in, a tumbling window, JSON lines out: the whole process from a cold start, beside DuckDB's."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.measure import Measurement, process_seconds

ROWS = 500_000

APPLICATION = """
CREATE STREAM counts (device VARCHAR(16), n BIGINT, a DOUBLE);
CREATE PUMP p AS INSERT INTO counts
SELECT STREAM device, COUNT(*), AVG(v) FROM s GROUP BY device, FLOOR(s.ROWTIME TO SECOND);
"""
SCHEMA = "CREATE STREAM s (device VARCHAR(16), v DOUBLE);"

DUCKDB = """
import duckdb
duckdb.sql('''COPY (SELECT device, count(*) AS n, avg(v) AS a
FROM read_json('{source}', format='newline_delimited', columns={{device: 'VARCHAR', v: 'DOUBLE', t: 'TIMESTAMP'}})
GROUP BY device, date_trunc('second', t)) TO '{target}' (FORMAT json)''')
"""


def write_rows(path: Path) -> None:
    """Readings of 1,000 devices, 25,000 a second."""
    draw = np.random.default_rng(1)
    devices, values = draw.integers(0, 1000, ROWS), draw.random(ROWS)
    with path.open("w") as file:
        for i, (device, value) in enumerate(zip(devices.tolist(), values.tolist(), strict=True)):
            milliseconds = i // 25
            time = f"2026-01-01 00:00:{milliseconds // 1000:02d}.{milliseconds % 1000:03d}"
            file.write(f'{{"device": "device-{device}", "v": {value:.6f}, "t": "{time}"}}\n')


def measurements() -> list[Measurement]:
    """CPU and wall seconds of both processes on the same file."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        app, schema = Path(folder) / "app.sql", Path(folder) / "schema.sql"
        write_rows(source)
        app.write_text(APPLICATION)
        schema.write_text(SCHEMA)
        ours = [sys.executable, "-m", "streamsql", "run", str(app), "--input", f"S={source}?rowtime=t"]
        ours += ["--schema", f"S={schema}", "--output", f"COUNTS={target}"]
        theirs = [sys.executable, "-c", DUCKDB.format(source=source, target=target)]
        (cpu, wall), (peer_cpu, peer_wall) = process_seconds(ours, 3), process_seconds(theirs, 3)
    name = f"JSON lines to JSON lines, {ROWS:,} rows, whole process"
    return [
        Measurement(f"{name}, CPU", "s", cpu, "DuckDB", peer_cpu, less=True),
        Measurement(f"{name}, wall", "s", wall, "DuckDB", peer_wall, less=True),
    ]
