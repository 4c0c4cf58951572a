"""The aggregates of groups and of sliding windows, without SQL around them, beside DuckDB on the same Arrow data."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import duckdb
import numpy as np
import pyarrow as pa

from bench.measure import Measurement, table
from streamsql.functions import library as _library  # noqa: F401 - fills the tables
from streamsql.functions.registry import AGGREGATES, AggregateFunction
from streamsql.keys.interner import Interner
from streamsql.plan.windows import Frame
from streamsql.rows import Evaluate, QueryTime
from streamsql.run.operators.over import Over, OverWindow, SlidingCall
from streamsql.types import BIGINT, DOUBLE, SqlType

ROWS = 2_000_000
BATCH = 65_536
SECOND = 100_000
"""Rows of a second of event time."""

GROUPED = {
    "COUNT(*)": ("COUNT",),
    "SUM": ("SUM",),
    "COUNT(*), AVG, MIN, MAX": ("COUNT", "AVG", "MIN", "MAX"),
    "STDDEV_SAMP": ("STDDEV_SAMP",),
}
KEYS = {
    "1,000 integer keys": (1000, pa.int64()),
    "1,000 text keys": (1000, pa.string()),
    "100,000 text keys": (100_000, pa.string()),
}

SLIDING = {
    "AVG": ("AVG",),
    "SUM": ("SUM",),
    "MIN": ("MIN",),
    "STDDEV_SAMP": ("STDDEV_SAMP",),
    "COUNT(*), AVG, MIN, MAX": ("COUNT", "AVG", "MIN", "MAX"),
}
FRAMES = {
    "RANGE 10 s": (Frame("RANGE", 10_000), "RANGE BETWEEN INTERVAL 10 SECOND PRECEDING AND CURRENT ROW"),
    "ROWS 100": (Frame("ROWS", 100), "ROWS 100 PRECEDING"),
}


def measurements() -> list[Measurement]:
    """Tumbling windows of a second for each kind of key, then sliding windows over 1,000 integer keys."""
    found = []
    for keys, (count, type) in KEYS.items():
        data = stream(count, type)
        for name, functions in GROUPED.items() if count == 1000 else [("SUM", ("SUM",))]:
            query = f"SELECT K, {_calls(functions, '')} FROM data GROUP BY K, date_trunc('second', ROWTIME)"
            found.append(_measured(f"{name} by second and {keys}", partial(tumble, data, functions), data, query))
    data = stream(1000, pa.int64())
    for frame, (ours, theirs) in FRAMES.items():
        for name, functions in SLIDING.items() if frame.startswith("RANGE") else [("AVG", ("AVG",))]:
            over = f" OVER (PARTITION BY K ORDER BY ROWTIME {theirs})"
            query = f"SELECT {_calls(functions, over)} FROM data"
            found.append(
                _measured(f"{name} OVER {frame}, 1,000 integer keys", partial(slide, data, functions, ours), data, query)
            )
    return found


def stream(keys: int, type: pa.DataType) -> pa.Table:
    """ROWTIME in order, a key, a value."""
    draw = np.random.default_rng(1)
    key = draw.integers(0, keys, ROWS)
    return pa.table(
        {
            "ROWTIME": pa.array(np.arange(ROWS) * 1000 // SECOND, pa.timestamp("ms")),
            "K": pa.array([f"device-{k:05}" for k in range(keys)]).take(pa.array(key)) if type == pa.string() else pa.array(key),
            "V": pa.array(draw.normal(size=ROWS)),
        }
    )


def tumble(data: pa.Table, names: Sequence[str]) -> None:
    """What a GROUP BY by second and key does with each batch: ids of the keys, additions, results when the second ends."""
    interner = Interner([data.schema.field("K").type])
    calls = [_function(name).accumulator for name in names]
    accumulators = [make(_arguments(name), _result(name), False) for name, make in zip(names, calls, strict=True) if make]
    for start in range(0, ROWS, SECOND):
        for batch in data.slice(start, SECOND).to_batches(BATCH):
            ids = interner.ids([batch.column(1)], batch.num_rows)
            for name, accumulator in zip(names, accumulators, strict=True):
                accumulator.add(ids, len(interner), [batch.column(2)] if _arguments(name) else [])
        interner.columns()
        interner.clear()
        for accumulator in accumulators:
            accumulator.result()
            accumulator.clear()


def slide(data: pa.Table, names: Sequence[str], frame: Frame) -> None:
    """The operator over all rows."""
    calls = []
    for name in names:
        make = _function(name).sliding
        assert make is not None
        arguments = (_column(2),) if _arguments(name) else ()
        calls.append(SlidingCall(arguments, make(_arguments(name), _result(name), False)))
    schema = pa.schema([*data.schema, *(pa.field(f"C{i}", _result(name).arrow()) for i, name in enumerate(names))])
    over = Over(schema, [OverWindow((_column(1),), (data.schema.field("K").type,), frame, tuple(calls))], QueryTime())
    for batch in data.to_batches(BATCH):
        for _ in over.push(batch):
            pass


def _measured(name: str, ours: Callable[[], None], data: pa.Table, query: str) -> Measurement:
    """Both run by turns, so that they meet the same machine; the best of three."""
    peer = duckdb.connect(config={"threads": 1})
    peer.register("data", data)
    best = [float("inf"), float("inf")]
    for _ in range(3):
        for i, run in enumerate((ours, lambda: peer.sql(query).to_arrow_table())):
            begun = time.process_time()
            run()
            best[i] = min(best[i], time.process_time() - begun)
    return Measurement(name, "rows/s", ROWS / best[0], "DuckDB", ROWS / best[1])


def _calls(names: Sequence[str], suffix: str) -> str:
    return ", ".join(f"{_function(name).duckdb}{suffix}".replace("(n)", "(V)").replace("(x)", "(V)") for name in names)


def _function(name: str) -> AggregateFunction:
    return next(f for f in AGGREGATES[name] if len(f.signature.parameters) == len(_arguments(name)))


def _arguments(name: str) -> list[SqlType]:
    return [] if name == "COUNT" else [DOUBLE]


def _result(name: str) -> SqlType:
    return BIGINT if name == "COUNT" else DOUBLE


def _column(index: int) -> Evaluate:
    return lambda batch: batch.batch.column(index)


if __name__ == "__main__":
    print(table(measurements()))
