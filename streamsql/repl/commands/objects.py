"""Commands that show what there is."""

from __future__ import annotations

from streamsql.catalog import Stream, Table, View
from streamsql.errors import ProgrammingError
from streamsql.external.table import ExternalTable
from streamsql.repl import describe
from streamsql.repl.commands.command import Command
from streamsql.repl.settings import OPTIONS, shown
from streamsql.repl.shell import Shell

ERRORS_SHOWN = 10
"""Rows of `error_stream` that `\\errors` shows where no number is given."""


def _relations(shell: Shell, argument: str) -> None:
    if argument and not describe.is_pattern(argument):
        shell.page(describe.described(shell.access, argument))
    else:
        shell.show(*describe.relations(shell.access, (Stream, Table, View, ExternalTable), argument))


def _streams(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (Stream,), argument))


def _tables(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (Table, ExternalTable), argument))


def _views(shell: Shell, argument: str) -> None:
    shell.show(*describe.relations(shell.access, (View,), argument))


def _pumps(shell: Shell, argument: str) -> None:
    shell.show(*describe.pumps(shell.access, argument))


def _use(shell: Shell, argument: str) -> None:
    if not argument:
        shell.say(describe.status(shell.access))
    elif "/" in argument or "." in argument:
        hint = f"streamsql {argument}, in the shell, opens it"
        raise ProgrammingError(f"{argument} is no database of external tables", hint=hint)
    else:
        shell.run(f"USE {argument};")


def _databases(shell: Shell, _: str) -> None:
    shell.show(*describe.databases(shell.access))


def _attached(shell: Shell, _: str) -> None:
    shell.show(*describe.attached(shell.access))


def _functions(shell: Shell, argument: str) -> None:
    text = describe.function(shell.access, argument, shell.look().width) if argument else None
    if text is not None:
        shell.page(text)
    else:
        shell.show(*describe.functions(shell.access, argument))


def _schema(shell: Shell, argument: str) -> None:
    shell.page(describe.statements(shell.access, argument))


def _errors(shell: Shell, argument: str) -> None:
    if argument and not argument.isdecimal():
        raise ProgrammingError(f"not a number of rows: {argument}")
    shell.show(*describe.errors(shell.access, int(argument or ERRORS_SHOWN)))


def _status(shell: Shell, _: str) -> None:
    settings = ", ".join(f"{name} {shown(shell.settings, name)}" for name in OPTIONS)
    shell.say(f"{describe.status(shell.access)}\nsettings  {settings}")


COMMANDS: tuple[Command, ...] = (
    Command(("\\d", ".tables"), "[NAME]", "streams, tables and views; or what NAME is", _relations, "object"),
    Command(("\\ds",), "[NAME]", "streams", _streams, "relation"),
    Command(("\\dt", "\\dE"), "[NAME]", "reference tables and external tables", _tables, "relation"),
    Command(("\\l", "\\dn", ".databases"), "", "the databases of external tables", _databases),
    Command(("\\c", "\\u"), "[NAME]", "the same as USE NAME; without a name, where one is", _use),
    Command(("\\dv",), "[NAME]", "views", _views, "relation"),
    Command(("\\dp", "\\pumps", ".pumps"), "[NAME]", "pumps, and whether they run", _pumps, "pump"),
    Command(("\\di",), "", "inputs and outputs, and how many rows went through them", _attached),
    Command(("\\df", ".functions"), "[NAME]", "functions; or all about one", _functions, "function"),
    Command(("\\schema", ".schema", "\\sf", "\\sv"), "[NAME]", "the statements that made everything, or NAME", _schema, "object"),
    Command(("\\errors", ".errors"), "[N]", f"the last N rows of error_stream ({ERRORS_SHOWN})", _errors),
    Command(("\\status", "\\conninfo", ".status"), "", "the database, its pumps, rows and errors; the settings", _status),
)
