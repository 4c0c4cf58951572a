"""Commands that read and write files, and call other programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from streamsql.errors import OperationalError, ProgrammingError
from streamsql.repl import copying
from streamsql.repl.commands.command import Command
from streamsql.repl.history import remembered
from streamsql.repl.shell import Shell


def _read(shell: Shell, argument: str) -> None:
    shell.run_file(_given(argument, "\\i FILE"))


def _output(shell: Shell, argument: str) -> None:
    shell.send_to(argument or None)


def _once(shell: Shell, argument: str) -> None:
    shell.send_next_to(_given(argument, "\\once FILE"))


def _edit(shell: Shell, argument: str) -> None:
    shell.edit(argument or None)


def _write(shell: Shell, argument: str) -> None:
    name = _given(argument, "\\w FILE")
    try:
        Path(name).expanduser().write_text(f"{shell.last_statement()};\n", encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot write {name}: {error.strerror}") from None


def _copy(shell: Shell, argument: str) -> None:
    shell.say(copying.copied(shell.access, argument))


def _import(shell: Shell, argument: str) -> None:
    file, _, name = _given(argument, ".import FILE NAME").rpartition(" ")
    if not file:
        raise ProgrammingError("which name?", hint=".import FILE NAME")
    shell.say(copying.imported(shell.access, file.strip(), name))


def _call(shell: Shell, argument: str) -> None:
    status = subprocess.call(argument or os.environ.get("SHELL", "sh"), shell=True)
    if status:
        shell.say(f"the exit status is {status}")


def _echo(shell: Shell, argument: str) -> None:
    shell.print(argument)


def _warn(shell: Shell, argument: str) -> None:
    shell.say(argument)


def _history(shell: Shell, argument: str) -> None:
    text = "\n".join(remembered())
    if not argument:
        shell.page(text)
        return
    try:
        Path(argument).expanduser().write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OperationalError(f"cannot write {argument}: {error.strerror}") from None


def _given(argument: str, usage: str) -> str:
    if not argument:
        raise ProgrammingError("which file?", hint=usage)
    return argument


COMMANDS: tuple[Command, ...] = (
    Command(("\\i", ".read"), "FILE", "run the statements and commands in FILE", _read, "file"),
    Command(("\\o", ".output"), "[FILE | '|' PROGRAM]", "results go there, or to the terminal again", _output, "file"),
    Command(("\\once", ".once"), "FILE", "the next result goes to FILE, in the format of its ending", _once, "file"),
    Command(("\\e", ".edit"), "[FILE]", "write the last statement, or FILE, with $EDITOR", _edit, "file"),
    Command(("\\w",), "FILE", "write the last statement to FILE", _write, "file"),
    Command(("\\copy",), "NAME|(QUERY) TO|FROM FILE", "rows to a file, or from one into a stream", _copy),
    Command((".import",), "FILE NAME", "rows into the stream NAME; where there is none, a table NAME", _import, "file"),
    Command(("\\!", ".shell"), "[PROGRAM]", "run a program, or a shell", _call),
    Command(("\\s",), "[FILE]", "the history, or write it to FILE", _history, "file"),
    Command(("\\echo", "\\qecho", ".print"), "[TEXT]", "print a text among the results", _echo),
    Command(("\\warn",), "[TEXT]", "print a text that is no result", _warn),
)
