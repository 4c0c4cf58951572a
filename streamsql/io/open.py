"""The two doors: a source or a sink for a URI."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from streamsql.errors import OperationalError, not_supported
from streamsql.io.compression import compression_of, decompressing
from streamsql.io.decoding import Target
from streamsql.io.file_sink import FileSink
from streamsql.io.files import FileSource, Reader, TextReader
from streamsql.io.formats import TextFormat, format_of
from streamsql.io.pipe import PipeReader, PipeSource
from streamsql.io.sink import Sink
from streamsql.io.source import Source
from streamsql.io.standard_sink import StandardSink
from streamsql.io.storage import LocalStorage, Storage, existing, local_path
from streamsql.io.uri import INPUT_ONLY, Uri, parse_uri
from streamsql.types import Schema

STANDARD_FORMAT = "jsonl"
"""The format of stdin and stdout where none is given, and of the parts in a folder."""


def _nothing() -> None:
    pass


def open_source(
    uri: str | Uri,
    schema: Schema | None = None,
    *,
    header: bool = True,
    delimiter: str = ",",
    s3_root: str | None = None,
    wake: Callable[[], None] = _nothing,
) -> Source:
    """The source of the rows of a URI.

    `schema` holds the declared columns (hidden ones do not count); without it they are discovered.  `header` says whether
    CSV has a header line where the URI does not, `delimiter` what parts its fields.  `wake` is called, in another thread,
    when rows may have come.  Raises OperationalError for an input that is missing or cannot be read.
    """
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    header = header if uri.options.header is None else uri.options.header
    if schema is None:
        raise not_supported("discovery")
    target = Target(schema.visible, uri.options.rowtime)
    if uri.is_standard:
        format_ = format_of(uri, STANDARD_FORMAT)
        return PipeSource(PipeReader(0, wake), format_.decoder(target, header, delimiter), target.schema, "stdin")
    path = local_path(uri, s3_root)
    if path is None:
        raise not_supported("real S3")
    storage = LocalStorage()
    format_ = format_of(uri)
    paths = existing(storage, path, uri)
    _check_readable(paths)
    open_reader = partial(_text_reader, storage, format_, target, header, delimiter, uri.options.follow)
    return FileSource(storage, path, paths, target.schema, open_reader, uri.options.follow)


def _check_readable(paths: list[str]) -> None:
    for path in paths:
        if Path(path).is_dir():
            raise OperationalError(f"{path!r} is a directory", hint="name its files with a glob")
        if not os.access(path, os.R_OK):
            raise OperationalError(f"cannot read {path!r}: permission denied")


def _text_reader(
    storage: Storage, format_: TextFormat, target: Target, header: bool, delimiter: str, follow: bool, path: str, offset: int
) -> Reader:
    compression = compression_of(path)
    size = storage.size(path)
    if compression is None and size < offset:
        raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
    stream = storage.open(path)
    if compression is not None:
        stream = decompressing(stream, compression)
    return TextReader(stream, format_.decoder(target, header, delimiter), offset, size, follow)


def open_sink(
    uri: str | Uri,
    schema: Schema,
    staging: Path | None = None,
    *,
    resume: bool = False,
    stream: str | None = None,
    s3_root: str | None = None,
) -> Sink:
    """The sink that puts rows where a URI says.

    `schema` is that of the stream; batches hold its visible columns.  `staging` is a directory of this sink's own, where
    what is prepared survives a crash; `resume` says that a run goes on, so that an existing output is not begun anew.
    `stream` makes JSON lines on stdout say of which stream they are.
    """
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    for name in INPUT_ONLY:
        if getattr(uri.options, name):
            raise OperationalError(f"option {name!r} is for inputs, not for the output {uri.text!r}")
    header = uri.options.header is not False
    if uri.is_standard:
        return StandardSink(format_of(uri, STANDARD_FORMAT).encoder(schema, header, stream), sys.stdout.buffer)
    path = local_path(uri, s3_root)
    if path is None:
        raise not_supported("real S3")
    return FileSink(Path(path), format_of(uri).encoder(schema, header, None), staging, resume, compression_of(path))
