"""Functions of JSON texts and of URLs that Athena and Redshift have."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyarrow as pa

from streamsql.functions.registry import scalar
from streamsql.rows import Datum, ErrorName, Rows, map_rows

STRING = pa.string()

_STEP = re.compile(r"""\.(?P<name>[\w-]+)|\[(?P<index>\d+)\]|\[(?P<quote>["'])(?P<quoted>.*?)(?P=quote)\]""")

MISSING = object()
"""What stands at a path that leads nowhere."""


@lru_cache(maxsize=256)
def _steps(path: str) -> tuple[str | int, ...]:
    """The members and places that a path `$.a[0]["b c"]` goes through; raises ValueError for what is no path."""
    if not path.startswith("$"):
        raise ValueError(f"a path of JSON begins with $: {path}")
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            raise ValueError(f"not a path of JSON: {path}")
        steps.append(int(match["index"]) if match["index"] is not None else match["name"] or match["quoted"])
        at = match.end()
    return tuple(steps)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return MISSING


def _followed(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else MISSING
        else:
            value = value.get(step, MISSING) if isinstance(value, dict) else MISSING
    return value


def _as_text(value: Any) -> str | None:
    """A scalar as text: a string without its quotes; None for an object, an array, and what is not there."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, (bool, int, float)) else None


@scalar("JSON_EXTRACT_SCALAR(json: CHARACTER, path: CHARACTER) -> VARCHAR", fails=True)
def json_extract_scalar(rows: Rows, text: Datum, path: Datum) -> Datum:
    """The text, number or boolean at a path of a JSON text; NULL where something else or nothing is there.

    >>> JSON_EXTRACT_SCALAR('{"a": {"b": [10, "x"]}}', '$.a.b[1]')
    x
    >>> JSON_EXTRACT_SCALAR('{"a": true}', '$.a')
    true
    >>> JSON_EXTRACT_SCALAR('{"a": [1]}', '$.a')
    NULL
    >>> JSON_EXTRACT_SCALAR('{"a": 1', '$.a')
    NULL
    """
    return map_rows(rows, lambda t, p: _as_text(_followed(_parsed(t), _steps(p))), [text, path], STRING, ErrorName.ARGUMENT)


@scalar("JSON_EXTRACT(json: CHARACTER, path: CHARACTER) -> VARCHAR", fails=True)
def json_extract(rows: Rows, text: Datum, path: Datum) -> Datum:
    """What stands at a path of a JSON text, as JSON.

    >>> JSON_EXTRACT('{"a": {"b": [10, "x"]}}', '$.a.b')
    [10, "x"]
    """

    def extracted(value: str, way: str) -> str | None:
        found = _followed(_parsed(value), _steps(way))
        return None if found is MISSING else json.dumps(found, ensure_ascii=False)

    return map_rows(rows, extracted, [text, path], STRING, ErrorName.ARGUMENT)


@scalar("JSON_EXTRACT_PATH_TEXT(json: CHARACTER, names...: CHARACTER) -> VARCHAR")
def json_extract_path_text(rows: Rows, text: Datum, *names: Datum) -> Datum:
    """The member of a JSON text that is reached by these names, as Redshift finds it: objects and arrays as JSON.

    >>> JSON_EXTRACT_PATH_TEXT('{"a": {"b": 1}}', 'a', 'b')
    1
    >>> JSON_EXTRACT_PATH_TEXT('{"a": {"b": 1}}', 'a')
    {"b": 1}
    """

    def extracted(value: str, *steps: str) -> str | None:
        found = _followed(_parsed(value), steps)
        return None if found is MISSING or found is None else found if isinstance(found, str) else json.dumps(found)

    return map_rows(rows, extracted, [text, *names], STRING)


@scalar("JSON_ARRAY_LENGTH(json: CHARACTER) -> BIGINT")
def json_array_length(rows: Rows, text: Datum) -> Datum:
    """How many elements a JSON array has; NULL for what is none.

    >>> JSON_ARRAY_LENGTH('[1, [2], 3]')
    3
    """

    def counted(value: str) -> int | None:
        found = _parsed(value)
        return len(found) if isinstance(found, list) else None

    return map_rows(rows, counted, [text], pa.int64())


# -- URLs ------------------------------------------------------------------------------------------------------------------


@scalar("URL_EXTRACT_HOST(url: CHARACTER) -> VARCHAR")
def url_extract_host(rows: Rows, url: Datum) -> Datum:
    """The host of a URL; NULL where there is none.

    >>> URL_EXTRACT_HOST('https://www.example.com:8080/a?b=c')
    www.example.com
    """
    return map_rows(rows, lambda text: _split(text, "hostname"), [url], STRING)


@scalar("URL_EXTRACT_PATH(url: CHARACTER) -> VARCHAR")
def url_extract_path(rows: Rows, url: Datum) -> Datum:
    """The path of a URL.

    >>> URL_EXTRACT_PATH('https://www.example.com/a/b?c=d')
    /a/b
    """
    return map_rows(rows, lambda text: _split(text, "path"), [url], STRING)


@scalar("URL_EXTRACT_QUERY(url: CHARACTER) -> VARCHAR")
def url_extract_query(rows: Rows, url: Datum) -> Datum:
    """The query of a URL.

    >>> URL_EXTRACT_QUERY('https://www.example.com/a?c=d&e=f')
    c=d&e=f
    """
    return map_rows(rows, lambda text: _split(text, "query"), [url], STRING)


@scalar("URL_EXTRACT_PARAMETER(url: CHARACTER, name: CHARACTER) -> VARCHAR")
def url_extract_parameter(rows: Rows, url: Datum, name: Datum) -> Datum:
    """The first value of a parameter of a URL's query; NULL where it is not there.

    >>> URL_EXTRACT_PARAMETER('https://www.example.com/a?c=d&e=f', 'e')
    f
    """

    def parameter(text: str, wanted: str) -> str | None:
        values = parse_qs(_split(text, "query") or "", keep_blank_values=True).get(wanted)
        return values[0] if values else None

    return map_rows(rows, parameter, [url, name], STRING)


@scalar("URL_DECODE(s: CHARACTER) -> VARCHAR")
def url_decode(rows: Rows, s: Datum) -> Datum:
    """A text with its percent signs resolved.

    >>> URL_DECODE('a%20b+c')
    a b c
    """
    return map_rows(rows, lambda text: unquote(text.replace("+", " ")), [s], STRING)


def _split(url: str, part: str) -> str | None:
    try:
        found = getattr(urlsplit(url), part)
    except ValueError:
        return None
    return str(found) if found is not None else None
