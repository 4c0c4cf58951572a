"""An application of many statements."""

from __future__ import annotations

from pathlib import Path

from tests.application.command import arguments, lines, streamsql, write_application

STAGES = 24


def test_fifty_statements_start_and_hand_each_row_on_to_the_last(tmp_path: Path) -> None:
    statements = [
        'CREATE STREAM s0 ("name" VARCHAR(8), n INTEGER)',
        'CREATE PUMP p0 AS INSERT INTO s0 SELECT STREAM "name", 0 FROM "IN"',
    ]
    for i in range(1, STAGES + 1):
        statements.append(f'CREATE STREAM s{i} ("name" VARCHAR(8), n INTEGER)')
        statements.append(f'CREATE PUMP p{i} AS INSERT INTO s{i} SELECT STREAM "name", n + 1 FROM s{i - 1}')
    assert len(statements) == 50
    write_application(tmp_path, ";\n".join(statements), count=100)
    result = streamsql(*arguments(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [(row["name"], row["N"]) for row in lines(result.stdout)] == [(f"n{i * i % 5}", STAGES) for i in range(100)]
    assert "rows in 100, rows out 100, errors 0" in result.stderr
