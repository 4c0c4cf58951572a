"""A cursor whose rows are awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from streamsql import dbapi
from streamsql.aio.waiting import News, in_thread
from streamsql.bind.parameters import Parameters
from streamsql.dbapi.dbtypes import Description, Row
from streamsql.dbapi.reader import Reader, no_row_came
from streamsql.dbapi.tuples import Tuples
from streamsql.errors import ProgrammingError, Warning

if TYPE_CHECKING:
    import pandas
    import polars

    from streamsql.aio.connection import Connection

T = TypeVar("T")


class Cursor:
    """Executes statements, and reads the rows of the last query; for one coroutine at a time.

    Cancelling a coroutine stops what it executes, and the query whose rows it waits for.  `timeout` bounds a wait and lets
    the query go on.
    """

    def __init__(self, connection: Connection, cursor: dbapi.Cursor, news: News) -> None:
        self._connection = connection
        self._cursor = cursor
        self._news = news
        self._loop = cursor.connection.session.loop
        self._stopped = False

    # -- what there is to know -----------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def description(self) -> list[Description] | None:
        """The columns of the last query; None when the last statement was none."""
        return self._cursor.description

    @property
    def rowcount(self) -> int:
        """Rows inserted, or rows of a finished query; -1 where nobody knows, as for a query over streams."""
        return self._cursor.rowcount

    @property
    def rownumber(self) -> int | None:
        """How many rows of the last query have been fetched."""
        return self._cursor.rownumber

    @property
    def messages(self) -> list[tuple[type[Warning], Warning]]:
        """Warnings of the last statement."""
        return self._cursor.messages

    @property
    def arraysize(self) -> int:
        """The rows that `fetchmany` fetches where it is not told otherwise."""
        return self._cursor.arraysize

    @arraysize.setter
    def arraysize(self, rows: int) -> None:
        self._cursor.arraysize = rows

    @property
    def timeout(self) -> float | None:
        """The seconds that a wait for rows may take; None: as long as it takes."""
        return self._cursor.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._cursor.timeout = seconds

    @property
    def deadline(self) -> float | None:
        """The seconds after which the queries over streams end that are executed from now on; None: they go on."""
        return self._cursor.deadline

    @deadline.setter
    def deadline(self, seconds: float | None) -> None:
        self._cursor.deadline = seconds

    # -- statements ----------------------------------------------------------------------------------------------------

    async def execute(self, operation: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement.  A query over streams goes on running; its rows are fetched as they come."""
        return await self._execute(lambda: self._cursor.execute(operation, parameters))

    async def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters] | Any) -> Cursor:
        """Execute an INSERT once for each of many parameters: a sequence, an Arrow table or a frame."""
        return await self._execute(lambda: self._cursor.executemany(operation, seq_of_parameters))

    async def executescript(self, sql_script: str) -> Cursor:
        """Execute all statements of a script; the inputs that they read begin after the last one."""
        return await self._execute(lambda: self._cursor.executescript(sql_script))

    async def close(self) -> None:
        """Detach from a running query, and be of no more use."""
        await asyncio.shield(asyncio.to_thread(self._cursor.close))

    # -- rows ----------------------------------------------------------------------------------------------------------

    async def fetchone(self) -> Row | None:
        """The next row; None at the end."""
        return await self._next(self._cursor.fetchone)

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """Up to `size` rows.  Of a running query those that are there, at least one; an empty list is the end."""
        return await self._next(lambda: self._cursor.fetchmany(size))

    async def fetchall(self) -> list[Row]:
        """All rows that are left, of a query that ends."""
        return await self._all(self._cursor.fetchall)

    def __aiter__(self) -> AsyncIterator[Row]:
        return self

    async def __anext__(self) -> Row:
        row = await self.fetchone()
        if row is None:
            raise StopAsyncIteration
        return row

    # -- Arrow ---------------------------------------------------------------------------------------------------------

    async def fetch_arrow_table(self) -> pa.Table:
        """All rows that are left as an Arrow table, of a query that ends."""
        return await self._all(self._cursor.fetch_arrow_table)

    async def fetch_df(self) -> pandas.DataFrame:
        """All rows that are left as a pandas data frame, of a query that ends."""
        return await self._all(self._cursor.fetch_df)

    async def fetch_polars(self) -> polars.DataFrame:
        """All rows that are left as a polars data frame, of a query that ends."""
        return await self._all(self._cursor.fetch_polars)

    async def record_batches(self) -> AsyncIterator[pa.RecordBatch]:
        """The rows that are left as Arrow batches, as they come."""
        while (batch := await self._next(self._cursor.fetch_arrow_batch)) is not None:
            yield batch

    # -- ways out ------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Cursor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # -- within --------------------------------------------------------------------------------------------------------

    async def _execute(self, function: Callable[[], object]) -> Cursor:
        self._stopped = False
        try:
            await in_thread(self._loop, function)
        except asyncio.CancelledError:
            await self._stop()
            raise
        return self

    async def _next(self, fetch: Callable[[], T]) -> T:
        """Fetch rows that are there, or wait for some."""
        rows = self._rows()
        if not rows.at_hand:
            if not rows.reader.running:
                return await in_thread(self._loop, fetch)
            await self._wait(rows.reader, rows.reader.ready)
        return fetch()

    async def _all(self, fetch: Callable[[], T]) -> T:
        """Fetch all rows when they are there."""
        reader = self._rows().reader
        await in_thread(self._loop, reader.check_ends)
        while not reader.whole():
            await self._wait(reader, partial(reader.grown, reader.written))
        return await in_thread(self._loop, fetch)

    async def _wait(self, reader: Reader, ready: Callable[[], bool]) -> None:
        try:
            while not ready():
                seconds, too_long = reader.patience(self.timeout)
                if not await self._news.until(ready, seconds) and too_long:
                    raise no_row_came(seconds)
        except asyncio.CancelledError:
            await self._stop()
            raise

    async def _stop(self) -> None:
        """Let the query end with the coroutine that waited for it."""
        self._stopped = True
        await asyncio.shield(asyncio.to_thread(self._cursor.forget))

    def _rows(self) -> Tuples:
        if self._stopped:
            raise ProgrammingError(
                "the query has ended, for who waited for it was cancelled",
                hint="cursor.timeout bounds a wait and lets the query go on",
            )
        return self._cursor.result()
