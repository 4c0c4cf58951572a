"""The function table's examples, run as SQL: from the text to the printed value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from printed import printed
from session import Session

import streamsql.functions.library  # noqa: F401 - fills the tables
from streamsql.functions.registry import AGGREGATES, SCALARS
from streamsql.time import ManualClock

NOW = 1_525_870_241_337
"""2018-05-09 12:50:41.337: the moment at which the examples are evaluated."""

RECORDS = [record for table in (SCALARS, AGGREGATES) for records in table.values() for record in records]


def examples(documentation: str) -> Iterator[tuple[str, str]]:
    """The `>>>` lines and what stands below each."""
    lines = [line.strip() for line in documentation.splitlines()]
    for line, result in itertools.pairwise(lines):
        if line.startswith(">>> "):
            yield line.removeprefix(">>> "), result


EXAMPLES = sorted({example for record in RECORDS for example in examples(record.documentation)})


@pytest.mark.parametrize(("example", "result"), EXAMPLES, ids=[example for example, _ in EXAMPLES])
def test_an_example_gives_what_it_says(example: str, result: str) -> None:
    """`CAST(... AS VARCHAR)` of it, NULL, or `error: MESSAGE`."""
    assert printed(example, Session(ManualClock(NOW))) == (None if result == "NULL" else result)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.signature.text)
def test_every_function_has_an_example(record: object) -> None:
    """Those of sliding windows alone are shown in `tests/slt/over.slt`: a table has no such windows."""
    analytic = hasattr(record, "accumulator") and record.accumulator is None
    assert analytic or list(examples(record.documentation))  # type: ignore[attr-defined]


def test_a_wrong_result_is_seen() -> None:
    """The comparison is of texts: 1 is not 1.0."""
    session = Session(ManualClock(NOW))
    assert printed("1 + 1", session) == "2" != printed("1.0 + 1", session)
