"""PEP 249's connection: an engine, what is attached to it, and the cursors that talk to it."""

from __future__ import annotations

import contextlib
import os
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from streamsql import errors
from streamsql.attach.attacher import Attachments
from streamsql.bind.parameters import Parameters
from streamsql.catalog import Table, a_kind_of
from streamsql.dbapi.cursor import Cursor
from streamsql.dbapi.relations import table_of
from streamsql.engine.engine import Engine
from streamsql.errors import InterfaceError, NotSupportedError, OperationalError, ProgrammingError, Warning
from streamsql.io.storages.places import S3_ROOT
from streamsql.session.session import Session
from streamsql.time import Clock

T = TypeVar("T")

MEMORY = ":memory:"
"""What people write for a database that nobody keeps."""

Uris = Mapping[str, str | os.PathLike[str]]


class Connection:
    """A session with an engine.  Threads may share it, each with its own cursors.

    An input is held until the first pump or query reads its stream.  `close` ends everything; a connection that is forgotten
    is closed when it is collected, or at the end of the program.  `timeout` and `deadline` are those with which its cursors
    begin.
    """

    Warning = errors.Warning
    Error = errors.Error
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, session: Session, timeout: float | None = None, deadline: float | None = None) -> None:
        self.session = session
        self.timeout = timeout
        self.deadline = deadline
        self.messages: list[tuple[type[Warning], Warning]] = []
        self._close = weakref.finalize(self, _close_quietly, session)

    # -- PEP 249 -------------------------------------------------------------------------------------------------------

    def cursor(self) -> Cursor:
        """A new cursor."""
        self.check()
        return Cursor(self)

    def commit(self) -> None:
        """Make what was done durable, and what was written to the outputs visible."""
        self.check()
        self.session.commit()

    def rollback(self) -> NoReturn:
        """Rows that went into a stream do not come back."""
        self.check()
        raise NotSupportedError("there is no rollback: rows that went into a stream do not come back")

    @property
    def autocommit(self) -> bool:
        """True, always: what a statement did stays done."""
        return True

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        if not value:
            raise NotSupportedError("there are no transactions: what a statement did stays done")

    def close(self) -> None:
        """End running queries, complete the outputs, and with a path keep everything for the next time."""
        self._end(say=True)

    def _end(self, say: bool) -> None:
        if self._close.detach() is not None:
            self.session.close()
            missing = ", ".join(self.session.missing_outputs)
            if missing and say:
                warnings.warn(f"nothing was written to {missing}: no stream of this name was created", stacklevel=3)

    def __enter__(self) -> Connection:
        self.check()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(say=kind is None)

    # -- beyond it -----------------------------------------------------------------------------------------------------

    def execute(self, operation: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement with a new cursor."""
        return self.cursor().execute(operation, parameters)

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters] | Any) -> Cursor:
        """Execute an INSERT for each of many parameters with a new cursor."""
        return self.cursor().executemany(operation, seq_of_parameters)

    def executescript(self, script: str) -> Cursor:
        """Execute all statements of a script with a new cursor."""
        return self.cursor().executescript(script)

    def register(self, name: str, data: Any) -> None:
        """Let queries read a table: Arrow's tables, batches and readers, pandas and polars frames, rows of a cursor, whatever
        has Arrow's PyCapsule interface.

        A reader is read to its end.  The names of the table and its columns match whatever their case.  A table of the same
        name is replaced; nothing of it is kept in a database.
        """
        table = table_of(name, data.fetch_arrow_table() if isinstance(data, Cursor) else data)

        def enter(engine: Engine) -> None:
            old = engine.catalog.relation(name)
            if old is not None and not isinstance(old, Table):
                raise ProgrammingError(f"there is {a_kind_of(old)} {name} already")
            if old is not None:
                engine.drop_relation(old.name)
            engine.catalog.relations[name] = table

        self.call(enter)

    def unregister(self, name: str) -> None:
        """Forget a registered table."""

        def forget(engine: Engine) -> None:
            table = engine.catalog.relation(name)
            if not isinstance(table, Table):
                raise ProgrammingError(f"no table {name}")
            engine.drop_relation(table.name)

        self.call(forget)

    def interrupt(self) -> None:
        """From another thread: what runs or waits on this connection stops with an OperationalError; it stays usable."""
        self.check()
        self.session.loop.interrupt()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until all inputs have ended, those of files that are not followed do."""
        self.check()
        with self.session.loop.task() as task:
            if not self.session.wait_for_inputs(task, timeout):
                raise OperationalError(f"the inputs have not ended within {timeout:g} seconds")

    def call(self, function: Callable[[Engine], T]) -> T:
        """Call a function with the engine between two of its steps: for tools that look inside."""
        self.check()
        return self.session.call(lambda: function(self.session.engine))

    def check(self) -> None:
        """Raise InterfaceError for a connection that is closed."""
        if not self._close.alive:
            raise InterfaceError("the connection is closed")


def connect(
    path: str | os.PathLike[str] | None = None,
    *,
    inputs: Uris | None = None,
    outputs: Uris | None = None,
    references: Uris | None = None,
    schemas: Uris | None = None,
    s3_root: str | os.PathLike[str] | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    clock: Clock | None = None,
) -> Connection:
    """A new connection: in memory, or with a directory that keeps the catalog, the state of the pumps and their progress.

    `:memory:` is no directory but, as elsewhere, the same as no path.
    `inputs`, `outputs` and `references` are URIs by the name of their stream or table, `schemas` files that give columns.
    A database remembers them, and goes on with them when it is opened again.  `timeout` bounds, in seconds, each wait of its
    cursors for rows; `deadline` ends their queries over streams so many seconds after they were executed.
    """
    root = os.environ.get(S3_ROOT) if s3_root is None else os.fspath(s3_root)
    attachments = Attachments(_texts(inputs), _texts(outputs), _texts(references), _texts(schemas), root)
    place = None if path is None or path == MEMORY else Path(path)
    return Connection(Session(place, attachments, clock), timeout, deadline)


def _texts(uris: Uris | None) -> dict[str, str]:
    return {name: os.fspath(uri) for name, uri in (uris or {}).items()}


def _close_quietly(session: Session) -> None:
    with contextlib.suppress(Exception):
        session.close()
