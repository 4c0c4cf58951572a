"""The commands of the REPL: one table.

A command is a function of the shell and of what stands behind its name; a new one is one more record in `COMMANDS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streamsql.catalog import Stream, Table, View
from streamsql.errors import ProgrammingError
from streamsql.repl import describe
from streamsql.repl.names import spelled
from streamsql.repl.settings import OPTIONS, change, option, shown

if TYPE_CHECKING:
    from streamsql.repl.access import Access
    from streamsql.repl.shell import Shell

ERRORS_SHOWN = 10
"""Rows of `error_stream` that `\\errors` shows where no number is given."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command.  `completes` says what its argument is, for the prompt."""

    names: tuple[str, ...]
    arguments: str
    help: str
    function: Callable[[Shell, str], None]
    completes: str = ""


def run(shell: Shell, line: str) -> None:
    """Run a line that is a command; raises ProgrammingError where there is none of its name."""
    name, argument = parts(line)
    find(name).function(shell, argument)


def parts(line: str) -> tuple[str, str]:
    """The name of a command and its argument."""
    name, _, argument = line.strip().partition(" ")
    return name.rstrip(";"), argument.strip().removesuffix(";").rstrip()


def find(name: str) -> Command:
    """The command of this name, or the error that names the nearest."""
    known = {each: command for command in COMMANDS for each in command.names}
    if name not in known:
        close = difflib.get_close_matches(name, known, 1, 0.5) or difflib.get_close_matches("\\" + name[1:], known, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else "\\? lists all commands"
        raise ProgrammingError(f"no command {name}", hint=hint)
    return known[name]


def argument_completions(command: Command, argument: str, access: Access) -> list[str]:
    """What may stand as the last word of a command's argument."""
    catalog = access.catalog
    match command.completes:
        case "relation":
            return [spelled(name) for name in list(catalog.relations)]
        case "pump":
            return [spelled(name) for name in list(catalog.pumps)]
        case "object":
            return [spelled(name) for name in dict.fromkeys([*catalog.relations, *catalog.pumps])]
        case "function":
            return sorted({name for name, *_ in describe.all_functions() if name.replace("_", "").isalnum()})
        case "command":
            return [name for each in COMMANDS for name in each.names]
        case "setting":
            name, blank, _ = argument.partition(" ")
            return list(OPTIONS) if not blank else list(OPTIONS[name].values) if name in OPTIONS else []
        case "format" | "expanded" | "timing":
            return list(OPTIONS[command.completes].values)
        case _:
            return []


# -- help, and the way out ---------------------------------------------------------------------------------------------


def _help(shell: Shell, argument: str) -> None:
    if argument:
        name = argument if argument.startswith(("\\", ".")) else f"\\{argument}"
        shell.say(_described(find(name)))
        return
    width = max(len(_usage(command)) for command in COMMANDS)
    lines = [f"  {_usage(command):{width}}  {command.help}" for command in COMMANDS]
    shell.say("Statements end with a semicolon.  Ctrl-C stops a query, Ctrl-D leaves.\n" + "\n".join(lines))


def _usage(command: Command) -> str:
    return f"{' '.join(command.names)} {command.arguments}".rstrip()


def _described(command: Command) -> str:
    text = f"{_usage(command)}\n  {command.help}"
    if command.completes == "setting":
        text += "\n" + "\n".join(f"  {name:10} {each.help}" for name, each in OPTIONS.items())
    return text


def _quit(shell: Shell, _: str) -> None:
    shell.leaving = True


# -- what there is -----------------------------------------------------------------------------------------------------


def _relations(shell: Shell, argument: str) -> None:
    if argument:
        shell.say(describe.described(shell.access, argument))
    else:
        shell.show(*describe.relations(shell.access, (Stream, Table, View)))


def _streams(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (Stream,), argument))


def _tables(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (Table,), argument))


def _views(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (View,), argument))


def _pumps(shell: Shell, argument: str) -> None:
    shell.show(*describe.pumps(shell.access, argument))


def _functions(shell: Shell, argument: str) -> None:
    text = describe.function(argument, shell.look().width) if argument else None
    if text is not None:
        shell.say(text)
    else:
        shell.show(*describe.functions(argument))


def _schema(shell: Shell, argument: str) -> None:
    shell.say(describe.statements(shell.access, argument))


def _errors(shell: Shell, argument: str) -> None:
    if argument and not argument.isdecimal():
        raise ProgrammingError(f"not a number of rows: {argument}")
    shell.show(*describe.errors(shell.access, int(argument or ERRORS_SHOWN)))


def _status(shell: Shell, _: str) -> None:
    settings = ", ".join(f"{name} {shown(shell.settings, name)}" for name in OPTIONS)
    shell.say(f"{describe.status(shell.access)}\nsettings  {settings}")


# -- how results are shown ---------------------------------------------------------------------------------------------


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


def _timing(shell: Shell, argument: str) -> None:
    change(shell.settings, "timing", argument or ("off" if shell.settings.timing else "on"))
    shell.say(f"timing is {shown(shell.settings, 'timing')}")


# -- files -------------------------------------------------------------------------------------------------------------


def _read(shell: Shell, argument: str) -> None:
    if not argument:
        raise ProgrammingError("which file?", hint="\\i FILE")
    shell.run_file(argument)


def _output(shell: Shell, argument: str) -> None:
    shell.send_to(argument or None)


def _edit(shell: Shell, argument: str) -> None:
    shell.edit(argument or None)


COMMANDS: tuple[Command, ...] = (
    Command(("\\?", ".help"), "[COMMAND]", "this list, or what one command does", _help, "command"),
    Command(("\\q", ".quit", ".exit"), "", "leave", _quit),
    Command(("\\d", ".tables"), "[NAME]", "streams, tables and views; or what NAME is", _relations, "object"),
    Command(("\\ds",), "[NAME]", "streams", _streams, "relation"),
    Command(("\\dt",), "[NAME]", "reference tables", _tables, "relation"),
    Command(("\\dv",), "[NAME]", "views", _views, "relation"),
    Command(("\\dp", "\\pumps", ".pumps"), "[NAME]", "pumps, and whether they run", _pumps, "pump"),
    Command(("\\df", ".functions"), "[NAME]", "functions; or all about one", _functions, "function"),
    Command(("\\schema", ".schema"), "[NAME]", "the statements that made everything, or NAME", _schema, "object"),
    Command(("\\errors", ".errors"), "[N]", f"the last N rows of error_stream ({ERRORS_SHOWN})", _errors),
    Command(("\\status", "\\conninfo", ".status"), "", "the database, its pumps, rows and errors; the settings", _status),
    Command(("\\x",), "[on|off|auto]", "one value a line", _expanded, "expanded"),
    Command(("\\timing", ".timer"), "[on|off]", "show how long statements take", _timing, "timing"),
    Command(("\\pset",), "[NAME [VALUE]]", "show or change a setting", _pset, "setting"),
    Command(("\\mode", ".mode"), "[FORMAT]", "results as " + ", ".join(OPTIONS["format"].values), _mode, "format"),
    Command(("\\nullvalue", ".nullvalue"), "[TEXT]", "the same as \\pset null", _null),
    Command(("\\i", ".read"), "FILE", "run the statements and commands in FILE", _read, "file"),
    Command(("\\o", ".output"), "[FILE]", "results go to FILE, or to the terminal again", _output, "file"),
    Command(("\\e", ".edit"), "[FILE]", "write the last statement, or FILE, with $EDITOR", _edit, "file"),
)
