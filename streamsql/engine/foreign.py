"""Foreign streams: what the SERVER and OPTIONS of a statement mean."""

from __future__ import annotations

from difflib import get_close_matches

from streamsql.catalog import Catalog, nearest
from streamsql.errors import ProgrammingError, Span
from streamsql.io.servers.server import SERVERS, Declaration, OptionError, Server
from streamsql.statements.streaming import CreateForeignStream
from streamsql.types import Field


def foreign_streams(catalog: Catalog) -> dict[str, CreateForeignStream]:
    """The statements of all foreign streams, by name."""
    found = {stream.name: stream.statement for stream in catalog.streams()}
    return {name: statement for name, statement in found.items() if isinstance(statement, CreateForeignStream)}


def server_of(statement: CreateForeignStream) -> Server:
    """The server that a statement names."""
    name = statement.server.name.upper()
    if name not in SERVERS:
        raise ProgrammingError(f"no server {name}", statement.server.span, nearest(name, SERVERS))
    return SERVERS[name]


def uri_of(statement: CreateForeignStream) -> str:
    """The URI that a foreign stream stands for.  Raises ProgrammingError at the option that is wrong."""
    server = server_of(statement)
    columns = [Field(column.name.name, column.type, column.nullable) for column in statement.columns]
    options, of_columns, places = _options(statement, server)
    missing = next((name for name in server.required if name not in options), None)
    if missing is not None:
        text = f"SERVER {server.name} needs the option {missing}"
        raise ProgrammingError(text, statement.server.span, f"OPTIONS ({missing} '...'): {server.options[missing]}")
    try:
        return server.uri(Declaration(statement.name.name, columns, options, of_columns))
    except OptionError as error:
        raise ProgrammingError(str(error), places.get(error.option, statement.server.span)) from None


def check_writable(catalog: Catalog, stream: str, span: Span | None) -> None:
    """Refuse rows for a foreign stream whose server takes none."""
    statement = foreign_streams(catalog).get(stream)
    if statement is not None and not server_of(statement).writes:
        raise ProgrammingError(f"{stream} cannot be written: SERVER {server_of(statement).name} gives rows and takes none", span)


def _options(statement: CreateForeignStream, server: Server) -> tuple[dict[str, str], dict[str, str], dict[str, Span]]:
    """The options of the server, those that are names of columns, and where they stand.

    A name in quotes is a column's where there is one of this name; a name without is first an option's.
    """
    options, of_columns = dict[str, str](), dict[str, str]()
    places: dict[str, Span] = {}
    columns = [column.name.name for column in statement.columns] if server.columns else []
    for key, value in statement.options:
        option = key.text.lower()
        is_column = key.name in columns and (key.quoted or option not in server.options)
        if not is_column and option not in server.options:
            known = [*server.options, *columns]
            close = get_close_matches(option, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"the options are {', '.join(known)}"
            raise ProgrammingError(f"SERVER {server.name} has no option {key.text}", key.span, hint)
        name, found = (key.name, of_columns) if is_column else (option, options)
        if name in found:
            raise ProgrammingError(f"option {key.text} stands twice", key.span)
        found[name], places[name] = value, key.span
    return options, of_columns, places
