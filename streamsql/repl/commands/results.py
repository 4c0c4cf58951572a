"""Commands that change how results are shown."""

from __future__ import annotations

from streamsql.repl.commands.command import Command
from streamsql.repl.settings import OPTIONS, change, option, shown
from streamsql.repl.shell import Shell


def _pset(shell: Shell, argument: str) -> None:
    name, _, value = argument.partition(" ")
    if not name:
        shell.say("\n".join(f"{each:10} {shown(shell.settings, each)}" for each in OPTIONS))
        return
    option(name)
    if value:
        change(shell.settings, name, value.strip())
    shell.say(f"{name} is {shown(shell.settings, name)}")


def _mode(shell: Shell, argument: str) -> None:
    _pset(shell, f"format {argument}")


def _null(shell: Shell, argument: str) -> None:
    _pset(shell, f"null {argument}")


def _expanded(shell: Shell, argument: str) -> None:
    change(shell.settings, "expanded", argument or ("off" if shell.settings.expanded == "on" else "on"))
    shell.say(f"expanded is {shell.settings.expanded}")


def _rows_only(shell: Shell, argument: str) -> None:
    shown_now = shell.settings.header or shell.settings.footer
    shell.settings.header = shell.settings.footer = not (OPTIONS["header"].read(argument) if argument else shown_now)
    shell.say(f"header and footer are {shown(shell.settings, 'header')}")


def _header(shell: Shell, argument: str) -> None:
    _pset(shell, f"header {argument}")


def _limit(shell: Shell, argument: str) -> None:
    _pset(shell, f"limit {argument}")


def _timing(shell: Shell, argument: str) -> None:
    change(shell.settings, "timing", argument or ("off" if shell.settings.timing else "on"))
    shell.say(f"timing is {shown(shell.settings, 'timing')}")


COMMANDS: tuple[Command, ...] = (
    Command(("\\x",), "[on|off|auto]", "one value a line", _expanded, "expanded"),
    Command(("\\timing", ".timer"), "[on|off]", "show how long statements take", _timing, "timing"),
    Command(("\\t",), "[on|off]", "rows only: neither header nor footer", _rows_only, "timing"),
    Command((".headers", ".header"), "[on|off]", "the same as \\pset header", _header, "timing"),
    Command((".maxrows",), "[N]", "the same as \\pset limit", _limit),
    Command(("\\pset", ".show"), "[NAME [VALUE]]", "show or change a setting", _pset, "setting"),
    Command(("\\mode", ".mode"), "[FORMAT]", "results as " + ", ".join(OPTIONS["format"].values), _mode, "format"),
    Command(("\\nullvalue", ".nullvalue"), "[TEXT]", "the same as \\pset null", _null),
)
