"""NULL without a type, in the place of every argument: the first overload that takes it is meant, and it gives a value."""

from __future__ import annotations

import pyarrow as pa
import pytest

from streamsql import types
from streamsql.bind.functions import call_scalar
from streamsql.errors import ProgrammingError
from streamsql.expressions.evaluate import evaluator
from streamsql.expressions.nodes import Constant
from streamsql.functions import library as _library  # noqa: F401 - fills the table
from streamsql.functions.registry import SCALARS
from streamsql.rows import QueryTime, Rows
from streamsql.time import ManualClock

NULL = Constant(types.NULL, None)
TIME = QueryTime(0, ManualClock(0))

CALLS = sorted(
    {
        (name, count)
        for name, overloads in SCALARS.items()
        for record in overloads
        if not any(parameter.type in ("UNIT", "WORD") for parameter in record.signature.parameters)
        if name != "CASE"  # its conditions are BOOLEANs before it is called
        for count in (record.signature.least, record.signature.most or record.signature.least + 1)
        if count
    }
)


@pytest.mark.parametrize(("name", "count"), CALLS)
def test_it_gives_a_value_or_an_error(name: str, count: int) -> None:
    try:
        call = call_scalar(name, [NULL] * count, None)
    except ProgrammingError:
        return
    rows = Rows(pa.RecordBatch.from_arrays([pa.nulls(1)], ["a"]), TIME)
    value = evaluator(call, TIME)(rows)
    assert value.type == call.type.arrow()


def test_the_numbers_come_first() -> None:
    """The order of overloads is that of the modules, which may be moved."""
    meant = {name: call_scalar(name, [NULL, NULL], None).type for name in ("+", "-", "*", "/")}
    assert meant == dict.fromkeys("+-*/", types.INTEGER)
