"""Files as sources: any limits, any seek, globs, compression, growth."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from io_support import columns, drain, shown

from streamsql.errors import NotSupportedError, OperationalError
from streamsql.io import text_file
from streamsql.io.open import open_source
from streamsql.types import (
    BIGINT,
    DATE,
    DOUBLE,
    INTEGER,
    REAL,
    TIME,
    TIMESTAMP,
    TINYINT,
    Field,
    Kind,
    Schema,
    SqlType,
    decimal,
    varchar,
)

SCHEMA = columns(N=INTEGER, NAME=varchar(8))
RECORDS = [{"N": n, "NAME": None if n % 5 == 0 else f"n{n}\n,"} for n in range(60)]
LINES = [json.dumps(record) for record in RECORDS]
ROWS = [tuple(record.values()) for record in RECORDS]


def written(path: Path, first: int = 0, last: int = 60) -> Path:
    """Some records as a file of the format that the path means."""
    name = path.name
    if ".jsonl" in name:
        data = "".join(f"{line}\n" for line in LINES[first:last]).encode()
    elif ".json" in name:
        data = json.dumps(RECORDS[first:last], indent=1).encode()
    elif ".csv" in name:
        rows = [f"{r['N']},{'' if r['NAME'] is None else json.dumps(r['NAME'])}\n" for r in RECORDS[first:last]]
        data = ("N,NAME\n" + "".join(rows)).replace("\\n", "\n").encode()
    else:
        table = pa.Table.from_pylist(RECORDS[first:last], SCHEMA.arrow())
        if name.endswith(".parquet"):
            pq.write_table(table, path, row_group_size=7)
        else:
            with pa.ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table, max_chunksize=7)
        return path
    path.write_bytes(
        gzip.compress(data) if name.endswith(".gz") else pa.compress(data, "zstd", asbytes=True) if name.endswith("zst") else data
    )
    return path


NAMES = ["a.jsonl", "a.json", "a.csv", "a.jsonl.gz", "a.csv.zst", "a.parquet", "a.arrow"]


@pytest.mark.parametrize("name", NAMES)
def test_all_formats_give_the_same_rows(tmp_path: Path, name: str) -> None:
    source = open_source(str(written(tmp_path / name)), SCHEMA)
    assert source.bounded
    assert drain(source) == (ROWS, [])


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_limits_and_any_seek_give_the_same_rows(tmp_path: Path, name: str, data: st.DataObject) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "BLOCK", data.draw(st.sampled_from([1, 7, 64, 1000, 1 << 20])))
        first = written(tmp_path / name, 0, 25)
        second = written(tmp_path / f"b{name[1:]}", 25)
        pattern = f"{tmp_path}/[ab].{name.partition('.')[2]}"
        assert first.exists()
        assert second.exists()
        limits = data.draw(st.lists(st.integers(1, 30), max_size=8))
        source = open_source(pattern, SCHEMA)
        rows: list[Any] = []
        for limit in limits:
            polled = source.poll(limit)
            rows += shown(polled.rows)
            assert polled.rows is None or polled.rows.num_rows <= limit
        position = json.loads(json.dumps(source.position()))
        source.close()
        patch.setattr(text_file, "BLOCK", data.draw(st.sampled_from([1, 7, 64, 1000, 1 << 20])))
        again = open_source(pattern, SCHEMA)
        again.poll(data.draw(st.integers(1, 100)))
        again.seek(position)
        assert rows + drain(again, data.draw(st.lists(st.integers(1, 30), max_size=4)))[0] == ROWS


def test_failures_come_with_the_rows_around_them_and_know_how_far_the_stream_was(tmp_path: Path) -> None:
    times = [10, None, 30, 20, None, 40, None]
    text = "".join('{"N": "x"}\n' if t is None else f'{{"N": 1, "T": {t}}}\n' for t in times)
    (tmp_path / "a.jsonl").write_text(text)
    for limit in range(1, 8):
        source = open_source(f"{tmp_path}/a.jsonl?rowtime=T", SCHEMA)
        positions = []
        found = []
        while not (polled := source.poll(limit)).ended:
            found += polled.failed.rows if polled.failed else ()
            positions.append((source.position(), len(found)))
        assert [row.time for row in found] == [10, 30, 40]
        assert [row.rowtime for row in found] == [None] * 3
        for position, before in positions:
            again = open_source(f"{tmp_path}/a.jsonl?rowtime=T", SCHEMA)
            again.seek(position)
            assert drain(again)[1] == found[before:]
    rows, failed = drain(open_source(f"{tmp_path}/a.jsonl", SCHEMA), default=3)
    assert (len(rows), [row.time for row in failed]) == (4, [None] * 3)


def test_a_glob_is_one_stream_in_name_order(tmp_path: Path) -> None:
    written(tmp_path / "2.jsonl", 30)
    written(tmp_path / "1.jsonl", 0, 30)
    written(tmp_path / ".0.jsonl")
    (tmp_path / "sub").mkdir()
    written(tmp_path / "sub" / "3.jsonl")
    assert drain(open_source(f"{tmp_path}/*.jsonl", SCHEMA))[0] == ROWS
    assert drain(open_source(f"{tmp_path}/?.jsonl?follow=false", SCHEMA))[0] == ROWS
    assert len(drain(open_source(f"{tmp_path}/**/*.jsonl", SCHEMA))[0]) == 2 * len(ROWS)
    (tmp_path / "[12].jsonl").write_text(LINES[0])
    assert drain(open_source(f"{tmp_path}/[12].jsonl", SCHEMA))[0] == ROWS[:1]


def test_relative_paths_and_file_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path / "a b?.jsonl")
    for uri in [
        "a b?.jsonl",
        "a*.jsonl",
        f"file://{tmp_path}/a%20b%3F.jsonl",
        f"file://localhost{tmp_path}/a%20b%3F.jsonl?follow=false",
    ]:
        assert drain(open_source(uri, SCHEMA))[0] == ROWS


@pytest.mark.parametrize("text", ["", "\n\n", " "])
def test_empty_files(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    written(tmp_path / "b.jsonl")
    assert drain(open_source(f"{tmp_path}/a.jsonl", SCHEMA)) == ([], [])
    assert drain(open_source(f"{tmp_path}/?.jsonl", SCHEMA)) == (ROWS, [])
    (tmp_path / "a.csv").write_text(text)
    assert drain(open_source(f"{tmp_path}/a.csv", SCHEMA)) == ([], [])


def test_a_followed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("")
    source = open_source(f"{path}?follow=true", SCHEMA)
    assert not source.bounded
    assert source.poll(10).rows is None
    with path.open("a") as file:
        rows: list[Any] = []
        for line in LINES[:3]:
            file.write(line[:5])
            file.flush()
            assert source.poll(10).rows is None
            file.write(line[5:] + "\n")
            file.flush()
            polled = source.poll(10)
            rows += shown(polled.rows)
            assert not source.poll(10).ended
        assert rows == ROWS[:3]
        position = source.position()
        file.write("\n".join(LINES[3:]))
    again = open_source(f"{path}?follow=true", SCHEMA)
    again.seek(position)
    assert shown(again.poll(100).rows) == ROWS[3:-1]  # the last line may still grow
    written(tmp_path / "b.jsonl")
    path.write_text("")
    with pytest.raises(OperationalError, match="shorter than it was"):
        again.poll(100)


def test_a_followed_glob_goes_on_with_the_next_file(tmp_path: Path) -> None:
    written(tmp_path / "a.jsonl", 0, 20)
    source = open_source(f"{tmp_path}/*.jsonl?follow=true", SCHEMA)
    rows = shown(source.poll(100).rows)
    assert source.poll(100).rows is None
    written(tmp_path / "b.jsonl", 20)
    assert rows + shown(source.poll(100).rows) == ROWS
    position = source.position()
    again = open_source(f"{tmp_path}/*.jsonl?follow=true", SCHEMA)
    again.seek(position)
    assert again.poll(100).rows is None


def test_the_last_line_of_a_followed_file_is_read_when_another_file_comes(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(LINES[:2]))
    source = open_source(f"{tmp_path}/*.jsonl?follow=true", SCHEMA)
    rows = shown(source.poll(100).rows)
    assert rows == ROWS[:1]
    position = source.position()
    written(tmp_path / "b.jsonl", 2)
    for again in (source, open_source(f"{tmp_path}/*.jsonl?follow=true", SCHEMA)):
        if again is not source:
            again.seek(position)
        rest = shown(again.poll(1).rows)
        between = again.position()
        assert rest == ROWS[1:2]
        assert shown(again.poll(100).rows) == ROWS[2:]
        third = open_source(f"{tmp_path}/*.jsonl?follow=true", SCHEMA)
        third.seek(between)
        assert shown(third.poll(100).rows) == ROWS[2:]


@pytest.mark.parametrize("pattern", ["a.jsonl", "*.jsonl"])
def test_a_followed_file_that_is_taken_away(tmp_path: Path, pattern: str) -> None:
    path = written(tmp_path / "a.jsonl")
    source = open_source(f"{tmp_path}/{pattern}?follow=true", SCHEMA)
    source.poll(1_000)
    path.unlink()
    with pytest.raises(OperationalError, match=r"cannot .*a\.jsonl"):
        source.poll(1_000)


@pytest.mark.parametrize("name", NAMES)
def test_a_finished_input_that_has_grown(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, 0, 30)
    source = open_source(str(path), SCHEMA)
    assert not source.grown(source.position())
    while not source.poll(100).ended:
        pass
    position = json.loads(json.dumps(source.position()))
    again = open_source(str(path), SCHEMA)
    assert not again.grown(position)
    again.seek(position)
    assert again.poll(10).ended
    written(path)
    assert open_source(str(path), SCHEMA).grown(position)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_cut_is_not_gone_on_with(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_file, "BLOCK", 100)
        source = open_source(str(path), SCHEMA)
        for _ in range(5):
            source.poll(10)
        position = source.position()
        written(path, 0, 5)
        with pytest.raises(OperationalError, match="shorter than it was"):
            open_source(str(path), SCHEMA).seek(position)
        path.unlink()
        written(path.with_name(f"x{name}"))
        with pytest.raises(OperationalError, match="it is gone"):
            open_source(f"{tmp_path}/*.{name.partition('.')[2]}", SCHEMA).seek(position)


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("missing.jsonl", "no such file: 'missing.jsonl'"),
        ("missing-*.jsonl", "no file matches"),
        (".", "is a directory"),
        ("a.txt", "unknown format 'txt'"),
        ("a.jsonl?rowtme=ts", "unknown option 'rowtme'"),
        ("a.jsonl?follow=maybe", "is true or false"),
        ("a.jsonl?lateness=5", "'5' is no duration"),
        ("a.jsonl?follow=true&follow=true", "is given twice"),
        ("a.jsonl?format=", "has no value"),
        ("a.parquet?follow=true", "needs a text format"),
        ("b.jsonl.gz?follow=true", "text that is not compressed"),
        ("b.jsonl.gz", "cannot read 'b.jsonl.gz'"),
        ("b.parquet", "cannot read 'b.parquet'"),
        ("b.arrow", "cannot read 'b.arrow'"),
        ("file://", "no path"),
    ],
)
def test_what_cannot_be_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, error: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ["a.jsonl", "a.txt", "a.parquet"]:
        written(tmp_path / name) if name != "a.txt" else (tmp_path / name).write_text("")
    for name in ["b.jsonl.gz", "b.parquet", "b.arrow"]:
        (tmp_path / name).write_bytes(b"rubbish " * 10)
    with pytest.raises(OperationalError, match=error):
        open_source(uri, SCHEMA).poll(1)


@pytest.mark.parametrize("name", ["b.jsonl.gz", "b.parquet", "b.arrow"])
def test_the_columns_of_rubbish(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"rubbish " * 10)
    with pytest.raises(OperationalError, match="cannot read"):
        open_source(str(tmp_path / name))


def test_inputs_that_are_not_supported_yet() -> None:
    for scheme in ("kinesis", "firehose", "kafka"):
        with pytest.raises(NotSupportedError, match=f"not supported yet: {scheme}://"):
            open_source(f"{scheme}://stream", SCHEMA)


def test_a_directory_stands_in_for_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bucket" / "logs").mkdir(parents=True)
    written(tmp_path / "bucket" / "logs" / "a.jsonl")
    assert drain(open_source("s3://bucket/logs/*.jsonl", SCHEMA, s3_root=str(tmp_path)))[0] == ROWS
    monkeypatch.setenv("STREAMSQL_S3_ROOT", f"{tmp_path}/")
    assert drain(open_source("s3://bucket/logs/a.jsonl", SCHEMA))[0] == ROWS


CASTS: list[tuple[pa.Array, SqlType, list[Any]]] = [
    (pa.array([1, None]), TINYINT, [1, None]),
    (pa.array([5.0]), INTEGER, [5]),
    (pa.array([1, 0]), SqlType(Kind.BOOLEAN), [True, False]),
    (pa.array(["7", "abcdefghij"]), varchar(3), ["7", "abc"]),
    (pa.array(["17"]), INTEGER, [17]),
    (pa.array(["a", "a"]).dictionary_encode(), varchar(), ["a", "a"]),
    (pa.array(["a"], pa.large_string()), varchar(), ["a"]),
    (pa.array([1.5]), varchar(), ["1.5"]),
    (pa.array([True]), varchar(), ["true"]),
    (pa.array([[1, 2]]), varchar(), ["[1, 2]"]),
    (pa.array([b"ab"]), varchar(), ["ab"]),
    (pa.array([b"abc"]), SqlType(Kind.BINARY, length=2), [b"ab"]),
    (pa.array([-1_500_001], pa.timestamp("us")), TIMESTAMP, [-1501]),
    (pa.array([1000], pa.timestamp("ns", "America/New_York")), TIMESTAMP, [0]),
    (pa.array([-1], pa.timestamp("s")), DATE, [-1]),
    (pa.array([1], pa.date32()), TIMESTAMP, [86_400_000]),
    (pa.array([1_500_000], pa.time64("us")), TIME, [1500]),
    (pa.array([86_401_000], pa.timestamp("ms")), TIME, [1000]),
    (pa.array([86_401_000], pa.timestamp("ms")), varchar(), ["1970-01-02 00:00:01.000"]),
    (pa.array([1.5], pa.float16()), REAL, ["1.5"]),
    (pa.array([2**63 - 1], pa.uint64()), BIGINT, [2**63 - 1]),
    (pa.nulls(2), DOUBLE, ["None", "None"]),
]


@pytest.mark.parametrize(("array", "type_", "values"), CASTS, ids=lambda value: str(getattr(value, "type", value)))
@pytest.mark.parametrize("ending", ["parquet", "arrow"])
def test_columns_of_other_types(tmp_path: Path, ending: str, array: pa.Array, type_: SqlType, values: list[Any]) -> None:
    table = pa.table({"a": array, "b": pa.array([1] * len(array))})
    path = tmp_path / f"a.{ending}"
    if ending == "parquet":
        if pa.types.is_null(array.type) or pa.types.is_timestamp(array.type):
            pytest.skip("Parquet has no such type")
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(str(path), table.schema) as writer:
            writer.write_table(table)
    assert drain(open_source(str(path), columns(A=type_))) == ([(value,) for value in values], [])


@pytest.mark.parametrize(
    ("array", "type_", "bad"),
    [
        (pa.array([1, 300, 2]), TINYINT, 1),
        (pa.array([1.0, 2.0, 2.5]), INTEGER, 2),
        (pa.array(["x", "1", "2"]), INTEGER, 0),
        (pa.array([1, 2, 3]), TIMESTAMP, None),
        (pa.array([[1], [2], [3]]), INTEGER, None),
        (pa.array([999.995, 1, 2]), decimal(5, 2), 0),
    ],
)
def test_rows_of_tables_that_do_not_fit(tmp_path: Path, array: pa.Array, type_: SqlType, bad: int | None) -> None:
    pq.write_table(pa.table({"A": array}), tmp_path / "a.parquet")
    rows, failed = drain(open_source(f"{tmp_path}/a.parquet", columns(A=type_)))
    assert len(rows) == (0 if bad is None else 2)
    assert [row.data for row in failed] == [
        json.dumps({"A": value}).encode() for n, value in enumerate(array.to_pylist()) if bad in (None, n)
    ]
    assert failed[0].failure.name == "Coercion error"
    rows, failed = drain(open_source(f"{tmp_path}/a.parquet", Schema((Field("B", INTEGER, nullable=False),))))
    assert (rows, {row.failure.message for row in failed}) == ([], {"NULL in column B, which is NOT NULL"})


def test_rowtime_of_tables(tmp_path: Path) -> None:
    for array in (
        pa.array([1, 2, None], pa.timestamp("ms")),
        pa.array([1, 2, None]),
        pa.array(["1", "1970-01-01 00:00:00.002", "x"]),
    ):
        pq.write_table(pa.table({"ts": array, "N": [1, 2, 3]}), tmp_path / "a.parquet")
        rows, failed = drain(open_source(f"{tmp_path}/a.parquet?rowtime=ts", columns(N=INTEGER)))
        assert rows == [(1, 1), (2, 2)]
        assert [(row.failure.message, row.rowtime, row.time) for row in failed] == [("no value for ROWTIME", None, 2)]
