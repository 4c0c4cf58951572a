"""Whatever an operator remembers is in a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from session import Session, parsed

from streamsql.keys.interner import Interner
from streamsql.operator import Operator
from streamsql.state import Arrays, RowBuffer
from streamsql.time import ManualClock

sys.path.append(str(Path(__file__).parents[1] / "properties"))

from applications import APPLICATIONS, OPERATORS, STREAMS
from feeding import START, batch_of

ROWS = batch_of([(1000, "a", 1, 0.5, -5000), (0, "b", 0, 1.5, 0), (30_000, None, None, None, 0), (1000, "a", 3, 2.5, -20_000)])


def fed(script: str) -> Session:
    """An application in the middle of its input."""
    session = Session(ManualClock(START))
    for statement in parsed(STREAMS + script):
        session.execute(statement)
    session.insert("S", ROWS)
    session.insert("U", ROWS.slice(0, 2))
    return session


@pytest.mark.parametrize("script", [*OPERATORS.values(), *APPLICATIONS.values()], ids=[*OPERATORS, *APPLICATIONS])
def test_every_container_is_saved(script: str) -> None:
    """By the name of its operator, with what is in it; and what is saved is what a new engine has after `load`."""
    session = fed(script)
    pipeline = session.engine.pipeline
    held = {name: set(vertex.operator.state) for name, vertex in pipeline.vertices.items() if vertex.operator.state}
    saved = pipeline.save_state()
    assert {name: set(containers) for name, containers in saved.items() if name != "errors"} == held
    session.restart()
    assert session.engine.pipeline.save_state() == saved
    assert session.engine.pipeline.save_bounds() == pipeline.save_bounds()


@pytest.mark.parametrize("script", [*OPERATORS.values(), *APPLICATIONS.values()], ids=[*OPERATORS, *APPLICATIONS])
def test_nothing_else_is_remembered(script: str) -> None:
    """A row leaves no trace in an operator but in its containers: no other attribute changes that a restart would lose."""
    session = Session(ManualClock(START))
    for statement in parsed(STREAMS + script):
        session.execute(statement)
    session.insert("S", ROWS.slice(0, 1))
    session.insert("U", ROWS.slice(0, 1))
    before = {name: _remembered(vertex.operator) for name, vertex in session.engine.pipeline.vertices.items()}
    session.insert("S", ROWS.slice(1))
    session.insert("U", ROWS.slice(1, 1))
    after = {name: _remembered(vertex.operator) for name, vertex in session.engine.pipeline.vertices.items()}
    assert before == after


PLAIN = (int, float, str, bytes, bool, type(None), np.ndarray, pa.Array, pa.RecordBatch, list, dict, set)
CONTAINERS = (RowBuffer, Arrays, Interner)


def _remembered(operator: Operator) -> dict[str, str]:
    """The attributes of an operator that are plain values, outside of its containers."""
    return {name: repr(value) for name, value in vars(operator).items() if isinstance(value, PLAIN) and not _holds_state(value)}


def _holds_state(value: object) -> bool:
    return isinstance(value, (list, dict, set)) and any(isinstance(item, CONTAINERS) for item in value)


def test_the_operators_of_the_applications_are_all_there_are() -> None:
    """An operator that no application of these tests uses would be tested by none."""
    import streamsql.run.operators

    used = {
        type(vertex.operator).__name__
        for script in (*OPERATORS.values(), *APPLICATIONS.values())
        for vertex in fed(script).engine.pipeline.vertices.values()
    }
    modules = [path.stem for path in Path(streamsql.run.operators.__path__[0]).glob("*.py")]
    there = {
        name
        for module in modules
        for name, value in vars(__import__(f"streamsql.run.operators.{module}", fromlist=["x"])).items()
        if isinstance(value, type) and issubclass(value, Operator) and value is not Operator
    }
    assert there - used <= ELSEWHERE, f"no application uses {sorted(there - used - ELSEWHERE)}"


ELSEWHERE = {"Combine", "Join", "Lookup", "PartedLookup", "Shard", "TableOver"}
"""Operators whose properties are tested in files of their own; Shard stands behind inputs, and keeps nothing."""
