"""`--watch` and SIGHUP: an application becomes what its file says, and keeps what stays as it is.  Real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.application.command import COMMAND, lines

PATIENCE = 60.0

INPUT = 'CREATE OR REPLACE STREAM "IN" ("k" VARCHAR(4), "v" INTEGER);\n'
TOTALS = """CREATE OR REPLACE STREAM "TOTALS" ("k" VARCHAR(4), "total" INTEGER);
CREATE OR REPLACE PUMP "TOTAL" AS INSERT INTO "TOTALS"
SELECT STREAM "k", SUM("v") OVER (PARTITION BY "k" ROWS UNBOUNDED PRECEDING) FROM "IN";
"""
DOUBLES = """CREATE OR REPLACE STREAM "DOUBLES" ("v" INTEGER);
CREATE OR REPLACE PUMP "DOUBLE" AS INSERT INTO "DOUBLES" SELECT STREAM "v" * 2 FROM "IN";
"""


class Running:
    """A run of `app.sql` in a folder, fed through its standard input or a file that is followed."""

    def __init__(self, folder: Path, *more: str, source: str = "-") -> None:
        self.folder = folder
        words = ["run", "app.sql", "--input", f"IN={source}", "--log-format", "json", *more]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen([*COMMAND, *words], cwd=folder, text=True, **pipes)  # type: ignore[call-overload]
        self.rows: list[Any] = []
        self.log: list[Any] = []
        for stream, into in ((self.process.stdout, self.rows), (self.process.stderr, self.log)):
            threading.Thread(target=self._collect, args=(stream, into), daemon=True).start()

    @staticmethod
    def _collect(stream: Any, into: list[Any]) -> None:
        while line := stream.readline():
            into.append(json.loads(line))

    def feed(self, *rows: tuple[str, int]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("".join(json.dumps({"k": k, "v": v}) + "\n" for k, v in rows))
        self.process.stdin.flush()

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, (self.rows, self.log)
            time.sleep(0.01)

    def said(self, part: str) -> bool:
        return any(part in record["message"] for record in list(self.log))

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(PATIENCE)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def begin(sql: str, *more: str, **rest: Any) -> Running:
        (tmp_path / "app.sql").write_text(sql)
        started.append(Running(tmp_path, *more, **rest))
        return started[-1]

    yield begin
    for running in started:
        running.process.kill()
        running.process.wait(PATIENCE)


def replace(path: Path, text: str) -> None:
    """Put another file in the place of one, as editors do."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def test_what_stays_the_same_keeps_its_state_and_a_pipe_goes_on(run: Callable[..., Running]) -> None:
    running = run(INPUT + TOTALS, "--watch")
    running.feed(("a", 1), ("a", 2))
    running.until(lambda: len(running.rows) == 2)
    replace(running.folder / "app.sql", INPUT + TOTALS + DOUBLES)
    running.until(lambda: running.said("is reloaded: pump DOUBLE is new; stream DOUBLES is new"))
    running.feed(("a", 10))
    running.until(lambda: len(running.rows) == 4)
    assert running.rows[:2] == [{"k": "a", "total": 1}, {"k": "a", "total": 3}]
    assert sorted(running.rows[2:], key=lambda row: row["stream"]) == [
        {"stream": "DOUBLES", "row": {"v": 20}},
        {"stream": "TOTALS", "row": {"k": "a", "total": 13}},
    ]
    replace(running.folder / "app.sql", INPUT + TOTALS)
    running.until(lambda: running.said("is reloaded: pump DOUBLE is gone; stream DOUBLES is gone"))
    running.feed(("a", 100))
    running.until(lambda: len(running.rows) == 5)
    assert running.rows[4] == {"k": "a", "total": 113}
    assert running.end() == 0


def test_a_pump_that_changes_begins_anew_with_other_columns(run: Callable[..., Running]) -> None:
    running = run(INPUT + TOTALS, "--watch")
    running.feed(("a", 1))
    running.until(lambda: len(running.rows) == 1)
    counted = ', COUNT(*) OVER (PARTITION BY "k" ROWS UNBOUNDED PRECEDING) FROM "IN"'
    other = TOTALS.replace('"total" INTEGER', '"total" INTEGER, "n" BIGINT').replace(' FROM "IN"', counted)
    replace(running.folder / "app.sql", INPUT + other)
    running.until(lambda: running.said("is reloaded: pump TOTAL begins anew; stream TOTALS has other columns"))
    running.feed(("a", 5))
    running.until(lambda: len(running.rows) == 2)
    assert running.rows[1] == {"k": "a", "total": 5, "n": 1}
    assert running.end() == 0


def test_a_wrong_file_is_told_and_the_application_goes_on(run: Callable[..., Running]) -> None:
    running = run(INPUT + TOTALS, "--watch")
    running.feed(("a", 1))
    running.until(lambda: len(running.rows) == 1)
    replace(running.folder / "app.sql", INPUT + TOTALS.replace('"v"', '"w"'))
    running.until(lambda: running.said("goes on as it was"))
    (error,) = [record for record in running.log if record["level"] == "error"]
    assert (error["line"], error["file"]) == (4, "app.sql")
    running.feed(("a", 1))
    running.until(lambda: len(running.rows) == 2)
    assert running.rows[1] == {"k": "a", "total": 2}
    assert running.end() == 0


def test_an_input_does_not_change_its_columns(run: Callable[..., Running]) -> None:
    running = run(INPUT + TOTALS, "--watch")
    running.feed(("a", 1))
    running.until(lambda: len(running.rows) == 1)
    replace(running.folder / "app.sql", INPUT.replace('"v" INTEGER', '"v" INTEGER, "w" INTEGER') + TOTALS)
    running.until(lambda: running.said("the columns of IN cannot change while an input or output is attached"))
    assert running.end() == 0


def test_sighup_reloads(run: Callable[..., Running]) -> None:
    running = run(INPUT + TOTALS)
    running.feed(("a", 1))
    running.until(lambda: len(running.rows) == 1)
    (running.folder / "app.sql").write_text(INPUT + TOTALS + DOUBLES)
    os.kill(running.process.pid, signal.SIGHUP)
    running.until(lambda: running.said("pump DOUBLE is new"))
    assert running.end() == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_checkpoint_after_a_reload_goes_on(run: Callable[..., Running], tmp_path: Path, how: signal.Signals) -> None:
    """Two pumps write one stream, so that the ports of the reloaded graph are not those of one made from its file."""
    more = ["--checkpoint", "state", "--checkpoint-interval", "20ms", "--output", "TOTALS=totals.jsonl", "--watch"]
    other = TOTALS[TOTALS.index("CREATE OR REPLACE PUMP") :].replace('"TOTAL"', '"OTHER"')
    before, after = (INPUT + TOTALS + other.replace('"v"', value) for value in ('-"v"', '"v" * 10'))
    output, checkpoints = tmp_path / "totals.jsonl", tmp_path / "state"

    def totals() -> list[int]:
        return [row["total"] for row in lines(output.read_text())] if output.exists() else []

    append(tmp_path / "in.jsonl", ("a", 1))
    first = run(before, *more, source="in.jsonl?follow=true")
    first.until(lambda: len(totals()) == 2)
    replace(tmp_path / "app.sql", after)
    first.until(lambda: first.said("pump OTHER begins anew"))
    append(tmp_path / "in.jsonl", ("a", 2))
    first.until(lambda: len(totals()) == 4)
    epoch = max(checkpoints.glob("[0-9]*"))
    first.until(lambda: max(checkpoints.glob("[0-9]*")) > epoch)
    first.process.send_signal(how)
    first.process.wait(PATIENCE)
    append(tmp_path / "in.jsonl", ("a", 4))
    again = run(after, *more, source="in.jsonl?follow=true")
    again.until(lambda: len(totals()) == 6)
    assert sorted(totals()) == [-1, 1, 3, 7, 20, 60]


def append(path: Path, *rows: tuple[str, int]) -> None:
    with path.open("a") as file:
        file.write("".join(json.dumps({"k": k, "v": v}) + "\n" for k, v in rows))
