"""Schema discovery: types, sizes and names."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from io_support import drain

from streamsql.errors import OperationalError
from streamsql.io.discover import column_name
from streamsql.io.open import discover, open_source


def types_of(path: Path, options: str = "") -> dict[str, str]:
    return {field.name: str(field.type) for field in discover(f"{path}{options}").fields}


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ("1 -2147483648", "INTEGER"),
        ("1 2147483648", "BIGINT"),
        ("-9223372036854775808", "BIGINT"),
        ("9223372036854775808", "DOUBLE"),
        ("1 2.0", "DOUBLE"),
        ("1e3", "DOUBLE"),
        ("NaN", "DOUBLE"),
        ("true null false", "BOOLEAN"),
        ("true 1", "VARCHAR(16)"),
        ('1 "x"', "VARCHAR(4)"),
        ('""', "VARCHAR(4)"),
        ('"a"', "VARCHAR(4)"),
        ('"ab"', "VARCHAR(16)"),
        ('"abcd" "a"', "VARCHAR(16)"),
        ('"abcde"', "VARCHAR(64)"),
        (f'"{"a" * 16}"', "VARCHAR(64)"),
        (f'"{"a" * 17}"', "VARCHAR(256)"),
        (f'"{"a" * 65}"', "VARCHAR(1024)"),
        (f'"{"a" * 20000}"', "VARCHAR(65534)"),
        ('"1"', "VARCHAR(4)"),
        ("[1,2] {}", "VARCHAR(64)"),
        ("null", "VARCHAR(64)"),
        ('"2026-01-01T00:00:00Z" "2026-01-01 00:00:00.123456"', "TIMESTAMP"),
        ('"2026-01-01 00:00:00" "x"', "VARCHAR(256)"),
        ('"2026-01-01"', "VARCHAR(64)"),
    ],
)
def test_types(tmp_path: Path, values: str, type_: str) -> None:
    lines = [
        f'{{"a": {value}}}\n' for value in (values.split() if '"2026' not in values else values.replace('" "', '"|"').split("|"))
    ]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    assert types_of(tmp_path / "a.jsonl") == {"a": type_}


def test_the_order_is_that_of_the_first_appearance(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"b": 1}\nrubbish\n{"a": 1, "b": 2, "c": 3}\n')
    assert list(types_of(tmp_path / "a.jsonl")) == ["b", "a", "c"]


def test_only_the_first_thousand_records_count(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 1000 + '{"a": "x"}\n')
    assert types_of(tmp_path / "a.jsonl") == {"a": "INTEGER"}
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 999 + '{"a": "x"}\n')
    assert types_of(tmp_path / "a.jsonl") == {"a": "VARCHAR(4)"}


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('year,state,name of,zip,x,t\n1990,TX,"a\nb",01234,1.5,true\n1991,,c,1,2,FALSE\n')
    expected = {
        "COL_year": "INTEGER",
        "state": "VARCHAR(16)",
        "COL_nameof": "VARCHAR(16)",
        "zip": "VARCHAR(64)",
        "x": "DOUBLE",
        "t": "BOOLEAN",
    }
    assert types_of(tmp_path / "a.csv") == expected
    rows, failed = drain(open_source(f"{tmp_path}/a.csv"))
    assert failed == []
    assert rows == [(1990, "TX", "a\nb", "01234", "1.5", True), (1991, None, "c", "1", "2.0", False)]
    (tmp_path / "b.csv").write_text("1,x\n2,y\n")
    assert types_of(tmp_path / "b.csv", "?header=false") == {"COL_0": "INTEGER", "COL_1": "VARCHAR(4)"}
    assert drain(open_source(f"{tmp_path}/b.csv?header=false"))[0] == [(1, "x"), (2, "y")]


@pytest.mark.parametrize(
    ("member", "name"),
    [
        ("price", "price"),
        ("Preis_€", "COL_Preis_"),
        ("USER", "COL_USER"),
        ("USER@DOMAIN", "COL_USERDOMAIN"),
        ("@@", "COL_0"),
        ("", "COL_0"),
        ("year", "COL_year"),
        ("2nd", "COL_2nd"),
        ("größe", "größe"),
        ("rowtime", "COL_rowtime"),
        ("STEP", "STEP"),
        ("x" * 101, ("COL_" + "x" * 101)[:100]),
    ],
)
def test_names(tmp_path: Path, member: str, name: str) -> None:
    assert column_name(member) == name
    (tmp_path / "a.jsonl").write_text(json.dumps({member: 17}))
    source = open_source(f"{tmp_path}/a.jsonl")
    assert [field.name for field in source.schema.fields] == [name]
    assert drain(source)[0] == [(17,)]


def test_rowtime_is_a_column_too(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"timestamp": "1970-01-01 00:00:01", "x": 1}\n')
    source = open_source(f"{tmp_path}/a.jsonl?rowtime=timestamp")
    assert [field.name for field in source.schema.fields] == ["ROWTIME", "COL_timestamp", "x"]
    assert drain(source)[0] == [(1000, 1000, 1)]


def test_files_with_types_of_their_own(tmp_path: Path) -> None:
    table = pa.table(
        {
            "i": pa.array([1], pa.int8()),
            "u": pa.array([1], pa.uint32()),
            "m": pa.array([None], pa.decimal128(10, 2)),
            "big": pa.array([None], pa.decimal128(38, 2)),
            "s": pa.array(["x"]).dictionary_encode(),
            "t": pa.array([1], pa.timestamp("us", "UTC")),
            "d": pa.array([1], pa.date32()),
            "l": pa.array([[1]]),
            "b": pa.array([b"x"]),
            "user": pa.array([True]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    expected = ["TINYINT", "BIGINT", "DECIMAL(10, 2)", "DOUBLE", "VARCHAR(65534)", "TIMESTAMP", "DATE", "VARCHAR(65534)"]
    assert types_of(tmp_path / "a.parquet") == dict(
        zip([*table.column_names[:-1], "COL_user"], [*expected, "VARBINARY(65534)", "BOOLEAN"], strict=True)
    )
    assert drain(open_source(f"{tmp_path}/a.parquet"))[0] == [(1, 1, None, "None", "x", 0, 1, "[1]", b"x", True)]


def test_nothing_to_discover(tmp_path: Path) -> None:
    for name, text in [("a.jsonl", ""), ("a.csv", "a,b\n"), ("b.jsonl", "rubbish\n")]:
        (tmp_path / name).write_text(text)
        with pytest.raises(OperationalError, match="no columns can be discovered") as error:
            discover(f"{tmp_path}/{name}")
        assert error.value.hint == "give them with --schema"
    (tmp_path / "c.jsonl").write_text('{"a": 1}')
    assert list(types_of(tmp_path / "?.jsonl")) == ["a"]
