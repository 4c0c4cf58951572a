"""A relation while its query is bound: its plan, the names of its columns, and which of them follow ROWTIME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamsql.expressions.conditions import TRUE
from streamsql.expressions.nodes import Column, Expression
from streamsql.plan.nodes import Node, Values
from streamsql.types import BOOLEAN, ROWTIME, TIMESTAMP, Field, Schema

ROWTIME_COLUMN = Column(TIMESTAMP, 0, ROWTIME)

ONE_ROW = Values(Schema((Field("none", BOOLEAN, hidden=True),)), ((TRUE,),))
"""What a SELECT without FROM reads."""


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column that never goes back as ROWTIME goes on.

    `form` is its value as an expression of ROWTIME alone, where there is one.  `marks_rows`: its value changes exactly when
    ROWTIME does, so grouping or sorting by it is grouping or sorting by ROWTIME.
    """

    form: Expression | None
    marks_rows: bool = False


ROWTIME_ITSELF = TimeColumn(ROWTIME_COLUMN, marks_rows=True)


@dataclass(frozen=True, slots=True)
class Source:
    """A plan with what the binder knows of its columns."""

    plan: Node
    times: Mapping[int, TimeColumn] = field(default_factory=dict)

    @staticmethod
    def of(plan: Node) -> Source:
        """A relation of which only ROWTIME is known to follow the time."""
        return Source(plan, {0: ROWTIME_ITSELF} if plan.schema.is_stream else {})

    @property
    def schema(self) -> Schema:
        return self.plan.schema

    @property
    def is_stream(self) -> bool:
        return self.plan.schema.is_stream
