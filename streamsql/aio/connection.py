"""A connection whose statements are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Any, NoReturn

from streamsql import dbapi
from streamsql.aio.cursor import Cursor
from streamsql.aio.waiting import News, in_thread
from streamsql.bind.parameters import Parameters
from streamsql.errors import OperationalError


class Connection:
    """A connection of one event loop; its coroutines may share it, each with its own cursors."""

    def __init__(self, connection: dbapi.Connection) -> None:
        self._connection = connection
        self._loop = connection.session.loop
        self._news = News(self._loop)

    @property
    def timeout(self) -> float | None:
        """The seconds with which cursors begin; None: as long as it takes."""
        return self._connection.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._connection.timeout = seconds

    @property
    def deadline(self) -> float | None:
        """The seconds after which queries over streams end, with which cursors begin; None: they go on."""
        return self._connection.deadline

    @deadline.setter
    def deadline(self, seconds: float | None) -> None:
        self._connection.deadline = seconds

    def cursor(self) -> Cursor:
        """A new cursor."""
        return Cursor(self, self._connection.cursor(), self._news)

    async def execute(self, operation: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement with a new cursor."""
        return await self.cursor().execute(operation, parameters)

    async def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters] | Any) -> Cursor:
        """Execute an INSERT for each of many parameters with a new cursor."""
        return await self.cursor().executemany(operation, seq_of_parameters)

    async def executescript(self, sql_script: str) -> Cursor:
        """Execute all statements of a script with a new cursor."""
        return await self.cursor().executescript(sql_script)

    async def register(self, name: str, data: Any) -> None:
        """Let queries read a table; see `streamsql.Connection.register`."""
        await in_thread(self._loop, lambda: self._connection.register(name, data))

    async def unregister(self, name: str) -> None:
        """Forget a registered table."""
        await in_thread(self._loop, lambda: self._connection.unregister(name))

    async def commit(self) -> None:
        """Make what was done durable, and what was written to the outputs visible."""
        await in_thread(self._loop, self._connection.commit)

    async def rollback(self) -> NoReturn:
        """Rows that went into a stream do not come back."""
        self._connection.rollback()

    def interrupt(self) -> None:
        """What other coroutines execute or wait for on this connection stops with an OperationalError; it stays usable."""
        self._connection.interrupt()

    async def wait(self, timeout: float | None = None) -> None:
        """Wait until all inputs have ended, those of files that are not followed do."""
        self._connection.check()
        if not await self._news.until(self._connection.session.inputs_ended, timeout):
            raise OperationalError(f"the inputs have not ended within {timeout:g} seconds")
        self._connection.wait()  # which says why, where one could not be read

    async def close(self) -> None:
        """End running queries, complete the outputs, and with a path keep everything for the next time."""
        await asyncio.shield(asyncio.to_thread(self._connection.close))

    async def __aenter__(self) -> Connection:
        self._connection.check()
        return self

    async def __aexit__(self, *exception: Any) -> None:
        await asyncio.shield(asyncio.to_thread(self._connection.__exit__, *exception))


class _Connecting:
    """A connection to come: `await` gives it, and `async with` closes it, too."""

    def __init__(self, open: Callable[[], Awaitable[Connection]]) -> None:
        self._open = open
        self._connection: Connection | None = None

    def __await__(self) -> Generator[Any, None, Connection]:
        return self._open().__await__()

    async def __aenter__(self) -> Connection:
        self._connection = await self._open()
        return self._connection

    async def __aexit__(self, *exception: Any) -> None:
        assert self._connection is not None
        await self._connection.__aexit__(*exception)


def connect(*arguments: Any, **options: Any) -> _Connecting:
    """A new connection, with the arguments of `streamsql.connect`.

    `con = await connect()`, or `async with connect() as con:`.
    """

    async def open_() -> Connection:
        return Connection(await asyncio.to_thread(dbapi.connect, *arguments, **options))

    return _Connecting(open_)
