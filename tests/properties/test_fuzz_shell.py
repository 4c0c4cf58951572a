"""Whatever is typed, and whenever Ctrl-C comes: no traceback, no defect, and the session goes on.

STREAMSQL_FUZZ=100000 tries so many texts.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fuzzing import Choices, by_the_grammar, damaged, statements

from streamsql.dbapi import connect
from streamsql.repl.access import Access
from streamsql.repl.commands import COMMANDS
from streamsql.repl.terminal import TerminalShell, typed_is_ready

# in a callback of the garbage collector an exception goes nowhere: there Ctrl-C is lost, whoever the callback is of
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

TEXTS = int(os.environ.get("STREAMSQL_FUZZ", 300))

SETUP = """
CREATE STREAM s (v INTEGER, k VARCHAR(8), t TIMESTAMP, d DOUBLE);
CREATE STREAM u (v BIGINT, k CHAR(4), n DECIMAL(8, 2), x BOOLEAN);
CREATE VIEW w AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS q(v, k);
CREATE PUMP p AS INSERT INTO u (v, k) SELECT STREAM v, k FROM s;
"""
NOT_TRIED = {"\\!", ".shell", "\\q", ".quit", ".exit", "\\e", ".edit"}
"""Commands that call programs, or end the session."""

ARGUMENTS = ("", "s", "*", '"', "'", "'a b'", "x on", "1e9", "-1", "\x00", "é☃", "S;", "p -- x", "(VALUES (1)) to", "a.b.c", "on")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TerminalShell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMSQL_QUERIES", str(tmp_path / "queries.json"))
    monkeypatch.setenv("STREAMSQL_HISTORY", str(tmp_path / "history"))
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with connect() as connection:
        yield TerminalShell(Access(connection))


@pytest.fixture
def interrupted() -> Iterator[None]:
    """Let the alarm be a Ctrl-C."""

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def said(shell: TerminalShell) -> str:
    """What was printed since the last time."""
    text = ""
    for stream in (shell._terminal, shell._err):
        assert isinstance(stream, io.StringIO)
        text += stream.getvalue()
        stream.seek(0)
        stream.truncate()
    return text


def type_text(shell: TerminalShell, text: str, seconds: float) -> None:
    """Type a text as the prompt does, and Ctrl-C after some time."""
    with contextlib.suppress(KeyboardInterrupt):  # as the loop around the prompt has it
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
            typed_is_ready(text)
            shell.run_typed(text)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def texts(source: random.Random) -> Iterator[str]:
    """Statements by the grammar, damaged ones, and commands with any arguments."""
    kinds = ["query_statement", "select", "statement", "insert", "create_pump"]
    names = [name for command in COMMANDS for name in command.names if name not in NOT_TRIED]
    while True:
        bytes_ = source.randbytes(200)
        yield by_the_grammar(Choices(bytes_), source.choice(kinds)) + ";"
        yield damaged(Choices(bytes_), source.choice(statements())[1]) + ";"
        yield f"{source.choice(names)} {source.choice(ARGUMENTS)}"
        yield bytes_[: source.randrange(40)].decode("latin-1")


def check(shell: TerminalShell, text: str) -> None:
    shown = said(shell)
    assert "Traceback" not in shown, text
    assert "defect" not in shown, (text, shown)


def usable(shell: TerminalShell, interrupt: float = 10.0) -> bool:
    """Whether a query has its rows: the settings may be any."""
    shell.settings = type(shell.settings)(format="csv")
    shell.send_to(None)
    shell.send_next_to("")
    said(shell)
    type_text(shell, "VALUES (41 + 1);", interrupt)
    return said(shell) == "EXPR$0\n42\n"


def test_texts(shell: TerminalShell, interrupted: Any) -> None:
    source = random.Random(1)
    type_text(shell, SETUP, 10.0)
    for number, text in zip(range(TEXTS), texts(source), strict=False):
        type_text(shell, text, 0.1)
        check(shell, text)
        if number % 20 == 0:
            assert usable(shell), text


def test_ctrl_c_at_any_moment(shell: TerminalShell, interrupted: Any) -> None:
    source = random.Random(2)
    script = [
        *SETUP.replace("CREATE", "CREATE OR REPLACE").split(";\n")[:4],
        "INSERT INTO s (v, k) VALUES (1, 'a'), (2, 'b')",
        "SELECT STREAM v FROM u",
        "SELECT COUNT(*) FROM w",
        "EXPLAIN SELECT STREAM k, COUNT(*) FROM s GROUP BY k, STEP(s.ROWTIME BY INTERVAL '1' SECOND)",
    ]
    for number in range(TEXTS // 3):
        text = script[number % len(script)].strip() + ";"
        type_text(shell, text, source.uniform(0.0001, 0.02))
        check(shell, text)
        assert usable(shell), (number, text)
