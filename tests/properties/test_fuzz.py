"""Whatever the text: a plan that rows run through, or an error that says where.

1,000 texts are tried; STREAMSQL_FUZZ=100000 tries so many.
"""

from __future__ import annotations

import os

import pyarrow as pa
from fuzzing import Choices, by_the_grammar, damaged, statements
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from session import parsed

from streamsql.engine.engine import Engine
from streamsql.errors import Error
from streamsql.plan.explain import explain
from streamsql.sql.parser import parse
from streamsql.statements.streaming import CreatePump, Insert, Query
from streamsql.time import ManualClock
from streamsql.types import TIMESTAMP, Batch, Family, Schema

TEXTS = int(os.environ.get("STREAMSQL_FUZZ", 1000))
fuzz = settings(
    max_examples=TEXTS // 2,
    deadline=None,
    database=None,
    derandomize="STREAMSQL_FUZZ" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

SETUP = """
CREATE STREAM s (v INTEGER, k VARCHAR(8), t TIMESTAMP, d DOUBLE);
CREATE STREAM u (v BIGINT, k CHAR(4), n DECIMAL(8, 2), x BOOLEAN);
CREATE VIEW w AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS q(v, k);
CREATE PUMP p AS INSERT INTO u (v, k) SELECT STREAM v, k FROM s;
"""


VALUES = {
    Family.NUMERIC: (1, 0, None, -3),
    Family.CHARACTER: ("a", "", None, "2020-01-01"),
    Family.BOOLEAN: (True, False, None, True),
    Family.BINARY: (b"a", b"", None, b"bc"),
}
"""What comes in, by the type of the column; of the others a number that any of them can be made of."""

TIMES = (0, 0, 59_999, 60_000)


def rows_of(schema: Schema) -> Batch:
    """Four rows of a stream, with their ROWTIMEs."""
    columns = [pa.array(VALUES.get(f.type.family, (5, 0, None, 7)), f.type.arrow()) for f in schema.fields[1:]]
    return pa.RecordBatch.from_arrays([pa.array(TIMES, TIMESTAMP.arrow()), *columns], schema=schema.arrow())


def feed(engine: Engine) -> None:
    """Let rows into all streams, and end them."""
    if engine.is_live:
        for stream in [stream for stream in engine.catalog.streams() if not stream.read_only]:
            rows, untimed = rows_of(stream.schema), stream.name in engine.insert_ports
            engine.insert_rows(stream.name, rows.select(rows.schema.names[1:]) if untimed else rows, explicit=not untimed)
        engine.end_inserts()
        engine.pipeline.finish()


def check(before: tuple[str, ...], text: str) -> None:
    """Parse, bind and explain a text; execute it behind others."""
    engine = Engine(clock=ManualClock(0))
    try:
        for earlier in before:
            for statement in parsed(earlier):
                engine.execute(statement)
    except Error:
        return
    try:
        for statement in parse(text):
            if isinstance(statement, (Query, Insert, CreatePump)):
                explain(engine.plan_of(statement))
            result = engine.execute(statement)
            if result.rows is not None and not result.streaming:
                while result.rows.take() is not None:
                    pass
        feed(engine)
    except Error as error:
        assert error.span is not None, error
        rows = text.splitlines() or [""]
        assert 1 <= error.span.line <= error.span.end_line <= len(rows) + 1
        error.located(text).render()


@fuzz
@given(st.sampled_from(["query_statement", "select", "statement", "insert", "create_pump"]), st.binary(max_size=200))
def test_texts_by_the_grammar(start: str, source: bytes) -> None:
    check((SETUP,), by_the_grammar(Choices(source), start))


@fuzz
@given(st.integers(0, len(statements()) - 1), st.binary(min_size=4, max_size=60))
def test_damaged_statements(number: int, source: bytes) -> None:
    before, text = statements()[number]
    check(before, damaged(Choices(source), text))
