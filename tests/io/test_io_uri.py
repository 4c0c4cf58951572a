"""URIs, their options and durations."""

from __future__ import annotations

import pytest

from streamsql.errors import OperationalError
from streamsql.io.uri import Options, Uri, parse_duration, parse_uri


@pytest.mark.parametrize(
    ("text", "scheme", "path", "options"),
    [
        ("a.jsonl", "file", "a.jsonl", Options()),
        ("-", "-", "-", Options()),
        ("-?format=csv&header=false", "-", "-", Options(format="csv", header=False)),
        ("a.jsonl?rowtime=ts&lateness=5s&follow=true", "file", "a.jsonl", Options(rowtime="ts", lateness=5000, follow=True)),
        ("dir/a?.csv", "file", "dir/a?.csv", Options()),
        ("dir/a?.csv?header=TRUE", "file", "dir/a?.csv", Options(header=True)),
        ("what?", "file", "what?", Options()),
        ("what?follow", "file", "what?follow", Options()),
        ("a%20b", "file", "a%20b", Options()),
        ("file:///a%20b%3Fx=1", "file", "/a b?x=1", Options()),
        ("FILE://localhost/a", "file", "/a", Options()),
        ("s3://bucket/k/a.jsonl?rowtime=a%26b", "s3", "bucket/k/a.jsonl", Options(rowtime="a&b")),
        ("kinesis://stream", "kinesis", "stream", Options()),
        ("C://a", "file", "C://a", Options()),
        ("out/", "file", "out/", Options()),
    ],
)
def test_uris(text: str, scheme: str, path: str, options: Options) -> None:
    uri = parse_uri(text)
    assert uri == Uri(text, scheme, path, options)
    assert uri.is_standard == (scheme == "-")
    assert uri.is_folder == (path == "out/")


def test_an_unknown_option_names_those_there_are() -> None:
    with pytest.raises(OperationalError, match="unknown option 'from'") as error:
        parse_uri("a.jsonl?from=0")
    assert error.value.hint == "the options are format, rowtime, lateness, follow, header"


@pytest.mark.parametrize(
    ("text", "milliseconds"), [("5s", 5000), ("500ms", 500), ("2m", 120_000), ("1.5h", 5_400_000), ("1 d", 86_400_000), ("0s", 0)]
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["5", "s", "-5s", "5 weeks", ""])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(OperationalError, match="is no duration"):
        parse_duration(text)
