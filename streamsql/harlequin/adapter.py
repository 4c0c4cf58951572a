"""What Harlequin asks of a database: to connect, to execute, to cancel, what there is.

Harlequin shows results when they are whole, so a query over streams ends: after so many seconds, at Harlequin's limit of
rows, or when it is cancelled; then it shows the rows that have come.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from harlequin import HarlequinAdapter, HarlequinConnection, HarlequinCursor
from harlequin.autocomplete.completion import HarlequinCompletion
from harlequin.catalog import Catalog
from harlequin.exception import HarlequinConfigError, HarlequinConnectionError, HarlequinQueryError
from harlequin.options import ListOption, TextOption

from streamsql import dbapi
from streamsql.errors import Error, OperationalError
from streamsql.harlequin.catalog import SHORT, completions_of, items_of
from streamsql.sql.parser import parse

SECONDS = 5.0
"""How long a query over streams goes on, where nothing else is said."""

_URIS = {"input": "inputs", "output": "outputs", "reference": "references", "schema": "schemas"}


class StreamSQLCursor(HarlequinCursor):
    """The rows of one query."""

    def __init__(self, cursor: dbapi.Cursor) -> None:
        self._cursor = cursor
        self._limit: int | None = None
        self._columns = [(column[0], SHORT.get(column[1], "?")) for column in cursor.description or ()]

    def columns(self) -> list[tuple[str, str]]:
        """Names and short types; Harlequin asks when the rows have been fetched, too."""
        return self._columns

    def set_limit(self, limit: int) -> StreamSQLCursor:
        self._limit = limit
        return self

    def expire(self) -> None:
        """End a query over streams with the rows that have come, whether they are being fetched yet or not."""
        self._cursor.expire()

    def fetchall(self) -> pa.Table:
        """The rows up to the limit; of a query that is cancelled those that had come."""
        schema = self._cursor.result().reader.arrow_schema()
        batches: list[pa.RecordBatch] = []
        count = 0
        try:
            while self._limit is None or count < self._limit:
                batch = self._cursor.fetch_arrow_batch()
                if batch is None:
                    break
                batches.append(batch)
                count += batch.num_rows
        except OperationalError as error:
            if error.message != "interrupted":
                raise query_error(error) from error
        except Error as error:
            raise query_error(error) from error
        finally:
            self._cursor.close()
        return pa.Table.from_batches([batch.cast(schema) for batch in batches], schema).slice(0, self._limit)


class StreamSQLConnection(HarlequinConnection):
    """One connection of StreamSQL; pumps go on while one types."""

    def __init__(self, connection: dbapi.Connection, init_message: str = "") -> None:
        self.init_message = init_message
        self._connection = connection
        self._open: weakref.WeakSet[StreamSQLCursor] = weakref.WeakSet()
        self._cancels = 0
        self._lock = threading.Lock()

    def execute(self, query: str) -> StreamSQLCursor | None:
        cancels = self._cancels
        try:
            cursor = self._connection.execute(query)
        except Error as error:
            raise query_error(error) from error
        if cursor.description is None:
            return None
        shown = StreamSQLCursor(cursor)
        with self._lock:
            self._open.add(shown)
            if self._cancels != cancels:
                shown.expire()
        return shown

    def cancel(self) -> None:
        """Stop what runs; called by another thread, which cannot know whether Harlequin fetches the rows yet."""
        with self._lock:
            self._cancels += 1
            for cursor in self._open:
                cursor.expire()
        self._connection.interrupt()

    def get_catalog(self) -> Catalog:
        return Catalog(items=self._connection.call(items_of))

    def get_completions(self) -> list[HarlequinCompletion]:
        return self._connection.call(completions_of)

    def validate_sql(self, text: str) -> str:
        try:
            parse(text)
        except Error:
            return ""
        return text

    def close(self) -> None:
        self._connection.close()


class StreamSQLAdapter(HarlequinAdapter):
    """`harlequin -a streamsql [DATABASE] [--seconds 5] [--input NAME=URI] ...`"""

    IMPLEMENTS_CANCEL = True
    IMPLEMENTS_VALIDATE_SQL = True
    ADAPTER_DETAILS = "Queries over streams end after `--seconds`, at the limit of rows, or when they are cancelled."
    ADAPTER_OPTIONS = [
        TextOption("seconds", f"How long a query over streams goes on; {SECONDS:g} seconds where it is not given."),
        ListOption("input", "NAME=URI: rows of the stream NAME come from URI."),
        ListOption("output", "NAME=URI: rows of the stream NAME go to URI."),
        ListOption("reference", "NAME=URI: the table NAME."),
        ListOption("schema", "NAME=FILE: the columns of an input."),
    ]

    def __init__(self, conn_str: Sequence[str], read_only: bool = False, **options: Any) -> None:
        if len(conn_str) > 1:
            raise HarlequinConfigError("StreamSQL opens one database at a time", title="Too many databases")
        self._path = conn_str[0] if conn_str else None
        self._seconds = _seconds(options.get("seconds"))
        self._attached: dict[str, Any] = {name: _attached(option, options.get(option)) for option, name in _URIS.items()}

    @property
    def connection_id(self) -> str:
        return self._path or ""

    def connect(self) -> StreamSQLConnection:
        try:
            connection = dbapi.connect(self._path, deadline=self._seconds, **self._attached)
        except Error as error:
            raise HarlequinConnectionError(error.render(), title="StreamSQL could not connect") from error
        return StreamSQLConnection(connection)


def query_error(error: Error) -> HarlequinQueryError:
    """An error with its line, caret and hint."""
    return HarlequinQueryError(error.render(), title="StreamSQL does not carry out this statement")


def _seconds(value: Any) -> float:
    try:
        return SECONDS if value in (None, "") else float(value)
    except ValueError:
        raise HarlequinConfigError(f"--seconds takes a number, not {value}", title="Wrong option") from None


def _attached(option: str, values: Sequence[str] | None) -> dict[str, str]:
    pairs = [value.partition("=") for value in values or ()]
    if not all(name and uri for name, _, uri in pairs):
        raise HarlequinConfigError(f"--{option} takes NAME=URI", title="Wrong option")
    return {name: uri for name, _, uri in pairs}
