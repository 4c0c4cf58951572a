"""Outputs: complete, exactly once, and a prefix of the undisturbed output at every moment."""

from __future__ import annotations

import gc
import gzip
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from io_support import columns, drain

from streamsql.errors import NotSupportedError, OperationalError
from streamsql.io.open import open_sink, open_source
from streamsql.io.sinks.sink import Delivery
from streamsql.types import DOUBLE, INTEGER, Schema, varchar

SCHEMA = columns(N=INTEGER, NAME=varchar(16), X=DOUBLE)
TEXT_OUTPUTS = ["out.jsonl", "out.csv", "out.csv?header=false", "out.jsonl.gz", "out.csv.zst"]
TABLE_OUTPUTS = ["out.parquet", "out.arrow"]
FOLDER_OUTPUTS = ["out/", "out/?format=csv", "out/?format=parquet"]


def batch(first: int, count: int) -> pa.RecordBatch:
    numbers = range(first, first + count)
    names = [None if n % 7 == 0 else f'n"{n},' for n in numbers]
    return pa.RecordBatch.from_arrays(
        [pa.array(numbers, pa.int32()), pa.array(names), pa.array([n / 4 for n in numbers])], SCHEMA.arrow().names
    ).cast(SCHEMA.arrow())


BATCHES = [batch(10 * i, i % 4 * 3) for i in range(6)]


class Checkpoint:
    """What an engine would keep of a run."""

    def __init__(self) -> None:
        self.text: str | None = None

    def save(self, value: Any) -> None:
        self.text = json.dumps(value)

    def load(self) -> Any:
        return None if self.text is None else json.loads(self.text)


def run(uri: str, staging: Path | None, checkpoint: Checkpoint, batches: list[pa.RecordBatch] = BATCHES) -> None:
    """Write all batches with a checkpoint after every second one, going on where the last run stopped."""
    state = checkpoint.load()
    sink = open_sink(uri, SCHEMA, staging, resume=state is not None)
    start = 0
    if state is not None:
        sink.commit(state["staged"])
        start = state["next"]
    for number in range(start, len(batches) + 1):
        if number < len(batches):
            sink.write(batches[number])
        if number % 2 or number == len(batches):
            staged = sink.prepare()
            checkpoint.save({"next": number + 1, "staged": staged})
            sink.commit(json.loads(json.dumps(staged)))
    sink.close()


def content(path: Path) -> bytes | dict[str, bytes]:
    """The bytes of an output; of a folder, those of each visible file."""
    if path.is_dir():
        return {p.name: p.read_bytes() for p in sorted(path.iterdir())}
    return path.read_bytes() if path.exists() else b""


def is_prefix(part: bytes | dict[str, bytes], whole: bytes | dict[str, bytes]) -> bool:
    if isinstance(whole, dict):
        part = part or {}
        assert isinstance(part, dict)
        return list(part.items()) == list(whole.items())[: len(part)]
    assert isinstance(part, bytes)
    return whole.startswith(part)


def rows_in(uri: str) -> list[tuple[Any, ...]]:
    return drain(open_source(uri, SCHEMA))[0]


ALL_ROWS = [(n, None if n % 7 == 0 else f'n"{n},', repr(n / 4)) for b in BATCHES for n in b.column(0).to_pylist()]


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("output", TEXT_OUTPUTS + TABLE_OUTPUTS + FOLDER_OUTPUTS)
def test_what_is_written_can_be_read(tmp_path: Path, output: str, staged: bool) -> None:
    uri = f"{tmp_path}/{output}"
    run(uri, tmp_path / "staging" if staged else None, Checkpoint())
    if output.startswith("out/"):
        ending = output.partition("=")[2] or "jsonl"
        assert [p.name for p in sorted((tmp_path / "out").iterdir())] == [f"part-{n:06d}.{ending}" for n in range(1, 4)]
        uri = f"{tmp_path}/out/*.{ending}"
    assert rows_in(uri) == ALL_ROWS
    assert [p.name for p in tmp_path.iterdir() if p.name != "staging"] == [output.partition("?")[0].rstrip("/")]
    assert not staged or list((tmp_path / "staging").iterdir()) == []


@pytest.mark.parametrize("staged", [True, False])
@pytest.mark.parametrize("output", TEXT_OUTPUTS + TABLE_OUTPUTS)
def test_an_output_without_rows_exists(tmp_path: Path, output: str, staged: bool) -> None:
    uri = f"{tmp_path}/{output}"
    sink = open_sink(uri, SCHEMA, tmp_path / "staging" if staged else None)
    sink.close()
    assert rows_in(uri) == []
    expected = {"out.jsonl": b"", "out.csv": b"N,NAME,X\n", "out.csv?header=false": b""}
    if output in expected:
        assert content(tmp_path / output.partition("?")[0]) == expected[output]


@pytest.mark.parametrize("output", TEXT_OUTPUTS + TABLE_OUTPUTS + FOLDER_OUTPUTS)
def test_a_fresh_run_begins_anew(tmp_path: Path, output: str) -> None:
    uri = f"{tmp_path}/{output}"
    run(uri, tmp_path / "a", Checkpoint())
    before = content(tmp_path / output.partition("?")[0])
    open_sink(uri, SCHEMA, tmp_path / "b").abandon()
    assert not content(tmp_path / output.partition("?")[0])
    run(uri, tmp_path / "b", Checkpoint())
    assert content(tmp_path / output.partition("?")[0]) == before


@pytest.mark.parametrize("output", TEXT_OUTPUTS + TABLE_OUTPUTS + FOLDER_OUTPUTS)
def test_a_finished_run_given_again_changes_nothing(tmp_path: Path, output: str) -> None:
    checkpoint = Checkpoint()
    run(f"{tmp_path}/{output}", tmp_path / "staging", checkpoint)
    before = content(tmp_path / output.partition("?")[0])
    run(f"{tmp_path}/{output}", tmp_path / "staging", checkpoint)
    assert content(tmp_path / output.partition("?")[0]) == before


class Crash(BaseException):
    """The process is gone."""


@pytest.fixture
def crash_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Lets the n-th call from now that changes a file be the last one; a write is only half done then."""
    left = [0]

    def counted(name: str) -> None:
        original = getattr(os, name)

        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                if name == "pwrite":
                    original(arguments[0], arguments[1][: len(arguments[1]) // 2], arguments[2])
                raise Crash
            return None if name == "fsync" else original(*arguments, **options)

        monkeypatch.setattr(os, name, call)

    for name in ("pwrite", "fsync", "ftruncate", "replace", "unlink", "open", "mkdir"):
        counted(name)

    def arm(calls: int) -> None:
        left[0] = calls

    return arm


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # half-written Parquet files complain
@pytest.mark.parametrize("output", TEXT_OUTPUTS + TABLE_OUTPUTS + FOLDER_OUTPUTS)
def test_a_crash_between_any_two_calls(tmp_path: Path, output: str, crash_at: Callable[[int], None]) -> None:
    run(f"{tmp_path}/whole-{output}", tmp_path / "staging-whole", Checkpoint())
    whole = content(tmp_path / f"whole-{output}".partition("?")[0])
    for calls in range(1, 1000):
        name = f"{calls}-{output}"
        path = tmp_path / name.partition("?")[0]
        checkpoint = Checkpoint()
        crashed = False
        crash_at(calls)
        try:
            run(f"{tmp_path}/{name}", tmp_path / f"staging-{calls}", checkpoint)
        except Crash:
            crashed = True
        crash_at(0)
        if not crashed:
            assert calls > 20
            gc.collect()
            return
        if output not in TABLE_OUTPUTS:
            assert is_prefix(content(path), whole)
        run(f"{tmp_path}/{name}", tmp_path / f"staging-{calls}", checkpoint)
        if output in TABLE_OUTPUTS:
            assert rows_in(f"{tmp_path}/{name}") == ALL_ROWS
        else:
            assert content(path) == whole


PROGRAM = """
import json, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_io_sinks import Checkpoint, batch, run

class OnDisk(Checkpoint):
    def save(self, value):
        Path("checkpoint.new").write_text(json.dumps(value))
        Path("checkpoint.new").replace("checkpoint")
    def load(self):
        return json.loads(Path("checkpoint").read_text()) if Path("checkpoint").exists() else None

print("ready", flush=True)
run({output!r}, Path("staging"), OnDisk(), [batch(100 * i, 100) for i in range(24)])
"""


@pytest.mark.parametrize("output", ["out.jsonl", "out.csv.gz"])
def test_killed_at_random_moments(tmp_path: Path, output: str) -> None:
    batches = [batch(100 * i, 100) for i in range(24)]
    run(f"{tmp_path}/whole-{output}", tmp_path / "whole-staging", Checkpoint(), batches)
    whole = content(tmp_path / f"whole-{output}")
    program = textwrap.dedent(PROGRAM).format(folder=str(Path(__file__).parent), output=output)
    moments = random.Random(output)
    for attempt in range(3):
        process = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        if attempt < 2:
            try:
                process.wait(moments.uniform(0.0, 0.15))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert is_prefix(content(tmp_path / output), whole)
    assert process.returncode == 0
    assert content(tmp_path / output) == whole


def test_an_output_that_was_cut_is_not_gone_on_with(tmp_path: Path) -> None:
    checkpoint = Checkpoint()
    run(f"{tmp_path}/out.jsonl", tmp_path / "staging", checkpoint)
    (tmp_path / "out.jsonl").write_bytes(b"")
    with pytest.raises(OperationalError, match="shorter than it was"):
        run(f"{tmp_path}/out.jsonl", tmp_path / "staging", checkpoint)


def test_an_older_checkpoint_takes_back_what_came_after_it(tmp_path: Path) -> None:
    sink = open_sink(f"{tmp_path}/out.jsonl", SCHEMA, tmp_path / "staging")
    stages = []
    for rows in BATCHES[1:4]:
        sink.write(rows)
        stages.append(sink.prepare())
        sink.commit(stages[-1])
    whole = content(tmp_path / "out.jsonl")
    sink.abandon()
    sink = open_sink(f"{tmp_path}/out.jsonl", SCHEMA, tmp_path / "staging", resume=True)
    sink.commit(stages[0])
    assert content(tmp_path / "out.jsonl") == whole[: stages[0]["length"]]
    for rows in BATCHES[2:4]:
        sink.write(rows)
    sink.commit(sink.prepare())
    sink.close()
    assert content(tmp_path / "out.jsonl") == whole


def test_every_member_of_compressed_output_is_a_commit(tmp_path: Path) -> None:
    run(f"{tmp_path}/out.jsonl.gz", None, Checkpoint())
    data = (tmp_path / "out.jsonl.gz").read_bytes()
    assert data.count(b"\x1f\x8b\x08") == 3
    assert len(gzip.decompress(data).splitlines()) == len(ALL_ROWS)


def test_guarantees_are_declared(tmp_path: Path) -> None:
    def delivery(uri: str, staging: Path | None) -> Delivery:
        sink = open_sink(uri, SCHEMA, staging)
        sink.abandon()
        return sink.delivery

    for output in ["out.jsonl", "out.parquet", "out/"]:
        assert delivery(f"{tmp_path}/{output}", tmp_path / "staging") is Delivery.EXACTLY_ONCE
        (tmp_path / "out").rmdir() if output == "out/" else None
        assert delivery(f"{tmp_path}/{output}", None) is Delivery.AT_LEAST_ONCE
    assert delivery("-", None) is Delivery.AT_LEAST_ONCE


def test_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    for uri, stream in [("-", None), ("-?format=csv", None), ("-", 'S"1')]:
        sink = open_sink(uri, Schema(SCHEMA.fields[:1]), stream=stream)
        sink.write(BATCHES[1].select([0]))
        sink.commit(sink.prepare())
        sink.close()
    lines = b'{"N": 10}\n{"N": 11}\n{"N": 12}\nN\n10\n11\n12\n'
    lines += b"".join(b'{"stream": "S\\"1", "row": {"N": %d}}\n' % n for n in (10, 11, 12))
    assert capfdbinary.readouterr().out == lines


def test_a_reader_that_goes_away() -> None:
    program = """
        import sys
        from streamsql.io.open import open_sink
        sys.path.insert(0, {folder!r})
        from test_io_sinks import SCHEMA, batch
        sink = open_sink("-", SCHEMA)
        try:
            while True:
                sink.write(batch(0, 1000))
        except BrokenPipeError:
            import os
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            sys.exit(7)
    """
    code = textwrap.dedent(program).format(folder=str(Path(__file__).parent))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(10) == b'{"N": 0, "'
    process.stdout.close()
    assert process.wait() == 7


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("missing/out.jsonl", "cannot write"),
        ("missing/out.parquet", "cannot write"),
        ("out.txt", "unknown format 'txt'"),
        ("out", "does not tell its format"),
        ("out.parquet.gz", "must not be compressed once more"),
        ("-?format=parquet", "a pipe takes text formats only"),
        ("out.jsonl?rowtime=ts", "is for inputs"),
        (".", "is a directory"),
    ],
)
def test_what_cannot_be_an_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, error: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperationalError, match=error):
        open_sink(uri, SCHEMA)


def test_outputs_that_are_not_supported_yet() -> None:
    with pytest.raises(NotSupportedError, match="not supported yet: kinesis://"):
        open_sink("kinesis://stream", SCHEMA)


def test_devices_and_pipes_are_written_to(tmp_path: Path) -> None:
    def read() -> Iterator[bytes]:
        with subprocess.Popen(["cat", str(tmp_path / "pipe")], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            yield b""
            yield process.stdout.read()

    os.mkfifo(tmp_path / "pipe")
    reader = read()
    next(reader)
    sink = open_sink(f"{tmp_path}/pipe", Schema(SCHEMA.fields[:1]))
    sink.write(BATCHES[1].select([0]))
    sink.close()
    assert next(reader) == b'{"N": 10}\n{"N": 11}\n{"N": 12}\n'
