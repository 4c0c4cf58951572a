"""Functions that tell of the session."""

from __future__ import annotations

from importlib import metadata

import pyarrow as pa

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, Rows
from streamsql.types import varchar


@scalar("VERSION()", returns=lambda _: varchar(64))
def version(rows: Rows) -> Datum:
    """The version of StreamSQL.

    >>> VERSION() LIKE 'StreamSQL _%'
    TRUE
    """
    return pa.scalar(f"StreamSQL {metadata.version('streamsql')}")


@scalar("PG_LAST_QUERY_ID() -> INTEGER")
def pg_last_query_id(rows: Rows) -> Datum:
    """The number of the query over tables that ended last before this statement; -1 where there was none.

    Queries of system tables are among them, those that read no table are not.

    >>> PG_LAST_QUERY_ID()
    -1
    """
    return pa.scalar(rows.time.last_query, pa.int32())
