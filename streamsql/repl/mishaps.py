"""What a user is told when something goes wrong: never a traceback, unless STREAMSQL_TRACEBACK asks for it."""

from __future__ import annotations

import os
import traceback

from streamsql.errors import Error, InternalError


def told(error: BaseException) -> str:
    """The text for an error, whatever it is."""
    if not isinstance(error, Error):
        if os.environ.get("STREAMSQL_TRACEBACK"):
            return "".join(traceback.format_exception(error)).rstrip()
        text = f"a defect of StreamSQL: {type(error).__name__}: {error}"
        error = InternalError(text, hint="STREAMSQL_TRACEBACK=1 shows where it happened")
    return f"streamsql: {error.render()}"
