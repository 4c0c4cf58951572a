"""Commands for values with names."""

from __future__ import annotations

from streamsql.errors import ProgrammingError
from streamsql.repl.commands.command import Command
from streamsql.repl.shell import Shell
from streamsql.repl.variables import name_of, value_of, written


def _set(shell: Shell, argument: str) -> None:
    name, _, value = argument.partition(" ")
    if value:
        shell.variables[name_of(name)] = value_of(value.strip())
    elif name:
        shell.say(f"{name} is {written(_known(shell, name_of(name)))}")
    else:
        shell.say("\n".join(f"{name} = {written(value)}" for name, value in sorted(shell.variables.items())))


def _unset(shell: Shell, argument: str) -> None:
    _known(shell, argument)
    del shell.variables[argument]


def _known(shell: Shell, name: str) -> object:
    if name not in shell.variables:
        raise ProgrammingError(f"no variable {name}", hint="\\set NAME VALUE sets one; \\set lists them")
    return shell.variables[name]


def _take(shell: Shell, argument: str) -> None:
    for column, value in shell.only_row().items():
        shell.variables[name_of(f"{argument}{column.lower()}")] = value


COMMANDS: tuple[Command, ...] = (
    Command(("\\set",), "[NAME [VALUE]]", "list the variables, or set one: statements take it as :NAME", _set),
    Command(("\\unset",), "NAME", "forget a variable", _unset),
    Command(("\\gset",), "[PREFIX]", "run the last statement again: the columns of its one row become variables", _take),
)
