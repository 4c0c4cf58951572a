"""Commands that run the last statement again, or one that has a name."""

from __future__ import annotations

from streamsql.errors import ProgrammingError
from streamsql.repl.commands.command import Command
from streamsql.repl.describe import listing
from streamsql.repl.shell import Shell

WATCH_SECONDS = 2.0
"""What psql waits, too."""


def _again(shell: Shell, argument: str) -> None:
    shell.run_again(target=argument or None)


def _expanded(shell: Shell, argument: str) -> None:
    shell.run_again(target=argument or None, expanded="on")


def _columns(shell: Shell, _: str) -> None:
    fields = shell.access.columns_of(shell.last_statement(), shell.variables)
    if not fields:
        raise ProgrammingError("the last statement gives no rows")
    shell.show(*listing(("Column", "Type"), [(field.name, str(field.type)) for field in fields]))


def _live(shell: Shell, argument: str) -> None:
    shell.run_again(format="live", columns=_names(argument))


def _chart(shell: Shell, argument: str) -> None:
    shell.run_again(format="chart", columns=_names(argument))


def _names(argument: str) -> tuple[str, ...]:
    return tuple(name for name in argument.replace(",", " ").split() if name)


def _watch(shell: Shell, argument: str) -> None:
    try:
        seconds = float(argument) if argument else WATCH_SECONDS
    except ValueError:
        raise ProgrammingError(f"not a number of seconds: {argument}") from None
    if not 0 < seconds < 86_400:
        raise ProgrammingError(f"{argument} seconds are not between 0 and a day")
    shell.watch(seconds)


def _last(shell: Shell, _: str) -> None:
    shell.say(shell.last_statement())


def _named(shell: Shell, argument: str) -> None:
    if not argument:
        shell.show(*listing(("Name", "Statement"), sorted(shell.favourites.all().items())))
        return
    name, *values = argument.split()
    shell.run(shell.favourites.get(name, values))


def _save(shell: Shell, argument: str) -> None:
    name, _, text = argument.partition(" ")
    if not name:
        raise ProgrammingError("which name?", hint="\\ns NAME [STATEMENT]; without one, the last statement")
    shell.favourites.save(name, text.strip() or shell.last_statement())
    shell.say(f"saved as {name}: \\n {name} runs it")


def _delete(shell: Shell, argument: str) -> None:
    shell.favourites.delete(argument)
    shell.say(f"{argument} is deleted")


COMMANDS: tuple[Command, ...] = (
    Command(("\\g",), "[FILE]", "run the last statement again; its rows to FILE", _again, "file"),
    Command(("\\gx",), "[FILE]", "the same, one value a line", _expanded, "file"),
    Command(("\\gdesc",), "", "the columns that the last statement gives; it is not run", _columns),
    Command(("\\live",), "[KEY ...]", "run it again as a table that is redrawn: the latest row of each key", _live),
    Command(("\\chart",), "[COLUMN ...]", "run it again as sparklines, or bars when it has ended", _chart),
    Command(("\\watch",), "[SECONDS]", f"run it again and again, every {WATCH_SECONDS:g} seconds, until Ctrl-C", _watch),
    Command(("\\p",), "", "print the last statement", _last),
    Command(("\\n",), "[NAME [VALUE ...]]", "run a saved statement ($1, $2 are the values); or list all", _named, "favourite"),
    Command(("\\ns",), "NAME [STATEMENT]", "save a statement, or the last one, under a name", _save),
    Command(("\\nd",), "NAME", "forget a saved statement", _delete, "favourite"),
)
