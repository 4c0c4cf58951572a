"""Lookup: registered tables, and keys that are not in them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from streamsql.catalog import Table
from streamsql.engine.engine import Engine
from streamsql.run.operators import lookup, table_index
from streamsql.time import ManualClock
from streamsql.types import BIGINT, Field, Schema, varchar

SCHEMA = Schema((Field("Id", BIGINT), Field("name", varchar(16))))


def engine_with(rows: pa.Table) -> Engine:
    engine = Engine(clock=ManualClock(0))
    engine.catalog.relations["names"] = Table("names", SCHEMA, rows)
    engine.execute_script("CREATE STREAM s (id INTEGER); CREATE STREAM o (id INTEGER, name VARCHAR(16));")
    return engine


def names(count: int) -> pa.Table:
    """A table in several pieces."""
    piece = count // 3 + 1
    pieces = [list(range(start, min(start + piece, count))) for start in range(0, count, piece)]
    columns = [[pa.array(piece, pa.int64()), pa.array([f"n{i}" for i in piece])] for piece in pieces]
    return pa.Table.from_batches([pa.RecordBatch.from_arrays(c, schema=SCHEMA.arrow()) for c in columns])


def test_a_pump_and_a_query_read_a_registered_table() -> None:
    engine = engine_with(names(100))
    query = 'SELECT STREAM s.id, n."name" FROM s JOIN "names" AS n ON n."Id" = s.id'
    engine.execute_script(f"CREATE PUMP p AS INSERT INTO o {query}")
    queue = engine.execute_script("SELECT STREAM id, name FROM o")[0].rows
    assert queue is not None
    engine.execute_script("INSERT INTO s VALUES (99), (100), (34), (NULL), (0)")
    batch = queue.take()
    assert batch is not None and batch.to_pydict() == {"ID": [99, 34, 0], "NAME": ["n99", "n34", "n0"]}


def test_the_keys_of_rows_that_are_not_in_the_table_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_index, "CANDIDATES", 1000)
    engine = engine_with(names(10))
    queue = engine.execute_script('SELECT STREAM id, "name" FROM s JOIN "names" AS n ON n."Id" = s.id')[0].rows
    assert queue is not None
    [operator] = [v.operator for v in engine.pipeline.vertices.values() if isinstance(v.operator, lookup.Lookup)]
    for start in range(0, 10_000, 500):
        rows = pa.RecordBatch.from_arrays([pa.array([7, *range(start, start + 500)], pa.int32())], names=["ID"])
        engine.insert_rows("S", rows, explicit=False)
        batch = queue.take()
        assert batch is not None and batch["name"].to_pylist()[0] == "n7" and batch.num_rows == (1 if start else 11)
        assert len(operator._index._known) <= 2_600


def test_explain_names_the_table() -> None:
    engine = engine_with(names(1))
    rows = engine.execute_script('EXPLAIN SELECT STREAM id FROM s JOIN "names" AS n ON n."Id" = s.id')[0].rows
    assert rows is not None and (plan := rows.take()) is not None
    assert plan["PLAN"].to_pylist() == [
        "Project ID",
        "  Lookup inner on Id = CAST(ID AS BIGINT)",
        "    Scan stream S",
        "    Project Id",
        "      Scan table names",
    ]
