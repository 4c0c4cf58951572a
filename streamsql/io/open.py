"""The two doors: a source or a sink for a URI."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from streamsql.errors import OperationalError, not_supported
from streamsql.io.compression import compression_of, decompressing
from streamsql.io.decoding import Decoder, Target
from streamsql.io.discover import SAMPLE, fields_of_table, fields_of_text, no_records
from streamsql.io.files import FileSource, Reader, reading
from streamsql.io.formats import TableFormat, TextFormat, format_of, text_format_of
from streamsql.io.layout import PLAIN, Layout, RecordSchema
from streamsql.io.pipe import STDIN, PipeReader, PipeSource
from streamsql.io.processing import ProcessingDecoder, Processor, processed
from streamsql.io.servers.server import own_source
from streamsql.io.sinks.file_sink import FileSink, PlainFileSink
from streamsql.io.sinks.folder_sink import FolderSink
from streamsql.io.sinks.parts import NewPart, TablePart, TextPart, WorkingDirectory
from streamsql.io.sinks.sink import Sink
from streamsql.io.sinks.standard_sink import StandardSink
from streamsql.io.sinks.table_sink import PlainTableSink, TableSink
from streamsql.io.sinks.uploading_sink import UploadingSink
from streamsql.io.source import Source
from streamsql.io.storages.local import LocalStorage
from streamsql.io.storages.places import existing, storage_of
from streamsql.io.storages.storage import Storage
from streamsql.io.tables import TableDecoder, TableReader
from streamsql.io.text_file import TextReader, sample_of
from streamsql.io.uri import INPUT_ONLY, Uri, parse_uri
from streamsql.time import Clock, WallClock
from streamsql.types import Field, Schema

DEFAULT_FORMAT = "jsonl"
"""The format of stdin, stdout and the parts in a folder, where none is given."""


def _nothing() -> None:
    pass


def open_source(
    uri: str | Uri,
    schema: Schema | None = None,
    *,
    format: str | None = None,
    layout: Layout = PLAIN,
    processor: Processor | None = None,
    s3_root: str | None = None,
    wake: Callable[[], None] = _nothing,
    clock: Clock | None = None,
) -> Source:
    """The source of the rows of a URI.

    `schema` holds the declared columns (hidden ones do not count); without it they are discovered.  `format` and `layout` say
    what the records must be where they are declared as text; `processor` makes them out of the lines of the input.  `wake` is
    called, in another thread, when rows may have come, `clock` paces rows that come out of nothing.  Raises OperationalError for
    an input that is missing or cannot be read.
    """
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    open_own = own_source(uri)
    if open_own is not None:
        return open_own(uri, _declared(uri, schema), clock or WallClock())
    header = layout.header if uri.options.header is None else uri.options.header
    declared = RecordSchema(schema.visible if schema is not None else (), format, replace(layout, header=header))
    if uri.is_standard:
        return _pipe_source(STDIN, "stdin", uri, declared, processor, wake)
    storage, path = storage_of(uri, s3_root)
    paths = existing(storage, path, uri)
    if _is_pipe(storage, paths[0]):
        return _pipe_source(os.open(paths[0], os.O_RDONLY), repr(path), uri, declared, processor, wake)
    format_ = format_of(uri, declared=format)
    follow = uri.options.follow
    layout = declared.layout
    fields = declared.fields or _discovered(storage, paths, format_, layout, processor)
    target = Target(fields, uri.options.rowtime, layout.members)
    if isinstance(format_, TextFormat):
        total = storage.size(paths[0]) * len(paths)  # about so much: S3 would have to be asked for each
        open_reader = partial(_text_reader, storage, format_, target, layout, processor, total)
        if follow and any(map(compression_of, paths)):
            raise OperationalError(f"follow=true needs text that is not compressed, unlike {uri.text!r}")
    elif follow:
        raise OperationalError(f"follow=true needs a text format, unlike {uri.text!r}")
    elif processor is not None:
        raise OperationalError(f"a processor needs lines of text, unlike {uri.text!r}")
    elif layout.paths is not None and layout.members is None:
        raise not_supported(f"a mapping of values within others for {uri.text!r}", hint="it needs JSON text")
    else:
        open_reader = partial(_table_reader, storage, format_, target)
    return FileSource(storage, path, paths, target.schema, open_reader, follow)


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
    _check_writable(uri)
    for name in INPUT_ONLY:
        if getattr(uri.options, name):
            raise OperationalError(f"option {name!r} is for inputs, not for the output {uri.text!r}")
    header = uri.options.header is not False
    if uri.is_standard:
        return StandardSink(text_format_of(uri, DEFAULT_FORMAT).encoder(schema, header, stream), sys.stdout.buffer, True)
    storage, path = storage_of(uri, s3_root)
    if uri.is_folder:
        return _folder_sink(storage, path, uri, schema, staging, resume)
    if isinstance(storage, LocalStorage):
        if uri.scheme == "s3":  # a key needs no folders, its stand-in under --s3-root does
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        return _file_sink(Path(path), uri, schema, staging, resume)
    storage.reach(path)
    working = WorkingDirectory(staging)
    local = working.path / f"output-{path.rpartition('/')[2]}"
    return UploadingSink(_file_sink(local, uri, schema, staging, resume), local, working, storage, path)


def check_sink(uri: str | Uri, *, s3_root: str | None = None) -> None:
    """Raise OperationalError for an output that could not be opened; opens nothing, and asks no S3."""
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    _check_writable(uri)
    if uri.is_standard:
        text_format_of(uri, DEFAULT_FORMAT)
        return
    storage, path = storage_of(uri, s3_root)
    format_of(uri, DEFAULT_FORMAT if uri.is_folder else None)
    if not isinstance(storage, LocalStorage) or uri.scheme == "s3":
        return
    if Path(path).is_dir() and not uri.is_folder:
        raise OperationalError(f"{uri.text!r} is a directory", hint="end it with / to get one part a commit")
    folder = Path(path) if uri.is_folder else Path(path).parent
    while uri.is_folder and not folder.exists():
        folder = folder.parent
    if not folder.is_dir():
        raise OperationalError(f"cannot write {uri.text!r}: there is no folder {str(folder)!r}")
    if not os.access(Path(path) if Path(path).exists() else folder, os.W_OK):
        raise OperationalError(f"cannot write {uri.text!r}: permission denied")


def discover(uri: str | Uri, *, s3_root: str | None = None) -> Schema:
    """The columns that the first records of an input have.  Reads a pipe up to its end or for a second."""
    source = open_source(uri, s3_root=s3_root)
    source.close()
    return Schema(source.schema.visible)


def head_of(uri: str | Uri, *, s3_root: str | None = None) -> tuple[TextFormat, bytes] | None:
    """The format and the first records of an input, as they are written; None where that is no text, or can be read only once."""
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    if uri.is_standard:
        return None
    storage, path = storage_of(uri, s3_root)
    first = existing(storage, path, uri)[0]
    format_ = format_of(uri)
    if _is_pipe(storage, first) or not isinstance(format_, TextFormat):
        return None
    with reading(first), _text_stream(storage, first, format_)[0] as stream:
        return format_, sample_of(stream, format_.decoder(Target(()), PLAIN, 0), SAMPLE)


def check_source(uri: str | Uri, *, s3_root: str | None = None) -> None:
    """Raise OperationalError for an input that is not there; opens nothing."""
    uri = parse_uri(uri) if isinstance(uri, str) else uri
    if not uri.is_standard and own_source(uri) is None:
        storage, path = storage_of(uri, s3_root)
        existing(storage, path, uri)


def _declared(uri: Uri, schema: Schema | None) -> Schema:
    """The columns of what has none by itself."""
    if schema is None:
        raise OperationalError(f"the columns of {uri.text!r} are not declared")
    return schema


def _check_writable(uri: Uri) -> None:
    if own_source(uri) is not None:
        raise OperationalError(f"{uri.text!r} gives rows and takes none")


def _is_pipe(storage: Storage, path: str) -> bool:
    if not isinstance(storage, LocalStorage):
        return False
    mode = Path(path).stat().st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def _pipe_source(
    descriptor: int, name: str, uri: Uri, declared: RecordSchema, processor: Processor | None, wake: Callable[[], None]
) -> PipeSource:
    format_ = text_format_of(uri, DEFAULT_FORMAT, declared.format)
    layout = declared.layout
    reader = PipeReader(descriptor, wake)
    fields = declared.fields
    if not fields:
        sample, complete = reader.sample(SAMPLE, 1.0)
        cut = _decoder(format_, Target(()), layout, processor, 0, 0).cut(sample, complete)
        fields = fields_of_text(format_, _processed(sample[:cut], format_, layout, processor), layout)
        if not fields:
            reader.close()
            raise no_records(name)
    target = Target(fields, uri.options.rowtime, layout.members)
    return PipeSource(reader, _decoder(format_, target, layout, processor, 0, 0), target.schema, name)


def _decoder(
    format_: TextFormat, target: Target, layout: Layout, processor: Processor | None, total: int, offset: int
) -> Decoder:
    decoder = format_.decoder(target, layout, total)
    if processor is None:
        return decoder
    return ProcessingDecoder(decoder, processor, lambda data: format_.join(data, layout), offset)


def _processed(sample: bytes, format_: TextFormat, layout: Layout, processor: Processor | None) -> bytes:
    return sample if processor is None else processed(sample, processor, lambda data: format_.join(data, layout))


def _discovered(
    storage: Storage, paths: list[str], format_: TextFormat | TableFormat, layout: Layout, processor: Processor | None
) -> tuple[Field, ...]:
    for path in paths:
        if isinstance(format_, TableFormat):
            with reading(path), storage.open(path) as stream:
                return fields_of_table(format_.schema(stream))
        with reading(path), _text_stream(storage, path, format_)[0] as stream:
            sample = sample_of(stream, _decoder(format_, Target(()), layout, processor, 0, 0), SAMPLE)
            fields = fields_of_text(format_, _processed(sample, format_, layout, processor), layout)
        if fields:
            return fields
    raise no_records(", ".join(map(repr, paths)))


def _text_reader(
    storage: Storage,
    format_: TextFormat,
    target: Target,
    layout: Layout,
    processor: Processor | None,
    total: int,
    path: str,
    offset: int,
    growing: bool,
) -> Reader:
    size = storage.size(path)
    stream, plain = _text_stream(storage, path, format_)
    if plain and size < offset:
        raise OperationalError(f"cannot go on in {path!r}: it is shorter than it was")
    decoder = _decoder(format_, target, layout, processor, total, offset)
    return TextReader(stream, decoder, offset, size, plain, growing)


def _text_stream(storage: Storage, path: str, format_: TextFormat) -> tuple[BinaryIO, bool]:
    """The text of a file, and whether its bytes are those of the file."""
    compression = compression_of(path)

    def opened() -> BinaryIO:
        stream = storage.open(path)
        return stream if compression is None else decompressing(stream, compression)

    if format_.unfold is not None:
        with opened() as stream:
            unfolded = format_.unfold(stream)
        if unfolded is not None:
            return unfolded, False
    return opened(), compression is None


def _table_reader(storage: Storage, format_: TableFormat, target: Target, path: str, offset: int, growing: bool) -> Reader:
    stream = storage.open(path)
    names = format_.schema(stream).names
    needed = [names[position] for position in TableDecoder(target, names).needed]
    stream.seek(0)
    return TableReader(stream, format_.batches(stream, needed, offset), TableDecoder(target, needed), offset, storage.size(path))


def _file_sink(path: Path, uri: Uri, schema: Schema, staging: Path | None, resume: bool) -> Sink:
    if path.exists() and not path.is_file():
        if path.is_dir():
            raise OperationalError(f"{uri.text!r} is a directory", hint="end it with / to get one part a commit")
        encoder = text_format_of(uri, DEFAULT_FORMAT).encoder(schema, uri.options.header is not False, None)
        return StandardSink(encoder, path.open("wb"))
    format_ = format_of(uri)
    if isinstance(format_, TableFormat):
        if staging is None:
            return PlainTableSink(path, format_, schema, resume)
        return TableSink(path, format_, schema, staging, resume)
    encoder = format_.encoder(schema, uri.options.header is not False, None)
    if staging is None:
        return PlainFileSink(path, encoder, compression_of(uri.path), resume)
    return FileSink(path, encoder, compression_of(uri.path), staging, resume)


def _folder_sink(storage: Storage, path: str, uri: Uri, schema: Schema, staging: Path | None, resume: bool) -> Sink:
    format_ = format_of(uri, DEFAULT_FORMAT)
    new_part: NewPart
    if isinstance(format_, TableFormat):
        new_part = partial(TablePart, new_writer=format_.writer, schema=schema)
    else:
        encoder = format_.encoder(schema, uri.options.header is not False, None)
        new_part = partial(TextPart, encoder=encoder, compression=None, header=True)
    sink = FolderSink(storage, path, f".{format_.endings[0]}", new_part, staging)
    if isinstance(storage, LocalStorage):
        Path(path).mkdir(parents=True, exist_ok=True)
    if not resume:
        sink.clear()
    return sink
