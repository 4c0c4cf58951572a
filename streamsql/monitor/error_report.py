"""The rows of `error_stream` on stderr, where no output takes them: the first in full, then their number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamsql.monitor.log import Log
from streamsql.types import Batch

ERRORS_SHOWN = 10
"""Rows of `error_stream` that are shown in full where nothing else takes them."""


class ErrorReport:
    """Counts the rows of `error_stream`, and shows them where no output takes them."""

    def __init__(self, log: Log) -> None:
        self.count = 0
        self.mapped = False
        self._log = log

    def write(self, batch: Batch) -> None:
        if not self.mapped:
            for row in batch.slice(0, max(0, ERRORS_SHOWN - self.count)).to_pylist():
                self._show(row)
        self.count += batch.num_rows

    def end(self) -> None:
        pass

    def close(self) -> None:
        """Say how many more there were."""
        if not self.mapped and self.count > ERRORS_SHOWN:
            more = self.count - ERRORS_SHOWN
            self._log.lost(f"{more:,} more rows in error_stream", count=more)

    def _show(self, row: Mapping[str, Any]) -> None:
        name = None if row["PUMP_NAME"] == "null" else row["PUMP_NAME"]
        pump = "" if name is None else f" in pump {name}"
        try:
            data = bytes.fromhex(row["DATA_ROW"]).decode("utf-8", "replace")
        except ValueError:
            data = row["DATA_ROW"]
        text = f"{row['ERROR_NAME']}{pump}: {row['MESSAGE']}: {data}"
        self._log.lost(text, error=row["ERROR_NAME"], pump=name, row=data)
