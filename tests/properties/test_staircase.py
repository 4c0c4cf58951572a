"""Times rounded by hand: what the binder takes for ascending never goes back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from streamsql.bind.expressions import ExpressionBinder
from streamsql.bind.scope import Scope, ScopeRelation
from streamsql.bind.staircase import is_staircase
from streamsql.expressions.evaluate import evaluator
from streamsql.rows import QueryTime, Rows
from streamsql.sql.parser import parse_expression
from streamsql.types import TIMESTAMP, Field

SCOPE = Scope((ScopeRelation("S", (Field("T", TIMESTAMP),), 0),))
NEXT = {"SECOND": "MINUTE", "MINUTE": "HOUR", "HOUR": "DAY", "DAY": "MONTH", "MONTH": "YEAR"}
FACTORS = st.sampled_from(["1", "2", "7", "15", "30", "45", "0.5", "1.5"])
LENGTHS = st.sampled_from(["1", "2", "15", "30", "59"])


@st.composite
def sums(draw: st.DrawFn) -> str:
    """FLOOR(t TO unit) and one or two fields below it, divided, cut and multiplied in some way."""
    field = draw(st.sampled_from(sorted(NEXT)))
    terms = [f"FLOOR(t TO {NEXT[field]})"]
    for name in (field, draw(st.sampled_from(sorted(NEXT)))):
        part = f"EXTRACT({name} FROM t)"
        if draw(st.booleans()):
            part = f"{part} / {draw(FACTORS)}"
        if draw(st.booleans()):
            part = f"FLOOR({part})"
        unit = draw(st.sampled_from(["SECOND", "MINUTE", "HOUR", "DAY"]))
        terms.append(f"({part}) * INTERVAL '{draw(LENGTHS)}' {unit}")
    return " + ".join(terms[: draw(st.integers(2, 3))])


@settings(max_examples=300, deadline=None)
@given(text=sums(), start=st.integers(0, 4_000_000_000_000), seed=st.integers(0, 2**32 - 1))
def test_what_is_a_staircase_never_goes_back(text: str, start: int, seed: int) -> None:
    bound = ExpressionBinder(SCOPE).bind(parse_expression(text))
    if not is_staircase(bound, lambda time: True):
        return
    steps = np.random.default_rng(seed).choice([1, 999, 1_000, 59_999, 60_000, 900_000, 3_600_000, 86_400_000], 2_000)
    times = pa.array(start + np.cumsum(steps), pa.timestamp("ms"))
    rows = Rows(pa.record_batch([times], ["T"]), QueryTime())
    values = rows.column(evaluator(bound, QueryTime())(rows)).view(pa.int64()).to_numpy()
    assert (np.diff(values) >= 0).all(), text


def test_the_usual_forms_are_staircases() -> None:
    for text in (
        "FLOOR(t TO HOUR) + EXTRACT(MINUTE FROM t) / 15 * INTERVAL '15' MINUTE",
        "FLOOR(t TO DAY) + (EXTRACT(HOUR FROM t) / 6) * INTERVAL '6' HOUR",
        "FLOOR(t TO MINUTE) + FLOOR(EXTRACT(SECOND FROM t) / 10) * INTERVAL '10' SECOND",
        "FLOOR(t TO MINUTE) + EXTRACT(SECOND FROM t) * INTERVAL '1' SECOND",
        "FLOOR(t TO DAY) + EXTRACT(HOUR FROM t) * INTERVAL '1' HOUR + EXTRACT(MINUTE FROM t) / 20 * INTERVAL '20' MINUTE",
    ):
        assert is_staircase(ExpressionBinder(SCOPE).bind(parse_expression(text)), lambda time: True), text
