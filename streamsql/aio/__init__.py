"""The asyncio twin of the Python interface: the same names, with `await` where something may take a while.

A statement is executed by a thread of asyncio's pool.  Waiting for the rows of a query over streams takes no thread: the
engine wakes the event loop when there are some.
"""

from __future__ import annotations

from streamsql.aio.connection import Connection, connect
from streamsql.aio.cursor import Cursor

__all__ = ["Connection", "Cursor", "connect"]
