"""SERVER STDIN and SERVER STDOUT."""

from __future__ import annotations

from streamsql.io.servers.file import RIDING, checked
from streamsql.io.servers.server import Declaration, server
from streamsql.io.uri import STANDARD


@server("STDIN", {name: RIDING[name] for name in ("format", "rowtime", "lateness", "header")}, reads=True)
def stdin(declared: Declaration) -> str:
    """The rows that come in by stdin: JSON lines, unless `format` says otherwise."""
    return checked(STANDARD, declared.options)


@server("STDOUT", {name: RIDING[name] for name in ("format", "header")}, writes=True)
def stdout(declared: Declaration) -> str:
    """The rows go out by stdout, as JSON lines, unless `format` says otherwise."""
    return checked(STANDARD, declared.options)
