"""What is in the files of a sink follows from the rows and their order: not from batches, bounds, memory, crashes, restarts."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.external.table import table_of
from streamsql.external.write import sink as module
from streamsql.external.write.limits import row_sizes
from streamsql.external.write.sink import PartitionedSink
from streamsql.external.write.target import target_of
from streamsql.sql.parser import parse_statement
from streamsql.statements.external_ddl import CreateExternalTable
from streamsql.types import Schema

Row = tuple[int, int, str, str | None]
"""Its ROWTIME, a number, a text, the key."""


def table(properties: str) -> Any:
    statement = parse_statement(f"""
        CREATE EXTERNAL TABLE t (n int, s string) PARTITIONED BY (k string) STORED AS PARQUET LOCATION 's3://lake/t/'
        TBLPROPERTIES ({properties})
    """)
    assert isinstance(statement, CreateExternalTable)
    return table_of(statement, "d")


rows = st.lists(
    st.tuples(st.integers(0, 3000), st.integers(0, 99), st.text("ab", max_size=9), st.sampled_from(["x", "y", "", None])),
    max_size=30,
).map(lambda given: sorted(given, key=lambda row: row[0]))

properties = st.fixed_dictionaries(
    {},
    optional={
        "write.maxfilerows": st.integers(1, 9).map(str),
        "write.maxfiletime": st.integers(1, 2000).map(lambda t: f"{t}ms"),
        "write.maxfilesize.mb": st.integers(5, 60).map(lambda size: f"{size / (1 << 20):.12f}"),
    },
)


def written(root: Path, named: dict[str, str], given_rows: Sequence[Row], steps: Sequence[str]) -> dict[str, Any]:
    """The rows of each file after some steps.

    `take` some rows, pass on a `bound`, `commit`, `crash` before its commit, `lose` what came behind the last one.
    """
    external = table(", ".join(f"'{key}'='{value}'" for key, value in named.items()))
    schema = Schema.stream(external.schema.fields).arrow()
    staging = root / "staged"

    def opened() -> PartitionedSink:
        return PartitionedSink(target_of(external, "f", lambda: 0), staging, str(root), lambda _: None)

    sink = opened()
    staged = sink.prepare()
    at = saved_at = 0
    for step in [*steps, *["take"] * len(given_rows)]:
        if step == "take":
            count = min(1 + len(step) * at % 4, len(given_rows) - at)
            batch = given_rows[at : at + count]
            columns = (
                [pa.array(column, field.type) for column, field in zip(zip(*batch, strict=True), schema, strict=True)]
                if count
                else []
            )
            if count:
                sink.write(pa.RecordBatch.from_arrays(columns, schema=schema))
            at += count
        elif step == "bound":
            sink.advance(given_rows[at][0] if at < len(given_rows) else 9999)
        else:
            if step != "lose":
                staged, saved_at = sink.prepare(), at
            if step == "commit":
                sink.commit(staged)
            else:
                at = saved_at
                sink = opened()
                sink.commit(staged)
    sink.finish()
    sink.commit(sink.prepare())
    sink.close()
    files = sorted((root / "lake").rglob("*.parquet"))
    return {str(path.relative_to(root)): pq.read_table(path, partitioning=None).to_pylist() for path in files}


@settings(max_examples=30, deadline=None)
@given(
    rows, properties, st.lists(st.sampled_from(["take", "take", "bound", "commit", "crash", "lose"]), max_size=25), st.booleans()
)
def test_files_are_the_same(given_rows: list[Row], named: dict[str, str], steps: list[str], spills: bool) -> None:
    folders = [Path(tempfile.mkdtemp()) for _ in range(2)]
    try:
        with pytest.MonkeyPatch.context() as patch:
            plain = written(folders[0], named, given_rows, [])
            patch.setattr(module, "MOST_HELD", 0 if spills else module.MOST_HELD)
            assert written(folders[1], named, given_rows, steps) == plain
        assert sum(map(len, plain.values())) == len(given_rows)
        limit = named.get("write.maxfilerows")
        assert limit is None or all(len(file) <= int(limit) for file in plain.values())
    finally:
        for folder in folders:
            shutil.rmtree(folder)


def test_sizes_of_rows_do_not_depend_on_their_batch() -> None:
    nested = pa.RecordBatch.from_pydict(
        {
            "s": ["ab", None, "é"],
            "l": pa.array([[1, 2], None, []], pa.list_(pa.int32())),
            "m": pa.array([[("a", 1)], None, [("bb", 2), ("c", None)]], pa.map_(pa.string(), pa.int64())),
            "r": pa.array([{"a": 1, "b": "xx"}, None, {"a": None, "b": ""}], pa.struct([("a", pa.int32()), ("b", pa.string())])),
            "t": pa.array([True, None, False]),
        }
    )
    assert row_sizes(nested).tolist() == [26, 5, 26]
    assert [int(row_sizes(nested.slice(i, 1))[0]) for i in range(3)] == [26, 5, 26]
