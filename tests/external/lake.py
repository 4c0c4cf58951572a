"""A folder that stands in for S3, and an engine that reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from streamsql.engine.engine import Engine
from streamsql.engine.table_rows import TableRows
from streamsql.external.scan.counts import Counts
from streamsql.external.scan.scan import Scan
from streamsql.plan.nodes import requests_of
from streamsql.sql.parser import parse
from streamsql.types import Batch


class Lake:
    """Files under `root`, and what queries over them give and read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.engine = Engine(s3_root=str(root), interactive=True)
        self.lost: list[dict[str, Any]] = []
        """The rows of `error_stream`."""
        self.engine.report = self._report

    def _report(self, batch: Batch) -> None:
        self.lost += batch.to_pylist()

    def write(self, path: str, table: pa.Table, **settings: Any) -> None:
        """A Parquet file."""
        pq.write_table(table, self._place(path), **settings)

    def text(self, path: str, text: str | bytes) -> None:
        """A file of any text."""
        self._place(path).write_bytes(text.encode() if isinstance(text, str) else text)

    def json(self, path: str, *records: Any) -> None:
        """A file of JSON lines."""
        self.text(path, "".join(json.dumps(record) + "\n" for record in records))

    def _place(self, path: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def run(self, script: str) -> None:
        """Statements without rows."""
        self.engine.execute_script(script)

    def rows(self, query: str, rules: bool = True) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        self.engine.use_rules = rules
        (result,) = self.engine.execute_script(query)
        assert isinstance(result.rows, TableRows)
        found: list[tuple[Any, ...]] = []
        while (batch := result.rows.take()) is not None:
            found += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return found

    def read(self, query: str) -> dict[str, Counts]:
        """What the scans of a query read, by the names of their tables, when all of its rows are taken."""
        self.rows(query)
        return {scan.table: scan.counts for scan in self.engine.log.queries()[-1].scans}

    def counts(self, query: str) -> Counts:
        """What the one scan of a query reads, when all of its rows are taken."""
        self.engine.use_rules = True
        (statement,) = parse(query)
        (request,) = requests_of(self.engine.plan_of(statement))
        scan = Scan(request, self.engine.access, self.engine.time)
        for _ in scan.rows():
            pass
        return scan.counts
