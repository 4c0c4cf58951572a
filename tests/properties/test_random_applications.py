"""Applications made at random: pumps of every kind, each reading streams that others fill, several into one.

Each stream has the columns k, v and d.  A pump reads one stream or two that stand before its target, so that the graph has no
cycle.  What holds for every operator alone (`test_four_sentences.py`) holds for all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from applications import ERRORS
from feeding import Move, feed, inputs, moves
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.types import Batch

QUERIES = (
    "SELECT STREAM k, v, d FROM {a} AS q WHERE v > 1 OR k IS NULL",
    "SELECT STREAM k || 'x', v + 1, d * 2 FROM {a} AS q",
    "SELECT STREAM k, 12 / v, d FROM {a} AS q WHERE d < 1e10",
    "SELECT STREAM k, COUNT(*), SUM(d) FROM {a} AS q GROUP BY k, FLOOR(q.ROWTIME TO MINUTE)",
    """SELECT STREAM MAX(k), SUM(12 / v), AVG(d) FROM {a} AS q
       GROUP BY STEP(q.ROWTIME BY INTERVAL '10' SECOND) HAVING COUNT(*) > 1""",
    "SELECT STREAM k, SUM(v), MIN(d) FROM {a} AS q GROUP BY CEIL(q.ROWTIME TO MINUTE), k",
    "SELECT STREAM k, COUNT(*), MAX(d) FROM {a} AS q GROUP BY k, q.ROWTIME",
    "SELECT STREAM k, MONOTONIC(v), MAX(d) FROM {a} AS q GROUP BY MONOTONIC(v), k",
    "SELECT STREAM k, COUNT(*), SUM(d) FROM {a} AS q WINDOWED BY STAGGER (PARTITION BY k RANGE INTERVAL '20' SECOND)",
    "SELECT STREAM k, SUM(v) OVER w, AVG(d) OVER w FROM {a} WINDOW w AS (PARTITION BY k RANGE INTERVAL '30' SECOND PRECEDING)",
    "SELECT STREAM k, MAX(v) OVER (ROWS 3 PRECEDING), SUM(d) OVER (PARTITION BY v ROWS 1 PRECEDING) FROM {a}",
    "SELECT STREAM k, v, d FROM {a} AS q ORDER BY FLOOR(q.ROWTIME TO MINUTE), v DESC, k",
    "SELECT STREAM k, v, d FROM {a} AS q ORDER BY ROWTIME, d",
    "SELECT STREAM k, v, d FROM (SELECT STREAM DISTINCT FLOOR(q.ROWTIME TO MINUTE), k, v, d FROM {a} AS q)",
    "SELECT STREAM k, v, d FROM {a} UNION ALL SELECT STREAM k, v, d FROM {b}",
    """SELECT STREAM k, v, d FROM {a}
       UNION ALL SELECT STREAM k, COUNT(*), d FROM {b} AS q GROUP BY k, d, FLOOR(q.ROWTIME TO MINUTE)""",
    "SELECT STREAM k, v, d FROM {a} LIMIT 9",
    "SELECT STREAM q.ROWTIME - INTERVAL '1' SECOND AS ROWTIME, k, v, d FROM {a} AS q",
    """SELECT STREAM CASE WHEN v > 2 THEN q.ROWTIME ELSE q.ROWTIME - INTERVAL '20' SECOND END AS ROWTIME, k, v, d FROM {a} AS q
       ORDER BY CASE WHEN v > 2 THEN q.ROWTIME ELSE q.ROWTIME - INTERVAL '20' SECOND END WITHIN INTERVAL '30' SECOND""",
    "SELECT STREAM a.k, b.v, a.d FROM {a} OVER (RANGE INTERVAL '5' SECOND PRECEDING) AS a JOIN {b} AS b ON a.k = b.k",
    """SELECT STREAM a.k, b.v, a.d FROM {a} OVER (RANGE INTERVAL '5' SECOND PRECEDING) AS a
       LEFT JOIN {b} OVER (ROWS 2 PRECEDING) AS b ON a.k = b.k AND b.v > a.v""",
    "SELECT STREAM k, v, ANOMALY_SCORE FROM TABLE(RANDOM_CUT_FOREST(CURSOR(SELECT STREAM k, v, d FROM {a}), 2, 10, 100))",
)

pump = st.tuples(st.sampled_from(QUERIES), st.integers(0, 99), st.integers(0, 99), st.integers(0, 3))


@st.composite
def applications(draw: st.DrawFn) -> str:
    """The script of an application: its streams, pumps and what is read of it."""
    streams, lines, pumps = ["s", "u"], [], draw(st.lists(pump, min_size=1, max_size=5))
    for number, (query, first, second, into) in enumerate(pumps):
        sources = streams[:-1] if into == 0 and len(streams) > 2 else streams  # 0: into the newest stream, beside others
        if sources is streams:
            streams = [*streams, f"x{number}"]
            lines.append(f"CREATE STREAM x{number} (k VARCHAR(6), v INTEGER, d DOUBLE);")
            sources = streams[:-1]
        read = query.format(a=sources[first % len(sources)], b=sources[second % len(sources)])
        lines.append(f"CREATE PUMP p{number} AS INSERT INTO {streams[-1]} {read};")
    return "\n".join([*lines, *(f"SELECT STREAM ROWTIME, * FROM {stream};" for stream in streams[2:]), ERRORS])


@settings(max_examples=40, deadline=None)
@given(script=applications(), rows=inputs, way=moves)
def test_a_random_application(script: str, rows: Mapping[str, Batch], way: list[Move]) -> None:
    """Whatever the batches, the bounds, the restarts, and with the plan's rules or without: the same rows, the same errors."""
    whole, _ = feed(script, rows, [])
    pieces, _ = feed(script, rows, way, rules=False)
    assert pieces == whole


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None)
@given(script=applications(), rows=inputs, way=moves)
def test_many_random_applications(script: str, rows: Mapping[str, Batch], way: list[Move]) -> None:
    """The same, at length."""
    assert feed(script, rows, way, rules=False)[0] == feed(script, rows, [])[0]
