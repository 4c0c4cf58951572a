"""Where results go instead of the terminal: files, and programs behind a bar."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from streamsql.errors import Error, OperationalError
from streamsql.io.formats import format_of
from streamsql.io.uri import parse_uri


class Output(Protocol):
    """What the text of results is written to."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...

    def isatty(self) -> bool: ...

    def close(self) -> None: ...


class Gone(Exception):
    """The program that results go to has ended, or wants no more."""


class Program:
    """The standard input of a program; closing it waits until the program has ended.  Writing raises Gone when it has."""

    def __init__(self, command: str) -> None:
        self._command = command
        self._process = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, text=True)

    def isatty(self) -> bool:
        return False

    def write(self, text: str) -> object:
        assert self._process.stdin is not None
        with self._gone():
            return self._process.stdin.write(text)

    def flush(self) -> None:
        assert self._process.stdin is not None
        with self._gone():
            self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has read what it wanted
            self._process.stdin.close()
        self._process.wait()

    @contextlib.contextmanager
    def _gone(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise Gone(self._command) from None


def opened(name: str) -> Output:
    """A file, or a program after `|`, that takes the text of results; raises OperationalError."""
    if name.startswith("|"):
        return Program(name[1:].strip())
    try:
        return Path(name).expanduser().open("w", encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot write {name}: {error.strerror}") from None


def is_rows(name: str) -> bool:
    """Whether a file's ending names a format of rows, so that it gets these and not their picture."""
    if name.startswith("|"):
        return False
    try:
        format_of(parse_uri(name))
    except Error:
        return False
    return True
