"""What an expression gives: from its text to the printed value."""

from __future__ import annotations

import re

import pyarrow as pa
from session import Reading, Session, parsed
from slt_text import Calendar, Value

from streamsql.errors import Error
from streamsql.rows import ErrorName


def printed(text: str, session: Session) -> Value:
    """The value of an expression, or of a query that gives one, as CAST AS VARCHAR prints it; `error: MESSAGE` if it fails."""
    query = text if re.match(r"(SELECT|VALUES)\b", text, re.IGNORECASE) else f"VALUES ({text})"
    try:
        rows = session.execute(parsed(query)[0]).rows
        assert rows is not None
        reading = Reading(rows)
        reading.drain()
    except Error as error:
        return "error: " + re.sub(f"^({'|'.join(ErrorName)}): ", "", error.message)
    ((value,),) = Calendar("").rows(pa.Table.from_batches(reading.batches), rows.schema)
    return value
