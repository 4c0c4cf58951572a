"""SERVER STDIN and SERVER STDOUT."""

from __future__ import annotations

from streamsql.io.servers.file import RIDING, checked
from streamsql.io.servers.server import Declaration, server
from streamsql.io.uri import STANDARD

FORMAT = {"format": "jsonl (without it) or csv"}


@server("STDIN", {**FORMAT, **{name: RIDING[name] for name in ("rowtime", "lateness", "header")}}, reads=True)
def stdin(declared: Declaration) -> str:
    """The rows that come in by stdin.  Their progress cannot be kept, so `--checkpoint` and databases refuse it."""
    return checked(STANDARD, declared.options)


@server("STDOUT", {**FORMAT, "header": RIDING["header"]}, writes=True)
def stdout(declared: Declaration) -> str:
    """The rows go out by stdout."""
    return checked(STANDARD, declared.options)
