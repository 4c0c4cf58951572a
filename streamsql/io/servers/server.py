"""THE table of servers: where the rows of a foreign stream come from, and where they go to.

A server turns what OPTIONS says into a URI, so that a foreign stream is an input or output like those of the command line.  One
that is not about files has a scheme of its own, and opens the sources of its URIs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from streamsql.io.source import Source
from streamsql.io.uri import Uri
from streamsql.time import Clock
from streamsql.types import Field, Schema

OpenSource = Callable[[Uri, Schema, Clock], Source]
"""The source of a URI, for these columns; the clock paces what nothing else does."""


class OptionError(ValueError):
    """What is wrong with an option, by its name."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a statement says: the stream's name and columns, the server's options, and those that are names of columns."""

    stream: str
    columns: Sequence[Field]
    options: Mapping[str, str]
    of_columns: Mapping[str, str]


MakeUri = Callable[[Declaration], str]
"""The URI that a declaration means.  Raises OptionError."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server.

    `options` says what each means; with `columns` the names of columns may be options too.  `source` opens URIs of the server's
    own scheme.
    """

    name: str
    documentation: str
    options: Mapping[str, str]
    required: tuple[str, ...]
    reads: bool
    writes: bool
    columns: bool
    uri: MakeUri
    source: OpenSource | None

    @property
    def scheme(self) -> str:
        return self.name.lower()


SERVERS: dict[str, Server] = {}
"""By upper-case name."""


def server(
    name: str,
    options: Mapping[str, str],
    *,
    required: Sequence[str] = (),
    reads: bool = False,
    writes: bool = False,
    columns: bool = False,
    source: OpenSource | None = None,
) -> Callable[[MakeUri], MakeUri]:
    """Enter the decorated maker of URIs as a server."""

    def enter(uri: MakeUri) -> MakeUri:
        SERVERS[name] = Server(name, uri.__doc__ or "", options, tuple(required), reads, writes, columns, uri, source)
        return uri

    return enter


def own_source(uri: Uri) -> OpenSource | None:
    """What opens a URI whose scheme is a server's own."""
    found = SERVERS.get(uri.scheme.upper())
    return None if found is None else found.source


def with_options(address: str, options: Mapping[str, str]) -> str:
    """A URI with options behind those that it has."""
    if not options:
        return address
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in options.items())
    joint = "&" if "?" in address and "=" in address.rpartition("?")[2] else "?"
    return f"{address}{joint}{query}"
