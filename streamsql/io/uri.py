"""URIs of inputs and outputs, and the options that ride on them: `events.jsonl?rowtime=ts&lateness=5s`.

`?` is also a wildcard and may be part of a file's name.  So the options begin at the last `?` that is followed by
`name=value`; any other `?` belongs to the path.  In a `file://` URI, `%3F` is a `?` of the name in any case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from urllib.parse import unquote

from streamsql.errors import OperationalError
from streamsql.time import Time

_OPTIONS = re.compile(r"\?([A-Za-z_]\w*=[^?]*)$")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_TRUTH = {"true": True, "false": False}

FILES = ("file", "s3")
"""The schemes of files; what has another has other options."""

STANDARD = "-"
"""The URI of stdin or stdout, and its scheme."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may be said of an input or output behind the `?`."""

    format: str | None = None
    """The name of a format, where the ending of the path does not tell or should not count."""
    rowtime: str | None = None
    """The column that gives ROWTIME: a replay."""
    lateness: Time | None = None
    """How far ROWTIME may go backwards, in milliseconds."""
    follow: bool = False
    """Whether to go on reading as a file grows."""
    header: bool | None = None
    """Whether a CSV file begins with a line of names; None: as the caller prefers."""


INPUT_ONLY = ("rowtime", "lateness", "follow")


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI taken apart.  `scheme` is `file` for a plain path; `path` is decoded, for `s3` it is `bucket/key`."""

    text: str
    scheme: str
    path: str
    options: Options
    own: Mapping[str, str] = field(default_factory=dict)
    """The options of a scheme that has its own."""

    @property
    def is_standard(self) -> bool:
        """Whether it means stdin or stdout."""
        return self.scheme == STANDARD

    @property
    def is_folder(self) -> bool:
        """Whether it names a folder, which gets one part a commit."""
        return self.path.endswith("/")


def parse_uri(text: str) -> Uri:
    """Take a URI apart.  Raises OperationalError where it cannot be understood.

    >>> parse_uri("log-?.csv?header=false").path, parse_uri("s3://bucket/a.jsonl").path
    ('log-?.csv', 'bucket/a.jsonl')
    """
    match = _OPTIONS.search(text)
    address, query = (text[: match.start()], match.group(1)) if match else (text, "")
    if address == STANDARD:
        return Uri(text, STANDARD, STANDARD, _options(query, text))
    scheme = _SCHEME.match(address)
    if scheme is not None and scheme[1].lower() not in FILES:
        items = (item.partition("=") for item in query.split("&") if item)
        own = {name: unquote(value) for name, _, value in items}
        return Uri(text, scheme[1].lower(), address[scheme.end() :], Options(), own)
    return _file(text, address, _options(query, text))


def parse_location(text: str) -> Uri:
    """Take the URI of a folder of files apart, on which no options ride.

    >>> parse_location("s3://bucket/t/q=what?x=1/").path
    'bucket/t/q=what?x=1/'
    """
    return _file(text, text, Options())


def _file(text: str, address: str, options: Options) -> Uri:
    scheme = _SCHEME.match(address)
    name = scheme[1].lower() if scheme else "file"
    path = address[scheme.end() :] if scheme else address
    if scheme and name == "file":
        path = unquote(path.removeprefix("localhost"))
    if not path:
        raise OperationalError(f"no path in {text!r}")
    if name != "file" and path.startswith("/"):
        raise OperationalError(f"no bucket in {text!r}", hint=f"{name}://bucket/key")
    return Uri(text, name, path, options)


def with_option(text: str, name: str, value: str) -> str:
    """A URI with one more option.

    >>> with_option("a.txt", "format", "csv"), with_option("-?header=false", "format", "csv")
    ('a.txt?format=csv', '-?header=false&format=csv')
    """
    return f"{text}{'&' if _OPTIONS.search(text) else '?'}{name}={value}"


def parse_duration(text: str) -> Time:
    """A length of time as milliseconds.

    >>> parse_duration("5s"), parse_duration("500ms"), parse_duration("1.5m")
    (5000, 500, 90000)
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise OperationalError(f"{text!r} is no duration", hint="write a number and a unit: 500ms, 5s, 2m, 1h, 1d")
    return round(float(match[1]) * _MILLISECONDS[match[2]])


def _options(query: str, uri: str) -> Options:
    known = [each.name for each in fields(Options)]
    given: dict[str, object] = {}
    for item in query.split("&") if query else ():
        name, _, value = item.partition("=")
        if name not in known:
            raise OperationalError(f"unknown option {name!r} in {uri!r}", hint=f"the options are {', '.join(known)}")
        if name in given:
            raise OperationalError(f"option {name!r} is given twice in {uri!r}")
        given[name] = _value(name, unquote(value), uri)
    return Options(**given)  # type: ignore[arg-type]


def _value(name: str, value: str, uri: str) -> object:
    if name == "lateness":
        return parse_duration(value)
    if name in ("follow", "header"):
        if value.lower() not in _TRUTH:
            raise OperationalError(f"option {name!r} in {uri!r} is true or false, not {value!r}")
        return _TRUTH[value.lower()]
    if not value:
        raise OperationalError(f"option {name!r} has no value in {uri!r}")
    return value
