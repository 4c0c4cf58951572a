"""The commands of the REPL, a table in each module.

A command is a function of the shell and of what stands behind its name; a new one is one more record in its module's table.
"""

from __future__ import annotations

import difflib

from streamsql.display.names import spelled
from streamsql.errors import ProgrammingError
from streamsql.repl import describe, syntax
from streamsql.repl.access import Access
from streamsql.repl.commands import files, objects, queries, results, variables
from streamsql.repl.commands.command import Command
from streamsql.repl.favourites import Favourites
from streamsql.repl.settings import OPTIONS
from streamsql.repl.shell import Shell

_DIRECTORY = "streamsql PATH, in the shell, opens another database"
_NO_USERS = "there are no users: a database is a directory, and its permissions hold"
_CLEARED = "Ctrl-C clears what is typed; \\e edits the last statement"
_ONE_FORM = "tables have one form; \\mode lists the other formats, \\echo prints a text among the results"
_SCRIPT = "a script is run from top to bottom, and its first error ends it"

ELSEWHERE = {
    "\\a": "\\mode csv, json or markdown",
    "\\bind": "\\set NAME VALUE sets a variable, :NAME in a statement takes it",
    "\\cd": "the inputs and outputs of the session stay where it was started; \\! calls a program elsewhere",
    "\\connect": _DIRECTORY,
    "\\copyright": "Apache-2.0",
    "\\crosstabview": "\\live shows the latest row of each key",
    "\\dT": "\\d NAME shows the types of columns, \\df those that functions take",
    "\\dg": _NO_USERS,
    "\\du": _NO_USERS,
    "\\ef": "\\sf NAME shows a function, \\e edits the last statement",
    "\\encoding": "texts are UTF-8",
    "\\ev": "\\sv NAME shows a view, \\e edits the last statement",
    "\\f": "\\n runs a saved statement, \\ns saves one, \\nd forgets it",
    "\\fd": "\\nd forgets a saved statement",
    "\\fs": "\\ns saves a statement",
    "\\C": _ONE_FORM,
    "\\H": "\\mode markdown",
    "\\T": _ONE_FORM,
    "\\if": _SCRIPT,
    "\\password": _NO_USERS,
    "\\prompt": "\\set NAME VALUE sets a variable, :NAME in a statement takes it",
    "\\r": _CLEARED,
    "\\refresh": "completion follows the catalog by itself",
    "\\reset": _CLEARED,
    "\\setenv": "\\set NAME VALUE sets a variable, :NAME in a statement takes it",
    "\\z": _NO_USERS,
    ".bail": _SCRIPT,
    ".cd": "the inputs and outputs of the session stay where it was started; \\! calls a program elsewhere",
    ".changes": "a statement says how many rows it inserted",
    ".dump": "\\schema shows the statements that made everything, \\copy writes rows",
    ".echo": "\\p prints the last statement",
    ".indexes": "there are no indexes: streams are not looked up, tables are read whole or by their partitions",
    ".log": "\\o sends results to a file",
    ".open": _DIRECTORY,
    ".separator": "\\mode csv parts values by commas",
    ".stats": "\\status",
    ".width": "columns get the room that they need; \\x shows one value a line",
}
"""Commands of other shells, and what serves their purpose here."""


def run(shell: Shell, line: str) -> None:
    """Run a line that is a command; raises ProgrammingError where there is none of its name."""
    if "\0" in line:
        raise ProgrammingError("the character NUL is part of no name")
    name, argument = parts(line)
    find(name).function(shell, argument)


def parts(line: str) -> tuple[str, str]:
    """The name of a command and its argument."""
    name, _, argument = line.strip().partition(" ")
    return name.rstrip(";"), argument.strip().removesuffix(";").rstrip()


def find(name: str) -> Command:
    """The command of this name, or the error that names the nearest."""
    known = {each: command for command in COMMANDS for each in command.names}
    for each in (name, name.rstrip("+S")):  # psql's `\\d+` and `\\dS` show more: here everything is shown
        if each in known and (each == name or each.startswith(("\\d", "\\l"))):
            return known[each]
    hint = ELSEWHERE.get(name)
    if hint is None:
        close = difflib.get_close_matches(name, known, 1, 0.5) or difflib.get_close_matches("\\" + name[1:], known, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else "\\? lists all commands"
    raise ProgrammingError(f"no command {name}", hint=hint)


def argument_completions(command: Command, argument: str, access: Access) -> list[str]:
    """What may stand as the last word of a command's argument."""
    catalog = access.catalog
    match command.completes:
        case "relation":
            return [spelled(name) for name in catalog.unqualified()]
        case "pump":
            return [spelled(name) for name in list(catalog.pumps)]
        case "object":
            return [spelled(name) for name in dict.fromkeys([*catalog.unqualified(), *catalog.pumps])]
        case "function":
            return sorted({name for name, *_ in describe.all_functions(access) if name.replace("_", "").isalnum()})
        case "command":
            return [name for each in COMMANDS for name in each.names]
        case "statement":
            return list(syntax.STATEMENTS)
        case "favourite":
            return sorted(Favourites().all())
        case "setting":
            name, blank, _ = argument.partition(" ")
            return list(OPTIONS) if not blank else list(OPTIONS[name].values) if name in OPTIONS else []
        case "format" | "expanded" | "timing":
            return list(OPTIONS[command.completes].values)
        case _:
            return []


def _help(shell: Shell, argument: str) -> None:
    if argument:
        name = argument if argument.startswith(("\\", ".")) else f"\\{argument}"
        shell.say(_described(find(name)))
        return
    width = max(len(_usage(command)) for command in COMMANDS)
    lines = [f"  {_usage(command):{width}}  {command.help}" for command in COMMANDS]
    shell.page("Statements end with a semicolon.  Ctrl-C stops a query, Ctrl-D leaves.\n" + "\n".join(lines))


def _usage(command: Command) -> str:
    return f"{' '.join(command.names)} {command.arguments}".rstrip()


def _described(command: Command) -> str:
    text = f"{_usage(command)}\n  {command.help}"
    if command.completes == "setting":
        text += "\n" + "\n".join(f"  {name:10} {each.help}" for name, each in OPTIONS.items())
    return text


def _syntax(shell: Shell, argument: str) -> None:
    shell.page(syntax.of(argument))


def _quit(shell: Shell, _: str) -> None:
    shell.leaving = True


COMMANDS: tuple[Command, ...] = (
    Command(("\\?", ".help"), "[COMMAND]", "this list, or what one command does", _help, "command"),
    Command(("\\h",), "[STATEMENT]", "the statements of SQL, or how one is written", _syntax, "statement"),
    Command(("\\q", ".quit", ".exit"), "", "leave", _quit),
    *objects.COMMANDS,
    *queries.COMMANDS,
    *variables.COMMANDS,
    *results.COMMANDS,
    *files.COMMANDS,
)
