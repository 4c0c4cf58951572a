"""`%%streamsql`: the statements of a cell, and the rows of its last query.

A query over streams is shown while its rows come, until there are so many, so many seconds have passed, or the cell is
interrupted.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from IPython.display import display

from streamsql import dbapi
from streamsql.dbapi.cursor import located
from streamsql.dbapi.parameters import placeholders_of
from streamsql.dbapi.prepared import script
from streamsql.errors import Error, ProgrammingError
from streamsql.notebook.result import Result
from streamsql.statements.statement import Statement

SHOWN = 0.2
"""Seconds between two looks of a person at rows that come."""


@magics_class
class StreamSQLMagics(Magics):
    """One connection a notebook, in memory; `-c` names another one."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._names: dict[str, Any] = shell.user_ns
        self._own: dbapi.Connection | None = None

    @magic_arguments()
    @argument("-c", "--connection", help="a variable that holds a connection")
    @argument("-o", "--output", help="a variable for the result; it is not shown then")
    @argument("-n", "--rows", type=int, default=1_000, help="a query over streams ends at so many rows")
    @argument("-t", "--seconds", type=float, default=5.0, help="a query over streams ends after so many seconds")
    @cell_magic
    def streamsql(self, line: str, cell: str) -> Result | None:
        """Execute statements; `:name` in them is the value of a variable."""
        arguments = parse_argstring(self.streamsql, line)
        try:
            return self._run(arguments, cell)
        except Error as error:
            raise UsageError(error.render()) from None

    def _run(self, arguments: Any, cell: str) -> Result | None:
        connection = self._connection(arguments.connection)
        with located(cell):
            statements = script(cell)
        cursor = connection.cursor()
        cursor.deadline = arguments.seconds
        connection.session.hold_inputs()
        try:
            for statement in statements:
                cursor.execute(_in_its_place(statement), self._values(statement))
                for _, warning in cursor.messages:
                    print(warning)
            connection.session.begin_inputs()
            return None if cursor.description is None else self._fetched(cursor, arguments)
        finally:
            connection.session.hold_inputs(False)
            cursor.close()

    def _connection(self, name: str | None) -> dbapi.Connection:
        if name is not None:
            found = self._names.get(name)
            if not isinstance(found, dbapi.Connection):
                raise ProgrammingError(f"{name} is no connection", hint=f"{name} = streamsql.connect()")
            return found
        if self._own is None:
            self._own = dbapi.connect()
        return self._own

    def _fetched(self, cursor: dbapi.Cursor, arguments: Any) -> Result | None:
        """The rows: all of a query over tables, of one over streams those that come."""
        reader = cursor.result().reader
        result = Result(reader.schema)
        live = reader.running and arguments.output is None
        shown = display(result, display_id=True) if live else None
        looked = monotonic()
        try:
            while not reader.running or len(result) < arguments.rows:
                batch = cursor.fetch_arrow_batch()
                if batch is None:
                    break
                result.add(batch if not reader.running else batch.slice(0, arguments.rows - len(result)))
                if shown is not None and monotonic() - looked >= SHOWN:
                    looked = monotonic()
                    shown.update(result)
        except KeyboardInterrupt:
            result.remark = "interrupted"
        if shown is not None:
            shown.update(result)
        if arguments.output is not None:
            self._names[arguments.output] = result
        return None if live or arguments.output is not None else result

    def _values(self, statement: Statement) -> dict[str, Any]:
        """The variables that a statement names as `:name`."""
        names = [str(key) for key in placeholders_of(statement)]
        missing = [name for name in names if name not in self._names]
        if missing:
            raise ProgrammingError(f"there is no variable {missing[0]}", hint=":name stands for the value of a variable")
        return {name: self._names[name] for name in names}


def load(shell: InteractiveShell) -> None:
    """Let a shell have the magic."""
    shell.register_magics(StreamSQLMagics(shell))


def _in_its_place(statement: Statement) -> str:
    """The text of a statement, with errors where it stands in the cell."""
    span = statement.span
    return "\n" * (span.line - 1) + " " * (span.column - 1) + statement.text
