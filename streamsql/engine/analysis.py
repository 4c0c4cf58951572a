"""EXPLAIN ANALYZE: a query that is run for what it tells; its rows are thrown away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from streamsql.bind.parameters import Parameters
from streamsql.engine.leaves import Leaf
from streamsql.engine.row_count import RowCount
from streamsql.engine.runtime import Runtime
from streamsql.engine.table_rows import TableRows
from streamsql.errors import OperationalError, ProgrammingError
from streamsql.external.formats import FileKind
from streamsql.external.scan.counts import Stretch
from streamsql.external.scan.scan import Scan
from streamsql.operator import Operator
from streamsql.plan import nodes
from streamsql.plan.explain import Remarks, explain
from streamsql.statements.streaming import Explain, Query


def analyzed(engine: Runtime, statement: Explain, parameters: Parameters) -> str:
    """The plan of a query with the rows that each operator gave, and what each scan of an external table has read.

    Nodes that are carried out together with the one above them have no rows of their own.
    """
    if not isinstance(statement.statement, Query):
        raise ProgrammingError("EXPLAIN ANALYZE runs a query, and this is none", statement.statement.span, "EXPLAIN")
    plan = engine.plan_of(statement.statement, parameters)
    if nodes.streams_of(plan):
        text = "EXPLAIN ANALYZE runs a query to its end, and this one reads a stream, which never ends"
        raise ProgrammingError(text, statement.statement.span, "EXPLAIN")
    plan = plan.rewrite(replace)  # a node that stands twice in it is two from here on
    query = engine.table_query(plan, engine.catalog, statement.text)
    counts = {id(node): RowCount() for node in query.built.plan_nodes}
    operators = {id(node): vertex.operator for node, vertex in zip(query.built.plan_nodes, query.built.vertices, strict=True)}
    for node, vertex in zip(query.built.plan_nodes, query.built.vertices, strict=True):
        vertex.outlets.append(counts[id(node)])
    whole = Stretch()
    with whole.measured(engine.clock):
        rows = _thrown_away(engine, query.rows)
    return f"{explain(plan, _remarks(counts, operators, query.leaves))}\n{_rows(rows)} in {_duration(whole)}"


def _thrown_away(engine: Runtime, rows: TableRows) -> int:
    """Run a query to its end; gives the number of its rows."""

    def check() -> None:
        if engine.interrupted:
            raise OperationalError("interrupted")

    try:
        return sum(batch.num_rows for batch in rows.batches(check))
    finally:
        rows.close()


def _remarks(counts: dict[int, RowCount], operators: dict[int, Operator], leaves: Sequence[Leaf]) -> Remarks:
    given = {**counts, **{id(leaf.node): leaf.count for leaf in leaves}}
    scans = {id(leaf.node): leaf.scan for leaf in leaves if leaf.scan is not None}

    def remarks(node: nodes.Node) -> tuple[str, Sequence[str]]:
        count, scan, operator = given.get(id(node)), scans.get(id(node)), operators.get(id(node))
        lines = [] if scan is None else [_read(scan)]
        if operator is not None and operator.spilled:
            lines.append(f"{operator.spilled:,} bytes were put on disk")
        return "" if count is None else f" ({_rows(count.rows)})", lines

    return remarks


def _read(scan: Scan) -> str:
    """What a scan has read, and of how much."""
    counts, table = scan.counts, scan.request.table
    files = f"{counts.files:,} file{'s' * (counts.files != 1)} of {counts.size:,} bytes"
    parts = [f"{_rows(counts.rows)} scanned, {counts.bytes:,} bytes read; {files}"]
    if table.keys:
        parts.append(f"{counts.partitions_read:,} of {counts.partitions:,} partitions")
    if table.kind in _PARTS:
        passed = counts.row_groups - counts.row_groups_read
        filtered = f" ({counts.row_groups_filtered:,} by Bloom filters)" if counts.row_groups_filtered else ""
        of_all = f"{counts.row_groups_read:,} of {counts.row_groups:,} {_PARTS[table.kind]}"
        parts.append(f"{of_all}, {passed:,} passed over{filtered}")
    if counts.rows_passed:
        parts.append(f"{_rows(counts.rows_passed)} of pages passed over")
    return "; ".join([*parts, _duration(counts.whole)])


_PARTS = {FileKind.PARQUET: "row groups", FileKind.ORC: "stripes"}
"""What files of some formats consist of, of which parts may be passed over."""


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _duration(stretch: Stretch) -> str:
    return f"{stretch.elapsed / 1000:,.1f} ms"
