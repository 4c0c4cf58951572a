"""PEP 249's cursor, over queries that may have no end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa

from streamsql.bind.parameters import Parameters
from streamsql.dbapi.dbtypes import Description, Row, describe, rows_of
from streamsql.dbapi.parameters import Key, bound, placeholders_of, table_of_data, table_of_rows
from streamsql.dbapi.reader import Reader
from streamsql.errors import Error, InterfaceError, NotSupportedError, ProgrammingError, Warning
from streamsql.session.session import Executed
from streamsql.sql.parser import parse
from streamsql.statements import CreatePump, CreateView, Insert, Query, Statement
from streamsql.types import Batch

if TYPE_CHECKING:
    from streamsql.dbapi.connection import Connection

ROWS_AT_ONCE = 65_536
"""Rows of parameters that `executemany` inserts as one batch."""

CONVERTED = 4_096
"""Rows turned into Python values at a time."""

LONGEST_KEPT = 10_000
"""Characters of a statement that is kept in parsed form."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement and what its placeholders ask for."""

    statement: Statement
    keys: tuple[Key, ...]


class Cursor:
    """Executes statements, and reads the rows of the last query.

    Rows of a query over streams are those that come after it was executed; reading waits for them, at most `timeout`
    seconds where that is set.  A cursor is for one thread at a time.
    """

    def __init__(self, connection: Connection) -> None:
        self.arraysize = 1
        self.timeout: float | None = None
        self.messages: list[tuple[type[Warning], Warning]] = []
        self.lastrowid: int | None = None
        self._connection = connection
        self._session = connection.session
        self._closed = False
        self._reader: Reader | None = None
        self._count = -1
        self._position = 0
        self._batch: Batch | None = None
        self._start = 0
        self._rows: list[Row] = []
        """The rows of the batch from `_start` on, as Python values; `_next` of them were fetched."""
        self._next = 0

    # -- what there is to know -----------------------------------------------------------------------------------------

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def description(self) -> list[Description] | None:
        """The columns of the last query; None when the last statement was none."""
        return None if self._reader is None else describe(self._reader.schema)

    @property
    def rowcount(self) -> int:
        """Rows inserted, or rows of a finished query; -1 where nobody knows, as for a query over streams."""
        return self._count if self._reader is None else self._reader.count

    @property
    def rownumber(self) -> int | None:
        """How many rows of the last query have been fetched."""
        return None if self._reader is None else self._position

    # -- statements ----------------------------------------------------------------------------------------------------

    def execute(self, operation: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement.  A query over streams goes on running; its rows are fetched as they come."""
        self._begin()
        with located(operation):
            prepared = _prepared(operation)
            if prepared.keys and isinstance(prepared.statement, CreatePump | CreateView):
                raise NotSupportedError("not supported yet: parameters in what the catalog keeps", prepared.statement.span)
            values = bound(prepared.keys, parameters)
            executed = self._session.execute([prepared.statement], values)[0]
            self._take(executed)
        return self

    def executemany(self, operation: str, seq_of_parameters: Iterable[Parameters] | Any) -> Cursor:
        """Execute an INSERT once for each of many parameters.

        Rows of INSERT INTO ... VALUES go in as Arrow batches.  Instead of a sequence there may be an Arrow table or a frame,
        whose columns are the parameters.
        """
        self._begin()
        with located(operation):
            prepared = _prepared(operation)
            if isinstance(prepared.statement, Query):
                raise ProgrammingError("executemany executes no queries", prepared.statement.span, "execute")
            self._count = 0
            if _is_table(seq_of_parameters):
                self._insert_table(prepared, seq_of_parameters)
            else:
                many = iter(seq_of_parameters)
                with self._session.loop.task() as task:
                    while rows := list(islice(many, ROWS_AT_ONCE)):
                        task.check()
                        self._count += self._execute_rows(prepared, rows)
        return self

    def executescript(self, script: str) -> Cursor:
        """Execute all statements of a script; the inputs that they read begin after the last one."""
        self._begin()
        with located(script):
            for executed in self._session.execute(_parsed(script)):
                self._take(executed)
            self._forget()
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> NoReturn:
        """There are no stored procedures."""
        raise NotSupportedError("there are no stored procedures")

    def nextset(self) -> None:
        """There is one result at most."""
        self._check()

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Nothing: values bring their own types."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Nothing: values have any size."""

    def close(self) -> None:
        """Detach from a running query, and be of no more use."""
        if not self._closed:
            self._closed = True
            self._forget()

    # -- rows ----------------------------------------------------------------------------------------------------------

    def fetchone(self) -> Row | None:
        """The next row; None at the end.  Waits for it where a query is running."""
        self._result()
        if self._next == len(self._rows) and not self._fill(wait=True):
            return None
        row = self._rows[self._next]
        self._next += 1
        self._position += 1
        return row

    def fetchmany(self, size: int | None = None) -> list[Row]:
        """Up to `size` rows.  Of a running query those that are there, at least one; an empty list is the end."""
        reader = self._result()
        wanted = self.arraysize if size is None else size
        found: list[Row] = []
        while len(found) < wanted:
            if self._next == len(self._rows) and not self._fill(wait=not found or not reader.running):
                break
            rows = self._rows[self._next : self._next + wanted - len(found)]
            self._next += len(rows)
            self._position += len(rows)
            found += rows
        return found

    def fetchall(self) -> list[Row]:
        """All rows that are left, of a query that ends."""
        reader = self._result()
        found = list(chain.from_iterable(map(rows_of, self._all_batches(reader))))
        self._position += len(found)
        return found

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
        reader = self._arrow_result()
        if reader is None:
            return pa.table({})
        batches = self._all_batches(reader)
        self._position += sum(batch.num_rows for batch in batches)
        schema = reader.arrow_schema()
        return pa.Table.from_batches([_as(batch, schema) for batch in batches], schema)

    def fetch_record_batch(self) -> pa.RecordBatchReader:
        """The rows that are left as a reader of Arrow batches, which of a running query waits for each of them."""
        reader = self._arrow_result()
        if reader is None:
            return pa.RecordBatchReader.from_batches(pa.schema([]), iter(()))
        schema = reader.arrow_schema()
        batches = chain(self._unread(), reader.batches(self.timeout))
        return pa.RecordBatchReader.from_batches(schema, (_as(batch, schema) for batch in batches))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.fetch_record_batch().__arrow_c_stream__(requested_schema)

    # -- ways out ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        reader = getattr(self, "_reader", None)
        if reader is not None:
            reader.abandon()

    # -- within --------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self._connection.check()

    def _result(self) -> Reader:
        self._check()
        if self._reader is None:
            raise ProgrammingError("there are no rows to fetch: the last statement was no query")
        return self._reader

    def _arrow_result(self) -> Reader | None:
        self._check()
        return self._reader

    def _begin(self) -> None:
        self._check()
        self._forget()
        self.messages.clear()
        self._connection.messages.clear()

    def _forget(self) -> None:
        """Let go of the last result."""
        reader, self._reader = self._reader, None
        self._count, self._position = -1, 0
        self._batch, self._start, self._rows, self._next = None, 0, [], 0
        if reader is not None:
            reader.close()

    def _take(self, executed: Executed) -> None:
        self._forget()
        self.messages += [(Warning, Warning(text)) for text in executed.warnings]
        self._count = executed.result.count
        if executed.result.rows is not None:
            self._reader = Reader(self._session, executed.result)

    def _execute_rows(self, prepared: Prepared, rows: list[Parameters]) -> int:
        """Execute a statement for some rows of parameters; gives the number of rows inserted."""
        statement = prepared.statement
        if isinstance(statement, Insert):
            whole = table_of_rows(statement, prepared.keys, rows)
            if whole is not None:
                with contextlib.suppress(ProgrammingError):  # the row that is wrong shows below
                    return self._session.insert_from(*whole).count
        return self._session.execute_each(statement, (bound(prepared.keys, row) for row in rows))

    def _insert_table(self, prepared: Prepared, data: Any) -> None:
        if not isinstance(prepared.statement, Insert):
            raise ProgrammingError("only INSERT takes a table of parameters", prepared.statement.span)
        self._count = self._session.insert_from(*table_of_data(prepared.statement, prepared.keys, data)).count

    def _fill(self, wait: bool) -> bool:
        """Have the next rows at hand as Python values; False at the end, or when there are none and `wait` is not set."""
        reader = self._reader
        assert reader is not None
        start = self._start + len(self._rows)
        while self._batch is None or start == self._batch.num_rows:
            batch = reader.next(self.timeout) if wait else reader.now()
            if batch is None:
                return False
            self._batch, self._start, self._rows, self._next, start = batch, 0, [], 0, 0
        self._rows = rows_of(self._batch.slice(start, CONVERTED))
        self._start, self._next = start, 0
        return True

    def _unread(self) -> list[Batch]:
        """What was taken from the reader and not fetched; it counts as fetched now."""
        if self._batch is None:
            return []
        left = self._batch.slice(self._start + self._next)
        self._batch, self._start, self._rows, self._next = None, 0, [], 0
        return [left] if left.num_rows else []

    def _all_batches(self, reader: Reader) -> list[Batch]:
        """All rows that are left; when waiting for them fails, those that came can still be fetched."""
        reader.check_ends()
        batches = self._unread()
        try:
            batches.extend(reader.batches(self.timeout))
        except BaseException:
            self._batch = pa.concat_batches([_as(b, reader.arrow_schema()) for b in batches]) if batches else None
            raise
        return batches


@contextlib.contextmanager
def located(text: str) -> Iterator[None]:
    """Let errors know the text of their statement: a traceback then shows the line, a caret and the hint."""
    try:
        yield
    except Error as error:
        if error.source is None:
            error.located(text)
            heading, _, rest = error.render().partition("\n")
            if rest:
                error.add_note(f"{heading}\n{rest}" if error.span else rest)
        raise


def _as(batch: Batch, schema: pa.Schema) -> Batch:
    """A batch with exactly this schema: NOT NULL is said by the stream, not by what computes its rows."""
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _prepared(operation: str) -> Prepared:
    if not isinstance(operation, str):
        raise InterfaceError(f"a statement is a text, not a {type(operation).__name__}")
    return _parsed_once(operation) if len(operation) <= LONGEST_KEPT else _prepare(operation)


def _prepare(operation: str) -> Prepared:
    statements = parse(operation)
    if not statements:
        raise ProgrammingError("there is no statement in this text")
    if len(statements) > 1:
        raise ProgrammingError(
            f"execute takes one statement, and this text has {len(statements)}", statements[1].span, "executescript takes several"
        )
    return Prepared(statements[0], placeholders_of(statements[0]))


_parsed_once = lru_cache(maxsize=256)(_prepare)


def _parsed(script: str) -> tuple[Statement, ...]:
    if not isinstance(script, str):
        raise InterfaceError(f"a script is a text, not a {type(script).__name__}")
    return parse(script)


def _is_table(data: object) -> bool:
    names = ("__arrow_c_stream__", "__arrow_c_array__", "to_arrow")
    return any(hasattr(data, name) for name in names) or type(data).__module__.partition(".")[0] == "pandas"
