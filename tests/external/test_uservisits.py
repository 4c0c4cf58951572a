"""The example of partition pruning: its four queries give what DuckDB gives on the same files."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import streamsql
from bench import uservisits

ROWS = 12_000


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[streamsql.Connection, duckdb.DuckDBPyConnection]]:
    folder = tmp_path_factory.mktemp("lake")
    runpy.run_path(str(uservisits.EXAMPLE / "generate.py"))["main"](ROWS, folder)
    with streamsql.connect(s3_root=folder) as ours, duckdb.connect() as theirs:
        ours.executescript((folder / "tables.sql").read_text())
        theirs.execute(uservisits.views(Path(folder) / "lake"))
        yield ours, theirs


@pytest.mark.parametrize("visits", ["uservisits_csv", "uservisits_parquet"])
@pytest.mark.parametrize("step", range(4))
def test_a_step(step: int, visits: str, engines: tuple[streamsql.Connection, duckdb.DuckDBPyConnection]) -> None:
    ours, theirs = engines
    query = uservisits.steps(visits)[step]
    found, expected = ours.execute(query).fetchall(), theirs.sql(query).fetchall()
    assert [row[:-1] for row in found] == [row[:-1] for row in expected]
    assert [row[-1] for row in found] == pytest.approx([row[-1] for row in expected])
    assert len(found) > 3
    last = "SELECT files FROM svl_s3query_summary WHERE query = pg_last_query_id() AND is_partitioned = 't'"
    assert ours.execute(last).fetchall() == [((504, 252, 9, 9)[step],)]
