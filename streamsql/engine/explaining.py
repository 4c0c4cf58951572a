"""EXPLAIN: which form a plan is shown in, and what is known of its tables."""

from __future__ import annotations

from streamsql.bind.parameters import Parameters
from streamsql.bind.reads import names_schema
from streamsql.catalog import Table
from streamsql.engine.analysis import analyzed
from streamsql.engine.result import Result, listing
from streamsql.engine.runtime import Runtime
from streamsql.errors import ProgrammingError
from streamsql.external.scan.partitions import left
from streamsql.external.scan.request import Request
from streamsql.external.table import ExternalTable
from streamsql.plan import nodes
from streamsql.plan.explain import explain
from streamsql.plan.redshift import Known, redshift_explain
from streamsql.statements.streaming import Explain, Query


def explain_plan(engine: Runtime, statement: Explain, parameters: Parameters) -> Result:
    if statement.analyze:
        return _lines("PLAN", analyzed(engine, statement, parameters))
    plan = engine.plan_of(statement.statement, parameters)
    if _is_redshift(engine, statement, plan):
        return _lines("QUERY PLAN", redshift_explain(plan, _known(engine)))
    return _lines("PLAN", explain(plan))


def _lines(title: str, text: str) -> Result:
    return listing((title,), [(line,) for line in text.splitlines()])


def _is_redshift(engine: Runtime, statement: Explain, plan: nodes.Node) -> bool:
    """Whether the form is Redshift's: where it is asked for, or the query names tables as only Redshift does."""
    is_of_tables = isinstance(statement.statement, Query) and not nodes.streams_of(plan)
    if statement.form == "REDSHIFT" and not is_of_tables:
        text = "Redshift's form is for queries over tables alone"
        raise ProgrammingError(text, statement.statement.span, "EXPLAIN (FORMAT TEXT)")
    if statement.form is not None or not isinstance(statement.statement, Query):
        return statement.form == "REDSHIFT"
    return is_of_tables and names_schema(statement.statement.query, engine.catalog)


def _known(engine: Runtime) -> Known:
    databases, time = engine.catalog.databases, engine.time

    def schema(table: ExternalTable) -> str:
        for known in databases.schemas.values():
            if known.database is not None and known.database.text.lower() == table.database.lower():
                return known.name.last.text
        return table.database

    def partitions(request: Request) -> int:
        return int(left(request.table, request.keys, time).rows.num_rows)

    def rows(name: str) -> int:
        table = engine.catalog.relation(name)
        assert isinstance(table, Table)
        return int(table.rows.num_rows)

    return Known(schema, partitions, rows)
