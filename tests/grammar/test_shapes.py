"""Expressions and queries, and the trees they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from shape import shape
from sqlglot import exp

from streamsql.sql.parser import parse_expression, parse_statement
from streamsql.statements.streaming import Query

HERE = Path(__file__).parent
INDENT = "    "


def records(file: str) -> list[tuple[str, str]]:
    """The texts of a file, each with the indented line below it; lines that begin with # are remarks."""
    pairs: list[tuple[str, str]] = []
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        if line.startswith(INDENT) and pairs:
            pairs[-1] = (pairs[-1][0], line.strip())
        elif line.strip() and not line.startswith("#"):
            pairs.append((line, ""))
    return pairs


def query_of(text: str) -> exp.Expression:
    statement = parse_statement(text)
    assert isinstance(statement, Query)
    return statement.query


READERS = {"shapes.txt": parse_expression, "query_shapes.txt": query_of}


def complete() -> None:
    """Write the trees into the files, for a reader to check."""
    for file, read in READERS.items():
        lines = []
        for line in (HERE / file).read_text(encoding="utf-8").splitlines():
            if not line.startswith(INDENT):
                lines.append(line)
                if line.strip() and not line.startswith("#"):
                    lines.append(INDENT + shape(read(line)))
        (HERE / file).write_text("\n".join(lines) + "\n", encoding="utf-8")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.config.getoption("--complete"):
        complete()
    if "text" in metafunc.fixturenames:
        cases = [(READERS[file], *record) for file in READERS for record in records(file)]
        metafunc.parametrize(("read", "text", "expected"), cases, ids=[text for _, text, _ in cases])


def test_shape(read: Callable[[str], exp.Expression], text: str, expected: str) -> None:
    assert shape(read(text)) == expected


def test_every_node_has_a_span_and_a_stock_class(read: Callable[[str], exp.Expression], text: str, expected: str) -> None:
    tree = read(text)
    for node in tree.walk():
        assert type(node).__module__.startswith("sqlglot."), node
        if not isinstance(node, exp.Var) and not node.find_ancestor(exp.DataType) and not isinstance(node, exp.DataType):
            span = node.meta["span"]
            assert (1, 1) <= (span.line, span.column) < (span.end_line, span.end_column), node
    assert shape(tree) == expected


def test_spans_reach_over_the_whole_of_an_operator() -> None:
    tree = parse_expression("a + (b\n * c)")
    outer, inner = tree.meta["span"], tree.expression.meta["span"]
    assert (outer.line, outer.column, outer.end_line) == (1, 1, 2)
    assert (inner.line, inner.column, inner.end_line, inner.end_column) == (1, 6, 2, 5)


def test_long_chains_do_not_nest_deep() -> None:
    tree = parse_expression(" OR ".join(f"a = {n}" for n in range(3000)))
    depth = 0
    node: object = tree
    while isinstance(node, exp.Or):
        node, depth = node.this, depth + 1
    assert depth < 24
    numbers = [int(literal.this) for literal in tree.find_all(exp.Literal, bfs=False)]
    assert numbers == list(range(3000))


def test_different_literals_are_different_trees() -> None:
    assert parse_expression("INTERVAL '1' MINUTE") != parse_expression("INTERVAL '1' HOUR")
    assert parse_expression("INTERVAL '1' MINUTE") != parse_expression("INTERVAL -'1' MINUTE")
    assert parse_expression("DATE '2004-05-01'") != parse_expression("'2004-05-01'")
    assert parse_expression("F(x, UNKNOWN)") == parse_expression("f(x, unknown)")
