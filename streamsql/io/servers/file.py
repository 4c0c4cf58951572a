"""SERVER FILE: files by URI, as --input and --output take them."""

from __future__ import annotations

from collections.abc import Mapping

from streamsql.errors import OperationalError
from streamsql.io.servers.server import Declaration, OptionError, server, with_options
from streamsql.io.uri import parse_uri

RIDING = {
    "format": "jsonl, csv, parquet or arrow, where the ending does not tell",
    "rowtime": "the column that gives ROWTIME: a replay",
    "lateness": "how far ROWTIME may go backwards, such as 5s",
    "follow": "true: go on reading as the file grows",
    "header": "false: a CSV file without a line of names",
}
"""The options that ride on a URI."""


def checked(address: str, options: Mapping[str, str]) -> str:
    """A URI with its options.  Raises OptionError for what it cannot be."""
    for name, value in options.items():
        try:
            parse_uri(with_options("-", {name: value}))
        except OperationalError as error:
            raise OptionError(name, error.message.partition(" in '")[0]) from None
    text = with_options(address, options)
    try:
        parse_uri(text)
    except OperationalError as error:
        raise OptionError("uri", error.message) from None
    return text


@server("FILE", {"uri": "a path, a glob or a URI such as s3://bucket/key", **RIDING}, required=["uri"], reads=True, writes=True)
def file(declared: Declaration) -> str:
    """Files: read when the stream is read, written when a pump or INSERT writes it.  The options may ride on the URI too."""
    return checked(declared.options["uri"], {name: value for name, value in declared.options.items() if name != "uri"})
