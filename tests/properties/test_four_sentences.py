"""The four sentences of the design, for every operator and for whole applications.

1. Rows arrive in ROWTIME order: `session.Watch` sees to it wherever an application runs in these tests.
2. A bound never changes a result, it only brings it sooner.
3. A table is a stream that ends (`test_duckdb_oracle.py`).
4. Nothing is in flight between steps: how rows are cut into batches, and a restart between any two, does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from applications import APPLICATIONS, OPERATORS
from feeding import Move, feed, inputs, moves
from hypothesis import given, settings

from streamsql.types import Batch

ALL = {**OPERATORS, **APPLICATIONS}
every = pytest.mark.parametrize("script", ALL.values(), ids=ALL.keys())


@every
@settings(max_examples=8, deadline=None)
@given(rows=inputs, way=moves)
def test_cuts_bounds_and_restarts_do_not_show(script: str, rows: Mapping[str, Batch], way: list[Move]) -> None:
    """Whatever the batches, the bounds, the order of the streams and the restarts: the same rows come out."""
    whole, _ = feed(script, rows, [])
    pieces, _ = feed(script, rows, way)
    assert pieces == whole


@every
@settings(max_examples=4, deadline=None)
@given(rows=inputs, way=moves)
def test_a_bound_brings_results_sooner(script: str, rows: Mapping[str, Batch], way: list[Move]) -> None:
    """With bounds there are, after every step, at least the rows that there are without."""
    with_bounds, sooner = feed(script, rows, [replace(move, restart=False) for move in way])
    without, later = feed(script, rows, [replace(move, bound=0, restart=False) for move in way])
    assert with_bounds == without
    assert all(a >= b for early, late in zip(sooner, later) for a, b in zip(early, late))


@every
@settings(max_examples=4, deadline=None)
@given(rows=inputs)
def test_rules_do_not_change_results(script: str, rows: Mapping[str, Batch]) -> None:
    """With the plan's rules and without: the same rows, the same errors."""
    assert feed(script, rows, [], rules=False)[0] == feed(script, rows, [])[0]


@pytest.mark.slow
@every
@settings(max_examples=200, deadline=None)
@given(rows=inputs, way=moves)
def test_all_at_length(script: str, rows: Mapping[str, Batch], way: list[Move]) -> None:
    """The same with many more rows and ways, the rules turned off on one side."""
    assert feed(script, rows, way, rules=False)[0] == feed(script, rows, [])[0]
