"""Pipes as sources: what has come is there, nothing blocks, the end is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from io_support import columns, drain, shown

from streamsql.errors import OperationalError
from streamsql.io import pipe
from streamsql.io.decoding import Target
from streamsql.io.json.lines import JsonLinesDecoder
from streamsql.io.open import open_source
from streamsql.io.pipe import PipeReader, PipeSource
from streamsql.io.source import Polled
from streamsql.types import INTEGER

SCHEMA = columns(N=INTEGER)


class Pipe:
    """A pipe, its source, and a flag that is set when the source wakes its engine."""

    def __init__(self) -> None:
        read, self._write = os.pipe()
        self.woken = threading.Event()
        target = Target(SCHEMA.fields)
        self.source = PipeSource(PipeReader(read, self.woken.set), JsonLinesDecoder(target), target.schema, "stdin")

    def write(self, data: bytes) -> None:
        os.write(self._write, data)

    def end(self) -> None:
        os.close(self._write)

    def poll_when_woken(self, limit: int = 1000) -> Polled:
        assert self.woken.wait(10)
        self.woken.clear()
        return self.source.poll(limit)


@pytest.fixture
def piped() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.source.close()


def test_rows_are_there_as_soon_as_their_line_is_complete(piped: Pipe) -> None:
    assert not piped.source.bounded
    assert piped.source.poll(10) == Polled()
    piped.write(b'{"N": 1}\n{"N"')
    assert shown(piped.poll_when_woken().rows) == [(1,)]
    assert piped.source.poll(10) == Polled()
    piped.write(b': 2}\nnonsense\n{"N": 3}')
    polled = piped.poll_when_woken()
    assert shown(polled.rows) == [(2,)]
    assert polled.failed is not None
    assert [row.data for row in polled.failed.rows] == [b"nonsense"]
    piped.end()
    assert shown(piped.poll_when_woken().rows) == [(3,)]
    assert piped.source.poll(10) == Polled(ended=True)
    assert piped.source.position() == {"records": 4}


def test_limits(piped: Pipe) -> None:
    piped.write(b'{"N": 1}\n{"N": 2}\n{"N": 3}\n')
    assert shown(piped.poll_when_woken(2).rows) == [(1,), (2,)]
    assert piped.source.position() == {"records": 2}
    assert shown(piped.source.poll(2).rows) == [(3,)]
    piped.end()


def test_a_pipe_cannot_be_rewound(piped: Pipe) -> None:
    piped.source.seek({"records": 0})
    with pytest.raises(OperationalError, match="stdin cannot be rewound"):
        piped.source.seek({"records": 1})
    assert not piped.source.grown(piped.source.position())
    piped.end()


def test_closing_does_not_wait_for_the_writer() -> None:
    piped = Pipe()
    start = time.monotonic()
    piped.source.close()
    assert time.monotonic() - start < 5
    piped.end()


def test_the_writer_waits_when_nobody_reads(monkeypatch: pytest.MonkeyPatch, piped: Pipe) -> None:
    monkeypatch.setattr(pipe, "ROOM", 1000)
    line = b'{"N": 1}\n'
    total = 100_000

    def write() -> None:
        for _ in range(total // 1000):
            piped.write(line * 1000)
        piped.end()

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(0.3)
    assert writer.is_alive()
    rows = 0
    while not (polled := piped.source.poll(100_000)).ended:
        rows += polled.rows.num_rows if polled.rows is not None else 0
    writer.join()
    assert rows == total


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 40), max_size=10), st.lists(st.integers(1, 5), max_size=5))
def test_any_pieces_give_the_same_rows(pieces: list[int], limits: list[int]) -> None:
    piped = Pipe()
    data = b"".join(b'{"N": %d}\n' % n for n in range(20))

    def write(rest: bytes = data) -> None:
        for size in pieces:
            if rest[:size]:
                piped.write(rest[:size])
            rest = rest[size:]
        if rest:
            piped.write(rest)
        piped.end()

    writer = threading.Thread(target=write)
    writer.start()
    assert drain(piped.source, limits) == ([(n,) for n in range(20)], [])
    writer.join()


def fifo(tmp_path: Path, *pieces: bytes | float) -> str:
    """A named pipe into which a thread writes these pieces; a number is a pause in seconds."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as file:
            for piece in pieces:
                time.sleep(piece) if isinstance(piece, float) else file.write(piece)

    threading.Thread(target=write).start()
    return str(path)


def test_named_pipes_and_discovery(tmp_path: Path) -> None:
    source = open_source(fifo(tmp_path, 0.2, b'{"a": 1}\n', 0.1, b'{"a": 2.5, "b": "x"}\n{"a": 3}'))
    assert drain(source) == ([("1.0", None), ("2.5", "x"), ("3.0", None)], [])


def test_discovery_takes_what_came_within_a_second(tmp_path: Path) -> None:
    source = open_source(fifo(tmp_path, b'{"a": 1}\n{"a":', 1.5, b' 2}\n{"b": 2}\n'))
    assert [field.name for field in source.schema.fields] == ["a"]
    assert drain(source) == ([(1,), (2,), (None,)], [])


def test_discovery_of_csv_and_its_header(tmp_path: Path) -> None:
    source = open_source(fifo(tmp_path, b"a,b\n", b"1,x\n2,y\n") + "?format=csv")
    assert drain(source) == ([(1, "x"), (2, "y")], [])


def test_an_empty_pipe_has_no_columns(tmp_path: Path) -> None:
    with pytest.raises(OperationalError, match="no columns can be discovered"):
        open_source(fifo(tmp_path))


def test_stdin() -> None:
    program = """
        from streamsql.io.open import open_source
        source = open_source("-")
        while not (polled := source.poll(10)).ended:
            if polled.rows is not None:
                print(polled.rows.to_pylist())
        source.close()
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], input=b'{"a": 1}\n{"a": 2}\n', stdout=subprocess.PIPE, check=True
    )
    assert process.stdout.decode() == "[{'a': 1}, {'a': 2}]\n"
