"""PEP 249's cursor, over queries that may have no end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from streamsql.bind.parameters import Parameters
from streamsql.dbapi import html
from streamsql.dbapi.dbtypes import Description, Row, describe
from streamsql.dbapi.parameters import bound, table_of_data, table_of_rows
from streamsql.dbapi.prepared import Prepared, prepared, script
from streamsql.dbapi.reader import Reader
from streamsql.dbapi.relations import is_table
from streamsql.dbapi.tuples import Tuples, with_schema
from streamsql.errors import Error, InterfaceError, NotSupportedError, ProgrammingError, Warning
from streamsql.session.session import Executed
from streamsql.statements.streaming import CreatePump, CreateView, Insert, Query

if TYPE_CHECKING:
    import pandas
    import polars

    from streamsql.dbapi.connection import Connection

ROWS_AT_ONCE = 65_536
"""Rows of parameters that `executemany` inserts as one batch."""


class Cursor:
    """Executes statements, and reads the rows of the last query.

    Rows of a query over streams are those that come after it was executed; reading waits for them, at most `timeout`
    seconds where that is set.  With a `deadline`, what is executed from then on ends so many seconds later: its rows are
    those that have come by then.  Both begin as those of the connection.  A cursor is for one thread at a time.
    """

    def __init__(self, connection: Connection) -> None:
        self.arraysize = 1
        self.timeout = connection.timeout
        self.deadline = connection.deadline
        self.messages: list[tuple[type[Warning], Warning]] = []
        self.lastrowid: int | None = None
        self._connection = connection
        self._session = connection.session
        self._closed = False
        self._rows: Tuples | None = None
        self._count = -1

    # -- what there is to know -----------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def description(self) -> list[Description] | None:
        """The columns of the last query; None when the last statement was none."""
        return None if self._rows is None else describe(self._rows.reader.schema)

    @property
    def rowcount(self) -> int:
        """Rows inserted, or rows of a finished query; -1 where nobody knows, as for a query over streams."""
        return self._count if self._rows is None else self._rows.reader.count

    @property
    def rownumber(self) -> int | None:
        """How many rows of the last query have been fetched."""
        return None if self._rows is None else self._rows.position

    # -- statements ----------------------------------------------------------------------------------------------------

    def execute(self, operation: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement.  A query over streams goes on running; its rows are fetched as they come."""
        self._begin()
        with located(operation):
            known = prepared(operation)
            if known.keys and isinstance(known.statement, CreatePump | CreateView):
                raise NotSupportedError("not supported yet: parameters in what the catalog keeps", known.statement.span)
            values = bound(known.keys, parameters)
            self._take(self._session.execute([known.statement], values)[0])
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters] | Any) -> Cursor:
        """Execute an INSERT once for each of many parameters.

        Rows of INSERT INTO ... VALUES go in as Arrow batches.  Instead of a sequence there may be an Arrow table or a frame,
        whose columns are the parameters.
        """
        self._begin()
        with located(operation):
            known = prepared(operation)
            if isinstance(known.statement, Query):
                raise ProgrammingError("executemany executes no queries", known.statement.span, "execute")
            self._count = 0
            if is_table(seq_of_parameters):
                self._insert_table(known, seq_of_parameters)
            else:
                many = iter(seq_of_parameters)
                with self._session.loop.task() as task:
                    while rows := list(islice(many, ROWS_AT_ONCE)):
                        task.check()
                        self._count += self._execute_rows(known, rows)
        return self

    def executescript(self, sql_script: str) -> Cursor:
        """Execute all statements of a script; the inputs that they read begin after the last one."""
        self._begin()
        with located(sql_script):
            for executed in self._session.execute(script(sql_script)):
                self._take(executed)
            self.forget()
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> NoReturn:
        """There are no stored procedures."""
        raise NotSupportedError("there are no stored procedures")

    def nextset(self) -> None:
        """There is one result a statement, and so no next one."""
        self.result()

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Nothing: values bring their own types."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Nothing: values have any size."""

    def close(self) -> None:
        """Detach from a running query, and be of no more use."""
        if not self._closed:
            self._closed = True
            inserted = self._count
            self.forget()
            self._count = inserted

    # -- rows ----------------------------------------------------------------------------------------------------------

    def fetchone(self) -> Row | None:
        """The next row; None at the end.  Waits for it where a query is running."""
        return self.result().one(self.timeout)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Up to `size` rows.  Of a running query those that are there, at least one; an empty list is the end."""
        return self.result().many(self.arraysize if size is None else size, self.timeout)

    def fetchall(self) -> list[Row]:
        """All rows that are left, of a query that ends."""
        return self.result().all(self.timeout)

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    # -- Arrow ---------------------------------------------------------------------------------------------------------

    def fetch_arrow_table(self) -> pa.Table:
        """All rows that are left as an Arrow table, of a query that ends; an empty one after a statement without rows."""
        rows = self._arrow_result()
        if rows is None:
            return pa.table({})
        schema = rows.reader.arrow_schema()
        return pa.Table.from_batches([with_schema(batch, schema) for batch in rows.all_batches(self.timeout)], schema)

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        """The rows that are left as a reader of Arrow batches, which of a running query waits for each of them."""
        rows = self._arrow_result()
        if rows is None:
            return pa.RecordBatchReader.from_batches(pa.schema([]), iter(()))
        schema = rows.reader.arrow_schema()
        return pa.RecordBatchReader.from_batches(schema, (with_schema(batch, schema) for batch in rows.batches(self.timeout)))

    def fetch_arrow_batch(self) -> pa.RecordBatch | None:
        """The next rows as an Arrow batch, which of a running query are waited for; None at the end."""
        rows = self.result()
        return next(rows.batches(self.timeout), None)

    def fetch_df(self) -> pandas.DataFrame:
        """All rows that are left as a pandas data frame, of a query that ends."""
        return self.fetch_arrow_table().to_pandas()

    def fetch_polars(self) -> polars.DataFrame:
        """All rows that are left as a polars data frame, of a query that ends."""
        import polars

        return polars.DataFrame(self.fetch_arrow_table())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Arrow's PyCapsule interface: any library that knows it can read the cursor as a table."""
        return self.fetch_record_batch().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str | None:
        """For notebooks: the rows that are there, without fetching them."""
        if self._closed or self._rows is None:
            return None
        batch = self._rows.peek(html.ROWS + 1)
        remark = f"{min(batch.num_rows, html.ROWS)} rows" + (" and more" if batch.num_rows > html.ROWS else "")
        return html.html_table(batch, f"{remark}; the query runs" if self._rows.reader.running else remark)

    # -- for tools -----------------------------------------------------------------------------------------------------

    def result(self) -> Tuples:
        """The result of the last query; raises ProgrammingError after any other statement."""
        self._check()
        if self._rows is None:
            raise ProgrammingError("there are no rows to fetch: the last statement was no query")
        return self._rows

    def expire(self) -> None:
        """From any thread: let the deadline of a running query be now, so that its rows are those that have come."""
        rows = self._rows
        if rows is not None:
            rows.reader.expire()

    def forget(self) -> None:
        """Let go of the last result."""
        rows, self._rows = self._rows, None
        self._count = -1
        if rows is not None:
            rows.reader.close()

    # -- ways out ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        rows = getattr(self, "_rows", None)
        if rows is not None:
            rows.reader.abandon()

    # -- within --------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self._connection.check()

    def _arrow_result(self) -> Tuples | None:
        self._check()
        return self._rows

    def _begin(self) -> None:
        self._check()
        self.forget()
        self.messages.clear()
        self._connection.messages.clear()

    def _take(self, executed: Executed) -> None:
        self.forget()
        self.messages += [(Warning, Warning(text)) for text in executed.warnings]
        self._count = executed.result.count
        if executed.result.rows is not None:
            self._rows = Tuples(Reader(self._session, executed.result, self.deadline))

    def _execute_rows(self, known: Prepared, rows: list[Parameters]) -> int:
        """Execute a statement for some rows of parameters; gives the number of rows inserted."""
        statement = known.statement
        if isinstance(statement, Insert):
            whole = table_of_rows(statement, known.keys, rows)
            if whole is not None:
                with contextlib.suppress(ProgrammingError):  # the row that is wrong shows below
                    return self._session.insert_from(*whole).count
        return self._session.execute_each(statement, (bound(known.keys, row) for row in rows))

    def _insert_table(self, known: Prepared, data: Any) -> None:
        if not isinstance(known.statement, Insert):
            raise ProgrammingError("only INSERT takes a table of parameters", known.statement.span)
        self._count = self._session.insert_from(*table_of_data(known.statement, known.keys, data)).count


@contextlib.contextmanager
def located(text: str) -> Iterator[None]:
    """Let errors know the text of their statement: a traceback then shows the line, a caret and the hint."""
    try:
        yield
    except Error as error:
        if error.source is None:
            error.located(text)
            error.show_in_traceback()
        raise
