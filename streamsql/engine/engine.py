"""The engine: a runtime that executes statements.

It has no thread of its own: the headless runner, a connection or a test calls `step`.  What a statement does is in
`execution.py`.
"""

from __future__ import annotations

from dataclasses import replace

from streamsql.bind.insert import bind_insert
from streamsql.bind.parameters import Parameters
from streamsql.bind.query import QueryBinder
from streamsql.catalog import Table
from streamsql.engine.execution import HANDLERS
from streamsql.engine.result import Result
from streamsql.engine.runtime import Runtime
from streamsql.engine.table_inserts import insert_table
from streamsql.errors import Error, not_supported
from streamsql.plan import nodes
from streamsql.sql.parser import parse
from streamsql.statements.statement import Statement
from streamsql.statements.streaming import Insert


class Engine(Runtime):
    """One application or session."""

    def execute_script(self, text: str, file: str | None = None) -> list[Result]:
        """Execute all statements of a script."""
        try:
            return [self.execute(statement) for statement in parse(text)]
        except Error as error:
            raise error.located(text, file) from None

    def execute(self, statement: Statement, parameters: Parameters = ()) -> Result:
        """Execute one statement."""
        handler = HANDLERS.get(type(statement))
        if handler is None:
            raise not_supported(type(statement).__name__, statement.span)
        return handler(self, statement, parameters)

    def insert_from(self, statement: Insert, table: Table) -> Result:
        """An INSERT whose query reads a table that nothing else knows."""
        known = replace(self.catalog, relations={**self.catalog.relations, table.name: table})
        plan = self.improved(bind_insert(QueryBinder(known), statement))
        assert isinstance(plan, nodes.Insert)
        return insert_table(self, plan, known)
