"""The real `streamsql` command, as a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "streamsql"]

SCHEMA = 'CREATE STREAM s ("name" VARCHAR(8), "amount" INTEGER);\n'

TUMBLING = """
CREATE OR REPLACE STREAM "COUNTS" ("name" VARCHAR(8), "n" BIGINT, "total" BIGINT, "window_end" TIMESTAMP);
CREATE OR REPLACE PUMP "COUNT_PUMP" AS INSERT INTO "COUNTS"
SELECT STREAM "name", COUNT(*), SUM("amount"), ROWTIME FROM "IN"
GROUP BY "name", FLOOR("IN".ROWTIME TO SECOND);
"""


def streamsql(*arguments: str, stdin: str | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], input=stdin, capture_output=True, text=True, cwd=cwd, timeout=120)


def write_readings(path: Path, count: int, step_milliseconds: int = 7) -> None:
    """Readings in time order as JSON lines: name, value, time."""
    time = datetime(2026, 1, 1)
    with path.open("w") as file:
        for i in range(count):
            reading = {"name": f"n{i * i % 5}", "amount": i % 13, "time": time.isoformat(" ", "milliseconds")}
            file.write(json.dumps(reading) + "\n")
            time += timedelta(milliseconds=step_milliseconds)


def lines(text: str) -> list[Mapping[str, Any]]:
    """JSON lines as values."""
    return [json.loads(line) for line in text.splitlines()]


def arguments(folder: Path, *more: str) -> Sequence[str]:
    """The arguments that run the tumbling application of a folder on its readings."""
    given = ["run", str(folder / "app.sql"), "--input", f"IN={folder / 'in.jsonl'}?rowtime=time"]
    return [*given, "--schema", f"IN={folder / 'schema.sql'}", *more]


def write_application(folder: Path, sql: str = TUMBLING, count: int = 1000) -> None:
    """An application, its schema and its readings."""
    (folder / "app.sql").write_text(sql)
    (folder / "schema.sql").write_text(SCHEMA)
    write_readings(folder / "in.jsonl", count)
